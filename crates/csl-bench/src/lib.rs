//! What benchmarks share: processor time, programs, figures with their marks, and what they are compared with.

pub mod beside;
mod clock;
mod figure;
mod program;

pub use clock::{native_step, seconds, wall};
pub use figure::{Figure, print};
pub use program::{Program, word_of_each};
