//! One code region: a rectangle of PEs that run the same file.

use csl_machine::{ColorConfig, DirSet, Direction, MOST_FABRIC_SIDE, SwitchPos};

use crate::layout::grid::{Area, Cell, Edge};
use crate::layout::{ColorId, Flow, LayoutError};

/// Positions of a router's switch.
const MOST_POSITIONS: usize = 4;

/// A value for a param.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A number.
    Int(i64),
    /// A color, by the number that it gets.
    Color(ColorId),
}

/// One position of a color's switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The sides from which wavelets come.
    pub rx: DirSet,
    /// The sides to which they go.
    pub tx: DirSet,
}

impl Position {
    /// A position from sets of directions: bit 0 west, 1 east, 2 south, 3 north, 4 ramp.
    pub fn new(rx: u8, tx: u8) -> Position {
        Position { rx: DirSet(rx), tx: DirSet(tx) }
    }

    /// A position from the sides themselves.
    pub fn between(
        inputs: impl IntoIterator<Item = Direction>,
        outputs: impl IntoIterator<Item = Direction>,
    ) -> Position {
        Position { rx: inputs.into_iter().collect(), tx: outputs.into_iter().collect() }
    }

    /// The side at a port that leads outwards.
    pub(crate) fn outer(&self, flow: Flow) -> DirSet {
        match flow {
            Flow::In => self.rx,
            Flow::Out => self.tx,
        }
    }

    /// The position at a port: its outer side leads over a side of the region.
    pub fn leading(self, side: Direction, flow: Flow) -> Position {
        let out = DirSet::of(side);
        match flow {
            Flow::In => Position { rx: out, ..self },
            Flow::Out => Position { tx: out, ..self },
        }
    }
}

/// Data of an object, for all PEs of the region.
#[derive(Clone, Debug)]
pub(crate) struct SymbolData {
    pub symbol: String,
    pub items: Vec<u32>,
    /// Bytes of an item.
    pub bytes: u8,
    /// Items of the whole matrix.
    pub width: u32,
    pub height: u32,
}

/// The description of a region. Areas are relative to its north-west PE.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub source: String,
    pub name: String,
    pub width: u32,
    pub height: u32,
    pub place: Option<Cell>,
    /// Params of PEs; a later one replaces an earlier one.
    pub params: Vec<(Area, String, Value)>,
    pub paints: Vec<(Area, ColorId, Vec<Position>)>,
    pub symbols: Vec<SymbolData>,
}

impl Region {
    pub(crate) fn new(source: &str, name: &str, width: u32, height: u32) -> Region {
        Region {
            source: source.to_owned(),
            name: name.to_owned(),
            width,
            height,
            place: None,
            params: Vec::new(),
            paints: Vec::new(),
            symbols: Vec::new(),
        }
    }

    /// The area of the region with its north-west PE at `at`, which a fabric has to hold.
    pub(crate) fn area_at(&self, at: Cell) -> Result<Area, LayoutError> {
        let area = Area::new(at.0, at.1, self.width, self.height);
        if area.is_in_fabric() {
            return Ok(area);
        }
        let (region, width, height) = (self.name.clone(), self.width, self.height);
        Err(LayoutError::Place { region, at, width, height, most: MOST_FABRIC_SIDE })
    }

    pub(crate) fn all(&self) -> Area {
        Area::new(0, 0, self.width, self.height)
    }

    /// `area`, if it lies in the region; `None` is the whole region.
    pub(crate) fn area(&self, area: Option<Area>) -> Result<Area, LayoutError> {
        let Some(area) = area else { return Ok(self.all()) };
        let all = self.all();
        let inside = area.x >= 0 && area.y >= 0 && area.end_x <= all.end_x && area.end_y <= all.end_y;
        if inside && area.x < area.end_x && area.y < area.end_y {
            return Ok(area);
        }
        let Area { x, y, end_x, end_y } = area;
        let (region, width, height) = (self.name.clone(), self.width, self.height);
        Err(LayoutError::NotInRegion { x, y, end_x, end_y, region, width, height })
    }

    /// The PEs along an edge.
    pub(crate) fn edge(&self, edge: Edge) -> Area {
        let (width, height) = (self.width as i32, self.height as i32);
        match edge {
            Edge::Top => Area::new(0, 0, self.width, 1),
            Edge::Bottom => Area::new(0, height - 1, self.width, 1),
            Edge::Left => Area::new(0, 0, 1, self.height),
            Edge::Right => Area::new(width - 1, 0, 1, self.height),
        }
    }

    pub(crate) fn paint(&mut self, area: Area, color: ColorId, routes: &[Position]) -> Result<(), LayoutError> {
        if routes.is_empty() || routes.len() > MOST_POSITIONS {
            return Err(LayoutError::Positions { region: self.name.clone(), most: MOST_POSITIONS });
        }
        if routes[0].rx.is_empty() || routes[0].tx.is_empty() {
            return Err(LayoutError::FirstPosition { region: self.name.clone() });
        }
        self.paints.push((area, color, routes.to_vec()));
        Ok(())
    }
}

/// The configuration with these switch positions. A side that a position leaves empty stays as it was.
pub(crate) fn config(routes: &[Position]) -> ColorConfig {
    let first = routes.first().copied().unwrap_or_default();
    let mut config = ColorConfig { rx: first.rx, tx: first.tx, ..ColorConfig::default() };
    let mut before = first;
    for (slot, next) in config.positions.iter_mut().zip(&routes[1..]) {
        let changes = |old: DirSet, new: DirSet| !new.is_empty() && new != old;
        *slot = match (changes(before.rx, next.rx), changes(before.tx, next.tx)) {
            (true, true) => SwitchPos::Both(next.rx, next.tx),
            (true, false) => SwitchPos::Rx(next.rx),
            // A position that changes nothing still counts as one.
            (false, true) => SwitchPos::Tx(next.tx),
            (false, false) => SwitchPos::Tx(before.tx),
        };
        if !next.rx.is_empty() {
            before.rx = next.rx;
        }
        if !next.tx.is_empty() {
            before.tx = next.tx;
        }
    }
    config
}
