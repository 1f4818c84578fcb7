//! The machine as the host sees it, on hand-written images.

mod builder;
mod circles;
mod edges;
mod engines;
mod fabric;
mod forest;
mod load;
mod memcpy;
mod memory;
mod random;
mod reference;
mod requests;
mod routers;
mod saturate;
mod threads;
mod timing;
mod untimed;
