//! Semantic analysis: names, modules, comptime evaluation, types, generics, pruning, layout. AST in, IR out.
//!
//! One pass evaluates, checks and prunes: a branch that is not taken at comptime is not evaluated. An expression
//! evaluates to an [`operand::Operand`], which is a comptime value or a place at run time. Types decide what is legal
//! where:
//!
//! - An analysis ([`context::Sema`]) holds what the whole compilation shares.
//! - A unit ([`unit::Unit`]) is a layout or the program of one kind of PE; the state that only one of them has stands
//!   in its [`unit::UnitKind`].
//! - A frame ([`context::Frame`]) is comptime or run-time ([`context::Mode`]); only a run-time frame has a body to emit
//!   into, which [`context::Sema::code`] hands out.
//! - An evaluation that stops for an error has reported it ([`context::Stop::Error`] holds the proof), and so has an
//!   analysis without a wafer.
//!
//! Each file has one job:
//!
//! - [`expr`] evaluates expressions. [`place`] says which place an expression names; [`part`], [`access`] and
//!   [`address`] take parts, read and write, and point.
//! - [`coerce`] and [`convert`] convert unasked and asked.
//! - [`control`], [`loops`] and [`switch`] run in a comptime frame, and emit in a run-time frame.
//! - [`call`] has the three ways of a call, [`instance`] the functions that a call makes.
//! - [`module`] and [`global`] evaluate the top level on demand; [`storage`] and [`lower`] give globals memory and
//!   bytes.
//! - [`uncalled`] looks into code that no program calls, where that is asked for.
//! - [`layout`] evaluates the layout, with [`repeat`] for the iterations of its loops that are alike, and makes the
//!   programs of the PEs, which [`program`] assembles and [`sharing`] shares. [`answers`] says what is alike; [`ahead`] uses
//!   several threads. [`command_line`] has the values of its params; [`route_warnings`] looks at its routes.
//! - [`record`] notes the types and values of names, where an editor asks for them.

mod access;
mod address;
mod aggregate;
mod ahead;
mod answers;
mod assembly;
mod bits;
mod builtins;
mod call;
mod coerce;
mod command_line;
mod context;
mod control;
mod convert;
mod emit;
mod expr;
mod function;
mod global;
mod instance;
mod layout;
mod linkage;
mod loops;
mod lower;
mod mend;
mod module;
mod operand;
mod operator;
mod opnd;
mod options;
mod order;
mod packed;
mod packed_sends;
mod part;
mod pe;
mod place;
mod program;
mod record;
mod repeat;
mod route_warnings;
mod shared_input;
mod sharing;
mod stmt;
mod storage;
mod suggest;
mod switch;
mod tensor;
mod typexpr;
mod unbound_activations;
mod uncalled;
mod unit;
mod value;
mod wide;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use assembly::{Assembly, Kind, ParamValue};
pub use builtins::{BuiltinGroup, BuiltinPage, names as builtin_names, pages as builtin_pages};
pub use options::{Analysis, Import, Options, Resolved, SourceFile, Sources};
pub use record::{Fact, Observation, Part};
pub use suggest::closest;

/// Analyses the program whose layout is the file `root`.
///
/// Evaluation is lazy: declarations that nothing uses are not looked into. With [`Options::check_all`] they are, when the
/// programs are made, and only their findings are kept: the wafer is the same.
pub fn analyze(root: &str, sources: &mut dyn Sources, options: &Options) -> Analysis {
    let mut sema = context::Sema::new(sources, options);
    let wafer = sema.run(root);
    let wafer = sema.whole(wafer, None);
    sema.finish(wafer)
}

/// Analyses the programs of a layout that is not written in CSL.
pub fn assemble(assembly: &Assembly, sources: &mut dyn Sources, options: &Options) -> Analysis {
    let mut sema = context::Sema::new(sources, options);
    let wafer = sema.run_assembly(assembly);
    let wafer = sema.whole(wafer, None);
    sema.finish(wafer)
}

/// The parts of a program that an editor asks about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// The program whose layout is this file.
    Root(&'a str),
    Assembly(&'a Assembly),
}

/// Analyses with a record of names. Once `stop` is set, the analysis ends soon, with an error.
pub fn observe(
    subject: Subject<'_>,
    sources: &mut dyn Sources,
    options: &Options,
    stop: Arc<AtomicBool>,
) -> Observation {
    let mut sema = context::Sema::new(sources, options);
    sema.record = Some(Box::new(record::Record::new(stop)));
    let wafer = match subject {
        Subject::Root(root) => sema.run(root),
        Subject::Assembly(assembly) => sema.run_assembly(assembly),
    };
    let wafer = sema.whole(wafer, None);
    let record = sema.record.take().map(|record| *record).unwrap_or_default();
    let types = sema.types.clone();
    Observation::new(sema.finish(wafer), types, record)
}
