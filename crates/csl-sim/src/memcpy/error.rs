//! The errors of requests that the machine does not take.

use std::fmt;

use csl_image::Image;
use csl_machine::Size;

use super::array::Shape;
use super::command::Rect;

/// A request that is wrong in itself: nothing has moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A copy names an export that does not exist.
    #[error("no exported symbol has the number {number}; the program exports {exports}")]
    NoSuchExport { number: u32, exports: Names },
    /// A copy names an exported function.
    #[error("{name} is a function; data cannot be copied to or from it")]
    NotData { name: String },
    /// No PE of the whole program has the export.
    #[error("the layout exports {name}, but no PE has it: its program's `@export_symbol` of {name} is missing")]
    OnNoPe { name: String },
    /// A PE of the rectangle lacks the exported variable.
    #[error("PE ({x}, {y}) runs no program that exports the variable with the id {id}")]
    NotOnPe { id: u16, x: u32, y: u32 },
    /// A stream names a color that routers do not have; they have 0 up to `colors`, not included.
    #[error("{number} is not a color to stream on: colors are 0 to {}", .colors - 1)]
    NotAColor { number: u32, colors: u8 },
    /// A rectangle with a stride of 0.
    #[error("row_stride and col_stride must be 1 or more")]
    NoStride,
    /// A rectangle of 0 columns or rows.
    #[error("a rectangle of {w} x {h} PEs holds nothing")]
    EmptyRectangle { w: u32, h: u32 },
    /// A rectangle that leaves the program's.
    #[error(
        "the rectangle of {} x {} PEs at ({}, {}) reaches outside the program's {} x {} PEs{}",
        .rect.w, .rect.h, .rect.x, .rect.y, .program.width, .program.height,
        if .rect.fits_exchanged(*.program) { "; with width and height exchanged it fits" } else { "" }
    )]
    Outside { rect: Rect, program: Size },
    /// A PE of the rectangle has no program.
    #[error("PE ({x}, {y}) does not exist or runs no program")]
    NoSuchPe { x: u32, y: u32 },
    /// A copy of 0 elements a PE.
    #[error("{method}: a copy of 0 elements moves nothing")]
    NoElements { method: &'static str },
    /// More elements than can be addressed.
    #[error("{method}: {shape} are too many")]
    TooManyElements { method: &'static str, shape: Shape },
    /// The host's array has fewer items than the copy moves.
    #[error("{method}: {shape} are {needed} items, but the host array has {found}")]
    ShortArray { method: &'static str, shape: Shape, needed: usize, found: usize },
    /// A launch names no exported function.
    #[error("no exported function has the id {id}")]
    NoSuchFunction { id: u16 },
    /// A launch with another number of argument words than the function has parameters.
    #[error("the function takes {expected} arguments, {found} are given")]
    Arguments { expected: usize, found: usize },
    /// The run has been stopped.
    #[error("the simulation has stopped")]
    Stopped,
}

/// Names in a message: with commas, or `nothing`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Names {
    /// All that a program exports.
    pub fn exported(image: &Image) -> Names {
        Names(image.exports.iter().map(|export| export.name.clone()).collect())
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "nothing" } else { "" })?;
        f.write_str(&self.0.join(", "))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} PEs with {} elements each", self.w, self.h, self.l)
    }
}
