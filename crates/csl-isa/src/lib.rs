//! The PE instruction set: the instructions of compiled code, which the machine executes.
//!
//! # Contract
//!
//! An instruction ([`Insn`]) is 8 bytes: an operation and three 16-bit fields. The table in `op.rs` gives the meaning
//! of each field; the [`Op`] enum, the decoder and the listing come from it.
//!
//! Registers are 64-bit slots of a flat frame, in canonical form: integers sign- or zero-extended from their width,
//! floats as raw bits, addresses as 16 bits, DSDs as the packed word of [`dsd`]. Because operands are canonical, most
//! integer operations are the same at every width; those that can leave it (`add`, `sub`, `mul`, `shl`, ...) exist
//! for i16, u16, i32, u32 and 64 bits, and are followed by `wrap` for other widths.
//!
//! A callee's frame starts at a register of its caller's (the *window*): arguments are the first registers of the
//! window, the result is its register 0.
//!
//! The instruction that ends a basic block carries its cycles: in a field of `jump`, `call` and `ret`, and for branches
//! in the `ext` word that follows (`a` when not taken, `b` when taken, `c` the low half of the target). `charge` adds
//! cycles anywhere else: before an instruction that must see the right time.

pub mod dsd;
mod insn;
mod op;
pub mod vec;

pub use insn::{Insn, IntCode, NO_REG, disassemble, fn_address, fn_index};
pub use op::{Field, Op};
