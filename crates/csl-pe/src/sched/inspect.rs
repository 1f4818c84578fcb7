//! The state of a PE that waits, as data: for deadlock reports and debuggers.

use csl_image::PeImage;
use csl_machine::{Color, QueueId, TaskId, TaskKind};

use super::hazard::Resource;
use super::main_thread::Main;
use super::microthread::Microthread;
use super::state::Sched;
use super::tasks::find_in_table;
use crate::datapath::{Cursor, Datapath, Operation, Stall};
use crate::event::Thread;
use crate::ports::{InputSlot, Ports};
use crate::queues::InQueue;
use crate::scalar::{Cpu, Exit};

/// The condition for a thread to continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A wavelet of this color, in the input queue that the color has, if it has one.
    Wavelet { queue: Option<QueueId>, color: Color },
    /// Room in an output queue, which the router does not empty.
    Room { queue: QueueId, color: Option<Color> },
    /// Another thread's pop from a FIFO that is full, or its push into one that is empty.
    Fifo { id: u8, is_full: bool },
    /// `@unblock` of the microthread.
    Unblock,
    /// The end of an earlier operation with this resource.
    Earlier(Resource),
}

/// A thread that cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiting {
    pub thread: Thread,
    pub need: Need,
    /// The instruction that waits, or that started the operation.
    pub pc: u32,
    /// The number of elements left to move; `None` for endless operations.
    pub left: Option<u32>,
}

/// The task table, one bit an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskState {
    /// Active local tasks.
    pub active: u32,
    /// The active local tasks that are blocked.
    pub active_and_blocked: u32,
    /// Blocked colors (WSE-2) or input queues (WSE-3).
    pub blocked_channels: u32,
    /// Local ids that a function is bound to, and that have never run.
    pub never_run: u32,
    /// Local tasks that were activated while they were active, so that they ran once for both.
    pub met_active: u32,
    /// Host calls that have not started yet.
    pub waiting_calls: usize,
    /// Input slots that an operation reads, whatever it waits for.
    pub reading: u32,
}

/// The control task that a wavelet names: one that a function is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedTask {
    pub id: TaskId,
    pub is_blocked: bool,
}

impl Sched {
    /// Threads that wait for something outside themselves.
    pub fn waiting(&self, cpu: &Cpu, data: &Datapath, program: &PeImage, ports: &Ports) -> Vec<Waiting> {
        let main = self.main_waits(cpu, data, program, ports);
        main.into_iter().chain(self.uts.iter().filter_map(|ut| self.ut_waits(ut, data, ports))).collect()
    }

    fn ut_waits(&self, ut: &Microthread, data: &Datapath, ports: &Ports) -> Option<Waiting> {
        let need = if self.is_ut_blocked(ut) {
            Need::Unblock
        } else {
            need(ut.run.stall(ports, &data.fifos)?, &ut.run, ports)
        };
        Some(Waiting { thread: Thread::Microthread(ut.id), need, pc: ut.pc, left: ut.run.left.finite() })
    }

    fn main_waits(&self, cpu: &Cpu, data: &Datapath, program: &PeImage, ports: &Ports) -> Option<Waiting> {
        let waiting = |need, left| Waiting { thread: Thread::Main, need, pc: cpu.at(), left };
        match &self.main {
            Main::Vec { run, .. } => {
                let stall = run.stall(ports, &data.fifos)?;
                Some(waiting(need(stall, run, ports), run.left.finite()))
            }
            Main::Pending(Exit::IterNext { iter, .. } | Exit::IterPut { iter, .. }) => {
                let iter = data.iter(*iter)?;
                let need = match iter.operand.cursor {
                    Cursor::In(input) => wavelet(input.slot, ports),
                    Cursor::Out(out) => Need::Room { queue: ports.outputs[out.slot].queue, color: Some(out.color) },
                    _ => return None,
                };
                Some(waiting(need, iter.left.finite()))
            }
            Main::Pending(exit) => {
                let hazard = self.hazard_at(*exit, cpu, data, program, ports)?;
                Some(waiting(Need::Earlier(hazard.resource), None))
            }
            _ => None,
        }
    }

    pub fn task_state(&self) -> TaskState {
        TaskState {
            active: self.tasks.active(),
            active_and_blocked: self.tasks.active_and_blocked(),
            blocked_channels: self.tasks.blocked_channels(),
            never_run: self.tasks.never_run(),
            met_active: self.tasks.met_active(),
            waiting_calls: self.calls.waiting.len(),
            reading: self.busy_inputs(),
        }
    }

    /// The control task that the head of an input queue names, if it is a control wavelet that names one.
    pub fn named_task(&self, program: &PeImage, input: &InQueue) -> Option<NamedTask> {
        let head = input.front().filter(|head| head.control)?;
        let id = self.tasks.entry(self.tasks.channel(input)?, head)?;
        find_in_table(program, TaskKind::Control, id)?;
        Some(NamedTask { id, is_blocked: self.tasks.is_control_blocked(id) })
    }

    /// The instruction of the main thread while a task runs.
    pub fn running(&self, cpu: &Cpu) -> Option<u32> {
        match &self.main {
            Main::Idle => None,
            Main::Scalar | Main::Pending(Exit::QuantumEnd) => Some(cpu.pc()),
            Main::Pending(_) | Main::Vec { .. } => Some(cpu.at()),
        }
    }
}

fn wavelet(slot: InputSlot, ports: &Ports) -> Need {
    let input = &ports.inputs[slot];
    Need::Wavelet { queue: input.queue, color: input.color }
}

fn need(stall: Stall, run: &Operation, ports: &Ports) -> Need {
    match stall {
        Stall::Input(slot) => wavelet(slot, ports),
        Stall::Output(slot) => {
            let color = if let Cursor::Out(out) = run.dest.cursor { Some(out.color) } else { None };
            Need::Room { queue: ports.outputs[slot].queue, color }
        }
        Stall::Fifo(id) => {
            let reads = run.srcs.iter().any(|src| matches!(src.cursor, Cursor::Fifo(of) if of == id));
            Need::Fifo { id, is_full: !reads }
        }
    }
}
