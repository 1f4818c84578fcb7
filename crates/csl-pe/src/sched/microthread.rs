//! Microthreads: asynchronous operations, their priorities, and their effects at the end.

use csl_machine::registers::ce;
use csl_machine::{MicrothreadId, Priority};

use crate::datapath::{Effect, Operation};

/// An asynchronous operation. The order of the fields is that in memory: what an issue of a steady PE reads lies on the first
/// cache line, and what decides in other cycles whether it can issue together on the third.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Microthread {
    pub run: Operation,
    /// The first cycle in which it may issue. Of a thread that may issue in the next cycle it may lie further back.
    pub start: u64,
    /// The instruction that started it.
    pub pc: u32,
    /// The number; none of an operation that names neither a microthread nor a queue.
    pub id: Option<MicrothreadId>,
    /// Its number among the marks of a checked PE.
    pub mark: u8,
    /// The class of its priority ([`super::state::Sched::class_of`]), which a write to a register can change.
    pub class: u8,
}

impl Microthread {
    /// Its place in the turn of the threads.
    #[inline]
    pub fn turn(&self) -> u8 {
        self.id.map_or(NO_TURN, MicrothreadId::number)
    }
}

/// The effect of an operation that has ended, and its cycle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Completion {
    pub cycle: u64,
    pub effect: Effect,
    /// The instruction that started the operation.
    pub pc: u32,
}

/// The place of the main thread in the turn, where its priority is a microthread's, and that of microthreads without a
/// number; the others have their numbers.
pub(super) const MAIN_TURN: u8 = 8;
const NO_TURN: u8 = 15;

/// The number of places in the turn.
pub(super) const TURNS: u8 = 16;

/// The claim of a thread that could issue; the highest of all gets the slot. From the top: a bit that makes it more
/// than no claim, the priority, and among equals the next in turn after the thread that issued last. Priorities are
/// documented; the turn is derived (X): an exchange of eight microthreads takes a cycle a word, and then all of them
/// end together.
#[inline]
pub(super) fn claim(class: u8, last: u8, turn: u8) -> u32 {
    1 << 31 | u32::from(class) << 16 | u32::from(last.wrapping_sub(turn) & 0xf)
}

/// The class of a microthread: low 0, medium 2, high 4.
pub(super) fn class(priority: Option<Priority>) -> u8 {
    match priority {
        None | Some(Priority::Low) => 0,
        Some(Priority::Medium) => 2,
        Some(Priority::High) => 4,
    }
}

/// The priority that an input queue's register gives the microthread of its number.
pub(super) fn queue_priority(bits: u16) -> Option<Priority> {
    match bits {
        0 => None,
        _ if bits & ce::HIGH_PRIORITY != 0 => Some(Priority::High),
        _ => Some(Priority::Medium),
    }
}

/// The class of the main thread: between low and medium microthreads unless the program says otherwise.
pub(super) fn main_class(priority: Option<Priority>) -> u8 {
    priority.map_or(1, |priority| class(Some(priority)))
}
