//! Options of a run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use csl_machine::{Coord, Schedule};
use csl_pe::TimeReads;

use crate::event::Sink;
use crate::gauge::Gauge;

/// A loop of ten instructions has run 100,000 of them: as long as its compilation takes.
pub const NATIVE_AFTER: u32 = 10_000;

/// Options that change neither the results of the program nor its cycles, but for `schedule`.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// The number of threads, each of which runs a range of rows while much is going on. At least 1.
    pub threads: usize,
    /// The seconds of a clock, by which windows run on all threads or on one; without it they run on all.
    pub clock: Option<fn() -> f64>,
    /// When rows run several cycles at a time.
    pub windows: Windows,
    pub traces: Traces,
    /// Another schedule than the machine's own: legal orders and delays are drawn, and results that change are races.
    pub schedule: Option<Schedule>,
    /// That there is no clock, and what reads of the time give: the same memory, faults and deadlocks of a program without
    /// races, and no times.
    pub untimed: Option<TimeReads>,
    /// The turns (jumps that are taken, calls) of a function after which it runs in native code; never without it, or in a build
    /// without the feature `jit`.
    pub native_after: Option<u32>,
    /// Whether and how PEs are checked.
    pub check: Check,
    /// Receives events as they come; without a sink they wait for [`crate::Sim::take_events`].
    pub sink: Option<Sink>,
    /// A flag that is read every few hundred cycles in which something happens; when it is set, a blocking call returns
    /// [`crate::RunError::Interrupted`].
    pub interrupt: Arc<AtomicBool>,
    /// The greatest number of cycles of the run: beyond it a blocking call returns [`crate::RunError::OutOfCycles`].
    pub max_cycles: Option<u64>,
    /// Shows the progress of the run to another thread.
    pub gauge: Option<Arc<Gauge>>,
}

impl Default for SimOptions {
    fn default() -> SimOptions {
        SimOptions {
            threads: 1,
            clock: None,
            windows: Windows::default(),
            traces: Traces::default(),
            schedule: None,
            untimed: None,
            native_after: Some(NATIVE_AFTER),
            check: Check::default(),
            sink: None,
            interrupt: Arc::default(),
            max_cycles: None,
            gauge: None,
        }
    }
}

/// When rows run several cycles at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Windows {
    /// While there is much work.
    #[default]
    Busy,
    /// Always, this many cycles at a time: for tests.
    Always { cycles: u32 },
}

/// Whether PEs look for mistakes of their programs: accesses outside an object, races, memory that was never written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    #[default]
    Off,
    /// Mistakes are collected, and the run goes on.
    On,
    /// The first mistake is a fault.
    Stop,
}

/// The events to record beside prints.
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
    Some(Arc<[Coord]>),
}

impl Tiles {
    pub fn holds(&self, x: u32, y: u32) -> bool {
        match self {
            Tiles::None => false,
            Tiles::All => true,
            Tiles::Some(places) => places.contains(&Coord { x, y }),
        }
    }
}
