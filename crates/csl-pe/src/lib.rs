//! One PE: memory, interpreter, DSD engine, task picker, microthreads. It sees the fabric only through [`Ports`].

pub mod cpu;
pub mod event;
mod exceptions;
pub mod fault;
mod fifo;
mod hold;
pub mod inspect;
mod iterator;
mod main_thread;
pub mod memory;
mod microthread;
mod pe;
pub mod ports;
mod registers;
mod rpc;
pub mod scalar;
mod system;
mod tasks;
mod trace;
mod vec;

pub use event::{Element, Event, EventKind, Issue, Printed};
pub use fault::{Fault, FaultKind};
pub use hold::{Hold, Resource};
pub use inspect::{Need, TaskState, Thread, Waiting};
pub use pe::Pe;
pub use ports::{InQueue, NoRegisters, NotEmpty, OutQueue, Outgoing, Ports, Registers, Wake};
pub use registers::Unserved;
