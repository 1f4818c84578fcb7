//! Findings of the compiler as editors show them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csl_diag::{Diagnostic as Found, FileId, Severity, Span};
use csl_host::lint::is_of_all;
use lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, NumberOrString, Position,
    Range, TextEdit,
};

use crate::host_names;
use crate::library;
use crate::snapshot::Snapshot;
use crate::text::Text;
use crate::world::World;

/// The name of who says it.
pub const SOURCE: &str = "waferlab";

/// A diagnostic, and the changes that would mend what it finds, an alternative each.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub diagnostic: Diagnostic,
    pub edits: Vec<Change>,
}

/// A change of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub key: PathBuf,
    pub edit: TextEdit,
    /// The text that it replaces.
    pub old: String,
    /// Whether the program does the same behind it.
    pub is_safe: bool,
}

/// All findings, by file.
pub fn all(world: &World) -> BTreeMap<PathBuf, Vec<Finding>> {
    let mut found: BTreeMap<PathBuf, Vec<Finding>> = BTreeMap::new();
    let mut add = |key: PathBuf, finding: Finding| {
        let known = found.entry(key).or_default();
        let is_same = |other: &Finding| {
            let (a, b) = (&other.diagnostic, &finding.diagnostic);
            (a.range, &a.code, &a.message) == (b.range, &b.code, &b.message)
        };
        if !known.iter().any(is_same) {
            known.push(finding);
        }
    };
    for snapshot in &world.snapshots {
        let mut texts = Texts { world, snapshot, read: BTreeMap::new() };
        for diagnostic in snapshot.diagnostics().filter(|found| is_certain(world, snapshot, found)) {
            if let Some((key, finding)) = texts.finding(diagnostic) {
                add(key, finding);
            }
        }
    }
    for (key, finding) in host_names::findings(world) {
        add(key, finding);
    }
    found
}

/// Whether a finding holds whatever other programs there are: what one does not use another may use.
fn is_certain(world: &World, snapshot: &Snapshot, found: &Found) -> bool {
    let Some(place) = found.primary.as_ref().map(|label| label.span).filter(|_| is_of_all(found.code)) else {
        return true;
    };
    let key = snapshot.key(place.file);
    let has = |other: &Snapshot, file: FileId| {
        let there = Span { file, ..place };
        let is_it = |known: &Found| known.code == found.code && known.primary.as_ref().map(|l| l.span) == Some(there);
        other.diagnostics().any(is_it)
    };
    let mut readers = world.snapshots.iter().filter_map(|other| Some((other, other.file(key)?)));
    world.whole.contains(key) && readers.all(|(other, file)| has(other, file))
}

/// What can be said of a document before its program is analysed anew: what does not parse, and what was said of other kinds
/// before, at the places where that stands now.
pub fn meanwhile(world: &World, key: &Path, before: &[Diagnostic]) -> Vec<Diagnostic> {
    let Some(file) = world.file(key) else { return before.to_vec() };
    let parsed = file
        .source
        .findings
        .iter()
        .filter_map(|found| Some(plain(found, file.text.span(found.primary.as_ref()?.span))));
    let mut told: Vec<Diagnostic> = parsed.collect();
    let Some((snapshot, id)) = world.snapshots_of(key).find_map(|snapshot| Some((snapshot, snapshot.file(key)?)))
    else {
        return told;
    };
    let earlier = Text::new(snapshot.sources().text(id).clone());
    let alike = file.text.alike(earlier.text());
    let moved = |position| Some(file.text.position(alike.later(earlier.offset(position))?));
    let is_parsed = |code: &Option<NumberOrString>| match code {
        Some(NumberOrString::String(code)) => code.get(1..3).is_some_and(|family| matches!(family, "00" | "01")),
        _ => false,
    };
    told.extend(before.iter().filter(|old| !is_parsed(&old.code)).filter_map(|old| {
        let range = Range { start: moved(old.range.start)?, end: moved(old.range.end)? };
        Some(Diagnostic { range, ..old.clone() })
    }));
    told
}

/// The texts that a snapshot was made of.
struct Texts<'w> {
    world: &'w World,
    snapshot: &'w Snapshot,
    read: BTreeMap<FileId, Text>,
}

impl Texts<'_> {
    fn text(&mut self, file: FileId) -> &Text {
        let sources = self.snapshot.sources();
        self.read.entry(file).or_insert_with(|| Text::new(sources.text(file).clone()))
    }

    fn is_shown(&self, file: FileId) -> bool {
        library::name(self.snapshot.key(file)).is_none() && self.snapshot.key(file).is_absolute() && self.is_file(file)
    }

    /// Whether the file is one, not the list of tiles of a layout without a text.
    fn is_file(&self, file: FileId) -> bool {
        self.snapshot.sources().name(file) != "SdkLayout"
    }

    fn location(&mut self, span: Span) -> Option<Location> {
        if !self.is_file(span.file) {
            return None;
        }
        let range = self.text(span.file).span(span);
        Some(Location { uri: self.world.uri(self.snapshot.key(span.file))?, range })
    }

    fn finding(&mut self, found: &Found) -> Option<(PathBuf, Finding)> {
        // A finding within the library is shown at the place of the program that led there; one without a place, at the
        // top of the root.
        let places = found.primary.iter().map(|label| label.span).chain(found.trace.iter().map(|frame| frame.span));
        let place = places.clone().find(|span| self.is_shown(span.file));
        let (key, range) = match place {
            Some(span) => (self.snapshot.key(span.file).clone(), self.text(span.file).span(span)),
            None => (self.snapshot.program.root(), Range { start: Position::default(), end: Position::default() }),
        };
        let mut diagnostic = plain(found, range);
        let labels = found.secondary.iter().map(|label| (label.span, label.text.clone()));
        let steps = found.trace.iter().map(|frame| (frame.span, frame.text.clone()));
        let primary = found.primary.iter().filter(|label| Some(label.span) != place);
        let primary =
            primary.map(|label| (label.span, if label.text.is_empty() { "here".into() } else { label.text.clone() }));
        let related: Vec<(Span, String)> = primary.chain(labels).chain(steps).collect();
        let related = related.into_iter().filter_map(|(span, message)| {
            Some(DiagnosticRelatedInformation { location: self.location(span)?, message })
        });
        let related: Vec<_> = related.collect();
        diagnostic.related_information = (!related.is_empty()).then_some(related);
        let edits = found.edits.iter().filter(|edit| self.is_shown(edit.span.file));
        let edits: Vec<_> = edits.cloned().collect();
        let edits = edits.iter().map(|edit| {
            let key = self.snapshot.key(edit.span.file).clone();
            change(&key, self.text(edit.span.file), edit)
        });
        let edits = edits.collect();
        Some((key, Finding { diagnostic, edits }))
    }
}

fn change(key: &Path, text: &Text, found: &csl_diag::Edit) -> Change {
    let old = text.text().get(found.span.range()).unwrap_or_default().to_owned();
    let edit = TextEdit { range: text.span(found.span), new_text: found.replacement.clone() };
    Change { key: key.to_owned(), edit, old, is_safe: found.is_safe }
}

/// A diagnostic without what it says of other places.
fn plain(found: &Found, range: Range) -> Diagnostic {
    let mut message = found.message.clone();
    if let Some(label) = found.primary.as_ref().filter(|label| !label.text.is_empty()) {
        message = format!("{message}\n{}", label.text);
    }
    found.notes.iter().for_each(|note| message = format!("{message}\nnote: {note}"));
    if found.repeats > 0 {
        message = format!("{message}\nnote: and the same {} more times, for other PEs", found.repeats);
    }
    found.help.iter().for_each(|help| message = format!("{message}\nhelp: {help}"));
    Diagnostic {
        range,
        severity: Some(match found.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Note => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(found.code.text().to_owned())),
        source: Some(SOURCE.to_owned()),
        message,
        // Editors show it faded.
        tags: is_of_all(found.code).then(|| vec![DiagnosticTag::UNNECESSARY]),
        ..Diagnostic::default()
    }
}
