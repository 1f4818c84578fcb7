//! Time, and the measure of this machine.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Seconds of the clock.
pub fn wall() -> f64 {
    START.elapsed().as_secs_f64()
}

/// The processor time of this thread in seconds where the system tells it, else the time of the clock. On a busy machine only
/// the former is meaningful.
pub fn seconds() -> f64 {
    #[cfg(unix)]
    {
        use rustix::time::{ClockId, clock_gettime};
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let time = std::time::Duration::try_from(time).expect("processor time is not negative");
        time.as_secs_f64()
    }
    #[cfg(not(unix))]
    wall()
}

/// Nanoseconds of one of `steps` steps of a chain of dependent multiplications and table look-ups.
pub fn native_step(steps: u32) -> f64 {
    let table: Vec<u32> = (0..1024u32).map(|i| i.wrapping_mul(2_654_435_761)).collect();
    let start = seconds();
    let mut x = 1u32;
    for _ in 0..steps {
        x = x.wrapping_mul(1_664_525).wrapping_add(table[(x >> 22) as usize]);
    }
    black_box(x);
    (seconds() - start) * 1e9 / f64::from(steps)
}
