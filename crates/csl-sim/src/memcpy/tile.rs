//! memcpy on one tile: the command stream, streams into it and out of it.
//!
//! A tile takes its commands in order; a launch holds the command stream until the program calls
//! `unblock_cmd_stream()`. A copy happens in one go between two tasks, once its words have had the time to arrive. A
//! stream begins when the tile comes to its command; the words reach the program's color one by one, as there is room.

use csl_machine::Color;
use std::collections::VecDeque;
use std::sync::Arc;

use super::array::HostArray;
use super::command::{Ticket, Width};
use crate::tile::NEVER;

/// Commands and streams of a tile. The order of the fields is that in memory: those that each cycle reads lie together.
#[derive(Default)]
#[repr(C)]
pub(crate) struct TileHost {
    /// The next cycle in which a command or stream has work; [`NEVER`] (or a past cycle) while it waits for the
    /// program.
    pub next_due: u64,
    /// Whether the program has not called `unblock_cmd_stream()` since the last launch.
    pub is_blocked: bool,
    /// The function launched last.
    pub launched: Launched,
    pub incoming: Vec<StreamIn>,
    /// A launch whose function has not been called yet.
    pub calling: Option<Calling>,
    pub commands: VecDeque<TileCommand>,
    pub outgoing: Vec<StreamOut>,
}

/// A launch whose function the program has been told to call.
#[derive(Clone, Copy, Default)]
pub(crate) struct Launched {
    pub ticket: Ticket,
    /// Id of the function.
    pub id: u16,
}

/// A launch under way: it is done for the host when this many calls have started.
pub(crate) struct Calling {
    pub ticket: Ticket,
    pub index: usize,
    pub calls: u64,
}

/// One command for one tile.
pub(crate) struct TileCommand {
    pub ticket: Ticket,
    /// The index of the tile in the command's rectangle.
    pub index: usize,
    /// The cycle in which the command, with all its words, has arrived.
    pub due: u64,
    pub job: Job,
}

/// The thing that a tile has to do for a command.
pub(crate) enum Job {
    CopyIn(Arc<CopyIn>, usize),
    CopyOut(Arc<CopyOut>),
    Call(Arc<Call>),
    StreamIn(Box<StreamIn>),
    StreamOut(Box<StreamOut>),
}

/// Elements from the host; a tile takes those of its share.
pub(crate) struct CopyIn {
    pub id: u16,
    /// Elements of a share.
    pub per_pe: u32,
    pub width: Width,
    pub array: HostArray,
}

/// A copy of a symbol's elements to the host.
pub(crate) struct CopyOut {
    pub id: u16,
    pub per_pe: u32,
    pub width: Width,
}

/// A call of an exported function.
pub(crate) struct Call {
    pub id: u16,
    /// The arguments in canonical form.
    pub args: Vec<u64>,
}

/// Words of one transfer on their way to a color of a tile.
pub(crate) struct StreamIn {
    pub ticket: Ticket,
    pub index: usize,
    pub color: Color,
    pub array: Arc<HostArray>,
    /// The tile's share of the array.
    pub share: usize,
    /// The index of the next word of the share, and the number of its words.
    pub at: usize,
    pub end: usize,
    /// The time at which word `at` arrives, and the time between two words, in hundredths of a cycle.
    pub centi_ready: u64,
    pub centi_step: u64,
    /// Words that the queues on the way hold while the tile takes none.
    pub on_the_way: usize,
    /// Whether all words have entered these queues: the transfer is done for the host then.
    pub has_entered: bool,
}

impl StreamIn {
    pub fn ready(&self) -> u64 {
        self.centi_ready.div_ceil(100)
    }

    /// The next word.
    pub fn word(&self) -> u32 {
        self.array.word(self.share, self.at)
    }

    pub fn left(&self) -> usize {
        self.end - self.at
    }

    /// The cycle in which the last word enters the queues on the way; `None` while they have no room for it, and
    /// afterwards.
    pub fn entry(&self) -> Option<u64> {
        let behind = self.left().saturating_sub(1) as u64;
        let has_room = self.left() <= self.on_the_way.max(1) && !self.has_entered;
        has_room.then(|| (self.centi_ready + behind * self.centi_step).div_ceil(100))
    }
}

/// Words that the host takes from a color of a tile.
pub(crate) struct StreamOut {
    pub ticket: Ticket,
    pub index: usize,
    pub color: Color,
    pub wanted: usize,
    pub words: Vec<u32>,
}

/// A result of a tile that the host waits for.
pub(crate) enum Done {
    /// Its part of a command.
    Part(Part),
    /// It has got the call of a launch in this cycle.
    Called { ticket: Ticket, began: u64 },
    /// The function of a launch has unblocked the command stream in this cycle.
    Unblocked { ticket: Ticket, ended: u64 },
    /// A port at the edge of the program has got all that it waits for in this cycle.
    Port { ended: u64 },
}

/// A tile's part of a command.
pub(crate) struct Part {
    pub ticket: Ticket,
    pub index: usize,
    /// The cycle in which it was done.
    pub ended: u64,
    pub words: Vec<u32>,
}

impl Done {
    /// The cycle of which it tells.
    pub fn cycle(&self) -> u64 {
        match self {
            Done::Part(Part { ended, .. }) | Done::Unblocked { ended, .. } | Done::Port { ended } => *ended,
            Done::Called { began, .. } => *began,
        }
    }

    pub fn part(ticket: Ticket, index: usize, ended: u64, words: Vec<u32>) -> Done {
        Done::Part(Part { ticket, index, ended, words })
    }
}

impl TileHost {
    /// Whether the tile has no work for memcpy and does not wait for it, but for `unblock_cmd_stream()`: most tiles,
    /// most of the time.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        (self.is_blocked || self.commands.is_empty()) && self.incoming.is_empty() && self.calling.is_none()
    }

    /// Puts a command behind all others. Most tiles never have two, and a deque that grows by itself starts with four.
    pub fn push(&mut self, command: TileCommand) {
        if self.commands.is_empty() {
            self.commands.reserve_exact(1);
        }
        self.commands.push_back(command);
    }

    /// Whether the command stream lets the first command start at `now`.
    pub fn command_is_due(&self, now: u64) -> bool {
        !self.is_blocked && self.commands.front().is_some_and(|command| command.due <= now)
    }

    /// Whether the first command is a stream.
    pub fn is_stream_next(&self) -> bool {
        self.commands.front().is_some_and(|command| matches!(command.job, Job::StreamIn(_) | Job::StreamOut(_)))
    }

    /// Opens a stream in cycle `now`, which may be later than the arrival of its words; other jobs do not come here.
    pub fn begin_stream(&mut self, job: Job, now: u64) {
        match job {
            Job::StreamIn(mut stream) => {
                stream.centi_ready = stream.centi_ready.max(100 * (now + 1));
                self.incoming.push(*stream);
            }
            Job::StreamOut(stream) => self.outgoing.push(*stream),
            Job::CopyIn(..) | Job::CopyOut(_) | Job::Call(_) => {}
        }
    }

    /// The transfer that takes the next word that leaves on `color`.
    pub fn sink(&mut self, color: Color) -> Option<usize> {
        self.outgoing.iter().position(|stream| stream.color == color)
    }

    /// Sets `next_due` to the next cycle after `now` with work that does not depend on the program.
    pub fn update_due(&mut self, now: u64) {
        let command = self.commands.front().filter(|_| !self.is_blocked).map(|command| command.due);
        let streams = self.incoming.iter().flat_map(|stream| [Some(stream.ready()), stream.entry()]).flatten();
        self.next_due = command.into_iter().chain(streams).filter(|due| *due > now).min().unwrap_or(NEVER);
    }
}
