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
    /// The symbols and what all PEs of the copy held, of shape (rows, columns, elements), in the order of the steps.
    pub arrays: Vec<(FileCopy, Array)>,
    /// How the run ended; `None` where an error ended it.
    pub ending: Option<Ending>,
    /// The error that ended it.
    pub error: Option<String>,
    /// The mistakes that checked PEs have told of.
    pub mistakes: BTreeSet<String>,
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
    /// Another end of the run, in words.
    End([String; 2]),
}

/// Does the steps of a run and gathers what it gives: the symbols of its `--d2h`, or where it has none every exported
/// symbol. Nothing is written to files. An error of the run is part of its outcome.
///
/// # Errors
/// Those of copies and launches that no schedule changes: files and names.
pub fn outcome(runtime: &mut Runtime, steps: &[Step]) -> Result<Outcome, HostError> {
    let mut outcome = Outcome { arrays: Vec::new(), ending: None, error: None, mistakes: BTreeSet::new() };
    match gather(runtime, steps, &mut outcome) {
        Ok(ending) => outcome.ending = Some(ending),
        Err(error @ HostError::Failed { .. }) => outcome.error = Some(error.to_string()),
        Err(error) => return Err(error),
    }
    outcome.mistakes = runtime.take_warnings().into_iter().filter(|warning| warning.starts_with("check: ")).collect();
    Ok(outcome)
}

fn gather(runtime: &mut Runtime, steps: &[Step], outcome: &mut Outcome) -> Result<Ending, HostError> {
    runtime.load()?;
    runtime.run()?;
    for step in steps {
        match step {
            Step::H2d(copy) => batch::h2d(runtime, copy).map(drop)?,
            Step::Launch { function, arguments } => batch::launch(runtime, function, arguments).map(drop)?,
            Step::D2h(copy) => outcome.arrays.push((copy.clone(), batch::fetch(runtime, copy)?.0)),
        }
    }
    if !steps.iter().any(|step| matches!(step, Step::D2h(_))) {
        for copy in exported_symbols(runtime) {
            match batch::fetch(runtime, &copy) {
                Ok((array, _)) => outcome.arrays.push((copy, array)),
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
        let arrays = self.arrays.iter().zip(&other.arrays);
        let elements = arrays.filter_map(|((copy, before), (_, now))| differing(copy, before, now)).next();
        let ends = [self, other].map(Outcome::end);
        elements.or_else(|| (ends[0] != ends[1]).then_some(Difference::End(ends)))
    }

    fn end(&self) -> String {
        match (&self.error, self.ending) {
            (Some(error), _) => error.lines().next().unwrap_or_default().to_owned(),
            (None, Some(Ending::Complete | Ending::Drained { .. })) => "every launched function ended".to_owned(),
            (None, Some(Ending::Waiting)) => "a function never ended".to_owned(),
            (None, _) => "a function was still busy at the end".to_owned(),
        }
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
            Difference::End([before, now]) => write!(f, "{now}; without a schedule, {before}"),
        }
    }
}
