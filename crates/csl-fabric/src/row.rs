//! One row of routers. It owns its virtual channels and touches no other row: wavelets and credits for the rows north
//! and south leave as batches that arrive a hop later. So the order in which rows are visited, and the threads that
//! visit them, change nothing, and a row may be a cycle ahead of its neighbour.
//!
//! The way of a wavelet: [`Row::inject`] (or a batch) puts it into an input buffer; [`Row::route`] moves the heads of
//! the input buffers of active virtual channels (switch allocation, `route.rs`). A virtual channel that cannot move
//! sleeps until a landing, a credit, room at the ramp or a register write wakes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use csl_machine::{Chip, Color, Coord, DirSet, Direction, Schedule, Wavelet};
use rustc_hash::FxHashMap;

use crate::carry::Held;
use crate::edges::Edges;
use crate::event::{Dropped, Fault, FaultKind, TraceEvent, Traced, landing_hash};
use crate::messages;
use crate::state::ColorState;
use crate::table::{RouteTable, column_and_color_of_unrouted, unrouted};
use crate::vc_set::VcSet;
use crate::virtual_channel::{
    ADVANCES, Arrival, Batch, Credit, MAX_BUFFER_DEPTH, MESSAGES, QUEUED, SHARES_INPUT, VcId, VirtualChannel,
};

/// The compute elements of a row, as its routers see them.
pub trait Ramp {
    /// Whether the CE at column `x` can take a wavelet of `color` now.
    fn room(&mut self, x: u32, color: Color) -> bool;
    /// A wavelet reaches the CE, from a link or from the CE itself (`is_own`). Only called after [`Ramp::room`] said
    /// yes in the same cycle.
    fn deliver(&mut self, x: u32, color: Color, wavelet: Wavelet, is_own: bool);
    /// Tells the CE that the router has taken a wavelet from it: there is room for one more.
    fn accepted(&mut self, x: u32, color: Color);
    /// Tells the CE that a TEARDOWN command has passed: the color has stopped.
    fn torn_down(&mut self, x: u32, color: Color);
}

/// The number of slots of the inbox: more than the longest hop and the cycle by which a neighbour may be ahead.
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

/// The outputs of a tile that have been granted in a cycle: each takes one wavelet a cycle.
#[derive(Clone, Copy)]
pub(crate) struct Granted {
    /// The low bits of that cycle.
    cycle: u32,
    outputs: DirSet,
}

impl Granted {
    #[inline]
    pub fn meets(self, outputs: DirSet, now: u32) -> bool {
        self.cycle == now && self.outputs.meets(outputs)
    }

    #[inline]
    pub fn add(&mut self, outputs: DirSet, now: u32) {
        let before = if self.cycle == now { self.outputs } else { DirSet::NONE };
        *self = Granted { cycle: now, outputs: before.union(outputs) };
    }
}

/// The virtual channels of a tile: one after another, by color.
#[derive(Clone, Copy, Default)]
struct TileVcs {
    first: u32,
    /// The colors that have a virtual channel.
    colors: u32,
}

impl TileVcs {
    #[inline]
    fn vc(self, color: Color) -> Option<VcId> {
        let bit = color.bit();
        (self.colors & bit != 0).then(|| VcId::new(self.first + (self.colors & (bit - 1)).count_ones()))
    }
}

/// A row of routers (see the head of this file).
pub struct Row {
    pub(crate) y: u32,
    pub(crate) table: Arc<RouteTable>,
    pub(crate) hop: u64,
    pub(crate) buffer_depth: u8,
    /// The virtual channels of the table by their numbers, then those made since.
    pub(crate) vcs: Vec<VirtualChannel>,
    /// The virtual channels of colors that the table does not route, by their numbers for other rows.
    made: FxHashMap<VcId, VcId>,
    /// The outputs granted last, by column.
    pub(crate) granted: Vec<Granted>,
    /// The virtual channels of each column.
    tiles: Vec<TileVcs>,
    /// States that differ from those of the table.
    pub(crate) changed: FxHashMap<VcId, ColorState>,
    /// Wavelets that stand at routers in a run without a clock.
    pub(crate) held: FxHashMap<VcId, Held>,
    /// Wavelets that have left the program, by color, column and side.
    pub(crate) dropped: BTreeMap<(Color, u32, Direction), u64>,
    /// Ports of the host at the edges of the program.
    pub(crate) edges: Option<Box<Edges>>,
    /// Virtual channels, each with the number of wavelets from the CE before its switch advances (`.advance_switch`).
    pub(crate) advances: Vec<(VcId, u32)>,
    /// The virtual channels that were denied, by priority (those whose next wavelet comes from the ramp, then those whose
    /// next wavelet passes by), the oldest first.
    pub(crate) active: [Vec<VcId>; 2],
    /// The virtual channels that may have become able to send since, by priority.
    pub(crate) woken: [VcSet; 2],
    /// The batches by cycle modulo RING, then by their source.
    pub(crate) inbox: [[Batch; 3]; RING],
    /// The slots of the inbox that may hold something, one bit each.
    pub(crate) expected: u8,
    pub(crate) north: Batch,
    pub(crate) south: Batch,
    /// The number of virtual channels that wanted to move in the last cycle.
    pub(crate) requests: usize,
    /// Draws delays, where another schedule than the machine's own runs.
    pub(crate) schedule: Option<Schedule>,
    /// Whether some tile of the program swaps colors.
    has_swaps: bool,
    /// The first collision of this cycle's landings, by column and color.
    collision: Option<Box<Fault>>,
    /// Whether events are recorded beside the hash.
    pub(crate) is_traced: bool,
    pub(crate) hash: u64,
    pub(crate) moved: u64,
    /// The last cycle in which a wavelet landed.
    last_arrival: u64,
    pub(crate) trace: Vec<TraceEvent>,
}

impl Row {
    pub fn new(table: Arc<RouteTable>, y: u32, chip: &Chip, is_traced: bool) -> Row {
        let buffer_depth = u8::try_from(chip.timing.router_buffer).unwrap_or(u8::MAX).min(MAX_BUFFER_DEPTH as u8);
        let vcs: Vec<VirtualChannel> =
            table.vcs(y).map(|(x, color, state)| VirtualChannel::new(x, color, state, buffer_depth)).collect();
        let width = table.width() as usize;
        let tiles = tiles(width, &vcs);
        let mut row = Row {
            y,
            schedule: None,
            has_swaps: table.has_swaps(),
            collision: None,
            requests: 0,
            table,
            hop: u64::from(chip.timing.hop),
            buffer_depth,
            vcs,
            made: FxHashMap::default(),
            granted: vec![Granted { cycle: u32::MAX, outputs: DirSet::NONE }; width],
            tiles,
            changed: FxHashMap::default(),
            held: FxHashMap::default(),
            dropped: BTreeMap::new(),
            edges: None,
            advances: Vec::new(),
            active: Default::default(),
            woken: Default::default(),
            inbox: Default::default(),
            expected: 0,
            north: Batch::default(),
            south: Batch::default(),
            is_traced,
            hash: 0,
            moved: 0,
            last_arrival: 0,
            trace: Vec::new(),
        };
        row.mark_shared_inputs();
        row
    }

    /// Runs by another schedule than the machine's own: now and then a wavelet waits for a while though it could go.
    pub fn draw_from(&mut self, schedule: Schedule) {
        self.schedule = Some(schedule);
    }

    /// Flags virtual channels with an input that the other color of the pair receives too.
    fn mark_shared_inputs(&mut self) {
        if !self.has_swaps {
            return;
        }
        for vc in &mut self.vcs {
            let shared = |side| self.table.received_twice(vc.x(), self.y, side, vc.color);
            if Direction::ALL.into_iter().any(shared) {
                vc.flags |= SHARES_INPUT;
            }
        }
    }

    /// The outputs of a column granted last.
    #[inline]
    pub(crate) fn granted_at(&mut self, x: u32) -> &mut Granted {
        &mut self.granted[x as usize]
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
    pub fn last_arrival(&self) -> u64 {
        self.last_arrival
    }

    /// The wavelets that have left the program so far.
    pub fn dropped(&self) -> impl Iterator<Item = Dropped> {
        self.dropped.iter().map(|(&(color, x, side), &count)| Dropped { x, color, side, count })
    }

    /// The number of virtual channels that wanted to move in the last cycle.
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// Whether any virtual channel may move in the next cycle.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.active.iter().any(|list| !list.is_empty()) || self.woken.iter().any(|set| !set.is_empty())
    }

    /// Takes the recorded events.
    pub fn take_events(&mut self) -> Vec<TraceEvent> {
        std::mem::take(&mut self.trace)
    }

    /// The virtual channel of a color at a column.
    #[inline]
    pub fn vc(&self, x: u32, color: Color) -> Option<VcId> {
        self.tiles.get(x as usize)?.vc(color).or_else(|| self.made_vc(unrouted(x, color)))
    }

    /// The virtual channel that was made for a color that the table does not route.
    fn made_vc(&self, number: VcId) -> Option<VcId> {
        if self.made.is_empty() { None } else { self.made.get(&number).copied() }
    }

    /// Whether there are virtual channels whose numbers do not follow their places.
    #[inline]
    pub(crate) fn has_made_vcs(&self) -> bool {
        !self.made.is_empty()
    }

    /// The virtual channel of a color at a column. It is made if there is none: without a route, so that it keeps the
    /// wavelets that land on it.
    #[cold]
    pub(crate) fn vc_made(&mut self, x: u32, color: Color) -> VcId {
        if let Some(number) = self.vc(x, color) {
            return number;
        }
        let (number, state) = (VcId::next(&self.vcs), ColorState::default());
        self.vcs.push(VirtualChannel::new(x, color, &state, self.buffer_depth));
        self.changed.insert(number, state);
        self.made.insert(unrouted(x, color), number);
        number
    }

    /// The number of a virtual channel in this row, from the number that other rows know.
    #[inline]
    pub(crate) fn own_number(&mut self, number: VcId) -> VcId {
        if number.index() < self.vcs.len() { number } else { self.number_of_unrouted(number) }
    }

    #[cold]
    fn number_of_unrouted(&mut self, number: VcId) -> VcId {
        column_and_color_of_unrouted(number).map_or(number, |(x, color)| self.vc_made(x, color))
    }

    /// The virtual channel that takes the wavelets of the CE at a column on a color: that of the color itself, or with
    /// swap in both directions that of the other color of the pair. `None` where neither takes or sends anything at its
    /// current position.
    #[inline]
    pub fn routed(&self, x: u32, color: Color) -> Option<VcId> {
        let number = match self.table.has_swaps() {
            false => self.vc(x, color)?,
            true => self.vc(x, self.table.received(x, self.y, Direction::Ramp, color).color)?,
        };
        let vc = &self.vcs[number];
        (!vc.rx.union(vc.tx).is_empty()).then_some(number)
    }

    /// The next cycle with an event in this row; at most `now + 1` while any virtual channel can move.
    #[inline]
    pub fn next_event(&self, now: u64) -> Option<u64> {
        if self.is_active() || self.may_enter() {
            return Some(now + 1);
        }
        (now + 1..=now + self.hop).find(|cycle| self.expected >> slot(*cycle) & 1 != 0)
    }

    // ---- between rows ----

    /// Exchanges the batches of cycle `now`: those that leave `upper` to the south and `lower` to the north. The
    /// vectors are exchanged, not copied. Returns whether anything went south and north.
    pub fn exchange(upper: &mut Row, lower: &mut Row, now: u64) -> (bool, bool) {
        let slot = slot(now + upper.hop);
        let (to_lower, to_upper) = (!upper.south.is_empty(), !lower.north.is_empty());
        if to_lower {
            std::mem::swap(&mut upper.south, &mut lower.inbox[slot][FROM_NORTH]);
            lower.expected |= 1 << slot;
        }
        if to_upper {
            std::mem::swap(&mut lower.north, &mut upper.inbox[slot][FROM_SOUTH]);
            upper.expected |= 1 << slot;
        }
        (to_lower, to_upper)
    }

    /// Whether any batch waits for the neighbour rows: `(north, south)`.
    pub fn has_outgoing(&self) -> (bool, bool) {
        (!self.north.is_empty(), !self.south.is_empty())
    }

    // ---- landings ----

    /// Puts the wavelets that are due in cycle `now` into their input buffers, and adds the credits.
    pub fn arrive(&mut self, now: u64) -> Result<(), Box<Fault>> {
        let slot = slot(now);
        if self.expected >> slot & 1 == 0 {
            return Ok(());
        }
        self.expected &= !(1 << slot);
        let events = self.trace.len();
        for source in 0..3 {
            if self.inbox[slot][source].is_empty() {
                continue;
            }
            let mut batch = std::mem::take(&mut self.inbox[slot][source]);
            for arrival in &batch.arrivals {
                self.arrive_one(*arrival, now);
            }
            for credit in &batch.credits {
                self.credit(*credit);
            }
            batch.clear();
            self.inbox[slot][source] = batch;
        }
        if self.is_traced {
            self.trace[events..].sort_by_key(|event| (event.x, event.side()));
        }
        self.collided()
    }

    #[inline]
    pub(crate) fn collided(&mut self) -> Result<(), Box<Fault>> {
        self.collision.take().map_or(Ok(()), Err)
    }

    #[inline(always)]
    pub(crate) fn arrive_one(&mut self, arrival: Arrival, now: u64) {
        let Arrival { from, wavelet, .. } = arrival;
        let number = self.own_number(arrival.vc);
        let vc = &mut self.vcs[number];
        let hash = landing_hash(now, vc.x(), self.y, from, vc.color, wavelet);
        self.hash = self.hash.wrapping_add(hash);
        self.moved += 1;
        self.last_arrival = now;
        if vc.rx.contains(from) {
            // The guide leaves it undefined how a router treats two wavelets of one color at once.
            if vc.landed_at == low_bits(now) && vc.flags & MESSAGES == 0 {
                return self.collide(number, from, wavelet);
            }
            (vc.landed_at, vc.landed_from) = (low_bits(now), from);
        }
        vc.push(from, wavelet);
        if vc.buffer(from).upstream.is_none() && from != Direction::Ramp {
            self.find_upstream(number, from);
        }
        self.wake(number);
        if self.is_traced {
            self.note(number, now, Traced::Landing { from, wavelet, local_flip: false });
        }
    }

    #[cold]
    pub(crate) fn note(&mut self, number: VcId, cycle: u64, what: Traced) {
        let (x, color) = self.vcs[number].column_and_color();
        self.trace.push(TraceEvent { cycle, x, y: self.y, color, what });
    }

    /// Notes that a wavelet has landed in the same cycle as another of its color; the fault tells the one of the later
    /// side.
    #[cold]
    fn collide(&mut self, number: VcId, from: Direction, wavelet: Wavelet) {
        let vc = &self.vcs[number];
        let (a, b) = (vc.landed_from, from);
        let other = vc.buffers().find(|(side, _)| *side == a).map_or(wavelet, |(_, buffer)| buffer.back());
        let wavelet = if a > b { other } else { wavelet };
        let kind = FaultKind::Collision { sides: [a.min(b), a.max(b)] };
        let fault = Fault { x: vc.x(), y: self.y, color: vc.color, wavelet, kind };
        self.collision = Some(Box::new(match self.collision.take() {
            Some(first) => first.first(fault),
            None => fault,
        }));
    }

    /// Finds the sender of an input buffer, which gets its credits.
    #[cold]
    fn find_upstream(&mut self, number: VcId, from: Direction) {
        let (x, color) = self.vcs[number].column_and_color();
        let sender = || {
            let Coord { x: nx, y: ny } = self.table.neighbour(x, self.y, from)?;
            let sent_on = match self.state(number).config.messages {
                Some(first) => messages::color_from(first, from),
                None => self.table.source_color(x, self.y, from, color),
            };
            Some(self.table.number(nx, ny, sent_on))
        };
        let upstream = sender();
        self.vcs[number].buffer_mut(from).upstream = upstream;
    }

    fn credit(&mut self, credit: Credit) {
        let number = self.own_number(credit.vc());
        self.vcs[number].add_credit(credit.side());
        self.wake(number);
    }

    #[inline]
    pub(crate) fn wake(&mut self, number: VcId) {
        self.wake_one(number);
        if self.has_swaps {
            self.wake_partner(number);
        }
    }

    #[inline(always)]
    fn wake_one(&mut self, number: VcId) {
        let vc = &mut self.vcs[number];
        if vc.flags & QUEUED != 0 {
            if vc.has_several_inputs() {
                self.rank_anew(number);
            }
        } else if let Some(priority) = vc.priority() {
            vc.flags |= QUEUED;
            self.woken[priority].insert(number);
        }
    }

    /// Gives a virtual channel with several inputs that has been woken since the last cycle the priority of its next
    /// wavelet, which may be another by now.
    #[cold]
    fn rank_anew(&mut self, number: VcId) {
        let vc = &mut self.vcs[number];
        let is_woken = self.woken[0].remove(number) || self.woken[1].remove(number);
        match vc.priority() {
            Some(priority) if is_woken => self.woken[priority].insert(number),
            None if is_woken => vc.flags &= !QUEUED,
            _ => {}
        }
    }

    /// Wakes the other color of the pair where its wavelets leave by this one as well: they may have waited for the same.
    #[cold]
    fn wake_partner(&mut self, number: VcId) {
        let (x, color) = self.vcs[number].column_and_color();
        if let Some(partner) = self.vc(x, color.partner()).filter(|vc| self.vcs[*vc].flags & SHARES_INPUT != 0) {
            self.wake_one(partner);
        }
    }

    /// Notes that the CE at a column has room for a color again, or takes it at all now.
    pub fn ramp_has_room(&mut self, x: u32, color: Color) {
        if let Some(vc) = self.vc(x, color) {
            self.wake(vc);
        }
    }

    /// Puts a wavelet from the CE into its input buffer. Returns false, and changes nothing, when the buffer is full;
    /// [`Ramp::accepted`] tells when there is room again.
    #[inline]
    pub fn inject(&mut self, vc: VcId, wavelet: Wavelet, now: u64) -> Result<bool, Box<Fault>> {
        if self.vcs[vc].flags & MESSAGES != 0 {
            return self.inject_message(vc, wavelet, now);
        }
        self.arrive_from_ce(vc, wavelet, now)
    }

    #[inline]
    fn arrive_from_ce(&mut self, vc: VcId, wavelet: Wavelet, now: u64) -> Result<bool, Box<Fault>> {
        let room = self.vcs[vc].has_room(Direction::Ramp, self.buffer_depth);
        if room {
            self.arrive_one(Arrival { vc, from: Direction::Ramp, wavelet }, now);
            self.collided()?;
        }
        Ok(room)
    }

    #[cold]
    fn inject_message(&mut self, comm: VcId, wavelet: Wavelet, now: u64) -> Result<bool, Box<Fault>> {
        let vc = self.message_from_ce(comm, wavelet);
        let landed = self.arrive_from_ce(vc, wavelet, now)?;
        if landed {
            self.message_has_landed(comm, vc, wavelet);
        }
        Ok(landed)
    }

    /// Lets the wavelet that [`Row::inject`] has just taken advance the switch once it has been forwarded.
    pub fn advance_behind(&mut self, vc: VcId) {
        let buffers = self.vcs[vc].buffers();
        let waiting =
            buffers.filter(|(side, _)| *side == Direction::Ramp).map(|(_, buffer)| u32::from(buffer.len)).sum();
        self.advances.push((vc, waiting));
        if let Some(Traced::Landing { local_flip, .. }) = self.trace.last_mut().map(|event| &mut event.what) {
            *local_flip = true;
        }
        self.vcs[vc].flags |= ADVANCES;
    }
}

fn tiles(width: usize, vcs: &[VirtualChannel]) -> Vec<TileVcs> {
    let mut tiles = vec![TileVcs::default(); width];
    for (number, vc) in (0..).zip(vcs) {
        let tile = &mut tiles[vc.x() as usize];
        if tile.colors == 0 {
            tile.first = number;
        }
        tile.colors |= vc.color.bit();
    }
    tiles
}
