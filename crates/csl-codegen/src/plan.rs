//! Rewrites a function's IR before instructions are chosen: copies of temporaries vanish, and a temporary with one use
//! is folded into its user where a fused instruction exists.

use csl_ir::{AddrBase, BinOp, Func, Inst, Opnd, Reg, Scalar, Term};
use rustc_hash::FxHashMap;

/// A function's instructions, rewritten. Positions stay, so that costs keep theirs: a removed instruction is `None`.
#[derive(Debug)]
pub struct Plan {
    /// The instructions by block.
    pub insts: Vec<Vec<Option<Inst>>>,
    /// Definitions that moved into the only instruction that uses them.
    pub folded: FxHashMap<Reg, Inst>,
}

impl Plan {
    pub fn of(func: &Func) -> Plan {
        let insts = func.blocks.iter().map(|b| b.insts.iter().cloned().map(Some).collect()).collect();
        let mut plan = Plan { insts, folded: FxHashMap::default() };
        let uses = Uses::of(func, &plan.insts);
        (0..func.blocks.len()).for_each(|block| plan.retarget_copies(func, &uses, block));
        let uses = Uses::of(func, &plan.insts);
        (0..func.blocks.len()).for_each(|block| plan.fold(func, &uses, block));
        plan
    }

    /// Turns `t = op; x = t` into `x = op`.
    fn retarget_copies(&mut self, func: &Func, uses: &Uses, block: usize) {
        let insts = &mut self.insts[block];
        for at in 0..insts.len() {
            let Some(Inst::Copy { dst, src: Opnd::Reg(temp) }) = insts[at] else { continue };
            let same = func.regs[dst] == func.regs[temp];
            if !same || !uses.is_single(temp) || temp.number() < func.params {
                continue;
            }
            let Some(def) = def_before(insts, at, temp) else { continue };
            let idle = insts[def + 1..at].iter().flatten().all(|inst| !inst.mentions(dst));
            if idle && set_simple_dst(insts[def].as_mut(), dst) {
                insts[at] = None;
            }
        }
    }

    fn fold(&mut self, func: &Func, uses: &Uses, block: usize) {
        for at in 0..self.insts[block].len() {
            let Some(inst) = self.insts[block][at].clone() else { continue };
            match &inst {
                Inst::Index { index: Opnd::Reg(index), .. } => self.skip_index_cast(func, uses, block, at, *index),
                Inst::Load { ty, addr, .. } | Inst::Store { ty, addr, .. } => {
                    if let AddrBase::Reg(temp) = addr.base {
                        let size = ty.bytes();
                        let offset = addr.offset;
                        self.fold_if(uses, block, at, temp, |def| is_index(def, size, offset));
                        self.fold_row(uses, block, at, temp, size);
                    }
                }
                Inst::Bin { op: BinOp::Add, ty: Scalar::F32 | Scalar::Half, dst, a, b } => {
                    let factor = if *a == Opnd::Reg(*dst) { b } else { a };
                    let other = if *a == Opnd::Reg(*dst) { a } else { b };
                    if let (Opnd::Reg(temp), true) = (factor, *other == Opnd::Reg(*dst)) {
                        self.fold_if(uses, block, at, *temp, is_float_product);
                    }
                }
                _ => {}
            }
        }
        let end = self.insts[block].len();
        if let Term::Branch { cond: Opnd::Reg(cond), .. } = func.blocks[block].term {
            self.fold_if(uses, block, end, cond, |def| {
                matches!(def, Inst::Cmp { .. } | Inst::Un { op: csl_ir::UnOp::Not, .. })
            });
            if let Some(Inst::Un { a: Opnd::Reg(inner), .. }) = self.folded.get(&cond) {
                self.fold_if(uses, block, end, *inner, |def| matches!(def, Inst::Cmp { .. }));
            }
        }
    }

    /// The row of an element, whose index was folded into an access of `size` bytes.
    fn fold_row(&mut self, uses: &Uses, block: usize, at: usize, element: Reg, size: u32) {
        if let (2 | 4, Some(&Inst::Index { base: Opnd::Reg(row), .. })) = (size, self.folded.get(&element)) {
            self.fold_if(uses, block, at, row, is_row);
        }
    }

    /// Skips casts of an index between integers of 16 bits and more: an index counts modulo 2^16.
    fn skip_index_cast(&mut self, func: &Func, uses: &Uses, block: usize, at: usize, index: Reg) {
        if !uses.is_single(index) || index.number() < func.params {
            return;
        }
        let Some(def) = def_before(&self.insts[block], at, index) else { return };
        let Some(Inst::Cast { from, to, to_bool: false, a: source @ Opnd::Reg(_), .. }) = &self.insts[block][def]
        else {
            return;
        };
        let wide = |ty: &Scalar| matches!(ty, Scalar::Int { bits: 16.., .. });
        if !wide(from) || !wide(to) || !is_unchanged(&self.insts[block][def + 1..at], source) {
            return;
        }
        let source = source.clone();
        self.insts[block][def] = None;
        if let Some(Inst::Index { index, .. }) = &mut self.insts[block][at] {
            *index = source;
        }
    }

    /// Folds the definition of `temp` into the instruction at `at` where `fits` holds and the definition's operands do
    /// not change between.
    fn fold_if(&mut self, uses: &Uses, block: usize, at: usize, temp: Reg, fits: impl Fn(&Inst) -> bool) {
        if !uses.is_single(temp) {
            return;
        }
        let Some(def) = def_before(&self.insts[block], at, temp) else { return };
        let Some(inst) = self.insts[block][def].clone() else { return };
        let mut stable = fits(&inst);
        inst.for_each_operand(&mut |operand| stable &= is_unchanged(&self.insts[block][def + 1..at], operand));
        if stable {
            self.insts[block][def] = None;
            self.folded.insert(temp, inst);
        }
    }
}

/// The numbers of writes and reads of each register, over the whole function.
struct Uses {
    defs: Vec<u32>,
    uses: Vec<u32>,
}

impl Uses {
    fn of(func: &Func, insts: &[Vec<Option<Inst>>]) -> Uses {
        let mut counts = Uses { defs: vec![0; func.regs.len()], uses: vec![0; func.regs.len()] };
        for (block, insts) in func.blocks.iter().zip(insts) {
            for inst in insts.iter().flatten() {
                inst.defs().for_each(|reg| counts.defs[reg] += 1);
                inst.for_each_use(&mut |reg| counts.uses[reg] += 1);
            }
            if let Some(Opnd::Reg(reg)) = block.term.operand() {
                counts.uses[*reg] += 1;
            }
        }
        counts
    }

    /// Whether the register is written once and read once.
    fn is_single(&self, reg: Reg) -> bool {
        self.defs[reg] == 1 && self.uses[reg] == 1
    }
}

/// The instruction before `at` that defines `reg`.
fn def_before(insts: &[Option<Inst>], at: usize, reg: Reg) -> Option<usize> {
    insts[..at].iter().rposition(|inst| inst.as_ref().is_some_and(|inst| inst.defs().any(|def| def == reg)))
}

fn is_unchanged(insts: &[Option<Inst>], operand: &Opnd) -> bool {
    let Opnd::Reg(reg) = operand else { return true };
    insts.iter().flatten().all(|inst| inst.defs().all(|def| def != *reg))
}

fn is_index(inst: &Inst, size: u32, offset: i32) -> bool {
    match inst {
        Inst::Index { base: Opnd::Reg(_), scale, index: Opnd::Reg(_), .. } => *scale == size && offset == 0,
        Inst::Index { base: Opnd::Global(..) | Opnd::Imm(_), scale, index: Opnd::Reg(_), .. } => *scale == size,
        _ => false,
    }
}

/// Whether the instruction computes the address of a row: a constant plus the row's number times its size.
fn is_row(inst: &Inst) -> bool {
    matches!(inst, Inst::Index { base: Opnd::Global(..) | Opnd::Imm(_), index: Opnd::Reg(_), .. })
}

fn is_float_product(inst: &Inst) -> bool {
    matches!(inst, Inst::Bin { op: BinOp::Mul, ty: Scalar::F32 | Scalar::Half, .. })
}

/// Changes the destination of an instruction that has one and no other effect on registers.
fn set_simple_dst(inst: Option<&mut Inst>, to: Reg) -> bool {
    let mut is_set = false;
    match inst {
        None | Some(Inst::Sys { .. } | Inst::Vec(_)) => {}
        Some(Inst::IterNext { .. } | Inst::IterMore { .. } | Inst::IterPut { .. }) => {}
        Some(inst) => inst.for_each_def_mut(&mut |dst| (*dst, is_set) = (to, true)),
    }
    is_set
}
