//! The scheduler of a PE: tasks and the main thread that runs them, microthreads, the one issue slot of a cycle, and
//! completions; with the compute element's registers and services, which govern all of these.

mod ahead;
mod arbitrate;
mod astray;
mod calls;
mod completions;
mod counters;
mod cycle;
mod exits;
mod handlers;
mod hazard;
mod inspect;
mod look;
mod main_thread;
mod microthread;
mod registers;
mod rpc;
mod services;
mod shared;
mod sleep;
mod start;
mod state;
mod stream;
mod streams;
mod tasks;
mod tracer;
mod unbound;
mod unserved;
mod vector;
mod watch;

pub use ahead::Outlet;
pub use astray::AstrayRoot;
pub use hazard::{Hazard, Resource};
pub use inspect::{NamedTask, Need, TaskState, Waiting};
pub use unbound::UnboundActivation;
pub use unserved::Unserved;

pub(crate) use calls::Call;
pub(crate) use state::{Sched, Visit};
