//! The machine: joins PEs ([`csl_pe`]) and routers ([`csl_fabric`]), owns the clock and memcpy, and answers the host.
//!
//! The clock advances only inside blocking calls ([`Sim::wait`], [`Sim::stop`]) and, by a fixed quantum, in
//! [`Sim::is_done`]. Everything that can go wrong is a value; nothing here renders text, reads a file or a clock.

mod command;
mod options;
mod sim;
mod stop;

pub use command::{Command, Endpoint, Port, Rect, Spread, Ticket, Width};
pub use options::{SimOptions, Traces};
pub use sim::Sim;
pub use stop::{Deadlock, FaultKind, FaultReport, Group, HostWait, HostWaitKind, SimError, Stop};
