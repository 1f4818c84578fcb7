//! The part of a round without a clock that the tiles of one row do by themselves.

use csl_machine::{Burst, Color};
use csl_pe::{Outgoing, Outlet, OutputSlot};

use crate::element::Element;
use crate::element_row::TileId;
use crate::registers::RouterRegisters;
use crate::row::{Row, pe_fault};
use crate::stop::FaultReport;
use crate::untimed::{Parcel, Paused, Round, Sent, next_time};

/// The most visits and time of a tile in a round: others may have what it waits for.
const VISITS: u32 = 1 << 12;
const SPAN: u64 = 1 << 16;

/// The way from a PE to its router.
struct Exit<'a> {
    fabric: &'a csl_fabric::Row,
    outbox: &'a mut Vec<Parcel>,
    paused: &'a [Paused],
    x: u32,
    y: u32,
    now: u64,
}

impl Outlet for Exit<'_> {
    fn takes(&mut self, color: Color) -> bool {
        let is_paused = is_paused(self.paused, self.y, self.x, color);
        !is_paused && self.fabric.routed(self.x, color).is_some()
    }

    fn send(&mut self, color: Color, words: &[u32]) {
        let Some(vc) = self.fabric.routed(self.x, color) else { return };
        let what = Sent::Burst { vc, color, burst: Burst::of_words(words), advances: false };
        self.outbox.push(Parcel { x: self.x, time: self.now, what });
    }
}

fn is_paused(paused: &[Paused], y: u32, x: u32, color: Color) -> bool {
    paused.iter().any(|paused| (paused.y, paused.x, paused.color) == (y, x, color))
}

impl<E: Element> Row<E> {
    /// Runs the tiles that can go on.
    pub fn run_ready(&mut self, limit: u64, paused: &[Paused], round: &mut Round) {
        for index in 0..self.elements.ready.words() {
            for x in self.elements.ready.take_word(index) {
                let tile_id = self.elements.tile_id(x);
                if self.elements.tiles[tile_id].own_time >= limit {
                    round.at_limit = true;
                    self.elements.kept.insert(x);
                    continue;
                }
                round.ran += 1;
                match self.run_tile(tile_id, limit, paused, round) {
                    Ok(true) => self.elements.kept.insert(x),
                    Ok(false) => {}
                    Err(fault) => round.note_fault(fault),
                }
            }
        }
        self.elements.keep();
    }

    /// Runs a tile until it waits for others. Returns whether it can go on by itself.
    fn run_tile(
        &mut self,
        tile_id: TileId,
        limit: u64,
        paused: &[Paused],
        round: &mut Round,
    ) -> Result<bool, Box<FaultReport>> {
        let first = self.elements.tiles[tile_id].own_time;
        let mut now = first;
        self.elements.tiles[tile_id].ports.refill();
        for _ in 0..VISITS {
            round.front = round.front.max(now);
            self.stream_ahead(tile_id, now, paused);
            self.visit(tile_id, now, limit)?;
            let has_written = self.take_writes(tile_id, now);
            let drained = if has_written { 0 } else { self.drain(tile_id, now, paused) };
            let tile = &mut self.elements.tiles[tile_id];
            let filled = tile.ports.refill();
            let goes_on = filled & tile.wake.arrivals | drained & tile.wake.credits != 0;
            let at = if goes_on || has_written { now + 1 } else { tile.next_service() };
            let Some(next) = next_time(now, at) else { return Ok(false) };
            (tile.own_time, now) = (next, next);
            if has_written || next >= limit || next - first > SPAN {
                return Ok(true);
            }
        }
        Ok(true)
    }

    fn stream_ahead(&mut self, tile_id: TileId, now: u64, paused: &[Paused]) {
        let Row { y, fabric, elements, outbox, .. } = self;
        let tile = &mut elements.tiles[tile_id];
        let mut exit = Exit { fabric, outbox, paused, x: tile.x, y: *y, now };
        tile.element.stream_ahead(now, &mut tile.ports, &mut exit);
        tile.ports.refill();
    }

    fn visit(&mut self, tile_id: TileId, now: u64, limit: u64) -> Result<(), Box<FaultReport>> {
        (self.elements.now, self.elements.limit) = (now, limit);
        if !self.elements.tiles[tile_id].host_rests() {
            self.elements.host_to_tile(tile_id, now)?;
        }
        let Row { y, fabric, elements, writes, .. } = self;
        let tile = &mut elements.tiles[tile_id];
        let mut registers = RouterRegisters { fabric, chip: elements.world.chip, writes, x: tile.x, now };
        if let Err(fault) = tile.element.advance(now, limit, &mut tile.ports, &mut registers, &mut tile.wake) {
            return Err(pe_fault(*fault, tile.x, *y));
        }
        tile.ports.put = 0;
        if tile.host_rests() && !tile.ports.cmd_stream_unblocked {
            tile.ports.taken = 0;
        } else {
            elements.tile_to_host(tile_id, now);
        }
        Ok(())
    }

    /// Moves what the tile has changed at its router to the outbox. A tile with a write goes on in the next round, when it
    /// has been carried out.
    fn take_writes(&mut self, tile_id: TileId, now: u64) -> bool {
        let tile = &mut self.elements.tiles[tile_id];
        let x = tile.x;
        if tile.refused != 0 {
            let takes = |color: &Color| tile.refused & color.bit() != 0 && tile.ports.color_slot(*color).is_some();
            let taken: Vec<Color> = Color::all().filter(takes).collect();
            for color in taken {
                tile.refused &= !color.bit();
                self.outbox.push(Parcel { x, time: now, what: Sent::Takes(color) });
            }
        }
        let has_written = !self.writes.is_empty();
        self.outbox.extend(self.writes.drain(..).map(|write| Parcel { x, time: now, what: Sent::Write(write) }));
        has_written
    }

    /// Empties the output queues as far as their colors lead anywhere. Returns those that gave something.
    fn drain(&mut self, tile_id: TileId, now: u64, paused: &[Paused]) -> u32 {
        let mut drained = 0;
        for output in OutputSlot::all().take(self.elements.tiles[tile_id].ports.outputs.len()) {
            while self.drain_some(tile_id, output, now, paused) {
                drained |= output.bit();
            }
        }
        drained
    }

    /// Takes wavelets of one color and kind from an output queue.
    fn drain_some(&mut self, tile_id: TileId, output: OutputSlot, now: u64, paused: &[Paused]) -> bool {
        let Row { y, fabric, elements, outbox, .. } = self;
        let tile = &mut elements.tiles[tile_id];
        let Some(head) = tile.ports.outputs[output].front() else { return false };
        let (x, color) = (tile.x, head.color);
        let Some(vc) = fabric.routed(x, color) else {
            let is_taken = elements.sink(tile_id, color, head.wavelet.data);
            if is_taken {
                elements.tiles[tile_id].ports.depart(output, now);
            }
            return is_taken;
        };
        if is_paused(paused, *y, x, color) {
            return false;
        }
        let mut words = Vec::with_capacity(8);
        let is_plain = |next: &Outgoing| next.color == color && !next.wavelet.control && !next.wavelet.half;
        while let Some(next) = tile.ports.outputs[output].front().filter(is_plain) {
            tile.ports.depart(output, now);
            words.push(next.wavelet.data);
            if next.advance_switch {
                let what = Sent::Burst { vc, color, burst: Burst::of_words(&words), advances: true };
                outbox.push(Parcel { x, time: now, what });
                return true;
            }
        }
        let (burst, advances) = if words.is_empty() {
            tile.ports.depart(output, now);
            (Burst::one(head.wavelet), head.advance_switch)
        } else {
            (Burst::of_words(&words), false)
        };
        outbox.push(Parcel { x, time: now, what: Sent::Burst { vc, color, burst, advances } });
        true
    }
}
