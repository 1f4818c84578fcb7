//! How to run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::event::Sink;

/// None of these changes what the program computes or when.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// Shards by rows, each on a thread of its own. At least 1.
    pub threads: usize,
    /// Collect warnings for accesses outside the object they started in.
    pub check: bool,
    pub traces: Traces,
    /// Gets events as they come; without one they wait for [`crate::Sim::take_events`].
    pub sink: Option<Sink>,
    /// Looked at every few thousand cycles; when set, a blocking call returns [`crate::Stop::Interrupted`].
    pub interrupt: Arc<AtomicBool>,
}

impl Default for SimOptions {
    fn default() -> SimOptions {
        SimOptions { threads: 1, check: false, traces: Traces::default(), sink: None, interrupt: Arc::default() }
    }
}

/// What to record beside prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Every wavelet that lands on a router or leaves it, and every change of a switch.
    pub fabric: bool,
    /// Every instruction.
    pub instructions: bool,
}
