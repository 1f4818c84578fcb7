//! `switch`.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{BlockId, CmpOp, Scalar, Term, Ty, TypeKind, TypedValue, Value, Varying};
use csl_num::IntTy;
use csl_syntax::ast::{Expr, Switch, SwitchArm};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::context::{Res, Sema, Wanted};
use crate::operand::Operand;
use crate::value::int_of;

impl Sema<'_> {
    pub fn eval_switch(&mut self, node: &Switch, wanted: Wanted, span: Span) -> Res<Operand> {
        let input = self.eval(&node.input)?;
        let ty = self.switch_type(&input, node.input.span)?;
        let cases = self.switch_cases(node, ty)?;
        self.check_coverage(node, ty, &cases, span)?;
        if let Some(arm) = input.as_const().and_then(|input| known_arm(&input.value, &cases)) {
            return self.scoped(|s| s.eval_wanted(&node.arms[arm].body, wanted));
        }
        if let Some(known) = input.as_const().and_then(int_of).cloned() {
            return match taken(node, &cases, &known) {
                Some(body) => self.scoped(|s| s.eval_wanted(body, wanted)),
                None => Err(self.error(
                    Code::BadSwitch,
                    span,
                    format!("no branch covers the value {}", crate::value::number_text(&known)),
                )),
            };
        }
        self.runtime_switch(node, input, ty, cases, wanted, span)
    }

    fn switch_type(&mut self, input: &Operand, span: Span) -> Res<Ty> {
        match self.types.kind(input.ty()) {
            // A `comptime_int` too (release notes of 0.7), though the page on syntax leaves it out.
            TypeKind::Int { .. } | TypeKind::ComptimeInt | TypeKind::Enum { .. } => Ok(input.ty()),
            _ => {
                let shown = self.show(input.ty());
                let message = format!("a switch takes an integer or an enum, got: `{shown}`");
                Err(self.error(Code::BadSwitch, span, message))
            }
        }
    }

    /// The values of each branch; no value occurs twice.
    fn switch_cases(&mut self, node: &Switch, ty: Ty) -> Res<Vec<Vec<BigInt>>> {
        let mut seen: Vec<(BigInt, Span)> = Vec::new();
        let mut cases = Vec::with_capacity(node.arms.len());
        for arm in &node.arms {
            let mut values = Vec::with_capacity(arm.values.len());
            for expr in &arm.values {
                let value = self.eval_const_as(expr, ty)?;
                let number = int_of(&value).cloned().unwrap_or_default();
                if let Some((_, first)) = seen.iter().find(|s| s.0 == number) {
                    let diagnostic = Diagnostic::new(Code::BadSwitch, expr.span, "this value has a branch already");
                    let first = *first;
                    return Err(self.fail(diagnostic.secondary(first, "here")));
                }
                seen.push((number.clone(), expr.span));
                values.push(number);
            }
            cases.push(values);
        }
        Ok(cases)
    }

    fn check_coverage(&mut self, node: &Switch, ty: Ty, cases: &[Vec<BigInt>], span: Span) -> Res<()> {
        let elses = node.arms.iter().filter(|a| a.values.is_empty()).count();
        if elses > 1 {
            return Err(self.error(Code::BadSwitch, span, "a switch has one `else` branch at most"));
        }
        if elses == 1 {
            return Ok(());
        }
        let covered = |n: &BigInt| cases.iter().flatten().any(|c| c == n);
        let missing = match self.types.kind(ty).clone() {
            TypeKind::Enum { members, .. } => {
                members.iter().filter(|m| !covered(&m.1)).map(|m| m.0.to_string()).collect::<Vec<_>>()
            }
            TypeKind::Int { signed, bits } => {
                let count = cases.iter().map(Vec::len).sum::<usize>();
                let all = (IntTy { signed, bits }.max() - IntTy { signed, bits }.min() + 1u8).to_usize();
                if all == Some(count) { Vec::new() } else { vec![format!("other values of {}", self.show(ty))] }
            }
            _ => Vec::new(),
        };
        if missing.is_empty() {
            return Ok(());
        }
        let diagnostic = Diagnostic::new(Code::BadSwitch, span, "the switch does not cover all values of its input");
        Err(self.fail(diagnostic.note(format!("missing: {}", missing.join(", "))).help("add an `else` branch")))
    }

    fn runtime_switch(
        &mut self,
        node: &Switch,
        input: Operand,
        ty: Ty,
        cases: Vec<Vec<BigInt>>,
        wanted: Wanted,
        span: Span,
    ) -> Res<Operand> {
        let code = self.code(span)?;
        let blocks: Vec<_> = node.arms.iter().map(|_| code.new_block()).collect();
        let default = match node.arms.iter().position(|arm| arm.values.is_empty()) {
            Some(at) => blocks[at],
            // All members of an enum have branches; other numbers do not occur.
            None => code.unreachable_block(span),
        };
        let targets =
            cases.into_iter().zip(&blocks).flat_map(|(values, &block)| values.into_iter().map(move |n| (n, block)));
        self.dispatch((input, node.input.span), ty, targets.collect(), default, span)?;
        let mut exits = Vec::new();
        let mut arms = Ok(());
        for (arm, block) in node.arms.iter().zip(blocks) {
            arms = arms.and(self.eval_arm(block, Some(&arm.body), wanted, span, &mut exits)?);
        }
        let joined = self.join(exits, wanted, span);
        arms?;
        joined
    }

    /// Goes on in the block of the case that the input equals, or in `default`.
    fn dispatch(
        &mut self,
        (input, at): (Operand, Span),
        ty: Ty,
        cases: Vec<(BigInt, BlockId)>,
        default: BlockId,
        span: Span,
    ) -> Res<()> {
        if let Some(int) = self.wide_int(ty) {
            for (number, block) in cases {
                let case = Operand::Const(TypedValue::int(ty, number));
                let is_it = self.wide_compare(CmpOp::Eq, int, &input, &case, at)?;
                let cond = self.opnd(&is_it, at)?;
                let code = self.code(span)?;
                let next = code.new_block();
                code.terminate(Term::Branch { cond, then: block, otherwise: next }, span);
                code.switch_to(next);
            }
            self.code(span)?.terminate(Term::Jump(default), span);
            return Ok(());
        }
        let Some(scalar @ Scalar::Int { signed, bits }) = self.scalar(ty) else {
            return Err(self.comptime_only(ty, span));
        };
        let int = IntTy { signed, bits: u32::from(bits) };
        let value = self.opnd(&input, at)?;
        let cases = cases.into_iter().map(|(number, block)| (int.canonical(&number), block)).collect();
        self.code(span)?.terminate(Term::Switch { ty: scalar, value, cases, default }, span);
        Ok(())
    }
}

fn taken<'n>(node: &'n Switch, cases: &[Vec<BigInt>], known: &BigInt) -> Option<&'n Expr> {
    let chosen = cases.iter().position(|values| values.contains(known));
    let arm: Option<&SwitchArm> = match chosen {
        Some(index) => node.arms.get(index),
        None => node.arms.iter().find(|a| a.values.is_empty()),
    };
    arm.map(|a| &a.body)
}

/// The branch of an input that varies between tiles, if one branch names it.
fn known_arm(input: &Value, cases: &[Vec<BigInt>]) -> Option<usize> {
    let is = |case: &BigInt| Varying::compare(CmpOp::Eq, input, &Value::Int(case.clone())) == Some(true);
    cases.iter().position(|values| values.iter().any(is))
}
