//! Renders diagnostics as text for people and as JSON for tools.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::SourceMap;
use crate::{human, json};

/// The kind of text to produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorFormat {
    Human,
    /// One JSON object a line.
    Json,
}

/// Whether to colour the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Colored,
}

/// The text of all of `diagnostics`, in order.
pub fn render(sources: &SourceMap, diagnostics: &Diagnostics, format: ErrorFormat, style: Style) -> String {
    let one: fn(&SourceMap, &Diagnostic, Style) -> String = match format {
        ErrorFormat::Human => human::render,
        ErrorFormat::Json => json::render,
    };
    diagnostics.iter().map(|diagnostic| one(sources, diagnostic, style)).collect()
}
