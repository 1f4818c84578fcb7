//! How to run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// None of these changes what the program computes or when.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// Shards by rows, each on a thread of its own. At least 1.
    pub threads: usize,
    /// Collect warnings for accesses outside the object they started in.
    pub check: bool,
    pub traces: Traces,
    /// Looked at every few thousand cycles; when set, a blocking call returns [`crate::Stop::Interrupted`].
    pub interrupt: Arc<AtomicBool>,
}

impl Default for SimOptions {
    fn default() -> SimOptions {
        SimOptions { threads: 1, check: false, traces: Traces::default(), interrupt: Arc::default() }
    }
}

/// What to record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Every wavelet that lands on a router.
    pub landings: bool,
    /// Every instruction.
    pub instructions: bool,
    /// Every change of a switch.
    pub router: bool,
}
