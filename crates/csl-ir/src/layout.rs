//! The layout: which tile runs what, how colors are routed, what the host may name.

use std::sync::Arc;

use csl_diag::Span;

use crate::program::Program;
use crate::types::{Name, Ty, Types};

/// Directions in bit order of the routing registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

    pub fn name(self) -> &'static str {
        ["WEST", "EAST", "SOUTH", "NORTH", "RAMP"][self as usize]
    }
}

/// A set of directions: bit `d` for [`Direction`] `d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DirSet(pub u8);

/// A switch position, as written: the side it does not name stays as the position before has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SwitchPos {
    #[default]
    Invalid,
    Rx(DirSet),
    Tx(DirSet),
    /// Both sides (WSE-3); either may be empty.
    Both(DirSet, DirSet),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PopMode {
    #[default]
    NoPop,
    AlwaysPop,
    PopOnAdvance,
    PopOnAdvanceNop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilterKind {
    Counter,
    SparseCounter,
    Range,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// What `@set_color_config` says of one color at one tile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ColorConfig {
    pub rx: DirSet,
    pub tx: DirSet,
    pub swap_x: bool,
    pub swap_y: bool,
    pub positions: [SwitchPos; 3],
    pub current_pos: u8,
    pub ring_mode: bool,
    pub pop_mode: PopMode,
    pub filter: Option<Filter>,
    pub teardown: bool,
    /// One of the five colors of `<message_passing>`, of which this is the first (WSE-3).
    pub messages: Option<u8>,
}

/// `@export_name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportName {
    pub name: Name,
    pub ty: Ty,
    /// `None` for functions.
    pub mutable: Option<bool>,
    /// The number that the host's `get_id` returns; in order of declaration.
    pub id: u16,
    pub span: Span,
}

/// A route of one color at one tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub x: u32,
    pub y: u32,
    pub color: u8,
    pub config: ColorConfig,
}

/// `len` tiles of row `y` from column `x` on, all with the same program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileRun {
    pub x: u32,
    pub y: u32,
    pub len: u32,
    /// Index in [`Wafer::programs`].
    pub program: u32,
}

/// A whole compiled layout.
#[derive(Clone, Debug)]
pub struct Wafer {
    /// PEs of the program's rectangle.
    pub width: u32,
    pub height: u32,
    pub programs: Vec<Program>,
    pub tiles: Vec<TileRun>,
    /// By program, for each of its tiles (row by row) the values of its [`Program::tile_consts`], in canonical form.
    pub tile_consts: Vec<Vec<u64>>,
    /// Layout routes and those that PE programs set, by tile and color.
    pub routes: Vec<Route>,
    pub exports: Vec<ExportName>,
    /// The pool of the export types.
    pub types: Arc<Types>,
    /// Top-level params of the layout and their values as text, for `out.json`.
    pub params: Vec<(String, String)>,
}
