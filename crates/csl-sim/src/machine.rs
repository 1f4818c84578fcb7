//! All rows, and the clock.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use csl_fabric::Row as FabricRow;

use crate::element::Element;
use crate::event::Event;
use crate::memcpy::Done;
use crate::row::Row;
use crate::stop::{FaultReport, Stop};
use crate::tile::NEVER;
use crate::world::World;

/// Visited cycles between two looks at the interrupt flag.
const INTERRUPT_PERIOD: u32 = 4096;

/// Why the clock stopped without a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The condition holds.
    Reached,
    /// The clock has come to the limit.
    Limit,
    /// Nothing can move.
    Quiet,
}

pub(crate) struct Machine<E> {
    pub world: Arc<World>,
    rows: Vec<Option<Box<Row<E>>>>,
    /// By row: the next cycle in which there is something to do; [`NEVER`] for rows that rest or do not exist.
    next: Vec<u64>,
    /// The last cycle that has been run; everything up to it has happened.
    pub now: u64,
    /// Scratch: the rows of a cycle.
    stepped: Vec<u32>,
    pub done: Vec<Done>,
}

impl<E: Element> Machine<E> {
    pub fn new(world: Arc<World>) -> Machine<E> {
        let height = world.height() as usize;
        let rows = (0..height).map(|_| None).collect();
        let next = vec![NEVER; height];
        let mut machine = Machine { world, rows, next, now: 0, stepped: Vec::new(), done: Vec::new() };
        machine.touch_active();
        machine
    }

    /// Makes the tiles whose programs do something by themselves: the others are made when they are touched.
    fn touch_active(&mut self) {
        let world = Arc::clone(&self.world);
        let starts = |program: &Arc<csl_image::PeImage>| {
            program.startup.iter().any(|startup| matches!(startup, csl_image::Startup::Activate(_)))
        };
        let active: Vec<bool> = world.image.programs.iter().map(starts).collect();
        for run in world.image.tiles.iter().filter(|run| active[run.program as usize]) {
            for x in run.x..run.x + run.len {
                self.row_mut(run.y).ces.touch(x);
            }
        }
    }

    /// A row, made when this is the first time that something touches it. It is looked at in the next cycle.
    pub fn row_mut(&mut self, y: u32) -> &mut Row<E> {
        let world = &self.world;
        self.next[y as usize] = self.next[y as usize].min(self.now + 1);
        self.rows[y as usize].get_or_insert_with(|| Box::new(Row::new(world, y)))
    }

    /// The rows that exist.
    pub fn rows(&mut self) -> impl Iterator<Item = &mut Row<E>> {
        self.rows.iter_mut().flatten().map(|row| &mut **row)
    }

    /// Advances the clock until `reached` says so (asked after each cycle in which tiles finished commands), `limit` is
    /// the next cycle, or nothing can move.
    pub fn run(&mut self, limit: u64, mut reached: impl FnMut(&mut Vec<Done>) -> bool) -> Result<Pause, Stop> {
        let mut visits = 0u32;
        loop {
            let now = self.next.iter().copied().min().unwrap_or(NEVER);
            if now == NEVER {
                return Ok(Pause::Quiet);
            }
            if now >= limit {
                self.now = self.now.max(limit - 1);
                return Ok(Pause::Limit);
            }
            self.step(now)?;
            if !self.done.is_empty() && reached(&mut self.done) {
                return Ok(Pause::Reached);
            }
            visits += 1;
            if visits.is_multiple_of(INTERRUPT_PERIOD) && self.world.options.interrupt.load(Ordering::Relaxed) {
                return Err(Stop::Interrupted);
            }
        }
    }

    /// Runs one cycle. Of several faults the first by row counts.
    fn step(&mut self, now: u64) -> Result<(), Stop> {
        self.now = now;
        self.stepped.clear();
        let mut fault: Option<FaultReport> = None;
        for y in 0..self.next.len() {
            if self.next[y] > now {
                continue;
            }
            let row = self.rows[y].as_mut().expect("a row with something to do exists");
            if let Err(report) = row.step(now) {
                fault.get_or_insert(report);
            }
            self.done.append(&mut row.ces.done);
            self.stepped.push(y as u32);
        }
        for i in 0..self.stepped.len() {
            self.hand_over(self.stepped[i], now);
        }
        for i in 0..self.stepped.len() {
            let y = self.stepped[i] as usize;
            let next = self.rows[y].as_mut().expect("it was stepped").next_event(now);
            self.next[y] = next;
        }
        fault.map_or(Ok(()), |report| Err(Stop::Fault(Box::new(report))))
    }

    /// Moves what a row has for its neighbours into their inboxes.
    fn hand_over(&mut self, y: u32, now: u64) {
        let (north, south) = self.rows[y as usize].as_ref().expect("it was stepped").fabric.has_outgoing();
        if north && y > 0 {
            self.exchange(y - 1, now);
        }
        if south && y + 1 < self.world.height() {
            self.exchange(y, now);
        }
    }

    fn exchange(&mut self, upper: u32, now: u64) {
        for y in [upper, upper + 1] {
            self.row_mut(y);
        }
        let (above, below) = self.rows.split_at_mut(upper as usize + 1);
        let pair = (above.last_mut().and_then(Option::as_mut), below.first_mut().and_then(Option::as_mut));
        if let (Some(upper), Some(lower)) = pair {
            FabricRow::exchange(&mut upper.fabric, &mut lower.fabric, now);
        }
    }

    /// Order-free hash over all landings, and their number.
    pub fn hash(&self) -> (u64, u64) {
        let rows = self.rows.iter().flatten();
        rows.fold((0u64, 0), |(hash, moved), row| (hash.wrapping_add(row.fabric.hash()), moved + row.fabric.moved()))
    }

    /// What has happened since the last call, by cycle, row and column.
    pub fn take_events(&mut self) -> Vec<Event> {
        let now = self.now;
        let mut all: Vec<Event> = self.rows().flat_map(|row| row.take_events(now)).collect();
        all.sort_by_key(|event| (event.cycle, event.y, event.x));
        all
    }
}
