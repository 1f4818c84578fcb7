//! Routers, links and buffers of the wafer: colors, routes, switches, filters, swaps. The crate knows the compute
//! elements only as a [`Ramp`], not as interpreters of programs.
//!
//! A wavelet's way: the CE's output queue, `Row::inject` (it lands from RAMP), the input buffer of its color,
//! `Row::route` (through all outputs of the current switch position at once, when each has a credit and has not been
//! granted in this cycle), a batch of its own row or of a neighbour row, `Row::arrive` one hop later, and so on until a
//! route ends at a ramp. Places in an input buffer are counted as credits at the sender; a credit takes one hop back,
//! so that a buffer of two hops streams at one wavelet a cycle.

mod carry;
mod control;
mod edges;
mod event;
mod filter;
mod messages;
mod route;
mod row;
mod state;
mod table;
mod vc_set;
mod virtual_channel;

pub use carry::{Landing, Passing};
pub use event::{
    Dropped, Fault, FaultKind, StallReason, Stalled, SwitchCause, SwitchState, TraceEvent, Traced, landing_hash,
};
pub use filter::FilterState;
pub use row::{Ramp, Row};
pub use state::ColorState;
pub use table::{RouteSet, RouteTable, Run, Target};
pub use virtual_channel::VcId;
