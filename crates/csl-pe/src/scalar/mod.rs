//! The scalar core of a PE: the registers of the main thread and the interpreter of its code. It knows nothing of queues,
//! tasks or vector operations: what stands around it is a [`Surroundings`], and it stops with an [`Exit`] at whatever it
//! does not do itself.

mod cpu;
mod exceptions;
mod exit;
mod interpret;
mod ops;
mod surroundings;

pub use cpu::{Cpu, CpuFault, MAX_CALL_DEPTH};
pub use exit::{Exit, RegisterLoad};
pub use interpret::{half_kind, run};
pub use ops::canonical;
pub use surroundings::Surroundings;

pub use exceptions::raised_by;
