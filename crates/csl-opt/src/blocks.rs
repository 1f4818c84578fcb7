//! Cleans up blocks: tests of known values become jumps, empty blocks vanish, a block with one predecessor is merged
//! into it, and unreachable blocks are dropped.

use csl_ir::{Block, BlockId, Func, Opnd, Term};

/// Cleans up a function; whether anything changed.
pub fn run(func: &mut Func) -> bool {
    let changed = shorten(func);
    drop_blocks(func) || changed
}

/// Cleans up a function that was clean before a pass which leaves edges alone: as long as they stay, there is nothing to
/// merge or to drop.
pub fn run_again(func: &mut Func) {
    if shorten(func) {
        drop_blocks(func);
    }
}

/// Drops tests and empty blocks from the ways through a function; whether there were any.
fn shorten(func: &mut Func) -> bool {
    let changed = fold_branch(func);
    if skip_empty(func) {
        // The sides of a branch may be one block now.
        fold_branch(func);
        return true;
    }
    changed
}

/// Drops unreachable blocks, and those that are merged into another; whether there were any.
fn drop_blocks(func: &mut Func) -> bool {
    let order = func.reverse_postorder();
    let mut kept = vec![false; func.blocks.len()];
    order.iter().for_each(|&block| kept[block] = true);
    merge(func, &order, &mut kept);
    compact(func, &kept)
}

/// Turns tests of known values, and branches to one block either way, into jumps.
fn fold_branch(func: &mut Func) -> bool {
    let mut changed = false;
    for block in &mut func.blocks {
        if let Some(to) = only_way(&block.term) {
            block.term = Term::Jump(to);
            changed = true;
        }
    }
    changed
}

fn only_way(term: &Term) -> Option<BlockId> {
    match term {
        Term::Branch { then, otherwise, .. } if then == otherwise => Some(*then),
        Term::Branch { cond: Opnd::Imm(value), then, otherwise } => Some(if *value != 0 { *then } else { *otherwise }),
        Term::Switch { value: Opnd::Imm(value), cases, default, .. } => {
            Some(cases.iter().find(|case| case.0 == *value).map_or(*default, |case| case.1))
        }
        _ => None,
    }
}

/// Redirects edges that lead to an empty block to that block's target.
fn skip_empty(func: &mut Func) -> bool {
    let leads_to = |block: BlockId| match func.blocks[block] {
        Block { term: Term::Jump(to), ref insts, .. } if insts.is_empty() && to != block => Some(to),
        _ => None,
    };
    let end = |start: BlockId| {
        let mut block = start;
        // Empty blocks may form a circle.
        for _ in 0..func.blocks.len() {
            match leads_to(block) {
                Some(to) => block = to,
                None => return block,
            }
        }
        start
    };
    if !func.blocks.iter().any(|block| block.insts.is_empty() && matches!(block.term, Term::Jump(_))) {
        return false;
    }
    let ends: Vec<BlockId> = (0..func.blocks.len() as u32).map(|block| end(BlockId::new(block))).collect();
    let mut changed = false;
    for block in &mut func.blocks {
        block.term.for_each_successor_mut(&mut |to| {
            changed |= *to != ends[*to];
            *to = ends[*to];
        });
    }
    changed
}

/// Appends a block to its only predecessor, where that has no other successor; the block is `kept` no more.
fn merge(func: &mut Func, order: &[BlockId], kept: &mut [bool]) {
    let mut ways = vec![0u32; func.blocks.len()];
    for &block in order {
        func.blocks[block].term.successors().into_iter().for_each(|to| ways[to] += 1);
    }
    for &block in order {
        while let Term::Jump(next) = func.blocks[block].term
            && ways[next] == 1
            && next != block
            && next != BlockId::new(0)
        {
            let nothing = Block { insts: Vec::new(), sites: Vec::new(), term: Term::Jump(next), ..func.blocks[next] };
            let Block { insts, sites, term, term_site } = std::mem::replace(&mut func.blocks[next], nothing);
            let into = &mut func.blocks[block];
            into.insts.extend(insts);
            into.sites.extend(sites);
            (into.term, into.term_site) = (term, term_site);
            kept[next] = false;
        }
    }
}

/// Drops the blocks that are not kept. The others keep their order.
fn compact(func: &mut Func, kept: &[bool]) -> bool {
    if kept.iter().all(|&kept| kept) {
        return false;
    }
    let mut next = 0;
    let mut numbers = Vec::new();
    for &kept in kept {
        numbers.push(BlockId::new(next));
        next += u32::from(kept);
    }
    let mut which = kept.iter();
    func.blocks.retain(|_| *which.next().expect("one a block"));
    func.blocks.iter_mut().for_each(|block| block.term.for_each_successor_mut(&mut |to| *to = numbers[*to]));
    true
}
