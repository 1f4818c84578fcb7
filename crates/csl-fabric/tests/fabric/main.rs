//! Tests of routing: the scenes of `tests/fabric`, and properties of random routes.

mod config;
mod drawing;
mod fabric;
mod messages;
mod property;
mod registers;
mod scene;
