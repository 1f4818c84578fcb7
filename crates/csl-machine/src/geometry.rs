//! Directions, places and rectangles of PEs. Columns grow to the east, rows to the south.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::index_types;

/// A direction of a router's link, or [`Direction::Ramp`], the link to its own compute element. The numbers are those
/// of the bits in the routing registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Direction {
    West = 0,
    East = 1,
    South = 2,
    North = 3,
    Ramp = 4,
}

impl Direction {
    pub const ALL: [Direction; 5] =
        [Direction::West, Direction::East, Direction::South, Direction::North, Direction::Ramp];

    /// The directions that lead to a neighbour.
    pub const LINKS: [Direction; 4] = [Direction::West, Direction::East, Direction::South, Direction::North];

    /// The name in CSL.
    pub const fn name(self) -> &'static str {
        match self {
            Direction::West => "WEST",
            Direction::East => "EAST",
            Direction::South => "SOUTH",
            Direction::North => "NORTH",
            Direction::Ramp => "RAMP",
        }
    }

    /// The bit in a routing register.
    #[inline]
    pub const fn bit(self) -> u8 {
        self as u8
    }

    /// The index in a table of directions.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The direction with a bit in a routing register.
    #[inline]
    pub fn from_bit(bit: u32) -> Option<Direction> {
        match bit {
            0 => Some(Direction::West),
            1 => Some(Direction::East),
            2 => Some(Direction::South),
            3 => Some(Direction::North),
            4 => Some(Direction::Ramp),
            _ => None,
        }
    }

    /// The side on which the neighbour receives wavelets that leave by this one; the ramp's other end is the ramp.
    #[inline]
    pub const fn opposite(self) -> Direction {
        match self {
            Direction::West => Direction::East,
            Direction::East => Direction::West,
            Direction::South => Direction::North,
            Direction::North => Direction::South,
            Direction::Ramp => Direction::Ramp,
        }
    }

    /// Columns and rows from a PE to its neighbour.
    #[inline]
    pub const fn step(self) -> (i32, i32) {
        match self {
            Direction::West => (-1, 0),
            Direction::East => (1, 0),
            Direction::South => (0, 1),
            Direction::North => (0, -1),
            Direction::Ramp => (0, 0),
        }
    }

    /// The neighbour at this side of a PE; `None` west and north of the first.
    #[inline]
    pub fn neighbour(self, Coord { x, y }: Coord) -> Option<Coord> {
        let (dx, dy) = self.step();
        Some(Coord { x: x.checked_add_signed(dx)?, y: y.checked_add_signed(dy)? })
    }
}

/// A set of directions: bit `d` for [`Direction`] `d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DirSet(pub u8);

impl DirSet {
    pub const NONE: DirSet = DirSet(0);
    pub const RAMP: DirSet = DirSet::of(Direction::Ramp);
    /// The four links.
    pub const LINKS: DirSet = DirSet(0xf);
    /// The links and the ramp.
    pub const ALL: DirSet = DirSet(0x1f);

    /// The set that the five lowest bits give.
    pub const fn from_bits(bits: i64) -> DirSet {
        DirSet((bits & DirSet::ALL.0 as i64) as u8)
    }

    #[inline]
    pub const fn of(direction: Direction) -> DirSet {
        DirSet(1 << direction.bit())
    }

    #[inline]
    pub const fn contains(self, direction: Direction) -> bool {
        self.0 >> direction.bit() & 1 != 0
    }

    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub const fn meets(self, other: DirSet) -> bool {
        self.0 & other.0 != 0
    }

    /// The directions that at least one of the sets has.
    #[inline]
    pub const fn union(self, other: DirSet) -> DirSet {
        DirSet(self.0 | other.0)
    }

    /// The directions that both sets have.
    #[inline]
    pub const fn common(self, other: DirSet) -> DirSet {
        DirSet(self.0 & other.0)
    }

    #[inline]
    pub fn insert(&mut self, direction: Direction) {
        self.0 |= DirSet::of(direction).0;
    }

    #[inline]
    pub fn remove(&mut self, direction: Direction) {
        self.0 &= !DirSet::of(direction).0;
    }

    /// The direction with the lowest bit.
    #[inline]
    pub fn first(self) -> Option<Direction> {
        Direction::from_bit(self.0.trailing_zeros())
    }

    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The directions in the order of their bits.
    #[inline]
    pub fn iter(mut self) -> impl Iterator<Item = Direction> {
        std::iter::from_fn(move || {
            let direction = self.first()?;
            self.remove(direction);
            Some(direction)
        })
    }

    /// The names of the directions, joined by `+`; `nothing` for the empty set.
    pub fn names(self) -> String {
        let names: Vec<&str> = self.iter().map(Direction::name).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join("+") }
    }
}

impl FromIterator<Direction> for DirSet {
    fn from_iter<T: IntoIterator<Item = Direction>>(directions: T) -> DirSet {
        directions.into_iter().fold(DirSet::NONE, |set, direction| set.union(DirSet::of(direction)))
    }
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// Whether a rectangle of this size from (0, 0) on holds the PE.
    #[inline]
    pub const fn contains(self, at: Coord) -> bool {
        at.x < self.width && at.y < self.height
    }

    /// The number of a PE of a rectangle of this size from (0, 0) on: row by row, from 0 on.
    pub const fn number(self, at: Coord) -> u32 {
        at.y * self.width + at.x
    }

    /// The PE with a [`Self::number`].
    pub const fn place(self, number: u32) -> Coord {
        Coord { x: number % self.width, y: number / self.width }
    }

    /// Whether a rectangle of this size has room for one of another size.
    pub const fn holds(self, other: Size) -> bool {
        other.width <= self.width && other.height <= self.height
    }

    /// The size of the fabric that holds a rectangle of this size at `offset`, and no more than `margins` columns and
    /// rows east and south of it.
    pub const fn around(self, offset: Coord, margins: Size) -> Size {
        Size { width: offset.x + self.width + margins.width, height: offset.y + self.height + margins.height }
    }
}

impl From<(u32, u32)> for Size {
    fn from((width, height): (u32, u32)) -> Size {
        Size { width, height }
    }
}

/// Column and row; in order by column, then row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Coord {
    pub x: u32,
    pub y: u32,
}

impl From<(u32, u32)> for Coord {
    fn from((x, y): (u32, u32)) -> Coord {
        Coord { x, y }
    }
}

/// `len` tiles of row `y` from column `x` on, all with the same program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TileRun {
    pub x: u32,
    pub y: u32,
    pub len: u32,
    pub program: ProgramId,
}

index_types! {
    /// A program of a layout: tiles share it.
    pub struct ProgramId;
}

impl Serialize for ProgramId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.number().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ProgramId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ProgramId, D::Error> {
        match u32::deserialize(deserializer)? {
            u32::MAX => Err(D::Error::custom("no layout has that many programs")),
            number => Ok(ProgramId::new(number)),
        }
    }
}
