//! Coordinates, areas and edges, in PEs.

use csl_machine::{Direction, MOST_FABRIC_SIDE};

/// Column and row of a PE. Negative ones lie outside of any fabric.
pub type Cell = (i32, i32);

/// The PEs from `(x, y)`, included, to `end`, excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// The first column.
    pub x: i32,
    /// The first row.
    pub y: i32,
    /// One behind the last column.
    pub end_x: i32,
    /// One behind the last row.
    pub end_y: i32,
}

impl Area {
    /// `width` columns and `height` rows of PEs from `(x, y)` on. No fabric reaches to where numbers end, so an end that
    /// would lie beyond that is the greatest number.
    pub fn new(x: i32, y: i32, width: u32, height: u32) -> Area {
        Area { x, y, end_x: x.saturating_add_unsigned(width), end_y: y.saturating_add_unsigned(height) }
    }

    /// Whether a fabric of the greatest size that there is holds the area.
    pub(crate) fn is_in_fabric(&self) -> bool {
        let fits = |from: i32, end: i32| from >= 0 && u32::try_from(end).is_ok_and(|end| end <= MOST_FABRIC_SIDE);
        fits(self.x, self.end_x) && fits(self.y, self.end_y)
    }

    /// Whether a PE lies in the area.
    pub fn contains(&self, (x, y): Cell) -> bool {
        (self.x..self.end_x).contains(&x) && (self.y..self.end_y).contains(&y)
    }

    /// The PEs of the area, row by row.
    pub fn cells(self) -> impl Iterator<Item = Cell> {
        (self.y..self.end_y).flat_map(move |y| (self.x..self.end_x).map(move |x| (x, y)))
    }

    /// The area, moved by `dx` columns and `dy` rows.
    pub fn moved(&self, (dx, dy): Cell) -> Area {
        Area { x: self.x + dx, y: self.y + dy, end_x: self.end_x + dx, end_y: self.end_y + dy }
    }

    /// Whether any PE lies in both.
    pub fn overlaps(&self, other: &Area) -> bool {
        self.x < other.end_x && other.x < self.end_x && self.y < other.end_y && other.y < self.end_y
    }
}

/// A side of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// North.
    Top,
    /// South.
    Bottom,
    /// West.
    Left,
    /// East.
    Right,
}

impl Edge {
    /// The direction out of the region.
    pub fn outwards(self) -> Direction {
        match self {
            Edge::Top => Direction::North,
            Edge::Bottom => Direction::South,
            Edge::Left => Direction::West,
            Edge::Right => Direction::East,
        }
    }
}

/// The neighbour in a direction.
pub(crate) fn step((x, y): Cell, direction: Direction) -> Cell {
    let (dx, dy) = direction.step();
    (x + dx, y + dy)
}

/// The direction from a PE to its neighbour.
pub(crate) fn towards(from: Cell, to: Cell) -> Option<Direction> {
    Direction::LINKS.into_iter().find(|direction| step(from, *direction) == to)
}
