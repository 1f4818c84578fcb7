//! Routes that lead in a circle: wavelets there go round for ever, or wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use csl_image::{Image, RouteRun};
use csl_machine::{Color, Coord, Direction};

/// The greatest number of places of a circle that are named.
const MOST: usize = 8;

/// A warning of the circle that the routes of a color make through a place, by the layout's first switch positions.
pub(super) fn through(image: &Image, color: Color, start: Coord) -> Option<String> {
    let circle = circle(image, color, start)?;
    let named: Vec<String> = circle.iter().take(MOST).map(|Coord { x, y }| format!("({x}, {y})")).collect();
    let more = if circle.len() > MOST { format!(" and {} more PEs", circle.len() - MOST) } else { String::new() };
    Some(format!(
        "the routes of color {color} lead in a circle through {}{more}: a wavelet that enters it never leaves",
        named.join(", ")
    ))
}

/// The places of a circle, in order, from `start` on.
fn circle(image: &Image, color: Color, start: Coord) -> Option<Vec<Coord>> {
    let config = |Coord { x, y }: Coord| {
        let has = |run: &&RouteRun| run.color == color && run.y == y && (run.x..run.x + run.len).contains(&x);
        image.routes.iter().find(has).map(|run| &image.color_configs[run.config as usize])
    };
    // The neighbours that take what a place sends them.
    let nexts = |place: Coord| {
        let sides =
            config(place).into_iter().flat_map(|config| config.tx.iter()).filter(|side| *side != Direction::Ramp);
        sides.filter_map(move |side| {
            let next = side.neighbour(place)?;
            config(next)?.rx.iter().any(|from| from == side.opposite()).then_some(next)
        })
    };
    let mut came_from: BTreeMap<Coord, Coord> = BTreeMap::new();
    let mut open = BTreeSet::from([start]);
    while let Some(place) = open.pop_first() {
        for next in nexts(place) {
            if next == start {
                let mut way = vec![place];
                while let Some(before) = came_from.get(&way[way.len() - 1]).filter(|_| way[way.len() - 1] != start) {
                    way.push(*before);
                }
                way.reverse();
                return Some(way);
            }
            if let std::collections::btree_map::Entry::Vacant(entry) = came_from.entry(next) {
                entry.insert(place);
                open.insert(next);
            }
        }
    }
    None
}
