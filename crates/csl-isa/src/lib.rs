//! The PE instruction set: what compiled code consists of, and what the machine executes.

pub mod dsd;
pub mod vec;
