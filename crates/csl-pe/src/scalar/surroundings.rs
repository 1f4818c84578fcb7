//! What the scalar core asks of its surroundings while it runs.

use csl_isa::Insn;

/// Data memory, and a look at each instruction. Everything else that the core needs (registers of the machine, vector
/// operations, services) it leaves to its caller: it stops with an [`super::Exit`].
pub trait Surroundings {
    /// `N` bytes of memory; `None` where `addr` lies in register space.
    fn load<const N: usize>(&self, addr: u16) -> Option<[u8; N]>;
    /// Writes `N` bytes; `false`, and nothing is written, where `addr` lies in register space.
    fn store<const N: usize>(&mut self, addr: u16, value: [u8; N]) -> bool;
    /// Copies between places that do not overlap, or are the same; `false` where a place leaves data memory.
    fn copy(&mut self, to: u16, from: u16, bytes: u16) -> bool;
    /// Writes `count` times `value`, one behind the other; `false` where the place leaves data memory.
    fn fill<const N: usize>(&mut self, to: u16, value: [u8; N], count: u16) -> bool;
    /// The instruction at `pc` is about to run in cycle `tau`, with the registers `frame`. Returns the floating-point
    /// exceptions for which the core stops before it, in the bits of their register.
    #[inline(always)]
    fn before(&mut self, _tau: u64, _pc: usize, _insn: Insn, _frame: &[u64]) -> u16 {
        0
    }
}
