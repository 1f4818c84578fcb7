//! The findings of a checked PE, as data: the host words them with the line table.

use csl_machine::{Color, QueueId, TaskId};

/// An access to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Access {
    pub addr: u16,
    /// Bytes of the element.
    pub bytes: u16,
    pub is_store: bool,
}

/// Something that a program does wrong, though the machine carries it out. Objects are numbers of the program's symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wrong {
    /// An access that begins or ends outside the object that it is meant for, or outside of every object.
    Outside { object: Option<u32>, access: Access },
    /// An index that leaves its row of an array of two dimensions.
    BehindRow { object: Option<u32>, index: i16, length: u16 },
    /// A word at an odd address.
    Misaligned { access: Access },
    /// A read of memory that was never written.
    Undefined { object: u32, access: Access },
    /// An access to memory that an asynchronous operation, which the instruction `by` has started, still writes.
    StillWritten { object: Option<u32>, access: Access, by: u32 },
    /// A write into memory that an asynchronous operation still reads.
    StillRead { object: Option<u32>, access: Access, by: u32 },
    /// The command stream is unblocked while an asynchronous operation still writes an object that the host can copy.
    Unblocked { object: u32, by: u32 },
    /// The command stream is unblocked, and no launched function has it blocked.
    UnblockedAgain,
    /// A move reads elements that it has written itself.
    Overlap { object: Option<u32>, steps: u32 },
    /// The buffer of a FIFO, accessed but through the FIFO.
    FifoBuffer { object: u32, access: Access },
    /// An operation has ended at a full or empty FIFO before its last element.
    FifoEnd { fifo: u8, is_full: bool, left: u32 },
    /// Operands in memory of unequal length.
    Lengths { length: u32, other: u32 },
    /// An operation on finite numbers gives an infinity or no number: floating-point exceptions, in the bits of their
    /// register.
    Float { raised: u16 },
    /// An activation of a task that is active already: by scalar code, or by an operation that has ended.
    Active { id: TaskId, is_completion: bool },
    /// An output queue that was never initialised (WSE-3).
    NoQueue { queue: QueueId },
    /// A control wavelet, taken as an ordinary element.
    ControlTaken { color: Color, payload: u32 },
    /// A receive that begins where a data task, which is not blocked, takes words of the same input queue (WSE-3) or color
    /// (WSE-2).
    SharedInput { task: TaskId },
}

impl Wrong {
    /// The kind and the other things that tell one finding at an instruction from another; where they are equal, it is
    /// the same finding again.
    pub fn key(&self) -> (u8, u32) {
        let object = |object: Option<u32>| object.map_or(0, |object| object + 1);
        match *self {
            Wrong::Outside { object: of, access } => (u8::from(access.is_store), object(of)),
            Wrong::BehindRow { object: of, .. } => (2, object(of)),
            Wrong::Misaligned { .. } => (3, 0),
            Wrong::Undefined { object, .. } => (4, object),
            Wrong::StillWritten { by, .. } => (5, by),
            Wrong::StillRead { by, .. } => (6, by),
            Wrong::FifoBuffer { object, .. } => (7, object),
            Wrong::FifoEnd { fifo, .. } => (8, fifo.into()),
            Wrong::Lengths { .. } => (9, 0),
            Wrong::Float { raised } => (10, raised.into()),
            Wrong::Active { id, .. } => (11, id.number().into()),
            Wrong::Unblocked { by, .. } => (13, by),
            Wrong::NoQueue { queue } => (12, queue.number().into()),
            Wrong::ControlTaken { color, .. } => (14, color.number().into()),
            Wrong::UnblockedAgain => (15, 0),
            Wrong::Overlap { object: of, .. } => (16, object(of)),
            Wrong::SharedInput { task } => (17, task.number().into()),
        }
    }

    /// The instruction of the other operation that a finding is about.
    pub fn by(&self) -> Option<u32> {
        match *self {
            Wrong::StillWritten { by, .. } | Wrong::StillRead { by, .. } | Wrong::Unblocked { by, .. } => Some(by),
            _ => None,
        }
    }
}

/// A finding: the first time it was met, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub what: Wrong,
    /// The instruction; none of the host's copies.
    pub pc: Option<u32>,
    /// The cycle in which the instruction's block began.
    pub cycle: u64,
    pub count: u64,
}
