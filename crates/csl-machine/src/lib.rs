//! WSE-2 and WSE-3 as tables.

mod chip;
pub mod message;
pub mod registers;
mod shared;
mod sysop;
mod vecop;
mod wse2;
mod wse3;

pub use chip::{
    Chip, ConfigSpace, DataRegisters, Fabric, Margins, Memcpy, Memory, Queues, ScalarCosts, TOOLCHAIN, Tasks, Timing,
    Toolchain,
};
pub use sysop::{FLUSH_INPUT, PrintKind, SysOp};
pub use vecop::{Elem, Forms, VecOp};

/// A generation of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// Everything known of a generation.
pub fn chip(arch: Arch) -> &'static Chip {
    match arch {
        Arch::Wse2 => &wse2::CHIP,
        Arch::Wse3 => &wse3::CHIP,
    }
}
