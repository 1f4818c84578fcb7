//! Routes that lead in a circle: wavelets there go round for ever, or wait for each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use csl_machine::{Color, ColorConfig, Coord, Direction};

/// The routes of a color, by tiles.
pub(super) type Routes<'a> = HashMap<Coord, &'a ColorConfig>;

/// The greatest number of places of a circle that are named.
const MOST: usize = 8;

/// A warning of the circle that the routes of a color make through a place, by the layout's first switch positions.
pub(super) fn through(routes: &Routes, color: Color, start: Coord) -> Option<String> {
    let circle = circle(routes, start)?;
    let named: Vec<String> = circle.iter().take(MOST).map(|Coord { x, y }| format!("({x}, {y})")).collect();
    let more = if circle.len() > MOST { format!(" and {} more PEs", circle.len() - MOST) } else { String::new() };
    Some(format!(
        "the routes of color {color} lead in a circle through {}{more}: a wavelet that enters it never leaves",
        named.join(", ")
    ))
}

/// The places of a circle, in order, from `start` on.
fn circle(routes: &Routes, start: Coord) -> Option<Vec<Coord>> {
    let config = |place: Coord| routes.get(&place).copied();
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

#[cfg(test)]
mod tests {
    use super::*;
    use csl_machine::DirSet;

    /// A way through every tile of a square, row by row, there and back; with the last tile's `end`.
    fn meander(side: u32, end: Direction) -> Vec<(Coord, ColorConfig)> {
        let place = |at: u32| {
            let (x, y) = (at % side, at / side);
            Coord { x: if y % 2 == 0 { x } else { side - 1 - x }, y }
        };
        let towards = |from: Coord, to: Coord| {
            Direction::LINKS.into_iter().find(|side| side.neighbour(from) == Some(to)).expect("they are neighbours")
        };
        let all = side * side;
        let config = |at: u32| {
            let rx = if at == 0 { Direction::Ramp } else { towards(place(at), place(at - 1)) };
            let tx = if at + 1 == all { end } else { towards(place(at), place(at + 1)) };
            (place(at), ColorConfig { rx: DirSet::of(rx), tx: DirSet::of(tx), ..ColorConfig::default() })
        };
        (0..all).map(config).collect()
    }

    /// A step costs the same however many routes there are: with a look at all of them each, this would take minutes.
    #[test]
    fn a_long_way_is_searched_once() {
        let way = meander(400, Direction::Ramp);
        let routes: Routes = way.iter().map(|(place, config)| (*place, config)).collect();
        assert_eq!(circle(&routes, Coord { x: 0, y: 0 }), None);
    }

    #[test]
    fn a_circle_is_told_from_its_first_place_on() {
        let config = |rx, tx| ColorConfig { rx: DirSet::of(rx), tx: DirSet::of(tx), ..ColorConfig::default() };
        use Direction::{East, North, South, West};
        let corners = [config(South, East), config(West, South), config(North, West), config(East, North)];
        let places = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(x, y)| Coord { x, y });
        let routes: Routes = places.into_iter().zip(&corners).collect();
        let color = Color::new(3).expect("a color");
        let told = through(&routes, color, places[0]).expect("it is a circle");
        assert!(told.contains("through (0, 0), (1, 0), (1, 1), (0, 1): a wavelet"), "{told}");
    }
}
