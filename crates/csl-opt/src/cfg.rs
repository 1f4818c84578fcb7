//! Dominators and loops of a function, by its control-flow graph.

use csl_ir::{BlockId, Func, Preds};

/// The dominators of each block: the blocks through which every path from the entry to it leads.
pub struct Dominators {
    /// Position in the order, by block.
    place: Vec<usize>,
    /// The nearest dominator, by position, as a position.
    idom: Vec<usize>,
}

impl Dominators {
    pub fn of(func: &Func, order: &[BlockId], preds: &Preds) -> Dominators {
        let mut place = vec![usize::MAX; func.blocks.len()];
        order.iter().enumerate().for_each(|(number, &block)| place[block] = number);
        let mut idom = vec![usize::MAX; order.len()];
        idom[0] = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for (number, &block) in order.iter().enumerate().skip(1) {
                let known = preds[block].iter().map(|&pred| place[pred]).filter(|&pred| idom[pred] != usize::MAX);
                let nearest = known.reduce(|a, b| meet(&idom, a, b)).unwrap_or(0);
                changed |= idom[number] != nearest;
                idom[number] = nearest;
            }
        }
        Dominators { place, idom }
    }

    pub fn dominates(&self, above: BlockId, below: BlockId) -> bool {
        let (above, mut below) = (self.place[above], self.place[below]);
        while below > above {
            below = self.idom[below];
        }
        below == above
    }
}

fn meet(idom: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        if a > b {
            a = idom[a];
        } else {
            b = idom[b];
        }
    }
    a
}

/// A loop with one back edge.
#[derive(Clone, Debug)]
pub struct Loop {
    pub head: BlockId,
    pub latch: BlockId,
    /// All blocks of the loop, the head first, in the function's order.
    pub blocks: Vec<BlockId>,
}

/// The loops whose heads dominate their blocks, outer ones before inner ones. A head with several back edges is left
/// out.
pub fn loops(func: &Func, order: &[BlockId], preds: &Preds) -> Vec<Loop> {
    let dominators = Dominators::of(func, order, preds);
    let mut found = Vec::new();
    for &head in order {
        let mut latches = preds[head].iter().filter(|&&pred| dominators.dominates(head, pred));
        let (Some(&latch), None) = (latches.next(), latches.next()) else { continue };
        let inside = func.loop_blocks(head, [latch], preds);
        let blocks: Vec<BlockId> = order.iter().copied().filter(|&block| inside[block]).collect();
        found.push(Loop { head, latch, blocks });
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.blocks.len()));
    found
}
