//! Why a simulation stops, as values; `csl-host` turns them into texts.

use csl_machine::{Direction, ProgramId};

use crate::memcpy::Ticket;

/// Memory was asked for of a PE that does not exist or runs no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("PE ({x}, {y}) does not exist or runs no program")]
pub struct NoSuchPe {
    pub x: u32,
    pub y: u32,
}

/// Why a blocking call did not finish.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    Fault(Box<FaultReport>),
    /// Nothing can move any more, and the host still waits.
    Deadlock(Box<Situation>),
    /// The interrupt flag was set: the machine stands at a whole cycle and may go on.
    Interrupted(Box<Situation>),
    /// The run has taken as many cycles as it may.
    OutOfCycles(Box<Situation>),
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
    /// In the program.
    Pe(csl_pe::Fault),
    /// In the fabric.
    Fabric(csl_fabric::Fault),
    /// memcpy was to copy into or out of memory that does not exist: a pointer variable that points nowhere.
    BadPointer { id: u16, addr: u16, bytes: u32 },
}

/// Who runs or waits, for what and where, and where wavelets stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Situation {
    pub cycle: u64,
    /// What the host waits for, oldest first.
    pub host: Vec<HostWait>,
    /// Launched functions that have not called `unblock_cmd_stream()`.
    pub unended: Vec<Group<Unended>>,
    /// Threads that wait for something outside themselves.
    pub threads: Vec<Group<ThreadWait>>,
    /// Main threads that run a task and wait for nothing.
    pub running: Vec<Group<Running>>,
    /// Active local tasks that do not run: blocked ones, or such as wait for their turn.
    pub tasks: Vec<Group<TaskWait>>,
    /// Wavelets that stand in routers.
    pub wavelets: Vec<Group<Standing>>,
    /// Wavelets at the ramp that neither a task nor an operation takes.
    pub unread: Vec<Group<Unread>>,
    /// Wavelets that do not leave their PE's output queues.
    pub outputs: Vec<Group<Held>>,
    /// Where main threads have held so far, whether or not they still do.
    pub holds: Vec<Group<HeldMain>>,
    /// Where programs have reached for registers that no part of the machine serves.
    pub unserved: Vec<Group<StrangeRegister>>,
    /// How many there are of these three, by color.
    pub standing: Vec<Count>,
    /// Wavelets that have left the program and were dropped by the fabric around it, by color.
    pub lost: Vec<Group<Lost>>,
}

/// Wavelets of a color that have left the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lost {
    pub color: u8,
    pub wavelets: u64,
    /// The side of the first PE by which they left.
    pub side: Direction,
}

/// Wavelets of a color that stand in routers, input queues and output queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub color: u8,
    pub wavelets: u64,
    /// PEs where any of them stand.
    pub pes: u64,
}

/// A function that has been launched and has not unblocked the command stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unended {
    /// Id of the export.
    pub function: u16,
}

/// A thread that waits, in a program of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadWait {
    pub program: ProgramId,
    pub waiting: csl_pe::Waiting,
}

/// A main thread that has held for an earlier operation, which had its microthread or queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldMain {
    pub program: ProgramId,
    pub hold: csl_pe::Hold,
}

/// A place that has reached for a register that no part of the machine serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrangeRegister {
    pub program: ProgramId,
    pub place: csl_pe::Unserved,
}

/// A main thread in the middle of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Running {
    pub program: ProgramId,
    /// The instruction that ran last.
    pub pc: u32,
}

/// A local task that is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskWait {
    pub program: ProgramId,
    pub id: u8,
    pub is_blocked: bool,
}

/// Wavelets in a router's input buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Standing {
    pub color: u8,
    /// The side that they came from; the ramp: from the CE.
    pub from: Direction,
    pub why: csl_fabric::Obstacle,
}

/// Wavelets in an input queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unread {
    /// 0xff where the color has no queue.
    pub queue: u8,
    pub color: u8,
    /// The first of them is a control wavelet.
    pub is_control: bool,
    /// The color (WSE-2) or queue (WSE-3) is blocked: no task may take them.
    pub is_blocked: bool,
}

/// Wavelets in an output queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    pub queue: u8,
    pub color: u8,
    /// No route takes the color, so it can only go to the host, who does not read it.
    pub unrouted: bool,
}

/// A pending command: what its tiles wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostWait {
    pub ticket: Ticket,
    /// PEs that have not finished it.
    pub pes: u64,
    pub reasons: Vec<Group<HostReason>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostReason {
    /// The PE has not called `unblock_cmd_stream()` since its last launch.
    CommandStream,
    /// A command before this one is not done.
    EarlierCommand,
    /// memcpy's tasks do not get to run: a task or synchronous operation holds the main thread.
    MainThread,
    /// The launched function has not been called: a task holds the main thread, or the RPC task is blocked.
    NotCalled,
    /// The PE does not take the words of this color; `left` are still to come.
    StreamIn { color: u8, left: u32 },
    /// The PE has sent too little on this color; `missing` words.
    StreamOut { color: u8, missing: u32 },
}

/// Tiles for which the same holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<T> {
    pub what: T,
    pub tiles: u64,
    /// The first of them by row, then column.
    pub x: u32,
    pub y: u32,
}
