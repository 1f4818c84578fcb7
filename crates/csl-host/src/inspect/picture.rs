//! Draws the routes of a color.
//!
//! A tile takes three columns and up to three rows. The sign in the middle is the compute element (`o` sends, `*`
//! takes, `@` both, `+` neither); around it are arrows in the direction in which wavelets go.

use std::collections::HashMap;

use csl_image::Image;
use csl_machine::{Color, ColorConfig, Coord, Direction};

/// Columns of text for a tile.
const CELL: usize = 4;
/// Columns of text before the tiles.
const MARGIN: usize = 4;
/// Columns of the widest fabric that is drawn, in PEs.
pub(super) const MOST_COLUMNS: u32 = 18;
pub(super) const MOST_ROWS: u32 = 24;

pub(super) const LEGEND: &str = "o the PE sends, * it takes, @ both, + neither; arrows go as wavelets do\n";

/// Arrows: out of the tile, into it, both.
fn arrow(config: &ColorConfig, side: Direction, [out, into, both]: [char; 3]) -> char {
    match (config.tx.contains(side), config.rx.contains(side)) {
        (true, true) => both,
        (true, false) => out,
        (false, true) => into,
        (false, false) => ' ',
    }
}

fn middle(config: &ColorConfig) -> char {
    match (config.rx.contains(Direction::Ramp), config.tx.contains(Direction::Ramp)) {
        (true, true) => '@',
        (true, false) => 'o',
        (false, true) => '*',
        (false, false) => '+',
    }
}

/// The routes of a color, by tiles.
pub(crate) fn routes_of(image: &Image, color: Color) -> HashMap<Coord, &ColorConfig> {
    let mut at = HashMap::new();
    for run in image.routes.iter().filter(|run| run.color == color) {
        for x in run.x..run.x + run.len {
            at.insert(Coord { x, y: run.y }, &image.color_configs[run.config as usize]);
        }
    }
    at
}

pub(super) fn draw(image: &Image, color: Color) -> String {
    let at = routes_of(image, color);
    let size = image.rect;
    let numbers: String = (0..size.width).map(|x| format!("{x:>CELL$}")).collect();
    let mut out = format!("{:MARGIN$}{}\n", "", numbers.get(2..).unwrap_or(&numbers));
    for y in 0..size.height {
        let row = |cell: &dyn Fn(&ColorConfig) -> String| -> String {
            (0..size.width).map(|x| at.get(&Coord { x, y }).map_or(" ".repeat(CELL), |config| cell(config))).collect()
        };
        let above = row(&|config| format!(" {}  ", arrow(config, Direction::North, ['↑', '↓', '↕'])));
        let level = row(&|config| {
            let west = arrow(config, Direction::West, ['←', '→', '↔']);
            let east = arrow(config, Direction::East, ['→', '←', '↔']);
            format!("{west}{}{east} ", middle(config))
        });
        let below = row(&|config| format!(" {}  ", arrow(config, Direction::South, ['↓', '↑', '↕'])));
        let level = if level.trim().is_empty() { " .  ".repeat(size.width as usize) } else { level };
        for (label, line) in [(String::new(), above), (y.to_string(), level), (String::new(), below)] {
            if !line.trim().is_empty() {
                let line = format!("{label:>3} {line}");
                out += line.trim_end();
                out.push('\n');
            }
        }
    }
    out
}
