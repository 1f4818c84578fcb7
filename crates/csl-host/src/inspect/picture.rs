//! Draws the routes of a color.
//!
//! A tile takes three columns and up to three rows. The sign in the middle is the compute element (`o` sends, `*`
//! takes, `@` both, `+` neither); around it are arrows in the direction in which wavelets go.

use std::collections::HashMap;

use csl_image::{ColorConfig, Image};

const WEST: u8 = 1;
const EAST: u8 = 1 << 1;
const SOUTH: u8 = 1 << 2;
const NORTH: u8 = 1 << 3;
const RAMP: u8 = 1 << 4;

/// Columns of text for a tile.
const CELL: usize = 4;
/// Columns of text before the tiles.
const MARGIN: usize = 4;
/// Columns of the widest fabric that is drawn, in PEs.
pub(super) const MOST_COLUMNS: u32 = 18;
pub(super) const MOST_ROWS: u32 = 24;

pub(super) const LEGEND: &str = "o the PE sends, * it takes, @ both, + neither; arrows go as wavelets do\n";

/// Arrows: out of the tile, into it, both.
fn arrow(config: &ColorConfig, side: u8, [out, into, both]: [char; 3]) -> char {
    match (config.tx.0 & side != 0, config.rx.0 & side != 0) {
        (true, true) => both,
        (true, false) => out,
        (false, true) => into,
        (false, false) => ' ',
    }
}

fn middle(config: &ColorConfig) -> char {
    match (config.rx.0 & RAMP != 0, config.tx.0 & RAMP != 0) {
        (true, true) => '@',
        (true, false) => 'o',
        (false, true) => '*',
        (false, false) => '+',
    }
}

pub(super) fn draw(image: &Image, color: u8) -> String {
    let mut at: HashMap<(u32, u32), &ColorConfig> = HashMap::new();
    for run in image.routes.iter().filter(|run| run.color == color) {
        for x in run.x..run.x + run.len {
            at.insert((x, run.y), &image.color_configs[run.config as usize]);
        }
    }
    let size = image.rect;
    let numbers: String = (0..size.width).map(|x| format!("{x:>CELL$}")).collect();
    let mut out = format!("{:MARGIN$}{}\n", "", numbers.get(2..).unwrap_or(&numbers));
    for y in 0..size.height {
        let row = |cell: &dyn Fn(&ColorConfig) -> String| -> String {
            (0..size.width).map(|x| at.get(&(x, y)).map_or(" ".repeat(CELL), |config| cell(config))).collect()
        };
        let above = row(&|config| format!(" {}  ", arrow(config, NORTH, ['↑', '↓', '↕'])));
        let level = row(&|config| {
            let (west, east) = (arrow(config, WEST, ['←', '→', '↔']), arrow(config, EAST, ['→', '←', '↔']));
            format!("{west}{}{east} ", middle(config))
        });
        let below = row(&|config| format!(" {}  ", arrow(config, SOUTH, ['↓', '↑', '↕'])));
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
