//! The state of the scalar core: registers, call frames, time.

use csl_image::{Function, PeImage};
use csl_num::LowBits;

/// The greatest depth of calls. Real programs, with their frames in 48 KiB, do not reach it.
pub const MAX_CALL_DEPTH: usize = 1024;

/// The reason why the main thread cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CpuFault {
    DivisionByZero,
    /// Calls nested deeper than [`MAX_CALL_DEPTH`].
    CallDepth,
    /// Stack slots run into the end of memory.
    StackOverflow,
    /// A call through a pointer to no function, or to one with other parameters.
    BadFunctionPointer,
    /// A block copy that reaches into register space.
    CopyOfRegisters,
    /// A `switch` over an enum without a branch for the value.
    Unreachable,
}

impl CpuFault {
    pub fn message(self) -> &'static str {
        match self {
            CpuFault::DivisionByZero => "integer division by zero",
            CpuFault::CallDepth => "calls are nested too deeply",
            CpuFault::StackOverflow => "the stack does not fit the memory that the program leaves",
            CpuFault::BadFunctionPointer => "call of a pointer that is no function",
            CpuFault::CopyOfRegisters => "registers are copied by words, not as a whole value",
            CpuFault::Unreachable => "a `switch` meets a value that none of its branches names",
        }
    }
}

/// The point where a caller continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    pc: u32,
    fp: u32,
    sp: u16,
    iters: u16,
    func: u16,
}

/// The main thread. Register numbers are those of the running function's frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    pub(super) regs: Vec<u64>,
    /// The constants of the code that differ between tiles.
    pub(super) tile_consts: Box<[u64]>,
    callers: Vec<Frame>,
    /// The issue time of the next instruction, in cycles.
    pub local_time: u64,
    /// 0, or after a stop within a block one more than its cycles that `local_time` holds already; the block's end
    /// charges all of them.
    in_block: u64,
    pub(super) pc: u32,
    pub(super) fp: u32,
    /// Byte address of the running function's stack slots.
    pub(super) sp: u16,
    /// Number of the running function's iterator 0.
    pub(super) iters: u16,
    pub(super) func: u16,
}

impl Cpu {
    /// The main thread of a program with this many tile constants, which are 0 until they are set.
    pub fn new(tile_consts: u16) -> Cpu {
        Cpu { tile_consts: vec![0; usize::from(tile_consts)].into(), ..Cpu::default() }
    }

    /// Sets up a call of `func` with the arguments in canonical form, missing ones 0; [`super::run`] then
    /// runs it.
    pub fn start(&mut self, pe: &PeImage, func: u16, args: &[u64]) {
        let entered = &pe.funcs[usize::from(func)];
        self.callers.clear();
        self.regs.clear();
        self.regs.resize(usize::from(entered.frame), 0);
        let count = args.len().min(usize::from(entered.params));
        self.regs[..count].copy_from_slice(&args[..count]);
        (self.pc, self.fp, self.sp, self.iters, self.func) = (entered.entry, 0, pe.stack.start, 0, func);
    }

    /// Sets tile constant `number`, in canonical form.
    pub fn set_const(&mut self, number: u16, value: u64) {
        self.tile_consts[usize::from(number)] = value;
    }

    /// The cycle in which the running block has begun.
    #[inline]
    pub fn block_start(&self) -> u64 {
        self.local_time - self.in_block.saturating_sub(1)
    }

    /// Whether it has stopped within a block, whose code goes on.
    pub fn is_in_block(&self) -> bool {
        self.in_block > 0
    }

    /// Stops before the instruction at `pc`; the core began to run in a block that began at `start`.
    #[inline]
    pub(super) fn stop(&mut self, pc: u32, start: u64, local_time: u64) {
        self.pc = pc;
        if local_time != start {
            (self.local_time, self.in_block) = (local_time, 0);
        }
    }

    /// Stops before the instruction at `pc`, `passed` cycles after the start of its block.
    pub(super) fn stop_in_block(&mut self, pc: u32, start: u64, passed: u64) {
        (self.pc, self.local_time, self.in_block) = (pc, start + passed, passed + 1);
    }

    /// The register's value.
    #[inline(always)]
    pub fn reg(&self, reg: u16) -> u64 {
        self.regs[self.fp as usize + usize::from(reg)]
    }

    #[inline(always)]
    pub fn set_reg(&mut self, reg: u16, value: u64) {
        self.regs[self.fp as usize + usize::from(reg)] = value;
    }

    /// The next instruction.
    pub fn pc(&self) -> u32 {
        self.pc
    }

    /// The instruction that ran last.
    pub fn at(&self) -> u32 {
        self.pc.saturating_sub(1)
    }

    /// The instruction that ran last, then the calls that led to it, innermost first.
    pub fn call_stack(&self) -> Vec<u32> {
        let callers = self.callers.iter().rev().map(|frame| frame.pc.saturating_sub(1));
        std::iter::once(self.at()).chain(callers).collect()
    }

    /// Result of the function that [`Cpu::start`] began, once it has returned.
    pub fn result(&self) -> u64 {
        self.regs.first().copied().unwrap_or(0)
    }

    /// Enters `func`, whose frame starts at register `window`, to return to `self.pc`.
    pub(super) fn enter(&mut self, pe: &PeImage, func: u16, window: u16) -> Result<(), CpuFault> {
        if self.callers.len() >= MAX_CALL_DEPTH {
            return Err(CpuFault::CallDepth);
        }
        let caller = &pe.funcs[usize::from(self.func)];
        let entered = &pe.funcs[usize::from(func)];
        let sp = next_stack(self.sp, caller, entered, pe.stack.end)?;
        self.callers.push(Frame { pc: self.pc, fp: self.fp, sp: self.sp, iters: self.iters, func: self.func });
        let fp = self.fp as usize + usize::from(window);
        let end = fp + usize::from(entered.frame);
        if self.regs.len() < end {
            self.regs.resize(end, 0);
        }
        self.iters = self.iters.wrapping_add(caller.iters);
        (self.pc, self.fp, self.sp, self.func) = (entered.entry, fp.low32(), sp, func);
        Ok(())
    }

    /// Returns to the caller; `false` if there is none.
    pub(super) fn leave(&mut self) -> bool {
        let Some(frame) = self.callers.pop() else { return false };
        (self.pc, self.fp, self.sp, self.iters, self.func) = (frame.pc, frame.fp, frame.sp, frame.iters, frame.func);
        true
    }
}

/// The start of the stack slots of `entered`.
fn next_stack(sp: u16, caller: &Function, entered: &Function, end: u16) -> Result<u16, CpuFault> {
    let start = u32::from(sp) + u32::from(caller.stack);
    let fits = start + u32::from(entered.stack) <= u32::from(end) || entered.stack == 0;
    if fits { u16::try_from(start).map_err(|_| CpuFault::StackOverflow) } else { Err(CpuFault::StackOverflow) }
}
