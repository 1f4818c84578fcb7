//! What a PE reports while it runs, as data: the simulator releases it when the clock has come to its cycle.

/// A value of a print and how to show it: as `SysOp::PrintValue` has it.
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
    /// An instruction has been decoded: [`crate::Pe::trace`].
    Issue(Issue),
    /// It is executed; a vector operation once for each element.
    Execute { issue: Issue, element: Element },
}

/// An instruction that a thread carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Counts the PE's instructions from 0 on.
    pub number: u32,
    /// Index in the program's code.
    pub pc: u32,
    /// The id of the running task, and the microthread, if it is not the main thread's instruction.
    pub task: u8,
    pub ut: Option<u8>,
}

/// One step of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// Counts the elements of a vector operation; 0 for scalar instructions.
    pub seq: u32,
    /// The SIMD unit.
    pub unit: u8,
    /// Destination and sources, where they are known. Scalar instructions: fields `a`, `b` and `c`.
    pub values: [Option<u64>; 4],
}
