//! The PE without a fabric: images built by hand.

mod ahead;
mod builder;
mod fabric;
mod fifo;
mod fused;
mod layers;
#[cfg(feature = "jit")]
mod native;
mod ops;
mod tasks;
mod timing;
mod vector;
