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
mod select;
mod unroll;
mod values;

use csl_ir::{Func, Program};

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

/// Runs the passes over a program that the validator accepts; it accepts what they leave.
pub fn optimise(program: &mut Program, passes: Passes) {
    if passes == Passes::NONE {
        return;
    }
    // Descriptors that the source makes are named by their operations; those that are changed come later.
    let plain = passes.without(Pass::Dsd);
    each(program, |program, func| simplify(program, func, plain));
    if passes.has(Pass::Inline) {
        inline::run(program);
    }
    if passes.has(Pass::Dead) {
        dead::functions(program);
    }
    each(program, |program, func| {
        simplify(program, func, plain);
        if passes.has(Pass::Unroll) {
            while unroll::run(func) {
                blocks::run(func);
            }
        }
        simplify(program, func, passes);
        if passes.has(Pass::Forward) {
            forward::run(program, func);
            simplify(program, func, passes);
        }
        if passes.has(Pass::Dsd) {
            dsd::run(program, func);
        }
        if passes.has(Pass::Select) {
            while select::run(program, func) {
                simplify(program, func, passes);
            }
        }
        if passes.has(Pass::Divide) {
            divide::run(program, func);
            simplify(program, func, passes);
        }
        if passes.has(Pass::Common) {
            common::run(func);
            simplify(program, func, passes);
        }
        if passes.has(Pass::Index) {
            index::run(func);
            simplify(program, func, passes);
        }
    });
}

/// Runs a pass over each function, while the rest of the program stands for looking up.
fn each(program: &mut Program, pass: impl Fn(&Program, &mut Func)) {
    let mut funcs = std::mem::take(&mut program.funcs);
    funcs.iter_mut().for_each(|func| pass(program, func));
    program.funcs = funcs;
}

fn simplify(program: &Program, func: &mut Func, passes: Passes) {
    if passes.has(Pass::Blocks) {
        blocks::run(func);
    }
    if passes.has(Pass::Values) {
        values::run(program, func, passes);
    }
    if passes.has(Pass::Blocks) {
        blocks::run(func);
    }
    if passes.has(Pass::Dead) {
        dead::run(program, func);
    }
    if passes.has(Pass::Blocks) {
        blocks::run(func);
    }
}
