//! Ways through a function: what may follow what.

use csl_ir::{BlockId, Func};

/// The blocks that control can come to behind a block, itself included where it is in a loop.
pub(crate) fn behind(func: &Func, block: BlockId) -> Vec<bool> {
    let mut seen = vec![false; func.blocks.len()];
    let mut open = func.blocks[block].term.successors().to_vec();
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut seen[at.number() as usize], true) {
            open.extend(func.blocks[at].term.successors());
        }
    }
    seen
}

/// The blocks of the loops that a block is in: those behind it that lead back to it.
pub(crate) fn around(func: &Func, block: BlockId) -> Vec<BlockId> {
    let behind = self::behind(func, block);
    if !behind[block.number() as usize] {
        return Vec::new();
    }
    let all = (0..func.blocks.len()).map(BlockId::at).filter(|at| behind[at.number() as usize]);
    all.filter(|&at| at == block || self::behind(func, at)[block.number() as usize]).collect()
}

/// Whether every way through the function that ends passes a block of these.
pub(crate) fn always_passes(func: &Func, blocks: &[BlockId]) -> bool {
    let mut seen = vec![false; func.blocks.len()];
    let mut open = vec![BlockId::new(0)];
    while let Some(at) = open.pop() {
        if blocks.contains(&at) || std::mem::replace(&mut seen[at.number() as usize], true) {
            continue;
        }
        let next = func.blocks[at].term.successors();
        if next.is_empty() {
            return false;
        }
        open.extend(next);
    }
    true
}
