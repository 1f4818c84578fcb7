//! An analysed program.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use csl_diag::{Code, Diagnostic, FileId, SourceMap, Span};
use csl_host::{Arch, Unsaved, observe};
use csl_ir::Wafer;
use csl_sema::{Fact, Observation};

use crate::programs::{Found, Program};

/// A program as it was analysed.
#[derive(Debug)]
pub struct Snapshot {
    pub program: Arc<Program>,
    pub observation: Observation,
    /// The key of each file, by its number.
    keys: Vec<PathBuf>,
    /// The files of which something was evaluated.
    evaluated: HashSet<FileId>,
}

/// What programs without a command line cannot do right: their params have no values.
const UNKNOWN_THERE: &[Code] = &[Code::UnboundParam, Code::LeftOutMemcpy, Code::NoLayout, Code::TileCode];

/// What is not known of a PE's program without its layout either.
const UNKNOWN_ALONE: &[Code] = &[Code::BadExport, Code::ExportNowhere, Code::NoReceiver, Code::RouteOffEdge];

impl Snapshot {
    /// Analyses a program; once `stop` is set, what comes is of no use.
    pub fn new(program: &Arc<Program>, unsaved: &Unsaved, stop: &Arc<AtomicBool>) -> Snapshot {
        let is_alone = program.found == Found::Alone;
        let mut program = program.clone();
        let mut observation = observe(&program.options, unsaved.clone(), is_alone, stop.clone());
        let is_of_wse3 = observation.analysis.diagnostics.iter().any(|found| found.code == Code::WrongArch);
        if program.found != Found::Given && is_of_wse3 {
            let mut other = Program::clone(&program);
            other.options.arch = Arch::Wse3;
            program = Arc::new(other);
            observation = observe(&program.options, unsaved.clone(), is_alone, stop.clone());
        }
        let keys = observation.analysis.sources.names().map(|name| program.key(name)).collect();
        let evaluated = observation.facts().map(|(span, _)| span.file).collect();
        Snapshot { program, observation, keys, evaluated }
    }

    pub fn sources(&self) -> &SourceMap {
        &self.observation.analysis.sources
    }

    pub fn wafer(&self) -> Option<&Wafer> {
        self.observation.analysis.wafer.as_ref().ok()
    }

    /// The key of a file that was read.
    pub fn key(&self, file: FileId) -> &PathBuf {
        &self.keys[file.0 as usize]
    }

    /// The file with this key, if it was read.
    pub fn file(&self, key: &Path) -> Option<FileId> {
        self.keys.iter().position(|known| known == key).map(|at| FileId(at as u32))
    }

    /// Whether something of a file was evaluated: a layout with an error may only name it.
    pub fn has_evaluated(&self, key: &Path) -> bool {
        self.file(key).is_some_and(|file| self.evaluated.contains(&file))
    }

    /// The findings that hold, whatever is not known of the program.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        let found = self.program.found;
        let is_known = move |code: Code| match found {
            Found::Given => true,
            Found::Guessed => !UNKNOWN_THERE.contains(&code),
            Found::Alone => !UNKNOWN_THERE.contains(&code) && !UNKNOWN_ALONE.contains(&code),
        };
        self.observation.analysis.diagnostics.iter().filter(move |diagnostic| is_known(diagnostic.code))
    }

    /// What is known of the name in these bytes of a file.
    pub fn fact(&self, file: FileId, lo: usize, hi: usize) -> Option<&Fact> {
        self.observation.fact(Span::new(file, lo, hi))
    }

    /// A value as text, and whether it is the same everywhere.
    pub fn value(&self, fact: &Fact) -> Option<String> {
        let value = fact.value.as_ref().filter(|_| !fact.varies)?;
        Some(self.observation.show(value))
    }
}
