//! The reference engine: visits every router and every PE in every cycle, by row and column. Nothing sleeps, runs ahead
//! or is skipped.

use std::sync::Arc;

use csl_fabric::{Ramp, RouteTable, Row, Traced};
use csl_image::Image;
use csl_machine::{Color, Direction, Wavelet};
use csl_pe::{InputSlot, OutputSlot, Pe, Ports, Registers};
use csl_sim::{FaultKind, FaultReport};

/// A landing: cycle, column, row, side, color, data.
pub type Landed = (u64, u32, u32, Direction, u8, u32);

pub struct Reference {
    rows: Vec<(Row, ElementRow)>,
    now: u64,
}

struct ElementRow {
    tiles: Vec<Tile>,
    now: u64,
    /// Cycles for which a wavelet from a tile's own ramp keeps its place.
    reserve: u64,
}

struct Tile {
    pe: Pe,
    ports: Ports,
    /// The output queue to try first.
    next_output: usize,
    /// Colors of which the CE has refused a wavelet.
    refused: u32,
    /// Places that are released, each with its cycle.
    returns: Vec<(u64, InputSlot)>,
    /// Writes to route registers on their way: the cycle in which they reach the router, color and word.
    writes: Vec<(u64, Color, u16)>,
    dispatch_to_ramp: u32,
    /// The word address of the route registers.
    routes: u16,
}

struct RouteRegisters<'a> {
    /// The word address of the route registers.
    routes: u16,
    row: &'a Row,
    writes: &'a mut Vec<(u64, Color, u16)>,
    x: u32,
    due: u64,
}

impl Registers for RouteRegisters<'_> {
    fn read(&mut self, word: u16) -> Option<u16> {
        let color = Color::of_bits((word - self.routes).into());
        let mut config = self.row.color_state(self.x, color).cloned().unwrap_or_default();
        self.writes.iter().filter(|write| write.1 == color).for_each(|write| config.set_route_word(write.2));
        Some(config.route_word())
    }

    fn write(&mut self, word: u16, value: u16) -> bool {
        self.writes.push((self.due, Color::of_bits((word - self.routes).into()), value));
        true
    }
}

impl Reference {
    /// A machine with one program on each tile, as the random programs have it.
    pub fn new(image: &Image) -> Reference {
        let chip = csl_machine::chip(image.arch);
        let table = Arc::new(table(image));
        let row = |y: u32| {
            let tiles = (0..image.rect.width).map(|x| Tile::new(image, x, y)).collect();
            let reserve = u64::from(chip.timing.loopback_hold);
            (Row::new(Arc::clone(&table), y, chip, true), ElementRow { tiles, now: 0, reserve })
        };
        Reference { rows: (0..image.rect.height).map(row).collect(), now: 0 }
    }

    /// Runs up to and including cycle `last`.
    pub fn run(&mut self, last: u64) -> Result<(), FaultReport> {
        while self.now < last {
            self.now += 1;
            let now = self.now;
            let faults: Vec<_> = self.rows.iter_mut().enumerate().map(|(y, row)| cycle(row, y as u32, now)).collect();
            faults.into_iter().collect::<Result<(), _>>()?;
            for y in 1..self.rows.len() {
                let (above, below) = self.rows.split_at_mut(y);
                Row::exchange(&mut above[y - 1].0, &mut below[0].0, now);
            }
        }
        Ok(())
    }

    pub fn memory(&self, x: u32, y: u32, bytes: u16) -> Vec<u8> {
        let memory = self.rows[y as usize].1.tiles[x as usize].pe.memory();
        (0..bytes).map(|addr| memory.get::<1>(addr)[0]).collect()
    }

    /// All landings by cycle: cycle, column, row, side, color, data.
    pub fn trace(&mut self) -> Vec<Landed> {
        let landed = |event: csl_fabric::TraceEvent| match event.what {
            Traced::Landing { from, wavelet, .. } => {
                Some((event.cycle, event.x, event.y, from, event.color.number(), wavelet.data))
            }
            _ => None,
        };
        let all = self.rows.iter_mut().flat_map(|(row, _)| row.take_events());
        let mut all: Vec<Landed> = all.filter_map(landed).collect();
        all.sort();
        all
    }

    /// Hash and number of all landings.
    pub fn landings(&self) -> (u64, u64) {
        let sum = |(hash, moved): (u64, u64), (row, _): &(Row, ElementRow)| {
            (hash.wrapping_add(row.hash()), moved + row.moved())
        };
        self.rows.iter().fold((0, 0), sum)
    }
}

fn cycle((row, elements): &mut (Row, ElementRow), y: u32, now: u64) -> Result<(), FaultReport> {
    let fabric = |fault: csl_fabric::Fault| FaultReport { cycle: now, x: fault.x, y, what: FaultKind::Fabric(fault) };
    elements.now = now;
    row.arrive(now).map_err(fabric)?;
    for (x, tile) in (0..).zip(&mut elements.tiles) {
        for (_, color, word) in tile.writes.extract_if(.., |write| write.0 == now) {
            row.reconfigure(x, color, now, |config| config.set_route_word(word));
        }
        tile.inject(row, x, now).map_err(fabric)?;
    }
    row.route(now, elements);
    for (x, tile) in (0..).zip(&mut elements.tiles) {
        let pe = |fault: csl_pe::Fault| FaultReport { cycle: fault.cycle, x, y, what: FaultKind::Pe(fault) };
        let due = now + u64::from(tile.dispatch_to_ramp);
        let mut registers = RouteRegisters { routes: tile.routes, row, writes: &mut tile.writes, x, due };
        tile.pe.advance(now, now + 1, &mut tile.ports, &mut registers).map_err(pe)?;
        tile.take_back(row, x, now);
    }
    Ok(())
}

impl Tile {
    fn new(image: &Image, x: u32, y: u32) -> Tile {
        let run = image.tiles.iter().find(|run| run.y == y && (run.x..run.x + run.len).contains(&x));
        let program = &image.programs[run.expect("every tile has a program").program];
        let mut ports = Ports::new(image.arch);
        let chip = csl_machine::chip(image.arch);
        let pe = Pe::new(Arc::clone(program), chip, x as u16, y as u16, &mut ports);
        let dispatch_to_ramp = chip.timing.dispatch_to_ramp;
        Tile {
            pe,
            ports,
            next_output: 0,
            refused: 0,
            returns: Vec::new(),
            writes: Vec::new(),
            dispatch_to_ramp,
            routes: chip.config.color_routes,
        }
    }

    /// Lets one wavelet leave; the output queues take turns.
    fn inject(&mut self, row: &mut Row, x: u32, now: u64) -> Result<(), csl_fabric::Fault> {
        let count = self.ports.outputs.len();
        let turns: Vec<_> = OutputSlot::all().take(count).collect();
        for output in (0..count).map(|i| turns[(self.next_output + i) % count]) {
            let Some(head) = self.ports.outputs[output].ready(now) else { continue };
            let Some(vc) = row.routed(x, head.color) else { continue };
            let csl_machine::Wavelet { data, control, half } = head.wavelet;
            if row.inject(vc, Wavelet { data, control, half }, now)? {
                self.ports.depart(output);
                self.next_output = (output.index() + 1) % count;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Wakes refused colors as soon as there is room for them.
    fn take_back(&mut self, row: &mut Row, x: u32, now: u64) {
        for (_, slot) in self.returns.extract_if(.., |place| place.0 <= now) {
            self.ports.release(slot);
        }
        for color in (0..24).map(Color::at).filter(|color| self.refused & color.bit() != 0).collect::<Vec<Color>>() {
            if self.has_room(color) {
                self.refused &= !color.bit();
                row.ramp_has_room(x, color);
            }
        }
    }

    fn has_room(&mut self, color: Color) -> bool {
        self.ports.arrival_slot(color).is_some_and(|slot| self.ports.inputs[slot].has_room())
    }
}

impl Ramp for ElementRow {
    fn room(&mut self, x: u32, color: Color) -> bool {
        let tile = &mut self.tiles[x as usize];
        let room = tile.has_room(color);
        tile.refused |= u32::from(!room) << color.number();
        room
    }

    fn deliver(&mut self, x: u32, color: Color, wavelet: Wavelet, is_own: bool) {
        let Wavelet { data, control, half } = wavelet;
        let Tile { ports, returns, .. } = &mut self.tiles[x as usize];
        let slot = ports.arrival_slot(color).expect("`room` has found one");
        assert!(ports.arrive(slot, csl_machine::Wavelet { data, control, half }), "`room` has found room");
        if is_own && self.reserve > 0 {
            ports.reserve(slot);
            returns.push((self.now + self.reserve - 1, slot));
        }
    }

    fn accepted(&mut self, _x: u32, _color: Color) {}

    fn torn_down(&mut self, x: u32, color: Color) {
        self.tiles[x as usize].pe.tear_down(color);
    }
}

/// The routes of an image whose runs are one tile long.
fn table(image: &Image) -> RouteTable {
    let configs = image.color_configs.clone();
    let mut sets = Vec::new();
    let mut rows = Vec::new();
    for y in 0..image.rect.height {
        let mut runs = Vec::new();
        for x in 0..image.rect.width {
            let here = image.routes.iter().filter(|run| (run.x, run.y) == (x, y));
            let mut set: Vec<(Color, u32)> = here.map(|run| (run.color, run.config)).collect();
            set.sort();
            runs.push((x, 1, sets.len() as u32));
            sets.push(set);
        }
        rows.push(runs);
    }
    RouteTable::new(image.rect.width, rows, sets, configs)
}
