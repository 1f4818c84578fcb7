//! Real time, which only statistics tell of, and which chooses how many threads run.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Measures from its start. Where Rust has no clock, on wasm32 without a system, all durations are zero.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Option<Instant>);

impl Stopwatch {
    pub(crate) fn start() -> Stopwatch {
        let has_clock = !cfg!(all(target_family = "wasm", target_os = "unknown"));
        Stopwatch(has_clock.then(Instant::now))
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.map(|since| since.elapsed()).unwrap_or_default()
    }
}

/// The seconds since the first call, for the simulator's choice of threads.
pub(crate) fn seconds() -> f64 {
    static FIRST: LazyLock<Stopwatch> = LazyLock::new(Stopwatch::start);
    FIRST.elapsed().as_secs_f64()
}
