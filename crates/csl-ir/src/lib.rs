//! The typed intermediate representation: the result of semantic analysis for one PE program.
//!
//! # Contract
//!
//! A [`Program`] is one instance of a PE program: generics, comptime code and untaken branches are
//! gone. It holds globals with their initial bytes, functions, and what is set up before the first
//! cycle (task bindings, queues, DSRs, FIFOs, routes).
//!
//! A [`Func`] is a control-flow graph of [`Block`]s over *registers*. Registers are not in SSA form: one register is
//! one scalar variable or temporary and may be assigned any number of times. A register holds 64 bits in canonical
//! form: an integer is sign- or zero-extended according to its [`Scalar`], a float is its raw bits zero-extended, a
//! pointer is a byte address in 16 bits, a vector descriptor is the packed word of `csl-isa`. A value that does not fit
//! a register (arrays, structs, unions, `mem4d_dsd`) lives in memory and is handled through its address.
//!
//! Addresses are in bytes and wrap at 16 bits. Every instruction and terminator carries its [`Site`].
//! The validator ([`validate`]) checks all of this; later stages assume it.
//!
//! Calling convention: scalars are passed in registers, aggregates by the address of a value that
//! the callee does not change. A function that returns an aggregate takes the address of the result
//! as its first argument.

mod dump;
mod func;
mod graph;
mod layout;
mod program;
mod size;
pub mod threads;
mod types;
mod validate;
mod value;
mod varying;
mod visit;

pub use dump::{dump_layout, dump_program};
pub use func::*;
pub use graph::Preds;
pub use layout::*;
pub use program::*;
pub use size::{FieldPlace, align_of, bits_of, field_place, size_of, stride_of};
pub use types::*;
pub use validate::{Invalid, validate};
pub use value::*;
pub use varying::{Expr, FloatFormat, Question, Trace, Varying};
