//! All rows of the wafer, and the cycles in which they have work. A row at rest costs nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use csl_fabric::Row as FabricRow;

use crate::element::Element;
use crate::index_set::IndexSet;
use crate::memcpy::Done;
use crate::row::Row;
use crate::stop::FaultReport;
use crate::tile::NEVER;
use crate::world::World;

/// A row of the wafer, made on first touch.
pub(crate) struct Slot<E> {
    row: Option<Box<Row<E>>>,
    /// The next cycle with work; [`NEVER`] for a row that rests, does not exist or has had a fault.
    next: u64,
    /// Whether a fault has stopped the row in the middle of a cycle: it runs no more.
    has_failed: bool,
}

/// What rows have to tell after some cycles.
#[derive(Default)]
pub(crate) struct Outcome {
    pub done: Vec<Done>,
    /// The first fault, by cycle, then row.
    pub fault: Option<Box<FaultReport>>,
    /// The last cycle in which any row had work.
    pub last: u64,
    /// The number of virtual channels and tiles visited, roughly.
    pub work: usize,
}

impl Outcome {
    #[cold]
    fn note_fault(&mut self, fault: Box<FaultReport>) {
        if self.fault.as_ref().is_none_or(|known| (fault.cycle, fault.y) < (known.cycle, known.y)) {
            self.fault = Some(fault);
        }
    }

    /// Adds what other rows have to tell of the same cycles.
    pub fn add(&mut self, mut other: Outcome) {
        self.done.append(&mut other.done);
        if let Some(fault) = other.fault {
            self.note_fault(fault);
        }
        self.last = self.last.max(other.last);
        self.work += other.work;
    }
}

/// Consecutive rows, which one thread runs.
pub(crate) struct Strip<'a, E> {
    pub world: &'a Arc<World>,
    /// The number of the first row.
    pub first: usize,
    pub slots: &'a mut [Slot<E>],
    /// The cycle that the clock does not come to before the host has looked.
    pub limit: u64,
}

impl<E: Element> Strip<'_, E> {
    /// Runs cycle `now` of a row, if it has work then, and passes on what leaves it. Returns whether anything was sent to
    /// the rows north and south.
    #[inline]
    pub fn visit(&mut self, index: usize, now: u64, outcome: &mut Outcome) -> (bool, bool) {
        let slot = &mut self.slots[index];
        let Some(row) = slot.row.as_mut().filter(|_| slot.next <= now) else { return (false, false) };
        outcome.last = outcome.last.max(now);
        if let Err(fault) = row.step(now, self.limit) {
            outcome.note_fault(Box::new(fault));
            (slot.next, slot.has_failed) = (NEVER, true);
            return (false, false);
        }
        if !row.elements.done.is_empty() {
            outcome.done.append(&mut row.elements.done);
        }
        outcome.work += row.work();
        slot.next = row.next_event(now);
        let (north, south) = row.fabric.has_outgoing();
        if north && index > 0 {
            self.exchange(index - 1, now);
        }
        if south {
            self.exchange(index, now);
        }
        (north, south)
    }

    /// Moves what row `upper` and the one below it have sent each other in cycle `now` into their inboxes. What leaves
    /// the strip stays where it is.
    pub fn exchange(&mut self, upper: usize, now: u64) {
        let Some([above, below]) = self.slots.get_disjoint_mut([upper, upper + 1]).ok() else { return };
        let landing = now + u64::from(self.world.chip.timing.hop);
        let y = (self.first + upper) as u32;
        let (upper, lower) = (above.touch(self.world, y), below.touch(self.world, y + 1));
        let (to_lower, to_upper) = FabricRow::exchange(&mut upper.fabric, &mut lower.fabric, now);
        if to_lower {
            below.wake(landing);
        }
        if to_upper {
            above.wake(landing);
        }
    }
}

impl<E: Element> Slot<E> {
    fn touch(&mut self, world: &Arc<World>, y: u32) -> &mut Row<E> {
        self.row.get_or_insert_with(|| Box::new(Row::new(world, y)))
    }

    /// Lets the row be visited in cycle `at`.
    fn wake(&mut self, at: u64) {
        if !self.has_failed {
            self.next = self.next.min(at);
        }
    }
}

/// All rows of the wafer.
pub(crate) struct Rows<E> {
    world: Arc<World>,
    slots: Vec<Slot<E>>,
    /// The rows with work in cycle `soon_at`, which is the one after the last visited.
    soon: IndexSet,
    soon_at: u64,
    /// The rows with work after that; an entry counts if it is the row's `next`.
    later: BinaryHeap<Reverse<(u64, u32)>>,
    /// Scratch: the rows of a cycle.
    due: Vec<u32>,
}

impl<E: Element> Rows<E> {
    pub fn new(world: &Arc<World>) -> Rows<E> {
        let height = world.height();
        Rows {
            world: Arc::clone(world),
            slots: (0..height).map(|_| Slot { row: None, next: NEVER, has_failed: false }).collect(),
            soon: IndexSet::new(height),
            soon_at: 1,
            later: BinaryHeap::new(),
            due: Vec::new(),
        }
    }

    /// A row, made on first touch. It is visited in cycle `at`.
    pub fn row_mut(&mut self, y: u32, at: u64) -> &mut Row<E> {
        let index = y as usize;
        if at < self.slots[index].next {
            self.slots[index].wake(at);
            self.schedule(index);
        }
        self.slots[index].touch(&self.world, y)
    }

    /// The rows that exist.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Row<E>> {
        self.slots.iter_mut().flat_map(|slot| slot.row.as_deref_mut())
    }

    /// The next cycle with work.
    pub fn next(&self) -> u64 {
        let later = self.later.peek().map_or(NEVER, |row| row.0.0);
        if self.soon.is_empty() { later } else { later.min(self.soon_at) }
    }

    /// Notes the next cycle of a row in which it has work, where that is not one before `soon_at`.
    #[inline]
    fn schedule(&mut self, row: usize) {
        let at = self.slots[row].next;
        if at == self.soon_at {
            self.soon.insert(row as u32);
        } else if at > self.soon_at && at != NEVER {
            self.later.push(Reverse((at, row as u32)));
        }
    }

    /// Collects the rows with work in cycle `now`, from north to south.
    fn collect_due(&mut self, now: u64) {
        while let Some(Reverse((_, row))) = self.later.peek().copied().filter(|row| row.0.0 <= now) {
            self.later.pop();
            if self.slots[row as usize].next <= now {
                self.soon.insert(row);
            }
        }
        self.due.clear();
        self.soon.move_to_list(&mut self.due);
        self.soon_at = now + 1;
    }

    /// Runs one cycle.
    pub fn step(&mut self, now: u64, limit: u64, outcome: &mut Outcome) {
        self.collect_due(now);
        let due = std::mem::take(&mut self.due);
        for &row in &due {
            let index = row as usize;
            let mut strip = Strip { world: &self.world, first: 0, slots: &mut self.slots, limit };
            let (north, south) = strip.visit(index, now, outcome);
            self.schedule(index);
            if north && index > 0 {
                self.schedule(index - 1);
            }
            if south && index + 1 < self.slots.len() {
                self.schedule(index + 1);
            }
        }
        self.due = due;
        // Entries that no longer count would stop the clock.
        while self.later.peek().is_some_and(|Reverse((at, row))| self.slots[*row as usize].next != *at) {
            self.later.pop();
        }
    }

    /// Lets `run` run several cycles of all rows.
    pub fn run(&mut self, run: impl FnOnce(&Arc<World>, &mut [Slot<E>]) -> Outcome) -> Outcome {
        let outcome = run(&self.world, &mut self.slots);
        self.soon_at = outcome.last + 1;
        self.soon = IndexSet::new(self.world.height());
        self.later.clear();
        (0..self.slots.len()).for_each(|row| self.schedule(row));
        outcome
    }
}
