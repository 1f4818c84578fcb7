//! Events of a PE, as data. The simulator releases an event when the clock has reached its cycle.

use csl_machine::{MicrothreadId, TaskId};

/// A value of a print and its form, as `SysOp::PrintValue` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Printed {
    pub kind: u16,
    pub value: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub cycle: u64,
    pub what: EventKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// One line of output.
    Print(Vec<Printed>),
    /// An instruction has been decoded (see [`crate::Pe::trace`]).
    Issue(Issue),
    /// An instruction is executed; a vector operation once for each element.
    Execute { issue: Issue, element: Element },
}

/// The main thread or a microthread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thread {
    Main,
    /// A microthread; none for an operation without a number.
    Microthread(Option<MicrothreadId>),
}

/// An instruction that a thread carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The number of the instruction among those of the PE, from 0 on.
    pub number: u32,
    /// The index in the program's code.
    pub pc: u32,
    /// The task that started last on the main thread.
    pub task: TaskId,
    pub thread: Thread,
}

/// One step of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// The number of the element in its vector operation; 0 for scalar instructions.
    pub seq: u32,
    /// The SIMD unit of the element.
    pub unit: u8,
    /// The values of destination and sources, where they are known; of scalar instructions those of the fields `a`, `b`
    /// and `c`.
    pub values: [Option<u64>; 4],
}
