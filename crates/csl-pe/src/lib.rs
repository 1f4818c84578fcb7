//! One PE: memory, interpreter, DSD engine, task picker, microthreads. It sees the fabric only through [`Ports`].

pub mod cpu;
pub mod fault;
mod fifo;
pub mod memory;
pub mod ports;
pub mod scalar;
mod vec;

pub use fault::{Fault, FaultKind};
pub use ports::{InQueue, NoRegisters, NotEmpty, OutQueue, Outgoing, Ports, Registers, Wake, Wavelet};
