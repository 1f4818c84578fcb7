//! Options and results of an analysis.

use std::sync::Arc;

use csl_diag::{Diagnostics, FileId, Reported, SourceMap, Span};
use csl_ir::Wafer;
use csl_machine::{Arch, Coord, Sdk, Size};
use csl_num::FloatKind;
use csl_syntax::ast;

/// All inputs of an analysis but the sources.
#[derive(Clone, Debug)]
pub struct Options {
    pub arch: Arch,
    /// The 16-bit float type of run-time code.
    pub fp16: FloatKind,
    /// `--params=name:value`; numbers in decimal or with a base prefix.
    pub params: Vec<(String, String)>,
    /// `--colors=name:id`.
    pub colors: Vec<(String, String)>,
    /// Size of the fabric in PEs; `None` takes the fabric that ends where the margins do.
    pub fabric: Option<Size>,
    /// The north-west PE of the program's rectangle.
    pub offsets: Coord,
    /// PEs that stay free east and south of the rectangle.
    pub margins: Size,
    pub memcpy: bool,
    /// The greatest number of iterations of any one `inline` loop.
    pub max_inlined_iterations: Option<u64>,
    /// The greatest number of iterations and calls at comptime between two settings of tiles or routes; a program above
    /// it may never end.
    pub most_steps: u64,
    pub comptime_func_depth_limit: u32,
    /// The release whose rules hold; `None` follows the signs of the generation in the program.
    pub sdk: Option<Sdk>,
    /// Whether code that no program calls is analysed too, for its findings alone: see [`crate::analyze`].
    pub check_all: bool,
    /// Whether tiles share programs where their params allow it. Tests compare with the programs of single tiles.
    pub share_programs: bool,
    /// The number of threads, at most; the analysis is the same on any number.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            arch: Arch::Wse2,
            fp16: FloatKind::F16,
            params: Vec::new(),
            colors: Vec::new(),
            fabric: None,
            offsets: Coord::default(),
            margins: Size::default(),
            memcpy: false,
            max_inlined_iterations: None,
            most_steps: 10_000_000,
            comptime_func_depth_limit: 100,
            sdk: None,
            check_all: false,
            share_programs: true,
            threads: 1,
        }
    }
}

/// The source file of an import.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The path that identifies the file, and its name in diagnostics.
    pub path: String,
    pub text: Arc<str>,
    /// Whether it is a file of the standard library, which may use internal builtins.
    pub is_library: bool,
}

/// The sources of a compilation. The analysis itself reads no file.
pub trait Sources {
    /// Finds `name` as an import in the file `importer` (`None`: the root) means it, or gives the reason why it cannot.
    fn resolve(&mut self, name: &str, importer: Option<&str>) -> Result<Resolved, String>;

    /// The tree of a file. Sources of an editor keep trees from one analysis to the next.
    fn parse(&mut self, id: FileId, file: &Resolved) -> Arc<SourceFile> {
        Arc::new(SourceFile::parse(id, file))
    }
}

/// The outcome of an analysis.
#[derive(Debug)]
pub struct Analysis {
    /// The wafer; without one there are errors among the diagnostics.
    pub wafer: Result<Wafer, Reported>,
    pub sources: SourceMap,
    pub diagnostics: Diagnostics,
    /// The files that were read, as trees, in the order of reading.
    pub files: Vec<Arc<SourceFile>>,
    pub imports: Vec<Import>,
    /// The places of `wafer.routes`, one each.
    pub routes: Vec<Span>,
}

/// A file that another one names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Import {
    /// The `@import_module`, or the `@set_tile_code`.
    pub place: Span,
    pub file: FileId,
    /// Whether the file is named as the program of tiles.
    pub is_program: bool,
}

/// A parsed source file.
#[derive(Debug)]
pub struct SourceFile {
    pub path: String,
    pub ast: ast::File,
    /// The findings of the parser.
    pub findings: Diagnostics,
    pub is_library: bool,
}

impl SourceFile {
    /// Parses a file.
    pub fn parse(id: FileId, file: &Resolved) -> SourceFile {
        let (ast, findings) = csl_syntax::parse(id, &file.text);
        SourceFile { path: file.path.clone(), ast, findings, is_library: file.is_library }
    }
}

impl Options {
    /// Size of the fabric around a rectangle of this size, in PEs.
    pub(crate) fn fabric_around(&self, rectangle: Size) -> Size {
        self.fabric.unwrap_or(rectangle.around(self.offsets, self.margins))
    }
}
