//! One row of routers. It owns its records and touches no other row: wavelets and credits for the rows north and south
//! leave as batches that arrive a hop later. So the order in which rows are visited, and the threads that visit them,
//! change nothing.
//!
//! The way of a wavelet: [`Row::inject`] (or a batch) puts it into a lane; [`Row::route`] moves the heads of lanes whose
//! record stands in the active list. A record that cannot move sleeps until a landing, a credit, room at the ramp or a
//! register write wakes it. Of records that want the same link those go first whose wavelet comes from the PE itself,
//! the others in the order in which they became able to.

use std::collections::BTreeMap;
use std::sync::Arc;

use csl_machine::{Chip, DirSet, Direction, Wavelet};
use rustc_hash::FxHashMap;

use crate::event::{Fault, FaultKind, Lost, TraceEvent, Traced, landing_hash};
use crate::messages;
use crate::record::{ADVANCES, Batch, Credit, Landing, MAX_BUFFER, MESSAGES, QUEUED, Record, RecordId, SHARES_INPUT};
use crate::state::ColorState;
use crate::table::{RouteTable, place_of_unrouted, unrouted};

/// The compute elements of a row, as its routers see them.
pub trait Ramp {
    /// Whether the CE at column `x` can take a wavelet of `color` now.
    fn room(&mut self, x: u32, color: u8) -> bool;
    /// A wavelet reaches the CE, from a link or from the CE itself (`is_own`). Only called after [`Ramp::room`] said yes in
    /// the same cycle.
    fn deliver(&mut self, x: u32, color: u8, wavelet: Wavelet, is_own: bool);
    /// Tells the CE that the router has taken a wavelet from it: there is room for one more.
    fn accepted(&mut self, x: u32, color: u8);
    /// Tells the CE that a TEARDOWN command has passed: the color has stopped.
    fn torn_down(&mut self, x: u32, color: u8);
}

/// The number of slots of the inbox: more than the longest hop.
const RING: usize = 4;

/// The slot of the inbox for arrivals in a cycle.
#[inline]
pub(crate) fn slot(cycle: u64) -> usize {
    cycle as usize % RING
}

/// The low bits of a cycle, enough to distinguish it from those around it.
#[inline]
pub(crate) fn low_bits(cycle: u64) -> u32 {
    cycle as u32
}
const FROM_NORTH: usize = 0;
pub(crate) const OWN: usize = 1;
const FROM_SOUTH: usize = 2;

/// The outputs of a tile (a set of directions) used in a cycle: each takes one wavelet.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    /// The low bits of that cycle.
    cycle: u32,
    ways: DirSet,
}

impl Used {
    #[inline]
    pub fn any(self, ways: DirSet, now: u32) -> bool {
        self.cycle == now && self.ways.meets(ways)
    }

    #[inline]
    pub fn add(&mut self, ways: DirSet, now: u32) {
        let before = if self.cycle == now { self.ways } else { DirSet::NONE };
        *self = Used { cycle: now, ways: before.union(ways) };
    }
}

/// The records of a tile: one after another, by color.
#[derive(Clone, Copy, Default)]
struct Place {
    first: u32,
    /// The colors that have a record.
    colors: u32,
}

impl Place {
    #[inline]
    fn record(self, color: u8) -> Option<RecordId> {
        let bit = 1u32.checked_shl(color.into())?;
        (self.colors & bit != 0).then(|| RecordId::new(self.first + (self.colors & (bit - 1)).count_ones()))
    }
}

pub struct Row {
    pub(crate) y: u32,
    pub(crate) table: Arc<RouteTable>,
    pub(crate) hop: u64,
    pub(crate) buffer: u8,
    /// The records of the table by their numbers, then those made since.
    pub(crate) records: Vec<Record>,
    /// The records of colors that the table does not route, by their numbers for other rows.
    made: FxHashMap<RecordId, RecordId>,
    /// The used outputs of each column.
    pub(crate) used: Vec<Used>,
    /// The records of each column.
    places: Vec<Place>,
    /// States that differ from those of the table.
    pub(crate) changed: FxHashMap<RecordId, ColorState>,
    /// Wavelets that have left the program, by color, column and side.
    pub(crate) lost: BTreeMap<(u8, u32, Direction), u64>,
    /// Records, each with the number of wavelets from the CE before its switch advances (`.advance_switch`).
    pub(crate) advances: Vec<(RecordId, u8)>,
    /// The records to visit: those whose next wavelet comes from the ramp, then those whose next wavelet passes by.
    pub(crate) active: [Vec<RecordId>; 2],
    /// Scratch: records that have sent and go to the end of a list, each with its precedence.
    pub(crate) sent: Vec<(usize, RecordId)>,
    /// The batches by cycle modulo RING, then by their source.
    pub(crate) inbox: [[Batch; 3]; RING],
    pub(crate) north: Batch,
    pub(crate) south: Batch,
    /// Whether events are recorded beside the hash.
    pub(crate) is_traced: bool,
    pub(crate) hash: u64,
    pub(crate) moved: u64,
    /// The last cycle in which a wavelet landed.
    last_landing: u64,
    pub(crate) trace: Vec<TraceEvent>,
}

impl Row {
    pub fn new(table: Arc<RouteTable>, y: u32, chip: &Chip, is_traced: bool) -> Row {
        let buffer = u8::try_from(chip.timing.router_buffer).unwrap_or(u8::MAX).min(MAX_BUFFER as u8);
        let records: Vec<Record> =
            table.records(y).map(|(x, color, state)| Record::new(x, color, state, buffer)).collect();
        let width = table.width() as usize;
        let places = places(width, &records);
        let mut row = Row {
            y,
            table,
            hop: u64::from(chip.timing.hop),
            buffer,
            records,
            made: FxHashMap::default(),
            used: vec![Used { cycle: u32::MAX, ways: DirSet::NONE }; width],
            places,
            changed: FxHashMap::default(),
            lost: BTreeMap::new(),
            advances: Vec::new(),
            active: Default::default(),
            sent: Vec::new(),
            inbox: Default::default(),
            north: Batch::default(),
            south: Batch::default(),
            is_traced,
            hash: 0,
            moved: 0,
            last_landing: 0,
            trace: Vec::new(),
        };
        row.mark_shared_inputs();
        row
    }

    /// Flags records with an input that the other color of the pair receives too.
    fn mark_shared_inputs(&mut self) {
        for record in &mut self.records {
            let shared = |side| self.table.received_twice(record.x(), self.y, side, record.color);
            if Direction::ALL.into_iter().any(shared) {
                record.flags |= SHARES_INPUT;
            }
        }
    }

    /// The outputs of a column used in this cycle.
    #[inline]
    pub(crate) fn used_at(&mut self, x: u32) -> &mut Used {
        &mut self.used[x as usize]
    }

    /// The order-free hash over all landings so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The number of landings so far.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// The last cycle in which a wavelet landed; 0 if none has.
    pub fn last_landing(&self) -> u64 {
        self.last_landing
    }

    /// The wavelets that have left the program so far.
    pub fn lost(&self) -> impl Iterator<Item = Lost> {
        self.lost.iter().map(|(&(color, x, side), &count)| Lost { x, color, side, count })
    }

    /// The number of records that may move in the next cycle.
    pub fn active(&self) -> usize {
        self.active.iter().map(Vec::len).sum()
    }

    /// Takes the recorded events.
    pub fn take_events(&mut self) -> Vec<TraceEvent> {
        std::mem::take(&mut self.trace)
    }

    /// The number of a color's record at a column.
    #[inline]
    pub fn record(&self, x: u32, color: u8) -> Option<RecordId> {
        self.places.get(x as usize)?.record(color).or_else(|| self.made_record(unrouted(x, color)))
    }

    /// The record that was made for a color that the table does not route.
    fn made_record(&self, number: RecordId) -> Option<RecordId> {
        if self.made.is_empty() { None } else { self.made.get(&number).copied() }
    }

    /// The record of a color at a column. It is made if there is none: without a route, so that it keeps the wavelets
    /// that land on it.
    #[cold]
    pub(crate) fn record_made(&mut self, x: u32, color: u8) -> RecordId {
        if let Some(number) = self.record(x, color) {
            return number;
        }
        let (number, state) = (RecordId::next(&self.records), ColorState::default());
        self.records.push(Record::new(x, color, &state, self.buffer));
        self.changed.insert(number, state);
        self.made.insert(unrouted(x, color), number);
        number
    }

    /// The number of a record in this row, from the number that other rows know.
    #[inline]
    fn own_number(&mut self, number: RecordId) -> RecordId {
        if number.index() < self.records.len() { number } else { self.number_of_unrouted(number) }
    }

    #[cold]
    fn number_of_unrouted(&mut self, number: RecordId) -> RecordId {
        place_of_unrouted(number).map_or(number, |(x, color)| self.record_made(x, color))
    }

    /// The record that takes the wavelets of the CE at a column on a color: that of the color itself, or with swap in
    /// both directions that of the other color of the pair. `None` where neither takes or sends anything at its current
    /// position.
    #[inline]
    pub fn routed(&self, x: u32, color: u8) -> Option<RecordId> {
        let number = match self.table.has_swaps() {
            false => self.record(x, color)?,
            true => self.record(x, self.table.received(x, self.y, Direction::Ramp, color).color)?,
        };
        let record = &self.records[number];
        (!record.rx.union(record.tx).is_empty()).then_some(number)
    }

    /// The next cycle with an event in this row; at most `now + 1` while any record can move.
    #[inline]
    pub fn next_event(&self, now: u64) -> Option<u64> {
        if self.active() > 0 {
            return Some(now + 1);
        }
        let waiting = |cycle: &u64| self.inbox[slot(*cycle)].iter().any(|batch| !batch.is_empty());
        (now + 1..=now + self.hop).find(waiting)
    }

    // ---- between rows ----

    /// Exchanges the batches of cycle `now`: those that leave `upper` to the south and `lower` to the north. The
    /// vectors are exchanged, not copied.
    pub fn exchange(upper: &mut Row, lower: &mut Row, now: u64) {
        let slot = slot(now + upper.hop);
        swap_if_any(&mut upper.south, &mut lower.inbox[slot][FROM_NORTH]);
        swap_if_any(&mut lower.north, &mut upper.inbox[slot][FROM_SOUTH]);
    }

    /// Whether any batch waits for the neighbour rows: `(north, south)`.
    pub fn has_outgoing(&self) -> (bool, bool) {
        (!self.north.is_empty(), !self.south.is_empty())
    }

    /// Takes the batch for the row to the north of a shard.
    pub fn take_north(&mut self) -> Batch {
        std::mem::take(&mut self.north)
    }

    pub fn take_south(&mut self) -> Batch {
        std::mem::take(&mut self.south)
    }

    /// Puts the batch that another shard's row sent in cycle `sent_at` into the inbox.
    pub fn put_from_north(&mut self, batch: Batch, sent_at: u64) {
        self.inbox[slot(sent_at + self.hop)][FROM_NORTH] = batch;
    }

    pub fn put_from_south(&mut self, batch: Batch, sent_at: u64) {
        self.inbox[slot(sent_at + self.hop)][FROM_SOUTH] = batch;
    }

    // ---- landings ----

    /// Lands the wavelets and credits that are due in cycle `now`.
    pub fn land(&mut self, now: u64) -> Result<(), Fault> {
        let slot = slot(now);
        for source in 0..3 {
            if self.inbox[slot][source].is_empty() {
                continue;
            }
            let mut batch = std::mem::take(&mut self.inbox[slot][source]);
            for landing in &batch.landings {
                self.land_one(*landing, now)?;
            }
            for credit in &batch.credits {
                self.credit(*credit);
            }
            batch.clear();
            self.inbox[slot][source] = batch;
        }
        Ok(())
    }

    #[inline]
    fn land_one(&mut self, landing: Landing, now: u64) -> Result<(), Fault> {
        let Landing { from, wavelet, .. } = landing;
        let number = self.own_number(landing.record);
        let record = &mut self.records[number];
        let hash = landing_hash(now, record.x(), self.y, from, record.color, wavelet);
        self.hash = self.hash.wrapping_add(hash);
        self.moved += 1;
        self.last_landing = now;
        if record.rx.contains(from) {
            // The guide leaves it undefined how a router treats two wavelets of one color at once.
            if record.landed_at == low_bits(now) && record.flags & MESSAGES == 0 {
                return Err(self.collision(number, from, wavelet));
            }
            (record.landed_at, record.landed_from) = (low_bits(now), from);
        }
        let lane = record.lane_mut(from);
        lane.push(wavelet);
        if lane.upstream.is_none() && from != Direction::Ramp {
            self.find_upstream(number, from);
        }
        self.wake(number);
        if self.is_traced {
            self.note(number, now, Traced::Landing { from, wavelet, local_flip: false });
        }
        Ok(())
    }

    #[cold]
    pub(crate) fn note(&mut self, number: RecordId, cycle: u64, what: Traced) {
        let (x, color) = self.records[number].place();
        self.trace.push(TraceEvent { cycle, x, y: self.y, color, what });
    }

    fn collision(&self, number: RecordId, from: Direction, wavelet: Wavelet) -> Fault {
        let record = &self.records[number];
        let (a, b) = (record.landed_from, from);
        let kind = FaultKind::Collision { sides: [a.min(b), a.max(b)] };
        Fault { x: record.x(), y: self.y, color: record.color, wavelet, kind }
    }

    /// Finds the sender of a lane, which gets its credits.
    fn find_upstream(&mut self, number: RecordId, from: Direction) {
        let (x, color) = self.records[number].place();
        let sender = || {
            let (nx, ny) = self.table.neighbour(x, self.y, from)?;
            let sent_on = match self.state(number).config.messages {
                Some(first) => messages::color_from(first, from),
                None => self.table.source_color(x, self.y, from, color),
            };
            Some(self.table.number(nx, ny, sent_on))
        };
        let upstream = sender();
        self.records[number].lane_mut(from).upstream = upstream;
    }

    fn credit(&mut self, credit: Credit) {
        let number = self.own_number(credit.record());
        self.records[number].add_credit(credit.side());
        self.wake(number);
    }

    #[inline]
    pub(crate) fn wake(&mut self, number: RecordId) {
        let record = &mut self.records[number];
        if record.flags & QUEUED == 0
            && let Some(precedence) = record.precedence()
        {
            record.flags |= QUEUED;
            self.active[precedence].push(number);
        }
    }

    /// Notes that the CE at a column has room for a color again, or takes it at all now.
    pub fn ramp_has_room(&mut self, x: u32, color: u8) {
        if let Some(record) = self.record(x, color) {
            self.wake(record);
        }
    }

    /// Lands a wavelet from the CE. Returns false, and changes nothing, when the buffer is full;
    /// [`Ramp::accepted`] tells when there is room again.
    #[inline]
    pub fn inject(&mut self, record: RecordId, wavelet: Wavelet, now: u64) -> Result<bool, Fault> {
        if self.records[record].flags & MESSAGES != 0 {
            return self.inject_message(record, wavelet, now);
        }
        self.land_from_ce(record, wavelet, now)
    }

    fn land_from_ce(&mut self, record: RecordId, wavelet: Wavelet, now: u64) -> Result<bool, Fault> {
        let room = self.records[record].ramp_has_room(self.buffer);
        if room {
            self.land_one(Landing { record, from: Direction::Ramp, wavelet }, now)?;
        }
        Ok(room)
    }

    fn inject_message(&mut self, comm: RecordId, wavelet: Wavelet, now: u64) -> Result<bool, Fault> {
        let record = self.message_from_ce(comm, wavelet);
        let landed = self.land_from_ce(record, wavelet, now)?;
        if landed {
            self.message_has_landed(comm, record, wavelet);
        }
        Ok(landed)
    }

    /// Lets the wavelet that [`Row::inject`] has just taken advance the switch once it has been forwarded.
    pub fn advance_behind(&mut self, record: RecordId) {
        let lanes = self.records[record].lanes();
        let waiting = lanes.filter(|(side, _)| *side == Direction::Ramp).map(|(_, lane)| lane.len).sum();
        self.advances.push((record, waiting));
        if let Some(Traced::Landing { local_flip, .. }) = self.trace.last_mut().map(|event| &mut event.what) {
            *local_flip = true;
        }
        self.records[record].flags |= ADVANCES;
    }
}

fn places(width: usize, records: &[Record]) -> Vec<Place> {
    let mut places = vec![Place::default(); width];
    for (number, record) in (0..).zip(records) {
        let place = &mut places[record.x() as usize];
        if place.colors == 0 {
            place.first = number;
        }
        place.colors |= 1 << record.color;
    }
    places
}

fn swap_if_any(from: &mut Batch, to: &mut Batch) {
    if !from.is_empty() {
        std::mem::swap(from, to);
    }
}
