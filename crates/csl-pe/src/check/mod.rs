//! The shadow of a checked PE (`--check`): which object each address is meant for, which memory was written, and which
//! asynchronous operations still use it. It only looks on: results and cycles are those of a run without it.
//!
//! An address that has been computed may lie in another object than the one that it is meant for. So registers, DSRs and
//! pointers in memory carry the number of their object, from the instruction that brings its address into a register
//! (`PeImage::pointers`) through copies, sums and descriptors. Where a number is lost, the address alone decides: then an
//! access is wrong that lies in no object at all.

mod access;
mod marks;
mod object;
mod objects;
mod registers;
mod shadow;
mod step;

pub(crate) use object::Tag;
pub(crate) use shadow::{Moment, Shadow};
