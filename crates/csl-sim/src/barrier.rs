//! A barrier for threads that meet every few microseconds.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Turns of the spin loop before a waiting thread lets others run.
const PATIENCE: u32 = 2_000;

/// The point at which the threads of a run meet.
pub(crate) struct Barrier {
    threads: usize,
    waiting: AtomicUsize,
    /// The number of meetings so far.
    round: AtomicUsize,
}

impl Barrier {
    pub fn new(threads: usize) -> Barrier {
        Barrier { threads, waiting: AtomicUsize::new(0), round: AtomicUsize::new(0) }
    }

    /// Returns when all threads have come. Their earlier writes are visible afterwards.
    pub fn wait(&self) {
        let round = self.round.load(Ordering::Acquire);
        if self.waiting.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.waiting.store(0, Ordering::Relaxed);
            self.round.store(round.wrapping_add(1), Ordering::Release);
            return;
        }
        let mut turns = 0u32;
        while self.round.load(Ordering::Acquire) == round {
            turns = turns.saturating_add(1);
            if turns < PATIENCE { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}
