//! The stable text form of the IR, for `--emit=ir` and `--emit=layout`.

use crate::layout::Wafer;
use crate::program::Program;

/// All of one PE program.
pub fn dump_program(program: &Program) -> String {
    program.name.clone()
}

/// Tiles, routes and exports.
pub fn dump_layout(wafer: &Wafer) -> String {
    format!("{}x{}", wafer.width, wafer.height)
}
