//! A range of rows that one thread runs. Shards meet once a cycle; in between they share nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use csl_fabric::{Batch, Row as FabricRow};

use crate::element::Element;
use crate::index_set::IndexSet;
use crate::memcpy::Done;
use crate::row::Row;
use crate::stop::FaultReport;
use crate::tile::NEVER;
use crate::world::World;

/// Consecutive rows that one thread steps.
pub(crate) struct Shard<E> {
    world: Arc<World>,
    pub range: Range<u32>,
    rows: Vec<Option<Box<Row<E>>>>,
    /// The next cycle with work, by row; [`NEVER`] for rows that rest or do not exist.
    next: Vec<u64>,
    /// The rows with work in cycle `soon_at`, which is the one after the last visited.
    soon: IndexSet,
    soon_at: u64,
    /// The rows with work after that; an entry counts if it is the row's `next`.
    later: BinaryHeap<Reverse<(u64, u32)>>,
    /// Scratch: the rows of a cycle.
    stepped: Vec<u32>,
    /// The results of the last cycle.
    pub done: Vec<Done>,
    pub fault: Option<FaultReport>,
    /// The number of virtual channels and tiles with work in the last cycle.
    pub work: usize,
}

/// The wavelets that leave a shard by its first and last row in one cycle.
#[derive(Default)]
pub(crate) struct Border {
    pub north: Batch,
    pub south: Batch,
}

impl<E: Element> Shard<E> {
    pub fn new(world: &Arc<World>, range: Range<u32>) -> Shard<E> {
        let len = range.len();
        Shard {
            world: Arc::clone(world),
            range,
            rows: (0..len).map(|_| None).collect(),
            next: vec![NEVER; len],
            soon: IndexSet::new(len as u32),
            soon_at: 1,
            later: BinaryHeap::new(),
            stepped: Vec::new(),
            done: Vec::new(),
            fault: None,
            work: 0,
        }
    }

    /// A row of the shard, made on first touch. It is visited in cycle `at`.
    pub fn row_mut(&mut self, y: u32, at: u64) -> &mut Row<E> {
        let index = (y - self.range.start) as usize;
        if at < self.next[index] {
            self.schedule(index, at);
        }
        self.rows[index].get_or_insert_with(|| Box::new(Row::new(&self.world, y)))
    }

    /// The rows that exist.
    pub fn rows(&mut self) -> impl Iterator<Item = &mut Row<E>> {
        self.rows.iter_mut().flatten().map(|row| &mut **row)
    }

    /// The next cycle with work.
    pub fn next(&self) -> u64 {
        let later = self.later.peek().map_or(NEVER, |row| row.0.0);
        if self.soon.is_empty() { later } else { later.min(self.soon_at) }
    }

    /// Lets a row be visited in cycle `at`.
    #[inline]
    fn schedule(&mut self, row: usize, at: u64) {
        self.next[row] = at;
        if at == self.soon_at {
            self.soon.insert(row as u32);
        } else {
            self.later.push(Reverse((at, row as u32)));
        }
    }

    /// Collects the rows with work in cycle `now`, from north to south.
    fn collect_due(&mut self, now: u64) {
        while let Some(Reverse((_, row))) = self.later.peek().copied().filter(|row| row.0.0 <= now) {
            self.later.pop();
            if self.next[row as usize] <= now {
                self.soon.insert(row);
            }
        }
        self.stepped.clear();
        self.soon.move_to_list(&mut self.stepped);
        self.soon_at = now + 1;
    }

    /// Finds the next cycle with an event for the rows that were due.
    fn update_next(&mut self, now: u64) {
        for i in 0..self.stepped.len() {
            let row = self.stepped[i] as usize;
            self.next[row] = NEVER;
            let next = self.rows[row].as_mut().map_or(NEVER, |row| row.next_event(now));
            if next != NEVER {
                self.schedule(row, next);
            }
        }
        // Entries that no longer count would stop the clock.
        while self.later.peek().is_some_and(|Reverse((at, row))| self.next[*row as usize] != *at) {
            self.later.pop();
        }
    }

    /// Runs one cycle. Wavelets for other shards go to `border`; of several faults the first by row counts.
    pub fn step(&mut self, now: u64, limit: u64, border: &mut Border) {
        self.work = 0;
        self.collect_due(now);
        for i in 0..self.stepped.len() {
            let Some(row) = self.rows[self.stepped[i] as usize].as_mut() else { continue };
            if let Err(report) = row.step(now, limit) {
                self.fault.get_or_insert(report);
            }
            self.done.append(&mut row.elements.done);
            self.work += row.work();
        }
        for i in 0..self.stepped.len() {
            self.hand_over(self.stepped[i] as usize, now, border);
        }
        self.update_next(now);
    }

    /// Moves a row's outgoing batches into the inboxes of its neighbours.
    fn hand_over(&mut self, index: usize, now: u64, border: &mut Border) {
        let Some(row) = self.rows[index].as_mut() else { return };
        let (north, south) = row.fabric.has_outgoing();
        if north && index == 0 {
            border.north = row.fabric.take_north();
        }
        if south && index + 1 == self.next.len() {
            border.south = row.fabric.take_south();
        }
        if north && index > 0 {
            self.exchange(index - 1, now);
        }
        if south && index + 1 < self.next.len() {
            self.exchange(index, now);
        }
    }

    fn exchange(&mut self, upper: usize, now: u64) {
        for index in [upper, upper + 1] {
            self.row_mut(self.range.start + index as u32, now + 1);
        }
        let (above, below) = self.rows.split_at_mut(upper + 1);
        let pair = (above.last_mut().and_then(Option::as_mut), below.first_mut().and_then(Option::as_mut));
        if let (Some(upper), Some(lower)) = pair {
            FabricRow::exchange(&mut upper.fabric, &mut lower.fabric, now);
        }
    }

    /// Takes the batches that the shards to the north and south sent in cycle `sent_at`.
    pub fn receive(&mut self, from_north: Batch, from_south: Batch, sent_at: u64) {
        if !from_north.is_empty() {
            let y = self.range.start;
            self.row_mut(y, sent_at + 1).fabric.put_from_north(from_north, sent_at);
        }
        if !from_south.is_empty() {
            let y = self.range.end - 1;
            self.row_mut(y, sent_at + 1).fabric.put_from_south(from_south, sent_at);
        }
    }
}
