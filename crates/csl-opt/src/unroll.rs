//! Unrolling: replaces a short loop with a known number of turns by its turns, one after the other.
//!
//! The size of the whole nest counts: all turns of all counted loops around the body. Recorded programs show this: 5 x
//! 5 bodies of 14 instructions are unrolled, 14 x 14 are not, and neither is the innermost loop of 8 x 8 x 8 single
//! moves.

use csl_ir::{AddrBase, BinOp, Block, BlockId, CmpOp, Func, Inst, Opnd, Preds, Reg, Scalar, Term};
use csl_num::IntTy;
use rustc_hash::FxHashMap;

use crate::cfg::{Loop, loops};
use crate::edit::{Uses, new_reg, push, rename, rename_term};

/// The greatest number of instructions of all turns of a nest. Chosen between the 350 of a nest that the vendor's
/// compiler unrolls and the 2,700 of one that it does not.
const MOST: u64 = 400;

/// Unrolls one loop; whether there was one. That may make the counts of others known.
pub fn run(func: &mut Func) -> bool {
    let order = func.reverse_postorder();
    let preds = func.predecessors(&order);
    let found = loops(func, &order, &preds);
    if found.is_empty() {
        return false;
    }
    let uses = Uses::of(func);
    let counted: Vec<Option<Counted>> = found.iter().map(|one| counted(func, &uses, &preds, one)).collect();
    // Inner loops first: an outer loop is unrolled when it has no loop inside any more.
    for (which, one) in found.iter().enumerate().rev() {
        let Some(known) = &counted[which] else { continue };
        let around = found.iter().zip(&counted).filter(|(outer, _)| {
            outer.head != one.head && outer.blocks.contains(&one.head) && outer.blocks.contains(&one.latch)
        });
        let nest = around.filter_map(|(_, counted)| counted.as_ref()).map(|counted| counted.turns);
        let turns = nest.fold(known.turns, u64::saturating_mul);
        let has_inner = found.iter().any(|inner| inner.head != one.head && one.blocks.contains(&inner.head));
        if !has_inner && turns.saturating_mul(size(func, one)) <= MOST {
            unroll(func, one, known);
            return true;
        }
    }
    false
}

/// Instructions of a turn, without those of the counting.
fn size(func: &Func, one: &Loop) -> u64 {
    let counts = |inst: &&Inst| !matches!(inst, Inst::Copy { src: Opnd::Reg(_), .. });
    let insts = one.blocks.iter().flat_map(|&block| &func.blocks[block].insts).filter(counts).count();
    let branches = one.blocks.iter().filter(|&&block| func.blocks[block].term.operand().is_some()).count();
    // The counter's step, its comparison and its branch.
    (insts + branches).saturating_sub(3).max(1) as u64
}

/// The counter of a loop and its values.
struct Counted {
    counter: Reg,
    /// The position of the counter's step, in the last block of each turn.
    step_at: usize,
    ty: Scalar,
    start: u64,
    step: u64,
    turns: u64,
    body: BlockId,
    exit: BlockId,
}

/// The count of a loop whose head only compares a counter with a constant, and whose latch steps the counter.
fn counted(func: &Func, uses: &Uses, preds: &Preds, one: &Loop) -> Option<Counted> {
    let head = &func.blocks[one.head];
    let [Inst::Cmp { op, ty: ty @ Scalar::Int { signed, bits }, dst, a: Opnd::Reg(counter), b: Opnd::Imm(end) }] =
        head.insts[..]
    else {
        return None;
    };
    let Term::Branch { cond: Opnd::Reg(cond), then: body, otherwise: exit } = head.term else { return None };
    if cond != dst
        || uses.uses[dst] != 1
        || !one.blocks.contains(&body)
        || one.blocks.contains(&exit)
        || body == one.head
    {
        return None;
    }
    let steps = one.blocks.iter().flat_map(|&block| {
        let defs = func.blocks[block].insts.iter().enumerate();
        defs.filter(|(_, inst)| inst.defs().any(|def| def == counter)).map(move |(place, inst)| (block, place, inst))
    });
    let mut steps = steps;
    let (Some((block, step_at, Inst::Bin { op: BinOp::Add, a, b, .. })), None) = (steps.next(), steps.next()) else {
        return None;
    };
    let (Opnd::Reg(stepped), Opnd::Imm(step)) = (a, b) else { return None };
    if block != one.latch || *stepped != counter {
        return None;
    }
    let start = entry_value(func, preds, one, counter)?;
    let ty_of = IntTy::new(signed, u32::from(bits));
    let turns = turns(ty_of, op, start, *step, end)?;
    Some(Counted { counter, step_at, ty, start, step: *step, turns, body, exit })
}

/// The constant in a register when the loop is entered.
fn entry_value(func: &Func, preds: &Preds, one: &Loop, counter: Reg) -> Option<u64> {
    let mut outside = preds[one.head].iter().filter(|&&pred| pred != one.latch);
    let (Some(&entry), None) = (outside.next(), outside.next()) else { return None };
    let mut block = entry;
    for _ in 0..func.blocks.len() {
        let defs = func.blocks[block].insts.iter().rev();
        if let Some(def) = defs.into_iter().find(|inst| inst.defs().any(|def| def == counter)) {
            return match def {
                Inst::Copy { src: Opnd::Imm(value), .. } => Some(*value),
                _ => None,
            };
        }
        match preds[block][..] {
            [only] if only != block => block = only,
            _ => return None,
        }
    }
    None
}

fn turns(ty: IntTy, op: CmpOp, start: u64, step: u64, end: u64) -> Option<u64> {
    let mut value = start;
    // The limit is above the turns of any loop to unroll, but nests need the count of longer loops too.
    for turns in 0..1 << 17 {
        if !op.holds(csl_num::int_cmp(ty, value, end)) {
            return Some(turns);
        }
        value = csl_num::int_add(ty, value, step);
    }
    None
}

fn unroll(func: &mut Func, one: &Loop, counted: &Counted) {
    let locals = locals(func, one);
    let is_kept = is_read_outside(func, one, counted.counter) || is_address(func, one, counted.counter);
    let body: Vec<BlockId> = one.blocks.iter().copied().filter(|&block| block != one.head).collect();
    let Scalar::Int { signed, bits } = counted.ty else { return };
    let ty = IntTy::new(signed, u32::from(bits));
    let mut value = counted.start;
    // The head becomes the entry of the first turn.
    let first = func.blocks.len() as u32;
    let per_turn = body.len() as u32;
    for turn in 0..counted.turns as u32 {
        let base = first + turn * per_turn;
        let next = if u64::from(turn) + 1 == counted.turns { None } else { Some(base + per_turn) };
        let mut numbers: FxHashMap<BlockId, BlockId> =
            body.iter().enumerate().map(|(place, &block)| (block, BlockId::new(base + place as u32))).collect();
        numbers.insert(
            one.head,
            BlockId::new(
                next.map_or(first + counted.turns as u32 * per_turn, |next| next + entry(&body, counted.body)),
            ),
        );
        let fresh: FxHashMap<Reg, Reg> = locals.iter().map(|&reg| (reg, new_reg(func, func.regs[reg]))).collect();
        let to = |reg: Reg| fresh.get(&reg).copied().unwrap_or(reg);
        for &original in &body {
            let mut block = func.blocks[original].clone();
            block.insts.iter_mut().for_each(|inst| rename(inst, &to));
            rename_term(&mut block.term, &to);
            block.term.for_each_successor_mut(&mut |to| *to = numbers.get(to).copied().unwrap_or(*to));
            turn_of_counter(&mut block, counted, original == one.latch, value, ty, is_kept);
            func.blocks.push(block);
        }
        value = csl_num::int_add(ty, value, counted.step);
    }
    // After the last turn the counter has the value that ended the loop.
    let head = &func.blocks[one.head];
    let mut end =
        Block { insts: Vec::new(), sites: Vec::new(), term: Term::Jump(counted.exit), term_site: head.term_site };
    if is_kept {
        let site = end.term_site;
        push(&mut end, Inst::Copy { dst: counted.counter, src: Opnd::Imm(value) }, site);
    }
    func.blocks.push(end);
    let enter = if counted.turns == 0 { first } else { first + entry(&body, counted.body) };
    let head = &mut func.blocks[one.head];
    head.insts.clear();
    head.sites.clear();
    head.term = Term::Jump(BlockId::new(enter));
}

/// The position of the block where a turn begins.
fn entry(body: &[BlockId], first: BlockId) -> u32 {
    body.iter().position(|&block| block == first).expect("the body's first block is in the loop") as u32
}

/// Replaces the counter by its constants in a turn: before its step, and after it.
fn turn_of_counter(block: &mut Block, counted: &Counted, is_latch: bool, value: u64, ty: IntTy, is_kept: bool) {
    let next = csl_num::int_add(ty, value, counted.step);
    let set = |operand: &mut Opnd, value: u64| {
        if *operand == Opnd::Reg(counted.counter) {
            *operand = Opnd::Imm(value);
        }
    };
    for (place, inst) in block.insts.iter_mut().enumerate() {
        if is_latch && place == counted.step_at {
            *inst = Inst::Copy { dst: counted.counter, src: Opnd::Imm(next) };
            continue;
        }
        let now = if is_latch && place > counted.step_at { next } else { value };
        inst.for_each_operand_mut(&mut |operand| set(operand, now));
    }
    if let Some(operand) = block.term.operand_mut() {
        set(operand, if is_latch { next } else { value });
    }
    if is_latch && !is_kept {
        block.insts.remove(counted.step_at);
        block.sites.remove(counted.step_at);
    }
}

/// Registers that one block of the loop writes before it reads them and no other block names: each turn gets its own.
fn locals(func: &Func, one: &Loop) -> Vec<Reg> {
    let uses = Uses::of(func);
    let mut found = Vec::new();
    for &block in one.blocks.iter().filter(|&&block| block != one.head) {
        let body = &func.blocks[block];
        let mut counts: FxHashMap<Reg, (u32, u32, bool)> = FxHashMap::default();
        for inst in &body.insts {
            inst.for_each_use(&mut |reg| counts.entry(reg).or_default().1 += 1);
            for reg in inst.defs() {
                let count = counts.entry(reg).or_default();
                count.2 |= count.0 == 0 && count.1 == 0;
                count.0 += 1;
            }
        }
        if let Some(Opnd::Reg(reg)) = body.term.operand() {
            counts.entry(*reg).or_default().1 += 1;
        }
        let is_local = |&(reg, &(defs, reads, is_first)): &(&Reg, &(u32, u32, bool))| {
            is_first && uses.defs[*reg] == defs && uses.uses[*reg] == reads
        };
        let mut regs: Vec<Reg> = counts.iter().filter(is_local).map(|(&reg, _)| reg).collect();
        regs.sort_unstable();
        found.extend(regs);
    }
    found
}

/// Whether the loop uses the register as the start of an address, which cannot be a constant.
fn is_address(func: &Func, one: &Loop, reg: Reg) -> bool {
    one.blocks.iter().flat_map(|&block| &func.blocks[block].insts).any(|inst| {
        let mut found = false;
        inst.for_each_addr(&mut |addr| found |= addr.base == AddrBase::Reg(reg));
        found
    })
}

/// Whether anything outside the loop may read the value that the loop leaves in the register.
fn is_read_outside(func: &Func, one: &Loop, reg: Reg) -> bool {
    let outside =
        func.blocks.iter().enumerate().filter(|(block, _)| !one.blocks.contains(&BlockId::new(*block as u32)));
    outside.into_iter().any(|(_, block)| {
        let mut read = block.term.operand() == Some(&Opnd::Reg(reg));
        block.insts.iter().for_each(|inst| inst.for_each_use(&mut |used| read |= used == reg));
        read
    })
}
