//! Renders diagnostics as text for people, as a line each, and as JSON and SARIF for tools.

use crate::codes::Severity;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::printable::printable;
use crate::source::SourceMap;
use crate::{human, json, sarif};

/// The kind of text to produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorFormat {
    Human,
    /// `file:line:column: error[code]: message`, a line each.
    Short,
    /// One JSON object a line.
    Json,
    /// One document in the form of SARIF 2.1.0.
    Sarif,
}

/// The errors, and the warnings, that are shown where no limit is given.
pub const USUAL_LIMIT: usize = 100;

/// How to show diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rendering {
    pub format: ErrorFormat,
    /// Whether to colour text for people.
    pub color: bool,
    /// The columns of the terminal, where there is one.
    pub width: Option<usize>,
    /// The errors that are shown at most, and likewise the warnings; all where there is none.
    pub limit: Option<usize>,
}

impl Default for Rendering {
    fn default() -> Rendering {
        Rendering { format: ErrorFormat::Human, color: false, width: None, limit: Some(USUAL_LIMIT) }
    }
}

/// The text of `diagnostics`, in order.
pub fn render(sources: &SourceMap, diagnostics: &Diagnostics, how: &Rendering) -> String {
    let (shown, left) = within(diagnostics, how.limit);
    let text: String = match how.format {
        ErrorFormat::Human => shown.iter().map(|diagnostic| human::render(sources, diagnostic, how)).collect(),
        ErrorFormat::Short => shown.iter().map(|diagnostic| short(sources, diagnostic)).collect(),
        ErrorFormat::Json => shown.iter().map(|diagnostic| json::render(sources, diagnostic)).collect(),
        ErrorFormat::Sarif => return sarif::render(sources, &shown),
    };
    match left.text() {
        Some(left) if how.format != ErrorFormat::Json => text + &left,
        _ => text,
    }
}

/// Findings beyond the limit.
#[derive(Default)]
struct Left {
    errors: usize,
    warnings: usize,
}

impl Left {
    fn text(&self) -> Option<String> {
        let count = |number: usize, what: &str| {
            (number > 0).then(|| format!("{number} more {what}{}", if number == 1 { "" } else { "s" }))
        };
        let all: Vec<String> =
            [count(self.errors, "error"), count(self.warnings, "warning")].into_iter().flatten().collect();
        (!all.is_empty()).then(|| format!("{}: `--error-limit=0` shows all\n", all.join(" and ")))
    }
}

/// The findings up to the limit; errors and warnings are counted apart, so that no number of warnings hides an error.
fn within(diagnostics: &Diagnostics, limit: Option<usize>) -> (Vec<&Diagnostic>, Left) {
    let most = limit.unwrap_or(usize::MAX);
    let (mut errors, mut warnings) = (0, 0);
    let shown = diagnostics.iter().filter(|diagnostic| {
        let count = match diagnostic.severity {
            Severity::Note => return true,
            Severity::Warning => &mut warnings,
            Severity::Error => &mut errors,
        };
        *count += 1;
        *count <= most
    });
    let shown = shown.collect();
    (shown, Left { errors: errors.saturating_sub(most), warnings: warnings.saturating_sub(most) })
}

fn short(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    let place = diagnostic.primary.as_ref().map_or_else(String::new, |label| {
        let (line, column) = sources.line_col(label.span.file, label.span.lo);
        format!("{}:{line}:{column}: ", printable(sources.name(label.span.file)))
    });
    let message = printable(&diagnostic.message).replace('\n', " ");
    format!("{place}{}[{}]: {message}\n", diagnostic.severity.name(), diagnostic.code.text())
}
