//! Shortest paths over PEs. Neighbours are tried west, east, south, north, so that the result is always the same.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use csl_machine::Direction;

use crate::layout::grid::{Cell, step};

/// The shortest path from `from` to a PE that is a `goal`, both included, over PEs that are `open`.
pub(crate) fn nearest(from: Cell, open: impl Fn(Cell) -> bool, goal: impl Fn(Cell) -> bool) -> Option<Vec<Cell>> {
    if !open(from) {
        return None;
    }
    let mut before: HashMap<Cell, Cell> = HashMap::from([(from, from)]);
    let mut queue = VecDeque::from([from]);
    while let Some(cell) = queue.pop_front() {
        if goal(cell) {
            return Some(trace(&before, cell));
        }
        for next in Direction::LINKS.map(|direction| step(cell, direction)) {
            if !before.contains_key(&next) && open(next) {
                before.insert(next, cell);
                queue.push_back(next);
            }
        }
    }
    None
}

/// The cheapest path from `from` to `to`, both included; `cost` is that of going over a PE, `None` where no path may.
pub(crate) fn cheapest(from: Cell, to: Cell, cost: impl Fn(Cell) -> Option<u64>) -> Option<Vec<Cell>> {
    let first = cost(from)?;
    let mut before: HashMap<Cell, Cell> = HashMap::from([(from, from)]);
    let mut least: HashMap<Cell, u64> = HashMap::from([(from, first)]);
    let mut queue = BinaryHeap::from([Reverse((first, from))]);
    while let Some(Reverse((so_far, cell))) = queue.pop() {
        if cell == to {
            return Some(trace(&before, cell));
        }
        if least[&cell] < so_far {
            continue;
        }
        for next in Direction::LINKS.map(|direction| step(cell, direction)) {
            let Some(sum) = cost(next).map(|own| so_far + own) else { continue };
            if least.get(&next).is_none_or(|known| sum < *known) {
                least.insert(next, sum);
                before.insert(next, cell);
                queue.push(Reverse((sum, next)));
            }
        }
    }
    None
}

fn trace(before: &HashMap<Cell, Cell>, end: Cell) -> Vec<Cell> {
    let mut path = vec![end];
    let mut cell = end;
    while before[&cell] != cell {
        cell = before[&cell];
        path.push(cell);
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_in(map: &'static [&'static str]) -> impl Fn(Cell) -> bool {
        move |(x, y)| {
            let row = usize::try_from(y).ok().and_then(|y| map.get(y));
            usize::try_from(x).ok().and_then(|x| row?.as_bytes().get(x)).is_some_and(|c| *c == b'.')
        }
    }

    #[test]
    fn a_path_goes_around() {
        let open = open_in(&["...", ".#.", ".#."]);
        let path = nearest((0, 2), open, |cell| cell == (2, 2)).expect("there is a way");
        assert_eq!(path, [(0, 2), (0, 1), (0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]);
    }

    #[test]
    fn a_wall_leaves_no_path() {
        assert_eq!(nearest((0, 0), open_in(&[".#."]), |cell| cell == (2, 0)), None);
        assert_eq!(nearest((1, 0), open_in(&[".#."]), |cell| cell == (2, 0)), None);
    }
}
