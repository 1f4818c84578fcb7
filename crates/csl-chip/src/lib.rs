//! WSE-2 and WSE-3 as tables.

mod sysop;
mod vecop;

pub use sysop::SysOp;
pub use vecop::{Elem, Forms, VecOp};

/// A generation of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arch {
    Wse2,
    Wse3,
}
