//! Wavelets and the command list that a control wavelet carries.
//!
//! Bits of a control wavelet (docs/decisions/machine.md M35): 0-15 data, 16-21 entrypoint (31: none), then eight
//! commands of three bits, two of opcode and one that says "CE ignores": command 0 at 22-24, 1 at 25-27, 2 at 28, 29
//! and 0, 3 at 1-3, ... 7 at 13-15. Commands 2 to 7 share the data bits.

use crate::TaskId;

/// One packet on its way through the routers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wavelet {
    /// Bits 0-15 data, 16-31 index.
    pub data: u32,
    pub control: bool,
    /// A half wavelet: only the low 16 bits are there (dense mode of WSE-3's queues).
    pub half: bool,
}

impl Wavelet {
    pub fn word(data: u32) -> Wavelet {
        Wavelet { data, control: false, half: false }
    }

    pub fn control(data: u32) -> Wavelet {
        Wavelet { data, control: true, half: false }
    }

    /// A control wavelet that starts a task and commands nothing.
    pub fn starting(task: TaskId) -> Wavelet {
        Wavelet::control((u32::from(task) & ENTRY_MASK) << ENTRY_SHIFT)
    }

    pub fn index(self) -> u16 {
        (self.data >> 16) as u16
    }

    /// The entrypoint of a control wavelet; that which means "none" is in the chip tables.
    #[inline]
    pub fn entry(self) -> TaskId {
        TaskId::at((self.data >> ENTRY_SHIFT & ENTRY_MASK) as u8)
    }
}

/// A command of a control wavelet to a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    Nop,
    Advance,
    Reset,
    Teardown,
}

const ENTRY_SHIFT: u32 = 16;
const ENTRY_MASK: u32 = 0x3f;
const COMMAND_BITS: u32 = 3;
const HIGH_SHIFT: u32 = 22;
const HIGH_MASK: u32 = 0xff << HIGH_SHIFT;
const LOW_MASK: u32 = 0xffff;

/// The 24 bits of the eight commands, command 0 lowest.
fn list(payload: u32) -> u32 {
    (payload & HIGH_MASK) >> HIGH_SHIFT | (payload & LOW_MASK) << 8
}

/// The opcode of command 0.
pub fn opcode(payload: u32) -> Opcode {
    [Opcode::Nop, Opcode::Advance, Opcode::Reset, Opcode::Teardown][(list(payload) & 3) as usize]
}

/// Whether command 0 is hidden from the compute element.
pub fn ce_ignores(payload: u32) -> bool {
    list(payload) & 4 != 0
}

/// The payload with command 0 taken away: the others move down by one, the last becomes a NOP.
pub fn pop(payload: u32) -> u32 {
    let rest = list(payload) >> COMMAND_BITS;
    payload & !(HIGH_MASK | LOW_MASK) | (rest & 0xff) << HIGH_SHIFT | rest >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_payloads_decode() {
        assert_eq!((opcode(0x015F_0000), ce_ignores(0x015F_0000)), (Opcode::Advance, true));
        assert_eq!((opcode(0x09DF_9249), ce_ignores(0x09DF_9249)), (Opcode::Teardown, true));
    }

    #[test]
    fn the_entrypoint_is_between_data_and_commands() {
        assert_eq!(Wavelet::control(0x095F_9249).entry(), TaskId::at(31));
        assert_eq!(Wavelet::starting(TaskId::at(40)), Wavelet::control(0x0028_0000));
        assert_eq!(Wavelet::starting(TaskId::at(40)).entry(), TaskId::at(40));
    }

    #[test]
    fn pop_shifts_every_command_and_fills_with_nop() {
        let after = pop(0x095F_9249);
        assert_eq!((opcode(after), ce_ignores(after)), (Opcode::Nop, true));
        let last = (0..7).fold(0x095F_9249, |payload, _| pop(payload));
        assert_eq!((opcode(last), ce_ignores(last)), (Opcode::Nop, true));
        assert_eq!(pop(last), 0x001F_0000);
    }
}
