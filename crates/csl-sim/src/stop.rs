//! Why a simulation stops, as values; `csl-host` turns them into texts.

use crate::command::{Rect, Ticket};

/// A request that is wrong in itself: nothing has moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    #[error("the image is damaged: {0}")]
    Image(String),
    #[error("the program was compiled without memcpy")]
    NoMemcpy,
    #[error("rectangle {rect:?} does not lie within the program's {width} x {height} PEs")]
    Outside { rect: Rect, width: u32, height: u32 },
    #[error("no exported {what} has the id {id}")]
    UnknownId { what: &'static str, id: u16 },
    #[error("PE ({x}, {y}) runs no program that exports the {what} with the id {id}")]
    NotOnPe { what: &'static str, id: u16, x: u32, y: u32 },
    #[error("the function takes {expected} arguments, {found} are given")]
    Arguments { expected: usize, found: usize },
    #[error("{expected} words of data are needed, {found} are given")]
    Length { expected: usize, found: usize },
    #[error("color {0} carries no stream")]
    NotAStream(u8),
    #[error("PE ({x}, {y}) does not exist or runs no program")]
    NoSuchPe { x: u32, y: u32 },
    #[error("the simulation has stopped")]
    Stopped,
}

/// Why a blocking call did not finish.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    Fault(Box<FaultReport>),
    Deadlock(Box<Deadlock>),
    /// The interrupt flag was set: the machine stands at a whole cycle and may go on.
    Interrupted,
}

/// What went wrong on a PE or in its router.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultReport {
    pub cycle: u64,
    pub x: u32,
    pub y: u32,
    pub what: FaultKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// memcpy was to copy into or out of memory that does not exist: a pointer variable that points nowhere.
    BadPointer { id: u16, addr: u16, bytes: u32 },
}

/// Nothing can move any more, and the host still waits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deadlock {
    pub cycle: u64,
    /// What the host waits for, oldest first.
    pub host: Vec<HostWait>,
}

/// A pending command and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostWait {
    pub ticket: Ticket,
    pub kind: HostWaitKind,
    /// PEs that have not finished it.
    pub pes: u64,
    /// One of them.
    pub x: u32,
    pub y: u32,
    /// Words moved, and in all.
    pub words: (u64, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostWaitKind {
    /// The PE has not called `unblock_cmd_stream()` since the command before.
    CommandStream,
    /// memcpy's tasks do not get to run: the main thread is held by a synchronous operation.
    MainThread,
    H2dStream { color: u8 },
    D2hStream { color: u8 },
    Port,
}

/// Tiles for which the same holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<T> {
    pub what: T,
    pub tiles: u64,
    /// The first of them by row, then column.
    pub x: u32,
    pub y: u32,
}
