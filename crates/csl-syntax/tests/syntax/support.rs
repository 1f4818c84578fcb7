//! Functions that the tests share.

use csl_diag::{Diagnostics, FileId, Rendering, SourceMap};
use csl_syntax::ast::File;

pub fn parse(text: &str) -> (File, Diagnostics) {
    csl_syntax::parse(FileId(0), text)
}

/// The diagnostics as a person sees them.
pub fn rendered(name: &str, text: &str) -> String {
    let mut sources = SourceMap::new();
    let file = sources.add(name, text);
    let (_, diagnostics) = csl_syntax::parse(file, text);
    csl_diag::render(&sources, &diagnostics, &Rendering::default())
}

/// The tree in full, spans aside.
pub fn without_spans(file: &File) -> String {
    let text = format!("{file:?}");
    let mut parts = text.split("Span { ");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |out, part| out + part.split_once('}').map_or(part, |(_, rest)| rest))
}
