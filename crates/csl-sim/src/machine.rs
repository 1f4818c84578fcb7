//! The machine: all rows, and the clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::element::Element;
use crate::event::Event;
use crate::memcpy::{Done, Rect};
use crate::options::{Traces, Windows};
use crate::row::Row;
use crate::rows::{Outcome, Rows};
use crate::stop::{FaultReport, RunError};
use crate::threading::{Threading, Way};
use crate::tile::{NEVER, Tile};
use crate::untimed::{self, Paused};
use crate::window::{self, Window};
use crate::world::World;

/// Visited cycles between two checks of the interrupt flag.
const PERIOD: u64 = 256;

/// Visited cycles between two such checks while a trace is recorded: events are given out at each.
const TRACED_PERIOD: u64 = 64;

/// Periods between two times that events are given out when only prints are recorded.
const PERIODS_OF_PRINTS: u32 = 256;

/// The fewest and the most cycles of a window. The most are less than the latency of a command (`launch_latency`), so that
/// what the host gives when it sees a result comes behind the window.
const WINDOWS: (u64, u64) = (3, 8);

/// The tiles, some 2 kB each, that the second-level cache of a core holds, and those that a third-level cache does.
const TILES_NEAR: u32 = 512;
const TILES_AT_HAND: u32 = 1 << 14;

/// The cycles of a window on a fabric of this size. A window goes over as many rows as it has cycles: they are to stay in
/// the second-level cache, unless the whole fabric is larger than the third, where what each cycle reads comes from memory.
fn window_cycles(width: u32, height: u32) -> u64 {
    let (fewest, most) = WINDOWS;
    let is_at_hand = width.saturating_mul(height) <= TILES_AT_HAND;
    if is_at_hand { u64::from(TILES_NEAR / width.max(1)).clamp(fewest, most) } else { most }
}

/// The number of virtual channels and tiles to visit a cycle above which rows run in windows, and that above which
/// threads are worth their start (a visit costs some 50 ns, a thread some 20 microseconds a window).
const WORK_FOR_WINDOWS: usize = 256;
const WORK_FOR_THREADS: usize = 512;

/// The number of tiles to make above which threads are worth their start.
const TILES_FOR_THREADS: usize = 4096;

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

/// The end of a period.
enum Decision {
    Pause(Pause),
    Fault(Box<FaultReport>),
    /// The period is over: the caller checks flags.
    Look,
}

/// The wafer: all rows, and the clock.
pub(crate) struct Machine<E> {
    pub world: Arc<World>,
    rows: Rows<E>,
    /// The cycle that the clock stands at; everything up to it has happened.
    pub now: u64,
    /// The last cycle that any row has run. It is later than `now` only where the host has looked at what happened in the
    /// middle of a window.
    front: u64,
    /// What tiles have finished after `now`, by cycle.
    done: VecDeque<Done>,
    /// The first fault, behind which nothing runs: every later request ends with it, too.
    fault: Option<Box<FaultReport>>,
    /// What the rows told of the cycles that ran last, as far as it has not been moved to the fields above.
    outcome: Outcome,
    /// The virtual channels and tiles visited in the last cycle, roughly.
    work: usize,
    /// Periods until events are given to the sink.
    until_sink: u32,
    threading: Threading,
    /// The tiles that wait in a run without a clock until what they have sent is taken.
    paused: Vec<Paused>,
}

impl<E: Element> Machine<E> {
    pub fn new(world: Arc<World>) -> Machine<E> {
        let mut machine = Machine {
            rows: Rows::new(&world),
            world,
            now: 0,
            front: 0,
            done: VecDeque::new(),
            fault: None,
            outcome: Outcome::default(),
            work: 0,
            until_sink: 0,
            threading: Threading::default(),
            paused: Vec::new(),
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

    /// A row, made on first touch. It is visited in the next cycle that runs.
    pub fn row_mut(&mut self, y: u32) -> &mut Row<E> {
        self.rows.row_mut(y, self.front + 1)
    }

    /// Makes the tiles of a rectangle before the host gives each of them something, where they are many.
    pub fn make(&mut self, rect: &Rect) {
        let threads = self.world.options.threads;
        if threads > 1 && rect.len() >= TILES_FOR_THREADS {
            self.rows.make(rect, threads);
        }
    }

    /// Whether no row has anything to do. In a run without a clock that is never known between two rounds.
    pub fn is_quiet(&self) -> bool {
        self.world.options.untimed.is_none() && self.fault.is_none() && self.rows.next() == NEVER
    }

    /// The rows that exist.
    pub fn rows(&mut self) -> impl Iterator<Item = &mut Row<E>> {
        self.rows.iter_mut()
    }

    /// Advances the clock until `reached` holds (asked after each cycle in which tiles finished commands), `limit` is
    /// the next cycle, nothing can move, or the interrupt flag is set.
    pub fn run(&mut self, limit: u64, mut reached: impl FnMut(Done) -> bool) -> Result<Pause, RunError> {
        loop {
            let decision = self.run_period(limit, &mut reached);
            self.feed_sink();
            self.show_gauge();
            match decision {
                Decision::Pause(pause) => return Ok(pause),
                Decision::Fault(fault) => return Err(RunError::Fault(fault)),
                Decision::Look => {}
            }
            if self.world.options.interrupt.load(Ordering::Relaxed) {
                return Ok(Pause::Interrupted);
            }
        }
    }

    fn run_period(&mut self, limit: u64, reached: &mut impl FnMut(Done) -> bool) -> Decision {
        if self.world.options.untimed.is_some() {
            return self.run_round(limit, reached);
        }
        let mut left = if self.is_traced() { TRACED_PERIOD } else { PERIOD };
        loop {
            if let Some(decision) = self.catch_up(limit, reached) {
                return decision;
            }
            let next = self.rows.next();
            if next == NEVER {
                return Decision::Pause(Pause::Quiet);
            }
            if next >= limit {
                self.now = self.now.max(limit - 1);
                self.front = self.front.max(self.now);
                return Decision::Pause(Pause::Limit);
            }
            if left == 0 {
                return Decision::Look;
            }
            left = left.saturating_sub(self.run_some(next, limit));
        }
    }

    /// Runs a round without a clock; `now` becomes the latest time of a tile.
    fn run_round(&mut self, limit: u64, reached: &mut impl FnMut(Done) -> bool) -> Decision {
        if let Some(fault) = &self.fault {
            return Decision::Fault(fault.clone());
        }
        let interrupt = Arc::clone(&self.world.options.interrupt);
        let threads = self.world.options.threads;
        let is_interrupted = || interrupt.load(Ordering::Relaxed);
        let round = untimed::round(&mut self.rows, limit, &mut self.paused, threads, is_interrupted);
        if let Some(fault) = round.fault {
            (self.now, self.fault) = (self.now.max(fault.cycle), Some(fault.clone()));
            return Decision::Fault(fault);
        }
        self.now = self.now.max(round.front);
        self.front = self.now;
        let done: Vec<Done> = self.rows.iter_mut().flat_map(|row| std::mem::take(&mut row.elements.done)).collect();
        let mut is_reached = false;
        for done in done {
            is_reached |= reached(done);
        }
        match round {
            _ if is_reached => Decision::Pause(Pause::Reached),
            // Rows have been left out.
            _ if interrupt.load(Ordering::Relaxed) => Decision::Look,
            untimed::Round { ran: 0, at_limit: true, .. } => {
                self.now = self.now.max(limit - 1);
                Decision::Pause(Pause::Limit)
            }
            untimed::Round { ran: 0, .. } => Decision::Pause(Pause::Quiet),
            _ => Decision::Look,
        }
    }

    /// Moves the clock to the front, cycle by cycle of those in which something was done that the host waits for.
    fn catch_up(&mut self, limit: u64, reached: &mut impl FnMut(Done) -> bool) -> Option<Decision> {
        let end = self.fault.as_ref().map_or(limit, |fault| fault.cycle.min(limit));
        while let Some(cycle) = self.done.front().map(Done::cycle).filter(|cycle| *cycle < end) {
            self.now = self.now.max(cycle);
            let mut is_reached = false;
            while let Some(done) = self.done.pop_front_if(|done| done.cycle() == cycle) {
                is_reached |= reached(done);
            }
            if is_reached {
                return Some(Decision::Pause(Pause::Reached));
            }
        }
        match &self.fault {
            Some(fault) if fault.cycle < limit => {
                self.now = fault.cycle;
                Some(Decision::Fault(fault.clone()))
            }
            _ if self.front >= limit => {
                self.now = self.now.max(limit - 1);
                Some(Decision::Pause(Pause::Limit))
            }
            _ => {
                self.now = self.front;
                None
            }
        }
    }

    /// Runs cycle `next`, and those behind it where much is going on. Returns their number.
    fn run_some(&mut self, next: u64, limit: u64) -> u64 {
        let window = match self.world.options.windows {
            Windows::Always { cycles } => u64::from(cycles),
            Windows::Busy if self.work >= WORK_FOR_WINDOWS => window_cycles(self.world.width(), self.world.height()),
            Windows::Busy => 1,
        };
        let cycles = window.min(limit - next);
        if cycles > 1 {
            self.outcome = self.run_window(Window { first: next, cycles, limit });
            self.work = self.outcome.work / cycles as usize;
        } else {
            self.outcome.work = 0;
            self.rows.step(next, limit, &mut self.outcome);
            self.work = self.outcome.work;
        }
        self.front = self.front.max(self.outcome.last);
        if !self.outcome.done.is_empty() {
            self.done.extend(self.outcome.done.drain(..));
        }
        if self.outcome.fault.is_some() {
            self.fault = self.outcome.fault.take();
        }
        cycles
    }

    /// Runs a window on one thread or on all, whichever has been faster; on all where there is no clock to tell.
    fn run_window(&mut self, window: Window) -> Outcome {
        let options = &self.world.options;
        let threads = options.threads.clamp(1, window::most_threads(self.world.height(), window.cycles));
        let is_worth_it = options.windows != Windows::Busy || self.work >= WORK_FOR_THREADS;
        if threads == 1 || !is_worth_it {
            return window::run(&mut self.rows, window, 1);
        }
        let Some(seconds) = options.clock else { return window::run(&mut self.rows, window, threads) };
        let way = self.threading.next();
        let start = seconds();
        let outcome = window::run(&mut self.rows, window, if way == Way::Together { threads } else { 1 });
        self.threading.note(way, (seconds() - start) / outcome.work.max(1) as f64);
        outcome
    }

    /// The first cycle that no row and no PE has run ahead of.
    pub fn latest_local_time(&mut self) -> u64 {
        let front = self.front;
        self.rows().flat_map(|row| &row.elements.tiles).fold(front, |front, tile| front.max(tile.element.clock())) + 1
    }

    /// Brings every PE to the end of the cycle that the clock stands at.
    pub fn synchronize(&mut self) {
        let end = self.now + 1;
        self.rows().flat_map(|row| &mut row.elements.tiles).for_each(|tile| tile.element.synchronize(end));
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

#[cfg(test)]
mod tests {
    use csl_machine::{Arch, chip};

    use super::{WINDOWS, window_cycles};

    #[test]
    fn wide_rows_run_fewer_cycles_at_a_time_unless_they_are_many() {
        let cycles =
            [(32, 32), (64, 64), (128, 128), (512, 1), (256, 64), (750, 994)].map(|(w, h)| window_cycles(w, h));
        assert_eq!(cycles, [8, 8, 4, 3, 3, 8]);
    }

    /// Else a command could be due in a window that has run when the host gives it.
    #[test]
    fn a_window_is_shorter_than_the_way_of_a_command() {
        for arch in [Arch::Wse2, Arch::Wse3] {
            let memcpy = &chip(arch).memcpy;
            assert!(u64::from(memcpy.launch_latency.min(memcpy.copy_latency)) > WINDOWS.1);
        }
    }
}
