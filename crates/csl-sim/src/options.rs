//! How to run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::event::Sink;
use crate::gauge::Gauge;

/// None of these changes what the program computes or when.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// Shards by rows, each on a thread of its own. At least 1.
    pub threads: usize,
    pub traces: Traces,
    /// Gets events as they come; without one they wait for [`crate::Sim::take_events`].
    pub sink: Option<Sink>,
    /// Looked at every few thousand cycles; when set, a blocking call returns [`crate::Stop::Interrupted`].
    pub interrupt: Arc<AtomicBool>,
    /// Cycles that the run may take in all: beyond them a blocking call returns [`crate::Stop::OutOfCycles`].
    pub max_cycles: Option<u64>,
    /// Shows another thread how far the run has come.
    pub gauge: Option<Arc<Gauge>>,
}

impl Default for SimOptions {
    fn default() -> SimOptions {
        SimOptions {
            threads: 1,
            traces: Traces::default(),
            sink: None,
            interrupt: Arc::default(),
            max_cycles: None,
            gauge: None,
        }
    }
}

/// What to record beside prints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Every wavelet that lands on a router or leaves it, every word of the host's streams, and every change of a switch.
    pub fabric: bool,
    /// Every instruction of these PEs.
    pub instructions: Tiles,
}

/// PEs of the program's rectangle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tiles {
    #[default]
    None,
    All,
    /// Columns and rows.
    Some(Arc<[(u32, u32)]>),
}

impl Tiles {
    pub fn holds(&self, x: u32, y: u32) -> bool {
        match self {
            Tiles::None => false,
            Tiles::All => true,
            Tiles::Some(places) => places.contains(&(x, y)),
        }
    }
}
