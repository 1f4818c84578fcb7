//! The datapath of a PE: memory, data structure registers, FIFOs, and the vector operations over them. It does not
//! decide when a thread may issue: the scheduler asks whether an operation can issue, and lets it.

mod alu;
mod bulk;
mod claim;
mod config;
mod contiguous;
mod cursor;
mod dsr;
mod exceptions;
mod fast;
mod fifo;
mod issue;
mod iterator;
mod length;
mod load;
mod local;
mod memory;
mod memory_loop;
mod operands;
mod operation;
mod setup;
mod state;
mod timing;
mod wavelets;

pub use memory::Memory;

pub(crate) use claim::operands;
pub(crate) use config::Effect;
pub(crate) use cursor::{Cursor, Operand};
pub(crate) use iterator::Turn;
pub(crate) use length::Length;
pub(crate) use load::dsr_of;
pub(crate) use operands::Setup;
pub(crate) use operation::{Message, Operation, Stall, Step};
pub(crate) use setup::Started;
pub(crate) use state::Datapath;
