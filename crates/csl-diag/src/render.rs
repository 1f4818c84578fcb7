//! Diagnostics as text for people and as JSON for tools.

use crate::diagnostic::Diagnostics;
use crate::source::SourceMap;

/// What kind of text to produce.
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

/// All of `diagnostics`, in order.
pub fn render(_sources: &SourceMap, _diagnostics: &Diagnostics, _format: ErrorFormat, _style: Style) -> String {
    String::new()
}
