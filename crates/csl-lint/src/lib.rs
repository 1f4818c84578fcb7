//! Lints: warnings of what works and is unwise, for `waferlab lint`.
//!
//! A lint looks at what the analysis hands on, the trees, the programs' IR and the layout, and is told of what it can be
//! sure of alone: where a program may use something in a way that is not seen here, it is silent. Each is a file of
//! [`lints`] and a row of [`LINTS`]. [`Joint`] joins the findings of several programs that share files.

mod facts;
mod flow;
mod joint;
mod lints;

use csl_diag::{Code, Diagnostic};
use csl_sema::Analysis;

pub use joint::Joint;

use facts::Facts;

/// A lint: its code, what it looks for, and how many programs must have a finding of it.
pub struct Lint {
    pub code: Code,
    pub told: Told,
    run: fn(&Facts<'_>) -> Vec<Diagnostic>,
}

/// The programs that must have a finding, of those that read its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// One is enough: something is there.
    IfAny,
    /// All: something is not used, which another program may use.
    IfAll,
}

/// Every lint, in the order of codes.
pub const LINTS: &[Lint] = &[
    Lint { code: Code::UnusedImport, told: Told::IfAll, run: lints::unused_import::run },
    Lint { code: Code::UnusedFunction, told: Told::IfAll, run: lints::unused_function::run },
    Lint { code: Code::UnusedVariable, told: Told::IfAll, run: lints::unused_variable::run },
    Lint { code: Code::UnusedParam, told: Told::IfAll, run: lints::unused_param::run },
    Lint { code: Code::UnusedQueue, told: Told::IfAll, run: lints::unused_queue::run },
    Lint { code: Code::NeverActivated, told: Told::IfAll, run: lints::never_activated::run },
    Lint { code: Code::UnusedColor, told: Told::IfAll, run: lints::unused_color::run },
    Lint { code: Code::RouteToNowhere, told: Told::IfAll, run: lints::route_to_nowhere::run },
    Lint { code: Code::BlockingDataTask, told: Told::IfAny, run: lints::blocking_data_task::run },
    Lint { code: Code::DivisionInLoop, told: Told::IfAny, run: lints::division_in_loop::run },
    Lint { code: Code::ScalarLoop, told: Told::IfAny, run: lints::scalar_loop::run },
    Lint { code: Code::UnblockedAgain, told: Told::IfAny, run: lints::unblocked_again::run },
];

/// The findings of all lints about a program; none about one with errors.
pub fn lint(analysis: &Analysis) -> Vec<Diagnostic> {
    let Ok(wafer) = &analysis.wafer else { return Vec::new() };
    let facts = Facts::of(analysis, wafer);
    LINTS.iter().flat_map(|lint| (lint.run)(&facts)).collect()
}
