//! If-conversion: where a branch only chooses the values of a few registers, both sides are computed and the values
//! selected.
//!
//! A side is converted when it is at most four plain instructions: without effect, fault or exception. Values of it
//! that are read later are selected by the branch's condition.

use csl_ir::{Block, BlockId, Func, Inst, Opnd, Preds, Reg, Term};
use rustc_hash::FxHashMap;

use crate::dead::{LiveOut, is_pure, live_out};
use crate::edit::{new_reg, push, rename_addrs};
use crate::pool::Around;

/// The greatest number of instructions of a side.
const MOST: usize = 4;

/// Converts branches of a function; whether there were any.
pub fn run(around: &Around, func: &mut Func) -> bool {
    let order = func.reverse_postorder();
    let preds = func.predecessors(&order);
    let candidates: Vec<(BlockId, Shape)> =
        order.iter().filter_map(|&block| Some((block, shape(around, func, &preds, block)?))).collect();
    if candidates.is_empty() {
        return false;
    }
    let live = live_out(func);
    let mut touched = vec![false; func.blocks.len()];
    // Inner branches first: the rest of one may be a side of an outer branch in the next round.
    for (block, shape) in candidates.into_iter().rev() {
        let parts = [Some(block), shape.then, shape.otherwise];
        if parts.into_iter().flatten().any(|part| std::mem::replace(&mut touched[part], true)) {
            continue;
        }
        convert(func, &live, block, &shape);
    }
    true
}

/// A branch whose sides meet again at once.
struct Shape {
    cond: Opnd,
    /// The sides; `None` for a side that only leads to `join`.
    then: Option<BlockId>,
    otherwise: Option<BlockId>,
    join: BlockId,
}

fn shape(around: &Around, func: &Func, preds: &Preds, block: BlockId) -> Option<Shape> {
    let Term::Branch { cond, then, otherwise } = &func.blocks[block].term else { return None };
    let side = |side: BlockId| -> Option<BlockId> {
        let body = &func.blocks[side];
        let is_plain = preds[side].len() == 1
            && side != block
            && body.insts.len() <= MOST
            && body.insts.iter().all(|inst| is_pure(around, func, inst));
        match body.term {
            Term::Jump(join) if is_plain && join != side => Some(join),
            _ => None,
        }
    };
    let (cond, then, otherwise) = (cond.clone(), *then, *otherwise);
    let shape = match (side(then), side(otherwise)) {
        (Some(join), _) if join == otherwise => Shape { cond, then: Some(then), otherwise: None, join },
        (_, Some(join)) if join == then => Shape { cond, then: None, otherwise: Some(otherwise), join },
        (Some(a), Some(b)) if a == b => Shape { cond, then: Some(then), otherwise: Some(otherwise), join: a },
        _ => return None,
    };
    // The back edge of a loop stays a branch.
    (shape.join != block).then_some(shape)
}

fn convert(func: &mut Func, live: &LiveOut, block: BlockId, shape: &Shape) {
    let emptied = Block { insts: Vec::new(), sites: Vec::new(), term: Term::Jump(shape.join), ..func.blocks[block] };
    let mut into = std::mem::replace(&mut func.blocks[block], emptied);
    let last = shape.then.or(shape.otherwise).unwrap_or(block);
    let then = shape.then.map(|side| taken_in(func, &mut into, side)).unwrap_or_default();
    let otherwise = shape.otherwise.map(|side| taken_in(func, &mut into, side)).unwrap_or_default();
    let mut written: Vec<Reg> = then.keys().chain(otherwise.keys()).copied().collect();
    written.sort_unstable();
    written.dedup();
    // The condition may be among the written registers.
    let cond = match shape.cond {
        Opnd::Reg(reg) if written.contains(&reg) => {
            let copy = new_reg(func, func.regs[reg]);
            let site = into.term_site;
            push(&mut into, Inst::Copy { dst: copy, src: Opnd::Reg(reg) }, site);
            Opnd::Reg(copy)
        }
        ref other => other.clone(),
    };
    written.retain(|&reg| live.has(last, reg));
    let site = into.term_site;
    let mut choices = Vec::new();
    for &dst in &written {
        let sides = [&then, &otherwise].map(|values| values.get(&dst).cloned().unwrap_or(Opnd::Reg(dst)));
        // A side may be the former value of another written register.
        let [a, b] = sides.map(|side| match side {
            Opnd::Reg(reg) if reg != dst && written.contains(&reg) => {
                let copy = new_reg(func, func.regs[reg]);
                push(&mut into, Inst::Copy { dst: copy, src: side }, site);
                Opnd::Reg(copy)
            }
            other => other,
        });
        choices.push(Inst::Select { ty: func.regs[dst], dst, cond: cond.clone(), a, b });
    }
    choices.into_iter().for_each(|choice| push(&mut into, choice, site));
    into.term = Term::Jump(shape.join);
    func.blocks[block] = into;
}

/// Appends a side's instructions with registers of their own; returns the values of its registers at its end.
fn taken_in(func: &mut Func, into: &mut Block, side: BlockId) -> FxHashMap<Reg, Opnd> {
    let body = &mut func.blocks[side];
    let (insts, sites) = (std::mem::take(&mut body.insts), std::mem::take(&mut body.sites));
    let mut values: FxHashMap<Reg, Opnd> = FxHashMap::default();
    for (mut inst, site) in insts.into_iter().zip(sites) {
        if let Inst::Copy { dst, src } = inst {
            let src = match src {
                Opnd::Reg(reg) => values.get(&reg).cloned().unwrap_or(Opnd::Reg(reg)),
                other => other,
            };
            values.insert(dst, src);
            continue;
        }
        forward_operands(func, into, &mut values, &mut inst, site);
        for dst in inst.defs() {
            let fresh = new_reg(func, func.regs[dst]);
            inst.for_each_def_mut(&mut |reg| *reg = fresh);
            values.insert(dst, Opnd::Reg(fresh));
        }
        push(into, inst, site);
    }
    values
}

/// Lets the instruction read the values that the side has computed.
fn forward_operands(
    func: &mut Func,
    into: &mut Block,
    values: &mut FxHashMap<Reg, Opnd>,
    inst: &mut Inst,
    site: csl_ir::Site,
) {
    // An address starts at a register only; a constant is moved into one.
    let mut bases = Vec::new();
    inst.for_each_addr(&mut |addr| {
        if let csl_ir::AddrBase::Reg(reg) = addr.base {
            bases.push(reg);
        }
    });
    for base in bases {
        if let Some(value) = values.get(&base)
            && !matches!(value, Opnd::Reg(_))
        {
            let fresh = new_reg(func, func.regs[base]);
            push(into, Inst::Copy { dst: fresh, src: value.clone() }, site);
            values.insert(base, Opnd::Reg(fresh));
        }
    }
    inst.for_each_operand_mut(&mut |operand| {
        if let Opnd::Reg(reg) = operand
            && let Some(value) = values.get(reg)
        {
            *operand = value.clone();
        }
    });
    let to = |reg: Reg| match values.get(&reg) {
        Some(Opnd::Reg(fresh)) => *fresh,
        _ => reg,
    };
    rename_addrs(inst, &to);
}
