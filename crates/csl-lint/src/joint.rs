//! The findings of several programs as one list over one set of sources.

use std::collections::HashMap;

use csl_diag::{Code, Diagnostic, Diagnostics, FileId, SourceMap, Span};
use csl_sema::Analysis;
use indexmap::IndexMap;

use crate::{LINTS, Told, lint};

/// The findings of the programs so far.
#[derive(Default)]
pub struct Joint {
    sources: SourceMap,
    /// The files by name and text.
    files: HashMap<(String, String), FileId>,
    /// Findings of the analyses.
    others: Diagnostics,
    /// Findings of lints, each with the number of programs that have it.
    found: IndexMap<(Code, Span), (Diagnostic, usize)>,
    /// The number of programs that read each file, those with errors included: they may use what the others do not.
    readers: HashMap<FileId, usize>,
}

impl Joint {
    /// Adds a program, without the findings of lints that it allows; `name` gives files the names that all programs share.
    pub fn add(&mut self, analysis: Analysis, allows: impl Fn(Code) -> bool, name: impl Fn(&str) -> String) {
        let found = lint(&analysis).into_iter().filter(|finding| !allows(finding.code));
        let names: Vec<String> = analysis.sources.names().map(name).collect();
        let files: Vec<FileId> =
            (0..).zip(names).map(|(id, name)| self.file(name, analysis.sources.text(FileId(id)))).collect();
        files.iter().for_each(|file| *self.readers.entry(*file).or_default() += 1);
        let place = |span: Span| Span { file: files[span.file.0 as usize], ..span };
        for finding in analysis.diagnostics.iter() {
            self.others.push(moved(finding.clone(), place));
        }
        // A lint may have a finding twice in one program.
        let mut own: IndexMap<(Code, Span), Diagnostic> = IndexMap::new();
        for finding in found.map(|finding| moved(finding, place)) {
            if let Some(label) = &finding.primary {
                own.entry((finding.code, label.span)).or_insert(finding);
            }
        }
        for (key, finding) in own {
            self.found.entry(key).or_insert((finding, 0)).1 += 1;
        }
    }

    fn file(&mut self, name: String, text: &str) -> FileId {
        let sources = &mut self.sources;
        *self.files.entry((name.clone(), text.to_owned())).or_insert_with(|| sources.add(name, text))
    }

    /// The sources, and the findings in the order of their places behind those of the analyses.
    pub fn finish(self) -> (SourceMap, Diagnostics) {
        let Joint { sources, mut others, found, readers, .. } = self;
        let told = |code: Code| LINTS.iter().find(|lint| lint.code == code).map_or(Told::IfAny, |lint| lint.told);
        let mut found: Vec<_> = found.into_iter().collect();
        found.retain(|((code, span), (_, count))| told(*code) == Told::IfAny || readers.get(&span.file) == Some(count));
        found.sort_by_key(|((_, span), _)| *span);
        found.into_iter().for_each(|(_, (finding, _))| others.push(finding));
        (sources, others)
    }
}

/// A finding with its places among other sources.
fn moved(mut finding: Diagnostic, place: impl Fn(Span) -> Span) -> Diagnostic {
    let labels = finding.primary.iter_mut().chain(&mut finding.secondary).map(|label| &mut label.span);
    let edits = finding.edits.iter_mut().map(|edit| &mut edit.span);
    let trace = finding.trace.iter_mut().map(|frame| &mut frame.span);
    labels.chain(edits).chain(trace).for_each(|span| *span = place(*span));
    finding
}
