//! Requests of the host, as values.

use super::array::{Order, Shape};
use csl_machine::{Color, Coord};

/// A rectangle of PEs of the program: columns `x, x + step_x, ..` below `x + w`, rows likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    pub x: u32,
    pub y: u32,
    pub w: u32,
    pub h: u32,
    pub step_x: u32,
    pub step_y: u32,
}

impl Rect {
    /// Every PE of `w` columns and `h` rows from `(x, y)` on.
    pub fn new(x: u32, y: u32, w: u32, h: u32) -> Rect {
        Rect { x, y, w, h, step_x: 1, step_y: 1 }
    }

    /// The number of columns that are visited.
    pub fn columns(&self) -> u32 {
        self.w.div_ceil(self.step_x.max(1))
    }

    /// The number of rows that are visited.
    pub fn rows(&self) -> u32 {
        self.h.div_ceil(self.step_y.max(1))
    }

    /// The number of PEs that are visited.
    pub fn len(&self) -> usize {
        let (columns, rows) = self.shape();
        columns * rows
    }

    /// The numbers of columns and rows that are visited.
    fn shape(&self) -> (usize, usize) {
        (self.columns() as usize, self.rows() as usize)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `index`-th PE in row-major order.
    pub fn at(&self, index: usize) -> Coord {
        let (row, column) = (index / self.shape().0, index % self.shape().0);
        Coord { x: self.x + column as u32 * self.step_x.max(1), y: self.y + row as u32 * self.step_y.max(1) }
    }
}

/// Size of an element on the device. In the host's words an element takes 32 bits either way, a 16-bit one the low
/// half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Bits16,
    Bits32,
}

impl Width {
    /// Size in bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Width::Bits16 => 2,
            Width::Bits32 => 4,
        }
    }

    /// Size of this many elements in bytes.
    pub(super) fn of(self, elements: u32) -> u32 {
        elements.saturating_mul(self.bytes())
    }
}

/// The source or target of a transfer on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Copy mode: the exported pointer variable with this id. The transfer uses the pointer's value at that time.
    Symbol(u16),
    /// Streaming mode: wavelets of this color.
    Color(Color),
}

impl From<u16> for Endpoint {
    /// The exported pointer variable with this id.
    fn from(id: u16) -> Endpoint {
        Endpoint::Symbol(id)
    }
}

/// The way in which the PEs share the host's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Each PE has elements of its own.
    Each,
    /// Each row has one PE's elements, the same along the row.
    Rows,
    /// Each column has one PE's elements, the same down the column.
    Columns,
}

impl Spread {
    /// The number of the share of the `index`-th PE of `rect` (row-major).
    pub fn share(self, rect: &Rect, index: usize) -> usize {
        match self {
            Spread::Each => index,
            Spread::Rows => index / rect.shape().0,
            Spread::Columns => index % rect.shape().0,
        }
    }
}

/// The data of a copy: between the host's array, a tensor `A[h][w][per_pe]`, and the PEs of a rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    pub rect: Rect,
    /// Elements on each PE.
    pub per_pe: u32,
    /// Size of an element on the device.
    pub width: Width,
    /// The order of the tensor in the host's array.
    pub order: Order,
}

impl Copy {
    /// A copy of `per_pe` 32-bit elements for each PE of `rect`, in row-major order.
    pub fn of(rect: Rect, per_pe: u32) -> Copy {
        Copy { rect, per_pe, width: Width::Bits32, order: Order::RowMajor }
    }

    /// The tensor that the host's array holds.
    pub fn shape(&self, spread: Spread) -> Shape {
        let (rows, columns) = (self.rect.rows() as usize, self.rect.columns() as usize);
        let (h, w) = match spread {
            Spread::Each => (rows, columns),
            Spread::Rows => (rows, 1),
            Spread::Columns => (1, columns),
        };
        Shape { h, w, l: self.per_pe as usize }
    }
}

/// A request of the host. Every PE takes its commands in the order in which they were submitted.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Host to device. The host's array has one 32-bit word an element; words after the tensor are not sent.
    H2d { to: Endpoint, copy: Copy, spread: Spread, array: Vec<u32> },
    /// Device to host, into an array of `room` items; the result is the tensor.
    D2h { from: Endpoint, copy: Copy, room: usize },
    /// Calls the exported function with this id on every PE. Each argument as its bits, from the lowest on.
    Launch { function: u16, args: Vec<u64> },
}

impl Command {
    /// The name of the request in the host API.
    pub fn method(&self) -> &'static str {
        match self {
            Command::H2d { .. } => "memcpy_h2d",
            Command::D2h { .. } => "memcpy_d2h",
            Command::Launch { .. } => "launch",
        }
    }

    /// Whether the command moves wavelets of a color.
    pub(super) fn is_stream(&self) -> bool {
        let (Command::H2d { to: end, .. } | Command::D2h { from: end, .. }) = self else { return false };
        matches!(end, Endpoint::Color(_))
    }
}

/// The number of a submitted command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub(crate) u64);
