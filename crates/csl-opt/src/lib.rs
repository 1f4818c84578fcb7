//! The optimiser: rewrites the IR before cycles are attached to it.
//!
//! The vendor's programs go through LLVM, and users see the cycles of the result. So cycles are attached to the IR
//! after these passes. Results stay the same bit for bit: floats are never reassociated, faults happen where they did,
//! and memory that other threads and the host can see is written when it was.
//!
//! Each pass is a file, and each can be left out ([`Passes`]), so that tests can compare.

mod blocks;
mod cfg;
mod common;
mod dead;
mod divide;
mod dsd;
mod edit;
mod fixed;
mod forward;
mod index;
mod inline;
mod pool;
mod scalars;
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
    /// Takes variables that nothing writes as constants.
    Fixed "fixed";
    /// Replaces calls of small functions by their bodies.
    Inline "inline";
    /// Removes empty blocks, tests of known values, and unreachable code.
    Blocks "blocks";
    /// Propagates constants and copies, and folds.
    Values "values";
    /// Unrolls short loops.
    Unroll "unroll";
    /// Keeps the parts of local structs and arrays in registers.
    Scalars "scalars";
    /// Forwards stored and loaded values to later loads.
    Forward "forward";
    /// Turns branches that only choose values into selections.
    Select "select";
    /// Simplifies division by constants.
    Divide "divide";
    /// Makes constants of descriptors with known parts.
    Dsd "dsd";
    /// Removes common subexpressions, and moves loop invariants out of loops.
    Common "common";
    /// Steps addresses with the counter of a `for`.
    Index "index";
    /// Removes dead code.
    Dead "dead";
}

/// The set of passes that run.
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

    /// The set with one more pass.
    #[must_use]
    pub fn with(self, pass: Pass) -> Passes {
        Passes(self.0 | 1 << pass as u32)
    }

    /// The set without one pass.
    #[must_use]
    pub fn without(self, pass: Pass) -> Passes {
        Passes(self.0 & !(1 << pass as u32))
    }

    /// Parses `all`, `none`, or names of passes with commas between them.
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

/// Runs the passes over the programs of a wafer, on up to `threads` threads; the result is the same on any number. The
/// validator accepts the programs before and after.
pub fn optimise(programs: &mut [Program], passes: Passes, threads: usize) {
    if passes == Passes::NONE {
        return;
    }
    // Operations name the descriptors that the source makes; changed descriptors come later.
    let plain = passes.without(Pass::Dsd);
    let fixed = if passes.has(Pass::Fixed) { fixed::of_programs(programs) } else { vec![Vec::new(); programs.len()] };
    let mut pool = Pool::of(programs, fixed);
    pool.each(programs, threads, |around, func| {
        fixed::run(around, func);
        simplify(around, func, plain);
    });
    if passes.has(Pass::Inline) {
        inline::run(programs, &mut pool);
    }
    if passes.has(Pass::Dead) {
        dead::functions(programs, &mut pool);
    }
    pool.each(programs, threads, |around, func| improve(around, func, passes));
    pool.put_back(programs);
}

fn improve(around: &Around, func: &mut Func, passes: Passes) {
    simplify(around, func, passes.without(Pass::Dsd));
    let scalars = |func: &mut Func| {
        if passes.has(Pass::Scalars) && scalars::run(func) {
            if passes.has(Pass::Fixed) {
                fixed::run(around, func);
            }
            simplify(around, func, passes.without(Pass::Dsd));
        }
    };
    scalars(func);
    if passes.has(Pass::Unroll) {
        while unroll::run(func) {
            blocks::run(func);
        }
        scalars(func);
    }
    // A function that nothing has changed since `simplify` found nothing is simple.
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
    let select = |is_simple: &mut bool, func: &mut Func| {
        while passes.has(Pass::Select) && select::run(around, func) {
            simplify_after(true, is_simple, func);
        }
    };
    select(&mut is_simple, func);
    if passes.has(Pass::Divide) {
        let changed = divide::run(around, func);
        simplify_after(changed, &mut is_simple, func);
    }
    if passes.has(Pass::Common) {
        let changed = common::run(func);
        simplify_after(changed, &mut is_simple, func);
        // Accesses to one element have one address now.
        if passes.has(Pass::Forward) {
            let changed = forward::run(around, func);
            simplify_after(changed, &mut is_simple, func);
            select(&mut is_simple, func);
        }
    }
    if passes.has(Pass::Index) {
        let changed = index::run(func);
        simplify_after(changed, &mut is_simple, func);
    }
}

/// Runs the cheap passes until nothing changes; whether anything changed.
fn simplify(around: &Around, func: &mut Func, passes: Passes) -> bool {
    let mut changed = passes.has(Pass::Blocks) && blocks::run(func);
    let again = |func: &mut Func| {
        if passes.has(Pass::Blocks) {
            blocks::run_again(func);
        }
    };
    if passes.has(Pass::Values) && values::run(around, func, passes) {
        changed = true;
        again(func);
    }
    if passes.has(Pass::Dead) && dead::run(around, func) {
        changed = true;
        again(func);
    }
    changed
}
