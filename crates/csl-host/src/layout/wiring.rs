//! Routes a layout: the routes that the program painted, paths between ports, and the PEs of streams.
//!
//! Connections get their paths in the order of `connect`, then streams in the order in which they were made. A path is
//! a shortest one outside of all regions; where there is none, it may cross PEs that do not use its color. Ports of several
//! PEs get a path for each that shares no PE with another.

use std::collections::{BTreeMap, BTreeSet};

use csl_machine::{DirSet, Direction, MOST_FABRIC_SIDE};

use crate::layout::colors::{Class, Classes};
use crate::layout::grid::{Area, Cell, step, towards};
use crate::layout::region::{Position, Region, Value};
use crate::layout::router::{cheapest, nearest};
use crate::layout::{Flow, Layout, LayoutError, Port, PortId, Stream, StreamEnd, placing};

/// Free columns and rows around the regions that paths may use, at least, beside one for each stream.
const MARGIN: i32 = 2;

/// The most rounds in which lanes look for paths that share no PE, and the PEs that all rounds may look at.
const ROUNDS: usize = 40;
const LOOKED_AT: usize = 4_000_000;

/// A PE that passes a stream on.
pub(crate) struct Relay {
    pub cell: Cell,
    pub name: String,
    pub from: Class,
    pub to: Class,
    /// Size of the buffer in 32-bit words.
    pub buffer: u16,
}

/// A color at a PE to which the host is connected.
pub(crate) struct Outlet {
    pub name: String,
    pub flow: Flow,
    pub cell: Cell,
    pub class: Class,
}

/// One PE of an output port and its partner of an input port, each with its neighbour outside.
#[derive(Clone, Copy)]
struct Lane {
    from: Cell,
    start: Cell,
    to: Cell,
    end: Cell,
}

/// The routes that the connections and streams of a layout need, as far as they are made.
pub(crate) struct Wiring {
    pub areas: Vec<Area>,
    pub classes: Classes,
    pub routes: BTreeMap<(Cell, Class), Vec<Position>>,
    /// The colors that a PE's router or program uses.
    pub uses: BTreeMap<Cell, BTreeSet<Class>>,
    pub relays: Vec<Relay>,
    pub outlets: Vec<Outlet>,
    /// The corner, excluded, of the area that paths may use.
    bounds: Cell,
}

impl Wiring {
    pub(crate) fn new(layout: &Layout) -> Result<Wiring, LayoutError> {
        let has_paths = layout.ports.iter().any(|port| port.is_used);
        let areas = placing::place_regions(&layout.regions, has_paths)?;
        let mut wiring = Wiring {
            bounds: bounds(layout, &areas),
            areas,
            classes: Classes::new(layout)?,
            routes: BTreeMap::new(),
            uses: BTreeMap::new(),
            relays: Vec::new(),
            outlets: Vec::new(),
        };
        for at in 0..layout.regions.len() {
            wiring.paint(layout, at)?;
        }
        for (tx, rx) in &layout.connections {
            wiring.connect(layout, *tx, *rx)?;
        }
        for (at, stream) in layout.streams.iter().enumerate() {
            wiring.stream(layout, at, stream)?;
        }
        Ok(wiring)
    }

    // ---- what the program said ----

    fn paint(&mut self, layout: &Layout, at: usize) -> Result<(), LayoutError> {
        let region: &Region = &layout.regions[at];
        let origin = (self.areas[at].x, self.areas[at].y);
        let mut painted = BTreeMap::new();
        for (area, color, routes) in &region.paints {
            let class = self.classes.of(*color);
            for cell in area.moved(origin).cells() {
                let before = painted.insert((cell, class), *color).filter(|before| before != color);
                if let Some(before) = before {
                    let (a, b) = (layout.color_name(before).to_owned(), layout.color_name(*color).to_owned());
                    return Err(LayoutError::PaintedTwice { a, b, pe: cell });
                }
                self.routes.insert((cell, class), routes.clone());
                self.uses.entry(cell).or_default().insert(class);
            }
        }
        for (area, _, value) in &region.params {
            let Value::Color(color) = value else { continue };
            let class = self.classes.of(*color);
            for cell in area.moved(origin).cells() {
                self.uses.entry(cell).or_default().insert(class);
            }
        }
        Ok(())
    }

    // ---- connections ----

    fn connect(&mut self, layout: &Layout, tx: PortId, rx: PortId) -> Result<(), LayoutError> {
        let class = self.classes.of(layout.ports[tx.0].color);
        let ends = self.port_cells(layout, tx).into_iter().zip(self.port_cells(layout, rx));
        let lanes: Vec<Lane> = ends.map(|((from, start), (to, end))| Lane { from, start, to, end }).collect();
        let is_connected = match lanes[..] {
            [Lane { from, to, .. }] => self.connect_one(layout, class, (tx, from), (rx, to)),
            _ => self.connect_lanes(class, &lanes),
        };
        if is_connected {
            return Ok(());
        }
        let [from, to] = [tx, rx].map(|port| layout.ports[port.0].name.clone());
        Err(LayoutError::NoPath { from, from_pe: lanes[0].from, to, to_pe: lanes[0].to })
    }

    /// Connects ports of several PEs. Whether there are paths.
    fn connect_lanes(&mut self, class: Class, lanes: &[Lane]) -> bool {
        let one_by_one = || self.paths(class, lanes, false).or_else(|| self.paths(class, lanes, true));
        let negotiated = || self.negotiated(class, lanes, false).or_else(|| self.negotiated(class, lanes, true));
        let paths = one_by_one().or_else(negotiated);
        for (path, lane) in paths.iter().flatten().zip(lanes) {
            self.lay(Some(lane.from), path, Some(lane.to), class);
        }
        paths.is_some()
    }

    /// Paths for the lanes of a connection that share no PE; empty between neighbours. A path keeps clear of the ends of the
    /// others. They are looked for in the order of the ports' PEs, or backwards.
    fn paths(&self, class: Class, lanes: &[Lane], is_backward: bool) -> Option<Vec<Vec<Cell>>> {
        let mut paths = vec![Vec::new(); lanes.len()];
        let mut order: Vec<usize> = (0..lanes.len()).collect();
        if is_backward {
            order.reverse();
        }
        for at in order {
            let Lane { from, start, to, end } = lanes[at];
            if (start, end) == (to, from) {
                continue;
            }
            let others = lanes.iter().enumerate().filter(|(other, _)| *other != at);
            let mut taken: BTreeSet<Cell> = others.flat_map(|(_, lane)| [lane.start, lane.end]).collect();
            taken.extend(paths.iter().flatten());
            paths[at] = self.path(class, start, &taken, |_, cell| cell == end)?;
        }
        Some(paths)
    }

    /// Paths for the lanes, where those that are found one by one stand in each other's way: all are looked for again and again, and
    /// PEs that several of them want cost more each time (L. McMurchie, C. Ebeling, "PathFinder", 1995). `over_programs` lets
    /// them cross regions.
    fn negotiated(&self, class: Class, lanes: &[Lane], over_programs: bool) -> Option<Vec<Vec<Cell>>> {
        let rounds = LOOKED_AT / (self.bounds.0 * self.bounds.1).max(1) as usize / lanes.len();
        let mut paths: Vec<Vec<Cell>> = vec![Vec::new(); lanes.len()];
        // The number of paths over a PE, and of the rounds after which there were several.
        let mut paths_over: BTreeMap<Cell, u64> = BTreeMap::new();
        let mut wanted: BTreeMap<Cell, u64> = BTreeMap::new();
        for round in 1..=rounds.min(ROUNDS) as u64 {
            for (at, lane) in lanes.iter().enumerate() {
                if (lane.start, lane.end) == (lane.to, lane.from) {
                    continue;
                }
                paths[at].iter().for_each(|cell| *paths_over.entry(*cell).or_default() -= 1);
                let others = lanes.iter().enumerate().filter(|(other, _)| *other != at);
                let taken: BTreeSet<Cell> = others.flat_map(|(_, lane)| [lane.start, lane.end]).collect();
                let count = |of: &BTreeMap<Cell, u64>, cell| of.get(&cell).copied().unwrap_or(0);
                let cost = |cell: Cell| {
                    let is_free = self.can_pass(class, cell, &taken) && (over_programs || !self.is_occupied(cell));
                    is_free.then(|| (1 + count(&wanted, cell)) * (1 + round * count(&paths_over, cell)))
                };
                paths[at] = cheapest(lane.start, lane.end, cost)?;
                paths[at].iter().for_each(|cell| *paths_over.entry(*cell).or_default() += 1);
            }
            let mut shared = paths_over.iter().filter(|(_, paths)| **paths > 1).map(|(cell, _)| *cell).peekable();
            if shared.peek().is_none() {
                return Some(paths);
            }
            shared.for_each(|cell| *wanted.entry(cell).or_default() += 1);
        }
        None
    }

    /// Connects ports of one PE each, over their edges or, where these lead nowhere and a port's region is that PE alone, over
    /// the others. Whether there is a path.
    fn connect_one(&mut self, layout: &Layout, class: Class, tx: (PortId, Cell), rx: (PortId, Cell)) -> bool {
        let mut found: Option<(Vec<Cell>, Direction, Direction)> = None;
        let [ways_out, ways_in] = [tx.0, rx.0].map(|port| ways(layout, port));
        for (number, (out, into)) in
            ways_out.iter().flat_map(|out| ways_in.iter().map(move |into| (*out, *into))).enumerate()
        {
            let (start, end) = (step(tx.1, out), step(rx.1, into));
            let path = match (start, end) == (rx.1, tx.1) {
                true => Some(Vec::new()),
                false => self.path(class, start, &BTreeSet::new(), |_, cell| cell == end),
            };
            if let Some(path) = path
                && found.as_ref().is_none_or(|(known, ..)| path.len() < known.len())
            {
                found = Some((path, out, into));
            }
            if number == 0 && found.is_some() {
                break;
            }
        }
        let Some((path, out, into)) = found else { return false };
        self.turn(tx.1, class, Flow::Out, out);
        self.turn(rx.1, class, Flow::In, into);
        self.lay(Some(tx.1), &path, Some(rx.1), class);
        true
    }

    /// Lets the routes of a port lead outwards over this side.
    fn turn(&mut self, cell: Cell, class: Class, flow: Flow, side: Direction) {
        for position in self.routes.get_mut(&(cell, class)).into_iter().flatten() {
            *position = position.leading(side, flow);
        }
    }

    /// The PEs of a port, each with its neighbour outside.
    fn port_cells(&self, layout: &Layout, port: PortId) -> Vec<(Cell, Cell)> {
        let port = &layout.ports[port.0];
        let area = &self.areas[port.region.0];
        let edge = layout.regions[port.region.0].edge(port.edge).moved((area.x, area.y));
        edge.cells().map(|cell| (cell, step(cell, port.edge.outwards()))).collect()
    }

    /// A path for a color over PEs that do not use it yet and are not taken; outside of regions if possible.
    fn path(
        &self,
        class: Class,
        start: Cell,
        taken: &BTreeSet<Cell>,
        goal: impl Fn(&Wiring, Cell) -> bool,
    ) -> Option<Vec<Cell>> {
        let can_pass = |cell| self.can_pass(class, cell, taken);
        let goal = |cell| goal(self, cell);
        nearest(start, |cell| can_pass(cell) && !self.is_occupied(cell), goal)
            .or_else(|| nearest(start, can_pass, goal))
    }

    /// Whether a path for a color may go over a PE: it lies within the bounds, is not taken, and does not use the color yet.
    fn can_pass(&self, class: Class, cell: Cell, taken: &BTreeSet<Cell>) -> bool {
        let inside = cell.0 >= 0 && cell.1 >= 0 && cell.0 < self.bounds.0 && cell.1 < self.bounds.1;
        inside && !taken.contains(&cell) && !self.uses.get(&cell).is_some_and(|classes| classes.contains(&class))
    }

    /// Whether the PE has a program.
    fn is_occupied(&self, cell: Cell) -> bool {
        self.areas.iter().any(|area| area.contains(cell)) || self.relays.iter().any(|relay| relay.cell == cell)
    }

    /// Routes a path. Without a PE before or after it, the path begins or ends at the ramp.
    fn lay(&mut self, before: Option<Cell>, path: &[Cell], after: Option<Cell>, class: Class) {
        let side = |cell: Cell, other: Option<Cell>| {
            DirSet::of(other.and_then(|other| towards(cell, other)).unwrap_or(Direction::Ramp))
        };
        for (at, cell) in path.iter().enumerate() {
            let previous = if at == 0 { before } else { Some(path[at - 1]) };
            let next = path.get(at + 1).copied().or(after);
            let position = Position { rx: side(*cell, previous), tx: side(*cell, next) };
            self.routes.insert((*cell, class), vec![position]);
            self.uses.entry(*cell).or_default().insert(class);
        }
    }

    // ---- streams ----

    fn stream(&mut self, layout: &Layout, at: usize, stream: &Stream) -> Result<(), LayoutError> {
        let (cell, class) = match stream.end {
            StreamEnd::Port { port, place, buffer } => {
                let host = self.classes.of_stream(layout, at);
                let cell = self.relay(layout, stream, port, place, host, buffer)?;
                (cell, host)
            }
            StreamEnd::Tile { tile, color } => {
                let class = self.classes.of(color);
                self.open(stream, tile, class)?;
                (tile, class)
            }
        };
        self.outlets.push(Outlet { name: stream.name.clone(), flow: stream.flow, cell, class });
        Ok(())
    }

    /// Finds a place for the stream's PE and connects it to the port.
    fn relay(
        &mut self,
        layout: &Layout,
        stream: &Stream,
        port: PortId,
        place: Option<Cell>,
        host: Class,
        buffer: u16,
    ) -> Result<Cell, LayoutError> {
        let name = stream.name.clone();
        if let Some(place) = place.filter(|place| self.is_occupied(*place)) {
            return Err(LayoutError::Taken { name, place });
        }
        let class = self.classes.of(layout.ports[port.0].color);
        let (pe, _) = self.port_cells(layout, port)[0];
        let is_end = |wiring: &Wiring, cell| match place {
            Some(place) => cell == place,
            None => !wiring.is_occupied(cell) && !wiring.uses.contains_key(&cell),
        };
        let found = ways(layout, port)
            .into_iter()
            .find_map(|way| Some((self.path(class, step(pe, way), &BTreeSet::new(), is_end)?, way)));
        let Some((mut path, way)) = found else {
            return Err(LayoutError::NoPathToHost { name, pe });
        };
        self.turn(pe, class, layout.ports[port.0].flow, way);
        let cell = path[path.len() - 1];
        let (from, to) = match stream.flow {
            Flow::In => {
                path.reverse();
                self.lay(None, &path, Some(pe), class);
                (host, class)
            }
            Flow::Out => {
                self.lay(Some(pe), &path, None, class);
                (class, host)
            }
        };
        self.uses.entry(cell).or_default().insert(host);
        self.relays.push(Relay { cell, name, from, to, buffer });
        Ok(cell)
    }

    /// Connects the host to a color directly at a PE: no route leads from its program to the host then.
    fn open(&mut self, stream: &Stream, cell: Cell, class: Class) -> Result<(), LayoutError> {
        let name = || stream.name.clone();
        if !self.areas.iter().any(|area| area.contains(cell)) {
            return Err(LayoutError::NoRegion { name: name(), at: cell });
        }
        let ramp = DirSet::of(Direction::Ramp);
        let leads_to_host = |routes: &Vec<Position>| match stream.flow {
            Flow::In => routes.len() == 1 && routes[0].tx == ramp,
            Flow::Out => routes.len() == 1 && routes[0].rx == ramp,
        };
        if self.routes.remove(&(cell, class)).is_some_and(|routes| !leads_to_host(&routes)) {
            let color = self.classes.name(class).to_owned();
            return Err(LayoutError::GoesOn { name: name(), color, at: cell });
        }
        self.uses.entry(cell).or_default().insert(class);
        Ok(())
    }
}

/// The sides over which the PEs of a port can be connected: its edge first. The edges of a region of one PE are all alike.
fn ways(layout: &Layout, port: PortId) -> Vec<Direction> {
    let Port { region, edge, .. } = &layout.ports[port.0];
    let region = &layout.regions[region.0];
    let own = edge.outwards();
    let others = Direction::LINKS.into_iter().filter(|way| *way != own && (region.width, region.height) == (1, 1));
    [own].into_iter().chain(others).collect()
}

/// The corner, excluded, of the PEs that paths may use: no further out than a fabric can be large.
fn bounds(layout: &Layout, areas: &[Area]) -> Cell {
    let places = layout.streams.iter().filter_map(|stream| match stream.end {
        StreamEnd::Port { place, .. } => place,
        StreamEnd::Tile { .. } => None,
    });
    let ends: Vec<Cell> = places.map(|(x, y)| (x + 1, y + 1)).collect();
    let ends = areas.iter().map(|area| (area.end_x, area.end_y)).chain(ends);
    // The lanes of a connection go around a corner side by side.
    let lanes = layout.connections.iter().map(|(tx, _)| layout.port_pes(*tx) as i32).max().unwrap_or(0);
    let margin = MARGIN.max(lanes) + layout.streams.len() as i32;
    let most = MOST_FABRIC_SIDE as i32;
    ends.fold((0, 0), |(x, y), end| (x.max(end.0 + margin).min(most), y.max(end.1 + margin).min(most)))
}
