//! IR to better IR: what an optimising compiler does to a program before its cycles can be counted.
//!
//! The vendor's programs go through LLVM, and people see the cycles of what comes out. So cycles are attached to what these
//! passes leave. Results stay what they were, bit for bit: floats are never reassociated, faults happen where they did, and
//! what other threads and the host see of memory is written when it was.
//!
//! Each pass is a file, and each can be left out ([`Passes`]), which tests use to compare.

mod blocks;
mod cfg;
mod common;
mod dead;
mod divide;
mod dsd;
mod edit;
mod forward;
mod index;
mod inline;
mod pool;
mod select;
mod unroll;
mod values;

use csl_ir::{Func, Program};
use pool::{Around, Pool};

macro_rules! passes {
    ($($(#[doc = $doc:literal])* $pass:ident $name:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Pass { $($(#[doc = $doc])* $pass,)* }

        impl Pass {
            pub const ALL: &[Pass] = &[$(Pass::$pass,)*];

            pub fn name(self) -> &'static str {
                match self { $(Pass::$pass => $name,)* }
            }
        }
    };
}

passes! {
    /// Bodies of small functions in the place of their calls.
    Inline "inline";
    /// Blocks that do nothing, tests of what is known, code that is never reached.
    Blocks "blocks";
    /// Constants and copies, and what follows from them.
    Values "values";
    /// The turns of short loops one after the other.
    Unroll "unroll";
    /// What was stored or loaded is not loaded again.
    Forward "forward";
    /// Branches that only decide what registers hold.
    Select "select";
    /// Division by constants.
    Divide "divide";
    /// Descriptors whose parts are known.
    Dsd "dsd";
    /// What was computed already, and what no turn of a loop changes.
    Common "common";
    /// Addresses that move with the counter of a `for`.
    Index "index";
    /// What nobody looks at.
    Dead "dead";
}

/// Which passes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passes(u32);

impl Default for Passes {
    fn default() -> Passes {
        Passes::ALL
    }
}

impl Passes {
    pub const NONE: Passes = Passes(0);
    pub const ALL: Passes = Passes((1 << Pass::ALL.len()) - 1);

    pub fn has(self, pass: Pass) -> bool {
        self.0 >> pass as u32 & 1 == 1
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, pass: Pass) -> Passes {
        Passes(self.0 | 1 << pass as u32)
    }

    /// These but one.
    #[must_use]
    pub fn without(self, pass: Pass) -> Passes {
        Passes(self.0 & !(1 << pass as u32))
    }

    /// `all`, `none`, or names of passes with commas between them.
    pub fn parse(text: &str) -> Result<Passes, String> {
        match text {
            "all" => Ok(Passes::ALL),
            "none" => Ok(Passes::NONE),
            names => names.split(',').try_fold(Passes::NONE, |passes, name| {
                let pass = Pass::ALL.iter().find(|pass| pass.name() == name);
                pass.map(|&pass| passes.with(pass)).ok_or_else(|| unknown(name))
            }),
        }
    }
}

fn unknown(name: &str) -> String {
    let known: Vec<&str> = Pass::ALL.iter().map(|pass| pass.name()).collect();
    format!("there is no pass `{name}`; there are all, none, {}", known.join(", "))
}

/// Runs the passes over the programs of a wafer, which the validator accepts; it accepts what they leave.
pub fn optimise(programs: &mut [Program], passes: Passes) {
    if passes == Passes::NONE {
        return;
    }
    // Descriptors that the source makes are named by their operations; those that are changed come later.
    let plain = passes.without(Pass::Dsd);
    let mut pool = Pool::of(programs);
    pool.each(programs, |around, func| {
        simplify(around, func, plain);
    });
    if passes.has(Pass::Inline) {
        inline::run(programs, &mut pool);
    }
    if passes.has(Pass::Dead) {
        dead::functions(programs, &mut pool);
    }
    pool.each(programs, |around, func| improve(around, func, passes));
    pool.put_back(programs);
}

fn improve(around: &Around, func: &mut Func, passes: Passes) {
    simplify(around, func, passes.without(Pass::Dsd));
    if passes.has(Pass::Unroll) {
        while unroll::run(func) {
            blocks::run(func);
        }
    }
    // What nothing has changed since it was simplified without effect is simple.
    let mut is_simple = !simplify(around, func, passes);
    let simplify_after = |changed: bool, is_simple: &mut bool, func: &mut Func| {
        *is_simple = *is_simple && !changed || !simplify(around, func, passes);
    };
    if passes.has(Pass::Forward) {
        let changed = forward::run(around, func);
        simplify_after(changed, &mut is_simple, func);
    }
    if passes.has(Pass::Dsd) {
        is_simple &= !dsd::run(around, func);
    }
    if passes.has(Pass::Select) {
        while select::run(around, func) {
            simplify_after(true, &mut is_simple, func);
        }
    }
    if passes.has(Pass::Divide) {
        let changed = divide::run(around, func);
        simplify_after(changed, &mut is_simple, func);
    }
    if passes.has(Pass::Common) {
        let changed = common::run(func);
        simplify_after(changed, &mut is_simple, func);
    }
    if passes.has(Pass::Index) {
        let changed = index::run(func);
        simplify_after(changed, &mut is_simple, func);
    }
}

/// Whether there was something to do.
fn simplify(around: &Around, func: &mut Func, passes: Passes) -> bool {
    // Blocks that were looked at are as they should be until a pass changes something.
    let tidy = |func: &mut Func| passes.has(Pass::Blocks) && blocks::run(func);
    let mut changed = tidy(func);
    if passes.has(Pass::Values) && values::run(around, func, passes) {
        changed = true;
        tidy(func);
    }
    if passes.has(Pass::Dead) && dead::run(around, func) {
        changed = true;
        tidy(func);
    }
    changed
}
