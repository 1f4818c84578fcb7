//! The PE without a fabric: images built by hand.

mod ahead;
mod builder;
mod fabric;
mod fifo;
mod fused;
mod layers;
mod ops;
mod tasks;
mod timing;
mod vector;
