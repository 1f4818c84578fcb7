//! Blocks: tests of what is known become jumps, empty blocks vanish, a block that only one other leads to becomes a part of
//! that, and what control never reaches is dropped.

use csl_ir::{Block, BlockId, Func, Opnd, Term};

use crate::cfg::{at, predecessors, reverse_postorder};

pub fn run(func: &mut Func) {
    func.blocks.iter_mut().for_each(settle);
    skip_empty(func);
    // A branch whose sides now are one.
    func.blocks.iter_mut().for_each(settle);
    merge(func);
    compact(func);
}

/// A test of what is known, or one that leads to the same place either way.
fn settle(block: &mut Block) {
    let to = match &block.term {
        Term::Branch { then, otherwise, .. } if then == otherwise => *then,
        Term::Branch { cond: Opnd::Imm(value), then, otherwise } => {
            if *value != 0 {
                *then
            } else {
                *otherwise
            }
        }
        Term::Switch { value: Opnd::Imm(value), cases, default, .. } => {
            cases.iter().find(|case| case.0 == *value).map_or(*default, |case| case.1)
        }
        _ => return,
    };
    block.term = Term::Jump(to);
}

/// Whoever goes to an empty block goes where that one leads.
fn skip_empty(func: &mut Func) {
    let leads_to = |block: BlockId| match func.blocks[at(block)] {
        Block { term: Term::Jump(to), ref insts, .. } if insts.is_empty() && to != block => Some(to),
        _ => None,
    };
    let end = |start: u32| {
        let mut block = BlockId::new(start);
        // Blocks may be empty all around a circle.
        for _ in 0..func.blocks.len() {
            match leads_to(block) {
                Some(to) => block = to,
                None => return block,
            }
        }
        BlockId::new(start)
    };
    let ends: Vec<BlockId> = (0..func.blocks.len() as u32).map(end).collect();
    func.blocks.iter_mut().for_each(|block| block.term.for_each_successor_mut(&mut |to| *to = ends[at(*to)]));
}

/// Appends a block to the only one that leads to it, where that one leads nowhere else.
fn merge(func: &mut Func) {
    let order = reverse_postorder(func);
    let preds = predecessors(func, &order);
    for &block in &order {
        while let Term::Jump(next) = func.blocks[at(block)].term
            && preds[at(next)].len() == 1
            && next != block
            && next != BlockId::new(0)
        {
            let nothing =
                Block { insts: Vec::new(), sites: Vec::new(), term: Term::Jump(next), ..func.blocks[at(next)] };
            let Block { insts, sites, term, term_site } = std::mem::replace(&mut func.blocks[at(next)], nothing);
            let into = &mut func.blocks[at(block)];
            into.insts.extend(insts);
            into.sites.extend(sites);
            (into.term, into.term_site) = (term, term_site);
        }
    }
}

/// Drops what control does not reach. Blocks that remain keep their order.
fn compact(func: &mut Func) {
    let mut reached = vec![false; func.blocks.len()];
    reverse_postorder(func).into_iter().for_each(|block| reached[at(block)] = true);
    if reached.iter().all(|&reached| reached) {
        return;
    }
    let mut next = 0;
    let mut numbers = Vec::new();
    for &reached in &reached {
        numbers.push(BlockId::new(next));
        next += u32::from(reached);
    }
    let mut which = reached.iter();
    func.blocks.retain(|_| *which.next().expect("one a block"));
    func.blocks.iter_mut().for_each(|block| block.term.for_each_successor_mut(&mut |to| *to = numbers[at(*to)]));
}
