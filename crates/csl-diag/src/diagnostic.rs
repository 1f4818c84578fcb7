//! Diagnostics: a finding of the compiler with its place, notes, help, edits and trace, and the list of all findings.

use std::collections::HashMap;

use crate::codes::{Code, Severity};
use crate::source::{SourceMap, Span};

/// A place in the source that a diagnostic points at, with a few words on why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// A change of the source that would mend it: `replacement` in place of what `span` covers; an insertion where the span
/// is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    pub span: Span,
    pub replacement: String,
    /// Whether the program does the same behind it, so that a tool may make the change unasked.
    pub is_safe: bool,
}

/// One step of the way on which the compiler came to the place: a comptime call, an import, a tile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TraceFrame {
    pub span: Span,
    /// For example "called here at comptime", "imported here", "as the code of PE (3, 0)".
    pub text: String,
}

/// One finding of the compiler.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    /// The place of the finding; `None` only for findings without a place in any file (command-line arguments).
    pub primary: Option<Label>,
    pub secondary: Vec<Label>,
    pub notes: Vec<String>,
    /// Advice to the user, shown as "help: ...".
    pub help: Option<String>,
    /// What the help says as changes of the source, for tools: an alternative each.
    pub edits: Vec<Edit>,
    /// The steps that led to the place, the innermost first.
    pub trace: Vec<TraceFrame>,
    /// The number of times that the same finding was made again for other PEs, reached the same way.
    pub repeats: usize,
}

impl Diagnostic {
    /// A diagnostic of the severity that its code declares, pointing at `span`.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        let mut diagnostic = Diagnostic::unplaced(code, message);
        diagnostic.primary = Some(Label { span, text: String::new() });
        diagnostic
    }

    /// A diagnostic that has no place in any source file.
    pub fn unplaced(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            notes: Vec::new(),
            help: None,
            edits: Vec::new(),
            trace: Vec::new(),
            repeats: 0,
        }
    }

    /// Sets the text beside the primary underline.
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    pub fn secondary(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// Adds a change that would mend the source; what it does is for the help to say.
    pub fn edit(mut self, span: Span, replacement: impl Into<String>) -> Diagnostic {
        self.edits.push(Edit { span, replacement: replacement.into(), is_safe: false });
        self
    }

    /// Adds a change behind which the program does the same.
    pub fn safe_edit(mut self, span: Span, replacement: impl Into<String>) -> Diagnostic {
        self.edits.push(Edit { span, replacement: replacement.into(), is_safe: true });
        self
    }

    pub fn traced(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.trace.push(TraceFrame { span, text: text.into() });
        self
    }

    /// What is the same in all findings that say the same at the same place, reached the same way, though maybe for
    /// other PEs: all but the words of the trace; of warnings that are given once a place, the place.
    fn essence(&self) -> Diagnostic {
        if self.code.is_once_a_place() && self.primary.is_some() {
            return Diagnostic { primary: self.primary.clone(), ..Diagnostic::unplaced(self.code, "") };
        }
        let trace = self.trace.iter().map(|frame| TraceFrame { span: frame.span, text: String::new() }).collect();
        Diagnostic { trace, repeats: 0, ..self.clone() }
    }
}

/// Proof that an error has been reported: only [`Diagnostics::fail`] and [`Diagnostics::check`] give one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported(());

/// The findings of a compilation, in the order they were made.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    /// The place in the list of the first finding of each essence.
    known: HashMap<Diagnostic, usize>,
    errors: usize,
}

impl Diagnostics {
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds a finding unless an equal one is in the list; a finding that was made again for another PE is counted. A line
    /// that a program prints at comptime is never the same as another: each counts.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if diagnostic.severity != Severity::Note {
            if let Some(&at) = self.known.get(&diagnostic.essence()) {
                let known = &mut self.list[at];
                known.repeats += usize::from(known.trace != diagnostic.trace);
                return;
            }
            self.known.insert(diagnostic.essence(), self.list.len());
        }
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        self.list.push(diagnostic);
    }

    /// Adds an error, whatever the severity of its code.
    pub fn fail(&mut self, diagnostic: Diagnostic) -> Reported {
        self.push(Diagnostic { severity: Severity::Error, ..diagnostic });
        Reported(())
    }

    /// # Errors
    /// The list holds an error.
    pub fn check(&self) -> Result<(), Reported> {
        if self.has_errors() { Err(Reported(())) } else { Ok(()) }
    }

    /// Whether a finding would only be counted: an equal one is in the list.
    pub fn knows(&self, diagnostic: &Diagnostic) -> bool {
        self.known.contains_key(&diagnostic.essence())
    }

    pub fn extend(&mut self, other: Diagnostics) {
        other.list.into_iter().for_each(|d| self.push(d));
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Drops the warnings of `codes`, and those that a comment allows, `// waferlab: allow(W0604)`, on their line or
    /// alone on the line before.
    pub fn allow(&mut self, sources: &SourceMap, codes: &[Code]) {
        self.rebuild(|diagnostic| {
            let is_allowed = diagnostic.severity == Severity::Warning
                && (codes.contains(&diagnostic.code) || is_allowed_there(sources, &diagnostic));
            (!is_allowed).then_some(diagnostic)
        });
    }

    /// Changes the findings of a code.
    pub fn amend(&mut self, code: Code, change: impl Fn(Diagnostic) -> Diagnostic) {
        if self.list.iter().any(|diagnostic| diagnostic.code == code) {
            self.rebuild(|diagnostic| Some(if diagnostic.code == code { change(diagnostic) } else { diagnostic }));
        }
    }

    /// Turns every warning into an error, as `--warnings-as-errors` asks.
    pub fn promote_warnings(&mut self) {
        self.deny(Code::ALL);
    }

    /// Turns the warnings of `codes` into errors.
    pub fn deny(&mut self, codes: &[Code]) {
        self.rebuild(|diagnostic| {
            let is_warning = diagnostic.severity == Severity::Warning && codes.contains(&diagnostic.code);
            let severity = if is_warning { Severity::Error } else { diagnostic.severity };
            Some(Diagnostic { severity, ..diagnostic })
        });
    }

    fn rebuild(&mut self, change: impl FnMut(Diagnostic) -> Option<Diagnostic>) {
        let mut rebuilt = Diagnostics::new();
        std::mem::take(&mut self.list).into_iter().filter_map(change).for_each(|diagnostic| rebuilt.push(diagnostic));
        *self = rebuilt;
    }
}

/// Whether a comment at the place of a diagnostic allows its code.
fn is_allowed_there(sources: &SourceMap, diagnostic: &Diagnostic) -> bool {
    let Some(Label { span, .. }) = diagnostic.primary else { return false };
    let line = |number: usize| {
        sources.line_range(span.file, number).map(|range| sources.text(span.file)[range].trim()).unwrap_or_default()
    };
    let here = sources.line_index(span.file, span.lo as usize);
    let above = here.checked_sub(1).map(line).filter(|text| text.starts_with("//"));
    [Some(line(here)), above].into_iter().flatten().any(|text| allowed(text).any(|code| code == diagnostic.code.text()))
}

/// The codes that the comment of a line allows.
fn allowed(line: &str) -> impl Iterator<Item = &str> {
    let comment = line.split_once("//").map(|(_, comment)| comment).unwrap_or_default();
    let list = comment.split_once("waferlab:").and_then(|(_, rest)| rest.trim_start().strip_prefix("allow("));
    list.and_then(|rest| rest.split_once(')')).map(|(list, _)| list.split(',').map(str::trim)).into_iter().flatten()
}
