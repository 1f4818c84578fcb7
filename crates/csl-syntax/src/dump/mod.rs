//! Tokens and trees as stable text, for `--emit` and for tests.

mod ast;
mod node;
mod tokens;

pub use ast::dump_ast;
pub use tokens::dump_tokens;
