//! Every operation against an independent reference: i128 and exact rationals.

mod casts;
mod exact;
mod floats;
mod format;
mod ints;
mod math;
mod prng;
