//! Which slot of the frame holds which register of the IR.

use csl_ir::Func;

use crate::flow::Flow;
use crate::plan::Plan;

/// The slot of each register, and the number of slots. Parameters keep their places.
pub fn assign(func: &Func, _plan: &Plan, _flow: &Flow) -> (Vec<u16>, u32) {
    let count = func.regs.len() as u32;
    ((0..count).map(|slot| slot as u16).collect(), count)
}
