//! Renders diagnostics for people, with the source lines that they point at.

use std::ops::Range;
use std::sync::Arc;

use codespan_reporting::diagnostic as shown;
use codespan_reporting::files::{Error, Files};
use codespan_reporting::term::termcolor::{Ansi, NoColor, WriteColor};
use codespan_reporting::term::{Config, Styles, StylesWriter, emit_to_write_style};

use crate::codes::Severity;
use crate::diagnostic::{Diagnostic, Label};
use crate::render::Style;
use crate::source::{FileId, SourceMap, Span};

/// Notes are broken to end before this column; they begin at about the tenth.
const WIDTH: usize = 68;

/// One diagnostic and an empty line.
pub fn render(sources: &SourceMap, diagnostic: &Diagnostic, style: Style) -> String {
    let text = match style {
        Style::Plain => emit(NoColor::new(Vec::new()), sources, diagnostic).map(NoColor::into_inner),
        Style::Colored => emit(Ansi::new(Vec::new()), sources, diagnostic).map(Ansi::into_inner),
    };
    // A span outside its file is a fault of the compiler, which must not cost the user the message.
    let text = text.unwrap_or_else(|_| format!("{}\n\n", diagnostic.message).into_bytes());
    String::from_utf8_lossy(&text).into_owned()
}

fn emit<W: WriteColor>(mut out: W, sources: &SourceMap, diagnostic: &Diagnostic) -> Result<W, Error> {
    let styles = Styles::default();
    let mut writer = StylesWriter::new(&mut out, &styles);
    emit_to_write_style(&mut writer, &Config::default(), sources, &convert(sources, diagnostic))?;
    Ok(out)
}

fn convert(sources: &SourceMap, diagnostic: &Diagnostic) -> shown::Diagnostic<FileId> {
    let primary = diagnostic.primary.iter().map(|l| label(sources, shown::LabelStyle::Primary, l));
    let secondary = diagnostic.secondary.iter().map(|l| label(sources, shown::LabelStyle::Secondary, l));
    shown::Diagnostic::new(severity(diagnostic.severity))
        .with_code(diagnostic.code.text())
        .with_message(&diagnostic.message)
        .with_labels(primary.chain(secondary).collect())
        .with_notes(notes(sources, diagnostic))
}

fn severity(severity: Severity) -> shown::Severity {
    match severity {
        Severity::Note => shown::Severity::Note,
        Severity::Warning => shown::Severity::Warning,
        Severity::Error => shown::Severity::Error,
    }
}

fn label(sources: &SourceMap, style: shown::LabelStyle, label: &Label) -> shown::Label<FileId> {
    shown::Label::new(style, label.span.file, visible(sources, label.span)).with_message(&label.text)
}

/// A span over several lines is shown by its first line alone, so that no function body is listed.
fn visible(sources: &SourceMap, span: Span) -> Range<usize> {
    let Range { start: lo, end: hi } = span.range();
    let first_line = sources.text(span.file).get(lo..hi).and_then(|text| text.lines().next());
    lo..first_line.map_or(hi, |line| lo + line.len())
}

/// The notes, the help, the trace and the count of repetitions, in this order.
fn notes(sources: &SourceMap, diagnostic: &Diagnostic) -> Vec<String> {
    let notes = diagnostic.notes.iter().map(|text| block("note", text));
    let help = diagnostic.help.iter().map(|text| block("help", text));
    let trace = diagnostic.trace.iter().map(|frame| {
        let (line, column) = sources.line_col(frame.span.file, frame.span.lo);
        block("note", &format!("{}:{line}:{column}: {}", sources.name(frame.span.file), frame.text))
    });
    let again = (diagnostic.repeats > 0).then(|| block("note", &repeats(diagnostic.repeats)));
    notes.chain(help).chain(trace).chain(again).collect()
}

fn repeats(count: usize) -> String {
    match count {
        1 => "and the same once more, for another PE".to_string(),
        more => format!("and the same {more} more times, for other PEs"),
    }
}

/// `kind: text`, broken into lines that are indented below the first word.
fn block(kind: &str, text: &str) -> String {
    let indent = format!("\n{}", " ".repeat(kind.len() + 2));
    let lines: Vec<String> = text.lines().flat_map(wrap).collect();
    format!("{kind}: {}", lines.join(&indent))
}

/// Breaks a line at spaces. An indented line is part of a table or a map and stays as it is.
fn wrap(line: &str) -> Vec<String> {
    if line.starts_with(' ') || line.chars().count() <= WIDTH {
        return vec![line.to_string()];
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("it starts with one");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= WIDTH {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}

impl<'a> Files<'a> for SourceMap {
    type FileId = FileId;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: FileId) -> Result<&'a str, Error> {
        Ok(SourceMap::name(self, id))
    }

    fn source(&'a self, id: FileId) -> Result<&'a str, Error> {
        let text: &Arc<str> = self.text(id);
        Ok(text)
    }

    fn line_index(&'a self, id: FileId, byte_index: usize) -> Result<usize, Error> {
        Ok(SourceMap::line_index(self, id, byte_index))
    }

    fn line_range(&'a self, id: FileId, line_index: usize) -> Result<Range<usize>, Error> {
        SourceMap::line_range(self, id, line_index).ok_or(Error::LineTooLarge { given: line_index, max: usize::MAX })
    }
}
