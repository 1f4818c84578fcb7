//! The timestamp counter and the random number generators of a PE.

use csl_machine::{Chip, PRNGS};
use csl_num::{LowBits, Prng};

/// The timestamp counter and the random number generators.
#[derive(Clone, Debug)]
pub(crate) struct Counters {
    /// The cycle at which the running counter was 0.
    tsc_zero: u64,
    tsc_runs: bool,
    /// The 48-bit value of a stopped counter, or the last that was latched.
    tsc_held: u64,
    /// Whether the program has ever started or set the counter.
    tsc_is_used: bool,
    /// The first instruction that has read a counter which nothing had started.
    unstarted_read: Option<u32>,
    prngs: [Prng; PRNGS as usize],
    active_prng: u8,
}

impl Counters {
    pub fn new(chip: &Chip) -> Counters {
        let prng = Prng::new(chip.registers.prng_seed);
        Counters {
            tsc_zero: 0,
            tsc_runs: false,
            tsc_held: 0,
            tsc_is_used: false,
            unstarted_read: None,
            prngs: [prng; PRNGS as usize],
            active_prng: 0,
        }
    }

    /// Starts the counter from 0 (since SDK 1.1, `enable_tsc` clears it).
    pub fn enable_tsc(&mut self, cycle: u64) {
        (self.tsc_zero, self.tsc_runs, self.tsc_is_used) = (cycle, true, true);
    }

    pub fn disable_tsc(&mut self, cycle: u64) {
        self.latch(cycle);
        self.tsc_runs = false;
    }

    fn latch(&mut self, cycle: u64) {
        if self.tsc_runs {
            self.tsc_held = cycle.wrapping_sub(self.tsc_zero) & 0xffff_ffff_ffff;
        }
    }

    /// 16 bits of the counter; word 0 latches the others.
    pub fn tsc_word(&mut self, index: u64, cycle: u64) -> u16 {
        if index == 0 {
            self.latch(cycle);
        }
        (self.tsc_held >> (16 * index.min(3).low32())).low16()
    }

    /// Remembers the instruction of a read for the warning, if the program has not started the counter before.
    pub fn note_read(&mut self, pc: u32) {
        if !self.tsc_is_used {
            self.unstarted_read.get_or_insert(pc);
        }
    }

    /// The first instruction that has read the counter, if it was not started up to now either.
    pub fn unstarted_read(&self) -> Option<u32> {
        self.unstarted_read.filter(|_| !self.tsc_is_used)
    }

    pub fn tsc_runs(&self) -> bool {
        self.tsc_runs
    }

    /// Lets the counter run on from its present value, or stops it.
    pub fn run_tsc(&mut self, runs: bool, cycle: u64) {
        self.latch(cycle);
        self.tsc_runs = runs;
        self.tsc_is_used = true;
        self.tsc_zero = cycle.wrapping_sub(self.tsc_held);
    }

    pub fn set_tsc_word(&mut self, index: u16, value: u16, cycle: u64) {
        self.latch(cycle);
        self.tsc_is_used = true;
        let shift = 16 * u32::from(index);
        self.tsc_held = self.tsc_held & !(0xffff << shift) | u64::from(value) << shift;
        self.tsc_zero = cycle.wrapping_sub(self.tsc_held);
    }

    /// Chooses the generator that `@random16` draws from.
    pub fn set_active_prng(&mut self, id: u64) {
        self.active_prng = (id % u64::from(PRNGS)).low8();
    }

    /// The active generator.
    pub fn prng(&mut self) -> &mut Prng {
        &mut self.prngs[usize::from(self.active_prng) % usize::from(PRNGS)]
    }
}
