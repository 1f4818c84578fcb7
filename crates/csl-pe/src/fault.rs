//! Faults of a PE, as data: the host renders them with the line table.

use csl_machine::{DsrFile, QueueId, TaskId};

use crate::complaint::Wrong;
use crate::scalar::CpuFault;

/// The reason why a PE stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A local or control task was started that no function is bound to.
    UnboundTask {
        control: bool,
        id: TaskId,
    },
    /// A completion, activation or block names an id that the chip does not have.
    NoSuchTask {
        id: u16,
    },
    /// An operation on a fabric DSD whose queue is bound to no color, or that names neither.
    NoQueue {
        output: bool,
        queue: Option<QueueId>,
    },
    /// A queue with wavelets in it was bound to another color.
    QueueNotEmpty {
        output: bool,
        queue: QueueId,
    },
    /// An explicit DSR was used before it was loaded.
    EmptyDsr {
        file: DsrFile,
        id: u8,
    },
    /// The operand cannot stand there: a `fabin` as destination, a FIFO that does not exist, a scalar destination, ...
    BadOperand(&'static str),
    /// A half wavelet has landed in an input queue without dense mode (undefined, by the guide).
    HalfWavelet {
        queue: QueueId,
    },
    /// A remote procedure call by wavelets had a number of arguments that the function does not take.
    BadRpc {
        function: u16,
        given: u8,
    },
    FifoEmpty {
        fifo: u8,
    },
    FifoFull {
        fifo: u8,
    },
    /// An operation can never end and never moves: it waits for nothing.
    EndlessOperation,
    AssertionFailed,
    /// The program reads the time in a run without a clock.
    NoClock,
    /// An unmasked floating-point exception, in the bits of `<tile_config>`'s exception register.
    FpException {
        raised: u16,
    },
    /// A fault of scalar code: division by zero, the stack, a bad function pointer, ...
    Scalar(CpuFault),
    /// A complaint of a PE that is to stop at the first (`--check=stop`).
    Checked(Wrong),
    /// A row of a table that the image does not have; possible only if the image was not checked.
    BadCode(&'static str),
    /// A service that the machine does not have yet.
    Unsupported(&'static str),
}

/// The fault of a PE that stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    pub cycle: u64,
    /// The instruction, if one was running.
    pub pc: Option<u32>,
    /// The return addresses, the innermost first.
    pub stack: Vec<u32>,
}
