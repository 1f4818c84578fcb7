//! Selects the ends of blocks.

use csl_ir::{BlockId, CmpOp, Inst, Opnd, Scalar, Term, UnOp};
use csl_isa::Op;
use csl_num::LowBits;

use crate::func::FnGen;

/// The least number of cases of a switch that goes through a table, if the table is not mostly empty.
const TABLE_CASES: usize = 4;
const TABLE_SPARSENESS: u64 = 4;
const TABLE_LIMIT: u64 = 1024;

/// A test, and the operands of the branch that makes it.
#[derive(Clone, Copy)]
struct Test {
    op: Op,
    a: u16,
    b: u16,
}

impl FnGen<'_, '_> {
    pub fn term(&mut self, term: &Term) {
        match term {
            Term::Jump(to) => self.jump(*to),
            Term::Branch { cond, then, otherwise } => self.branch(self.block, cond, *then, *otherwise, 0),
            Term::Switch { ty, value, cases, default } => self.switch(*ty, value, cases, *default),
            Term::Return(value) => self.ret(value.as_ref()),
            Term::Unreachable => {
                self.flush();
                self.emit(Op::Unreachable, 0, 0, 0);
            }
        }
    }

    fn edge(&self, from: BlockId, to: BlockId) -> u32 {
        if let Some(side) = self.draft.flow.predicated_side(from) {
            // The instructions of a predicated side are issued whether it is wanted or not.
            return if to == side { 0 } else { self.draft.costs[side].iter().sum() };
        }
        let costs = &self.ctx.program.arch.chip().scalar;
        self.draft.flow.edge_cost(costs, &self.func.blocks[from].term, from, to)
    }

    fn jump(&mut self, to: BlockId) {
        let cost = self.edge(self.block, to);
        if self.draft.flow.next(self.block) == Some(to) {
            self.pending += cost;
        } else if let Some((cond, then, otherwise, test_cost)) = self.repeated_test(to) {
            self.pending += test_cost;
            self.branch(to, &cond, then, otherwise, cost);
        } else {
            let cost = self.take_pending(cost);
            self.jump_to(to, cost);
        }
    }

    /// The test of a loop's head, if the head does nothing else: it is repeated at the loop's end instead of a jump.
    fn repeated_test(&self, head: BlockId) -> Option<(Opnd, BlockId, BlockId, u32)> {
        let at = head.index();
        let block = &self.func.blocks[at];
        let Term::Branch { cond, then, otherwise } = &block.term else { return None };
        let is_variable = self.constant(cond).is_none();
        let only_test =
            is_variable && self.draft.flow.is_loop_head(head) && self.draft.plan.insts[at].iter().all(Option::is_none);
        let costs = self.draft.costs[at].iter().sum();
        only_test.then(|| (cond.clone(), *then, *otherwise, costs))
    }

    /// The branch at the end of block `from`: its own, or that of a loop's head repeated here, where staying in the
    /// loop costs `back` cycles more.
    fn branch(&mut self, from: BlockId, cond: &Opnd, then: BlockId, otherwise: BlockId, back: u32) {
        let next = self.draft.flow.next(self.block);
        let cost = |to| self.edge(from, to) + if self.draft.flow.is_in_loop_of(from, to) { back } else { 0 };
        let (then_cost, else_cost) = (cost(then), cost(otherwise));
        if let Some(value) = self.constant(cond) {
            let (to, cost) = if value != 0 { (then, then_cost) } else { (otherwise, else_cost) };
            return self.go(to, cost);
        }
        if next == Some(then) {
            let test = self.test(cond, false);
            self.emit_branch(test, otherwise, else_cost, then_cost);
        } else {
            let test = self.test(cond, true);
            self.emit_branch(test, then, then_cost, else_cost);
            if next != Some(otherwise) {
                self.jump_to(otherwise, 0);
            }
        }
    }

    fn go(&mut self, to: BlockId, cost: u32) {
        if self.draft.flow.next(self.block) == Some(to) {
            self.pending += cost;
        } else {
            let cost = self.take_pending(cost);
            self.jump_to(to, cost);
        }
    }

    fn emit_branch(&mut self, test: Test, to: BlockId, taken: u32, not_taken: u32) {
        if self.pending + taken.max(not_taken) > u32::from(u16::MAX) {
            self.flush();
        }
        let costs = ((self.pending + not_taken).low16(), (self.pending + taken).low16());
        self.pending = 0;
        let test = self.fused_with_step(test);
        self.branch_to(test.op, test.a, test.b, to, costs);
    }

    /// Fuses the end of a counting loop, `x += 1; if (x < limit) ...`, into one instruction.
    fn fused_with_step(&mut self, test: Test) -> Test {
        let is_inside = self.insns.len() > self.block_start();
        let Some(&step) = self.insns.last().filter(|_| is_inside) else { return test };
        let op = match (step.op, test.op) {
            (Op::AddI16Imm, Op::BrLtS) => Op::NextI16,
            (Op::AddU16Imm, Op::BrLtU) => Op::NextU16,
            (Op::AddI16Imm, Op::BrLtSImm) => Op::NextI16Imm,
            (Op::AddU16Imm, Op::BrLtUImm) => Op::NextU16Imm,
            _ => return test,
        };
        if (step.a, step.b, step.c) != (test.a, test.a, 1) {
            return test;
        }
        self.insns.pop();
        Test { op, ..test }
    }

    /// The branch that is taken when `cond` is `wanted`.
    fn test(&mut self, cond: &Opnd, wanted: bool) -> Test {
        let folded = match cond {
            Opnd::Reg(reg) => self.draft.plan.folded.get(reg).cloned(),
            _ => None,
        };
        match folded {
            Some(Inst::Un { op: UnOp::Not, a, .. }) => self.test(&a, !wanted),
            Some(Inst::Cmp { op, ty, a, b, .. }) => self.compare_test(op, ty, &a, &b, wanted),
            _ => {
                let op = if wanted { Op::BrNonZero } else { Op::BrZero };
                Test { op, a: self.operand(cond), b: 0 }
            }
        }
    }

    fn compare_test(&mut self, op: CmpOp, ty: Scalar, a: &Opnd, b: &Opnd, wanted: bool) -> Test {
        match ty {
            Scalar::F32 | Scalar::Half => self.float_test(op, ty, a, b, wanted),
            Scalar::Int { .. } | Scalar::Dsd => {
                let op = if wanted { op } else { negated(op) };
                let (op, a, b) = if self.constant(a).is_some() { (swapped(op), b, a) } else { (op, a, b) };
                let signed = matches!(ty, Scalar::Int { signed: true, .. });
                self.int_test(op, signed, a, b)
            }
        }
    }

    fn int_test(&mut self, op: CmpOp, signed: bool, a: &Opnd, b: &Opnd) -> Test {
        if let Some(value) = self.constant(b)
            && let Some((op, immediate)) = immediate_test(op, signed, value)
        {
            return Test { op, a: self.operand(a), b: immediate };
        }
        let (op, a, b) = if matches!(op, CmpOp::Gt | CmpOp::Ge) { (swapped(op), b, a) } else { (op, a, b) };
        let op = match (op, signed) {
            (CmpOp::Eq, _) => Op::BrEq,
            (CmpOp::Ne, _) => Op::BrNe,
            (CmpOp::Lt | CmpOp::Gt, true) => Op::BrLtS,
            (CmpOp::Le | CmpOp::Ge, true) => Op::BrLeS,
            (CmpOp::Lt | CmpOp::Gt, false) => Op::BrLtU,
            (CmpOp::Le | CmpOp::Ge, false) => Op::BrLeU,
        };
        Test { op, a: self.operand(a), b: self.operand(b) }
    }

    fn float_test(&mut self, op: CmpOp, ty: Scalar, a: &Opnd, b: &Opnd, wanted: bool) -> Test {
        let (op, a, b) = if matches!(op, CmpOp::Gt | CmpOp::Ge) { (swapped(op), b, a) } else { (op, a, b) };
        let [eq, ne, lt, le, not_lt, not_le] = if ty == Scalar::F32 {
            [Op::BrEqF32, Op::BrNeF32, Op::BrLtF32, Op::BrLeF32, Op::BrNotLtF32, Op::BrNotLeF32]
        } else {
            [Op::BrEqHalf, Op::BrNeHalf, Op::BrLtHalf, Op::BrLeHalf, Op::BrNotLtHalf, Op::BrNotLeHalf]
        };
        let op = match (op, wanted) {
            (CmpOp::Eq, true) | (CmpOp::Ne, false) => eq,
            (CmpOp::Ne, true) | (CmpOp::Eq, false) => ne,
            (CmpOp::Lt | CmpOp::Gt, true) => lt,
            (CmpOp::Lt | CmpOp::Gt, false) => not_lt,
            (CmpOp::Le | CmpOp::Ge, true) => le,
            (CmpOp::Le | CmpOp::Ge, false) => not_le,
        };
        Test { op, a: self.operand(a), b: self.operand(b) }
    }

    /// Whether no code calls the function, only the task picker.
    fn is_task(&self) -> bool {
        let program = self.ctx.program;
        let bound = program.tasks.iter().map(|task| task.func);
        let handlers = (program.teardown_handlers.iter().map(|handler| handler.1))
            .chain(program.empty_queue_handlers.iter().map(|handler| handler.1));
        let alternates = program.rotating.iter().map(|tasks| tasks.alt);
        let mut all = bound.chain(handlers).chain(alternates);
        all.any(|func| func == self.id)
    }

    fn ret(&mut self, value: Option<&Opnd>) {
        // The end of a task is part of the time between tasks.
        let cost = if self.is_task() { 0 } else { self.ctx.program.arch.chip().scalar.ret };
        match value {
            Some(value) => {
                let reg = self.operand(value);
                let cost = self.take_pending(cost);
                self.emit(Op::Ret, reg, cost, 0);
            }
            None => {
                let cost = self.take_pending(cost);
                self.emit(Op::RetVoid, 0, cost, 0);
            }
        }
    }

    fn switch(&mut self, ty: Scalar, value: &Opnd, cases: &[(u64, BlockId)], default: BlockId) {
        let value = self.operand(value);
        let signed = matches!(ty, Scalar::Int { signed: true, .. });
        let order = |bits: u64| if signed { bits ^ 1 << 63 } else { bits };
        let least = cases.iter().map(|case| case.0).min_by_key(|&bits| order(bits));
        let most = cases.iter().map(|case| case.0).max_by_key(|&bits| order(bits));
        let span = least.zip(most).map_or(u64::MAX, |(least, most)| most.wrapping_sub(least));
        let dense = cases.len() >= TABLE_CASES && span < TABLE_LIMIT && span / cases.len() as u64 <= TABLE_SPARSENESS;
        match least {
            Some(least) if dense => self.table(value, least, span, cases, default),
            _ => self.chain(value, cases, default),
        }
    }

    fn table(&mut self, value: u16, least: u64, span: u64, cases: &[(u64, BlockId)], default: BlockId) {
        self.flush();
        let place = self.temp();
        let base = self.operand(&Opnd::Imm(least.wrapping_neg()));
        self.emit(Op::Add64, place, value, base);
        self.emit(Op::Table, place, span.low16() + 2, 0);
        for at in 0..=span {
            let case = cases.iter().find(|case| case.0.wrapping_sub(least) == at);
            let to = case.map_or(default, |case| case.1);
            self.table_entry(to, self.edge(self.block, to).low16());
        }
        self.table_entry(default, self.edge(self.block, default).low16());
    }

    fn chain(&mut self, value: u16, cases: &[(u64, BlockId)], default: BlockId) {
        self.flush();
        for &(bits, to) in cases {
            let test = match immediate_test(CmpOp::Eq, true, bits) {
                Some((op, immediate)) => Test { op, a: value, b: immediate },
                None => Test { op: Op::BrEq, a: value, b: self.operand(&Opnd::Imm(bits)) },
            };
            let cost = self.edge(self.block, to);
            self.emit_branch(test, to, cost, 0);
        }
        let cost = self.edge(self.block, default);
        self.go(default, cost);
    }
}

fn negated(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Eq => CmpOp::Ne,
        CmpOp::Ne => CmpOp::Eq,
        CmpOp::Lt => CmpOp::Ge,
        CmpOp::Le => CmpOp::Gt,
        CmpOp::Gt => CmpOp::Le,
        CmpOp::Ge => CmpOp::Lt,
    }
}

/// The operator `op'` for which `a op b` is `b op' a`.
fn swapped(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Lt => CmpOp::Gt,
        CmpOp::Le => CmpOp::Ge,
        CmpOp::Gt => CmpOp::Lt,
        CmpOp::Ge => CmpOp::Le,
        op => op,
    }
}

fn immediate_test(op: CmpOp, signed: bool, value: u64) -> Option<(Op, u16)> {
    let small = i16::try_from(value as i64).ok().map(|value| value.low16());
    let unsigned = u16::try_from(value).ok();
    match (op, signed) {
        (CmpOp::Eq, _) => small.map(|value| (Op::BrEqImm, value)),
        (CmpOp::Ne, _) => small.map(|value| (Op::BrNeImm, value)),
        (CmpOp::Lt, true) => small.map(|value| (Op::BrLtSImm, value)),
        (CmpOp::Le, true) => small.map(|value| (Op::BrLeSImm, value)),
        (CmpOp::Gt, true) => small.map(|value| (Op::BrGtSImm, value)),
        (CmpOp::Ge, true) => small.map(|value| (Op::BrGeSImm, value)),
        (CmpOp::Lt, false) => unsigned.map(|value| (Op::BrLtUImm, value)),
        (CmpOp::Le, false) => unsigned.map(|value| (Op::BrLeUImm, value)),
        (CmpOp::Gt, false) => unsigned.map(|value| (Op::BrGtUImm, value)),
        (CmpOp::Ge, false) => unsigned.map(|value| (Op::BrGeUImm, value)),
    }
}
