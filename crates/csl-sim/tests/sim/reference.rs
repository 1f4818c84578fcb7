//! The reference engine: visits every router and every PE in every cycle, by row and column. Nothing sleeps, runs ahead
//! or is skipped. It shares with the engine the PE (`csl-pe`, called for one cycle at a time) and the configuration of
//! colors; the routers are its own (`routers.rs`), and so are the ramps between the two, below. Memcpy is not in it.

use std::sync::Arc;

use csl_fabric::{Fault, Ramp, RouteTable, TraceEvent};
use csl_image::Image;
use csl_machine::{Chip, Color, Schedule, Wavelet};
use csl_pe::{InputSlot, OutputSlot, Pe, Ports, Registers};
use csl_sim::{FaultKind, FaultReport};

use crate::load::Load;
use crate::routers::{At, Routers};

pub struct Reference {
    routers: Routers,
    elements: Elements,
    height: u32,
    now: u64,
    /// Whether no PE or queue waits for a later cycle.
    is_at_rest: bool,
    /// Whether nothing happened in the last cycle.
    is_still: bool,
    /// Whether it goes on at once to the next cycle in which something may happen.
    skips: bool,
    /// The first cycle for which some PE, queue or write waits.
    next: u64,
}

struct Elements {
    width: u32,
    tiles: Vec<Tile>,
    now: u64,
    chip: &'static Chip,
}

struct Tile {
    pe: Pe,
    ports: Ports,
    /// The output queue to try first.
    next_output: usize,
    /// Places of input slots that are kept for wavelets from the tile's own ramp, each with the cycle of its release.
    kept: Vec<(u64, InputSlot)>,
    /// Writes to route and switch registers on their way, each with the cycle in which it reaches the router.
    writes: Vec<(u64, Write)>,
}

/// A write to the route register of a color, or to its switch register.
#[derive(Clone, Copy)]
struct Write {
    color: Color,
    is_switch: bool,
    word: u16,
}

impl Write {
    fn at(chip: &Chip, register: u16, word: u16) -> Option<Write> {
        let color = |first: u16| register.checked_sub(first).filter(|color| *color < chip.fabric.colors.into());
        let write = |is_switch| move |color: u16| Write { color: Color::of_bits(color.into()), is_switch, word };
        let route = color(chip.config.color_routes).map(write(false));
        route.or_else(|| color(chip.config.color_switches).map(write(true)))
    }

    fn carry_out(self, state: &mut csl_fabric::ColorState) {
        if self.is_switch { state.set_switch_word(self.word) } else { state.set_route_word(self.word) }
    }
}

struct RouterRegisters<'a> {
    chip: &'static Chip,
    routers: &'a Routers,
    writes: &'a mut Vec<(u64, Write)>,
    at: At,
    now: u64,
}

impl Registers for RouterRegisters<'_> {
    fn read(&mut self, register: u16) -> Option<u16> {
        let Write { color, is_switch, .. } = Write::at(self.chip, register, 0)?;
        let mut state = self.routers.color_state(self.at, color);
        self.writes.iter().filter(|(_, write)| write.color == color).for_each(|(_, write)| write.carry_out(&mut state));
        Some(if is_switch { state.switch_word() } else { state.route_word() })
    }

    fn write(&mut self, register: u16, value: u16) -> bool {
        let write = Write::at(self.chip, register, value);
        let due = self.now + u64::from(self.chip.timing.dispatch_to_ramp);
        self.writes.extend(write.map(|write| (due, write)));
        write.is_some()
    }
}

impl Reference {
    /// A machine with one program on each tile, as the random programs have it.
    pub fn new(image: &Image, is_traced: bool) -> Reference {
        let chip = csl_machine::chip(image.arch);
        let (width, height) = (image.rect.width, image.rect.height);
        let tiles = (0..width * height).map(|i| Tile::new(image, chip, (i % width, i / width))).collect();
        let depth = chip.timing.router_buffer as usize;
        let routers = Routers::new(Arc::new(table(image)), chip, depth, is_traced);
        Reference {
            routers,
            elements: Elements { width, tiles, now: 0, chip },
            height,
            now: 0,
            is_at_rest: false,
            is_still: false,
            skips: false,
            next: 0,
        }
    }

    /// The same machine with routers that hold any number of wavelets, and PEs that run by another schedule.
    pub fn without_bounds(image: &Image, schedule: Schedule) -> Reference {
        let mut reference = Reference::new(image, false);
        reference.routers = Routers::new(Arc::new(table(image)), reference.elements.chip, usize::MAX / 2, false);
        reference.skips = true;
        let width = reference.elements.width;
        for (tile, i) in reference.elements.tiles.iter_mut().zip(0..) {
            tile.pe.draw_from(schedule.draws(i % width, i / width));
        }
        reference
    }

    pub fn is_at_rest(&self) -> bool {
        self.is_at_rest && self.is_still && self.routers.is_at_rest()
    }

    /// Runs until nothing can move any more, up to and including cycle `last`.
    pub fn run(&mut self, last: u64) -> Result<(), FaultReport> {
        while self.now < last && !self.is_at_rest() {
            let is_still = self.is_still && self.routers.is_at_rest();
            self.now = if self.skips && is_still { self.next.clamp(self.now + 1, last) } else { self.now + 1 };
            (self.is_at_rest, self.is_still, self.next) = (true, true, u64::MAX);
            let collisions = self.routers.arrive(self.now);
            self.elements.now = self.now;
            // Rows share nothing in a cycle: of their faults the first row's counts.
            for y in 0..self.height {
                let first = collisions.iter().find(|fault| fault.y == y).cloned();
                self.run_row(y, first)?;
            }
        }
        Ok(())
    }

    fn run_row(&mut self, y: u32, collision: Option<Fault>) -> Result<(), FaultReport> {
        let now = self.now;
        let report = |x, what| FaultReport { cycle: now, x, y, what };
        if let Some(fault) = collision {
            return Err(report(fault.x, FaultKind::Fabric(fault)));
        }
        for x in 0..self.elements.width {
            if let Some(fault) = self.inject((x, y)) {
                return Err(report(x, FaultKind::Fabric(fault)));
            }
        }
        for x in 0..self.elements.width {
            self.routers.route((x, y), now, &mut Row { elements: &mut self.elements, y });
        }
        for x in 0..self.elements.width {
            let chip = self.elements.chip;
            let tile = self.elements.tile((x, y));
            let mut registers =
                RouterRegisters { chip, routers: &self.routers, writes: &mut tile.writes, at: (x, y), now };
            let advanced = tile.pe.advance(now, now + 1, &mut tile.ports, &mut registers);
            let wake =
                advanced.map_err(|fault| FaultReport { cycle: fault.cycle, x, y, what: FaultKind::Pe(fault) })?;
            self.is_at_rest &= wake.at == u64::MAX && tile.writes.is_empty() && tile.kept.is_empty();
            let due = tile.writes.iter().map(|write| write.0).chain(tile.kept.iter().map(|place| place.0));
            let heads = tile.ports.outputs.iter().filter_map(|queue| queue.head_ready());
            self.next = due.chain(heads).chain([wake.at]).filter(|at| *at > now).fold(self.next, u64::min);
            self.is_still &= (std::mem::take(&mut tile.ports.taken), std::mem::take(&mut tile.ports.put)) == (0, 0);
            for (_, slot) in tile.kept.extract_if(.., |place| place.0 <= now) {
                tile.ports.release(slot);
            }
        }
        Ok(())
    }

    /// Carries out register writes, then lets one wavelet leave a tile; the output queues take turns.
    fn inject(&mut self, at: At) -> Option<Fault> {
        let (now, routers) = (self.now, &mut self.routers);
        let tile = self.elements.tile(at);
        for (_, write) in tile.writes.extract_if(.., |write| write.0 == now) {
            routers.reconfigure(at, write.color, now, |state| write.carry_out(state));
        }
        tile.note_load(now, &mut routers.load);
        self.is_at_rest &= tile.ports.outputs.iter().all(|queue| queue.head_ready().is_none_or(|ready| ready <= now));
        let count = tile.ports.outputs.len();
        let slots: Vec<_> = OutputSlot::all().take(count).collect();
        for output in (0..count).map(|i| slots[(tile.next_output + i) % count]) {
            let Some(head) = tile.ports.outputs[output].ready(now) else { continue };
            if let Some(landed) = routers.inject(at, head.color, head.wavelet, head.advance_switch, now) {
                tile.ports.depart(output, now);
                tile.next_output = (output.index() + 1) % count;
                self.is_still = false;
                routers.load.injected += 1;
                routers.load.controls += u64::from(head.wavelet.control);
                return landed.err();
            }
        }
        None
    }

    pub fn now(&self) -> u64 {
        self.now
    }

    pub fn memory(&self, (x, y): At, bytes: u16) -> Vec<u8> {
        let memory = self.elements.tiles[(y * self.elements.width + x) as usize].pe.memory();
        (0..bytes).map(|addr| memory.get::<1>(addr)[0]).collect()
    }

    pub fn take_trace(&mut self) -> Vec<TraceEvent> {
        self.routers.take_trace()
    }

    /// Hash and number of all landings.
    pub fn landings(&self) -> (u64, u64) {
        self.routers.landings()
    }

    pub fn load(&self) -> Load {
        self.routers.load
    }
}

impl Tile {
    fn new(image: &Image, chip: &'static Chip, (x, y): At) -> Tile {
        let program = image.program_at(x, y).expect("every tile has a program");
        let mut ports = Ports::new(image.arch);
        let mut pe = Pe::new(Arc::clone(program), chip, x as u16, y as u16, &mut ports);
        pe.go_the_general_way();
        Tile { pe, ports, next_output: 0, kept: Vec::new(), writes: Vec::new() }
    }

    fn note_load(&self, now: u64, load: &mut Load) {
        let waiting = self.ports.outputs.iter().filter(|queue| !queue.is_empty());
        load.senders += u64::from(waiting.clone().next().is_some());
        load.full_outputs += u64::from(waiting.clone().any(|queue| queue.room() == 0));
        load.rivals += u64::from(waiting.filter(|queue| queue.ready(now).is_some()).count() > 1);
        let held = self.ports.inputs.iter().filter(|queue| !queue.is_empty());
        load.held_inputs += held.clone().count() as u64;
        load.full_inputs += held.filter(|queue| !queue.has_room()).count() as u64;
    }
}

impl Elements {
    fn tile(&mut self, (x, y): At) -> &mut Tile {
        &mut self.tiles[(y * self.width + x) as usize]
    }
}

/// The compute elements of one row.
struct Row<'a> {
    elements: &'a mut Elements,
    y: u32,
}

impl Ramp for Row<'_> {
    fn room(&mut self, x: u32, color: Color) -> bool {
        let ports = &mut self.elements.tile((x, self.y)).ports;
        ports.arrival_slot(color).is_some_and(|slot| ports.inputs[slot].has_room())
    }

    fn deliver(&mut self, x: u32, color: Color, wavelet: Wavelet, is_own: bool) {
        let keep = u64::from(self.elements.chip.timing.loopback_hold);
        let until = self.elements.now + keep;
        let tile = self.elements.tile((x, self.y));
        let slot = tile.ports.arrival_slot(color).expect("`room` has found one");
        assert!(tile.ports.arrive(slot, wavelet), "`room` has found room");
        if is_own && keep > 0 {
            tile.ports.reserve(slot);
            tile.kept.push((until - 1, slot));
        }
    }

    fn accepted(&mut self, _x: u32, _color: Color) {}

    fn torn_down(&mut self, x: u32, color: Color) {
        self.elements.tile((x, self.y)).pe.tear_down(color);
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
