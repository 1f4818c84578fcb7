//! The layout: programs of tiles, routes of colors, exports.

use std::sync::Arc;

use csl_diag::Span;
use csl_machine::{Color, ColorConfig, ProgramId, Size, TileRun};

use crate::program::Program;
use crate::types::{Name, Ty, Types};

/// An `@export_name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportName {
    pub name: Name,
    pub ty: Ty,
    /// Whether the host may write the data; `None` for functions.
    pub mutable: Option<bool>,
    /// The id that the host's `get_id` returns; ids are in order of declaration.
    pub id: u16,
    pub span: Span,
}

/// A route of one color at one tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub x: u32,
    pub y: u32,
    pub color: Color,
    /// The configuration, shared by routes that are alike.
    pub config: Arc<ColorConfig>,
}

/// A whole compiled layout.
#[derive(Clone, Debug)]
pub struct Wafer {
    /// Size of the program's rectangle.
    pub size: Size,
    pub programs: Vec<Program>,
    pub tiles: Vec<TileRun>,
    /// The values of [`Program::tile_consts`], in canonical form: by program, for each of its tiles (row by row).
    pub tile_consts: Vec<Vec<u64>>,
    /// The routes of the layout and of PE programs, by tile and color.
    pub routes: Vec<Route>,
    pub exports: Vec<ExportName>,
    /// The pool of the export types.
    pub types: Arc<Types>,
    /// Top-level params of the layout and their values as text, for `out.json`.
    pub params: Vec<(String, String)>,
}

impl Wafer {
    /// One PE that runs the program, without routes.
    pub fn of_one(program: Program) -> Wafer {
        Wafer {
            size: Size { width: 1, height: 1 },
            programs: vec![program],
            tiles: vec![TileRun { x: 0, y: 0, len: 1, program: ProgramId::new(0) }],
            tile_consts: vec![Vec::new()],
            routes: Vec::new(),
            exports: Vec::new(),
            types: Arc::new(Types::new()),
            params: Vec::new(),
        }
    }
}
