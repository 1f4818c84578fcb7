//! The control-flow graph of a function: orders, predecessors, the blocks of a loop.

use smallvec::SmallVec;

use crate::func::{BlockId, Func};

/// The reachable predecessors of each block, once for each edge.
pub type Preds = Vec<SmallVec<[BlockId; 4]>>;

impl Func {
    /// The reachable blocks in the order in which a depth-first walk leaves them, the last successor of a block first. The
    /// walk is iterative, because code may be deep.
    pub fn postorder(&self) -> Vec<BlockId> {
        self.postorder_by(|block| self.blocks[block].term.successors())
    }

    /// [`Func::postorder`], with the successors of each block in an order of the caller's.
    pub fn postorder_by(&self, successors: impl Fn(BlockId) -> SmallVec<[BlockId; 2]>) -> Vec<BlockId> {
        let mut order = Vec::with_capacity(self.blocks.len());
        let mut seen = vec![false; self.blocks.len()];
        let entry = BlockId::new(0);
        let mut stack = Vec::with_capacity(self.blocks.len());
        stack.push((entry, successors(entry)));
        seen[entry] = true;
        while let Some((block, pending)) = stack.last_mut() {
            match pending.pop() {
                Some(to) if !seen[to] => {
                    seen[to] = true;
                    stack.push((to, successors(to)));
                }
                Some(_) => {}
                None => {
                    order.push(*block);
                    stack.pop();
                }
            }
        }
        order
    }

    /// Reachable blocks in an order in which each comes before its successors, but for the back edges of loops.
    pub fn reverse_postorder(&self) -> Vec<BlockId> {
        let mut order = self.postorder();
        order.reverse();
        order
    }

    /// The predecessors among the blocks of an order.
    pub fn predecessors(&self, order: &[BlockId]) -> Preds {
        let mut preds: Preds = vec![SmallVec::new(); self.blocks.len()];
        for &block in order {
            for to in self.blocks[block].term.successors() {
                preds[to].push(block);
            }
        }
        preds
    }

    /// Which blocks are in the loop with this head and these back edges: those from which control gets to a back edge
    /// without passing the head.
    pub fn loop_blocks(&self, head: BlockId, latches: impl IntoIterator<Item = BlockId>, preds: &Preds) -> Vec<bool> {
        let mut inside = vec![false; self.blocks.len()];
        inside[head] = true;
        let mut pending: Vec<BlockId> = latches.into_iter().collect();
        while let Some(block) = pending.pop() {
            if !std::mem::replace(&mut inside[block], true) {
                pending.extend_from_slice(&preds[block]);
            }
        }
        inside
    }
}
