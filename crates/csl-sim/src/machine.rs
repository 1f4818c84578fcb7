//! The machine: all rows, and the clock.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::element::Element;
use crate::event::Event;
use crate::memcpy::Done;
use crate::options::Traces;
use crate::parallel;
use crate::row::Row;
use crate::shard::{Border, Shard};
use crate::stop::{FaultReport, RunError};
use crate::threading::{Threading, Way};
use crate::tile::{NEVER, Tile};
use crate::world::World;

/// Visited cycles between two checks of the interrupt flag and of the amount of work.
const PERIOD: u32 = 256;

/// Visited cycles between two such checks while a trace is recorded: events are given out at each.
const TRACED_PERIOD: u32 = 64;

/// Periods between two times that events are given out when only prints are recorded.
const PERIODS_OF_PRINTS: u32 = 256;

/// The number of virtual channels and tiles to visit a cycle above which threads are worth their meetings (a visit
/// costs some 50 ns, a meeting about a microsecond).
const WORK_FOR_THREADS: usize = 256;

/// The reason why the clock stopped without a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The condition holds.
    Reached,
    /// The clock has come to the limit.
    Limit,
    /// Nothing can move.
    Quiet,
    /// The interrupt flag is set.
    Interrupted,
}

/// The step after a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// To run this cycle.
    Go(u64),
    Pause(Pause),
    Fault,
    /// The period is over: the caller checks flags and work.
    Look,
}

/// The wafer: all rows, in shards, and the clock.
pub(crate) struct Machine<E> {
    pub world: Arc<World>,
    pub shards: Vec<Shard<E>>,
    borders: Vec<Border>,
    /// The last cycle that has been run; everything up to it has happened.
    pub now: u64,
    /// Finished commands of tiles that have not been collected.
    pub done: Vec<Done>,
    /// Periods until events are given to the sink.
    until_sink: u32,
    threading: Threading,
}

impl<E: Element> Machine<E> {
    pub fn new(world: Arc<World>) -> Machine<E> {
        let height = world.height();
        let count = (world.options.threads as u32).clamp(1, height.max(1));
        let bound = |i: u32| (u64::from(i) * u64::from(height) / u64::from(count)) as u32;
        let shards: Vec<Shard<E>> = (0..count).map(|i| Shard::new(&world, bound(i)..bound(i + 1))).collect();
        let borders = shards.iter().map(|_| Border::default()).collect();
        let mut machine = Machine {
            world,
            shards,
            borders,
            now: 0,
            done: Vec::new(),
            until_sink: 0,
            threading: Threading::default(),
        };
        machine.touch_active();
        machine
    }

    /// Makes the tiles whose programs start by themselves; the others are made when they are touched.
    fn touch_active(&mut self) {
        let world = Arc::clone(&self.world);
        let starts = |program: &Arc<csl_image::PeImage>| {
            program.startup.iter().any(|startup| matches!(startup, csl_machine::Startup::Activate(_)))
        };
        let active: Vec<bool> = world.image.programs.iter().map(starts).collect();
        for run in world.image.tiles.iter().filter(|run| active[run.program]) {
            for x in run.x..run.x + run.len {
                self.row_mut(run.y).elements.touch(x);
            }
        }
    }

    /// A row, made on first touch. It is visited in the next cycle.
    pub fn row_mut(&mut self, y: u32) -> &mut Row<E> {
        let at = self.now + 1;
        let shard = self.shards.partition_point(|shard| shard.range.end <= y);
        self.shards[shard].row_mut(y, at)
    }

    /// The rows that exist.
    pub fn rows(&mut self) -> impl Iterator<Item = &mut Row<E>> {
        self.shards.iter_mut().flat_map(Shard::rows)
    }

    /// Advances the clock until `reached` holds (asked after each cycle in which tiles finished commands), `limit` is
    /// the next cycle, nothing can move, or the interrupt flag is set.
    pub fn run(&mut self, limit: u64, mut reached: impl FnMut(&mut Vec<Done>) -> bool) -> Result<Pause, RunError> {
        let mut busy = false;
        let period = if self.is_traced() { TRACED_PERIOD } else { PERIOD };
        loop {
            let decision = match busy && self.shards.len() > 1 {
                true => self.run_timed(limit, period, &mut reached),
                false => self.run_alone(limit, period, &mut reached),
            };
            self.feed_sink();
            self.show_gauge();
            match decision {
                Decision::Pause(pause) => return Ok(pause),
                Decision::Fault => return Err(RunError::Fault(Box::new(self.take_fault()))),
                Decision::Look | Decision::Go(_) => {}
            }
            if self.world.options.interrupt.load(Ordering::Relaxed) {
                return Ok(Pause::Interrupted);
            }
            busy = self.work() >= WORK_FOR_THREADS;
        }
    }

    /// The number of virtual channels and tiles with work in the last cycle.
    fn work(&self) -> usize {
        self.shards.iter().map(|shard| shard.work).sum()
    }

    /// Runs a period on one thread or on all, whichever has been faster.
    fn run_timed(&mut self, limit: u64, period: u32, reached: &mut impl FnMut(&mut Vec<Done>) -> bool) -> Decision {
        let forced = (Way::Together, period);
        let (way, cycles) = if self.world.options.force_threads { forced } else { self.threading.next(period) };
        let start = Instant::now();
        let decision = match way {
            Way::Together => parallel::run(self, limit, cycles, reached),
            Way::Alone => self.run_alone(limit, cycles, reached),
        };
        if decision == Decision::Look {
            let work = f64::from(cycles) * self.work().max(1) as f64;
            self.threading.note(way, start.elapsed().as_secs_f64() / work);
        }
        decision
    }

    /// Runs a period on this thread.
    fn run_alone(&mut self, limit: u64, period: u32, reached: &mut impl FnMut(&mut Vec<Done>) -> bool) -> Decision {
        for _ in 0..period {
            let next = self.shards.iter().map(Shard::next).min().unwrap_or(NEVER);
            match self.decide(next, limit) {
                Decision::Go(now) => self.step(now, limit),
                decision => return decision,
            }
            if self.shards.iter().any(|shard| shard.fault.is_some()) {
                return Decision::Fault;
            }
            if !self.done.is_empty() && reached(&mut self.done) {
                return Decision::Pause(Pause::Reached);
            }
        }
        Decision::Look
    }

    /// The decision when `next` is the first cycle with an event.
    pub fn decide(&mut self, next: u64, limit: u64) -> Decision {
        if next == NEVER {
            return Decision::Pause(Pause::Quiet);
        }
        if next >= limit {
            self.now = self.now.max(limit - 1);
            return Decision::Pause(Pause::Limit);
        }
        self.now = next;
        Decision::Go(next)
    }

    fn step(&mut self, now: u64, limit: u64) {
        for (shard, border) in self.shards.iter_mut().zip(&mut self.borders) {
            shard.step(now, limit, border);
            self.done.append(&mut shard.done);
        }
        for i in 1..self.shards.len() {
            let south = std::mem::take(&mut self.borders[i - 1].south);
            let north = std::mem::take(&mut self.borders[i].north);
            self.shards[i].receive(south, Default::default(), now);
            self.shards[i - 1].receive(Default::default(), north, now);
        }
    }

    /// The first cycle that no PE has run ahead of.
    pub fn latest_local_time(&mut self) -> u64 {
        let now = self.now;
        self.rows().flat_map(|row| &row.elements.tiles).fold(now, |front, tile| front.max(tile.element.clock())) + 1
    }

    /// Brings every PE to the end of the cycle that the clock stands at.
    pub fn synchronize(&mut self) {
        let end = self.now + 1;
        self.rows().flat_map(|row| &mut row.elements.tiles).for_each(|tile| tile.element.synchronize(end));
    }

    /// The first fault, by row.
    fn take_fault(&mut self) -> FaultReport {
        let mut faults = self.shards.iter_mut().filter_map(|shard| shard.fault.take());
        faults.next().expect("a shard has stopped with a fault")
    }

    /// The order-free hash over all landings, and their number.
    pub fn hash(&mut self) -> (u64, u64) {
        let sum = |(hash, moved): (u64, u64), row: &mut Row<E>| {
            (hash.wrapping_add(row.fabric.hash()), moved + row.fabric.moved())
        };
        self.rows().fold((0, 0), sum)
    }

    fn is_traced(&self) -> bool {
        self.world.options.traces != Traces::default()
    }

    fn show_gauge(&mut self) {
        if let Some(gauge) = self.world.options.gauge.clone() {
            gauge.show(self.now, || self.busy());
        }
    }

    /// The number of PEs with work.
    fn busy(&mut self) -> u64 {
        let is_busy = |tile: &&Tile<E>| tile.timer != NEVER || tile.inject_at != NEVER;
        self.rows().map(|row| row.elements.tiles.iter().filter(is_busy).count() as u64).sum()
    }

    /// The last cycles in which any PE executed an instruction and any wavelet landed on a router.
    pub fn last_activity(&mut self) -> (u64, u64) {
        let now = self.now;
        self.rows().fold((0, 0), |(executed, landed), row| {
            let clocks = row.elements.tiles.iter().map(|tile| tile.element.last_issue().min(now));
            (clocks.fold(executed, u64::max), landed.max(row.fabric.last_arrival()))
        })
    }

    /// Gives events out, now and then.
    fn feed_sink(&mut self) {
        let Some(sink) = self.world.options.sink.clone() else { return };
        if self.until_sink > 0 && !self.is_traced() {
            self.until_sink -= 1;
            return;
        }
        self.until_sink = PERIODS_OF_PRINTS;
        let events = self.take_events();
        if !events.is_empty() {
            sink.give(events);
        }
    }

    /// The events since the last call, by cycle, row and column.
    pub fn take_events(&mut self) -> Vec<Event> {
        let now = self.now;
        let mut all: Vec<Event> = self.rows().flat_map(|row| row.take_events(now)).collect();
        all.sort_by_key(|event| (event.cycle, event.y, event.x));
        all
    }
}
