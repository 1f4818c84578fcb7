//! The surroundings of the scalar core while it runs.

use csl_isa::Insn;

/// A running instruction.
#[derive(Clone, Copy)]
pub struct Instant<'a> {
    /// The cycle in which its block began.
    pub local_time: u64,
    /// The address behind its last word.
    pub behind: usize,
    /// The registers of the running function, the first of which is number `first` of all.
    pub frame: &'a [u64],
    pub first: usize,
}

/// Data memory, and an observer of each instruction. The core leaves everything else (registers of the machine, vector
/// operations, services) to its caller: it stops with an [`super::Exit`].
pub trait Surroundings {
    /// Whether instructions that are fused into one are carried out one by one.
    const ALONE: bool = false;

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
    /// Tells that a jump has been taken, or a call or return made, in the running function `func` now, which goes on at `pc`.
    /// Whether the core stops there, as at the limit.
    #[inline(always)]
    fn turn(&mut self, _func: u16, _pc: u32) -> bool {
        false
    }
    /// Tells that an instruction, alone or the first of several, is about to run. Returns the floating-point exceptions for
    /// which the core stops before it, in the bits of their register.
    #[inline(always)]
    fn before(&mut self, _at: Instant, _insn: Insn) -> u16 {
        0
    }
    /// Tells that an integer instruction that is carried out with the one before it is about to run.
    #[inline(always)]
    fn then(&mut self, _at: Instant, _insn: Insn) {}
    /// Tells that the running instruction is about to use `N` bytes of memory.
    #[inline(always)]
    fn access<const N: usize>(&mut self, _at: Instant, _insn: Insn, _addr: u16, _is_store: bool) {}
    /// Tells the 32-bit float that the running instruction is about to give.
    #[inline(always)]
    fn float(&mut self, _at: Instant, _insn: Insn, _value: u64) {}
}
