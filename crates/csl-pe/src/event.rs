//! What a PE reports while it runs, as data: the simulator releases it when the clock has come to its cycle.

/// A value of a print and how to show it: as `SysOp::PrintValue` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Printed {
    pub kind: u16,
    pub value: u64,
}

/// One line of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub cycle: u64,
    pub print: Vec<Printed>,
}
