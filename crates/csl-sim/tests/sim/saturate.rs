//! Random programs that saturate the machine: several long streams a PE over the same links, trees with many branches,
//! gathers behind switches, rings, color swaps, filters, FIFOs, control tasks, teardown, priorities, slow receivers.
//! Engine and reference agree on landings, memory (with timestamps in it), faults and traces; the load is pinned.
//!
//! `CSL_SIM_SATURATED` sets how many programs a test run makes, `CSL_SIM_FIRST` the number of the first.
//! With `CSL_SIM_THREADS=1` each program runs on 1, 2 and 4 threads, and not one in four only.

use std::collections::BTreeMap;
use std::sync::Arc;

use csl_fabric::FilterState;
use csl_image::{Fifo, Image, PeImage, RouteRun};
use csl_isa::dsd::{Dsd, DsdClass, fabric_flags};
use csl_isa::vec::{RegOrImm, VecArg, VecDesc};
use csl_isa::{Insn, NO_REG, Op};
use csl_machine::{
    Action, Arch, Color, ColorConfig, DirSet, FifoAction, FifoConfig, Filter, FilterKind, PopMode, Priority, QueueDir,
    QueueId, Startup, SwitchPos, SysOp, TaskId, TaskKind, TaskTarget, VecConfig, VecOp, Wavelet,
};

use crate::builder::*;
use crate::engines::{ALONE, Engine, EveryCycle, LAST, OnThreads, Outcome, outcome};
use crate::load::Load;
use crate::random::{Dice, imm, log, number, sys};
use crate::reference::Reference;

/// The number of programs of a usual test run.
const PROGRAMS: u64 = 300;

pub const POOL: u16 = 0x1000;
const TURNS: u16 = 0x0ffc;
const LOG_START: u16 = 0x2000;
pub const END: u16 = 0x2800;

/// Local tasks for the steps of operations.
const STEPS: std::ops::Range<u8> = 10..28;
/// The local task that makes noise beside the streams, and the task ids of control wavelets.
const NOISE: u8 = 9;
const ENTRIES: [u8; 2] = [40, 41];

/// Control wavelets: SWITCH_ADV, SWITCH_RST and TEARDOWN that no CE sees, with NOPs behind that none sees.
const ADVANCE: u32 = 0x095F_9249;
const RESET: u32 = 0x099F_9249;
const TEARDOWN: u32 = 0x09DF_9249;

type At = (u32, u32);

/// A part of a stream.
#[derive(Clone, Copy)]
enum Part {
    Words(u16),
    /// Words behind the last of which the sender's own switch advances.
    WordsAndOn(u16),
    Control(u32),
    /// Words and SWITCH_ADV, again and again.
    Rounds(u16, u16),
}

impl Part {
    /// The number of its wavelets.
    fn wavelets(self) -> u64 {
        match self {
            Part::Words(words) | Part::WordsAndOn(words) => words.into(),
            Part::Control(_) => 1,
            Part::Rounds(words, rounds) => u64::from(words + 1) * u64::from(rounds),
        }
    }
}

enum What {
    Send(Vec<Part>),
    /// The number of wavelets that reach the compute element.
    Receive(u16),
}

/// The part of a tile in a stream.
struct End {
    color: u8,
    queue: u8,
    what: What,
}

struct Layout<'a> {
    dice: &'a mut Dice,
    arch: Arch,
    size: (u32, u32),
    ends: Vec<Vec<End>>,
    routes: Vec<(u32, u32, u8, ColorConfig)>,
}

/// A program, and the number of wavelets that its compute elements have to send.
pub fn generate(mut dice: Dice) -> (Image, u64) {
    let arch = dice.pick(&[Arch::Wse2, Arch::Wse3]);
    let is_wide = dice.one_in(2);
    let sizes: &[At] = match is_wide {
        true => &[(6, 1), (8, 1), (10, 1), (6, 2), (5, 3), (8, 2)],
        false => &[(2, 1), (2, 2), (3, 2), (3, 3), (4, 3), (5, 2), (1, 5), (4, 4)],
    };
    let size = dice.pick(sizes);
    let ends = (0..size.0 * size.1).map(|_| Vec::new()).collect();
    let mut layout = Layout { dice: &mut dice, arch, size, ends, routes: Vec::new() };
    let mut color = match is_wide {
        true if layout.dice.one_in(2) => layout.shifts(),
        true => layout.drains(),
        false => 0,
    };
    let colors = if is_wide { color + layout.dice.between(0, 3) as u8 } else { layout.dice.between(3, 10) as u8 };
    while color < colors {
        color += layout.stream(color);
    }
    let sends = layout.ends.iter().flatten().filter_map(|end| match &end.what {
        What::Send(parts) => Some(parts.iter().map(|part| part.wavelets()).sum::<u64>()),
        What::Receive(_) => None,
    });
    let planned = sends.sum();
    (layout.finish(), planned)
}

/// The choices of the program with a number.
pub fn dice(seed: u64) -> Dice {
    Dice::new(seed ^ 0x5a7u64 << 48)
}

fn dirs(set: u8) -> DirSet {
    DirSet(set)
}

fn opposite(side: u8) -> u8 {
    [(W, E), (E, W), (S, N), (N, S)].into_iter().find(|pair| pair.0 == side).map_or(RAMP, |pair| pair.1)
}

impl Layout<'_> {
    /// Lays a stream; returns the number of colors that it takes.
    fn stream(&mut self, color: u8) -> u8 {
        match self.dice.below(13) {
            0 => self.loopback(color),
            12 => self.merge(color),
            1..=3 => self.gather(color),
            4 | 5 => self.ring(color),
            6 | 7 if self.arch == Arch::Wse2 && color.is_multiple_of(2) && self.size.0 > 1 => return self.swaps(color),
            _ => self.tree(color),
        }
        1
    }

    fn index(&self, (x, y): At) -> usize {
        (y * self.size.0 + x) as usize
    }

    fn tile(&mut self) -> At {
        (self.dice.below(self.size.0.into()) as u32, self.dice.below(self.size.1.into()) as u32)
    }

    fn neighbour(&self, (x, y): At, side: u8) -> Option<At> {
        let at = match side {
            W => (x.checked_sub(1)?, y),
            E => (x + 1, y),
            S => (x, y + 1),
            _ => (x, y.checked_sub(1)?),
        };
        (at.0 < self.size.0 && at.1 < self.size.1).then_some(at)
    }

    fn route(&mut self, at: At, color: u8, config: ColorConfig) {
        self.routes.push((at.0, at.1, color, config));
    }

    /// Adds an end where the tile has a queue for it.
    fn end(&mut self, at: At, color: u8, what: What) -> bool {
        // WSE-2 has two output queues fewer.
        let is_short = self.arch == Arch::Wse2 && matches!(what, What::Send(_));
        let queues: &[u8] = if is_short { &[4, 3, 5, 2] } else { &[7, 2, 6, 5, 3, 4] };
        let index = self.index(at);
        let ends = &mut self.ends[index];
        let queue = queues.iter().copied().find(|queue| ends.iter().all(|end| end.queue != *queue));
        ends.extend(queue.map(|queue| End { color, queue, what }));
        queue.is_some()
    }

    fn words(&mut self) -> u16 {
        let most = self.dice.pick(&[20, 80, 200, 300]);
        self.dice.between(most / 2, most)
    }

    /// A random walk that crosses no tile twice: tiles, each with the side by which it goes on.
    fn walk(&mut self, most: u16) -> Vec<(At, u8)> {
        let mut path = vec![(self.tile(), RAMP)];
        for _ in 0..self.dice.between(1, most) {
            let (at, _) = path[path.len() - 1];
            let sides: Vec<u8> = [W, E, S, N]
                .into_iter()
                .filter(|side| {
                    self.neighbour(at, *side).is_some_and(|next| path.iter().all(|(known, _)| *known != next))
                })
                .collect();
            if sides.is_empty() {
                break;
            }
            let side = self.dice.pick(&sides);
            let last = path.len() - 1;
            path[last].1 = side;
            path.extend(self.neighbour(at, side).map(|next| (next, RAMP)));
        }
        path
    }

    /// Every tile of every row sends to the tile some columns on, so that several streams share each link. Returns the
    /// number of colors.
    fn shifts(&mut self) -> u8 {
        let (width, height) = self.size;
        let distance = u32::from(self.dice.between(2, 4)).min(width - 1);
        let words = self.words();
        for (x, y) in (0..height).flat_map(|y| (0..width - distance).map(move |x| (x, y))) {
            let color = (x % (distance + 1)) as u8;
            if self.dice.one_in(8) || !self.end((x, y), color, What::Send(vec![Part::Words(words)])) {
                continue;
            }
            let takes = self.dice.one_in(6);
            for column in x..=x + distance {
                let from = if column == x { RAMP } else { W };
                let to = match column - x {
                    hops if hops == distance => RAMP,
                    1 if takes => E | RAMP,
                    _ => E,
                };
                self.route((column, y), color, ColorConfig::route(dirs(from), dirs(to)));
                if to & RAMP != 0 {
                    self.end((column, y), color, What::Receive(words));
                }
            }
        }
        distance as u8 + 1
    }

    /// Tiles of a row send over its edge, where everything is taken: no compute element slows the streams that share the
    /// links. Returns the number of colors.
    fn drains(&mut self) -> u8 {
        let (width, height) = self.size;
        let colors = self.dice.between(2, 8).min(width as u16) as u8;
        let words = self.words();
        for y in 0..height {
            for color in 0..colors {
                let first = self.dice.below(u64::from(width)) as u32;
                if !self.end((first, y), color, What::Send(vec![Part::Words(words)])) {
                    continue;
                }
                for x in first..width {
                    let from = if x == first { RAMP } else { W };
                    let takes = x > first && self.dice.one_in(12);
                    self.route((x, y), color, ColorConfig::route(dirs(from), dirs(E | if takes { RAMP } else { 0 })));
                    if takes {
                        self.end((x, y), color, What::Receive(words));
                    }
                }
            }
        }
        colors
    }

    fn loopback(&mut self, color: u8) {
        let (at, words) = (self.tile(), self.words());
        self.route(at, color, ColorConfig::route(dirs(RAMP), dirs(RAMP)));
        self.end(at, color, What::Send(vec![Part::Words(words)]));
        self.end(at, color, What::Receive(words));
    }

    /// A stream in parts, with control wavelets between and behind them; and the number of wavelets in it that compute
    /// elements see.
    fn parts(&mut self) -> (Vec<Part>, u16) {
        let (words, count) = (self.words(), self.dice.between(1, 3));
        let mut parts = Vec::new();
        for _ in 0..count {
            parts.push(Part::Words((words / count).max(1)));
            if self.dice.one_in(4) {
                parts.push(Part::Control(u32::from(self.dice.pick(&ENTRIES)) << 16));
            }
        }
        let seen = parts.iter().map(|part| if let Part::Words(words) = part { *words } else { 1 }).sum();
        if self.dice.one_in(8) {
            let command = Part::Control(self.dice.pick(&[TEARDOWN, TEARDOWN, RESET, ADVANCE]));
            // What comes behind a TEARDOWN stands, unless tiles open the color again.
            let at = if self.dice.one_in(2) { parts.len() } else { 1 };
            parts.insert(at, command);
        }
        (parts, seen)
    }

    /// A tree from one sender to several receivers.
    fn tree(&mut self, color: u8) {
        let root = self.tile();
        let (parts, seen) = self.parts();
        let mut members = vec![(root, RAMP, 0u8)];
        for _ in 0..self.dice.between(1, 9) {
            let last = members.len() - 1;
            let from = if self.dice.one_in(3) { self.dice.between(0, last as u16).into() } else { last };
            let side = self.dice.pick(&[W, E, S, N]);
            match self.neighbour(members[from].0, side) {
                Some(next) if members.iter().all(|member| member.0 != next) => {
                    members[from].2 |= side;
                    members.push((next, opposite(side), 0));
                }
                // Now and then over the edge, where wavelets are lost.
                None if self.dice.one_in(24) => members[from].2 |= side,
                _ => {}
            }
        }
        if !self.end(root, color, What::Send(parts)) {
            return;
        }
        for (at, from, onward) in members {
            let takes = onward == 0 || at != root && self.dice.one_in(2) || self.dice.one_in(12);
            let mut config = ColorConfig::route(dirs(from), dirs(onward | if takes { RAMP } else { 0 }));
            let mut count = seen;
            if takes && self.dice.one_in(5) {
                let filter = self.filter();
                count = passed(&filter, seen);
                config.filter = Some(filter);
            }
            self.route(at, color, config);
            if takes {
                self.end(at, color, What::Receive(count));
            }
        }
    }

    fn filter(&mut self) -> Filter {
        let limit1 = self.dice.between(1, 5);
        let kind = self.dice.pick(&[FilterKind::Counter, FilterKind::Counter, FilterKind::SparseCounter]);
        let limit2 = self.dice.one_in(2).then(|| self.dice.between(0, 9));
        let (max_counter, init_counter) = (self.dice.between(0, limit1), self.dice.between(0, limit1));
        let count_control = self.dice.one_in(2);
        Filter { limit1, limit2, max_counter, init_counter, count_data: true, count_control, ..Filter::new(kind) }
    }

    /// All tiles of a path send to its end, the nearest first: each opens the way for those behind it.
    fn gather(&mut self, color: u8) {
        let path = self.walk(5);
        let (words, mut sum, mut from) = (self.words() / path.len() as u16 + 1, 0, None);
        for &(at, side) in &path[..path.len() - 1] {
            let parts = match self.dice.one_in(3) {
                true => vec![Part::WordsAndOn(words)],
                false => vec![Part::Words(words), Part::Control(ADVANCE)],
            };
            let mut config = ColorConfig::route(dirs(RAMP), dirs(side));
            match from {
                _ if self.end(at, color, What::Send(parts)) => {
                    sum += words;
                    if let Some(from) = from {
                        config.positions[0] = SwitchPos::Rx(dirs(from));
                        config.ring_mode = self.dice.one_in(12);
                    }
                }
                Some(from) => config.rx = dirs(from),
                None => {}
            }
            config.pop_mode = self.dice.pick(&PopMode::ALL);
            self.route(at, color, config);
            from = Some(opposite(side));
        }
        let (sink, _) = path[path.len() - 1];
        self.route(sink, color, ColorConfig::route(dirs(from.unwrap_or(RAMP)), dirs(RAMP)));
        if path.len() == 1 {
            self.end(sink, color, What::Send(vec![Part::Words(words)]));
            sum = words;
        }
        self.end(sink, color, What::Receive(sum));
    }

    /// A tile that opens an input beside its ramp when wavelets stand at it: from then on the two take turns.
    fn merge(&mut self, color: u8) {
        let path = self.walk(2);
        let [(source, side), (hub, onward), (sink, _)] = path[..] else { return };
        // No more than a router holds: none lands in the same cycle as one of the ramp.
        let (first, waiting) = (self.dice.between(20, 60), self.dice.between(1, 2));
        let parts = vec![Part::Words(first), Part::Control(ADVANCE), Part::Words(self.dice.between(2, 20))];
        let own: u64 = parts.iter().map(|part| part.wavelets()).sum();
        if !self.end(hub, color, What::Send(parts)) {
            return;
        }
        let has_source = self.end(source, color, What::Send(vec![Part::Words(waiting)]));
        self.route(source, color, ColorConfig::route(dirs(RAMP), dirs(side)));
        let mut config = ColorConfig::route(dirs(RAMP), dirs(onward));
        config.positions[0] = SwitchPos::Rx(dirs(RAMP | opposite(side)));
        self.route(hub, color, config);
        self.route(sink, color, ColorConfig::route(dirs(opposite(onward)), dirs(RAMP)));
        self.end(sink, color, What::Receive(own as u16 - 1 + if has_source { waiting } else { 0 }));
    }

    /// A sender whose parts go in turn to the neighbours of the tile behind it.
    fn ring(&mut self, color: u8) {
        let source = self.tile();
        let sides = [W, E, S, N];
        let Some((side, hub)) = sides.into_iter().find_map(|side| Some((side, self.neighbour(source, side)?))) else {
            return;
        };
        let outs: Vec<u8> =
            sides.into_iter().filter(|out| *out != opposite(side) && self.neighbour(hub, *out).is_some()).collect();
        let outs: Vec<u8> = outs.into_iter().take(3).chain([RAMP]).collect();
        let mut config = ColorConfig::route(dirs(opposite(side)), dirs(outs[0]));
        for (position, out) in config.positions.iter_mut().zip(&outs[1..]) {
            *position = SwitchPos::Tx(dirs(*out));
        }
        config.ring_mode = true;
        config.pop_mode = self.dice.pick(&[PopMode::NoPop, PopMode::AlwaysPop]);
        let rounds = usize::from(self.dice.between(1, 8)) * outs.len();
        let words = self.dice.between(2, 30);
        let parts = vec![Part::Rounds(words, rounds as u16)];
        if !self.end(source, color, What::Send(parts)) {
            return;
        }
        self.route(source, color, ColorConfig::route(dirs(RAMP), dirs(side)));
        self.route(hub, color, config);
        let each = words * (rounds / outs.len()) as u16;
        for out in outs {
            let leaf = self.neighbour(hub, out).filter(|_| out != RAMP);
            if let Some(leaf) = leaf {
                self.route(leaf, color, ColorConfig::route(dirs(opposite(out)), dirs(RAMP)));
            }
            self.end(leaf.unwrap_or(hub), color, What::Receive(each));
        }
    }

    /// A line along a row on which every tile swaps the two colors of a pair; or one color, which every tile receives on
    /// the other as well.
    fn swaps(&mut self, color: u8) -> u8 {
        let y = self.dice.below(self.size.1.into()) as u32;
        let is_pair = self.dice.one_in(2);
        let words = [self.words(), self.words()];
        for x in 0..self.size.0 {
            let (from, to) = (if x == 0 { RAMP } else { W }, if x + 1 < self.size.0 { E } else { RAMP });
            for i in 0..2u8 {
                let is_copy = i == 1 && !is_pair;
                if is_copy && (x == 0 || to == RAMP || self.dice.one_in(2)) {
                    continue;
                }
                let here = color + if is_pair { (i + x as u8) % 2 } else { i };
                let takes = is_pair && to != RAMP && x > 0 && self.dice.one_in(3);
                let to = if is_copy { RAMP } else { to | if takes { RAMP } else { 0 } };
                let swap_x = x > 0 && (is_pair || is_copy);
                self.route((x, y), here, ColorConfig { swap_x, ..ColorConfig::route(dirs(from), dirs(to)) });
                let count = words[if is_pair { usize::from(i) } else { 0 }];
                if x == 0 {
                    self.end((x, y), here, What::Send(vec![Part::Words(count)]));
                }
                if to & RAMP != 0 {
                    self.end((x, y), here, What::Receive(count));
                }
            }
        }
        2
    }

    fn finish(self) -> Image {
        let Layout { dice, arch, size: (width, height), ends, mut routes } = self;
        let is_chaotic = dice.one_in(16);
        let programs = ends.into_iter().map(|ends| program_of(dice, arch, ends, is_chaotic)).collect();
        let tiles: Vec<Vec<u32>> = (0..height).map(|y| (y * width..(y + 1) * width).collect()).collect();
        let tiles: Vec<&[u32]> = tiles.iter().map(Vec::as_slice).collect();
        let mut image = layout(arch, programs, &tiles, &[]);
        routes.sort_by_key(|(x, y, color, _)| (*y, *x, *color));
        routes.dedup_by_key(|(x, y, color, _)| (*y, *x, *color));
        for (x, y, color, config) in routes {
            let number = image.color_configs.len() as u32;
            image.routes.push(RouteRun { x, y, len: 1, color: Color::at(color), config: number });
            image.color_configs.push(config);
        }
        image
    }
}

/// The number of data wavelets that a filter lets through.
fn passed(filter: &Filter, words: u16) -> u16 {
    let mut filter = FilterState::new(filter);
    let pass = |_: &u16| {
        let passes = filter.passes(Wavelet::word(0));
        filter.count(Wavelet::word(0));
        passes
    };
    (0..words).filter(pass).count() as u16
}

/// An operation of a chain: each starts when the one before it has ended.
enum Step {
    Send(u8, u8, Part),
    Receive(u8, u8, u16),
    /// From one color to another.
    Relay((u8, u8), (u8, u8), u16),
    Push(u8, u8, u16),
    /// Out of the FIFO, to memory or to a color.
    Pop(Option<(u8, u8)>, u16),
}

struct Maker<'a> {
    dice: &'a mut Dice,
    arch: Arch,
    pe: PeImage,
    next_step: u8,
    /// Steps that start active and blocked: the step before unblocks them.
    blocked: Vec<u8>,
}

fn program_of(dice: &mut Dice, arch: Arch, ends: Vec<End>, is_chaotic: bool) -> PeImage {
    let mut pe = program(&[]);
    let bytes = (0..(LOG_START - POOL)).map(|_| dice.below(256) as u8).collect();
    pe.sections.push(csl_image::Section { addr: POOL, bytes });
    pe.data_end = END;
    pe.main_thread_priority = dice.pick(&[None, None, None, Some(Priority::Low), Some(Priority::High)]);
    for end in &ends {
        let dir = if matches!(end.what, What::Send(_)) { QueueDir::Out } else { QueueDir::In };
        bind(&mut pe, dir, end.queue, end.color);
    }
    let mut maker = Maker { dice, arch, pe, next_step: STEPS.start, blocked: Vec::new() };
    for entry in ENTRIES {
        maker.task(TaskKind::Control, entry, &[]);
    }
    let code = if maker.dice.one_in(2) { maker.reopen() } else { Vec::new() };
    maker.task(TaskKind::Local, csl_machine::chip(arch).tasks.teardown.number(), &code);
    let chains = maker.chains(ends);
    maker.main(chains, is_chaotic);
    maker.pe
}

impl Maker<'_> {
    /// A task that logs its time and runs `code`.
    fn task(&mut self, kind: TaskKind, id: u8, code: &[Insn]) {
        let mut all = self.time();
        all.extend_from_slice(code);
        let func = func(&mut self.pe, 0, &all);
        csl_testkit::bind(&mut self.pe, kind, id, &[], func);
    }

    /// Ends the teardown of all colors.
    fn reopen(&mut self) -> Vec<Insn> {
        let routes = csl_machine::chip(self.arch).config.color_routes;
        let open = !(1 << csl_machine::registers::ROUTE_TEARDOWN_BIT);
        let of_color = |color: u16| {
            let read = [imm(6, routes + color), sys(SysOp::GetConfig, 6, 7)];
            read.into_iter().chain([Insn::new(Op::AndImm, 7, 7, open), sys(SysOp::SetConfig, 6, NO_REG)])
        };
        (0..10).flat_map(of_color).collect()
    }

    fn time(&mut self) -> Vec<Insn> {
        let mut code = vec![imm(6, 0), sys(SysOp::TscWord, 6, 7)];
        code.extend(log(7));
        code
    }

    fn chains(&mut self, ends: Vec<End>) -> Vec<Vec<Step>> {
        let (mut sends, mut receives) = (Vec::new(), Vec::new());
        for End { color, queue, what } in ends {
            match what {
                What::Send(parts) => sends.push((color, queue, parts)),
                What::Receive(words) => receives.push((color, queue, words)),
            }
        }
        let mut chains = Vec::new();
        let mut has_fifo = false;
        for (color, queue, words) in receives {
            if words == 0 {
                continue;
            }
            if self.dice.one_in(5) {
                self.data_task(color, queue);
                continue;
            }
            let partner = sends.iter().position(|(_, _, parts)| matches!(parts[..], [Part::Words(_)]));
            let partner = partner.filter(|_| self.dice.one_in(2)).map(|at| sends.swap_remove(at));
            match partner {
                Some((to, out, parts)) => {
                    let Part::Words(sent) = parts[0] else { continue };
                    let both = words.min(sent);
                    let mut chain = Vec::new();
                    if !has_fifo && self.dice.one_in(3) {
                        has_fifo = true;
                        self.fifo();
                        chain.push(Step::Push(color, queue, both));
                        chains.push(vec![Step::Pop(Some((to, out)), both)]);
                    } else {
                        chain.push(Step::Relay((color, queue), (to, out), both));
                    }
                    if words > both {
                        chain.push(Step::Receive(color, queue, words - both));
                    }
                    chains.push(chain);
                    if sent > both {
                        chains.push(vec![Step::Send(to, out, Part::Words(sent - both))]);
                    }
                }
                None if !has_fifo && self.dice.one_in(4) => {
                    has_fifo = true;
                    self.fifo();
                    chains.push(vec![Step::Push(color, queue, words)]);
                    chains.push(vec![Step::Pop(None, words)]);
                }
                None => {
                    let parts = self.dice.between(1, 2).min(words);
                    let rest = words - words / parts * (parts - 1);
                    let lengths = (1..parts).map(|_| words / parts).chain([rest]);
                    chains.push(lengths.map(|words| Step::Receive(color, queue, words)).collect());
                }
            }
        }
        for (color, queue, parts) in sends {
            chains.push(parts.into_iter().map(|part| Step::Send(color, queue, part)).collect());
        }
        chains
    }

    fn data_task(&mut self, color: u8, queue: u8) {
        let id = if self.arch == Arch::Wse2 { color } else { queue };
        let mut code = vec![Insn::new(Op::Charge, self.dice.pick(&[0, 0, 5, 40]), 0, 0)];
        code.extend(log(0));
        code.extend(self.time());
        let func = func(&mut self.pe, 1, &code);
        csl_testkit::bind(&mut self.pe, TaskKind::Data, id, &[16], func);
    }

    fn fifo(&mut self) {
        let action = self.dice.pick(&[FifoAction::TestOrSuspend, FifoAction::Suspend]);
        let priority = self.dice.pick(&[None, None, Some(Priority::Medium), Some(Priority::High)]);
        let config = FifoConfig {
            elem_words: 2,
            empty_action: action,
            full_action: action,
            activate_push: None,
            activate_pop: None,
            priority,
            simd: None,
        };
        self.pe.fifos.push(Fifo { addr: 0xa00, words: 2 * self.dice.between(2, 12), config });
    }

    fn memory(&mut self, extent: u16) -> VecArg {
        let addr = POOL + 4 * self.dice.between(0, 0x280);
        VecArg::DsdConst(Dsd::mem1d(addr, extent, self.dice.pick(&[1, 1, 1, 0]), false).0)
    }

    fn vector(&mut self, op: VecOp, dest: VecArg, srcs: Vec<VecArg>, config: VecConfig<RegOrImm>) -> Insn {
        self.pe.vecs.push(VecDesc { op: op as u8, dest, srcs, config });
        Insn::new(Op::Vec, self.pe.vecs.len() as u16 - 1, NO_REG, 0)
    }

    /// The configuration of a step: asynchronous, with a task for the next one where there is one.
    fn config(&mut self, queue: u8, then: Option<u8>) -> VecConfig<RegOrImm> {
        let start = |id: u8| {
            let task = TaskTarget::LocalTask(RegOrImm::Imm(id.into()));
            if self.blocked.contains(&id) { Action::Unblock(task) } else { Action::Activate(task) }
        };
        let completion = then.map_or(Action::Nothing, start);
        let priorities = [None, None, None, Some(Priority::Low), Some(Priority::Medium), Some(Priority::High)];
        let (priority, ut) = (self.dice.pick(&priorities), Some(RegOrImm::Imm(queue.into())));
        VecConfig { is_async: true, completion, priority, ut, ..VecConfig::default() }
    }

    fn step(&mut self, step: &Step, then: Option<u8>) -> Insn {
        match *step {
            Step::Send(color, queue, Part::Words(words)) => {
                let config = self.config(queue, then);
                let source = self.memory(words);
                if self.dice.one_in(3) {
                    let other = self.memory(words);
                    return self.vector(VecOp::Fadds, fabout(color, queue, words), vec![source, other], config);
                }
                self.vector(VecOp::Mov32, fabout(color, queue, words), vec![source], config)
            }
            Step::Send(color, queue, Part::WordsAndOn(words)) => {
                let (config, source) = (self.config(queue, then), self.memory(words));
                let flags = fabric_flags::ADVANCE_SWITCH;
                let dest =
                    Dsd::fabric(DsdClass::Fabout, Color::new(color), Some(QueueId::at(queue)), words, flags, false);
                self.vector(VecOp::Mov32, VecArg::DsdConst(dest.0), vec![source], config)
            }
            Step::Send(color, queue, Part::Rounds(words, _)) => {
                self.step(&Step::Send(color, queue, Part::Words(words)), then)
            }
            Step::Send(color, queue, Part::Control(payload)) => {
                let config = self.config(queue, then);
                let flags = fabric_flags::CONTROL;
                let dest = Dsd::fabric(DsdClass::Fabout, Color::new(color), Some(QueueId::at(queue)), 1, flags, false);
                let payload = VecArg::ScalarConst { value: payload, bits: 32 };
                self.vector(VecOp::Mov32, VecArg::DsdConst(dest.0), vec![payload], config)
            }
            Step::Receive(color, queue, words) => {
                let (config, dest) = (self.config(queue, then), self.memory(words));
                let mut srcs = vec![fabin(color, queue, words)];
                if self.dice.one_in(2) {
                    srcs.insert(0, dest);
                    return self.vector(VecOp::Fadds, dest, srcs, config);
                }
                self.vector(VecOp::Mov32, dest, srcs, config)
            }
            Step::Relay((from, queue), (to, out), words) => {
                let config = self.config(queue, then);
                let (dest, source) = (fabout(to, out, words), fabin(from, queue, words));
                if self.dice.one_in(2) {
                    let own = self.memory(words);
                    return self.vector(VecOp::Fadds, dest, vec![own, source], config);
                }
                self.vector(VecOp::Mov32, dest, vec![source], config)
            }
            Step::Push(color, queue, words) => {
                let config = self.config(queue, then);
                self.vector(VecOp::Mov32, VecArg::Fifo(0), vec![fabin(color, queue, words)], config)
            }
            Step::Pop(to, words) => {
                let config = self.config(to.map_or(1, |to| to.1), then);
                let dest = match to {
                    Some((color, queue)) => fabout(color, queue, words),
                    None => self.memory(words),
                };
                self.vector(VecOp::Mov32, dest, vec![VecArg::Fifo(0)], config)
            }
        }
    }

    /// Two tasks that start each other: words, SWITCH_ADV, and so on. Returns the start.
    fn rounds(&mut self, color: u8, queue: u8, words: u16, rounds: u16) -> Vec<Insn> {
        if self.next_step + 2 > STEPS.end {
            return Vec::new();
        }
        let (again, advance) = (self.next_step, self.next_step + 1);
        self.next_step += 2;
        let count = TURNS - 4 * u16::from(again);
        let send = self.step(&Step::Send(color, queue, Part::Words(words)), Some(advance));
        let code = [
            Insn::new(Op::LoadU16At, 1, count, 0),
            Insn::new(Op::AddU16Imm, 1, 1, 1),
            Insn::new(Op::Store16At, 1, count, 0),
            Insn::new(Op::BrGtUImm, 1, rounds, 0),
            Insn::new(Op::Ext, 3, 6, self.pe.code.len() as u16 + 6),
            send,
        ];
        let func = func(&mut self.pe, 0, &code);
        csl_testkit::bind(&mut self.pe, TaskKind::Local, again, &[], func);
        let control = self.step(&Step::Send(color, queue, Part::Control(ADVANCE)), Some(again));
        self.task(TaskKind::Local, advance, &[control]);
        vec![imm(0, again.into()), sys(SysOp::ActivateTask, 0, NO_REG)]
    }

    /// The first instruction of a chain; its other steps become tasks. Where ids run out, the rest is left out.
    fn chain(&mut self, chain: &[Step]) -> Insn {
        let then = (chain.len() > 1 && self.next_step < STEPS.end).then(|| {
            self.next_step += 1;
            self.next_step - 1
        });
        if let Some(id) = then.filter(|_| self.dice.one_in(4)) {
            self.blocked.push(id);
            self.pe.startup.push(Startup::Block(TaskTarget::LocalTask(TaskId::at(id))));
            self.pe.startup.push(Startup::Activate(TaskTarget::LocalTask(TaskId::at(id))));
        }
        let first = self.step(&chain[0], then);
        if let Some(id) = then {
            // Where few ids are left, several steps share a task, which waits for each.
            let is_last = self.next_step + 2 >= STEPS.end;
            let mut code = vec![Insn::new(Op::Charge, self.dice.between(0, 12), 0, 0)];
            if is_last {
                for step in &chain[1..] {
                    code.push(self.step(step, None));
                }
            } else {
                let next = self.chain(&chain[1..]);
                code.push(next);
            }
            if self.dice.one_in(2) {
                self.task(TaskKind::Local, id, &code);
            } else {
                let func = func(&mut self.pe, 0, &code);
                csl_testkit::bind(&mut self.pe, TaskKind::Local, id, &[], func);
            }
        }
        first
    }

    fn main(&mut self, chains: Vec<Vec<Step>>, is_chaotic: bool) {
        let mut code = vec![sys(SysOp::TscEnable, 0, NO_REG)];
        for chain in &chains {
            if self.dice.one_in(4) {
                // Some start late: what comes meanwhile stands.
                let most = self.dice.pick(&[10, 200, 900]);
                code.push(Insn::new(Op::Charge, self.dice.between(1, most), 0, 0));
            }
            match chain[..] {
                [Step::Send(color, queue, Part::Rounds(words, rounds))] => {
                    code.extend(self.rounds(color, queue, words, rounds));
                }
                _ => code.push(self.chain(chain)),
            }
        }
        let turns = self.dice.between(0, 30);
        if turns > 0 {
            code.extend([imm(0, NOISE.into()), sys(SysOp::ActivateTask, 0, NO_REG)]);
        }
        self.noise(turns, is_chaotic);
        main_task(&mut self.pe, &code);
    }

    /// A task that does something, counts down and starts itself again.
    fn noise(&mut self, turns: u16, is_chaotic: bool) {
        let mut code = Vec::new();
        for _ in 0..self.dice.between(1, 3) {
            match self.dice.below(7) {
                0 => code.push(Insn::new(Op::Charge, self.dice.between(1, 60), 0, 0)),
                1 => code.extend(self.time()),
                2 => {
                    code.push(Insn::new(Op::LoadU16At, 4, POOL + 4 * self.dice.between(0, 0x280), 0));
                    code.extend(log(4));
                }
                3 => {
                    let op = self.dice.pick(&[SysOp::BlockUt, SysOp::UnblockUt, SysOp::UnblockUt, SysOp::UnblockUt]);
                    code.extend([imm(0, self.dice.between(2, 7)), sys(op, 0, NO_REG)]);
                }
                4 => {
                    let op = self.dice.pick(&[SysOp::BlockTask, SysOp::UnblockTask, SysOp::UnblockTask]);
                    let id = self.dice.between(STEPS.start.into(), STEPS.start as u16 + 6);
                    code.extend([imm(0, id), sys(op, 0, NO_REG)]);
                }
                _ if is_chaotic => code.extend(self.rewrite()),
                _ => {
                    let extent = self.dice.between(1, 60);
                    let (dest, a, b) = (self.memory(extent), self.memory(extent), self.memory(extent));
                    code.push(self.vector(VecOp::Fadds, dest, vec![a, b], VecConfig::default()));
                }
            }
        }
        let behind = self.pe.code.len() + code.len() + 7;
        code.extend([
            Insn::new(Op::LoadU16At, 1, TURNS, 0),
            Insn::new(Op::AddU16Imm, 1, 1, 1),
            Insn::new(Op::Store16At, 1, TURNS, 0),
            Insn::new(Op::BrGeUImm, 1, turns, 0),
            Insn::new(Op::Ext, 3, 6, behind as u16),
            imm(0, NOISE.into()),
            sys(SysOp::ActivateTask, 0, NO_REG),
        ]);
        let func = func(&mut self.pe, 0, &code);
        csl_testkit::bind(&mut self.pe, TaskKind::Local, NOISE, &[], func);
    }

    /// Writes the route or the switch of a color.
    fn rewrite(&mut self) -> Vec<Insn> {
        let chip = csl_machine::chip(self.arch);
        let color = self.dice.between(0, 8);
        let (register, word) = if self.dice.one_in(2) {
            (chip.config.color_switches + color, self.dice.between(0, 0x7fff))
        } else {
            let inputs = self.dice.pick(&[W, E, S, N, RAMP, RAMP, RAMP | W, 0]);
            let outputs = self.dice.pick(&[W, E, S, N, RAMP, RAMP | E, S | E, 0]);
            (chip.config.color_routes + color, u16::from(inputs) << 5 | u16::from(outputs))
        };
        let mut code = vec![imm(6, register), imm(7, word), sys(SysOp::SetConfig, 6, NO_REG)];
        code.push(sys(SysOp::GetConfig, 6, 5));
        code.extend(log(5));
        code
    }
}

fn run_on_reference(image: &Arc<Image>, is_traced: bool) -> (Outcome, Load) {
    let mut reference = Reference::new(image, is_traced);
    let fault = reference.run(LAST).err();
    (outcome(&mut reference, image, END, fault), reference.load())
}

#[test]
fn saturating_programs_run_as_on_the_reference() {
    let first = number("CSL_SIM_FIRST", 0);
    let count = number("CSL_SIM_SATURATED", PROGRAMS);
    let (mut load, mut planned, mut landings, mut cycles, mut cut_off) = (Load::default(), 0, 0, 0, 0);
    let mut faults: BTreeMap<String, u64> = BTreeMap::new();
    for seed in first..first + count {
        let (image, wavelets) = generate(dice(seed));
        let image = Arc::new(image);
        let is_traced = seed % 8 == 0;
        let (expected, of_program) = run_on_reference(&image, is_traced);
        let windows = [OnThreads::windows(1, 8), OnThreads::windows(2, 2), OnThreads::windows(4, 3)];
        let engines = if seed % 4 == 0 || number("CSL_SIM_THREADS", 0) != 0 { &windows[..] } else { &windows[..1] };
        for engine in [ALONE].iter().chain(engines) {
            if let Some(difference) = engine.run(&image, END, is_traced).difference(&expected) {
                let traced = engine.run(&image, END, true).difference(&EveryCycle.run(&image, END, true));
                panic!("program {seed} on {}: {difference}; traced: {traced:?}", engine.name());
            }
        }
        load.add(&of_program);
        if let Some(fault) = &expected.fault {
            let kind = match &fault.what {
                csl_sim::FaultKind::Fabric(fault) => format!("{:?}", fault.kind),
                csl_sim::FaultKind::Pe(fault) => format!("{:?}", fault.kind),
                other => format!("{other:?}"),
            };
            *faults.entry(kind).or_default() += 1;
        }
        cut_off += u64::from(expected.end == LAST);
        landings += expected.landings.1;
        planned += wavelets;
        cycles += expected.end;
    }
    println!("{count} programs, {cut_off} cut off, {landings} landings, {cycles} cycles; faults {faults:?}");
    let shares = load.shares();
    println!(
        "{} of {planned} wavelets injected, {} switches moved, {} control wavelets",
        load.injected, load.switched, load.controls
    );
    for (what, share, least) in shares {
        println!("{share} of 1000 {what}");
        assert!(count < PROGRAMS || share >= least, "{what}: {share} of 1000, which is less than {least}");
    }
    let all_faults: u64 = faults.values().sum();
    assert!(all_faults < count / 8 + 1 && 4 * load.injected > 3 * planned, "most programs come to their end");
}
