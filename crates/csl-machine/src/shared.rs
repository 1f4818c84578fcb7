//! Figures in which both generations agree.

use crate::chip::{DataRegisters, Memory};

pub(crate) const MEMORY: Memory = Memory {
    bytes: 49_152,            // documented: 48 KB
    banks: 8,                 // documented: 8 banks of 6 KB, successive words in successive banks
    read_bits_per_cycle: 128, // derived (X): two reads of at most 64 bits, 128 for one
    registers_start: 0xC000,  // inferred: memory ends at 48 KiB, registers lie above
};

pub(crate) const REGISTERS: DataRegisters = DataRegisters {
    dsrs: 16,               // vendor simulator log (M): three files of 16
    xdsrs: 8,               // chosen; the guide's examples go up to 4
    srs: 8,                 // chosen; the guide's examples go up to 4, and a mem4d DSD takes at most 3
    endless_length: 0x7fff, // documented
    prngs: 4,               // chosen; documented is only that ids are taken modulo their number
    prng_seed: 0xdead_beef, // documented
};

pub(crate) const TEARDOWN_TASK: u8 = 29; // documented
pub(crate) const TIMER_TASK: u8 = 30; // documented
pub(crate) const LAST_CONTROL_TASK: u8 = 63; // documented
pub(crate) const NO_ENTRYPOINT: u8 = 31; // vendor simulator log (M): payload 0x015F0000 starts no task
pub(crate) const MICROTHREADS: u8 = 8; // documented: one for each queue id
pub(crate) const COLORS: u8 = 24; // documented
pub(crate) const FILTERS: u8 = 4; // chosen
pub(crate) const MAX_RPC_PARAMS: u8 = 15; // documented
pub(crate) const MAX_CHANNELS: u8 = 16; // documented
pub(crate) const BUFFER_WORDS: u32 = 46 * 1024 / 4; // documented: 46 KB
