//! The machine: its numbers (WSE-2 and WSE-3 as tables) and its words (directions, routes, wavelets, tasks), each once.

mod burst;
mod chip;
mod color;
mod geometry;
mod ids;
mod index;
pub mod message;
pub mod registers;
mod route;
mod schedule;
mod sdk;
mod shared;
mod sysop;
mod task;
mod vecop;
pub mod wavelet;
mod wse2;
mod wse3;

pub use burst::Burst;
pub use chip::{
    Chip, ConfigSpace, DataRegisters, Fabric, Margins, MemcpyTable, MemoryTable, Queues, ScalarCosts, TOOLCHAIN,
    TaskTable, Timing, Toolchain,
};
pub use color::Color;
pub use geometry::{Coord, DirSet, Direction, ProgramId, Size, TileRun};
pub use ids::{FlushId, MicrothreadId, QueueId, TaskId};
pub use route::{ColorConfig, Filter, FilterKind, PopMode, SwitchPos};
pub use schedule::{Delay, Draws, Schedule};
pub use sdk::{Dialect, Sdk};
pub use shared::{
    COLORS, DSRS, ENDLESS_LENGTH, LAST_CONTROL_TASK, MAX_CHANNELS, MOST_FABRIC_SIDE, PRNGS, REGISTERS_START,
};
pub use sysop::{FLUSH_INPUT, PrintKind, SysOp};
pub use task::{
    Action, DsrFile, DsrLoad, FifoAction, FifoConfig, OnControl, Priority, QueueDir, RotatingTasks, SimdMode, Startup,
    TaskKind, TaskTarget, VecConfig,
};
pub use vecop::{Elem, Forms, VecOp};
pub use wavelet::Wavelet;

use serde::{Deserialize, Serialize};

/// A generation of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Arch {
    Wse2,
    Wse3,
}

impl Arch {
    pub const ALL: [Arch; 2] = [Arch::Wse2, Arch::Wse3];

    /// The name on a command line and in `@is_arch`: `wse2` or `wse3`.
    pub const fn name(self) -> &'static str {
        match self {
            Arch::Wse2 => "wse2",
            Arch::Wse3 => "wse3",
        }
    }

    pub fn from_name(name: &str) -> Option<Arch> {
        Arch::ALL.into_iter().find(|arch| arch.name() == name)
    }

    pub fn chip(self) -> &'static Chip {
        chip(self)
    }
}

impl std::fmt::Display for Arch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The table of a generation.
pub fn chip(arch: Arch) -> &'static Chip {
    match arch {
        Arch::Wse2 => &wse2::CHIP,
        Arch::Wse3 => &wse3::CHIP,
    }
}
