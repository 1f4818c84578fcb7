//! One row of tiles: its routers, its compute elements, and the steps of a cycle.
//!
//! Order within a cycle: landings on routers; register writes that reach them; wavelets that leave output queues;
//! routing, to compute elements and to neighbours; then each compute element that has work. Tiles go by column, so that
//! the time at which they were made or woken does not matter. Rows share nothing within a cycle.

use csl_machine::Color;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::element::Element;
use crate::element_row::{ElementRow, TileId};
use crate::event::{Event, EventKind};
use crate::index_set::IndexSet;
use crate::memcpy::Done;
use crate::registers::{RouterRegisters, Write};
use crate::stop::{FaultKind, FaultReport};
use crate::tile::{NEVER, Tile};
use crate::untimed::Parcel;
use crate::world::World;
use csl_fabric::Row as FabricRow;

/// A row of tiles: routers, compute elements, and the events between the two.
pub(crate) struct Row<E> {
    pub y: u32,
    pub fabric: FabricRow,
    pub elements: ElementRow<E>,
    /// Register writes on their way to the routers, the oldest first.
    pub(crate) writes: VecDeque<Write>,
    /// What tiles have sent in this round of a run without a clock.
    pub outbox: Vec<Parcel>,
    /// Scratch: the tiles of this cycle.
    serving: IndexSet,
    /// The number of tiles served in the last cycle.
    served: usize,
    /// Events that were later than the clock when they were taken.
    early_events: Vec<Event>,
}

impl<E: Element> Row<E> {
    pub fn new(world: &Arc<World>, y: u32) -> Row<E> {
        let mut fabric = FabricRow::new(Arc::clone(&world.routes), y, world.chip, world.options.traces.fabric);
        if let Some(schedule) = world.options.schedule {
            fabric.draw_from(schedule);
        }
        configure(&mut fabric, world, y);
        let (elements, serving) = (ElementRow::new(Arc::clone(world), y), IndexSet::new(world.width()));
        Row {
            y,
            fabric,
            elements,
            writes: VecDeque::new(),
            outbox: Vec::new(),
            serving,
            served: 0,
            early_events: Vec::new(),
        }
    }

    /// The next cycle with an event in this row; [`NEVER`] for none.
    pub fn next_event(&mut self, now: u64) -> u64 {
        match self.fabric.next_event(now) {
            Some(soon) if soon == now + 1 => soon,
            fabric => {
                let written = self.writes.front().map_or(NEVER, |write| write.due);
                self.elements.next_event(now).min(fabric.unwrap_or(NEVER)).min(written)
            }
        }
    }

    /// The number of virtual channels and tiles with work in the last cycle, roughly.
    pub fn work(&self) -> usize {
        self.fabric.requests() + self.served
    }

    /// Runs cycle `now`. The clock does not come to `limit` before the host has looked.
    pub fn step(&mut self, now: u64, limit: u64) -> Result<(), Box<FaultReport>> {
        (self.elements.now, self.elements.limit) = (now, limit);
        self.fabric.arrive(now).map_err(|fault| Box::new(fabric_fault(*fault, now)))?;
        self.fabric.enter(now).map_err(|fault| Box::new(fabric_fault(*fault, now)))?;
        self.write_registers(now);
        self.inject(now)?;
        self.fabric.route(now, &mut self.elements);
        if self.fabric.take_complete() {
            self.elements.done.push(Done::Port { ended: now });
        }
        self.serve_all(now)
    }

    // ---- output queues and register writes to the router ----

    fn write_registers(&mut self, now: u64) {
        while let Some(write) = self.writes.pop_front_if(|write| write.due <= now) {
            write.carry_out(&mut self.fabric, now);
            // A wavelet that waits in an output queue for a route may have one now.
            if let Some(tile_id) = self.elements.find(write.x) {
                self.elements.start_sending(tile_id, self.elements.tiles[tile_id].next_injection());
            }
        }
    }

    fn inject(&mut self, now: u64) -> Result<(), Box<FaultReport>> {
        for index in 0..self.elements.senders.words() {
            for x in self.elements.senders.word(index) {
                let tile_id = self.elements.tile_id(x);
                let mut next = self.elements.tiles[tile_id].inject_at;
                if next <= now {
                    next = self.inject_one(tile_id, now).map_err(|fault| Box::new(fabric_fault(*fault, now)))?;
                }
                if next == NEVER {
                    self.elements.senders.remove(x);
                }
            }
        }
        Ok(())
    }

    /// Lets one wavelet of a tile out; its output queues take turns. Returns the cycle in which the next may leave.
    fn inject_one(&mut self, tile_id: TileId, now: u64) -> Result<u64, Box<csl_fabric::Fault>> {
        let Row { fabric, elements, .. } = self;
        let mut tile = &mut elements.tiles[tile_id];
        let (mut untried, first) = (!0, tile.next_output);
        while let Some(output) = tile.ports.next_sender(untried, first) {
            untried &= !output.bit();
            let Some(head) = tile.ports.outputs[output].ready(now) else { continue };
            // The head goes to the router, or to the host where the color is one of its streams.
            let is_taken = match fabric.routed(tile.x, head.color) {
                Some(vc) => {
                    let is_taken = fabric.inject(vc, head.wavelet, now)?;
                    if is_taken && head.advance_switch {
                        fabric.advance_behind(vc);
                    }
                    is_taken
                }
                None => {
                    let is_taken = elements.sink(tile_id, head.color, head.wavelet.data);
                    tile = &mut elements.tiles[tile_id];
                    is_taken
                }
            };
            if is_taken {
                tile.let_out(output, now);
                if tile.wake.credits & output.bit() != 0 {
                    elements.ready.insert(tile.x);
                }
                return Ok(tile.inject_at);
            }
        }
        // None could leave: those that are ready have no room, which the router tells of.
        tile.inject_at = tile.ports.departure_after(now).unwrap_or(NEVER);
        Ok(tile.inject_at)
    }

    // ---- compute elements ----

    fn serve_all(&mut self, now: u64) -> Result<(), Box<FaultReport>> {
        self.elements.wake_due(now);
        std::mem::swap(&mut self.serving, &mut self.elements.ready);
        self.served = 0;
        for index in 0..self.serving.words() {
            for x in self.serving.take_word(index) {
                self.served += 1;
                self.serve(self.elements.tile_id(x), now)?;
            }
        }
        Ok(())
    }

    /// Runs the compute element of a tile, and passes the changes of its queues on to routers and host.
    fn serve(&mut self, tile_id: TileId, now: u64) -> Result<(), Box<FaultReport>> {
        if !self.elements.tiles[tile_id].host_rests() {
            self.elements.host_to_tile(tile_id, now)?;
        }
        let Row { y, fabric, elements, writes, .. } = self;
        let tile = &mut elements.tiles[tile_id];
        let mut registers = RouterRegisters { fabric, chip: elements.world.chip, writes, x: tile.x, now };
        if let Err(fault) = tile.element.advance(now, elements.limit, &mut tile.ports, &mut registers, &mut tile.wake) {
            return Err(pe_fault(*fault, tile.x, *y));
        }
        tile.take_returns(now);
        if tile.refused != 0 {
            take_back(tile, fabric);
        }
        if std::mem::take(&mut tile.ports.put) != 0 && tile.inject_at == NEVER {
            tile.inject_at = tile.next_injection();
            if tile.inject_at != NEVER {
                tile.inject_at = tile.inject_at.max(now + 1);
                elements.senders.insert(tile.x);
            }
        }
        if tile.host_rests() && !tile.ports.cmd_stream_unblocked {
            tile.ports.taken = 0;
        } else {
            elements.tile_to_host(tile_id, now);
        }
        let next = elements.tiles[tile_id].next_service();
        elements.set_timer(tile_id, next.max(now + 1));
        Ok(())
    }

    // ---- for the host ----

    /// The events up to cycle `now`; those of the router in its order. The row may have run further: later ones stay.
    pub fn take_events(&mut self, now: u64) -> Vec<Event> {
        let y = self.y;
        let fabric = self.fabric.take_events().into_iter().map(|event| Event {
            cycle: event.cycle,
            x: event.x,
            y,
            what: EventKind::Fabric { color: event.color, what: event.what },
        });
        let early = std::mem::take(&mut self.early_events);
        let all = fabric.chain(self.elements.take_streamed()).chain(early).chain(self.elements.take_events());
        let (due, early) = all.partition(|event| event.cycle <= now);
        self.early_events = early;
        due
    }
}

/// Carries out register writes that programs make before the first cycle (`@set_config` at comptime), as far as they go
/// to routers: they hold from the start.
fn configure(fabric: &mut FabricRow, world: &World, y: u32) {
    for run in world.runs(y) {
        let configs = &world.image.programs[run.program].configs;
        for x in (run.x..run.x + run.len).filter(|_| !configs.is_empty()) {
            let mut writes = VecDeque::new();
            let mut registers = RouterRegisters { fabric, chip: world.chip, writes: &mut writes, x, now: 0 };
            for (word, value) in configs {
                // All other registers are the compute element's.
                let _ = csl_pe::Registers::write(&mut registers, *word, *value);
            }
            writes.into_iter().for_each(|write| write.carry_out(fabric, 0));
        }
    }
}

/// Wakes the virtual channels of refused colors once there is room.
fn take_back<E>(tile: &mut Tile<E>, fabric: &mut FabricRow) {
    let mut colors = tile.refused;
    while colors != 0 {
        let color = Color::of_bits(colors.trailing_zeros());
        colors &= colors - 1;
        if tile.arrival_slot_with_room(color).is_some() {
            tile.refused &= !color.bit();
            fabric.ramp_has_room(tile.x, color);
        }
    }
}

#[cold]
pub(crate) fn pe_fault(fault: csl_pe::Fault, x: u32, y: u32) -> Box<FaultReport> {
    Box::new(FaultReport { cycle: fault.cycle, x, y, what: FaultKind::Pe(fault) })
}

fn fabric_fault(fault: csl_fabric::Fault, cycle: u64) -> FaultReport {
    FaultReport { cycle, x: fault.x, y: fault.y, what: FaultKind::Fabric(fault) }
}
