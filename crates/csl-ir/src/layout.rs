//! The layout: which tile runs what, how colors are routed, what the host may name.

use std::sync::Arc;

use csl_diag::Span;
use csl_machine::{ColorConfig, TileRun};

use crate::program::Program;
use crate::types::{Name, Ty, Types};

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
