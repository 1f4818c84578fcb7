//! memcpy: requests of the host, from the call to the PEs' memories and back.
//!
//! - [`command`]: a request as a value, and the rectangle, endpoint and spread that it names.
//! - [`check`]: the one check of a request, before anything moves.
//! - [`host`]: requests that are taken and not done, their order, and their answers.
//! - [`delivery`]: when a request and each of its words reach the tiles.
//! - [`tile`]: what one tile has of it: its command stream, streams in and out.
//! - [`carry_out`]: the tile's part, carried out when its time comes.

mod carry_out;
mod check;
mod command;
mod delivery;
mod host;
mod tile;

pub use command::{Command, Endpoint, Rect, Spread, Ticket, Width};
pub(crate) use host::Host;
pub(crate) use tile::{Done, TileHost};
