//! The memory that scalar code shares with microthreads.

use std::ops::Range;

use super::microthread::Microthread;
use crate::datapath::{Memory, Operand};
use crate::scalar::Surroundings;

/// Bounds of the addresses that the microthreads still write, and that they read or write.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    written: Range<u32>,
    used: Range<u32>,
}

impl Shared {
    /// Nothing where no microthread has an operand in memory.
    pub fn of(uts: &[Microthread]) -> Option<Shared> {
        let mut shared = Shared::default();
        for run in uts.iter().map(|ut| &ut.run) {
            let range = |operand: &Operand| operand.cursor.range(run.left.saturated(), 2 * u32::from(operand.words));
            let written = range(&run.dest);
            extend(&mut shared.used, &written);
            extend(&mut shared.written, &written);
            let sources = run.srcs.iter().take(usize::from(run.sources));
            sources.for_each(|source| extend(&mut shared.used, &range(source)));
        }
        (!Range::is_empty(&shared.used)).then_some(shared)
    }

    /// Whether an access of the main thread meets one of a microthread.
    #[inline(always)]
    pub fn meets(&self, addr: u16, bytes: usize, is_store: bool) -> bool {
        let range = if is_store { &self.used } else { &self.written };
        u32::from(addr) < range.end && range.start < u32::from(addr) + bytes as u32
    }
}

fn extend(range: &mut Range<u32>, more: &Range<u32>) {
    if Range::is_empty(range) {
        *range = more.clone();
    } else if !Range::is_empty(more) {
        *range = range.start.min(more.start)..range.end.max(more.end);
    }
}

/// Memory that microthreads use too.
pub(super) struct Beside<'a> {
    pub memory: &'a mut Memory,
    pub shared: Shared,
}

impl Surroundings for Beside<'_> {
    #[inline(always)]
    fn load<const N: usize>(&mut self, addr: u16) -> Option<[u8; N]> {
        self.memory.load(addr)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, addr: u16, value: [u8; N]) -> bool {
        self.memory.store(addr, value)
    }

    fn copy(&mut self, to: u16, from: u16, bytes: u16) -> bool {
        Surroundings::copy(self.memory, to, from, bytes)
    }

    fn fill<const N: usize>(&mut self, to: u16, value: [u8; N], count: u16) -> bool {
        self.memory.fill(to, value, count)
    }

    #[inline(always)]
    fn is_shared(&self, addr: u16, bytes: usize, is_store: bool) -> bool {
        self.shared.meets(addr, bytes, is_store)
    }
}
