//! CSL text to syntax tree.
//!
//! `text ──lexer──▶ tokens ──grammar──▶ AST`, with diagnostics beside. Nothing here fails or panics,
//! whatever the text.

pub mod ast;
mod symbol;

pub use symbol::Symbol;
