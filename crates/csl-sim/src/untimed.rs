//! Runs without a clock: every tile runs ahead until it waits for something that only other tiles can give, and what it
//! sends is carried to its end at once (docs/decisions/machine.md M66).
//!
//! A run goes in rounds. In a round each tile that can go on does so, by itself; then what the tiles have sent is carried,
//! tile by tile, in the order in which each has sent it. So all tiles take the host's commands, and start, before any
//! wavelet of that start lands. Each tile has a time of its own, which arrivals move on: it orders prints, bounds endless
//! programs, and means nothing else.

use std::collections::VecDeque;

use csl_fabric::{Landing, Passing, Ramp, VcId};
use csl_machine::{Burst, Color, Direction, Wavelet};
use csl_pe::InputSlot;

use crate::element::Element;
use crate::element_row::ElementRow;
use crate::registers::Write;
use crate::row::Row;
use crate::rows::Rows;
use crate::stop::FaultReport;
use crate::tile::NEVER;

/// The bursts that wait at one place before those who send there have to wait.
const CROWD: usize = 1024;

/// The number of rows with work above which threads share them.
const ROWS_FOR_THREADS: usize = 8;

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
}

/// A tile whose color waits, because wavelets that it has sent are not taken.
pub(crate) struct Paused {
    pub y: u32,
    pub x: u32,
    pub color: Color,
    at: Crowded,
}

#[derive(Clone, Copy)]
enum Crowded {
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
pub(crate) fn round<E: Element>(
    rows: &mut Rows<E>,
    limit: u64,
    paused: &mut Vec<Paused>,
    threads: usize,
    is_interrupted: impl Fn() -> bool + Sync,
) -> Round {
    let mut ready: Vec<&mut Row<E>> = rows.iter_mut().filter(|row| !row.elements.ready.is_empty()).collect();
    let run = |rows: &mut [&mut Row<E>]| {
        let mut round = Round::default();
        for row in rows.iter_mut() {
            if is_interrupted() {
                break;
            }
            row.run_ready(limit, paused, &mut round);
        }
        round
    };
    let is_worth_it = threads > 1 && ready.len() >= ROWS_FOR_THREADS;
    let mut round = Round::default();
    if is_worth_it {
        let run = &run;
        std::thread::scope(|scope| {
            let share = ready.len().div_ceil(threads);
            let parts = ready.chunks_mut(share);
            let parts: Vec<_> = parts.map(|rows| scope.spawn(move || run(rows))).collect();
            for part in parts {
                round.add(part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
        });
    } else {
        round = run(&mut ready);
    }
    if round.fault.is_some() {
        return round;
    }
    let mut carrier = Carrier { rows, paused, way: VecDeque::new(), out: Vec::new() };
    for y in 0..carrier.rows.height() {
        carrier.carry_from(y);
    }
    carrier.resume();
    round
}

/// Carries what tiles have sent.
struct Carrier<'a, E> {
    rows: &'a mut Rows<E>,
    paused: &'a mut Vec<Paused>,
    way: VecDeque<(u32, Passing)>,
    out: Vec<Passing>,
}

impl<E: Element> Carrier<'_, E> {
    fn carry_from(&mut self, y: u32) {
        let Some(row) = self.rows.existing(y).filter(|row| !row.outbox.is_empty()) else { return };
        let mut parcels = std::mem::take(&mut row.outbox);
        for Parcel { x, time, what } in parcels.drain(..) {
            let sender = if let Sent::Burst { color, .. } = what { Some(color) } else { None };
            let crowded = self.begin(y, x, time, what).or(self.carry_on(time));
            if let (Some(at), Some(color)) = (crowded, sender) {
                self.paused.push(Paused { y, x, color, at });
            }
        }
        self.rows.touch(y).outbox = parcels;
    }

    /// The first router of a parcel's way.
    fn begin(&mut self, y: u32, x: u32, time: u64, what: Sent) -> Option<Crowded> {
        let row = self.rows.touch(y);
        let mut dock = Dock { elements: &mut row.elements, time, crowded: None };
        let mut at = None;
        match what {
            Sent::Burst { vc, color, burst, advances } => {
                row.fabric.pass_from_ce(vc, burst, advances, &mut dock, &mut self.out);
                at = (row.fabric.crowd(x, color) > CROWD).then_some(Crowded::Router { y, x, color });
            }
            Sent::Write(write) => {
                write.carry_out(&mut row.fabric, time);
                row.fabric.look_again(x, write.color(), &mut dock, &mut self.out);
            }
            Sent::Takes(color) => row.fabric.look_again(x, color, &mut dock, &mut self.out),
        }
        let crowded = dock.crowded.or(at);
        self.way.extend(self.out.drain(..).map(|passing| (y, passing)));
        crowded
    }

    fn carry_on(&mut self, time: u64) -> Option<Crowded> {
        let mut crowded = None;
        while let Some((y, Passing { side, vc, burst })) = self.way.pop_front() {
            let y = match side {
                Direction::North => y - 1,
                Direction::South => y + 1,
                _ => y,
            };
            let row = self.rows.touch(y);
            let mut dock = Dock { elements: &mut row.elements, time, crowded: None };
            row.fabric.pass(vc, side.opposite(), burst, &mut dock, &mut self.out);
            crowded = crowded.or(dock.crowded);
            if let Some((x, color)) = row.fabric.crowded(vc, CROWD) {
                crowded = crowded.or(Some(Crowded::Router { y, x, color }));
            }
            self.way.extend(self.out.drain(..).map(|passing| (y, passing)));
        }
        crowded
    }

    /// Lets those send again whose wavelets have been taken.
    fn resume(&mut self) {
        let rows = &mut *self.rows;
        self.paused.retain(|paused| {
            let crowd = match paused.at {
                Crowded::Input { y, x, slot } => {
                    let elements = &rows.touch(y).elements;
                    elements.find(x).map_or(0, |tile_id| elements.tiles[tile_id].ports.inputs[slot].crowd())
                }
                Crowded::Router { y, x, color } => rows.touch(y).fabric.crowd(x, color),
            };
            let stays = crowd > CROWD / 2;
            if !stays {
                let elements = &mut rows.touch(paused.y).elements;
                let tile_id = elements.tile_id(paused.x);
                elements.wake(tile_id);
            }
            stays
        });
    }
}

/// The first time of a tile.
pub(crate) fn next_time(now: u64, at: u64) -> Option<u64> {
    (at != NEVER).then_some(at.max(now + 1))
}
