//! Rows of routers with compute elements that send given words and take wavelets as there is room.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use csl_fabric::{ColorState, Fault, Ramp, RouteTable, Row, TraceEvent, Traced};
use csl_machine::{Arch, Color, ColorConfig, Coord, Direction, Wavelet};

/// An event at a tile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// A wavelet has landed on the router, from a side.
    Landed { from: Direction, color: Color, wavelet: Wavelet },
    /// The CE has taken a wavelet.
    Taken { color: Color, wavelet: Wavelet },
    /// The color's switch has another position now.
    Switched { color: Color, position: u8 },
    /// The CE was told that the color has stopped.
    TornDown { color: Color },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Happening {
    pub cycle: u64,
    pub x: u32,
    pub y: u32,
    pub what: What,
}

/// An action of a program between two cycles, at the end of `cycle`.
pub struct Action {
    pub cycle: u64,
    pub x: u32,
    pub y: u32,
    pub deed: Deed,
}

pub enum Deed {
    /// The CE takes this many wavelets more; `None` for all.
    Room(Option<usize>),
    /// The router gets another configuration of a color.
    Configure(Color, ColorConfig),
    /// The color leaves teardown.
    Resume(Color),
}

pub type Routes = BTreeMap<Coord, Vec<(Color, ColorConfig)>>;

pub struct Fabric {
    pub rows: Vec<Row>,
    pub elements: Vec<TestElements>,
    pub actions: Vec<Action>,
    pub log: Vec<Happening>,
    pub now: u64,
}

/// The CEs of a row: the words that they will send, and the room that they have.
#[derive(Default)]
pub struct TestElements {
    y: u32,
    now: u64,
    sends: Vec<Send>,
    room: HashMap<u32, usize>,
    log: Vec<Happening>,
}

struct Send {
    from: u64,
    x: u32,
    color: Color,
    words: VecDeque<Wavelet>,
    /// The last word advances the sender's own switch (`.advance_switch`).
    advances: bool,
}

impl TestElements {
    fn note(&mut self, x: u32, what: What) {
        self.log.push(Happening { cycle: self.now, x, y: self.y, what });
    }
}

impl Ramp for TestElements {
    fn room(&mut self, x: u32, _color: Color) -> bool {
        self.room.get(&x).is_none_or(|left| *left > 0)
    }

    fn deliver(&mut self, x: u32, color: Color, wavelet: Wavelet, _is_own: bool) {
        if let Some(left) = self.room.get_mut(&x) {
            *left -= 1;
        }
        self.note(x, What::Taken { color, wavelet });
    }

    fn accepted(&mut self, _x: u32, _color: Color) {}

    fn torn_down(&mut self, x: u32, color: Color) {
        self.note(x, What::TornDown { color });
    }
}

fn landed(event: &TraceEvent) -> Option<Happening> {
    let TraceEvent { cycle, x, y, color, what: Traced::Landing { from, wavelet, .. } } = *event else { return None };
    Some(Happening { cycle, x, y, what: What::Landed { from, color, wavelet } })
}

fn switched(event: &TraceEvent) -> Option<Happening> {
    let TraceEvent { cycle, x, y, color, what: Traced::Switch { after, .. } } = *event else { return None };
    Some(Happening { cycle, x, y, what: What::Switched { color, position: after.position } })
}

impl Fabric {
    pub fn new(arch: Arch, width: u32, height: u32, routes: &Routes) -> Fabric {
        let table = Arc::new(table(width, height, routes));
        let rows = (0..height).map(|y| Row::new(Arc::clone(&table), y, arch.chip(), true)).collect();
        let elements = (0..height).map(|y| TestElements { y, ..TestElements::default() }).collect();
        Fabric { rows, elements, actions: Vec::new(), log: Vec::new(), now: 0 }
    }

    /// Lets the CE at a tile send words from a cycle on, one a cycle as far as there is room.
    pub fn send(&mut self, Coord { x, y }: Coord, color: Color, from: u64, words: Vec<Wavelet>, advances: bool) {
        let words = words.into();
        self.elements[y as usize].sends.push(Send { from, x, color, words, advances });
    }

    /// Runs a number of cycles.
    pub fn run(&mut self, cycles: u64) -> Result<(), Fault> {
        (0..cycles).try_for_each(|_| self.step())
    }

    fn step(&mut self) -> Result<(), Fault> {
        let now = self.now;
        let stepped = self.move_wavelets(now);
        for (row, elements) in self.rows.iter_mut().zip(&mut self.elements) {
            let events = row.take_events();
            self.log.extend(events.iter().filter_map(landed));
            self.log.append(&mut elements.log);
            self.log.extend(events.iter().filter_map(switched));
        }
        stepped?;
        self.act(now);
        self.now += 1;
        Ok(())
    }

    fn move_wavelets(&mut self, now: u64) -> Result<(), Fault> {
        for (row, elements) in self.rows.iter_mut().zip(&mut self.elements) {
            elements.now = now;
            row.arrive(now).map_err(|fault| *fault)?;
            inject(row, elements, now)?;
            row.route(now, elements);
        }
        for y in 1..self.rows.len() {
            let (above, below) = self.rows.split_at_mut(y);
            Row::exchange(&mut above[y - 1], &mut below[0], now);
        }
        Ok(())
    }

    fn act(&mut self, now: u64) {
        let (due, later) = std::mem::take(&mut self.actions).into_iter().partition(|action| action.cycle == now);
        self.actions = later;
        let due: Vec<Action> = due;
        for Action { x, y, deed, .. } in due {
            self.carry_out(x, y, deed, now);
        }
    }

    /// Carries out a program's action at once, before the next cycle.
    pub fn carry_out(&mut self, x: u32, y: u32, deed: Deed, now: u64) {
        let row = &mut self.rows[y as usize];
        match deed {
            Deed::Room(left) => {
                let room = &mut self.elements[y as usize].room;
                match left {
                    Some(left) => room.insert(x, left),
                    None => room.remove(&x),
                };
                (0..24).for_each(|color| row.ramp_has_room(x, Color::at(color)));
            }
            Deed::Configure(color, config) => row.reconfigure(x, color, now, |old| *old = ColorState::new(config)),
            Deed::Resume(color) => row.reconfigure(x, color, now, |state| state.config.teardown = false),
        }
    }
}

/// Injects at most one wavelet a CE and cycle.
fn inject(row: &mut Row, elements: &mut TestElements, now: u64) -> Result<(), Fault> {
    let mut busy = Vec::new();
    for send in &mut elements.sends {
        if send.from > now || send.words.is_empty() || busy.contains(&send.x) {
            continue;
        }
        // Without a route the wavelet stays where it is.
        let Some(vc) = row.routed(send.x, send.color) else { continue };
        let advances = send.advances && send.words.len() == 1;
        let word = send.words[0];
        if row.inject(vc, word, now).map_err(|fault| *fault)? {
            if advances {
                row.advance_behind(vc);
            }
            send.words.pop_front();
            busy.push(send.x);
        }
    }
    Ok(())
}

fn table(width: u32, height: u32, routes: &Routes) -> RouteTable {
    let (mut rows, mut sets, mut configs) = (vec![Vec::new(); height as usize], Vec::new(), Vec::new());
    for (Coord { x, y }, colors) in routes {
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
