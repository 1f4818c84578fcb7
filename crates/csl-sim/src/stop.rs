//! The ways in which a simulation stops, as values; `csl-host` turns them into texts.

use csl_machine::{Color, Direction, ProgramId, QueueId, TaskId};
use csl_pe::NamedTask;

use crate::memcpy::Ticket;

/// Memory was asked for of a PE that does not exist or runs no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("PE ({x}, {y}) does not exist or runs no program")]
pub struct NoSuchPe {
    pub x: u32,
    pub y: u32,
}

/// The error of a blocking call: the reason why it did not finish.
#[derive(Clone, Debug, PartialEq)]
pub enum RunError {
    Fault(Box<FaultReport>),
    /// Nothing can move any more, and the host still waits.
    Deadlock(Box<BlockedState>),
    /// The interrupt flag was set: the machine stands at a whole cycle and may go on.
    Interrupted(Box<BlockedState>),
    /// The run has reached its limit of cycles.
    OutOfCycles(Box<BlockedState>),
}

/// A fault of a PE or of its router.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultReport {
    pub cycle: u64,
    pub x: u32,
    pub y: u32,
    pub what: FaultKind,
}

impl FaultReport {
    /// The fault, if it is one of a PE.
    pub fn of_pe(&self) -> Option<&csl_pe::Fault> {
        match &self.what {
            FaultKind::Pe(fault) => Some(fault),
            _ => None,
        }
    }
}

/// The kinds of faults.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// A fault of the program.
    Pe(csl_pe::Fault),
    /// A fault of the fabric.
    Fabric(csl_fabric::Fault),
    /// A copy of memcpy into or out of memory that does not exist, by a pointer variable that points nowhere.
    BadPointer { id: u16, addr: u16, bytes: u32 },
}

/// An account of the machine: running and waiting threads, and stalled wavelets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockedState {
    pub cycle: u64,
    /// The commands that the host waits for, oldest first.
    pub host: Vec<HostWait>,
    /// Launched functions that have not called `unblock_cmd_stream()`.
    pub unfinished: Vec<Group<UnfinishedLaunch>>,
    /// Collective operations that wait for a root which is not there.
    pub astray: Vec<Group<Astray>>,
    /// Threads that wait for something outside themselves.
    pub threads: Vec<Group<ThreadWait>>,
    /// Main threads that run a task and wait for nothing.
    pub running: Vec<Group<Running>>,
    /// Active local tasks that do not run: they are blocked, or wait for their turn.
    pub tasks: Vec<Group<TaskWait>>,
    /// Tasks of PEs that are waited for and have nothing under way: what could still start there, and what has.
    pub idle_tasks: Vec<Group<IdleTask>>,
    /// The output queues by which wavelets were sent.
    pub sent: Vec<Group<Sent>>,
    /// Wavelets that are stalled in routers.
    pub wavelets: Vec<Group<Stalled>>,
    /// Wavelets at the ramp that neither a task nor an operation takes.
    pub unread: Vec<Group<Unread>>,
    /// Wavelets that do not leave their PE's output queues.
    pub outputs: Vec<Group<StalledOutput>>,
    /// The places where main threads have waited for a microthread or queue in use, whether or not they still do.
    pub hazards: Vec<Group<HazardOfMain>>,
    /// The places where programs have accessed registers that no part of the machine serves.
    pub unserved: Vec<Group<StrangeRegister>>,
    /// Activations of ids that nothing is bound to.
    pub unbound: Vec<Group<UnboundTask>>,
    /// The places that read the time stamp counter where nothing has started it.
    pub unstarted: Vec<Group<UnstartedRead>>,
    /// The numbers of wavelets in routers, at the ramp and in output queues, by color.
    pub counts: Vec<Count>,
    /// Wavelets that have left the program and were dropped by the fabric around it, by color.
    pub dropped: Vec<Group<Dropped>>,
    /// What filters have kept from PEs that wait for wavelets of the color, by color.
    pub filtered: Vec<Group<Filtered>>,
}

impl BlockedState {
    /// Whether any main thread waits.
    pub fn has_waiting_main(&self) -> bool {
        self.threads.iter().any(|group| group.what.waiting.thread == csl_pe::Thread::Main)
    }
}

/// A mistake that checked PEs have found in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub program: ProgramId,
    pub complaint: csl_pe::Complaint,
}

/// Wavelets of a color that have left the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dropped {
    pub color: Color,
    pub wavelets: u64,
    /// The side of the first PE by which they left.
    pub side: Direction,
}

/// Wavelets of a color that filters have not let up the ramps of the PEs of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filtered {
    pub color: Color,
    pub wavelets: u64,
}

/// Wavelets of a color that are left in routers, input queues and output queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub color: Color,
    pub wavelets: u64,
    /// The number of PEs with such wavelets.
    pub pes: u64,
}

/// A function that has been launched and has not unblocked the command stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnfinishedLaunch {
    /// Id of the export.
    pub function: u16,
}

/// A thread that waits, in a program of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadWait {
    pub program: ProgramId,
    pub waiting: csl_pe::Waiting,
}

/// A main thread that has waited for an earlier operation with its microthread or queue (a structural hazard).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HazardOfMain {
    pub program: ProgramId,
    pub hazard: csl_pe::Hazard,
}

/// A place where a program has accessed a register that no part of the machine serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrangeRegister {
    pub program: ProgramId,
    pub place: csl_pe::Unserved,
}

/// An activation of an id that nothing is bound to in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnboundTask {
    pub program: ProgramId,
    pub activation: csl_pe::UnboundActivation,
}

/// A read of the time stamp counter by a program that never starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnstartedRead {
    pub program: ProgramId,
    pub pc: u32,
}

/// A collective operation of a program whose root is no PE of its row or column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Astray {
    pub program: ProgramId,
    pub root: csl_pe::AstrayRoot,
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
    pub id: TaskId,
    pub is_blocked: bool,
}

/// A task of a PE that is waited for, although it has nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdleTask {
    pub program: ProgramId,
    pub id: TaskId,
    pub what: IdleReason,
}

/// The reason why a task does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdleReason {
    /// A data task: all wavelets that came in its queue have been taken.
    Wavelets { color: Color, queue: Option<QueueId>, came: u32 },
    /// A local task that was never activated.
    NeverActivated,
    /// A local task that was activated while it was active, so that it ran once for both.
    MetActive,
}

/// Wavelets that a PE has put into an output queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sent {
    pub program: ProgramId,
    pub queue: QueueId,
    /// The queue's color; where each operation names its own, that of the last wavelet.
    pub color: Color,
    pub wavelets: u32,
    /// The instruction that began to send last.
    pub pc: Option<u32>,
}

/// Wavelets in a router's input buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stalled {
    pub color: Color,
    /// The side that they came from; the ramp for those from the CE.
    pub from: Direction,
    pub why: csl_fabric::StallReason,
}

/// Wavelets in an input queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unread {
    /// The queue; none where the color has none.
    pub queue: Option<QueueId>,
    pub color: Color,
    /// Whether the first of them is a control wavelet.
    pub is_control: bool,
    /// The control task that it names then, if it names one.
    pub named: Option<NamedTask>,
    /// Whether the color (WSE-2) or queue (WSE-3) is blocked: no task may take them.
    pub is_blocked: bool,
}

/// Wavelets in an output queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StalledOutput {
    pub queue: QueueId,
    pub color: Color,
    /// Whether no route takes the color, so that the wavelets can only go to the host, which does not read them.
    pub unrouted: bool,
}

/// A pending command, with the reasons why its tiles have not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostWait {
    pub ticket: Ticket,
    /// The number of PEs that have not finished the command.
    pub pes: u64,
    pub reasons: Vec<Group<HostReason>>,
}

/// The reason why a tile has not finished a command of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostReason {
    /// The PE has not called `unblock_cmd_stream()` since its last launch.
    CommandStream,
    /// An earlier command is not done.
    EarlierCommand,
    /// memcpy's tasks cannot run: a task or synchronous operation holds the main thread.
    MainThread,
    /// The launched function has not been called: a task holds the main thread, or the RPC task is blocked.
    NotCalled,
    /// The PE does not take the words of this color; `left` words are still to come.
    StreamIn { color: Color, left: u32 },
    /// The PE has sent too few words on this color; `missing` are still to come.
    StreamOut { color: Color, missing: u32 },
}

/// Tiles with the same state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<T> {
    pub what: T,
    pub tiles: u64,
    /// The first of the tiles by row, then column.
    pub x: u32,
    pub y: u32,
}
