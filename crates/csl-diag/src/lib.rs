//! Source files, spans and diagnostics: the words in which every crate of the compiler reports.
//!
//! Every crate of the compiler reports through [`Diagnostic`]; this crate alone renders them, and it alone uses
//! codespan-reporting. It knows nothing of tokens or syntax trees.

mod codes;
mod diagnostic;
mod excerpt;
mod human;
mod json;
mod printable;
mod render;
mod sarif;
mod source;

pub use codes::{Code, Severity};
pub use diagnostic::{Diagnostic, Diagnostics, Edit, Label, Reported, TraceFrame};
pub use printable::printable;
pub use render::{ErrorFormat, Rendering, USUAL_LIMIT, render};
pub use source::{FileId, SourceMap, Span};
