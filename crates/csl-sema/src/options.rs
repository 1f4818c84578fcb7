//! What a compilation is given.

use std::sync::Arc;

use csl_diag::{Diagnostics, Reported, SourceMap};
use csl_ir::Wafer;
use csl_machine::{Arch, Sdk};
use csl_num::FloatKind;

/// Everything but the sources.
#[derive(Clone, Debug)]
pub struct Options {
    pub arch: Arch,
    /// The one 16-bit float of run-time code.
    pub fp16: FloatKind,
    /// `--params=name:value`; numbers in decimal or with a base prefix.
    pub params: Vec<(String, String)>,
    /// `--colors=name:id`.
    pub colors: Vec<(String, String)>,
    /// Width and height of the fabric in PEs; left out, it ends where the margins do.
    pub fabric: Option<(u32, u32)>,
    /// Where the program's rectangle begins.
    pub offsets: (u32, u32),
    /// PEs that stay free east and south of the rectangle.
    pub margins: (u32, u32),
    pub memcpy: bool,
    /// Iterations of any one `inline` loop.
    pub max_inlined_iterations: Option<u64>,
    /// Iterations and calls at comptime without a tile or a route being set: what is above them may never end.
    pub most_steps: u64,
    pub comptime_func_depth_limit: u32,
    /// Overrides what the program itself gives away of its generation.
    pub sdk: Option<Sdk>,
    /// Tiles share programs where their params allow it. Tests compare with the programs of single tiles.
    pub share_programs: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            arch: Arch::Wse2,
            fp16: FloatKind::F16,
            params: Vec::new(),
            colors: Vec::new(),
            fabric: None,
            offsets: (0, 0),
            margins: (0, 0),
            memcpy: false,
            max_inlined_iterations: None,
            most_steps: 10_000_000,
            comptime_func_depth_limit: 100,
            sdk: None,
            share_programs: true,
        }
    }
}

/// A source that was found.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// What identifies it, and what diagnostics call it.
    pub path: String,
    pub text: Arc<str>,
    /// A file of the standard library, which may use internal builtins.
    pub is_library: bool,
}

/// Where sources come from. Analysis itself touches no file.
pub trait Sources {
    /// Finds `name` as an import in the file `importer` means it (`None`: the root), or says why not.
    fn resolve(&mut self, name: &str, importer: Option<&str>) -> Result<Resolved, String>;
}

/// What came of a compilation.
#[derive(Debug)]
pub struct Analysis {
    /// Without one there are errors among the diagnostics.
    pub wafer: Result<Wafer, Reported>,
    pub sources: SourceMap,
    pub diagnostics: Diagnostics,
}

impl Options {
    /// Width and height of the fabric around a rectangle of this size, in PEs.
    pub(crate) fn fabric_around(&self, (width, height): (u32, u32)) -> (u32, u32) {
        let (x, y) = self.offsets;
        self.fabric.unwrap_or((x + width + self.margins.0, y + height + self.margins.1))
    }
}
