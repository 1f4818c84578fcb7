//! Constant and copy propagation, and folding: a register is replaced by its known value, and a known result is
//! computed now.
//!
//! Registers are not in SSA form. Knowledge holds along a chain of blocks with one predecessor each; a register whose
//! one definition in the function is a constant is known everywhere. Float operations are left to the machine, because
//! they may raise exceptions.

use csl_ir::{AddrBase, BinOp, BlockId, Func, Inst, Opnd, Preds, Reg, Scalar, UnOp};
use csl_num::{IntTy, LowBits};

use crate::edit::{Uses, keep};
use crate::pool::Around;
use crate::{Pass, Passes, dsd};

/// Runs the pass on a function; whether anything changed.
pub fn run(around: &Around, func: &mut Func, passes: Passes) -> bool {
    let mut uses = Uses::of(func);
    let retargeted = retarget_copies(func, &uses);
    if retargeted {
        uses = Uses::of(func);
    }
    let order = func.reverse_postorder();
    let preds = func.predecessors(&order);
    let mut walk = Walk::new(around, func, &uses, passes);
    for &root in order.iter().filter(|&&block| block == BlockId::new(0) || preds[block].len() != 1) {
        walk.chain(func, &preds, root);
    }
    retargeted || walk.changed
}

/// Turns `t = op; x = t` into `x = op` where nothing else reads `t`.
fn retarget_copies(func: &mut Func, uses: &Uses) -> bool {
    let mut changed = false;
    let is_single = |reg: Reg| uses.defs[reg] == 1 && uses.uses[reg] == 1;
    let mut defined: Vec<Option<usize>> = vec![None; func.regs.len()];
    for block in &mut func.blocks {
        let mut gone = Vec::new();
        for place in 0..block.insts.len() {
            if let Inst::Copy { dst, src: Opnd::Reg(temp) } = block.insts[place]
                && is_single(temp)
                && let Some(def) = defined[temp]
                && func.regs[dst] == func.regs[temp]
                && block.insts[def + 1..place].iter().all(|inst| !inst.mentions(dst))
                && !matches!(block.insts[def], Inst::IterNext { .. })
            {
                block.insts[def].for_each_def_mut(&mut |reg| *reg = dst);
                gone.push(place);
                defined[dst] = Some(def);
                continue;
            }
            block.insts[place].defs().for_each(|reg| defined[reg] = Some(place));
        }
        block.insts.iter().flat_map(Inst::defs).for_each(|reg| defined[reg] = None);
        if !gone.is_empty() {
            changed = true;
            let kept: Vec<bool> = (0..block.insts.len()).map(|place| gone.binary_search(&place).is_err()).collect();
            keep(block, &kept);
        }
    }
    changed
}

/// The known value of a register.
#[derive(Clone, Debug)]
enum Known {
    Constant(Opnd),
    /// The value that another register had at this stamp, plus a number of bytes or units, in 16 bits if there are any.
    Sum(Reg, u32, i32),
}

struct Walk<'a> {
    around: &'a Around<'a>,
    passes: Passes,
    changed: bool,
    /// Registers whose one definition is a constant.
    everywhere: Vec<Option<Known>>,
    known: Vec<Option<Known>>,
    /// The stamp of each register grows with every definition; knowledge with an older stamp is out of date.
    stamps: Vec<u32>,
    clock: u32,
    /// The knowledge to restore when the walk leaves a block.
    undo: Vec<(Reg, Option<Known>, u32)>,
}

impl Walk<'_> {
    fn new<'a>(around: &'a Around, func: &Func, uses: &Uses, passes: Passes) -> Walk<'a> {
        let mut walk = Walk {
            around,
            passes,
            changed: false,
            everywhere: vec![None; func.regs.len()],
            known: vec![None; func.regs.len()],
            stamps: vec![0; func.regs.len()],
            clock: 0,
            undo: Vec::new(),
        };
        for inst in func.blocks.iter().flat_map(|block| &block.insts) {
            if let Inst::Copy { dst, src } = inst
                && uses.defs[*dst] == 1
                && !matches!(src, Opnd::Reg(_) | Opnd::Tile(_))
            {
                walk.everywhere[*dst] = Some(Known::Constant(src.clone()));
            }
        }
        walk
    }

    /// Walks a block, then the blocks whose only predecessor it is, and so on.
    fn chain(&mut self, func: &mut Func, preds: &Preds, root: BlockId) {
        let mut pending = vec![(root, 0)];
        while let Some((block, base)) = pending.pop() {
            self.forget(base);
            self.block(func, block);
            let base = self.undo.len();
            for to in func.blocks[block].term.successors() {
                if preds[to].len() == 1 && to != BlockId::new(0) {
                    pending.push((to, base));
                }
            }
        }
        self.forget(0);
    }

    fn forget(&mut self, base: usize) {
        while self.undo.len() > base {
            if let Some((reg, known, stamp)) = self.undo.pop() {
                (self.known[reg], self.stamps[reg]) = (known, stamp);
            }
        }
    }

    fn block(&mut self, func: &mut Func, block: BlockId) {
        let mut insts = std::mem::take(&mut func.blocks[block].insts);
        for inst in &mut insts {
            self.replace_uses(inst);
            self.simplify(inst);
            let known = self.result(func, inst);
            inst.defs().for_each(|reg| self.define(reg, None));
            if let Some(known) = known
                && let Some(dst) = inst.defs().next()
                && !matches!(known, Known::Sum(source, ..) if source == dst)
            {
                self.known[dst] = Some(known);
            }
        }
        func.blocks[block].insts = insts;
        let body = &mut func.blocks[block];
        if let Some(operand) = body.term.operand_mut() {
            self.changed |= self.replace(operand);
        }
    }

    fn define(&mut self, reg: Reg, known: Option<Known>) {
        self.clock += 1;
        let place = reg.index();
        self.undo.push((reg, self.known[place].take(), self.stamps[place]));
        (self.known[place], self.stamps[place]) = (known, self.clock);
    }

    fn look(&self, reg: Reg) -> Option<&Known> {
        self.everywhere[reg].as_ref().or_else(|| match &self.known[reg] {
            Some(Known::Sum(source, stamp, _)) if self.stamps[*source] != *stamp => None,
            known => known.as_ref(),
        })
    }

    /// Replaces an operand by a constant or by another register with the same value; whether there is one.
    fn replace(&self, operand: &mut Opnd) -> bool {
        let Opnd::Reg(reg) = operand else { return false };
        match self.look(*reg) {
            Some(Known::Constant(constant)) => *operand = constant.clone(),
            Some(&Known::Sum(source, _, 0)) => *operand = Opnd::Reg(source),
            Some(Known::Sum(..)) | None => return false,
        }
        true
    }

    fn is_descriptor(&self, operand: &Opnd) -> bool {
        matches!(operand, Opnd::Reg(reg) if matches!(self.look(*reg), Some(Known::Constant(Opnd::Dsd(_)))))
    }

    fn replace_uses(&mut self, inst: &mut Inst) {
        let mut changed = false;
        // A changed descriptor is made in a register, and operations read it there.
        let is_kept = matches!(inst, Inst::Vec(_) | Inst::LoadDsr(_) | Inst::IterLoad { .. } | Inst::Store { .. });
        inst.for_each_operand_mut(&mut |operand| {
            if !(is_kept && self.passes.has(Pass::Dsd) && self.is_descriptor(operand)) {
                changed |= self.replace(operand);
            }
        });
        inst.for_each_addr_mut(&mut |addr| {
            let AddrBase::Reg(reg) = addr.base else { return };
            match self.look(reg) {
                Some(&Known::Constant(Opnd::Global(id, offset))) => {
                    addr.base = AddrBase::Global(id);
                    addr.offset = addr.offset.wrapping_add(offset);
                }
                Some(&Known::Constant(Opnd::Imm(value))) => {
                    addr.base = AddrBase::Absolute;
                    addr.offset = i32::from(addr.offset.low16().wrapping_add(value.low16()));
                }
                Some(&Known::Sum(source, _, offset)) => {
                    addr.base = AddrBase::Reg(source);
                    addr.offset = addr.offset.wrapping_add(offset);
                }
                Some(Known::Constant(_)) | None => return,
            }
            changed = true;
        });
        self.changed |= changed;
    }

    /// Replaces the instruction by a copy of its result, where that is known.
    fn simplify(&mut self, inst: &mut Inst) {
        // An offset added to an index is added to the start of the array instead: both count modulo 2^16.
        if let Inst::Index { base: Opnd::Global(_, start), index, scale, values, .. } = inst
            && self.passes.has(Pass::Index)
            && let Opnd::Reg(reg) = index
            && let Some(&Known::Sum(source, _, offset @ ..=-1 | offset @ 1..)) = self.look(*reg)
        {
            *start = start.wrapping_add(i32::from(offset.signed16().wrapping_mul(scale.signed16())));
            *index = Opnd::Reg(source);
            *values = 0;
            self.changed = true;
        }
        let (Some(dst), Some(src)) = (inst.defs().next(), self.value(inst)) else { return };
        *inst = Inst::Copy { dst, src };
        self.changed = true;
    }

    fn value(&self, inst: &Inst) -> Option<Opnd> {
        match inst {
            Inst::Bin { op, ty: Scalar::Int { signed, bits }, a, b, .. } => {
                binary(*op, IntTy::new(*signed, u32::from(*bits)), a, b)
            }
            Inst::Cmp { op, ty: Scalar::Int { signed, bits }, a: Opnd::Imm(a), b: Opnd::Imm(b), .. } => {
                let order = csl_num::int_cmp(IntTy::new(*signed, u32::from(*bits)), *a, *b);
                Some(Opnd::Imm(u64::from(op.holds(order))))
            }
            Inst::Un { op: UnOp::Not, a: Opnd::Imm(a), .. } => Some(Opnd::Imm(u64::from(*a == 0))),
            Inst::Un { op, ty: Scalar::Int { signed, bits }, a: Opnd::Imm(a), .. } => {
                let ty = IntTy::new(*signed, u32::from(*bits));
                let value = if *op == UnOp::Neg { csl_num::int_neg(ty, *a) } else { csl_num::int_not(ty, *a) };
                Some(Opnd::Imm(value))
            }
            Inst::Cast { from: Scalar::Int { .. }, to: Scalar::Int { .. }, to_bool: true, a: Opnd::Imm(a), .. } => {
                Some(Opnd::Imm(u64::from(*a != 0)))
            }
            Inst::Cast {
                from: Scalar::Int { .. },
                to: Scalar::Int { signed, bits },
                to_bool: false,
                a: Opnd::Imm(a),
                ..
            } => Some(Opnd::Imm(csl_num::wrap64(IntTy::new(*signed, u32::from(*bits)), *a))),
            Inst::Select { cond: Opnd::Imm(cond), a, b, .. } => Some(if *cond != 0 { a.clone() } else { b.clone() }),
            // Checked runs tell of an index that is none of the array's values: it stays one.
            Inst::Index { index: Opnd::Imm(index), values, .. } if *values != 0 && *index >= u64::from(*values) => None,
            Inst::Index { base: Opnd::Global(id, offset), index: Opnd::Imm(index), scale, .. } => {
                let bytes = index.low16().wrapping_mul(scale.low16()).signed16();
                Some(Opnd::Global(*id, offset.wrapping_add(i32::from(bytes))))
            }
            Inst::Index { base: Opnd::Imm(base), index: Opnd::Imm(index), scale, .. } => {
                let bytes = index.low16().wrapping_mul(scale.low16());
                Some(Opnd::Imm(u64::from(base.low16().wrapping_add(bytes))))
            }
            Inst::Lea { addr, .. } => match addr.base {
                AddrBase::Global(id) => Some(Opnd::Global(id, addr.offset)),
                AddrBase::Absolute => Some(Opnd::Imm(u64::from(addr.offset.low16()))),
                AddrBase::Reg(_) | AddrBase::Slot(_) => None,
            },
            Inst::SetDsd { .. } | Inst::MakeMem1d { .. } | Inst::MakeFabric { .. } if self.passes.has(Pass::Dsd) => {
                let desc = dsd::known(self.around, inst)?;
                Some(Opnd::Dsd(Box::new(desc)))
            }
            _ => None,
        }
    }

    /// The knowledge about the instruction's result.
    fn result(&self, func: &Func, inst: &Inst) -> Option<Known> {
        let sum = |reg: Reg, offset: i32| match self.look(reg) {
            Some(&Known::Sum(source, stamp, more)) => Known::Sum(source, stamp, offset.wrapping_add(more)),
            _ => Known::Sum(reg, self.stamps[reg], offset),
        };
        match inst {
            Inst::Copy { src: Opnd::Reg(src), .. } => Some(sum(*src, 0)),
            // Every tile has its own value: it is loaded at its use.
            Inst::Copy { src: Opnd::Tile(_), .. } => None,
            Inst::Copy { src, .. } => Some(Known::Constant(src.clone())),
            Inst::Index { base: Opnd::Reg(base), index: Opnd::Imm(index), scale, .. } if is_u16(func, *base) => {
                Some(sum(*base, i32::from(index.low16().wrapping_mul(scale.low16()).signed16())))
            }
            Inst::Bin {
                op: BinOp::Add, ty: Scalar::Int { bits: 16, .. }, a: Opnd::Reg(a), b: Opnd::Imm(b), ..
            } => Some(sum(*a, i32::from(*b as i16))),
            Inst::Bin {
                op: BinOp::Sub, ty: Scalar::Int { bits: 16, .. }, a: Opnd::Reg(a), b: Opnd::Imm(b), ..
            } => Some(sum(*a, -i32::from(*b as i16))),
            Inst::Lea { addr, .. } => match addr.base {
                AddrBase::Reg(base) if is_u16(func, base) => Some(sum(base, addr.offset)),
                _ => None,
            },
            _ => None,
        }
    }
}

fn is_u16(func: &Func, reg: Reg) -> bool {
    func.regs[reg] == Scalar::U16
}

fn binary(op: BinOp, ty: IntTy, a: &Opnd, b: &Opnd) -> Option<Opnd> {
    if let (Opnd::Imm(a), Opnd::Imm(b)) = (a, b) {
        return csl_num::int_binop(op, ty, *a, *b).ok().map(Opnd::Imm);
    }
    let (value, constant) = match (a, b) {
        (Opnd::Imm(constant), value) if matches!(op, BinOp::Add | BinOp::Mul | BinOp::And | BinOp::Or | BinOp::Xor) => {
            (value, *constant)
        }
        (value, Opnd::Imm(constant)) => (value, *constant),
        _ => return None,
    };
    match (op, constant) {
        (BinOp::Mul | BinOp::And, 0) => Some(Opnd::Imm(0)),
        (BinOp::Add | BinOp::Sub | BinOp::Or | BinOp::Xor | BinOp::Shl | BinOp::Shr, 0)
        | (BinOp::Mul | BinOp::Div, 1) => Some(value.clone()),
        _ => None,
    }
}
