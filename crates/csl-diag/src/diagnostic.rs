//! Diagnostics: a finding of the compiler with its place, notes, help and trace, and the list of all findings.

use crate::codes::{Code, Severity};
use crate::source::Span;

/// A place in the source that a diagnostic points at, with a few words on why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// One step of the way on which the compiler came to the place: a comptime call, an import, a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceFrame {
    pub span: Span,
    /// For example "called here at comptime", "imported here", "as the code of PE (3, 0)".
    pub text: String,
}

/// One finding of the compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
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

    pub fn traced(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.trace.push(TraceFrame { span, text: text.into() });
        self
    }

    /// Whether `other` says the same at the same place, reached the same way, though maybe for another PE. A line that
    /// a program prints at comptime is never the same as another: each PE's line counts.
    fn repeated_by(&self, other: &Diagnostic) -> bool {
        let place = |d: &Diagnostic| (d.code, d.severity, d.primary.as_ref().map(|l| l.span), d.trace.len());
        self.severity != Severity::Note
            && place(self) == place(other)
            && self.trace.iter().zip(&other.trace).all(|(a, b)| a.span == b.span)
            && (&self.message, &self.primary, &self.secondary, &self.notes, &self.help)
                == (&other.message, &other.primary, &other.secondary, &other.notes, &other.help)
    }
}

/// Proof that an error has been reported: only [`Diagnostics::fail`] and [`Diagnostics::check`] give one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported(());

/// The findings of a compilation, in the order they were made.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds a finding unless an equal one is in the list; a finding that was made again for another PE is counted.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        match self.list.iter_mut().find(|d| d.repeated_by(&diagnostic) || **d == diagnostic) {
            Some(known) if known.trace == diagnostic.trace => {}
            Some(known) => known.repeats += 1,
            None => self.list.push(diagnostic),
        }
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
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// Turns every warning into an error, as `--warnings-as-errors` asks.
    pub fn promote_warnings(&mut self) {
        for diagnostic in &mut self.list {
            if diagnostic.severity == Severity::Warning {
                diagnostic.severity = Severity::Error;
            }
        }
    }
}
