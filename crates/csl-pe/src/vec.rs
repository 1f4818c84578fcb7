//! Vector (DSD) operations.

mod alu;
pub(crate) mod config;
mod contiguous;
pub(crate) mod cursor;
pub(crate) mod dsr;
mod memory_loop;
mod plain;
pub(crate) mod run;
pub(crate) mod setup;
pub(crate) mod timing;
