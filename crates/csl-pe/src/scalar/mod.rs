//! The scalar core of a PE: the registers of the main thread and the interpreter of its code. It knows no queues, tasks
//! or vector operations: it sees its surroundings as a [`Surroundings`], and stops with an [`Exit`] for any other work.

mod block;
mod cpu;
mod exceptions;
mod exit;
mod interpret;
#[cfg(feature = "jit")]
pub mod native;
mod ops;
mod surroundings;

pub use cpu::{Cpu, CpuFault, MAX_CALL_DEPTH};
pub use exit::{Exit, RegisterLoad};
pub use interpret::run;
pub use ops::canonical;
pub use surroundings::{Instant, Surroundings};

pub use exceptions::raised_by;
