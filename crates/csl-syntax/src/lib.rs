//! Parses CSL text into a syntax tree.
//!
//! `text ──lexer──▶ tokens ──adapter──▶ tokens ──grammar──▶ AST`, with diagnostics beside. No function here fails or
//! panics, whatever the text.

mod actions;
mod adapter;
pub mod ast;
mod docs;
mod dump;
mod expected;
mod habits;
mod hints;
mod lexer;
mod literal;
mod parser;
mod print;
mod recover;
mod symbol;
mod token;
pub mod walk;

pub use dump::{dump_ast, dump_tokens};
pub use habits::habit;
pub use lexer::lex;
pub use parser::parse;
pub use print::print;
pub use symbol::Symbol;
pub use token::{Lexeme, Token};

lalrpop_util::lalrpop_mod!(
    #[allow(clippy::all, unused)]
    grammar,
    "/csl.rs"
);
