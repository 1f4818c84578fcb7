//! Engines side by side: each runs the same image to the same end and tells the same things. A new engine joins by
//! implementing [`Engine`]; those that it replaces stay as references.

use std::sync::Arc;

use csl_fabric::TraceEvent;
use csl_image::Image;
use csl_sim::{EventKind, FaultReport, RunError, Sim, SimOptions, Traces, Windows};

use crate::reference::Reference;

/// The cycle at which programs that never come to rest are stopped.
pub const LAST: u64 = 9_999;

/// All that can be seen of a run.
pub struct Outcome {
    pub fault: Option<FaultReport>,
    /// Hash and number of the landings: cycle, place, side, color and data of each are in the hash.
    pub landings: (u64, u64),
    /// The bytes that programs can write, of each tile.
    pub memory: Vec<Vec<u8>>,
    /// Landings, departures and switches by cycle, row and column; empty unless they are asked for.
    pub trace: Vec<TraceEvent>,
    /// The last cycle of the run.
    pub end: u64,
}

pub trait Engine {
    fn name(&self) -> String;
    /// Runs a program until nothing can move, up to cycle [`LAST`]. Memory counts from 0 up to `bytes`.
    fn run(&self, image: &Arc<Image>, bytes: u16, is_traced: bool) -> Outcome;
}

/// The engine of `csl-sim` on a number of threads, where rows run several cycles at a time or not.
#[derive(Clone, Copy)]
pub struct OnThreads(pub usize, pub Windows);

/// One thread that runs cycle by cycle.
pub const ALONE: OnThreads = OnThreads(1, Windows::Busy);

impl OnThreads {
    /// Threads that run this many cycles at a time.
    pub const fn windows(threads: usize, cycles: u32) -> OnThreads {
        OnThreads(threads, Windows::Always { cycles })
    }
}

/// The engine of `reference.rs`.
pub struct EveryCycle;

pub fn tiles(image: &Image) -> impl Iterator<Item = (u32, u32)> + use<> {
    let width = image.rect.width;
    (0..width * image.rect.height).map(move |i| (i % width, i / width))
}

impl Engine for OnThreads {
    fn name(&self) -> String {
        format!("{} threads, windows {:?}", self.0, self.1)
    }

    fn run(&self, image: &Arc<Image>, bytes: u16, is_traced: bool) -> Outcome {
        let traces = Traces { fabric: is_traced, ..Traces::default() };
        let options =
            SimOptions { threads: self.0, windows: self.1, traces, max_cycles: Some(LAST), ..SimOptions::default() };
        let mut sim = Sim::new(Arc::clone(image), options).expect("the image is right");
        let fault = match sim.stop() {
            Ok(_) | Err(RunError::OutOfCycles(_)) => None,
            Err(RunError::Fault(fault)) => Some(*fault),
            Err(stop) => panic!("{stop:?}"),
        };
        let memory = tiles(image).map(|(x, y)| sim.read_memory(x, y, 0, bytes.into()).expect("a tile")).collect();
        let event = |event: csl_sim::Event| match event.what {
            EventKind::Fabric { color, what } => {
                Some(TraceEvent { cycle: event.cycle, x: event.x, y: event.y, color, what })
            }
            _ => None,
        };
        let trace = sim.take_events().into_iter().filter_map(event).collect();
        Outcome { fault, landings: sim.landings(), memory, trace, end: sim.cycle() }
    }
}

impl Engine for EveryCycle {
    fn name(&self) -> String {
        "the reference".into()
    }

    fn run(&self, image: &Arc<Image>, bytes: u16, is_traced: bool) -> Outcome {
        let mut reference = Reference::new(image, is_traced);
        let fault = reference.run(LAST).err();
        outcome(&mut reference, image, bytes, fault)
    }
}

/// The state of the reference after a run.
pub fn outcome(reference: &mut Reference, image: &Image, bytes: u16, fault: Option<FaultReport>) -> Outcome {
    let memory = tiles(image).map(|at| reference.memory(at, bytes)).collect();
    let trace = reference.take_trace();
    Outcome { fault, landings: reference.landings(), memory, trace, end: reference.now() }
}

impl Outcome {
    /// The first difference from what is expected, in words.
    pub fn difference(&self, expected: &Outcome) -> Option<String> {
        if self.fault != expected.fault {
            return Some(format!("{:?}, not {:?}", self.fault, expected.fault));
        }
        // A fault stops the others of its cycle where they happen to stand.
        if self.fault.is_some() {
            return None;
        }
        let at = (0..self.trace.len().max(expected.trace.len())).find(|&i| self.trace.get(i) != expected.trace.get(i));
        if let Some(at) = at {
            return Some(format!("event {at} is {:?}, not {:?}", self.trace.get(at), expected.trace.get(at)));
        }
        if self.landings != expected.landings {
            return Some(format!("{} landings, not {}", self.landings.1, expected.landings.1));
        }
        let tiles = self.memory.iter().zip(&expected.memory).enumerate();
        let differs = |(found, expected): &(&Vec<u8>, &Vec<u8>)| (0..found.len()).find(|&at| found[at] != expected[at]);
        let first = tiles.filter_map(|(tile, pair)| Some((tile, differs(&pair)?))).next();
        first.map(|(tile, at)| format!("memory of tile {tile} at 0x{at:04x}"))
    }
}
