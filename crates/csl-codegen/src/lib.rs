//! The code generator: IR to image, with memory, registers, instructions, and the tables around them.
//!
//! Cycles are counted on the IR (`cost.rs`, `flow.rs`) before anything is folded or fused (`plan.rs`, `fuse.rs`), so that no
//! optimisation changes a count.

mod context;
mod cost;
mod flow;
mod func;
mod fuse;
mod layout;
mod lines;
mod listing;
mod memory;
mod patches;
mod plan;
mod program;
mod regs;
mod rows;
mod select;

pub use listing::{list_image, list_program};

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Diagnostics, SourceMap};
use csl_image::{Image, Memcpy, Origin};
use csl_ir::{Wafer, threads};
use csl_machine::{Coord, Size};

/// The options of the command line for an image.
#[derive(Clone, Debug)]
pub struct Options {
    /// Columns and rows of the whole fabric, and the coordinates of the program's rectangle in it.
    pub fabric: Size,
    pub offset: Coord,
    pub memcpy: Option<Memcpy>,
    /// Link sections with a start address in bytes.
    pub sections: Vec<(String, u16)>,
    /// The number of threads, at most; the image is the same on any number.
    pub threads: usize,
}

/// Translates a layout and its programs.
pub fn generate(wafer: &Wafer, sources: &SourceMap, options: &Options) -> Result<Image, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut lines = lines::Lines::new(sources);
    let drafts = func::Drafts::of(&wafer.programs, options.threads);
    let work = wafer.programs.iter().flat_map(|program| &program.funcs).map(|func| func.instructions()).sum();
    let translated =
        threads::map(wafer.programs.iter().collect(), threads::threads_for(work, options.threads), |program| {
            checked(program).and_then(|()| program::translate(program, options, &drafts))
        });
    let mut programs = Vec::new();
    let mut places = Vec::new();
    for (program, translated) in wafer.programs.iter().zip(translated) {
        match translated.and_then(|translated| program::finish(translated, &mut lines)) {
            Ok((image, addrs)) => {
                programs.push(Arc::new(image));
                places.push(patches::places(program, &addrs));
            }
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let (routes, color_configs) = layout::routes(&wafer.routes);
    Ok(Image {
        origin: Origin::default(),
        arch: program::arch(&wafer.programs),
        sdk: program::release(&wafer.programs),
        fabric: options.fabric,
        offset: options.offset,
        rect: wafer.size,
        memcpy: options.memcpy,
        programs,
        tiles: layout::tiles(wafer),
        routes,
        color_configs,
        patches: patches::patches(wafer, &places),
        exports: layout::exports(&wafer.exports, &wafer.types),
        params: wafer.params.clone(),
        files: lines.files(),
    })
}

/// Checks a program against the IR's contract: a violation is a defect of the compiler, which it reports.
fn checked(program: &csl_ir::Program) -> Result<(), Diagnostic> {
    csl_ir::validate(program).map_err(|invalid| {
        let message = format!("internal error: invalid IR in '{}' of {}: {}", invalid.func, program.name, invalid.what);
        Diagnostic::unplaced(Code::NotImplemented, message)
    })
}
