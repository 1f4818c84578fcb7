//! Routing, one feature a test, on fabrics drawn as text.

mod flow;
mod property;
mod scene;
mod switches;
