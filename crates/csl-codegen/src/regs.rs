//! Register allocation: assigns the registers of the IR to slots of the frame. Registers that are not live together
//! share one.
//!
//! A register's interval runs from its first to its last mention in the order of the code. That is enough for a
//! register that lives within a single block. Any other interval is stretched over every backward jump that it meets,
//! until none is left: a path from a definition to a use leaves the interval only by such a jump.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use csl_ir::{Func, Inst, Opnd, Reg, Term};
use csl_num::LowBits;

use crate::flow::Flow;
use crate::plan::Plan;

#[derive(Clone, Copy, Debug)]
struct Interval {
    reg: usize,
    /// The first and the last mention: twice the instruction's number, and one more where it is written.
    start: u32,
    end: u32,
}

/// The slot of each register, and the number of slots. Parameters keep their positions; registers that are never
/// mentioned get slot 0.
pub fn assign(func: &Func, plan: &Plan, flow: &Flow) -> (Vec<u16>, u32) {
    let mut mentions = Mentions::new(func);
    let mut blocks = Vec::new();
    for &block in &flow.order {
        let first = mentions.place;
        for inst in plan.insts[block].iter().flatten() {
            mentions.inst(plan, inst);
        }
        mentions.term(plan, &func.blocks[block].term);
        blocks.push((first, mentions.place - 1));
    }
    let jumps = backward_jumps(func, flow, &blocks);
    let mut intervals = mentions.intervals(&blocks, &jumps);
    intervals.sort_by_key(|interval| (interval.start, interval.reg));
    allocate(func, &intervals)
}

/// The first and last position of each loop: from the target of a backward jump to the block that jumps.
fn backward_jumps(func: &Func, flow: &Flow, blocks: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut jumps = Vec::new();
    for (at, block) in flow.order.iter().enumerate() {
        for to in func.blocks[*block].term.successors() {
            let target = flow.place(to) as usize;
            if target <= at {
                jumps.push((blocks[target].0, blocks[at].1));
            }
        }
    }
    jumps
}

struct Mentions {
    params: u32,
    place: u32,
    /// For each register, its first and last mention, and whether the first one writes it.
    seen: Vec<Option<(u32, u32, bool)>>,
}

impl Mentions {
    fn new(func: &Func) -> Mentions {
        let mut seen = vec![None; func.regs.len()];
        seen[..func.params as usize].fill(Some((0, 0, false)));
        Mentions { params: func.params, place: 0, seen }
    }

    fn inst(&mut self, plan: &Plan, inst: &Inst) {
        inst.for_each_use(&mut |reg| self.used(plan, reg));
        inst.defs().for_each(|reg| self.mention(reg, self.place + 1, true));
        self.place += 2;
    }

    fn term(&mut self, plan: &Plan, term: &Term) {
        if let Some(Opnd::Reg(reg)) = term.operand() {
            self.used(plan, *reg);
        }
        self.place += 2;
    }

    /// Notes a use of a register; the use of a folded register is one of the operands of its definition.
    fn used(&mut self, plan: &Plan, reg: Reg) {
        match plan.folded.get(&reg) {
            Some(inst) => inst.for_each_use(&mut |inner| self.used(plan, inner)),
            None => self.mention(reg, self.place, false),
        }
    }

    fn mention(&mut self, reg: Reg, place: u32, is_def: bool) {
        let seen = &mut self.seen[reg];
        match seen {
            Some((_, end, _)) => *end = place,
            None => *seen = Some((place, place, is_def)),
        }
    }

    fn intervals(&self, blocks: &[(u32, u32)], jumps: &[(u32, u32)]) -> Vec<Interval> {
        let interval = |(reg, seen): (usize, &Option<(u32, u32, bool)>)| {
            let &(start, end, is_def) = seen.as_ref()?;
            let block = blocks[blocks.partition_point(|block| block.1 < start)];
            let is_local = is_def && end <= block.1 && reg >= self.params as usize;
            let (start, end) = if is_local { (start, end) } else { stretched((start, end), jumps) };
            Some(Interval { reg, start, end })
        };
        self.seen.iter().enumerate().filter_map(interval).collect()
    }
}

fn stretched(mut interval: (u32, u32), jumps: &[(u32, u32)]) -> (u32, u32) {
    loop {
        let before = interval;
        for &(start, end) in jumps {
            if start <= interval.1 && interval.0 <= end {
                interval = (interval.0.min(start), interval.1.max(end));
            }
        }
        if interval == before {
            return interval;
        }
    }
}

/// Gives the lowest free slot to each interval in turn.
fn allocate(func: &Func, intervals: &[Interval]) -> (Vec<u16>, u32) {
    let mut slots = vec![0; func.regs.len()];
    let mut next = func.params;
    let mut free: BinaryHeap<Reverse<u32>> = BinaryHeap::new();
    let mut busy: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::new();
    for interval in intervals {
        while let Some(&Reverse((end, slot))) = busy.peek()
            && end < interval.start
        {
            busy.pop();
            free.push(Reverse(slot));
        }
        let slot = if interval.reg < func.params as usize {
            interval.reg as u32
        } else {
            free.pop().map_or_else(|| fresh(&mut next), |Reverse(slot)| slot)
        };
        busy.push(Reverse((interval.end, slot)));
        slots[interval.reg] = slot.low16();
    }
    (slots, next)
}

fn fresh(next: &mut u32) -> u32 {
    *next += 1;
    *next - 1
}
