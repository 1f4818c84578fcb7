//! Inlining: replaces a call by the body of its callee.
//!
//! A small callee is inlined at every call; a larger one only at its single use, since no copy is left behind then. A
//! body keeps its own source places, with that of the call (`Func::inlined`).

use csl_ir::{AddrBase, Block, BlockId, Callee, Func, Inlined, InlinedId, Inst, Opnd, Program, Reg, Site, Term};

use rustc_hash::FxHashMap;

use crate::dead;
use crate::edit::{push, rename, rename_term};
use crate::pool::{Body, BodyId, Pool};

/// Instructions of a body that is inlined at every call. Chosen: LLVM's threshold is a cost of 225 with 5 an
/// instruction, less the cost of the call.
const SMALL: usize = 25;

/// The greatest number of instructions of a function after inlining.
const MOST: usize = 1 << 14;

/// The facts about a function that inlining needs.
struct Outline {
    calls: Vec<usize>,
    pointers: Vec<usize>,
    size: usize,
}

impl Outline {
    fn of(func: &mut Func) -> Outline {
        Outline { calls: direct_calls(func).collect(), pointers: dead::named_by_pointers(func), size: size(func) }
    }
}

pub fn run(programs: &mut [Program], pool: &mut Pool) {
    let mut outlines: Vec<Outline> = pool.bodies.iter_mut().map(|body| Outline::of(&mut body.func)).collect();
    // The results for a function with given bodies of the callees that it takes in.
    let mut made: FxHashMap<(BodyId, Vec<Option<BodyId>>), BodyId> = FxHashMap::default();
    for (home, program) in programs.iter_mut().enumerate() {
        let table = &mut pool.tables[home];
        let mut calls = vec![0u32; table.len()];
        let mut kept = vec![false; table.len()];
        dead::named_by_tables(program).into_iter().for_each(|id| kept[id] = true);
        for &body in table.iter() {
            outlines[body].calls.iter().for_each(|&id| calls[id] += 1);
            outlines[body].pointers.iter().for_each(|&id| kept[id] = true);
        }
        // By function; final for those that a caller can name by the time when it is considered.
        let mut is_wanted = vec![false; table.len()];
        let graph: Vec<&[usize]> = table.iter().map(|&body| &outlines[body].calls[..]).collect();
        for component in callees_first(&graph) {
            for &caller in &component {
                let body = table[caller];
                let wanted = |&callee: &usize| is_wanted[callee].then(|| table[callee]);
                let callees: Vec<Option<BodyId>> = outlines[body].calls.iter().map(wanted).collect();
                if callees.iter().all(Option::is_none) {
                    continue;
                }
                table[caller] = *made.entry((body, callees)).or_insert_with(|| {
                    let callee =
                        |id: usize| is_wanted[id].then(|| (&pool.bodies[table[id]].func, outlines[table[id]].size));
                    let mut func = expanded(&pool.bodies[body].func, outlines[body].size, callee);
                    outlines.push(Outline::of(&mut func));
                    pool.bodies.push(Body { func, home });
                    pool.bodies.len() - 1
                });
            }
            if let [only] = component[..] {
                let outline = &outlines[table[only]];
                let is_small = outline.size <= SMALL || calls[only] == 1 && !kept[only];
                is_wanted[only] = is_small && !outline.calls.contains(&only);
            }
        }
    }
}

/// Instructions that remain in generated code.
fn size(func: &Func) -> usize {
    let counts = |inst: &&Inst| !matches!(inst, Inst::Copy { src: Opnd::Reg(_), .. });
    let branches = func.blocks.iter().filter(|block| block.term.operand().is_some()).count();
    func.blocks.iter().flat_map(|block| &block.insts).filter(counts).count() + branches
}

fn direct_calls(func: &Func) -> impl Iterator<Item = usize> + '_ {
    func.blocks.iter().flat_map(|block| &block.insts).filter_map(direct_callee)
}

fn direct_callee(inst: &Inst) -> Option<usize> {
    match inst {
        Inst::Call { callee: Callee::Direct(id), .. } => Some(id.index()),
        _ => None,
    }
}

/// Groups of functions that call each other in a circle, each group after those that it calls: Tarjan's algorithm.
fn callees_first(callees: &[&[usize]]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let count = callees.len();
    let (mut index, mut low, mut on_stack) = (vec![NEW; count], vec![NEW; count], vec![false; count]);
    let (mut next, mut stack, mut groups) = (0, Vec::new(), Vec::new());
    for root in 0..count {
        let mut walk = vec![(root, 0)];
        while let Some((func, place)) = walk.pop() {
            if place == 0 {
                if index[func] != NEW {
                    continue;
                }
                (index[func], low[func], on_stack[func]) = (next, next, true);
                next += 1;
                stack.push(func);
            } else if on_stack[callees[func][place - 1]] {
                low[func] = low[func].min(low[callees[func][place - 1]]);
            }
            if let Some(&callee) = callees[func].get(place) {
                walk.push((func, place + 1));
                if index[callee] == NEW {
                    walk.push((callee, 0));
                }
            } else if low[func] == index[func] {
                let start = stack.iter().rposition(|&member| member == func).expect("it was put there");
                let group: Vec<usize> = stack.drain(start..).collect();
                group.iter().for_each(|&member| on_stack[member] = false);
                groups.push(group);
            }
        }
    }
    groups
}

/// The function, of that size, with the bodies of its callees in it. `wanted` gives the bodies to inline, and their
/// sizes.
fn expanded<'a>(func: &Func, size: usize, wanted: impl Fn(usize) -> Option<(&'a Func, usize)>) -> Func {
    let mut func = func.clone();
    let mut room = MOST.saturating_sub(size);
    let mut block = 0;
    // The code after a call becomes a block at the end of the list, which is visited in its turn.
    while block < func.blocks.len() {
        let wanted = |inst: &Inst| direct_callee(inst).and_then(&wanted);
        let found = func.blocks[block].insts.iter().enumerate().find_map(|(at, inst)| Some((at, wanted(inst)?)));
        if let Some((place, (callee, size))) = found.filter(|&(_, (_, size))| size <= room) {
            room -= size;
            expand(&mut func, block, place, callee);
        }
        block += 1;
    }
    func
}

/// The offsets that turn a callee's numbers into its caller's.
struct Bases {
    reg: u32,
    slot: u32,
    iter: u32,
    block: u32,
    /// The call itself; the callee's own inlined calls follow.
    call: u32,
}

/// Replaces the call that is instruction `place` of block `block` by the callee's body.
fn expand(func: &mut Func, block: usize, place: usize, callee: &Func) {
    let behind = BlockId::at(func.blocks.len());
    let from = &mut func.blocks[block];
    let rest = Block {
        insts: from.insts.split_off(place + 1),
        sites: from.sites.split_off(place + 1),
        term: std::mem::replace(&mut from.term, Term::Unreachable),
        term_site: from.term_site,
    };
    let (call, call_site) = (from.insts.pop(), from.sites.pop());
    let (Some(Inst::Call { dst, args, .. }), Some(site)) = (call, call_site) else {
        unreachable!("the instruction is a call");
    };
    let bases = Bases {
        reg: func.regs.len() as u32,
        slot: func.slots.len() as u32,
        iter: func.iters,
        block: behind.number() + 1,
        call: func.inlined.len() as u32,
    };
    for (param, src) in args.into_iter().enumerate() {
        push(from, Inst::Copy { dst: Reg::at(param).plus(bases.reg), src }, site);
    }
    from.term = Term::Jump(BlockId::new(bases.block));
    from.term_site = site;
    func.blocks.push(rest);
    func.inlined.push(Inlined { func: callee.name.clone(), call: site });
    func.inlined
        .extend(callee.inlined.iter().map(|inner| Inlined { func: inner.func.clone(), call: bases.site(inner.call) }));
    func.counters.extend(callee.counters.iter().map(|&counter| bases.reg(counter)));
    func.regs.extend(&callee.regs);
    func.slots.extend(callee.slots.iter().cloned());
    func.iters += callee.iters;
    func.blocks.extend(callee.blocks.iter().map(|body| bases.block(body, dst, behind)));
    debug_assert!(behind.index() < func.blocks.len());
}

impl Bases {
    fn reg(&self, reg: Reg) -> Reg {
        reg.plus(self.reg)
    }

    fn site(&self, site: Site) -> Site {
        let inlined = site.inlined.map_or(0, |inner| 1 + inner.number());
        Site { inlined: Some(InlinedId::new(self.call + inlined)), ..site }
    }

    /// A block of the callee. A return moves the result to `dst` and jumps to `behind`, the code after the call.
    fn block(&self, body: &Block, dst: Option<Reg>, behind: BlockId) -> Block {
        let mut block = body.clone();
        block.insts.iter_mut().for_each(|inst| self.inst(inst));
        block.sites.iter_mut().for_each(|site| *site = self.site(*site));
        block.term_site = self.site(block.term_site);
        rename_term(&mut block.term, &|reg| self.reg(reg));
        block.term.for_each_successor_mut(&mut |to| *to = to.plus(self.block));
        if let Term::Return(value) = &mut block.term {
            let value = value.take();
            block.term = Term::Jump(behind);
            if let Some((dst, src)) = dst.zip(value) {
                let site = block.term_site;
                push(&mut block, Inst::Copy { dst, src }, site);
            }
        }
        block
    }

    fn inst(&self, inst: &mut Inst) {
        rename(inst, &|reg| self.reg(reg));
        inst.for_each_addr_mut(&mut |addr| {
            if let AddrBase::Slot(slot) = &mut addr.base {
                *slot = slot.plus(self.slot);
            }
        });
        if let Inst::IterLoad { iter, .. }
        | Inst::IterMore { iter, .. }
        | Inst::IterNext { iter, .. }
        | Inst::IterPut { iter, .. } = inst
        {
            *iter = iter.plus(self.iter);
        }
    }
}
