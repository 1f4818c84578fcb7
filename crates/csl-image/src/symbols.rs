//! Names and lines, for the host and for diagnostics.

use serde::{Deserialize, Serialize};

/// An object in a PE's memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    pub name: String,
    /// Byte address.
    pub addr: u16,
    /// Bytes.
    pub size: u32,
    /// The type as CSL writes it.
    pub ty: String,
    /// Made by the compiler; not for symbol lists.
    pub is_hidden: bool,
}

/// From instruction `pc` on, the source is at this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub pc: u32,
    /// Index in [`crate::Image::files`].
    pub file: u32,
    /// From 1.
    pub line: u32,
    pub column: u32,
    /// The call whose place this has taken, in [`crate::PeImage::inlined`].
    pub call: Option<u32>,
}

/// A call that is not made: the callee's body stands in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inlined {
    /// The callee.
    pub func: String,
    /// The call. Its own `call`, if any, stands before this in the list.
    pub at: Line,
}

/// `@export_symbol`: what a name of the layout is on this PE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedSymbol {
    pub name: String,
    pub id: u16,
    pub what: Exported,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exported {
    /// Index in [`crate::PeImage::symbols`].
    Symbol(u32),
    /// Index in [`crate::PeImage::funcs`].
    Func(u16),
}
