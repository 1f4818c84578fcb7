//! Words what has ended a run: a fault, a deadlock, an interrupt, the limit of cycles.
//!
//! The files of the folder word its parts, and what runs tell besides; source lines are found by the image's line table.

use std::path::Path;

use csl_diag::{Code, Diagnostic, Diagnostics, Rendering, render};
use csl_image::Image;
use csl_sim::RunError;

use blocked::blocked_state;
use excerpts::Excerpts;
use warnings::MORE_CYCLES;

mod blocked;
pub(crate) mod checked;
mod circle;
mod excerpts;
mod fault;
mod lines;
mod names;
mod waiting;
pub(crate) mod warnings;
mod wavelets;

/// The text of a stop, for people.
pub(crate) fn explain(image: &Image, sources: &Path, stop: &RunError, untimed: bool, how: &Rendering) -> String {
    let mut excerpts = Excerpts::of(image, sources);
    let diagnostic = match stop {
        RunError::Fault(report) => fault::fault(&mut excerpts, report),
        RunError::Deadlock(report) => {
            let text = format!("nothing can move any more in cycle {}, and the host still waits", report.cycle);
            blocked_state(&mut excerpts, report, Diagnostic::unplaced(Code::Deadlock, text))
        }
        RunError::Interrupted(report) => {
            let text = format!("the run was interrupted in cycle {}", report.cycle);
            blocked_state(&mut excerpts, report, Diagnostic::unplaced(Code::RunFault, text))
        }
        RunError::OutOfCycles(report) => {
            let text = format!("the run was ended in cycle {}: it may take no more ({MORE_CYCLES})", report.cycle);
            blocked_state(&mut excerpts, report, Diagnostic::unplaced(Code::RunFault, text))
        }
    };
    let diagnostic = if untimed { diagnostic.note(NO_CLOCK) } else { diagnostic };
    let mut list = Diagnostics::new();
    list.push(excerpts.name_changed(diagnostic));
    render(&excerpts.map, &list, how)
}

/// What has ended a run, the same for all PEs and cycles in which it may happen.
pub(crate) fn event(image: &Image, sources: &Path, stop: &RunError) -> String {
    match stop {
        RunError::Fault(report) => fault::event(&mut Excerpts::of(image, sources), report),
        RunError::Deadlock(_) => "nothing can move any more, and the host still waits".to_owned(),
        RunError::Interrupted(_) => "the run was interrupted".to_owned(),
        RunError::OutOfCycles(_) => "the run may take no more cycles".to_owned(),
    }
}

/// What cycles are in a run without a clock.
const NO_CLOCK: &str =
    "the run has no clock: a cycle is one of a PE's own count, and those of two PEs say nothing of each other";
