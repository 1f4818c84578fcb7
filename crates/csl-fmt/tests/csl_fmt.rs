//! The formatter: its style, and what it never does.

mod programs;
mod style;
