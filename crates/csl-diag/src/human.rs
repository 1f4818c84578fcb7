//! Renders diagnostics for people, with the source lines that they point at.

use codespan_reporting::diagnostic as shown;
use codespan_reporting::files::Error;
use codespan_reporting::term::termcolor::{Ansi, NoColor, WriteColor};
use codespan_reporting::term::{Config, Styles, StylesWriter, emit_to_write_style};

use crate::codes::Severity;
use crate::diagnostic::{Diagnostic, Label};
use crate::excerpt::Excerpt;
use crate::printable::printable;
use crate::render::Rendering;
use crate::source::{FileId, SourceMap};

/// Notes are broken to end before this column; they begin at about the tenth.
const NOTE_WIDTH: usize = 68;

/// Lines of the source are cut to this many columns.
const LINE_WIDTH: usize = 200;

/// The columns before a note and before a line of the source, with a line number of four digits.
const MARGIN: usize = 14;

/// The columns that notes and lines have at least, however narrow the terminal is.
const LEAST: usize = 24;

/// The columns of notes and of lines of the source.
#[derive(Clone, Copy)]
struct Widths {
    note: usize,
    line: usize,
    /// Indented lines of notes, which are tables and maps, are cut to this.
    table: usize,
}

impl Widths {
    fn of(terminal: Option<usize>) -> Widths {
        match terminal.map(|columns| columns.saturating_sub(MARGIN).max(LEAST)) {
            Some(columns) => Widths { note: columns.min(NOTE_WIDTH), line: columns.min(LINE_WIDTH), table: columns },
            None => Widths { note: NOTE_WIDTH, line: LINE_WIDTH, table: usize::MAX },
        }
    }
}

/// One diagnostic and an empty line.
pub fn render(sources: &SourceMap, diagnostic: &Diagnostic, how: &Rendering) -> String {
    let widths = Widths::of(how.width);
    let text = if how.color {
        emit(Ansi::new(Vec::new()), sources, diagnostic, widths).map(Ansi::into_inner)
    } else {
        emit(NoColor::new(Vec::new()), sources, diagnostic, widths).map(NoColor::into_inner)
    };
    // What cannot be shown must not cost the user the message.
    let text = text.unwrap_or_else(|_| format!("{}\n\n", printable(&diagnostic.message)).into_bytes());
    String::from_utf8_lossy(&text).into_owned()
}

fn emit<W: WriteColor>(mut out: W, sources: &SourceMap, diagnostic: &Diagnostic, widths: Widths) -> Result<W, Error> {
    let styles = Styles::default();
    let mut writer = StylesWriter::new(&mut out, &styles);
    let excerpt = Excerpt::new(sources, diagnostic, widths.line);
    let primary = diagnostic.primary.iter().map(|l| label(&excerpt, shown::LabelStyle::Primary, l));
    let secondary = diagnostic.secondary.iter().map(|l| label(&excerpt, shown::LabelStyle::Secondary, l));
    let converted = shown::Diagnostic::new(severity(diagnostic.severity))
        .with_code(diagnostic.code.text())
        .with_message(printable(&diagnostic.message))
        .with_labels(primary.chain(secondary).collect())
        .with_notes(notes(sources, diagnostic, widths));
    emit_to_write_style(&mut writer, &Config::default(), &excerpt, &converted)?;
    Ok(out)
}

fn severity(severity: Severity) -> shown::Severity {
    match severity {
        Severity::Note => shown::Severity::Note,
        Severity::Warning => shown::Severity::Warning,
        Severity::Error => shown::Severity::Error,
    }
}

fn label(excerpt: &Excerpt, style: shown::LabelStyle, label: &Label) -> shown::Label<FileId> {
    shown::Label::new(style, label.span.file, excerpt.range(label.span)).with_message(printable(&label.text))
}

/// The notes, the help, the trace and the count of repetitions, in this order.
fn notes(sources: &SourceMap, diagnostic: &Diagnostic, widths: Widths) -> Vec<String> {
    let block = |kind: &str, text: &str| block(kind, text, widths);
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
fn block(kind: &str, text: &str, widths: Widths) -> String {
    let indent = format!("\n{}", " ".repeat(kind.len() + 2));
    let lines: Vec<String> = printable(text).lines().flat_map(|line| wrap(line, widths)).collect();
    format!("{kind}: {}", lines.join(&indent))
}

/// Breaks a line at spaces. An indented line is part of a table or a map and stays as it is, up to
/// the width of the terminal.
fn wrap(line: &str, widths: Widths) -> Vec<String> {
    if line.starts_with(' ') {
        return vec![cut(line, widths.table)];
    }
    if line.chars().count() <= widths.note {
        return vec![line.to_string()];
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("it starts with one");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= widths.note {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}

fn cut(line: &str, width: usize) -> String {
    match line.char_indices().nth(width) {
        Some(_) => line.chars().take(width - 1).chain(['…']).collect(),
        None => line.to_string(),
    }
}
