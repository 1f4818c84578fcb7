//! Runs without a clock: every tile runs ahead until it waits for something that only other tiles can give, and what it
//! sends is carried to its end at once (docs/decisions/machine.md M66).
//!
//! A run goes in rounds. In a round each tile that can go on does so, by itself; then what the tiles have sent is carried,
//! tile by tile, in the order in which each has sent it, first within bands of rows, then from band to band. So all tiles
//! take the host's commands, and start, before any wavelet of that start lands. Each tile has a time of its own, which
//! arrivals move on: it orders prints, bounds endless programs, and means nothing else. A wavelet's time is that of its
//! sender and a cycle a hop: it bounds those that go round in a circle.

use std::collections::VecDeque;

use csl_fabric::{Landing, Passing, Ramp, VcId};
use csl_machine::{Burst, Color, Direction, Wavelet};
use csl_pe::InputSlot;

use crate::element::Element;
use crate::element_row::ElementRow;
use crate::registers::Write;
use crate::row::Row;
use crate::rows::{Rows, Strip};
use crate::stop::FaultReport;
use crate::tile::NEVER;

/// The bursts that wait at one place before those who send there have to wait.
const CROWD: usize = 1024;

/// The rows of a band: few enough that what a band has sent is still near by when it is carried.
const BAND: usize = 4;

/// The number of bands with work from which on threads share them.
const BANDS_FOR_THREADS: usize = 4;

/// The hops that a wavelet which goes round in a circle does in a round: then others have their turn.
const TURN: u32 = 1 << 12;

/// The hops from which on a wavelet does not pass a crowded place. Otherwise one that goes round and lands at each turn would
/// fill all memory before it counts as going round.
const HOPS_IN_A_CROWD: u32 = 1 << 12;

/// What a tile has sent in a round.
pub(crate) struct Parcel {
    pub x: u32,
    pub time: u64,
    pub what: Sent,
}

pub(crate) enum Sent {
    Burst {
        vc: VcId,
        color: Color,
        burst: Burst,
        advances: bool,
    },
    Write(Write),
    /// An input queue takes this color now.
    Takes(Color),
    /// Wavelets that go round, which a router was to pass on in the round before. They go on once `crowded` has room.
    Onward {
        passing: Passing,
        sender: Option<Sender>,
        crowded: Option<Crowded>,
    },
}

/// The tile that has sent wavelets, and their color there.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    y: u32,
    x: u32,
    color: Color,
}

/// A tile whose color waits, because wavelets that it has sent are not taken.
pub(crate) struct Paused {
    pub y: u32,
    pub x: u32,
    pub color: Color,
    at: Crowded,
}

/// A place where so many bursts wait that no more are to come.
#[derive(Clone, Copy)]
pub(crate) enum Crowded {
    Input { y: u32, x: u32, slot: InputSlot },
    Router { y: u32, x: u32, color: Color },
}

/// The outcome of a round.
#[derive(Default)]
pub(crate) struct Round {
    /// The number of tiles that ran.
    pub ran: usize,
    /// The latest time of those tiles.
    pub front: u64,
    /// Whether some tile has come to the limit.
    pub at_limit: bool,
    /// The first fault, by row and column.
    pub fault: Option<Box<FaultReport>>,
}

/// The compute elements of a row, as routers see them without a clock.
struct Dock<'a, E> {
    elements: &'a mut ElementRow<E>,
    time: u64,
    crowded: Option<Crowded>,
}

impl<E: Element> Ramp for Dock<'_, E> {
    fn room(&mut self, x: u32, color: Color) -> bool {
        let Some(tile_id) = self.elements.touch(x) else { return false };
        let tile = &mut self.elements.tiles[tile_id];
        let takes = tile.ports.arrival_slot(color).is_some();
        if !takes {
            tile.refused |= color.bit();
        }
        takes
    }

    fn deliver(&mut self, x: u32, color: Color, wavelet: Wavelet, _is_own: bool) {
        self.land(x, color, &Burst::one(wavelet));
    }

    fn accepted(&mut self, _x: u32, _color: Color) {}

    fn torn_down(&mut self, x: u32, color: Color) {
        self.elements.torn_down(x, color);
    }
}

impl<E: Element> Landing for Dock<'_, E> {
    fn land(&mut self, x: u32, color: Color, burst: &Burst) {
        let Some(tile_id) = self.elements.touch(x) else { return };
        let tile = &mut self.elements.tiles[tile_id];
        let Some(slot) = tile.ports.arrival_slot(color) else { return };
        tile.ports.land(slot, burst.clone());
        if tile.ports.inputs[slot].crowd() > CROWD {
            self.crowded = Some(Crowded::Input { y: self.elements.y, x, slot });
        }
        if tile.wake.arrivals & slot.bit() != 0 {
            tile.own_time = tile.own_time.max(self.time + 1);
            self.elements.wake(tile_id);
        }
    }
}

impl Round {
    #[cold]
    pub fn note_fault(&mut self, fault: Box<FaultReport>) {
        if self.fault.as_ref().is_none_or(|known| (fault.y, fault.x) < (known.y, known.x)) {
            self.fault = Some(fault);
        }
    }

    fn add(&mut self, other: Round) {
        self.ran += other.ran;
        self.front = self.front.max(other.front);
        self.at_limit |= other.at_limit;
        if let Some(fault) = other.fault {
            self.note_fault(fault);
        }
    }
}

/// Runs a round on this many threads. Nothing starts at `limit` or later.
///
/// Rows share nothing but what crosses from one band of rows to the next: first each band runs its tiles and carries what
/// they have sent as far as it stays there, then bands take what has come from those north and south, until nothing
/// crosses. So the order in which wavelets land is the same on any number of threads.
pub(crate) fn round<E: Element>(
    rows: &mut Rows<E>,
    limit: u64,
    paused: &mut Vec<Paused>,
    threads: usize,
    is_interrupted: impl Fn() -> bool + Sync,
) -> Round {
    let mut round = Round::default();
    let longest = rows.pes().saturating_mul(Direction::ALL.len() as u32);
    let mut bands: Vec<Band<E>> = rows.strips(BAND).map(Band::new).collect();
    let mut ready: Vec<&mut Band<E>> = bands.iter_mut().collect();
    ready.retain_mut(|band| band.strip.existing().any(|row| !(row.elements.ready.is_empty() && row.outbox.is_empty())));
    let known = &*paused;
    let bounds = Bounds { limit, longest };
    on_threads(ready, threads, |band| {
        if !is_interrupted() {
            band.run(bounds, known);
        }
    });
    let has_fault = |bands: &[Band<E>]| bands.iter().any(|band| band.round.fault.is_some());
    while !has_fault(&bands) && exchange(&mut bands) {
        let with_news = bands.iter_mut().filter(|band| !band.inbox.is_empty()).collect();
        on_threads(with_news, threads, |band| band.take_in());
    }
    let mut waiting = Vec::new();
    for band in bands {
        round.add(band.round);
        paused.extend(band.paused);
        waiting.extend(band.waiting);
    }
    for (y, parcel) in waiting {
        rows.touch(y).outbox.push(parcel);
    }
    if round.fault.is_none() {
        resume(rows, paused);
    }
    round
}

/// Does something with each band, on several threads where there are many.
fn on_threads<E: Element>(mut bands: Vec<&mut Band<E>>, threads: usize, run: impl Fn(&mut Band<E>) + Sync) {
    if threads < 2 || bands.len() < BANDS_FOR_THREADS {
        return bands.into_iter().for_each(run);
    }
    let share = bands.len().div_ceil(threads);
    std::thread::scope(|scope| {
        for part in bands.chunks_mut(share) {
            scope.spawn(|| part.iter_mut().for_each(|band| run(band)));
        }
    });
}

/// Moves what has left bands to those where it goes. Returns whether there was anything.
fn exchange<E>(bands: &mut [Band<E>]) -> bool {
    let mut any = false;
    for upper in 0..bands.len().saturating_sub(1) {
        let Ok([upper, lower]) = bands.get_disjoint_mut([upper, upper + 1]) else { break };
        lower.inbox.append(&mut upper.south);
        upper.inbox.append(&mut lower.north);
        any |= !(upper.inbox.is_empty() && lower.inbox.is_empty());
    }
    any
}

/// The ends of a round.
#[derive(Clone, Copy)]
struct Bounds {
    /// Nothing starts at this time or later; wavelets that go round do not go on.
    limit: u64,
    /// The hops of the longest way that leads anywhere: it comes to no side of a router twice. A wavelet with more goes round.
    longest: u32,
}

/// Some rows, and what crosses their borders.
struct Band<'a, E> {
    strip: Strip<'a, E>,
    round: Round,
    /// The tiles that have sent to crowded places.
    paused: Vec<Paused>,
    /// Wavelets that go on in the next round, with their rows.
    waiting: Vec<(u32, Parcel)>,
    inbox: Vec<Underway>,
    north: Vec<Underway>,
    south: Vec<Underway>,
    way: VecDeque<Underway>,
    out: Vec<Passing>,
}

/// Wavelets on their way to a router of row `y`.
struct Underway {
    y: u32,
    passing: Passing,
    origin: Origin,
}

/// Where wavelets come from.
#[derive(Clone, Copy)]
struct Origin {
    /// The time at which they were sent, or went on in this round.
    time: u64,
    /// The hops since, and those that it may do in this round.
    hops: u32,
    most: u32,
    sender: Option<Sender>,
}

impl<'a, E: Element> Band<'a, E> {
    fn new(strip: Strip<'a, E>) -> Band<'a, E> {
        Band {
            strip,
            round: Round::default(),
            paused: Vec::new(),
            waiting: Vec::new(),
            inbox: Vec::new(),
            north: Vec::new(),
            south: Vec::new(),
            way: VecDeque::new(),
            out: Vec::new(),
        }
    }

    fn run(&mut self, bounds: Bounds, paused: &[Paused]) {
        // Wavelets of the round before go on first, so that none overtakes them.
        self.carry(bounds);
        let Band { strip, round, .. } = self;
        strip.existing().for_each(|row| row.run_ready(bounds.limit, paused, round));
        if round.fault.is_none() {
            self.carry(bounds);
        }
    }

    fn carry(&mut self, bounds: Bounds) {
        let (first, count) = (self.strip.first as u32, self.strip.slots.len() as u32);
        (first..first + count).for_each(|y| self.carry_from(y, bounds));
    }

    fn carry_from(&mut self, y: u32, bounds: Bounds) {
        let Some(row) = self.strip.existing().find(|row| row.y == y && !row.outbox.is_empty()) else { return };
        let mut parcels = std::mem::take(&mut row.outbox);
        for parcel in parcels.drain(..) {
            self.begin(y, parcel, bounds);
            self.carry_on();
        }
        if let Some(row) = self.strip.row(y) {
            row.outbox = parcels;
        }
    }

    /// Takes what has crossed a border.
    fn take_in(&mut self) {
        for underway in std::mem::take(&mut self.inbox) {
            self.way.push_back(underway);
            self.carry_on();
        }
    }

    /// The first router of a parcel's way.
    fn begin(&mut self, y: u32, Parcel { x, time, what }: Parcel, bounds: Bounds) {
        let Some(row) = self.strip.row(y) else { return };
        let mut dock = Dock { elements: &mut row.elements, time, crowded: None };
        let (mut sender, mut at) = (None, None);
        match what {
            Sent::Burst { vc, color, burst, advances } => {
                sender = Some(Sender { y, x, color });
                row.fabric.pass_from_ce(vc, burst, advances, &mut dock, &mut self.out);
                at = (row.fabric.crowd(x, color) > CROWD).then_some(Crowded::Router { y, x, color });
            }
            Sent::Write(write) => {
                write.carry_out(&mut row.fabric, time);
                row.fabric.look_again(x, write.color(), &mut dock, &mut self.out);
            }
            Sent::Takes(color) => row.fabric.look_again(x, color, &mut dock, &mut self.out),
            Sent::Onward { passing, sender, crowded } => {
                let origin = Origin { time, hops: 0, most: TURN.min(bounds.longest), sender };
                let crowded = crowded.filter(|crowded| crowded.is_crowded(row));
                self.round.at_limit |= time >= bounds.limit;
                if crowded.is_some() || time >= bounds.limit {
                    return self.leave_waiting(y, passing, origin, crowded);
                }
                self.round.ran += 1;
                return self.go_on(y, passing, origin, None);
            }
        }
        let crowded = dock.crowded.or(at);
        self.go_from(y, Origin { time, hops: 0, most: bounds.longest, sender }, crowded);
    }

    fn carry_on(&mut self) {
        while let Some(Underway { y, passing: Passing { side, vc, burst }, origin }) = self.way.pop_front() {
            let Some(row) = self.strip.row(y) else { continue };
            let mut dock = Dock { elements: &mut row.elements, time: origin.time, crowded: None };
            row.fabric.pass(vc, side.opposite(), burst, &mut dock, &mut self.out);
            let at = || row.fabric.crowded(vc, CROWD).map(|(x, color)| Crowded::Router { y, x, color });
            let crowded = dock.crowded.or_else(at);
            self.go_from(y, origin, crowded);
        }
    }

    /// Lets wavelets go on to the routers beside, and their sender wait if they have come to a crowded place.
    fn go_from(&mut self, y: u32, origin: Origin, crowded: Option<Crowded>) {
        if let (Some(at), Some(Sender { y, x, color })) = (crowded, origin.sender) {
            self.paused.push(Paused { y, x, color, at });
        }
        let mut out = std::mem::take(&mut self.out);
        for passing in out.drain(..) {
            self.go_on(y, passing, origin, crowded);
        }
        self.out = out;
    }

    /// Lets wavelets go on from row `y` to a router beside, now or in the next round.
    fn go_on(&mut self, y: u32, passing: Passing, mut origin: Origin, crowded: Option<Crowded>) {
        origin.hops += 1;
        if origin.hops > origin.most || crowded.is_some() && origin.hops >= HOPS_IN_A_CROWD {
            return self.leave_waiting(y, passing, origin, crowded);
        }
        let rows = self.strip.first as u32..(self.strip.first + self.strip.slots.len()) as u32;
        let y = match passing.side {
            Direction::North => y - 1,
            Direction::South => y + 1,
            _ => y,
        };
        let underway = Underway { y, passing, origin };
        if y < rows.start {
            self.north.push(underway);
        } else if y >= rows.end {
            self.south.push(underway);
        } else {
            self.way.push_back(underway);
        }
    }

    fn leave_waiting(&mut self, y: u32, passing: Passing, origin: Origin, crowded: Option<Crowded>) {
        let what = Sent::Onward { passing, sender: origin.sender, crowded };
        // These come from no tile: the column is not read.
        self.waiting.push((y, Parcel { x: 0, time: origin.now(), what }));
    }
}

impl Origin {
    /// The time of the wavelets now.
    fn now(&self) -> u64 {
        self.time.saturating_add(u64::from(self.hops))
    }
}

impl Crowded {
    /// Whether still more than half as many wait at a place of this row.
    fn is_crowded<E: Element>(self, row: &Row<E>) -> bool {
        let crowd = match self {
            Crowded::Input { x, slot, .. } => {
                let elements = &row.elements;
                elements.find(x).map_or(0, |tile_id| elements.tiles[tile_id].ports.inputs[slot].crowd())
            }
            Crowded::Router { x, color, .. } => row.fabric.crowd(x, color),
        };
        crowd > CROWD / 2
    }

    fn row(self) -> u32 {
        match self {
            Crowded::Input { y, .. } | Crowded::Router { y, .. } => y,
        }
    }
}

/// Lets those send again whose wavelets have been taken.
fn resume<E: Element>(rows: &mut Rows<E>, paused: &mut Vec<Paused>) {
    paused.retain(|paused| {
        let stays = paused.at.is_crowded(rows.touch(paused.at.row()));
        if !stays {
            let elements = &mut rows.touch(paused.y).elements;
            let tile_id = elements.tile_id(paused.x);
            elements.wake(tile_id);
        }
        stays
    });
}

/// The first time of a tile.
pub(crate) fn next_time(now: u64, at: u64) -> Option<u64> {
    (at != NEVER).then_some(at.max(now + 1))
}
