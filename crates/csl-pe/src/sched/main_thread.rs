//! The state of the main thread.

use crate::datapath::Operation;
use crate::scalar::Exit;

/// The state of the main thread, which continues at `Cpu::local_time`.
#[derive(Clone, Debug)]
pub(crate) enum Main {
    /// No task runs.
    Idle,
    /// Scalar code.
    Scalar,
    /// An exit of the interpreter that has to wait: for the fabric's clock, or for a wavelet or room.
    Pending(Exit),
    /// A synchronous operation; its bool goes to register `dst`.
    Vec { run: Operation, dst: u16 },
}

impl Main {
    pub fn is_idle(&self) -> bool {
        matches!(self, Main::Idle)
    }

    /// The input slots that its operation reads.
    pub fn inputs(&self) -> u32 {
        if let Main::Vec { run, .. } = self { run.needs.inputs } else { 0 }
    }
}

/// Whether the main thread continues in this visit.
#[derive(PartialEq, Eq)]
pub(crate) enum Flow {
    On,
    /// It waits for the events that `sleep.rs` finds.
    Wait,
}

/// The cycles from which the next operation of the main thread may issue, by those before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    /// The first cycle in which an operation may use the DSRs loaded last.
    pub dsr_ready: u64,
    /// The address at which the last synchronous operation began to write, and the first cycles in which the next may
    /// issue: any operation, and one that reads there.
    pub last_dest: Option<u16>,
    pub next_ready: u64,
    pub dependent_ready: u64,
}

impl Pace {
    /// The first cycle of an operation whose operands are ready in cycle `settled` and that takes `extra` cycles more.
    pub fn start(&self, run: &Operation, settled: u64, extra: u32) -> u64 {
        let free = if run.reads(self.last_dest) { self.dependent_ready } else { self.next_ready };
        (settled.max(self.dsr_ready) + u64::from(extra)).max(free)
    }
}
