//! Where programs run and how colors are routed.

use serde::{Deserialize, Serialize};

/// [`csl_machine::Arch`], as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arch {
    Wse2,
    Wse3,
}

impl From<csl_machine::Arch> for Arch {
    fn from(arch: csl_machine::Arch) -> Arch {
        match arch {
            csl_machine::Arch::Wse2 => Arch::Wse2,
            csl_machine::Arch::Wse3 => Arch::Wse3,
        }
    }
}

impl From<Arch> for csl_machine::Arch {
    fn from(arch: Arch) -> csl_machine::Arch {
        match arch {
            Arch::Wse2 => csl_machine::Arch::Wse2,
            Arch::Wse3 => csl_machine::Arch::Wse3,
        }
    }
}

/// A release of the vendor's SDK: 1.4 is `{ major: 1, minor: 4 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sdk {
    pub major: u16,
    pub minor: u16,
}

/// PEs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// Column and row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub x: u32,
    pub y: u32,
}

/// `--memcpy` and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memcpy {
    /// 1 to 16.
    pub channels: u8,
    /// Columns of buffer PEs at each side.
    pub west_buffer: u32,
    pub east_buffer: u32,
}

/// `len` tiles of row `y` from column `x` on, all with the same program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TileRun {
    pub x: u32,
    pub y: u32,
    pub len: u32,
    /// Index in [`crate::Image::programs`].
    pub program: u32,
}

/// One color routed in the same way at `len` tiles of row `y` from column `x` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRun {
    pub x: u32,
    pub y: u32,
    pub len: u32,
    pub color: u8,
    /// Index in [`crate::Image::color_configs`].
    pub config: u32,
}

/// Where a patch goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PatchTarget {
    /// Byte address, and width in bytes: 1, 2, 4 or 8.
    Memory { addr: u16, bytes: u8 },
    /// A constant of the tile's code ([`crate::PeImage::tile_consts`]).
    Const(u16),
}

/// A value of a run of tiles that is not their program's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    pub x: u32,
    pub y: u32,
    pub len: u32,
    pub target: PatchTarget,
    pub values: PatchValues,
}

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

/// Directions: bit 0 west, 1 east, 2 south, 3 north, 4 ramp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DirSet(pub u8);

/// A switch position, as written: the side it does not name stays as the position before has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SwitchPos {
    #[default]
    Invalid,
    Rx(DirSet),
    Tx(DirSet),
    Both(DirSet, DirSet),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PopMode {
    #[default]
    NoPop,
    AlwaysPop,
    PopOnAdvance,
    PopOnAdvanceNop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FilterKind {
    Counter,
    SparseCounter,
    Range,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Filter {
    pub kind: FilterKind,
    pub count_data: bool,
    pub count_control: bool,
    pub filter_control: bool,
    pub fast_mode: bool,
    pub init_counter: u16,
    pub limit1: u16,
    pub limit2: Option<u16>,
    pub max_counter: u16,
    pub min_idx: u16,
    pub max_idx: u16,
}

/// The configuration of one color at one tile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColorConfig {
    pub rx: DirSet,
    pub tx: DirSet,
    pub swap_x: bool,
    pub swap_y: bool,
    /// Positions 1, 2 and 3.
    pub positions: [SwitchPos; 3],
    pub current_pos: u8,
    pub ring_mode: bool,
    pub pop_mode: PopMode,
    pub filter: Option<Filter>,
    pub teardown: bool,
    /// One of the five colors of `<message_passing>`, of which this is the first (WSE-3).
    pub messages: Option<u8>,
}

/// A name that the host may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    pub name: String,
    /// What `get_id` returns.
    pub id: u16,
    /// The type as CSL writes it.
    pub ty: String,
    pub kind: ExportKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportKind {
    /// An array or pointer whose elements take so many bytes.
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
    /// As CSL writes it.
    pub name: String,
    /// Bytes: 0 for types that have no size.
    pub bytes: u8,
    pub is_float: bool,
    pub is_signed: bool,
}
