//! What a PE waits for, as data: for deadlock reports and debuggers.

use crate::hold::Resource;
use crate::main_thread::Main;
use crate::pe::Pe;
use crate::ports::Ports;
use crate::scalar::Exit;
use crate::vec::cursor::Cursor;
use crate::vec::run::{Stall, VecRun};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thread {
    Main,
    Microthread(u8),
}

/// What a thread needs before it can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A wavelet of this color; `queue` is 0xff where the color has none.
    Wavelet { queue: u8, color: u8 },
    /// Room in an output queue, which the router does not empty.
    Room { queue: u8, color: u8 },
    /// Another thread's push or pop.
    Fifo(u8),
    /// `@unblock` of the microthread.
    Unblock,
    /// The end of an earlier operation, which has this.
    Earlier(Resource),
}

/// A thread that cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiting {
    pub thread: Thread,
    pub need: Need,
    /// The instruction that waits, or that started the operation.
    pub pc: u32,
    /// Elements still to move; `None` for endless operations.
    pub left: Option<u32>,
}

/// The task table, one bit an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskState {
    /// Active local tasks.
    pub active: u32,
    /// Those of them that are blocked.
    pub held: u32,
    /// Blocked colors (WSE-2) or input queues (WSE-3).
    pub blocked_channels: u32,
    /// Host calls that have not started yet.
    pub waiting_calls: usize,
    /// Input slots that an operation reads, whatever it waits for.
    pub reading: u32,
}

impl Pe {
    /// Threads that wait for something outside themselves.
    pub fn waiting(&self, ports: &Ports) -> Vec<Waiting> {
        let main = self.main_waits(ports);
        main.into_iter().chain(self.uts.iter().filter_map(|ut| self.ut_waits(ut, ports))).collect()
    }

    fn ut_waits(&self, ut: &crate::microthread::Microthread, ports: &Ports) -> Option<Waiting> {
        let blocked = self.ut_blocked >> (ut.id & 7) & 1 == 1;
        let need = if blocked { Need::Unblock } else { need(ut.run.stall(ports, &self.fifos)?, &ut.run, ports) };
        Some(Waiting { thread: Thread::Microthread(ut.id), need, pc: ut.pc, left: left(&ut.run) })
    }

    fn main_waits(&self, ports: &Ports) -> Option<Waiting> {
        let waiting = |need, left| Waiting { thread: Thread::Main, need, pc: self.cpu.at(), left };
        match &self.main {
            Main::Vec { run, .. } => {
                let stall = run.stall(ports, &self.fifos)?;
                Some(waiting(need(stall, run, ports), left(run)))
            }
            Main::Pending(Exit::IterNext { iter, .. } | Exit::IterPut { iter, .. }) => {
                let iter = self.iters.get(usize::from(*iter))?;
                let need = match iter.operand.cursor {
                    Cursor::In(input) => wavelet(input.slot, ports),
                    Cursor::Out(out) => {
                        Need::Room { queue: ports.outputs[usize::from(out.slot)].queue, color: out.color }
                    }
                    _ => return None,
                };
                Some(waiting(need, Some(iter.left).filter(|&left| left != u32::MAX)))
            }
            Main::Pending(exit) => {
                let hold = self.held_at(*exit, ports)?;
                Some(waiting(Need::Earlier(hold.resource), None))
            }
            _ => None,
        }
    }

    pub fn task_state(&self) -> TaskState {
        TaskState {
            active: self.tasks.active(),
            held: self.tasks.held(),
            blocked_channels: self.tasks.blocked_channels(),
            waiting_calls: self.calls.len(),
            reading: self.reading(),
        }
    }

    fn reading(&self) -> u32 {
        let main = if let Main::Vec { run, .. } = &self.main { run.needs.inputs } else { 0 };
        self.uts.iter().fold(main, |all, ut| all | ut.run.needs.inputs)
    }

    /// Whether a task runs, as far as the PE has run.
    pub fn is_running(&self) -> bool {
        !matches!(self.main, Main::Idle)
    }

    /// The instruction that the main thread stands at while a task runs.
    pub fn running(&self) -> Option<u32> {
        match &self.main {
            Main::Idle => None,
            Main::Scalar | Main::Pending(Exit::SliceEnd) => Some(self.cpu.pc),
            Main::Pending(_) | Main::Vec { .. } => Some(self.cpu.at()),
        }
    }

    /// The instruction of the main thread and its callers, innermost first; empty while no task runs.
    pub fn call_stack(&self) -> Vec<u32> {
        if self.is_running() { self.cpu.call_stack() } else { Vec::new() }
    }
}

fn left(run: &VecRun) -> Option<u32> {
    Some(run.left).filter(|&left| left != u32::MAX)
}

fn wavelet(slot: u8, ports: &Ports) -> Need {
    let input = &ports.inputs[usize::from(slot)];
    Need::Wavelet { queue: input.queue, color: input.color }
}

fn need(stall: Stall, run: &VecRun, ports: &Ports) -> Need {
    match stall {
        Stall::Input(slot) => wavelet(slot, ports),
        Stall::Output(slot) => {
            let color = if let Cursor::Out(out) = run.dest.cursor { out.color } else { 0xff };
            Need::Room { queue: ports.outputs[usize::from(slot)].queue, color }
        }
        Stall::Fifo(id) => Need::Fifo(id),
    }
}
