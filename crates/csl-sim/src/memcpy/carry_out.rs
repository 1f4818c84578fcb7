//! memcpy's work on a tile when its time comes.

use csl_machine::{Color, Coord};
use csl_pe::{Access, Memory};

use super::command::{Ticket, Width};
use super::tile::{Call, Calling, Done, Job, Launched, TileCommand};
use crate::element::Element;
use crate::element_row::{ElementRow, TileId};
use crate::event::{Event, EventKind};
use crate::stop::{FaultKind, FaultReport};
use crate::tile::{NEVER, Tile};

impl<E: Element> ElementRow<E> {
    /// The work before the element runs: lands stream words, carries out commands.
    pub fn host_to_tile(&mut self, tile_id: TileId, now: u64) -> Result<(), Box<FaultReport>> {
        self.deliver_streams(tile_id, now);
        while self.tiles[tile_id].host().command_is_due(now) {
            if !self.carry_out_first(tile_id, now)? {
                break;
            }
        }
        Ok(())
    }

    /// The work after the element has run.
    pub fn tile_to_host(&mut self, tile_id: TileId, now: u64) {
        let tile = &mut self.tiles[tile_id];
        let took = std::mem::take(&mut tile.ports.taken) != 0;
        if std::mem::take(&mut tile.ports.cmd_stream_unblocked) && std::mem::take(&mut tile.host_mut().is_blocked) {
            let ticket = tile.host().launched.ticket;
            tile.ports.launch_is_open = Some(false);
            self.done.push(Done::Unblocked { ticket, ended: now });
        }
        if tile.host().calling.as_ref().is_some_and(|calling| tile.element.calls_started() >= calling.calls) {
            self.called(tile_id, now);
        }
        let tile = &mut self.tiles[tile_id];
        if tile.host().commands.is_empty() && tile.host().incoming.is_empty() {
            tile.host_mut().next_due = NEVER;
            return;
        }
        tile.host_mut().update_due(now);
        // The end of the last task may still lie a few cycles ahead.
        let can_copy_soon = tile.host().command_is_due(now) && tile.element.between_tasks(NEVER);
        if can_copy_soon || (took && !tile.host().incoming.is_empty()) {
            tile.host_mut().next_due = now + 1;
        }
    }

    /// Ends a launch for the host when its function has been called (docs/decisions/memcpy-and-host.md H13).
    fn called(&mut self, tile_id: TileId, now: u64) {
        if let Some(Calling { ticket, index, .. }) = self.tiles[tile_id].host_mut().calling.take() {
            self.done.push(Done::part(ticket, index, now, Vec::new()));
        }
    }

    // ---- streams ----

    /// Lands at most one word a cycle and color, in the order in which the transfers were submitted.
    fn deliver_streams(&mut self, tile_id: TileId, now: u64) {
        let tile = &mut self.tiles[tile_id];
        let x = tile.x;
        let (host, ports) = tile.host_and_ports();
        let mut seen = 0u32;
        for stream in &mut host.incoming {
            let first = seen & stream.color.bit() == 0;
            seen |= stream.color.bit();
            if !first || stream.ready() > now || stream.at == stream.end {
                continue;
            }
            let Some(slot) = ports.arrival_slot(stream.color) else { continue };
            let word = stream.word();
            if ports.arrive(slot, csl_machine::Wavelet::word(word)) {
                if self.world.options.traces.fabric {
                    self.streamed.push(streamed(now, Coord { x, y: self.y }, stream.color, word));
                }
                stream.at += 1;
                stream.centi_ready = (stream.centi_ready + stream.centi_step).max(100 * (now + 1));
            }
        }
        for stream in &mut host.incoming {
            if !stream.has_entered && (stream.left() == 0 || stream.entry().is_some_and(|entry| entry <= now)) {
                stream.has_entered = true;
                self.done.push(Done::part(stream.ticket, stream.index, now, Vec::new()));
            }
        }
        host.incoming.retain(|stream| stream.left() > 0);
    }

    /// Gives the host a word that leaves a tile on a color without a route. Returns false while the host wants none.
    pub fn sink(&mut self, tile_id: TileId, color: Color, word: u32) -> bool {
        let tile = &mut self.tiles[tile_id];
        let (x, host) = (tile.x, tile.host_mut());
        let Some(at) = host.sink(color) else { return false };
        if self.world.options.traces.fabric {
            self.streamed.push(streamed(self.now, Coord { x, y: self.y }, color, word));
        }
        let stream = &mut host.outgoing[at];
        stream.words.push(word);
        if stream.words.len() == stream.wanted {
            let stream = host.outgoing.remove(at);
            self.done.push(Done::part(stream.ticket, stream.index, self.now, stream.words));
        }
        true
    }

    // ---- commands ----

    /// Carries out the first command. Returns false when it has to wait for the end of a task.
    fn carry_out_first(&mut self, tile_id: TileId, now: u64) -> Result<bool, Box<FaultReport>> {
        let tile = &mut self.tiles[tile_id];
        let Some(command) = tile.host_mut().commands.pop_front() else { return Ok(false) };
        let is_copy = matches!(command.job, Job::CopyIn(..) | Job::CopyOut(_));
        if is_copy && !tile.element.between_tasks(now) {
            tile.host_mut().commands.push_front(command);
            return Ok(false);
        }
        let x = tile.x;
        self.carry_out(tile_id, now, command)
            .map_err(|what| Box::new(FaultReport { cycle: now, x, y: self.y, what }))?;
        Ok(true)
    }

    fn carry_out(&mut self, tile_id: TileId, now: u64, command: TileCommand) -> Result<(), FaultKind> {
        let TileCommand { ticket, index, job, .. } = command;
        let words = match job {
            Job::Call(call) => {
                self.call(tile_id, now, (ticket, index), &call);
                return Ok(());
            }
            Job::StreamIn(_) | Job::StreamOut(_) => {
                self.tiles[tile_id].host_mut().begin_stream(job, now);
                // Words for the host may stand in the output queues already.
                self.start_sending(tile_id, now + 1);
                return Ok(());
            }
            Job::CopyIn(copy, share) => {
                let addr = self.data_address(tile_id, copy.id, copy.width.of(copy.per_pe))?;
                self.look_at_copy(tile_id, addr, copy.width.of(copy.per_pe), true, now);
                write_items(self.tiles[tile_id].element.memory_mut(), addr, copy.array.of_pe(share), copy.width);
                Vec::new()
            }
            Job::CopyOut(copy) => {
                let addr = self.data_address(tile_id, copy.id, copy.width.of(copy.per_pe))?;
                self.look_at_copy(tile_id, addr, copy.width.of(copy.per_pe), false, now);
                read_items(self.tiles[tile_id].element.memory(), addr, copy.per_pe, copy.width)
            }
        };
        self.done.push(Done::part(ticket, index, now, words));
        Ok(())
    }

    /// Calls the exported function; a PE whose program does not export it has nothing to call.
    fn call(&mut self, tile_id: TileId, now: u64, (ticket, index): (Ticket, usize), call: &Call) {
        let tile = &mut self.tiles[tile_id];
        tile.host_mut().calling = Some(Calling { ticket, index, calls: tile.element.calls_started() + 1 });
        let func = self.world.image.program_at(tile.x, self.y).and_then(|program| program.exported_function(call.id));
        match func {
            Some(func) => {
                tile.host_mut().is_blocked = true;
                tile.ports.launch_is_open = Some(true);
                tile.host_mut().launched = Launched { ticket, id: call.id };
                tile.element.call(func, &call.args);
                self.done.push(Done::Called { ticket, began: now });
            }
            None => self.called(tile_id, now),
        }
    }

    fn look_at_copy(&mut self, tile_id: TileId, addr: u16, bytes: u32, is_store: bool, now: u64) {
        let access = Access { addr, bytes: bytes as u16, is_store };
        self.tiles[tile_id].element.look_at_copy(access, now);
    }

    /// The current address of an exported variable's data.
    fn data_address(&self, tile_id: TileId, id: u16, bytes: u32) -> Result<u16, FaultKind> {
        let tile = &self.tiles[tile_id];
        let symbol = self.world.image.program_at(tile.x, self.y).and_then(|program| program.exported_symbol(id));
        let Some(symbol) = symbol else { return Err(FaultKind::BadPointer { id, addr: 0, bytes }) };
        let addr = match symbol.is_pointer() {
            true => tile.element.memory().read16(symbol.addr),
            false => symbol.addr,
        };
        let end = bytes.saturating_add(addr.into());
        let fits = end <= self.world.chip.memory.bytes;
        if fits { Ok(addr) } else { Err(FaultKind::BadPointer { id, addr, bytes }) }
    }

    // ---- afterwards ----

    /// The words of the host's streams that have passed the ramps.
    pub fn take_streamed(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.streamed)
    }

    /// The events of the elements so far.
    pub fn take_events(&mut self) -> Vec<Event> {
        let y = self.y;
        let of_tile = |tile: &mut Tile<E>| {
            let (x, events) = (tile.x, tile.element.take_events());
            events.into_iter().map(move |event| Event { cycle: event.cycle, x, y, what: EventKind::Pe(event) })
        };
        self.tiles.iter_mut().flat_map(of_tile).collect()
    }
}

/// Writes consecutive elements; a 16-bit element takes the low half of a host's word.
fn write_items(memory: &mut Memory, addr: u16, items: impl Iterator<Item = u32>, width: Width) {
    for (at, word) in places(addr, width).zip(items) {
        match width {
            Width::Bits16 => memory.write16(at, word as u16),
            Width::Bits32 => memory.write32(at, word),
        }
    }
}

/// Reads `count` elements as words of the host.
fn read_items(memory: &Memory, addr: u16, count: u32, width: Width) -> Vec<u32> {
    let read = |at| match width {
        Width::Bits16 => memory.read16(at).into(),
        Width::Bits32 => memory.read32(at),
    };
    places(addr, width).take(count as usize).map(read).collect()
}

/// Byte addresses of consecutive elements.
fn places(addr: u16, width: Width) -> impl Iterator<Item = u16> {
    (u32::from(addr)..).step_by(width.bytes() as usize).map(|at| at as u16)
}

fn streamed(cycle: u64, Coord { x, y }: Coord, color: Color, word: u32) -> Event {
    let wavelet = csl_machine::Wavelet::word(word);
    Event { cycle, x, y, what: EventKind::Stream { color, wavelet } }
}
