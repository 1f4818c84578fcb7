//! Common subexpressions and loop invariants: a value that was computed on every path here is not computed again, and
//! one that no turn of a loop changes is computed before the loop.
//!
//! Only registers with one definition take part: where the definition lies on every path, such a register is as good as
//! a name.

use csl_ir::{BinOp, BlockId, Func, Inst, Opnd, Preds, Reg, Scalar};
use csl_num::LowBits;
use rustc_hash::FxHashMap;

use crate::cfg::{Dominators, Loop, loops};
use crate::edit::Uses;

/// Runs the pass on a function; whether anything changed.
pub fn run(func: &mut Func) -> bool {
    let order = func.reverse_postorder();
    let preds = func.predecessors(&order);
    let uses = Uses::of(func);
    let mut found = loops(func, &order, &preds);
    // From the inside out: an invariant of an inner loop may be one of the outer loop too.
    found.reverse();
    let mut changed = false;
    found.iter().for_each(|one| changed |= hoist(func, &preds, &uses, one));
    share(func, &order, &preds, &uses) || changed
}

/// The block before a loop, if there is one with no other successor.
pub fn before(func: &Func, preds: &Preds, one: &Loop) -> Option<BlockId> {
    let mut outside = preds[one.head].iter().filter(|&&pred| pred != one.latch);
    let (Some(&entry), None) = (outside.next(), outside.next()) else { return None };
    (func.blocks[entry].term.successors().len() == 1).then_some(entry)
}

/// Whether the instruction is integer arithmetic that cannot fault.
fn is_arithmetic(inst: &Inst) -> bool {
    match inst {
        Inst::Bin { op, ty: Scalar::Int { .. }, .. } => !matches!(op, BinOp::Div | BinOp::Rem),
        Inst::Cast { from: Scalar::Int { .. }, to: Scalar::Int { .. }, .. } => true,
        _ => false,
    }
}

fn hoist(func: &mut Func, preds: &Preds, uses: &Uses, one: &Loop) -> bool {
    let Some(entry) = before(func, preds, one) else { return false };
    let mut changed = false;
    let mut changes = vec![false; func.regs.len()];
    for inst in one.blocks.iter().flat_map(|&block| &func.blocks[block].insts) {
        inst.defs().for_each(|reg| changes[reg] = true);
    }
    for &block in one.blocks.iter().filter(|&&block| block != one.head) {
        let mut place = 0;
        while place < func.blocks[block].insts.len() {
            let inst = &func.blocks[block].insts[place];
            let mut is_fixed = is_arithmetic(inst) && inst.defs().all(|reg| uses.defs[reg] == 1);
            inst.for_each_use(&mut |reg| is_fixed &= !changes[reg]);
            if !is_fixed {
                place += 1;
                continue;
            }
            let inst = func.blocks[block].insts.remove(place);
            let site = func.blocks[block].sites.remove(place);
            inst.defs().for_each(|reg| changes[reg] = false);
            crate::edit::push(&mut func.blocks[entry], inst, site);
            changed = true;
        }
    }
    changed
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Reg(Reg),
    /// The value that a register with several definitions has at this moment of the walk: valid along a chain of blocks
    /// with one predecessor each.
    Since(Reg, u32),
    Imm(u64),
    Global(u32, i32),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Bin(BinOp, Scalar, Part, Part),
    Cast(Scalar, Scalar, Part),
    /// Elements of one global; the offset is kept apart.
    Index(u32, Part, u32),
}

/// The register that holds a computed value, and the offset that it was computed with.
#[derive(Clone, Copy)]
struct Entry {
    block: BlockId,
    reg: Reg,
    offset: i32,
}

/// The definitions that the walk has met.
struct Defined {
    /// The block with a register's last definition.
    places: Vec<Option<BlockId>>,
    /// The time of that definition in the walk.
    times: Vec<u32>,
    chain_start: u32,
    clock: u32,
    /// The times to restore when the walk leaves a block.
    undo: Vec<(Reg, u32)>,
}

impl Defined {
    fn forget(&mut self, base: usize) {
        for (reg, time) in self.undo.drain(base..).rev() {
            self.times[reg] = time;
        }
    }
}

fn share(func: &mut Func, order: &[BlockId], preds: &Preds, uses: &Uses) -> bool {
    let mut changed = false;
    let is_fixed = |reg: Reg| uses.defs[reg] == 1;
    let dominators = Dominators::of(func, order, preds);
    // The block with the one definition of a register, once the walk has met it: on the path here if it dominates.
    let regs = func.regs.len();
    let mut defined =
        Defined { places: vec![None; regs], times: vec![0; regs], chain_start: 0, clock: 0, undo: Vec::new() };
    defined.places[..func.params as usize].fill(Some(BlockId::new(0)));
    let is_name = |defined: &[Option<BlockId>], reg: Reg, here: BlockId| {
        is_fixed(reg) && defined[reg].is_some_and(|def| dominators.dominates(def, here))
    };
    let part = |defined: &Defined, operand: &Opnd, here: BlockId| match operand {
        Opnd::Reg(reg) if is_name(&defined.places, *reg, here) => Some(Part::Reg(*reg)),
        Opnd::Reg(reg) => Some(Part::Since(*reg, defined.times[*reg].max(defined.chain_start))),
        Opnd::Imm(value) => Some(Part::Imm(*value)),
        Opnd::Global(id, offset) => Some(Part::Global(id.number(), *offset)),
        _ => None,
    };
    let key = |defined: &Defined, inst: &Inst, here: BlockId| match inst {
        Inst::Bin { op, ty, a, b, .. } if is_arithmetic(inst) => {
            Some((Key::Bin(*op, *ty, part(defined, a, here)?, part(defined, b, here)?), 0))
        }
        Inst::Cast { from, to, to_bool: false, a, .. } if is_arithmetic(inst) => {
            Some((Key::Cast(*from, *to, part(defined, a, here)?), 0))
        }
        Inst::Index { base: Opnd::Global(id, offset), index, scale, .. } => {
            Some((Key::Index(id.number(), part(defined, index, here)?, *scale), *offset))
        }
        _ => None,
    };
    let mut known: FxHashMap<Key, Vec<Entry>> = FxHashMap::default();
    let is_root = |block: BlockId| block == BlockId::new(0) || preds[block].len() != 1;
    let mut pending: Vec<(BlockId, usize)> = Vec::new();
    let mut roots = order.iter().copied().filter(|&block| is_root(block));
    while let Some((block, base)) = pending.pop().or_else(|| Some((roots.next()?, 0))) {
        defined.forget(base);
        if is_root(block) {
            defined.clock += 1;
            defined.chain_start = defined.clock;
        }
        for place in 0..func.blocks[block].insts.len() {
            let inst = &func.blocks[block].insts[place];
            let key = key(&defined, inst, block);
            for reg in inst.defs() {
                defined.clock += 1;
                defined.undo.push((reg, defined.times[reg]));
                (defined.places[reg], defined.times[reg]) = (Some(block), defined.clock);
            }
            let Some((key, offset)) = key else { continue };
            let Some(dst) = inst.defs().next().filter(|&dst| is_fixed(dst)) else { continue };
            let entries = known.entry(key).or_default();
            let found = entries.iter().find(|entry| dominators.dominates(entry.block, block));
            match found.copied() {
                Some(Entry { reg, offset: first, .. }) => {
                    func.blocks[block].insts[place] = same_and(dst, reg, offset.wrapping_sub(first));
                    changed = true;
                }
                None => entries.push(Entry { block, reg: dst, offset }),
            }
        }
        let next = func.blocks[block].term.successors().into_iter().filter(|&to| !is_root(to));
        pending.extend(next.map(|to| (to, defined.undo.len())));
    }
    changed
}

fn same_and(dst: Reg, reg: Reg, offset: i32) -> Inst {
    match offset {
        0 => Inst::Copy { dst, src: Opnd::Reg(reg) },
        _ => {
            Inst::Index { dst, base: Opnd::Reg(reg), index: Opnd::Imm(u64::from(offset.low16())), scale: 1, values: 0 }
        }
    }
}
