//! Small changes to functions that several passes make.

use crate::pool::Around;
use csl_ir::{Addr, AddrBase, Block, Func, Inst, Opnd, Reg, Scalar, Site, Term};

/// The numbers of writes and reads of each register in a function. A parameter counts as written once more.
pub struct Uses {
    pub defs: Vec<u32>,
    pub uses: Vec<u32>,
}

impl Uses {
    pub fn of(func: &Func) -> Uses {
        let mut counts = Uses { defs: vec![0; func.regs.len()], uses: vec![0; func.regs.len()] };
        counts.defs[..func.params as usize].fill(1);
        for block in &func.blocks {
            for inst in &block.insts {
                inst.defs().for_each(|reg| counts.defs[reg] += 1);
                inst.for_each_use(&mut |reg| counts.uses[reg] += 1);
            }
            if let Some(Opnd::Reg(reg)) = block.term.operand() {
                counts.uses[*reg] += 1;
            }
        }
        counts
    }
}

pub fn new_reg(func: &mut Func, ty: Scalar) -> Reg {
    func.regs.push(ty);
    Reg::at(func.regs.len() - 1)
}

/// Renames the registers that an instruction reads or writes.
pub fn rename(inst: &mut Inst, to: &impl Fn(Reg) -> Reg) {
    inst.for_each_def_mut(&mut |reg| *reg = to(*reg));
    inst.for_each_operand_mut(&mut |operand| rename_operand(operand, to));
    rename_addrs(inst, to);
}

pub fn rename_addrs(inst: &mut Inst, to: &impl Fn(Reg) -> Reg) {
    inst.for_each_addr_mut(&mut |addr| {
        if let AddrBase::Reg(reg) = &mut addr.base {
            *reg = to(*reg);
        }
    });
}

pub fn rename_operand(operand: &mut Opnd, to: &impl Fn(Reg) -> Reg) {
    if let Opnd::Reg(reg) = operand {
        *reg = to(*reg);
    }
}

pub fn rename_term(term: &mut Term, to: &impl Fn(Reg) -> Reg) {
    if let Some(operand) = term.operand_mut() {
        rename_operand(operand, to);
    }
}

pub fn push(block: &mut Block, inst: Inst, site: Site) {
    block.insts.push(inst);
    block.sites.push(site);
}

/// Keeps the instructions for which `wanted` holds; whether others were dropped.
pub fn retain(block: &mut Block, wanted: impl Fn(&Inst) -> bool) -> bool {
    if block.insts.iter().all(&wanted) {
        return false;
    }
    let kept: Vec<bool> = block.insts.iter().map(wanted).collect();
    keep(block, &kept);
    true
}

/// Keeps the instructions that are marked, one mark an instruction.
pub fn keep(block: &mut Block, kept: &[bool]) {
    let mut next = kept.iter();
    block.insts.retain(|_| *next.next().expect("one an instruction"));
    let mut next = kept.iter();
    block.sites.retain(|_| *next.next().expect("one an instruction"));
}

/// Whether an access of `bytes` at the address stays within one object in memory, whatever its address.
pub fn is_within(around: &Around, func: &Func, addr: &Addr, bytes: u32) -> bool {
    let size = match addr.base {
        AddrBase::Global(id) => around.size(id),
        AddrBase::Slot(slot) => func.slots[slot].size,
        AddrBase::Reg(_) | AddrBase::Absolute => return false,
    };
    u32::try_from(addr.offset).is_ok_and(|start| start + bytes <= size)
}
