//! Strength reduction in `for` loops: an element whose address grows evenly is accessed through an address that is
//! stepped.
//!
//! Only the counter of a `for` over a range is known not to pass the end of its type. A hand-written `while` gives no
//! such guarantee, and the vendor's compiler leaves its index arithmetic alone. Ours is exact modulo 2^16 either way.

use csl_ir::{BinOp, BlockId, Func, Inst, Opnd, Reg, Scalar, Site};
use csl_num::LowBits;
use rustc_hash::FxHashMap;

use crate::cfg::{Dominators, Loop, loops};
use crate::common::before;
use crate::edit::{Uses, new_reg, push};

/// Runs the pass on a function; whether anything changed.
pub fn run(func: &mut Func) -> bool {
    if func.counters.is_empty() {
        return false;
    }
    let order = func.reverse_postorder();
    let preds = func.predecessors(&order);
    let found = loops(func, &order, &preds);
    let mut changed = false;
    // From the inside out: the start of an inner loop's address may move with the outer one.
    for one in found.iter().rev() {
        if let Some(entry) = before(func, &preds, one) {
            let dominators = Dominators::of(func, &order, &preds);
            if let Some(mut walker) = Walker::new(func, one, entry, &dominators) {
                changed |= walker.run(one);
            }
        }
    }
    changed
}

/// A block and a position in it.
type InstIndex = (BlockId, usize);

struct Walker<'a> {
    func: &'a mut Func,
    dominators: &'a Dominators,
    entry: BlockId,
    counter: Reg,
    step: u64,
    /// The value of the counter in the first turn.
    start: Opnd,
    /// The position of a register's one definition in the loop; `None` for several.
    changes: FxHashMap<Reg, Option<InstIndex>>,
    /// Addresses that are stepped, by base, index and scale.
    moving: Vec<(Opnd, Reg, u32, Reg)>,
}

impl Walker<'_> {
    fn new<'a>(func: &'a mut Func, one: &Loop, entry: BlockId, dominators: &'a Dominators) -> Option<Walker<'a>> {
        let mut changes = FxHashMap::default();
        for &block in &one.blocks {
            for (place, inst) in func.blocks[block].insts.iter().enumerate() {
                for reg in inst.defs() {
                    changes.entry(reg).and_modify(|def| *def = None).or_insert(Some((block, place)));
                }
            }
        }
        let counter = func.counters.iter().copied().find(|counter| {
            let Some(&Some((block, place))) = changes.get(counter) else { return false };
            let is_step = matches!(&func.blocks[block].insts[place],
                Inst::Bin { op: BinOp::Add, a: Opnd::Reg(a), b: Opnd::Imm(_), .. } if a == counter);
            let is_16_bits = matches!(func.regs[*counter], Scalar::Int { bits: 16, .. });
            block == one.latch && is_step && is_16_bits
        })?;
        let (block, place) = changes[&counter]?;
        let Inst::Bin { b: Opnd::Imm(step), .. } = func.blocks[block].insts[place] else { return None };
        let defs = func.blocks[entry].insts.iter().rev();
        let start = match { defs }.find(|inst| inst.defs().any(|reg| reg == counter)) {
            Some(Inst::Copy { src: Opnd::Imm(start), .. }) => Opnd::Imm(*start),
            _ => Opnd::Reg(counter),
        };
        Some(Walker { func, dominators, start, entry, counter, step, changes, moving: Vec::new() })
    }

    fn run(&mut self, one: &Loop) -> bool {
        let mut changed = false;
        let uses = Uses::of(self.func);
        for &block in &one.blocks {
            let last = if block == one.latch { self.changes[&self.counter].map(|def| def.1) } else { None };
            for place in 0..self.func.blocks[block].insts.len() {
                // After its step the counter has the value of the next turn.
                if last.is_some_and(|last| place > last) {
                    break;
                }
                let Inst::Index { dst, base, index: Opnd::Reg(index), scale, .. } =
                    &self.func.blocks[block].insts[place]
                else {
                    continue;
                };
                let (dst, base, index, scale) = (*dst, base.clone(), *index, *scale);
                if index == self.counter || uses.defs[dst] != 1 || !self.is_fixed(&base) {
                    continue;
                }
                let site = self.func.blocks[block].sites[place];
                if let Some(moving) = self.moving(one, (block, place), base, index, scale, site) {
                    self.func.blocks[block].insts[place] = Inst::Copy { dst, src: Opnd::Reg(moving) };
                    changed = true;
                }
            }
        }
        changed
    }

    fn is_fixed(&self, operand: &Opnd) -> bool {
        !matches!(operand, Opnd::Reg(reg) if self.changes.contains_key(reg))
    }

    /// The register with the address of the element, if the address grows evenly.
    fn moving(&mut self, one: &Loop, user: InstIndex, base: Opnd, index: Reg, scale: u32, site: Site) -> Option<Reg> {
        let known = self.moving.iter().find(|known| (&known.0, known.1, known.2) == (&base, index, scale));
        if let Some(&(.., reg)) = known {
            return Some(reg);
        }
        let pace = self.pace(&Opnd::Reg(index), user, 0)?;
        let first = self.at_entry(&Opnd::Reg(index), site);
        let moving = new_reg(self.func, Scalar::PTR);
        let start = new_reg(self.func, Scalar::PTR);
        let into = &mut self.func.blocks[self.entry];
        push(into, Inst::Index { dst: start, base: base.clone(), index: first, scale, values: 0 }, site);
        push(into, Inst::Copy { dst: moving, src: Opnd::Reg(start) }, site);
        let bytes = pace.wrapping_mul(self.step.low16()).wrapping_mul(scale.low16());
        if bytes != 0 {
            let (a, b) = (Opnd::Reg(moving), Opnd::Imm(u64::from(bytes)));
            let step = Inst::Bin { op: BinOp::Add, ty: Scalar::PTR, dst: moving, a, b };
            push(&mut self.func.blocks[one.latch], step, site);
        }
        self.moving.push((base, index, scale, moving));
        Some(moving)
    }

    /// The growth of a 16-bit value when the counter grows by one; `None` where it is not always the same. The
    /// definition must lie on every path to the `user`: else an earlier turn's value may be read there.
    fn pace(&self, operand: &Opnd, user: InstIndex, depth: usize) -> Option<u16> {
        let Opnd::Reg(reg) = operand else { return matches!(operand, Opnd::Imm(_)).then_some(0) };
        if *reg == self.counter {
            return Some(1);
        }
        let Some(def) = self.changes.get(reg) else { return Some(0) };
        let (block, place) = (*def).filter(|_| depth < 8)?;
        let is_before = if block == user.0 { place < user.1 } else { self.dominators.dominates(block, user.0) };
        if !is_before {
            return None;
        }
        let here = (block, place);
        if !matches!(self.func.regs[*reg], Scalar::Int { bits: 16, .. }) {
            return None;
        }
        match &self.func.blocks[block].insts[place] {
            Inst::Copy { src, .. } => self.pace(src, here, depth + 1),
            Inst::Cast {
                from: Scalar::Int { bits: 16, .. },
                to: Scalar::Int { bits: 16, .. },
                to_bool: false,
                a,
                ..
            } => self.pace(a, here, depth + 1),
            Inst::Bin { op: BinOp::Add, a, b, .. } => {
                Some(self.pace(a, here, depth + 1)?.wrapping_add(self.pace(b, here, depth + 1)?))
            }
            Inst::Bin { op: BinOp::Sub, a, b, .. } => {
                Some(self.pace(a, here, depth + 1)?.wrapping_sub(self.pace(b, here, depth + 1)?))
            }
            Inst::Bin { op: BinOp::Mul, a, b: Opnd::Imm(factor), .. }
            | Inst::Bin { op: BinOp::Mul, a: Opnd::Imm(factor), b: a, .. } => {
                Some(self.pace(a, here, depth + 1)?.wrapping_mul(factor.low16()))
            }
            _ => None,
        }
    }

    /// The value in the first turn, computed before the loop; only for values with a pace.
    fn at_entry(&mut self, operand: &Opnd, site: Site) -> Opnd {
        let Opnd::Reg(reg) = operand else { return operand.clone() };
        if *reg == self.counter {
            return self.start.clone();
        }
        let Some(&Some((block, place))) = self.changes.get(reg) else {
            return operand.clone();
        };
        let mut inst = self.func.blocks[block].insts[place].clone();
        let mut parts = Vec::new();
        inst.for_each_operand(&mut |part| parts.push(part.clone()));
        let mut parts = parts.iter().map(|part| self.at_entry(part, site)).collect::<Vec<_>>().into_iter();
        inst.for_each_operand_mut(&mut |part| *part = parts.next().expect("as many as there were"));
        let fresh = new_reg(self.func, self.func.regs[*reg]);
        inst.for_each_def_mut(&mut |def| *def = fresh);
        push(&mut self.func.blocks[self.entry], inst, site);
        Opnd::Reg(fresh)
    }
}
