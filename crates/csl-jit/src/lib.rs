//! Native code for the scalar functions of a PE that run long.
//!
//! [`Native`] belongs to a program; all PEs that run it share its code. The interpreter of `csl-pe` tells it of each turn of
//! a function (a jump that is taken, a call, a return) and asks it whether to go on in native code. Native code ends before every
//! instruction that it does not know, every access outside the kept part of memory, every fault, and at the limit of
//! cycles as the interpreter does; the interpreter goes on there. So it makes nothing faster that stops, and everything else is
//! as it would have been, bit for bit, but for registers that are not read again.
//!
//! | file | its job |
//! |---|---|
//! | `action.rs` | what each instruction does: the table of those that are compiled |
//! | `flow.rs` | blocks, registers in use, the forms in which they are wanted |
//! | `translate.rs` | instructions to Cranelift's |
//! | `translate/` | registers at hand (`translator.rs`), branches and ways out, arithmetic, memory |
//! | `callees.rs` | the functions of `csl-num` that native code calls |
//! | `machine.rs` | machine code: all unsafe code |

mod action;
mod callees;
mod flow;
mod machine;
mod registers;
mod translate;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use csl_image::PeImage;
use csl_isa::Insn;
use csl_num::FloatKind;

use flow::Flow;
use machine::Code;

/// Functions of more instructions are left to the interpreter: their compilation would take long.
const MOST_INSTRUCTIONS: usize = 20_000;

/// The native code of a program's functions.
pub struct Native {
    program: Arc<PeImage>,
    funcs: Box<[Function]>,
}

#[derive(Default)]
struct Function {
    /// The turns that it runs in the interpreter before it is compiled.
    turns: AtomicU32,
    code: OnceLock<Option<Compiled>>,
}

struct Compiled {
    code: Code,
    /// The place of the function's first instruction.
    start: u32,
    /// For each place from there on, one more than the number of the entry there; 0 for none.
    entries: Box<[u16]>,
}

/// A place where the interpreter may go on in native code.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    code: &'a Code,
    which: u32,
}

/// The state of the main thread.
pub struct State<'a> {
    /// The registers of the running function.
    pub frame: &'a mut [u64],
    /// Data memory from address 0 on, as far as it is kept.
    pub memory: &'a mut [u8],
    pub tile_consts: &'a [u64],
    /// The address of the function's stack slots.
    pub stack: u16,
    /// The cycle in which the running block began.
    pub time: u64,
    /// A jump that is taken in this cycle or later is the last.
    pub until: u64,
}

/// How native code has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The instruction that runs next.
    pub pc: u32,
    /// The cycle in which its block began.
    pub time: u64,
    /// Whether a jump has met the limit.
    pub is_at_limit: bool,
}

impl Native {
    /// Of a program that has passed [`csl_image::Image::check`], whose functions are compiled after so many turns.
    pub fn new(program: Arc<PeImage>, turns: u32) -> Native {
        let func = || Function { turns: AtomicU32::new(turns), code: OnceLock::new() };
        let funcs = program.funcs.iter().map(|_| func()).collect();
        Native { program, funcs }
    }

    /// Whether it is the code of this very program.
    pub fn is_of(&self, program: &Arc<PeImage>) -> bool {
        Arc::ptr_eq(&self.program, program)
    }

    /// Counts a turn of a function that goes on at `pc`; whether to go on in native code.
    #[inline(always)]
    pub fn turn(&self, func: u16, pc: u32) -> bool {
        let turns = &self.funcs[usize::from(func)].turns;
        let left = turns.load(Ordering::Relaxed);
        if left == 0 {
            return self.entry(func, pc).is_some();
        }
        // Threads that count at once lose turns, which changes no result.
        turns.store(left - 1, Ordering::Relaxed);
        false
    }

    /// The native code of a function from `pc` on, if there is any, or it is due.
    #[inline(never)]
    pub fn entry(&self, func: u16, pc: u32) -> Option<Entry<'_>> {
        let function = &self.funcs[usize::from(func)];
        if function.turns.load(Ordering::Relaxed) != 0 {
            return None;
        }
        let Some(compiled) = function.code.get_or_init(|| self.compile(func)) else {
            function.turns.store(u32::MAX, Ordering::Relaxed);
            return None;
        };
        let at = pc.checked_sub(compiled.start)? as usize;
        let which = compiled.entries.get(at)?.checked_sub(1)?;
        Some(Entry { code: &compiled.code, which: which.into() })
    }

    fn compile(&self, func: u16) -> Option<Compiled> {
        let func = &self.program.funcs[usize::from(func)];
        let len = (func.end - func.entry) as usize;
        if len > MOST_INSTRUCTIONS {
            return None;
        }
        let half = self.program.half.kind();
        let flow = Flow::of(&self.program, func, half)?;
        let mut entries = vec![0; len];
        for (number, block) in (1..).zip(flow.blocks.iter().filter(|block| block.is_entry)) {
            entries[block.steps[0].pc - func.entry as usize] = number;
        }
        if entries.iter().all(|&number| number == 0) {
            return None;
        }
        let code = Code::new(&self.program, &flow, half)?;
        Some(Compiled { code, start: func.entry, entries: entries.into() })
    }
}

impl std::fmt::Debug for Native {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_compiled = |func: &&Function| func.code.get().is_some_and(Option::is_some);
        let compiled = self.funcs.iter().filter(is_compiled).count();
        write!(f, "Native({compiled} of {} functions)", self.funcs.len())
    }
}

impl Entry<'_> {
    /// Runs from here until control leaves native code.
    pub fn run(self, state: State) -> Left {
        self.code.run(self.which, state)
    }
}

/// Whether native code carries out the instruction, rather than the interpreter.
pub fn is_compiled(insn: Insn) -> bool {
    action::action(insn, FloatKind::F16, &[0]) != action::Action::Leave
}
