//! `for` and `while`.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{BinOp, BlockId, CmpOp, Inst, Opnd, Reg, Scalar, Term, Ty, TypeKind, TypedValue, Value};
use csl_syntax::Symbol;
use csl_syntax::ast::{Expr, For, While};
use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

use crate::context::{Binding, Res, Sema, Stop, TargetBlocks, Wanted};
use crate::emit::FuncBuilder;
use crate::operand::{Operand, Place, PlaceKind};

/// The steps that a call at comptime counts.
pub const CALL_STEPS: u64 = 8;

const STEPS_HELP: &str = "does a loop or a function that calls itself ever end here? An iteration is a step, a call 8, and \
                          an element of an array that is copied one";

impl Sema<'_> {
    /// Counts one more iteration of a loop that the compiler executes or expands itself.
    pub fn count_step(&mut self, span: Span) -> Res<()> {
        self.count_steps(1, span)
    }

    /// Counts work of the compiler: an iteration is a step, a call [`CALL_STEPS`], a copied element of an array one.
    pub fn count_steps(&mut self, steps: u64, span: Span) -> Res<()> {
        self.steps = self.steps.saturating_add(steps);
        let is_huge = self.runtime().is_some_and(|code| code.is_huge());
        let (message, help) = if self.is_called_off() {
            ("the analysis was called off".to_owned(), "")
        } else if self.steps > self.options.most_steps {
            let most = self.options.most_steps;
            let message = format!("comptime evaluation came to no end within {most} steps");
            (message, STEPS_HELP)
        } else if is_huge {
            let message = "inline loops and functions make more code than a PE could hold";
            (message.to_string(), "leave out `inline`")
        } else {
            return Ok(());
        };
        Err(self.fail(Diagnostic::new(Code::QuotaExceeded, span, message).help(help)))
    }

    /// Counts one more iteration of an unrolled loop, after `done` earlier ones. The limit of the command line holds
    /// for `inline` loops, each on its own.
    fn count_iteration(&mut self, is_inline: bool, done: u64, span: Span) -> Res<()> {
        match self.options.max_inlined_iterations {
            Some(limit) if is_inline && done >= limit => {
                let message = format!("this inline loop exceeds the maximum of {limit} inlined iterations");
                let diagnostic = Diagnostic::new(Code::QuotaExceeded, span, message);
                Err(self.fail(diagnostic.help("raise the limit with --max-inlined-iterations, or leave out `inline`")))
            }
            _ => self.count_step(span),
        }
    }

    pub fn eval_for(&mut self, node: &For, span: Span) -> Res<Operand> {
        if let Some(label) = node.label {
            self.check_label(label)?;
        }
        let iter = self.eval(&node.iter)?;
        if self.is_comptime() || node.is_inline {
            return self.unrolled_for(node, iter, span);
        }
        match self.types.kind(iter.ty()).clone() {
            TypeKind::Range(elem) => self.runtime_range(node, iter, elem, span),
            TypeKind::Array { dims, elem } => {
                let place = Place { ty: iter.ty(), is_const: true, kind: PlaceKind::Value(iter) };
                self.runtime_array(node, place, &dims, elem, span)
            }
            TypeKind::Ptr { many: false, .. } => {
                let place = self.deref(iter, node.iter.span)?;
                match self.types.kind(place.ty).clone() {
                    TypeKind::Array { dims, elem } => self.runtime_array(node, place, &dims, elem, span),
                    _ => Err(self.not_iterable(place.ty, node.iter.span)),
                }
            }
            _ => Err(self.not_iterable(iter.ty(), node.iter.span)),
        }
    }

    fn not_iterable(&mut self, ty: Ty, span: Span) -> Stop {
        let shown = self.show(ty);
        self.error(Code::BadOperand, span, format!("a for loop goes over an array or a range, got: `{shown}`"))
    }

    /// Unrolls a `for` loop: each iteration on its own, with comptime-known elements where they are known.
    fn unrolled_for(&mut self, node: &For, iter: Operand, span: Span) -> Res<Operand> {
        let source = self.iteration(iter, node.iter.span)?;
        let exit = self.runtime().map(FuncBuilder::new_block);
        let mut repeats = match &source {
            Iteration::Range { range, .. } => self.repeats(node, range),
            Iteration::Parts { .. } => None,
        };
        let mut index = 0u64;
        while let Some(mut elem) = self.nth(&source, index, node.iter.span)? {
            self.count_iteration(node.is_inline, index, span)?;
            let mut count = TypedValue::int(Ty::U16, index as u16);
            if let Some(repeats) = &mut repeats
                && let Some(number) = elem.as_const().and_then(crate::value::int_of).and_then(ToPrimitive::to_i64)
            {
                let inputs = [number, i64::from(index as u16)];
                if self.repeat(repeats, inputs)? {
                    index += 1;
                    continue;
                }
                elem = self.opened(elem.ty(), inputs, 0).into();
                count = self.opened(Ty::U16, inputs, 1);
            }
            let body = |s: &mut Self| {
                let elem = Binding::Const(elem);
                s.note_binding(node.elem, &elem);
                s.bind(node.elem.name, elem);
                if let Some(name) = node.index {
                    s.bind(name.name, Binding::Const(count.into()));
                }
                s.eval(&node.body).map(|_| ())
            };
            let goes_on = self.one_iteration(node.label.map(|l| l.name), exit, span, body);
            if repeats.is_some() {
                self.close(&mut repeats, goes_on == Ok(true));
            }
            if !goes_on? {
                return self.end_unrolled(exit, true, span);
            }
            index += 1;
        }
        self.end_unrolled(exit, false, span)
    }

    /// One pass through an unrolled loop; false when the loop certainly ends there.
    fn one_iteration(
        &mut self,
        label: Option<Symbol>,
        exit: Option<BlockId>,
        span: Span,
        body: impl FnOnce(&mut Self) -> Res<()>,
    ) -> Res<bool> {
        let next = self.runtime().map(FuncBuilder::new_block);
        let blocks = exit.map(|exit| TargetBlocks { next, exit: Some(exit) });
        let target = self.push_target(label, true, blocks, Wanted::Any);
        let first_cell = self.unit.cells.len();
        let result = self.scoped(body);
        if self.is_comptime() {
            self.unit.cells.truncate(first_cell);
        }
        let done = self.pop_target();
        match (result, blocks) {
            (Ok(_), None) => Ok(true),
            (Err(Stop::Continue(to)), None) if to == target => Ok(true),
            (Err(Stop::Break(to)), None) if to == target => Ok(false),
            (Ok(_), Some(TargetBlocks { next: Some(next), .. })) => {
                self.code(span)?.enter(next, span);
                Ok(true)
            }
            (Err(Stop::Diverged), Some(TargetBlocks { next: Some(next), .. })) => {
                let code = self.code(span)?;
                code.switch_to(next);
                if !done.continued {
                    code.terminate(Term::Unreachable, span);
                }
                Ok(done.continued)
            }
            (Err(stop), _) => Err(stop),
            (Ok(_), Some(_)) => Ok(true),
        }
    }

    fn iteration(&mut self, iter: Operand, span: Span) -> Res<Iteration> {
        match (&iter, self.types.kind(iter.ty()).clone()) {
            (Operand::Const(TypedValue { value: Value::Range(range), .. }), TypeKind::Range(elem)) => {
                Ok(Iteration::Range { elem, range: range.clone() })
            }
            (_, TypeKind::Array { dims, .. }) => {
                let count = dims.iter().product();
                Ok(Iteration::Parts {
                    place: Place { ty: iter.ty(), is_const: true, kind: PlaceKind::Value(iter) },
                    count,
                })
            }
            (_, TypeKind::Anon { names: None, types }) => {
                let count = types.len() as u64;
                Ok(Iteration::Parts {
                    place: Place { ty: iter.ty(), is_const: true, kind: PlaceKind::Value(iter) },
                    count,
                })
            }
            (_, TypeKind::Ptr { many: false, .. }) => {
                let place = self.deref(iter, span)?;
                let value = self.load(place, span)?;
                self.iteration(value, span)
            }
            (_, TypeKind::Range(_)) => Err(self.not_comptime(span)),
            _ => Err(self.not_iterable(iter.ty(), span)),
        }
    }

    fn nth(&mut self, source: &Iteration, index: u64, span: Span) -> Res<Option<Operand>> {
        match source {
            Iteration::Range { elem, range } => {
                let [start, stop, step] = &**range;
                let value = start + step * BigInt::from(index);
                let inside = if step.sign() == Sign::Minus { value > *stop } else { value < *stop };
                Ok(inside.then(|| TypedValue::int(*elem, value).into()))
            }
            Iteration::Parts { count, .. } if index >= *count => Ok(None),
            Iteration::Parts { place, .. } => {
                let part = self.part_place(place.clone(), index as i64, span)?;
                self.load(part, span).map(Some)
            }
        }
    }

    /// A loop over a range in emitted code: the counter runs in a register of its own.
    fn runtime_range(&mut self, node: &For, iter: Operand, elem: Ty, span: Span) -> Res<Operand> {
        let [start, stop, step] = self.range_parts(&iter, elem, node.iter.span)?;
        if self.is_comptime_only(elem) {
            return Err(self.comptime_only(elem, node.iter.span));
        }
        let Some(scalar) = self.scalar(elem) else { return Err(self.comptime_only(elem, span)) };
        let start = self.opnd(&start, span)?;
        let counter = self.emit_copy(elem, start, span)?;
        let stop_opnd = self.opnd(&stop, span)?;
        // The end is fixed when the loop begins, whatever happens to the variable that it comes from.
        let stop_opnd = self.fixed(elem, stop_opnd, span)?;
        let index = self.index_counter(node, span)?;
        let descending = step.as_const().and_then(crate::value::int_of).map(|s| s.sign() == Sign::Minus);
        let step_opnd = self.opnd(&step, span)?;
        let step_opnd = self.fixed(elem, step_opnd, span)?;
        let counting = Counting { scalar, counter, stop: stop_opnd, step: step_opnd, descending };
        let check = |code: &mut FuncBuilder, body, exit| counting.check(code, body, exit, span);
        let may_wrap = self.may_wrap(elem, &stop, &step);
        if !may_wrap {
            self.code(span)?.note_counter(counter);
        }
        let advance = |code: &mut FuncBuilder, exit| {
            match may_wrap {
                true => counting.advance_or_leave(code, exit, span),
                false => counting.step_into(code, counter, span),
            }
            if let Some(index) = index {
                increment(code, index, span);
            }
        };
        let value = Operand::Reg(elem, Opnd::Reg(counter));
        self.emitted_loop(node, index, span, check, advance, move |_| Ok(value))
    }

    /// Whether a step may lead past the values of the type, where the counter wraps. Steps of 1 never do: they meet the
    /// end.
    fn may_wrap(&mut self, elem: Ty, stop: &Operand, step: &Operand) -> bool {
        let Some(step) = step.as_const().and_then(crate::value::int_of) else { return true };
        if *step.magnitude() <= 1u32.into() {
            return false;
        }
        let Some(stop) = stop.as_const().and_then(crate::value::int_of) else { return true };
        let last = if step.sign() == Sign::Minus { stop + 1 } else { stop - 1 };
        let next = TypedValue::int(Ty::COMPTIME_INT, last + step);
        !self.fits(&next.into(), elem)
    }

    fn fixed(&mut self, ty: Ty, opnd: Opnd, span: Span) -> Res<Opnd> {
        match opnd {
            Opnd::Reg(_) => Ok(Opnd::Reg(self.emit_copy(ty, opnd, span)?)),
            known => Ok(known),
        }
    }

    /// Start, stop and step of a range value.
    pub fn range_parts(&mut self, range: &Operand, elem: Ty, span: Span) -> Res<[Operand; 3]> {
        match range {
            Operand::Const(TypedValue { value: Value::Range(parts), .. }) => {
                Ok(parts.as_ref().clone().map(|p| TypedValue::int(elem, p).into()))
            }
            _ => Ok([self.part_of(range, 0, span)?, self.part_of(range, 1, span)?, self.part_of(range, 2, span)?]),
        }
    }

    fn runtime_array(&mut self, node: &For, place: Place, dims: &[u64], elem: Ty, span: Span) -> Res<Operand> {
        let count: u64 = dims.iter().product();
        let scale = self.elem_stride(elem, span)?;
        let base = self.place_addr(&place, node.iter.span)?;
        let base = self.emit_lea(base, span)?;
        let counter = self.emit_copy(Ty::U16, Opnd::Imm(0), span)?;
        self.code(span)?.note_counter(counter);
        let (stop, step) = (Opnd::Imm(count), Opnd::Imm(1));
        let counting = Counting { scalar: Scalar::U16, counter, stop, step, descending: Some(false) };
        let check = |code: &mut FuncBuilder, body, exit| counting.check(code, body, exit, span);
        let advance = |code: &mut FuncBuilder, _| increment(code, counter, span);
        let load = |s: &mut Self| {
            let dst = s.code(span)?.new_reg(Scalar::PTR);
            s.emit(Inst::Index { dst, base: base.clone(), index: Opnd::Reg(counter), scale, values: 0 }, span)?;
            let addr = s.addr_from(Opnd::Reg(dst), span)?;
            s.load(Place { ty: elem, is_const: true, kind: PlaceKind::Mem(addr) }, span)
        };
        self.emitted_loop(node, Some(counter), span, check, advance, load)
    }

    /// The register that counts iterations, where the loop names one.
    fn index_counter(&mut self, node: &For, span: Span) -> Res<Option<Reg>> {
        match node.index {
            Some(_) => self.emit_copy(Ty::U16, Opnd::Imm(0), span).map(Some),
            None => Ok(None),
        }
    }

    fn emitted_loop(
        &mut self,
        node: &For,
        index: Option<Reg>,
        span: Span,
        check: impl FnOnce(&mut FuncBuilder, BlockId, BlockId),
        advance: impl FnOnce(&mut FuncBuilder, BlockId),
        elem: impl FnOnce(&mut Self) -> Res<Operand>,
    ) -> Res<Operand> {
        let code = self.code(span)?;
        let [head, body, next, exit] = code.new_blocks();
        code.enter(head, span);
        check(code, body, exit);
        code.switch_to(body);
        let elem = elem(self)?;
        let blocks = TargetBlocks { next: Some(next), exit: Some(exit) };
        self.push_target(node.label.map(|l| l.name), true, Some(blocks), Wanted::Any);
        let result = self.under_runtime_control(|s| {
            s.scoped(|s| {
                let elem = Binding::Const(elem);
                s.note_binding(node.elem, &elem);
                s.bind(node.elem.name, elem);
                if let (Some(name), Some(reg)) = (node.index, index) {
                    s.bind(name.name, Binding::Const(Operand::Reg(Ty::U16, Opnd::Reg(reg))));
                }
                s.eval(&node.body)
            })
        });
        self.pop_target();
        self.end_turn(&result, next, span)?;
        let code = self.code(span)?;
        advance(code, exit);
        code.terminate(Term::Jump(head), span);
        code.switch_to(exit);
        match result {
            Ok(_) | Err(Stop::Diverged) => Ok(Operand::void()),
            Err(stop) => Err(stop),
        }
    }

    pub fn eval_while(&mut self, node: &While, span: Span) -> Res<Operand> {
        if let Some(label) = node.label {
            self.check_label(label)?;
        }
        match self.is_comptime() || node.is_inline {
            true => self.unrolled_while(node, span),
            false => self.runtime_while(node, span),
        }
    }

    /// `while` at comptime, and `inline while` in emitted code.
    fn unrolled_while(&mut self, node: &While, span: Span) -> Res<Operand> {
        let exit = self.runtime().map(FuncBuilder::new_block);
        for done in 0.. {
            let cond = self.eval_as(&node.cond, Ty::BOOL)?;
            match cond.as_bool() {
                Some(true) => {}
                Some(false) => break,
                None => return Err(self.not_comptime(node.cond.span)),
            }
            self.count_iteration(node.is_inline, done, span)?;
            let label = node.label.map(|l| l.name);
            if !self.one_iteration(label, exit, span, |s| s.eval(&node.body).map(|_| ()))? {
                return self.end_unrolled(exit, true, span);
            }
            if let Some(step) = &node.step {
                self.eval_stmt(step)?;
            }
        }
        self.end_unrolled(exit, false, span)
    }

    /// Continues behind an unrolled loop. One whose last iteration was left, and not for this place, was left for good.
    fn end_unrolled(&mut self, exit: Option<BlockId>, was_left: bool, span: Span) -> Res<Operand> {
        if let (Some(exit), Some(code)) = (exit, self.runtime()) {
            code.enter(exit, span);
            if was_left && !code.is_reached(exit) {
                return Err(Stop::Diverged);
            }
        }
        Ok(Operand::void())
    }

    fn runtime_while(&mut self, node: &While, span: Span) -> Res<Operand> {
        let code = self.code(span)?;
        let [head, body, next, exit] = code.new_blocks();
        code.enter(head, span);
        let endless = self.while_head(&node.cond, body, exit)?;
        self.code(span)?.switch_to(body);
        let blocks = TargetBlocks { next: Some(next), exit: Some(exit) };
        self.push_target(node.label.map(|l| l.name), true, Some(blocks), Wanted::Any);
        let result = self.under_runtime_control(|s| s.scoped(|s| s.eval(&node.body)));
        self.pop_target();
        self.end_turn(&result, next, span)?;
        match node.step.as_ref().map_or(Ok(()), |step| self.under_runtime_control(|s| s.eval_stmt(step))) {
            Ok(()) => self.code(span)?.terminate(Term::Jump(head), span),
            // The step leaves for good, but the condition may not hold before it is reached.
            Err(Stop::Diverged) => {}
            Err(stop) => return Err(stop),
        }
        let code = self.code(span)?;
        code.switch_to(exit);
        match result {
            Ok(_) | Err(Stop::Diverged) if endless && !code.is_reached(exit) => Err(Stop::Diverged),
            Ok(_) | Err(Stop::Diverged) => Ok(Operand::void()),
            Err(stop) => Err(stop),
        }
    }

    /// Goes to the next turn, unless the body ends otherwise: the block in which it leaves one around the loop is open for the
    /// join of that one's exits.
    fn end_turn(&mut self, body: &Res<Operand>, next: BlockId, span: Span) -> Res<()> {
        let code = self.code(span)?;
        match body {
            Err(Stop::Diverged) => code.switch_to(next),
            _ => code.enter(next, span),
        }
        Ok(())
    }

    /// Emits the condition; true when the loop only ends by `break`.
    fn while_head(&mut self, cond: &Expr, body: BlockId, exit: BlockId) -> Res<bool> {
        let value = self.under_runtime_control(|s| s.eval_as(cond, Ty::BOOL))?;
        if let Some(known) = value.as_bool() {
            let to = if known { body } else { exit };
            self.code(cond.span)?.terminate(Term::Jump(to), cond.span);
            return Ok(known);
        }
        let value = self.opnd(&value, cond.span)?;
        self.code(cond.span)?.terminate(Term::Branch { cond: value, then: body, otherwise: exit }, cond.span);
        Ok(false)
    }
}

/// The sequence that a loop at compile time goes over.
enum Iteration {
    Range { elem: Ty, range: Arc<[BigInt; 3]> },
    Parts { place: Place, count: u64 },
}

/// The counter of an emitted loop and its end.
#[derive(Clone)]
struct Counting {
    scalar: Scalar,
    counter: Reg,
    stop: Opnd,
    step: Opnd,
    /// The direction; `None` when the sign of the step is known at run time only.
    descending: Option<bool>,
}

impl Counting {
    /// Jumps to `body` while the counter is inside, else to `exit`.
    fn check(&self, code: &mut FuncBuilder, body: BlockId, exit: BlockId, span: Span) {
        let compare = |code: &mut FuncBuilder, op| {
            let inside = self.compare(code, op, Opnd::Reg(self.counter), self.stop.clone(), span);
            code.terminate(Term::Branch { cond: inside, then: body, otherwise: exit }, span);
        };
        let signed = matches!(self.scalar, Scalar::Int { signed: true, .. });
        match self.descending {
            Some(true) => compare(code, CmpOp::Gt),
            None if signed => {
                let [up, down] = code.new_blocks();
                let ascends = self.compare(code, CmpOp::Ge, self.step.clone(), Opnd::Imm(0), span);
                code.terminate(Term::Branch { cond: ascends, then: up, otherwise: down }, span);
                code.switch_to(up);
                compare(code, CmpOp::Lt);
                code.switch_to(down);
                compare(code, CmpOp::Gt);
            }
            _ => compare(code, CmpOp::Lt),
        }
    }

    fn compare(&self, code: &mut FuncBuilder, op: CmpOp, a: Opnd, b: Opnd, span: Span) -> Opnd {
        let dst = code.new_reg(Scalar::BOOL);
        code.emit(Inst::Cmp { op, ty: self.scalar, dst, a, b }, span);
        Opnd::Reg(dst)
    }

    /// Puts the sum of the counter and the step into `dst`.
    fn step_into(&self, code: &mut FuncBuilder, dst: Reg, span: Span) {
        let (a, b) = (Opnd::Reg(self.counter), self.step.clone());
        code.emit(Inst::Bin { op: BinOp::Add, ty: self.scalar, dst, a, b }, span);
    }

    /// Adds the step to the counter, but leaves the loop where the next value has wrapped.
    fn advance_or_leave(&self, code: &mut FuncBuilder, exit: BlockId, span: Span) {
        let next = code.new_reg(self.scalar);
        self.step_into(code, next, span);
        let go_on = code.new_block();
        Counting { stop: Opnd::Reg(next), ..self.clone() }.check(code, go_on, exit, span);
        code.switch_to(go_on);
        code.emit(Inst::Copy { dst: self.counter, src: Opnd::Reg(next) }, span);
    }
}

fn increment(code: &mut FuncBuilder, counter: Reg, span: Span) {
    let (a, b) = (Opnd::Reg(counter), Opnd::Imm(1));
    code.emit(Inst::Bin { op: BinOp::Add, ty: Scalar::U16, dst: counter, a, b }, span);
}
