//! Little fabrics drawn as text, and what lands in them as text.
//!
//! Each line of a scene is one of
//! - `X,Y COLOR: IN > OUT options` with directions from `WESNR` and options among `ring`, `at K` (current position),
//!   `posK rx D`, `posK tx D`, `pop always|advance|nop`, `swapx`, `swapy`, `teardown`, `range MIN MAX`,
//!   `counter LIMIT MAX`
//! - `send X,Y COLOR @CYCLE: WORD..` with hexadecimal words, `!` before those of control wavelets
//! - `last X,Y COLOR @CYCLE: WORD..`: the same, and the last word advances this router's switch (`advance_switch`)
//! - `room X,Y N`: the CE takes N wavelets and no more
//!
//! The result has a line for each landing, `CYCLE X,Y FROM COLOR WORD`, those on the CE with `^` for the side.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write;
use std::sync::Arc;

use csl_chip::Arch;
use csl_fabric::{ColorConfig, Fault, FilterConfig, PopMode, Position, Ramp, Recording, RouteTable, Row, Wavelet};

pub struct Scene {
    pub rows: Vec<Row>,
    pub ces: Vec<Ces>,
    pub now: u64,
    log: Vec<(u64, u32, u32, String)>,
}

/// The CEs of a row: what they will send, and what they take.
#[derive(Default)]
pub struct Ces {
    y: u32,
    now: u64,
    sends: Vec<Send>,
    room: HashMap<u32, usize>,
    taken: Vec<(u64, u32, u32, String)>,
    pub torn: Vec<(u32, u8)>,
    pub accepted: usize,
}

struct Send {
    from: u64,
    x: u32,
    color: u8,
    words: VecDeque<Wavelet>,
    advances: bool,
}

impl Ramp for Ces {
    fn room(&mut self, x: u32, _color: u8) -> bool {
        self.room.get(&x).is_none_or(|left| *left > 0)
    }

    fn deliver(&mut self, x: u32, color: u8, wavelet: Wavelet) {
        if let Some(left) = self.room.get_mut(&x) {
            *left -= 1;
        }
        self.taken.push((self.now, self.y, x, line(self.now, x, self.y, '^', color, wavelet)));
    }

    fn accepted(&mut self, _x: u32, _color: u8) {
        self.accepted += 1;
    }

    fn torn_down(&mut self, x: u32, color: u8) {
        self.torn.push((x, color));
    }

    fn exported(&mut self, _port: u32, _wavelet: Wavelet) {}
}

fn line(cycle: u64, x: u32, y: u32, from: char, color: u8, wavelet: Wavelet) -> String {
    let kind = if wavelet.control { "!" } else { "" };
    format!("{cycle} {x},{y} {from} {color} {kind}{:x}", wavelet.data)
}

pub type Routes = BTreeMap<(u32, u32), Vec<(u8, ColorConfig)>>;

impl Scene {
    pub fn new(arch: Arch, width: u32, height: u32, routes: &Routes) -> Scene {
        let table = Arc::new(table(width, height, routes));
        let recording = Recording { landings: true, switches: false };
        let rows = (0..height).map(|y| Row::new(Arc::clone(&table), y, arch.chip(), recording)).collect();
        let ces = (0..height).map(|y| Ces { y, ..Ces::default() }).collect();
        Scene { rows, ces, now: 0, log: Vec::new() }
    }

    /// Reads a scene.
    pub fn parse(arch: Arch, text: &str) -> Scene {
        let mut routes = Routes::new();
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        for line in lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
            let (head, config) = line.split_once(':').expect("a colon");
            let (at, color) = head.split_once(' ').expect("a color");
            let config = parse_config(config);
            routes.entry(place(at)).or_default().push((color.parse().expect("a color"), config));
        }
        let width = routes.keys().map(|at| at.0).max().unwrap_or(0) + 1;
        let height = routes.keys().map(|at| at.1).max().unwrap_or(0) + 1;
        let mut scene = Scene::new(arch, width, height, &routes);
        lines().for_each(|line| scene.parse_action(line));
        scene
    }

    fn parse_action(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [kind @ ("send" | "last"), at, color, cycle, ..] => {
                let cycle = cycle.trim_matches(['@', ':']).parse().expect("a cycle");
                let (at, color) = (place(at), color.parse().expect("a color"));
                self.send(at, color, cycle, words[4..].iter().map(|w| wavelet(w)));
                if let Some(send) = self.ces[at.1 as usize].sends.last_mut() {
                    send.advances = kind == "last";
                }
            }
            ["room", at, left] => {
                let (x, y) = place(at);
                self.ces[y as usize].room.insert(x, left.parse().expect("a number"));
            }
            _ => {}
        }
    }

    pub fn send(&mut self, (x, y): (u32, u32), color: u8, cycle: u64, words: impl Iterator<Item = Wavelet>) {
        let words = words.collect();
        self.ces[y as usize].sends.push(Send { from: cycle, x, color, words, advances: false });
    }

    pub fn step(&mut self) -> Result<(), Fault> {
        let now = self.now;
        for (row, ces) in self.rows.iter_mut().zip(&mut self.ces) {
            ces.now = now;
            row.land(now)?;
            inject(row, ces, now)?;
            row.route(now, ces)?;
        }
        for y in 1..self.rows.len() {
            let (above, below) = self.rows.split_at_mut(y);
            Row::exchange(&mut above[y - 1], &mut below[0], now);
        }
        for (row, ces) in self.rows.iter_mut().zip(&mut self.ces) {
            let landings = row.take_events().0.into_iter();
            self.log.extend(landings.map(|l| {
                let from = ['W', 'E', 'S', 'N', 'R'][usize::from(l.from)];
                (l.cycle, l.y, l.x, line(l.cycle, l.x, l.y, from, l.color, l.wavelet))
            }));
            self.log.append(&mut ces.taken);
        }
        self.now += 1;
        Ok(())
    }

    /// Runs some cycles and returns what landed in them, by cycle, row and column.
    pub fn run(&mut self, cycles: u64) -> Result<String, Fault> {
        for _ in 0..cycles {
            self.step()?;
        }
        self.log.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
        let mut text = String::new();
        for (.., line) in self.log.drain(..) {
            writeln!(text, "{line}").expect("writing to a String does not fail");
        }
        Ok(text)
    }
}

/// At most one wavelet a CE and cycle.
fn inject(row: &mut Row, ces: &mut Ces, now: u64) -> Result<(), Fault> {
    let mut busy = Vec::new();
    for send in &mut ces.sends {
        if send.from > now || send.words.is_empty() || busy.contains(&send.x) {
            continue;
        }
        let record = row.record(send.x, send.color).expect("the sender routes its color");
        let advances = send.advances && send.words.len() == 1;
        let word = send.words[0];
        if row.inject(record, word, now)? {
            if advances {
                row.advance_behind(record);
            }
            send.words.pop_front();
            busy.push(send.x);
        }
    }
    Ok(())
}

fn table(width: u32, height: u32, routes: &Routes) -> RouteTable {
    let (mut rows, mut sets, mut configs) = (vec![Vec::new(); height as usize], Vec::new(), Vec::new());
    for ((x, y), colors) in routes {
        let mut set = Vec::new();
        for (color, config) in colors {
            set.push((*color, configs.len() as u32));
            configs.push(config.clone());
        }
        set.sort();
        rows[*y as usize].push((*x, 1, sets.len() as u32));
        sets.push(set);
    }
    RouteTable::new(width, rows, sets, configs)
}

fn place(at: &str) -> (u32, u32) {
    let (x, y) = at.split_once(',').expect("X,Y");
    (x.parse().expect("a column"), y.parse().expect("a row"))
}

fn wavelet(word: &str) -> Wavelet {
    let value = |word| u32::from_str_radix(word, 16).expect("a hexadecimal word");
    match word.strip_prefix('!') {
        Some(word) => Wavelet::control(value(word)),
        None => Wavelet::word(value(word)),
    }
}

fn directions(set: &str) -> u8 {
    set.chars().map(|c| 1 << "WESNR".find(c).expect("a direction")).sum()
}

fn parse_config(text: &str) -> ColorConfig {
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(words[1], ">", "in {text}");
    let mut config = ColorConfig::route(directions(words[0]), directions(words[2]));
    let mut rest = words[3..].iter();
    while let Some(option) = rest.next() {
        let mut number = || rest.next().expect("a number").parse().expect("a number");
        match *option {
            "ring" => config.ring = true,
            "swapx" => config.swap_x = true,
            "swapy" => config.swap_y = true,
            "teardown" => config.teardown = true,
            "at" => config.position = number() as u8,
            "range" => config.filter = Some(FilterConfig::range(number(), number())),
            "counter" => config.filter = Some(FilterConfig::counter(number(), number(), 0)),
            "pop" => config.pop = pop_mode(rest.next().expect("a mode")),
            _ => {
                let k: usize = option.strip_prefix("pos").expect("an option").parse().expect("a position");
                let side = *rest.next().expect("rx or tx");
                let set = directions(rest.next().expect("directions"));
                config.positions[k - 1] = if side == "rx" { Position::Rx(set) } else { Position::Tx(set) };
            }
        }
    }
    config
}

fn pop_mode(word: &str) -> PopMode {
    match word {
        "always" => PopMode::AlwaysPop,
        "advance" => PopMode::PopOnAdvance,
        _ => PopMode::PopOnAdvanceNop,
    }
}

/// Runs a scene on WSE-2 and compares what lands.
#[track_caller]
pub fn check(scene: &str, cycles: u64, expected: &str) {
    check_on(Arch::Wse2, scene, cycles, expected);
}

#[track_caller]
pub fn check_on(arch: Arch, scene: &str, cycles: u64, expected: &str) {
    let found = Scene::parse(arch, scene).run(cycles).expect("no fault");
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found.lines().collect::<Vec<_>>(), expected, "what landed:\n{found}");
}
