//! Events of a PE, as data. The simulator releases an event when the clock has reached its cycle.

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

/// An instruction that a thread carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The number of the instruction among those of the PE, from 0 on.
    pub number: u32,
    /// The index in the program's code.
    pub pc: u32,
    /// The id of the running task, and the microthread, if it is not the main thread's instruction.
    pub task: u8,
    pub ut: Option<u8>,
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
