//! Diagnostics for tools: one JSON object a line, its keys in a fixed order.

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Edit};
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
    /// Changes of the source that would mend it, an alternative each.
    edits: Vec<Change<'a>>,
    /// The trace, the innermost step first.
    trace: Vec<Location<'a>>,
}

/// The range of a file that `replacement` takes the place of.
#[derive(Serialize)]
struct Change<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    replacement: &'a str,
    /// Whether the program does the same behind it.
    safe: bool,
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

/// One line, ended by a line feed.
pub fn render(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    let labels = diagnostic.primary.iter().chain(&diagnostic.secondary);
    let object = Object {
        code: diagnostic.code.text(),
        severity: diagnostic.severity.name(),
        message: &diagnostic.message,
        spans: labels.map(|label| place(sources, label.span, &label.text)).collect(),
        notes: &diagnostic.notes,
        help: diagnostic.help.as_deref(),
        edits: diagnostic.edits.iter().map(|edit| change(sources, edit)).collect(),
        trace: diagnostic.trace.iter().map(|frame| place(sources, frame.span, &frame.text)).collect(),
    };
    let mut line = serde_json::to_string(&object).expect("an object of strings and numbers");
    line.push('\n');
    line
}

fn place<'a>(sources: &'a SourceMap, span: Span, text: &'a str) -> Location<'a> {
    let (line, column) = sources.line_col(span.file, span.lo);
    let (end_line, end_column) = sources.line_col(span.file, span.hi);
    Location { file: sources.name(span.file), line, column, end_line, end_column, text }
}

fn change<'a>(sources: &'a SourceMap, edit: &'a Edit) -> Change<'a> {
    let Location { file, line, column, end_line, end_column, text: replacement } =
        place(sources, edit.span, &edit.replacement);
    Change { file, line, column, end_line, end_column, replacement, safe: edit.is_safe }
}
