//! The machine: joins PEs ([`csl_pe`]) and routers ([`csl_fabric`]), owns the clock and memcpy, and answers the host.
//!
//! The clock advances only inside blocking calls ([`Sim::wait`], [`Sim::stop`]) and, by a fixed quantum, in
//! [`Sim::is_done`]. Every error is a value: `csl-host` makes a report of a run that stops, and [`RequestError`] is the
//! message for a request that is wrong in itself. Nothing here reads a file or a clock.

mod blocked_state;
mod edges;
mod element;
mod element_row;
mod ending;
mod event;
mod gauge;
mod index_set;
mod machine;
mod memcpy;
mod options;
mod registers;
mod routes;
mod row;
mod rows;
mod sim;
mod stop;
mod threading;
mod tile;
mod untimed;
mod untimed_row;
mod window;
mod world;

pub use csl_pe::TimeReads;
pub use edges::{Port, PortError};
pub use ending::Ending;
pub use event::{Event, EventKind, Sink};
pub use gauge::Gauge;
pub use memcpy::{Command, Copy, Endpoint, Names, Order, Rect, RequestError, Shape, Span, Spread, Ticket, Width};
pub use options::{Check, NATIVE_AFTER, SimOptions, Tiles, Traces, Windows};
pub use sim::Sim;
pub use stop::{
    Astray, BlockedState, Count, Dropped, FaultKind, FaultReport, Filtered, Group, HazardOfMain, HostReason, HostWait,
    IdleReason, IdleTask, Mistake, NoSuchPe, RunError, Running, Sent, Stalled, StalledOutput, StrangeRegister,
    TaskWait, ThreadWait, UnboundTask, UnfinishedLaunch, Unread, UnstartedRead,
};
