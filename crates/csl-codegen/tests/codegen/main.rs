//! IR through code generation and the interpreter.

mod build;
mod listing;
mod run;
mod scalar;
