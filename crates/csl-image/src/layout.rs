//! The layout of an image: the programs of tiles, the routes of colors, exports.

use csl_machine::Color;
use serde::{Deserialize, Serialize};

/// The options of memcpy: `--memcpy` and its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memcpy {
    /// The number of I/O channels, 1 to 16.
    pub channels: u8,
    /// Columns of buffer PEs at each side.
    pub west_buffer: u32,
    pub east_buffer: u32,
}

/// One color routed in the same way at `len` tiles of row `y` from column `x` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRun {
    pub x: u32,
    pub y: u32,
    pub len: u32,
    pub color: Color,
    /// Index in [`crate::Image::color_configs`].
    pub config: u32,
}

/// The target of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PatchTarget {
    /// Byte address, and width in bytes: 1, 2, 4 or 8.
    Memory { addr: u16, bytes: u8 },
    /// A constant of the tile's code ([`crate::PeImage::tile_consts`]).
    Const(u16),
}

/// A value of a run of tiles that differs from their program's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    pub x: u32,
    pub y: u32,
    pub len: u32,
    pub target: PatchTarget,
    pub values: PatchValues,
}

/// The values of a patch, by tile of its run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PatchValues {
    Constant(u64),
    /// `first + step * k` for the run's tile `k`, wrapping to 64 bits.
    Linear {
        first: u64,
        step: u64,
    },
    Table(Vec<u64>),
}

/// A name that the host may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    pub name: String,
    /// The id that `get_id` returns.
    pub id: u16,
    /// The type as CSL writes it.
    pub ty: String,
    pub kind: ExportKind,
}

/// The kinds of exports: data and functions, each with its type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportKind {
    /// An array or pointer, with the size of an element in bytes.
    Data {
        mutable: bool,
        elem_bytes: u8,
        is_float: bool,
        is_signed: bool,
    },
    Function {
        params: Vec<ParamType>,
    },
}

/// A parameter of a function that the host launches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamType {
    /// The type as CSL writes it.
    pub name: String,
    /// Size in bytes; 0 for types that have no size.
    pub bytes: u8,
    pub is_float: bool,
    pub is_signed: bool,
}
