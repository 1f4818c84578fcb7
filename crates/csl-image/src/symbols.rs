//! Names and lines, for the host and for diagnostics.

use serde::{Deserialize, Serialize};

/// An object in a PE's memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    pub name: String,
    /// Byte address.
    pub addr: u16,
    /// Size in bytes.
    pub size: u32,
    /// The type as CSL writes it.
    pub ty: String,
    /// Whether the compiler made the object; such objects are left out of symbol lists.
    pub is_hidden: bool,
    /// Whether the program gives the object no initial value: its memory holds anything until it is written.
    pub is_undefined: bool,
}

/// Addresses of objects that the compiler has put into code and memory, for checks of bounds. An address that has been
/// computed may lie outside the object that it is meant to lie in; these tables say which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointers {
    /// Instructions that make or use an address, by `pc`.
    pub code: Vec<Pointer>,
    /// Byte addresses of pointers and DSDs in initialised memory, and the symbol that they point to. By address.
    pub memory: Vec<(u16, u32)>,
    /// Loads of which the program reads no bit, by `pc`: a store behind them changes some, and keeps the others.
    pub kept: Vec<u32>,
}

/// An instruction that makes or uses an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    pub pc: u32,
    /// An index in [`crate::PeImage::symbols`].
    pub object: u32,
    /// The number of values that the instruction's index may have; 0 where the object alone is the limit.
    pub values: u16,
}

/// The source place of the instructions from `pc` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub pc: u32,
    /// Index in [`crate::Image::files`].
    pub file: u32,
    /// The line, counted from 1.
    pub line: u32,
    pub column: u32,
    /// The inlined call that the instructions belong to, in [`crate::PeImage::inlined`].
    pub call: Option<u32>,
}

/// An inlined call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inlined {
    /// The callee.
    pub func: String,
    /// The place of the call. Its own `call`, if any, stands before this one in the list.
    pub at: Line,
}

/// `@export_symbol`: the object of this PE that a name of the layout refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedSymbol {
    pub name: String,
    pub id: u16,
    pub what: Exported,
}

/// The thing that an exported name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exported {
    /// Index in [`crate::PeImage::symbols`].
    Symbol(u32),
    /// Index in [`crate::PeImage::funcs`].
    Func(u16),
}
