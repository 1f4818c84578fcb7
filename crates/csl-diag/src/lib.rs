//! Source files, spans and diagnostics: what went wrong, where, why, and what to do.
//!
//! Every crate of the compiler reports through [`Diagnostic`]; only this crate renders one, and it is
//! the only user of codespan-reporting. It knows nothing of tokens or syntax trees.

mod codes;
mod diagnostic;
mod human;
mod json;
mod render;
mod source;

pub use codes::{Code, Severity};
pub use diagnostic::{Diagnostic, Diagnostics, Label, Reported, TraceFrame};
pub use render::{ErrorFormat, Style, render};
pub use source::{FileId, SourceMap, Span};
