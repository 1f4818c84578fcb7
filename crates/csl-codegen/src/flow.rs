//! The order of blocks, and the cycles of the edges between them.

use csl_ir::{BinOp, Block, BlockId, Func, Inst, Opnd, Scalar, Term};
use csl_machine::{ScalarCosts, SysOp};

/// The reachable blocks of a function in the order in which their code stands.
#[derive(Debug)]
pub struct Flow {
    pub order: Vec<BlockId>,
    /// Position in `order`; `None` for blocks that control never reaches.
    places: Vec<Option<u32>>,
    /// The number of edges that lead to each block.
    pub preds: Vec<u32>,
    /// Whether the block begins by taking an element for `@map`.
    takes_element: Vec<bool>,
    /// The last position from which a back edge leads to the block, by block.
    loop_end: Vec<Option<u32>>,
    /// For a block that ends in a branch over a predicated side: that side.
    predicated: Vec<Option<BlockId>>,
}

impl Flow {
    pub fn of(func: &Func) -> Flow {
        let order = order(func);
        let places = places(func, &order);
        let takes_element = |block: &Block| matches!(block.insts.first(), Some(Inst::IterNext { .. }));
        let mut flow = Flow {
            preds: vec![0; places.len()],
            takes_element: func.blocks.iter().map(takes_element).collect(),
            loop_end: vec![None; places.len()],
            predicated: vec![None; places.len()],
            order,
            places,
        };
        flow.edges(func);
        flow.predicated = func.blocks.iter().map(|block| flow.side(func, block)).collect();
        flow
    }

    fn edges(&mut self, func: &Func) {
        for (at, block) in self.order.iter().enumerate() {
            for to in func.blocks[*block].term.successors() {
                self.preds[to] += 1;
                if self.place(to) <= at as u32 {
                    self.loop_end[to] = Some(at as u32);
                }
            }
        }
    }

    /// The side of an `if` without else whose only instruction the machine predicates, instead of branching over it. A
    /// recorded program branches over sides of two instructions.
    fn side(&self, func: &Func, block: &Block) -> Option<BlockId> {
        let Term::Branch { then, otherwise, .. } = block.term else { return None };
        let is_side = |side: BlockId, join: BlockId| {
            let body = &func.blocks[side];
            body.term == Term::Jump(join)
                && self.places[side] < self.places[join]
                && self.preds[side] == 1
                && matches!(&body.insts[..], [inst] if is_predicable(inst))
        };
        [(then, otherwise), (otherwise, then)].into_iter().find(|&(side, join)| is_side(side, join)).map(|pair| pair.0)
    }

    /// The predicated side after a block's branch.
    pub fn predicated_side(&self, block: BlockId) -> Option<BlockId> {
        self.predicated[block]
    }

    /// Whether the loop with this `head` holds the block.
    pub fn is_in_loop_of(&self, head: BlockId, block: BlockId) -> bool {
        let place = self.place(block);
        self.place(head) <= place && self.loop_end[head].is_some_and(|end| place <= end)
    }

    /// The position of a reachable block in `order`.
    pub fn place(&self, block: BlockId) -> u32 {
        self.places[block].expect("successors of reachable blocks are reachable")
    }

    pub fn next(&self, block: BlockId) -> Option<BlockId> {
        self.order.get(self.place(block) as usize + 1).copied()
    }

    pub fn is_loop_head(&self, block: BlockId) -> bool {
        self.loop_end[block].is_some()
    }

    /// Whether a back edge spans the block.
    pub fn is_in_loop(&self, block: BlockId) -> bool {
        let here = self.place(block);
        let spans = |&head: &BlockId| {
            let end = self.loop_end[head];
            end.is_some_and(|end| self.place(head) <= here && here <= end)
        };
        self.order.iter().any(spans)
    }

    /// The cycles from the end of `from` to the start of `to`. A loop pays for its back edge; the test at its head is
    /// free while the loop continues, as in a loop with its test at the bottom.
    pub fn edge_cost(&self, costs: &ScalarCosts, term: &Term, from: BlockId, to: BlockId) -> u32 {
        if self.place(to) <= self.place(from) {
            let is_map = self.takes_element[to];
            return if is_map { costs.map_back_edge } else { costs.loop_back_edge };
        }
        let falls_through = self.next(from) == Some(to);
        match term {
            Term::Jump(_) if falls_through => 0,
            Term::Branch { .. } if self.is_loop_head(from) && falls_through => 0,
            Term::Branch { .. } if self.is_loop_head(from) || falls_through => costs.branch_not_taken,
            _ => costs.branch_taken,
        }
    }
}

/// The reverse postorder. The `then` side of a branch comes before the other, but the sides that leave a loop come last,
/// as compilers lay out code: a turn does not jump over the way out.
fn order(func: &Func) -> Vec<BlockId> {
    let mut order = func.postorder();
    order.reverse();
    let loops = loops(func, &order);
    if loops.is_empty() {
        return order;
    }
    let leaves = |from: BlockId, to: BlockId| loops.iter().any(|inside| inside[from] && !inside[to]);
    let mut order = func.postorder_by(|block| {
        let mut successors = func.blocks[block].term.successors();
        successors.sort_by_key(|&to| leaves(block, to));
        successors
    });
    order.reverse();
    order
}

/// The blocks of each loop: those from which control gets back to its head without leaving it.
fn loops(func: &Func, order: &[BlockId]) -> Vec<Vec<bool>> {
    let places = places(func, order);
    let preds = func.predecessors(order);
    let of_head = |&head: &BlockId| {
        let mut latches = preds[head].iter().copied().filter(|&latch| places[head] <= places[latch]).peekable();
        latches.peek()?;
        Some(func.loop_blocks(head, latches, &preds))
    };
    order.iter().filter_map(of_head).collect()
}

/// The position of each block in the order.
fn places(func: &Func, order: &[BlockId]) -> Vec<Option<u32>> {
    let mut places = vec![None; func.blocks.len()];
    for (at, block) in order.iter().enumerate() {
        places[*block] = Some(at as u32);
    }
    places
}

/// Whether an instruction can be predicated: a store, an activation or plain arithmetic; no call, vector operation or
/// float.
fn is_predicable(inst: &Inst) -> bool {
    let is_int = |ty: Scalar| matches!(ty, Scalar::Int { .. });
    match inst {
        Inst::Bin { op, ty, .. } => is_int(*ty) && !matches!(op, BinOp::Div | BinOp::Rem),
        Inst::Un { ty, .. } | Inst::Cmp { ty, .. } => is_int(*ty),
        Inst::Cast { from, to, .. } => is_int(*from) && is_int(*to),
        Inst::Copy { src: Opnd::Dsd(_), .. } => false,
        Inst::Copy { .. } | Inst::Select { .. } | Inst::Load { .. } | Inst::Store { .. } | Inst::Lea { .. } => true,
        Inst::Index { .. } => true,
        Inst::Sys { op, .. } => matches!(op, SysOp::ActivateTask | SysOp::BlockTask | SysOp::UnblockTask),
        _ => false,
    }
}
