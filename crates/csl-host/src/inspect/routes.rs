//! Shows the routes of a color: drawn where the fabric is small, else listed.

use csl_image::{Image, RouteRun};
use csl_machine::{Color, ColorConfig, DirSet, Direction, PopMode, SwitchPos};
use serde_json::{Value, json};

use super::picture;
use crate::error::{HostError, NameError};

/// Colors that are routed anywhere, with the number of PEs that route them.
pub(super) fn colors(image: &Image) -> Vec<(Color, u64)> {
    let mut found = std::collections::BTreeMap::new();
    for run in &image.routes {
        *found.entry(run.color).or_insert(0) += u64::from(run.len);
    }
    found.into_iter().collect()
}

pub(super) fn text(image: &Image, color: Option<u8>) -> Result<String, HostError> {
    let Some(color) = color else { return Ok(overview(image)) };
    let color = checked(image, color)?;
    let runs: Vec<&RouteRun> = image.routes.iter().filter(|run| run.color == color).collect();
    let mut out = String::new();
    let is_small = image.rect.width <= picture::MOST_COLUMNS && image.rect.height <= picture::MOST_ROWS;
    if is_small {
        out += &format!("color {color}, at the start\n\n{}\n{}", picture::draw(image, color), picture::LEGEND);
    } else {
        out += &format!("color {color}: (columns, row), inputs > outputs\n\n");
        runs.iter().for_each(|run| out += &line(run, &way(config(image, run))));
    }
    let switched: Vec<&&RouteRun> = runs.iter().filter(|run| has_more(config(image, run))).collect();
    if !switched.is_empty() {
        out += "\n";
        switched.iter().for_each(|run| out += &line(run, &more(config(image, run))));
    }
    Ok(out)
}

fn overview(image: &Image) -> String {
    let colors = colors(image);
    if colors.is_empty() {
        return String::from("the program routes no color\n");
    }
    let mut out = String::from("color   PEs\n");
    for (color, pes) in colors {
        out += &format!("{color:5} {pes:5}\n");
    }
    out + "\n--color N draws the routes of one\n"
}

fn checked(image: &Image, color: u8) -> Result<Color, HostError> {
    if let Some(run) = image.routes.iter().find(|run| run.color.number() == color) {
        return Ok(run.color);
    }
    let routed = colors(image).into_iter().map(|(color, _)| color).collect();
    Err(NameError::Color { color, routed }.into())
}

fn config<'a>(image: &'a Image, run: &RouteRun) -> &'a ColorConfig {
    &image.color_configs[run.config as usize]
}

fn line(run: &RouteRun, text: &str) -> String {
    let place = match run.len {
        1 => format!("({}, {})", run.x, run.y),
        len => format!("({}..{}, {})", run.x, run.x + len - 1, run.y),
    };
    format!("{place:<16} {text}\n")
}

fn sides(set: DirSet) -> Vec<&'static str> {
    set.iter().map(Direction::name).collect()
}

fn way(config: &ColorConfig) -> String {
    format!("{} > {}", config.rx.names(), config.tx.names())
}

fn has_more(config: &ColorConfig) -> bool {
    let plain = ColorConfig::route(config.rx, config.tx);
    *config != plain
}

/// The parts of a route beside its first inputs and outputs: further switch positions and the like.
fn more(config: &ColorConfig) -> String {
    let mut parts = Vec::new();
    for (number, position) in (1..).zip(&config.positions) {
        match position {
            SwitchPos::Invalid => {}
            SwitchPos::Rx(rx) => parts.push(format!("pos{number} rx {}", rx.names())),
            SwitchPos::Tx(tx) => parts.push(format!("pos{number} tx {}", tx.names())),
            SwitchPos::Both(rx, tx) => parts.push(format!("pos{number} rx {} tx {}", rx.names(), tx.names())),
        }
    }
    if config.current_pos > 0 {
        parts.push(format!("starts at pos{}", config.current_pos));
    }
    let flags = [
        (config.ring_mode, "ring"),
        (config.swap_x, "color swap x"),
        (config.swap_y, "color swap y"),
        (config.filter.is_some(), "filter"),
        (config.teardown, "teardown"),
    ];
    parts.extend(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| (*name).to_owned()));
    match config.pop_mode {
        PopMode::NoPop => {}
        mode => parts.push(format!("{mode:?}")),
    }
    parts.join(", ")
}

pub(super) fn json(image: &Image, color: Option<u8>) -> Result<Value, HostError> {
    let Some(color) = color else {
        let count = |&(color, pes): &(Color, u64)| json!({ "color": color, "pes": pes });
        return Ok(json!(colors(image).iter().map(count).collect::<Vec<Value>>()));
    };
    let color = checked(image, color)?;
    let route = |run: &RouteRun| {
        let config = config(image, run);
        let positions: Vec<Value> = config.positions.iter().map(position).collect();
        json!({
            "x": run.x, "y": run.y, "width": run.len, "rx": sides(config.rx), "tx": sides(config.tx),
            "positions": positions, "current_position": config.current_pos, "ring": config.ring_mode,
            "teardown": config.teardown, "filter": config.filter.is_some(),
        })
    };
    Ok(json!(image.routes.iter().filter(|run| run.color == color).map(route).collect::<Vec<Value>>()))
}

fn position(position: &SwitchPos) -> Value {
    match position {
        SwitchPos::Invalid => Value::Null,
        SwitchPos::Rx(rx) => json!({ "rx": sides(*rx) }),
        SwitchPos::Tx(tx) => json!({ "tx": sides(*tx) }),
        SwitchPos::Both(rx, tx) => json!({ "rx": sides(*rx), "tx": sides(*tx) }),
    }
}
