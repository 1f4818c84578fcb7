//! memcpy: requests of the host, from the call to the PEs' memories and back.
//!
//! - [`command`]: a request as a value, and the rectangle, endpoint and spread that it names.
//! - [`array`]: the host's array, in the host's order from the call to the PE.
//! - [`check`]: the one check of a request, before anything moves; [`error`]: the errors that it can find.
//! - [`host`]: requests that the machine has taken and not finished, their order, and their answers.
//! - [`delivery`]: the times at which a request and each of its words reach the tiles.
//! - [`tile`]: the state of memcpy at one tile: its command stream, streams in and out.
//! - [`carry_out`]: the tile's part, carried out when its time comes.

mod array;
mod carry_out;
mod check;
mod command;
mod delivery;
mod error;
mod host;
mod tile;

pub use array::{Order, Shape};
pub use command::{Command, Copy, Endpoint, Rect, Spread, Ticket, Width};
pub use error::{Names, RequestError};
pub(crate) use host::Host;
pub use host::Span;
pub(crate) use tile::{Done, TileHost};
