//! One PE: memory, interpreter, DSD engine, task picker, microthreads. It sees the fabric only through [`Ports`].

pub mod cpu;
pub mod memory;
pub mod scalar;
pub mod ports;

pub use ports::{InQueue, NoRegisters, NotEmpty, OutQueue, Outgoing, Ports, Registers, Wake, Wavelet};
