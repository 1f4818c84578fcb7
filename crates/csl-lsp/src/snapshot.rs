//! An analysed program.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csl_diag::{Code, Diagnostic, FileId, SourceMap};
use csl_host::{Arch, Editing, observe};
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
    files: HashMap<PathBuf, FileId>,
    /// The files of which something was evaluated.
    evaluated: HashSet<FileId>,
}

/// What programs without a command line cannot do right: their params have no values.
const UNKNOWN_THERE: &[Code] = &[Code::UnboundParam, Code::LeftOutMemcpy, Code::NoLayout, Code::TileCode];

/// What is not known of a PE's program without its layout either.
const UNKNOWN_ALONE: &[Code] = &[Code::BadExport, Code::ExportNowhere, Code::NoReceiver, Code::RouteOffEdge];

impl Snapshot {
    /// Analyses a program.
    pub fn new(program: &Arc<Program>, editing: &Editing) -> Snapshot {
        let is_alone = program.found == Found::Alone;
        let mut program = program.clone();
        let observed = |program: &Program| observe(&program.options, &program.levels, editing, is_alone);
        let mut observation = observed(&program);
        let is_of_wse3 = observation.analysis.diagnostics.iter().any(|found| found.code == Code::WrongArch);
        if program.found != Found::Given && is_of_wse3 {
            let mut other = Program::clone(&program);
            other.options.arch = Arch::Wse3;
            program = Arc::new(other);
            observation = observed(&program);
        }
        let keys: Vec<PathBuf> = observation.analysis.sources.names().map(|name| program.key(name)).collect();
        let files = keys.iter().cloned().zip((0..).map(FileId)).collect();
        let evaluated = observation.facts().map(|(span, _)| span.file).collect();
        Snapshot { program, observation, keys, files, evaluated }
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
        self.files.get(key).copied()
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

    /// A value as text, and whether it is the same everywhere.
    pub fn value(&self, fact: &Fact) -> Option<String> {
        let value = fact.value.as_ref().filter(|_| !fact.varies)?;
        Some(self.observation.show(value))
    }
}
