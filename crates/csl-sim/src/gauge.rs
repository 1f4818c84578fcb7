//! The progress of a run, for a thread that watches it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The figures, written by the machine now and then and read by the watching thread.
#[derive(Debug, Default)]
pub struct Gauge {
    cycle: AtomicU64,
    busy: AtomicU64,
    /// Whether a reader wants the number of busy PEs, for which all of them have to be visited.
    is_asked: AtomicBool,
}

impl Gauge {
    /// The clock's cycle when the machine wrote last.
    pub fn cycle(&self) -> u64 {
        self.cycle.load(Ordering::Relaxed)
    }

    /// The number of busy PEs when this was last asked; the call lets them be counted again.
    pub fn busy(&self) -> u64 {
        self.is_asked.store(true, Ordering::Relaxed);
        self.busy.load(Ordering::Relaxed)
    }

    pub(crate) fn show(&self, cycle: u64, count: impl FnOnce() -> u64) {
        self.cycle.store(cycle, Ordering::Relaxed);
        if self.is_asked.swap(false, Ordering::Relaxed) {
            self.busy.store(count(), Ordering::Relaxed);
        }
    }
}
