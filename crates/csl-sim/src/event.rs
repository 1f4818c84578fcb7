//! The events of a run: prints and traces.

use csl_machine::Color;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// An event on a tile.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub cycle: u64,
    pub x: u32,
    pub y: u32,
    pub what: EventKind,
}

/// The kinds of events of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// An event of the program: a print or an instruction.
    Pe(csl_pe::Event),
    /// An event of the router.
    Fabric { color: Color, what: csl_fabric::Traced },
    /// A word of a stream of the host passes the PE's ramp.
    Stream { color: Color, wavelet: csl_machine::Wavelet },
}

/// Takes events while the machine runs, so that they need not wait in memory for its end. They come by cycle, row and
/// column, all of one cycle before those of the next.
#[derive(Clone)]
pub struct Sink(Arc<Mutex<dyn FnMut(Vec<Event>) + Send>>);

impl Sink {
    pub fn new(take: impl FnMut(Vec<Event>) + Send + 'static) -> Sink {
        Sink(Arc::new(Mutex::new(take)))
    }

    pub(crate) fn give(&self, events: Vec<Event>) {
        let mut take = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (*take)(events);
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}
