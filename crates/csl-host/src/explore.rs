//! `waferlab explore`: runs a program by one schedule after another and compares what it computes. Orders and delays that
//! the machine leaves open differ between schedules, so results that differ are races.

use std::collections::BTreeSet;

use csl_image::ExportKind;
use csl_machine::Coord;
use csl_sim::Ending;

use crate::batch::{self, Array, FileCopy, Step};
use crate::error::HostError;
use crate::runtime::Runtime;

/// The result of a run: the arrays that it gave and its end.
#[derive(Debug)]
pub struct Outcome {
    /// The symbols and what all PEs of the copy held, of shape (rows, columns, elements), in the order of the steps; all up
    /// to the failure, where there was one.
    pub arrays: Vec<(FileCopy, Array)>,
    /// How the run ended.
    pub end: End,
    /// The mistakes that checked PEs have told of.
    pub mistakes: BTreeSet<String>,
}

/// How a run ended, without what another schedule changes in any case: the cycle, and which of several PEs was first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Every launched function has ended.
    Complete,
    /// A launched function has not ended and never will.
    Waiting,
    /// A launched function was still busy where the run was cut off.
    Busy,
    /// The run has failed: the event in a line, such as `division by zero, pe.csl:12`.
    Failed(String),
}

/// The first difference between two outcomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// Other elements of a symbol.
    Elements {
        /// The exported name.
        symbol: String,
        /// The first element that differs: its PE, its number there, its value before and now.
        at: Coord,
        /// Its number on the PE, from 0.
        element: usize,
        /// The two values.
        values: [String; 2],
        /// The number of elements that differ, and that of PEs with such.
        elements: usize,
        /// PEs with such elements.
        pes: usize,
    },
    /// An array that one of two runs did not give, or that has another shape; its symbol.
    Array(String),
    /// Another end of the run.
    End([End; 2]),
}

/// Does the steps of a run and gathers what it gives: the symbols of its `--d2h`, or where it has none every exported
/// symbol. Nothing is written to files. An error of the run is part of its outcome.
///
/// # Errors
/// Those of copies and launches that no schedule changes: files and names.
pub fn outcome(runtime: &mut Runtime, steps: &[Step]) -> Result<Outcome, HostError> {
    let mut outcome = Outcome { arrays: Vec::new(), end: End::Complete, mistakes: BTreeSet::new() };
    outcome.end = match gather(runtime, steps, &mut outcome.arrays) {
        Ok(Ending::Complete | Ending::Drained { .. }) => End::Complete,
        Ok(Ending::Waiting) => End::Waiting,
        Ok(Ending::CutOff { .. }) => End::Busy,
        Err(HostError::Failed { event, .. }) => End::Failed(event),
        Err(error) => return Err(error),
    };
    outcome.mistakes = runtime.take_warnings().into_iter().filter(|warning| warning.starts_with("check: ")).collect();
    Ok(outcome)
}

fn gather(runtime: &mut Runtime, steps: &[Step], arrays: &mut Vec<(FileCopy, Array)>) -> Result<Ending, HostError> {
    runtime.load()?;
    runtime.run()?;
    for step in steps {
        match step {
            Step::H2d(copy) => batch::h2d(runtime, copy).map(drop)?,
            Step::Launch { function, arguments } => batch::launch(runtime, function, arguments).map(drop)?,
            Step::D2h(copy) => arrays.push((copy.clone(), batch::fetch(runtime, copy)?.0)),
        }
    }
    if !steps.iter().any(|step| matches!(step, Step::D2h(_))) {
        for copy in exported_symbols(runtime) {
            match batch::fetch(runtime, &copy) {
                Ok((array, _)) => arrays.push((copy, array)),
                Err(error @ (HostError::Failed { .. } | HostError::Interrupted { .. })) => return Err(error),
                // A pointer that leads to no object has no extent to copy.
                Err(_) => {}
            }
        }
    }
    runtime.stop()
}

fn exported_symbols(runtime: &Runtime) -> Vec<FileCopy> {
    let exports = runtime.image().exports.iter();
    let data = exports.filter(|export| matches!(export.kind, ExportKind::Data { .. }));
    let copy =
        |name: &str| FileCopy { symbol: name.to_owned(), file: "-".into(), item: None, per_pe: None, rect: None };
    data.map(|export| copy(&export.name)).collect()
}

impl Outcome {
    /// The first difference of another outcome from this one.
    pub fn difference(&self, other: &Outcome) -> Option<Difference> {
        // Arrays that only one of the two gives follow from its end, if it has failed.
        let ends = [self, other].map(|outcome| outcome.end.clone());
        let has_failed = ends.iter().any(|end| matches!(end, End::Failed(_)));
        let mut arrays = self.arrays.iter().zip(&other.arrays);
        let longer = if self.arrays.len() > other.arrays.len() { &self.arrays } else { &other.arrays };
        let missing = longer.get(self.arrays.len().min(other.arrays.len())).filter(|_| !has_failed);
        arrays
            .find_map(|((copy, before), (now_copy, now))| {
                match copy.symbol == now_copy.symbol && before.shape == now.shape {
                    true => differing(copy, before, now),
                    false => Some(Difference::Array(copy.symbol.clone())),
                }
            })
            .or_else(|| missing.map(|(copy, _)| Difference::Array(copy.symbol.clone())))
            .or_else(|| (ends[0] != ends[1]).then_some(Difference::End(ends)))
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            End::Complete => "every launched function ended",
            End::Waiting => "a function never ended",
            End::Busy => "a function was still busy at the end",
            End::Failed(event) => event,
        })
    }
}

fn differing(copy: &FileCopy, before: &Array, now: &Array) -> Option<Difference> {
    let bytes = usize::from(before.item.bytes.max(1));
    let pairs = before.data.chunks_exact(bytes).zip(now.data.chunks_exact(bytes)).enumerate();
    let differing: Vec<(usize, [String; 2])> = pairs
        .filter(|(_, (before, now))| before != now)
        .map(|(index, pair)| (index, [pair.0, pair.1].map(|bytes| now.item.shown(bytes))))
        .collect();
    let [_, columns, per_pe] = before.shape[..] else { return None };
    let pes: BTreeSet<usize> = differing.iter().map(|(index, _)| index / per_pe.max(1)).collect();
    let (index, values) = differing.first()?;
    let (pe, element) = (index / per_pe.max(1), index % per_pe.max(1));
    let (x, y, ..) = copy.rect.unwrap_or_default();
    let at = Coord { x: x + (pe % columns.max(1)) as u32, y: y + (pe / columns.max(1)) as u32 };
    Some(Difference::Elements {
        symbol: copy.symbol.clone(),
        at,
        element,
        values: values.clone(),
        elements: differing.len(),
        pes: pes.len(),
    })
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Difference::Elements { symbol, at: Coord { x, y }, element, values: [before, now], elements, pes } => {
                write!(f, "{symbol}[{element}] of PE ({x}, {y}) is {now}, not {before}")?;
                if *elements > 1 {
                    write!(f, "; so are {elements} elements of {pes} PE{}", if *pes == 1 { "" } else { "s" })?;
                }
                Ok(())
            }
            Difference::Array(symbol) => write!(f, "{symbol} has another extent, or is there in one run alone"),
            Difference::End([before, now]) => write!(f, "{now}; without a schedule, {before}"),
        }
    }
}
