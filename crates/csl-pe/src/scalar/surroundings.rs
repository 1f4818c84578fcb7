//! The surroundings of the scalar core while it runs.

use csl_isa::Insn;

/// Data memory, and an observer of each instruction. The core leaves everything else (registers of the machine, vector
/// operations, services) to its caller: it stops with an [`super::Exit`].
pub trait Surroundings {
    /// Whether `before` looks at each instruction, so that those fused into one are carried out one by one.
    const LOOKS: bool = false;

    /// `N` bytes of memory; `None` where `addr` lies in register space.
    fn load<const N: usize>(&mut self, addr: u16) -> Option<[u8; N]>;
    /// Writes `N` bytes; `false`, and nothing is written, where `addr` lies in register space.
    fn store<const N: usize>(&mut self, addr: u16, value: [u8; N]) -> bool;
    /// Copies between regions that do not overlap, or are the same; `false` where a region leaves data memory.
    fn copy(&mut self, to: u16, from: u16, bytes: u16) -> bool;
    /// Writes `value` `count` times at consecutive addresses; `false` where they leave data memory.
    fn fill<const N: usize>(&mut self, to: u16, value: [u8; N], count: u16) -> bool;
    /// Whether another thread may write these bytes, or for a store also read them, while the core runs. The core then
    /// stops at the access, unless it is its time.
    #[inline(always)]
    fn is_shared(&self, _addr: u16, _bytes: usize, _is_store: bool) -> bool {
        false
    }
    /// Tells that the instruction at `pc` is about to run in cycle `local_time`, with the registers `frame`, the first of
    /// which is number `first` of all. Returns the floating-point exceptions for which the core stops before it, in the
    /// bits of their register.
    #[inline(always)]
    fn before(&mut self, _local_time: u64, _pc: usize, _insn: Insn, _frame: &[u64], _first: usize) -> u16 {
        0
    }
}
