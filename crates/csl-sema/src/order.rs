//! Operands have their values from left to right: what is evaluated later may change the variable of an earlier one.

use csl_diag::Span;
use csl_syntax::ast::{Expr, ExprKind};

use crate::context::{Res, Sema};
use crate::operand::Operand;

/// What expressions may change: a block can assign to a local in a register, calls and blocks to what lies in memory.
#[derive(Clone, Copy, Default)]
struct Effects {
    registers: bool,
    memory: bool,
}

impl Effects {
    fn add(&mut self, expr: &Expr) {
        csl_syntax::walk::each(expr, &mut |expr| {
            let is_block = matches!(expr.kind, ExprKind::Block { .. });
            self.registers |= is_block;
            self.memory |= is_block || matches!(expr.kind, ExprKind::Call { .. });
        });
    }
}

/// Expressions that are evaluated one after another, and what those behind each may change, once it matters.
pub(crate) struct Sequence<'e> {
    exprs: Vec<&'e Expr>,
    behind: Option<Vec<Effects>>,
}

impl<'e> Sequence<'e> {
    pub fn of(exprs: impl Iterator<Item = &'e Expr>) -> Sequence<'e> {
        Sequence { exprs: exprs.collect(), behind: None }
    }

    fn behind(&mut self, index: usize) -> Effects {
        let exprs = &self.exprs;
        let all = self.behind.get_or_insert_with(|| {
            let mut effects = Effects::default();
            let mut all = vec![effects; exprs.len()];
            for (before, expr) in all.iter_mut().zip(exprs).rev() {
                *before = effects;
                effects.add(expr);
            }
            all
        });
        all[index]
    }
}

impl Sema<'_> {
    /// The value of expression `index` as it is now, a copy where those behind it could change the variable that it is of.
    pub fn keep(&mut self, operand: Operand, of: &mut Sequence<'_>, index: usize, span: Span) -> Res<Operand> {
        let may_change = match &operand {
            Operand::Const(_) => false,
            Operand::Reg(..) => of.behind(index).registers,
            Operand::Mem(..) | Operand::Agg(..) => of.behind(index).memory,
        };
        if may_change { self.pin_deep(operand, span) } else { Ok(operand) }
    }
}
