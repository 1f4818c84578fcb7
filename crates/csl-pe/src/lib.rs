//! One PE in four parts. Each names only those above it (`tests/pe/layers.rs` holds that):
//!
//! | module | its part |
//! |---|---|
//! | [`scalar`] | registers and interpreter of the main thread's code; it knows its surroundings as a trait |
//! | `datapath` | memory, data structure registers, FIFOs, vector operations |
//! | `check` | the shadow of a checked PE: objects, memory that was never written, races |
//! | `sched` | tasks, microthreads, the issue slot, completions; the registers and services of the compute element |
//! | [`Pe`] | the parts with a program; the interface for the simulator |
//!
//! A PE sees the fabric only through its queues at the ramp ([`Ports`]) and the registers of its router ([`Registers`]).

mod check;
mod complaint;
mod datapath;
mod event;
mod exceptions;
mod fault;
mod outside;
mod pe;
mod ports;
mod queues;
pub mod scalar;
mod sched;

pub use complaint::{Access, Complaint, Wrong};
pub use datapath::Memory;
pub use event::{Element, Event, EventKind, Issue, Printed, Thread};
pub use fault::{Fault, FaultKind};
pub use outside::{NoRegisters, Registers, Wake};
pub use pe::{Pe, TimeReads};
pub use ports::{BUSY_BYTES, InputSlot, NotEmpty, OutputSlot, Ports};
pub use queues::{InQueue, OutQueue, Outgoing, UNQUEUED};
pub use sched::{
    AstrayRoot, Hazard, NamedTask, Need, Outlet, Resource, TaskState, UnboundActivation, Unserved, Waiting,
};
