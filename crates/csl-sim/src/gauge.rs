//! How far a run has come, for a thread that watches it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Written by the machine now and then, read by whoever shows it.
#[derive(Debug, Default)]
pub struct Gauge {
    cycle: AtomicU64,
    busy: AtomicU64,
    /// Somebody wants to know how many PEs are busy, for which all of them have to be looked at.
    is_asked: AtomicBool,
}

impl Gauge {
    /// The cycle that the clock stood at lately.
    pub fn cycle(&self) -> u64 {
        self.cycle.load(Ordering::Relaxed)
    }

    /// PEs that had something to do when this was last asked; they are counted again.
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
