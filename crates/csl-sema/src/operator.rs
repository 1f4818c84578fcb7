//! Unary and binary operators.

use std::cmp::Ordering;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{CmpOp, Inst, Opnd, Scalar, Ty, TypeKind, TypedValue, Value, Varying};
use csl_num::{FloatOp, IntOp, IntTy, Trap};
use csl_syntax::ast::{BinOp, Expr, UnOp};
use num_bigint::BigInt;
use num_traits::Zero;

use crate::context::{Res, Sema, Stop, Wanted};
use crate::operand::Operand;
use crate::order::Sequence;
use crate::value::{f64_of, int_of};

/// The greatest width of a comptime integer in bits, so that no program can ask for unbounded memory or time.
const MOST_BITS: u64 = 1 << 21;

/// The steps of an operation beside the usual ones: a machine word takes none, numbers of a million bits take many.
fn steps(op: IntOp, x: &BigInt, y: &BigInt) -> u64 {
    let (x, y) = (x.bits() >> 10, y.bits() >> 10);
    match op {
        IntOp::Mul | IntOp::Div | IntOp::Rem => x * y / 4,
        _ => x + y,
    }
}

impl Sema<'_> {
    pub fn eval_binary(&mut self, op: BinOp, lhs: &Expr, rhs: &Expr, wanted: Wanted, span: Span) -> Res<Operand> {
        if matches!(op, BinOp::And | BinOp::Or) {
            return self.eval_logical(op, lhs, rhs, span);
        }
        let wanted = if comparison(op).is_some() { Wanted::Any } else { wanted.of_operand() };
        let a = self.eval_wanted(lhs, wanted)?;
        let a = match a {
            Operand::Const(_) => a,
            a => self.keep(a, &mut Sequence::of([lhs, rhs].into_iter()), 0, lhs.span)?,
        };
        let b = self.eval_wanted(rhs, wanted)?;
        self.binary(op, (a, lhs.span), (b, rhs.span), span)
    }

    /// Evaluates `and` and `or`: the right side is not even checked when the left decides at comptime.
    fn eval_logical(&mut self, op: BinOp, lhs: &Expr, rhs: &Expr, span: Span) -> Res<Operand> {
        let decides = op == BinOp::Or;
        let a = self.eval_as(lhs, Ty::BOOL)?;
        match a.as_bool() {
            Some(known) if known == decides => return Ok(Operand::bool(decides)),
            Some(_) => return self.eval_as(rhs, Ty::BOOL),
            None => {}
        }
        let result = self.code(span)?.new_reg(Scalar::BOOL);
        let cond = self.opnd(&a, lhs.span)?;
        self.emit(Inst::Copy { dst: result, src: cond.clone() }, span)?;
        let code = self.code(span)?;
        let [more, done] = code.new_blocks();
        let (then, otherwise) = if decides { (done, more) } else { (more, done) };
        code.terminate(csl_ir::Term::Branch { cond, then, otherwise }, span);
        code.switch_to(more);
        match self.under_runtime_control(|s| s.eval_as(rhs, Ty::BOOL)) {
            Ok(b) => {
                let src = self.opnd(&b, rhs.span)?;
                self.emit(Inst::Copy { dst: result, src }, span)?;
                self.code(span)?.enter(done, span);
            }
            // The right side leaves for good; the left one may have decided before.
            Err(Stop::Diverged) => self.code(span)?.switch_to(done),
            Err(stop) => return Err(stop),
        }
        Ok(Operand::Reg(Ty::BOOL, Opnd::Reg(result)))
    }

    /// `a op b` for every operator but `and` and `or`.
    pub fn binary(&mut self, op: BinOp, a: (Operand, Span), b: (Operand, Span), span: Span) -> Res<Operand> {
        if let Some(op) = comparison(op) {
            return self.compare(op, a, b, span);
        }
        let Some(op) = arithmetic(op) else {
            return Err(self.internal(span, "`and` and `or` do not evaluate both sides").into());
        };
        if matches!(op, IntOp::Shl | IntOp::Shr) {
            return self.shift(op, a, b, span);
        }
        self.require_number(&a.0, op, a.1)?;
        self.require_number(&b.0, op, b.1)?;
        let both = [a, b];
        let ty = self.peer(&both)?;
        let [a, b] = both;
        let (a, b) = (self.coerce(a.0, ty, a.1)?, self.coerce(b.0, ty, b.1)?);
        match (&a, &b) {
            (Operand::Const(x), Operand::Const(y)) => self.fold(op, ty, x, y, span),
            _ => self.emit_arithmetic(op, ty, &a, &b, span),
        }
    }

    fn require_number(&mut self, operand: &Operand, op: IntOp, span: Span) -> Res<()> {
        let fits = match self.types.kind(operand.ty()) {
            TypeKind::Int { .. } | TypeKind::ComptimeInt => true,
            TypeKind::Float(_) | TypeKind::ComptimeFloat => float_op(op).is_some(),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let message = format!("invalid operand of `{}` for type: `{}`", op_text(op), self.show(operand.ty()));
        let diagnostic = Diagnostic::new(Code::BadOperand, span, message);
        Err(self.fail(match self.types.kind(operand.ty()) {
            TypeKind::Dsd(_) => {
                diagnostic.help("builtins work on the elements of DSDs, as `@fadds(dest, a, b)` adds them")
            }
            _ => diagnostic,
        }))
    }

    fn fold(&mut self, op: IntOp, ty: Ty, a: &TypedValue, b: &TypedValue, span: Span) -> Res<Operand> {
        let kind = self.types.kind(ty).clone();
        let width = match kind {
            TypeKind::Int { signed, bits } => Some(IntTy { signed, bits }),
            _ => None,
        };
        if let Some(varying) = Varying::binary(op, &a.value, &b.value, width) {
            return Ok(TypedValue::new(ty, Value::Varying(varying)).into());
        }
        if let (Some(x), Some(y)) = (a.value.int(), b.value.int()) {
            return self.fold_int(op, ty, &kind, x, y, span);
        }
        if let Some((op, format)) = float_op(op).zip(self.float_format(ty))
            && let Some(varying) = Varying::float_binary(op, format, &a.value, &b.value)
        {
            return Ok(TypedValue::new(ty, Value::VaryingFloat(varying)).into());
        }
        match (a.value.float_bits(), b.value.float_bits(), kind) {
            (Some(x), Some(y), TypeKind::Float(kind)) => {
                let Some(op) = float_op(op) else { return Err(self.no_float_op(span)) };
                Ok(TypedValue::new(ty, Value::Float(csl_num::float_binop(op, kind, x, y))).into())
            }
            (Some(x), Some(y), _) => self.fold_f64(op, f64::from_bits(x), f64::from_bits(y), span),
            _ => Err(self.error(Code::BadOperand, span, "operand of an operation is not initialised")),
        }
    }

    fn fold_int(&mut self, op: IntOp, ty: Ty, kind: &TypeKind, x: &BigInt, y: &BigInt, span: Span) -> Res<Operand> {
        self.count_steps(steps(op, x, y), span)?;
        let exact = match csl_num::big_binop(op, x, y) {
            Ok(exact) => exact,
            Err(trap) => return Err(self.trap(trap, span)),
        };
        if exact.bits() > MOST_BITS {
            let message = format!("the result has {} bits, an integer can have {MOST_BITS}", exact.bits());
            return Err(self.error(Code::Overflow, span, message));
        }
        let TypeKind::Int { signed, bits } = *kind else {
            if op == IntOp::Div && &exact * y != *x {
                self.inexact.insert(span);
            }
            return Ok(TypedValue::int(ty, exact).into());
        };
        // Fixed-width arithmetic wraps, at comptime as on the PE.
        Ok(TypedValue::int(ty, IntTy { signed, bits }.wrap(&exact)).into())
    }

    fn trap(&mut self, trap: Trap, span: Span) -> Stop {
        let code = match trap {
            Trap::DivisionByZero => Code::DivisionByZero,
            Trap::ShiftCount => Code::Overflow,
        };
        self.error(code, span, trap.to_string())
    }

    fn no_float_op(&mut self, span: Span) -> Stop {
        self.error(Code::BadOperand, span, "this operator does not take floats")
    }

    fn fold_f64(&mut self, op: IntOp, x: f64, y: f64, span: Span) -> Res<Operand> {
        if op == IntOp::Div && y == 0.0 {
            return Err(self.error(Code::DivisionByZero, span, "division by zero"));
        }
        let result = match op {
            IntOp::Add => x + y,
            IntOp::Sub => x - y,
            IntOp::Mul => x * y,
            IntOp::Div => x / y,
            _ => return Err(self.no_float_op(span)),
        };
        if result.is_nan() {
            return Err(self.error(Code::Overflow, span, "the result is not a number"));
        }
        Ok(TypedValue::new(Ty::COMPTIME_FLOAT, Value::Float(result.to_bits())).into())
    }

    fn emit_arithmetic(&mut self, op: IntOp, ty: Ty, a: &Operand, b: &Operand, span: Span) -> Res<Operand> {
        if matches!(op, IntOp::Div | IntOp::Rem) && b.as_const().and_then(int_of).is_some_and(Zero::is_zero) {
            return Err(self.error(Code::DivisionByZero, span, "division by zero"));
        }
        let Some(scalar) = self.scalar(ty) else { return self.wide_arithmetic(op, ty, a, b, span) };
        let (a, b) = (self.opnd(a, span)?, self.opnd(b, span)?);
        let dst = self.code(span)?.new_reg(scalar);
        self.emit(Inst::Bin { op, ty: scalar, dst, a, b }, span)?;
        Ok(Operand::Reg(ty, Opnd::Reg(dst)))
    }

    /// Shifts. The count may have another type than the value; it must not be negative.
    fn shift(&mut self, op: IntOp, a: (Operand, Span), b: (Operand, Span), span: Span) -> Res<Operand> {
        let is_int = |s: &Self, ty| matches!(s.types.kind(ty), TypeKind::Int { .. } | TypeKind::ComptimeInt);
        for (operand, at) in [&a, &b] {
            if !is_int(self, operand.ty()) {
                let message = format!("invalid operand of `{}` for type: `{}`", op_text(op), self.show(operand.ty()));
                return Err(self.error(Code::BadOperand, *at, message));
            }
        }
        if let (Operand::Const(x), Operand::Const(y)) = (&a.0, &b.0) {
            return self.fold(op, x.ty, x, y, span);
        }
        let ty = if a.0.ty() == Ty::COMPTIME_INT { b.0.ty() } else { a.0.ty() };
        let value = self.coerce(a.0, ty, a.1)?;
        if let TypeKind::Int { signed: true, .. } = self.types.kind(b.0.ty())
            && !b.0.is_const()
        {
            return Err(self.error(Code::BadOperand, b.1, "the count of a shift must be unsigned"));
        }
        self.warn_too_far(ty, &b.0, b.1);
        let count = if b.0.ty() == Ty::COMPTIME_INT { self.coerce(b.0, Ty::U16, b.1)? } else { b.0 };
        self.emit_arithmetic(op, ty, &value, &count, span)
    }

    /// Warns of a known count that leaves nothing of a value of type `ty`.
    fn warn_too_far(&mut self, ty: Ty, count: &Operand, span: Span) {
        let TypeKind::Int { bits, .. } = *self.types.kind(ty) else { return };
        let Some(count) = count.as_const().and_then(int_of).filter(|count| **count >= BigInt::from(bits)) else {
            return;
        };
        let message = format!("a shift by {count} leaves no bit of a value of {bits} bits");
        let help = "convert the value to a wider type first";
        self.report(Diagnostic::new(Code::ShiftTooFar, span, message).help(help));
    }

    fn compare(&mut self, op: CmpOp, a: (Operand, Span), b: (Operand, Span), span: Span) -> Res<Operand> {
        let both = [a, b];
        for operand in &both {
            self.require_comparable(op, operand.0.ty(), span)?;
        }
        let ty = self.peer(&both)?;
        let [a, b] = both;
        let (a, b) = (self.coerce(a.0, ty, a.1)?, self.coerce(b.0, ty, b.1)?);
        if let (Operand::Const(x), Operand::Const(y)) = (&a, &b) {
            return Ok(Operand::bool(self.compare_const(op, x, y)));
        }
        if let Some(int) = self.wide_int(ty) {
            return self.wide_compare(op, int, &a, &b, span);
        }
        let Some(scalar) = self.scalar(ty) else { return Err(self.comptime_only(ty, span)) };
        let (a, b) = (self.opnd(&a, span)?, self.opnd(&b, span)?);
        let dst = self.code(span)?.new_reg(Scalar::BOOL);
        self.emit(Inst::Cmp { op, ty: scalar, dst, a, b }, span)?;
        Ok(Operand::Reg(Ty::BOOL, Opnd::Reg(dst)))
    }

    fn require_comparable(&mut self, op: CmpOp, ty: Ty, span: Span) -> Res<()> {
        let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
        let fits = match self.types.kind(ty) {
            TypeKind::Int { .. } | TypeKind::ComptimeInt | TypeKind::Float(_) | TypeKind::ComptimeFloat => true,
            TypeKind::Bool
            | TypeKind::Enum { .. }
            | TypeKind::ComptimeString
            | TypeKind::Type
            | TypeKind::Void
            | TypeKind::Ptr { .. }
            | TypeKind::Dsr(_)
            | TypeKind::Id(_) => equality,
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => {
                let message = format!("invalid comparison operation for type: `{}`", self.show(ty));
                Err(self.error(Code::BadOperand, span, message))
            }
        }
    }

    fn compare_const(&self, op: CmpOp, a: &TypedValue, b: &TypedValue) -> bool {
        if let Some(holds) = Varying::compare(op, &a.value, &b.value) {
            return holds;
        }
        let ordering = match (&a.value, &b.value) {
            (x, y) if let (Some(x), Some(y)) = (x.int(), y.int()) => Some(x.cmp(y)),
            (Value::Float(_) | Value::VaryingFloat(_), Value::Float(_) | Value::VaryingFloat(_)) => {
                let (x, y) = (f64_of(&self.types, a), f64_of(&self.types, b));
                x.zip(y).and_then(|(x, y)| x.partial_cmp(&y))
            }
            (x, y) => Some(if x == y { Ordering::Equal } else { Ordering::Less }),
        };
        match op {
            CmpOp::Eq => ordering == Some(Ordering::Equal),
            CmpOp::Ne => ordering != Some(Ordering::Equal),
            CmpOp::Lt => ordering == Some(Ordering::Less),
            CmpOp::Le => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            CmpOp::Gt => ordering == Some(Ordering::Greater),
            CmpOp::Ge => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        }
    }

    pub fn unary(&mut self, op: UnOp, value: Operand, span: Span) -> Res<Operand> {
        let kind = self.types.kind(value.ty()).clone();
        let fits = matches!(
            (&kind, op),
            (TypeKind::Bool, UnOp::Not)
                | (TypeKind::Int { .. }, UnOp::Neg | UnOp::BitNot)
                | (TypeKind::ComptimeInt | TypeKind::Float(_) | TypeKind::ComptimeFloat, UnOp::Neg)
        );
        if !fits {
            return Err(self.bad_unary(op, value.ty(), span));
        }
        match &value {
            Operand::Const(known) => self.fold_unary(op, known, &kind, span),
            _ => self.emit_unary(op, value, span),
        }
    }

    fn bad_unary(&mut self, op: UnOp, ty: Ty, span: Span) -> Stop {
        let text = match op {
            UnOp::Neg => "-",
            UnOp::BitNot => "~",
            UnOp::Not => "!",
        };
        let diagnostic = Diagnostic::new(
            Code::BadOperand,
            span,
            format!("invalid operand of `{text}` for type: `{}`", self.show(ty)),
        );
        match (op, ty) {
            (UnOp::BitNot, Ty::COMPTIME_INT) => {
                self.fail(diagnostic.help("give the number a width first: ~@as(u16, ...)"))
            }
            _ => self.fail(diagnostic),
        }
    }

    fn fold_unary(&mut self, op: UnOp, value: &TypedValue, kind: &TypeKind, span: Span) -> Res<Operand> {
        let ty = value.ty;
        if let (Value::Varying(_), Some((op, other))) = (&value.value, as_binary(op)) {
            let other = TypedValue::int(ty, other);
            return self.fold(op, ty, &other, value, span);
        }
        if let (Value::VaryingFloat(varying), Some(format)) = (&value.value, self.float_format(ty))
            && let Some(negated) = varying.float_neg(format)
        {
            return Ok(TypedValue::new(ty, Value::VaryingFloat(negated)).into());
        }
        let float = value.value.float_bits();
        let result = match (&value.value, op, kind) {
            (Value::Bool(b), UnOp::Not, _) => Value::Bool(!b),
            (Value::Int(n), UnOp::Neg, TypeKind::ComptimeInt) => Value::Int(-n),
            (Value::Int(n), UnOp::Neg, TypeKind::Int { signed, bits }) => {
                Value::Int(IntTy { signed: *signed, bits: *bits }.wrap(&-n))
            }
            (Value::Int(n), UnOp::BitNot, TypeKind::Int { signed, bits }) => {
                Value::Int(IntTy { signed: *signed, bits: *bits }.wrap(&csl_num::big_not(n)))
            }
            (_, UnOp::Neg, TypeKind::Float(kind)) if let Some(bits) = float => {
                Value::Float(csl_num::float_neg(*kind, bits))
            }
            (_, UnOp::Neg, _) if let Some(bits) = float => Value::Float((-f64::from_bits(bits)).to_bits()),
            _ => return Err(self.error(Code::BadOperand, span, "operand of an operation is not initialised")),
        };
        Ok(TypedValue::new(ty, result).into())
    }

    fn emit_unary(&mut self, op: UnOp, value: Operand, span: Span) -> Res<Operand> {
        let ty = value.ty();
        if let Some(int) = self.wide_int(ty) {
            return self.wide_unary(op, &value, int, span);
        }
        let Some(scalar) = self.scalar(ty) else { return Err(self.comptime_only(ty, span)) };
        let op = match op {
            UnOp::Neg => csl_ir::UnOp::Neg,
            UnOp::BitNot => csl_ir::UnOp::BitNot,
            UnOp::Not => csl_ir::UnOp::Not,
        };
        let a = self.opnd(&value, span)?;
        let dst = self.code(span)?.new_reg(scalar);
        self.emit(Inst::Un { op, ty: scalar, dst, a }, span)?;
        Ok(Operand::Reg(ty, Opnd::Reg(dst)))
    }
}

/// A unary operator as a binary one: `-x` is `0 - x`, and `~x` is `-1 ^ x`.
fn as_binary(op: UnOp) -> Option<(IntOp, i8)> {
    match op {
        UnOp::Neg => Some((IntOp::Sub, 0)),
        UnOp::BitNot => Some((IntOp::Xor, -1)),
        UnOp::Not => None,
    }
}

fn comparison(op: BinOp) -> Option<CmpOp> {
    match op {
        BinOp::Eq => Some(CmpOp::Eq),
        BinOp::Ne => Some(CmpOp::Ne),
        BinOp::Lt => Some(CmpOp::Lt),
        BinOp::Le => Some(CmpOp::Le),
        BinOp::Gt => Some(CmpOp::Gt),
        BinOp::Ge => Some(CmpOp::Ge),
        _ => None,
    }
}

fn arithmetic(op: BinOp) -> Option<IntOp> {
    match op {
        BinOp::Add => Some(IntOp::Add),
        BinOp::Sub => Some(IntOp::Sub),
        BinOp::Mul => Some(IntOp::Mul),
        BinOp::Div => Some(IntOp::Div),
        BinOp::Rem => Some(IntOp::Rem),
        BinOp::Shl => Some(IntOp::Shl),
        BinOp::Shr => Some(IntOp::Shr),
        BinOp::BitAnd => Some(IntOp::And),
        BinOp::BitOr => Some(IntOp::Or),
        BinOp::BitXor => Some(IntOp::Xor),
        _ => None,
    }
}

fn float_op(op: IntOp) -> Option<FloatOp> {
    match op {
        IntOp::Add => Some(FloatOp::Add),
        IntOp::Sub => Some(FloatOp::Sub),
        IntOp::Mul => Some(FloatOp::Mul),
        IntOp::Div => Some(FloatOp::Div),
        _ => None,
    }
}

fn op_text(op: IntOp) -> &'static str {
    match op {
        IntOp::Add => "+",
        IntOp::Sub => "-",
        IntOp::Mul => "*",
        IntOp::Div => "/",
        IntOp::Rem => "%",
        IntOp::Shl => "<<",
        IntOp::Shr => ">>",
        IntOp::And => "&",
        IntOp::Or => "|",
        IntOp::Xor => "^",
    }
}
