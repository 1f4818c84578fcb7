//! Text in, tokens, trees, diagnostics and text out.

mod depth;
mod fuzz;
mod programs;
mod support;
mod table;
