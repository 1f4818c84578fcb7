//! The figures in which both generations agree.

use crate::TaskId;
use crate::chip::{DataRegisters, MemoryTable};

/// The byte address where registers begin: memory ends at 48 KiB (documented), registers lie above (inferred).
pub const REGISTERS_START: u16 = 0xC000;

/// The length of a descriptor that means "without end" (documented).
pub const ENDLESS_LENGTH: u16 = 0x7fff;

/// The most PEs on a side of a fabric (chosen: ten times those of the real ones).
pub const MOST_FABRIC_SIDE: u32 = 10_000;

/// The number of colors that can be routed (documented).
pub const COLORS: u8 = 24;

/// DSRs in each of the files dest, src0 and src1 (vendor simulator log, M: three files of 16).
pub const DSRS: u8 = 16;

/// The number of generators of pseudo-random numbers (chosen; documented is only that ids are taken modulo it).
pub const PRNGS: u8 = 4;

/// The greatest number of channels of memcpy (documented).
pub const MAX_CHANNELS: u8 = 16;

/// The greatest id of a control task (documented).
pub const LAST_CONTROL_TASK: u8 = 63;

pub(crate) const MEMORY: MemoryTable = MemoryTable {
    bytes: REGISTERS_START as u32,
    banks: 8,                 // documented: 8 banks of 6 KB, successive words in successive banks
    read_bits_per_cycle: 128, // derived (X): two reads of at most 64 bits, 128 for one
};

pub(crate) const REGISTERS: DataRegisters = DataRegisters {
    dsrs: DSRS,
    xdsrs: 8,               // chosen; the guide's examples go up to 4
    srs: 8,                 // chosen; the guide's examples go up to 4, and a mem4d DSD takes at most 3
    prng_seed: 0xdead_beef, // documented
};

pub(crate) const TEARDOWN_TASK: TaskId = TaskId::at(29); // documented
pub(crate) const NO_ENTRYPOINT: TaskId = TaskId::at(31); // vendor simulator log (M): payload 0x015F0000 starts no task
pub(crate) const MICROTHREADS: u8 = 8; // documented: one for each queue id
pub(crate) const MAX_RPC_PARAMS: u8 = 15; // documented
pub(crate) const BUFFER_WORDS: u32 = 46 * 1024 / 4; // documented: 46 KB
