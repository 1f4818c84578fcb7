//! Diagnostics for tools: one JSON object a line, its keys in a fixed order.

use serde::Serialize;

use crate::codes::Severity;
use crate::diagnostic::Diagnostic;
use crate::render::Style;
use crate::source::{SourceMap, Span};

#[derive(Serialize)]
struct Object<'a> {
    code: &'static str,
    severity: &'static str,
    message: &'a str,
    /// The places in the source, the primary one first.
    spans: Vec<Location<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
    /// The trace, the innermost step first.
    trace: Vec<Location<'a>>,
}

/// A range in a file. Lines and columns count from 1, columns in characters; the end is the first position after the
/// span.
#[derive(Serialize)]
struct Location<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: &'a str,
}

/// One line, ended by a line feed. JSON is never coloured.
pub fn render(sources: &SourceMap, diagnostic: &Diagnostic, _style: Style) -> String {
    let labels = diagnostic.primary.iter().chain(&diagnostic.secondary);
    let object = Object {
        code: diagnostic.code.text(),
        severity: severity(diagnostic.severity),
        message: &diagnostic.message,
        spans: labels.map(|label| place(sources, label.span, &label.text)).collect(),
        notes: &diagnostic.notes,
        help: diagnostic.help.as_deref(),
        trace: diagnostic.trace.iter().map(|frame| place(sources, frame.span, &frame.text)).collect(),
    };
    let mut line = serde_json::to_string(&object).expect("an object of strings and numbers");
    line.push('\n');
    line
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn place<'a>(sources: &'a SourceMap, span: Span, text: &'a str) -> Location<'a> {
    let (line, column) = sources.line_col(span.file, span.lo);
    let (end_line, end_column) = sources.line_col(span.file, span.hi);
    Location { file: sources.name(span.file), line, column, end_line, end_column, text }
}
