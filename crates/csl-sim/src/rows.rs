//! All rows of the wafer, and the cycles in which they have work. A row at rest costs nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use csl_fabric::Row as FabricRow;

use crate::element::Element;
use crate::index_set::IndexSet;
use crate::memcpy::{Done, Rect};
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
            outcome.note_fault(fault);
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

    /// The row with this number where it is one of these, made if it is not there.
    pub fn row(&mut self, y: u32) -> Option<&mut Row<E>> {
        let slot = self.slots.get_mut((y as usize).checked_sub(self.first)?)?;
        Some(slot.touch(self.world, y))
    }

    /// Those of the rows that are there.
    pub fn existing(&mut self) -> impl Iterator<Item = &mut Row<E>> {
        self.slots.iter_mut().flat_map(|slot| slot.row.as_deref_mut())
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

/// The rows with work, by cycle.
struct Agenda {
    /// The rows with work in cycle `soon_at`, which is the one after the last visited.
    soon: IndexSet,
    soon_at: u64,
    /// The rows with work after that; an entry counts if it is the row's `next`.
    later: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Agenda {
    fn new(height: u32, soon_at: u64) -> Agenda {
        Agenda { soon: IndexSet::new(height), soon_at, later: BinaryHeap::new() }
    }

    /// Notes the next cycle of a row in which it has work, where that is not one before `soon_at`.
    #[inline]
    fn note(&mut self, row: usize, at: u64) {
        if at == self.soon_at {
            self.soon.insert(row as u32);
        } else if at > self.soon_at && at != NEVER {
            self.later.push(Reverse((at, row as u32)));
        }
    }
}

/// All rows of the wafer.
pub(crate) struct Rows<E> {
    world: Arc<World>,
    slots: Vec<Slot<E>>,
    agenda: Agenda,
    /// Scratch: the rows of a cycle.
    due: IndexSet,
}

impl<E: Element> Rows<E> {
    pub fn new(world: &Arc<World>) -> Rows<E> {
        let height = world.height();
        Rows {
            world: Arc::clone(world),
            slots: (0..height).map(|_| Slot { row: None, next: NEVER, has_failed: false }).collect(),
            agenda: Agenda::new(height, 1),
            due: IndexSet::new(height),
        }
    }

    /// A row, made on first touch. It is visited in cycle `at`.
    pub fn row_mut(&mut self, y: u32, at: u64) -> &mut Row<E> {
        let index = y as usize;
        if at < self.slots[index].next {
            self.slots[index].wake(at);
            self.agenda.note(index, self.slots[index].next);
        }
        self.slots[index].touch(&self.world, y)
    }

    /// The number of PEs of the program's rectangle.
    pub fn pes(&self) -> u32 {
        self.world.width().saturating_mul(self.world.height())
    }

    /// All rows, in strips of this many.
    pub fn strips(&mut self, rows: usize) -> impl Iterator<Item = Strip<'_, E>> {
        let world = &self.world;
        let slots = self.slots.chunks_mut(rows).enumerate();
        slots.map(move |(number, slots)| Strip { world, first: number * rows, slots, limit: 0 })
    }

    /// A row, made on first touch.
    pub fn touch(&mut self, y: u32) -> &mut Row<E> {
        self.slots[y as usize].touch(&self.world, y)
    }

    /// Makes the tiles of a rectangle that are not there yet, on this many threads: each those of some rows.
    pub fn make(&mut self, rect: &Rect, threads: usize) {
        let (world, height) = (&self.world, self.slots.len());
        let of_rect = &mut self.slots[rect.y as usize..((rect.y + rect.h) as usize).min(height)];
        let share = of_rect.len().div_ceil(threads.max(1)).max(1);
        std::thread::scope(|scope| {
            for (part, first) in of_rect.chunks_mut(share).zip((rect.y..).step_by(share)) {
                scope.spawn(move || {
                    let rows = part.iter_mut().zip(first..);
                    for (slot, y) in rows.filter(|(_, y)| (y - rect.y).is_multiple_of(rect.step_y.max(1))) {
                        let elements = &mut slot.touch(world, y).elements;
                        (rect.x..rect.x + rect.w).step_by(rect.step_x.max(1) as usize).for_each(|x| {
                            elements.touch(x);
                        });
                    }
                });
            }
        });
    }

    /// The rows that exist.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Row<E>> {
        self.slots.iter_mut().flat_map(|slot| slot.row.as_deref_mut())
    }

    /// The next cycle with work.
    pub fn next(&self) -> u64 {
        let later = self.agenda.later.peek().map_or(NEVER, |row| row.0.0);
        if self.agenda.soon.is_empty() { later } else { later.min(self.agenda.soon_at) }
    }

    /// Collects the rows with work in cycle `now`.
    fn collect_due(&mut self, now: u64) {
        let Rows { slots, agenda, due, .. } = self;
        while let Some(Reverse((_, row))) = agenda.later.peek().copied().filter(|row| row.0.0 <= now) {
            agenda.later.pop();
            if slots[row as usize].next <= now {
                agenda.soon.insert(row);
            }
        }
        std::mem::swap(&mut agenda.soon, due);
        agenda.soon_at = now + 1;
    }

    /// Runs one cycle, from north to south.
    pub fn step(&mut self, now: u64, limit: u64, outcome: &mut Outcome) {
        self.collect_due(now);
        let Rows { world, slots, agenda, due } = self;
        let mut strip = Strip { world, first: 0, slots, limit };
        for word in 0..due.words() {
            for row in due.take_word(word) {
                let index = row as usize;
                let (north, south) = strip.visit(index, now, outcome);
                let next_of = |index: usize| strip.slots[index].next;
                agenda.note(index, next_of(index));
                if north && index > 0 {
                    agenda.note(index - 1, next_of(index - 1));
                }
                if south && index + 1 < strip.slots.len() {
                    agenda.note(index + 1, next_of(index + 1));
                }
            }
        }
        // Entries that no longer count would stop the clock.
        while agenda.later.peek().is_some_and(|Reverse((at, row))| strip.slots[*row as usize].next != *at) {
            agenda.later.pop();
        }
    }

    /// Lets `run` run several cycles of all rows.
    pub fn run(&mut self, run: impl FnOnce(&Arc<World>, &mut [Slot<E>]) -> Outcome) -> Outcome {
        let outcome = run(&self.world, &mut self.slots);
        self.agenda = Agenda::new(self.world.height(), outcome.last + 1);
        for (index, slot) in self.slots.iter().enumerate() {
            self.agenda.note(index, slot.next);
        }
        outcome
    }
}
