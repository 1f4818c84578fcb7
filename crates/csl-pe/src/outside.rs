//! The surroundings of a compute element beside its queues: the router's registers, and the events that wake a PE.

/// Registers outside the CE: the router's (word addresses 0x7f20 and up), queue encodings, filters. A PE accesses them
/// at sync points only, so in the fabric's own cycle.
pub trait Registers {
    /// Reads a register; `None` if it does not exist.
    fn read(&mut self, word: u16) -> Option<u16>;
    /// Writes a register; `false` if it does not exist.
    fn write(&mut self, word: u16, value: u16) -> bool;
}

/// The registers of a PE that stands alone: none.
pub struct NoRegisters;

impl Registers for NoRegisters {
    fn read(&mut self, _word: u16) -> Option<u16> {
        None
    }

    fn write(&mut self, _word: u16, _value: u16) -> bool {
        false
    }
}

/// The events that a PE sleeps for. It must be advanced again at the first of these; earlier calls are harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// The cycle; `u64::MAX` for none.
    pub at: u64,
    /// The input slots in which a landing wakes it.
    pub arrivals: u32,
    /// The output queues (by index in `outputs`) in which a free place wakes it.
    pub credits: u32,
}

impl Wake {
    /// A PE that only a command, or a landing on a slot that does not exist yet, can wake.
    pub const IDLE: Wake = Wake { at: u64::MAX, arrivals: !0, credits: 0 };

    pub fn at(cycle: u64) -> Wake {
        Wake { at: cycle, arrivals: 0, credits: 0 }
    }
}
