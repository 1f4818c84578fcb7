//! The machine as the host sees it, on hand-written images.

mod builder;
mod fabric;
mod forest;
mod memcpy;
mod memory;
mod random;
mod reference;
mod threads;
mod timing;
