//! The world outside the compute element beside its queues: registers of the router, and what wakes a PE.

/// Registers outside the CE: the router's (word addresses 0x7f20 and up), queue encodings, filters. A PE calls this at a
/// sync point alone, so at the fabric's own cycle.
pub trait Registers {
    /// `None`: no such register.
    fn read(&mut self, word: u16) -> Option<u16>;
    /// `false`: no such register.
    fn write(&mut self, word: u16, value: u16) -> bool;
}

/// A PE that stands alone: no registers.
pub struct NoRegisters;

impl Registers for NoRegisters {
    fn read(&mut self, _word: u16) -> Option<u16> {
        None
    }

    fn write(&mut self, _word: u16, _value: u16) -> bool {
        false
    }
}

/// What a PE sleeps for. It wants to be advanced again at the first of these; earlier calls are harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// The cycle, `u64::MAX` for none.
    pub at: u64,
    /// Input slots: a landing in one of them.
    pub landings: u32,
    /// Output queues (by index in `outputs`): a place that becomes free in one of them.
    pub credits: u32,
}

impl Wake {
    /// Nothing but a command or a landing on a slot that does not exist yet can move the PE.
    pub const IDLE: Wake = Wake { at: u64::MAX, landings: !0, credits: 0 };

    pub fn at(cycle: u64) -> Wake {
        Wake { at: cycle, landings: 0, credits: 0 }
    }
}
