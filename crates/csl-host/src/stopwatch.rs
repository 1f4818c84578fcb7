//! Real time, which only statistics tell of.

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
