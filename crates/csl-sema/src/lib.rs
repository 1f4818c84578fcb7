//! Semantic analysis: names, modules, comptime evaluation, types, generics, pruning, layout. AST in, IR out.
//!
//! One pass evaluates, checks and prunes: a branch that is not taken at comptime is not looked at. An
//! expression evaluates to an [`operand::Operand`], which is a comptime value or a place at run time; whether
//! code runs now or is emitted depends on the frame it is evaluated in ([`context::Mode`]).

mod aggregate;
mod assembly;
mod bits;
mod builtins;
mod call;
mod coerce;
mod context;
mod control;
mod convert;
mod emit;
mod expr;
mod global;
mod layout;
mod linkage;
mod loops;
mod module;
mod operand;
mod operator;
mod options;
mod packed;
mod place;
mod program;
mod sharing;
mod stmt;
mod switch;
mod typexpr;
mod unit;
mod value;
mod walk;

pub use assembly::{Assembly, Kind, ParamValue};
pub use builtins::names as builtin_names;
pub use options::{Analysis, Options, Resolved, Sources};

/// Analyses the program whose layout is the file `root`.
pub fn analyze(root: &str, sources: &mut dyn Sources, options: &Options) -> Analysis {
    let mut sema = context::Sema::new(sources, options);
    let wafer = sema.run(root);
    sema.finish(wafer)
}

/// Analyses the programs of a layout that is not written in CSL.
pub fn assemble(assembly: &Assembly, sources: &mut dyn Sources, options: &Options) -> Analysis {
    let mut sema = context::Sema::new(sources, options);
    let wafer = sema.run_assembly(assembly);
    sema.finish(wafer)
}
