//! The table of routes, by runs of tiles. It is immutable and shared by all rows: any row can tell the number of a
//! virtual channel in any other row before that row exists, so a row is made only when something first touches it.

use csl_machine::{Color, ColorConfig, Coord, Direction};

use crate::state::ColorState;
use crate::virtual_channel::VcId;

/// Tiles `x .. x + len` of a row that route the same colors in the same way. A tile in no run is outside the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub x: u32,
    pub len: u32,
    /// Index in [`RouteTable::sets`].
    pub set: u32,
    /// Number of the first virtual channel.
    base: u32,
}

/// The routed colors of a tile, ascending, each with its index in [`RouteTable::configs`].
pub type RouteSet = Vec<(Color, u32)>;

/// The routes of all tiles at the start of a run.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    width: u32,
    rows: Vec<Vec<Run>>,
    sets: Vec<RouteSet>,
    configs: Vec<ColorState>,
    /// Whether some tile swaps colors.
    has_swaps: bool,
}

/// Numbers from here on stand for colors that the table does not route at a tile, by column and color. A router makes a
/// virtual channel for such a color when a wavelet lands or the program writes a route, and knows its real number
/// alone.
const UNROUTED: u32 = 1 << 29;

/// The number by which other rows know a color that the table does not route at a column.
pub(crate) fn unrouted(x: u32, color: Color) -> VcId {
    VcId::new(UNROUTED | x << Color::BITS | u32::from(color))
}

/// The column and color of a number of [`unrouted`].
pub(crate) fn column_and_color_of_unrouted(number: VcId) -> Option<(u32, Color)> {
    let code = number.number().checked_sub(UNROUTED)?;
    Some((code >> Color::BITS, Color::of_bits(code)))
}

/// The place where wavelets of a color land that leave a tile by a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Number of the virtual channel in its row, or a number of [`unrouted`].
    pub vc: VcId,
    pub color: Color,
}

impl RouteTable {
    /// Makes the table. `rows[y]` lists the runs of row `y` by column as `(x, len, set)`, without overlap: all tiles that
    /// have a program, also those that route nothing. Sets are ascending by color and index `configs`.
    pub fn new(width: u32, rows: Vec<Vec<(u32, u32, u32)>>, sets: Vec<RouteSet>, configs: Vec<ColorConfig>) -> Self {
        let rows = rows.iter().map(|row| number(row, &sets)).collect();
        let has_swaps = configs.iter().any(|config| config.swap_x || config.swap_y);
        let configs = configs.into_iter().map(ColorState::new).collect();
        RouteTable { width, rows, sets, configs, has_swaps }
    }

    pub fn width(&self) -> u32 {
        self.width
    }

    pub fn height(&self) -> u32 {
        self.rows.len() as u32
    }

    /// The virtual channels of row `y` in order of their numbers: column, color, configuration.
    pub fn vcs(&self, y: u32) -> impl Iterator<Item = (u32, Color, &ColorState)> {
        self.rows[y as usize].iter().flat_map(move |run| {
            (run.x..run.x + run.len).flat_map(move |x| {
                self.sets[run.set as usize]
                    .iter()
                    .map(move |&(color, config)| (x, color, &self.configs[config as usize]))
            })
        })
    }

    fn run(&self, x: u32, y: u32) -> Option<&Run> {
        let row = self.rows.get(y as usize)?;
        let run = &row[row.partition_point(|run| run.x <= x).checked_sub(1)?];
        (x - run.x < run.len).then_some(run)
    }

    /// The number of a color's virtual channel at a tile, and its initial configuration.
    pub fn find(&self, x: u32, y: u32, color: Color) -> Option<(VcId, &ColorState)> {
        let run = self.run(x, y)?;
        let set = &self.sets[run.set as usize];
        let rank = set.binary_search_by_key(&color, |entry| entry.0).ok()?;
        let vc = run.base + (x - run.x) * set.len() as u32;
        Some((VcId::at(rank).plus(vc), &self.configs[set[rank].1 as usize]))
    }

    /// Whether any tile swaps colors. If none does, wavelets that come in on a color belong to that color.
    #[inline]
    pub fn has_swaps(&self) -> bool {
        self.has_swaps
    }

    /// The number by which a neighbour sends to a color's virtual channel at a tile of the program.
    pub(crate) fn number(&self, x: u32, y: u32, color: Color) -> VcId {
        self.find(x, y, color).map_or_else(|| unrouted(x, color), |found| found.0)
    }

    /// The tile behind a side; `None` where the program ends there.
    pub fn neighbour(&self, x: u32, y: u32, side: Direction) -> Option<Coord> {
        let at = side.neighbour(Coord { x, y })?;
        self.run(at.x, at.y).map(|_| at)
    }

    /// The color on which a tile receives the wavelets that come in by `side` on `color`: that color itself, or with
    /// color swap the other one of the pair (advanced features of the guide).
    pub fn received(&self, x: u32, y: u32, side: Direction, color: Color) -> Target {
        let takes = |state: &ColorState| state.config.all_inputs().contains(side);
        let found = self.find(x, y, color);
        let own = found.filter(|(_, state)| !state.config.swaps(side));
        let swapped = || self.find(x, y, color.partner()).filter(|(_, state)| state.config.swaps(side));
        let target = |color| move |(vc, _): (VcId, &ColorState)| Target { vc, color };
        let open = own.filter(|(_, state)| takes(state)).map(target(color));
        open.or_else(|| swapped().map(target(color.partner()))).unwrap_or_else(|| {
            let color = if own.is_none() && found.is_some() { color.partner() } else { color };
            Target { vc: self.number(x, y, color), color }
        })
    }

    /// Whether the tile receives the wavelets that come in by `side` on `color` on the other color of the pair as well.
    pub fn received_twice(&self, x: u32, y: u32, side: Direction, color: Color) -> bool {
        let takes = |color: Color| {
            let config = &self.find(x, y, color)?.1.config;
            config.all_inputs().contains(side).then(|| config.swaps(side))
        };
        takes(color) == Some(false) && takes(color.partner()) == Some(true)
    }

    /// The target of wavelets of `color` that leave tile `(x, y)` by `side`; `None` where they leave the program.
    pub fn target(&self, x: u32, y: u32, side: Direction, color: Color) -> Option<Target> {
        let Coord { x, y } = self.neighbour(x, y, side)?;
        Some(self.received(x, y, side.opposite(), color))
    }

    /// The color on which the tile behind `side` sent the wavelets that are received here on `color`.
    pub fn source_color(&self, x: u32, y: u32, side: Direction, color: Color) -> Color {
        if self.received(x, y, side, color).color == color { color } else { color.partner() }
    }
}

fn number(row: &[(u32, u32, u32)], sets: &[RouteSet]) -> Vec<Run> {
    let mut base = 0;
    let number_one = |&(x, len, set): &(u32, u32, u32)| {
        let run = Run { x, len, set, base };
        base += len * sets[set as usize].len() as u32;
        run
    };
    row.iter().map(number_one).collect()
}
