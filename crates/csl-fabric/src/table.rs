//! Which colors are routed where, by runs. Immutable, shared by all rows: any row can tell the number of a record in
//! any other row without that row being there yet, so a row is made only when something first touches it.

use crate::config::{ColorConfig, EAST, NORTH, RAMP_BIT, SOUTH, WEST, opposite};

/// Tiles `x .. x + len` of a row that route the same colors in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub x: u32,
    pub len: u32,
    /// Index in [`RouteTable::sets`].
    pub set: u32,
    /// Number of the first record.
    base: u32,
}

/// The routed colors of a tile, ascending, each with its index in [`RouteTable::configs`].
pub type RouteSet = Vec<(u8, u32)>;

#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    width: u32,
    rows: Vec<Vec<Run>>,
    sets: Vec<RouteSet>,
    configs: Vec<ColorConfig>,
    /// Some tile swaps colors.
    has_swaps: bool,
}

/// Where wavelets of a color that leave a tile by a side land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Number of the record in its row.
    pub record: u32,
    pub color: u8,
}

impl RouteTable {
    /// `rows[y]` lists the runs of row `y` by column as `(x, len, set)`, without overlap. Sets are ascending by color
    /// and index `configs`.
    pub fn new(width: u32, rows: Vec<Vec<(u32, u32, u32)>>, sets: Vec<RouteSet>, configs: Vec<ColorConfig>) -> Self {
        let rows = rows.iter().map(|row| number(row, &sets)).collect();
        let has_swaps = configs.iter().any(|config| config.swap_x || config.swap_y);
        RouteTable { width, rows, sets, configs, has_swaps }
    }

    pub fn width(&self) -> u32 {
        self.width
    }

    pub fn height(&self) -> u32 {
        self.rows.len() as u32
    }

    /// Records of row `y` in order of their numbers: column, color, configuration.
    pub fn records(&self, y: u32) -> impl Iterator<Item = (u32, u8, &ColorConfig)> {
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

    /// The number of a color's record at a tile, and its initial configuration.
    pub fn find(&self, x: u32, y: u32, color: u8) -> Option<(u32, &ColorConfig)> {
        let run = self.run(x, y)?;
        let set = &self.sets[run.set as usize];
        let rank = set.binary_search_by_key(&color, |entry| entry.0).ok()?;
        let record = run.base + (x - run.x) * set.len() as u32 + rank as u32;
        Some((record, &self.configs[set[rank].1 as usize]))
    }

    /// Whether any tile swaps colors: if none does, what comes in on a color is that color's.
    #[inline]
    pub fn has_swaps(&self) -> bool {
        self.has_swaps
    }

    /// The tile behind a side.
    pub fn neighbour(&self, x: u32, y: u32, side: usize) -> Option<(u32, u32)> {
        match side {
            WEST => Some((x.checked_sub(1)?, y)),
            EAST => Some((x + 1, y)).filter(|at| at.0 < self.width),
            SOUTH => Some((x, y + 1)).filter(|at| at.1 < self.height()),
            NORTH => Some((x, y.checked_sub(1)?)),
            _ => None,
        }
    }

    /// The color on which a tile receives what comes in by `side` on `color`: that color itself, or with color swap
    /// the other one of the pair (advanced features of the guide).
    pub fn received(&self, x: u32, y: u32, side: usize, color: u8) -> Option<Target> {
        let takes = |config: &ColorConfig| config.all_inputs() >> side & 1 != 0;
        let own = self.find(x, y, color).filter(|(_, config)| !config.swaps(side));
        let swapped = || self.find(x, y, color ^ 1).filter(|(_, config)| config.swaps(side));
        let target = |color| move |(record, _): (u32, &ColorConfig)| Target { record, color };
        let open = own.filter(|(_, config)| takes(config)).map(target(color));
        open.or_else(|| swapped().map(target(color ^ 1))).or_else(|| own.map(target(color)))
    }

    /// Whether the tile receives what comes in by `side` on `color` on the other color of the pair as well.
    pub fn received_twice(&self, x: u32, y: u32, side: usize, color: u8) -> bool {
        let takes = |color: u8| {
            let (_, config) = self.find(x, y, color)?;
            (config.all_inputs() >> side & 1 != 0).then(|| config.swaps(side))
        };
        takes(color) == Some(false) && takes(color ^ 1) == Some(true)
    }

    /// Where wavelets of `color` land that leave tile `(x, y)` by `side`.
    pub fn target(&self, x: u32, y: u32, side: usize, color: u8) -> Option<Target> {
        let (x, y) = self.neighbour(x, y, side)?;
        self.received(x, y, opposite(side), color)
    }

    /// The color on which the tile behind `side` sent what is received here on `color`.
    pub fn source_color(&self, x: u32, y: u32, side: usize, color: u8) -> u8 {
        let direct = self.received(x, y, side, color).is_some_and(|target| target.color == color);
        if direct { color } else { color ^ 1 }
    }

    /// Tiles that wavelets of `color` pass before they leave `(x, y)`, by the initial routes: the last first, as far as
    /// there is one input only.
    pub fn path_to(&self, x: u32, y: u32, color: u8) -> Vec<(u32, u32)> {
        let mut path = vec![(x, y)];
        while path.len() < 16 {
            let (x, y) = path[path.len() - 1];
            let Some((_, config)) = self.find(x, y, color) else { break };
            if config.rx == RAMP_BIT || config.rx.count_ones() != 1 {
                break;
            }
            let before = self.neighbour(x, y, config.rx.trailing_zeros() as usize);
            match before.filter(|at| !path.contains(at)) {
                Some(before) => path.push(before),
                None => break,
            }
        }
        path
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
