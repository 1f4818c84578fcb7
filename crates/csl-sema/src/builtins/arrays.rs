//! Arrays of equal elements, and ranges.

use csl_diag::{Code, Diagnostic};
use csl_ir::{Addr, AddrBase, ArrayValue, Inst, Ty, TypeKind, TypedValue, Value};
use csl_syntax::ast::{Expr, ExprKind};
use num_bigint::BigInt;

use super::Call;
use super::args::int_value;
use crate::context::{Res, Sema};
use crate::operand::{Operand, Place, PlaceKind};

/// The element type and number of elements of an array type.
pub(super) fn array_parts(s: &mut Sema<'_>, call: &Call<'_>, ty: Ty) -> Res<(Vec<u64>, Ty)> {
    match s.types.kind(ty) {
        TypeKind::Array { dims, elem } => Ok((dims.clone(), *elem)),
        _ => Err(call.refuse(s, 0, ty, "an array type")),
    }
}

fn splat(ty: Ty, value: Value, dims: &[u64]) -> Operand {
    let len = dims.iter().product();
    TypedValue::new(ty, Value::Array(ArrayValue::Splat { value, len }.into())).into()
}

pub(super) fn zeros(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let (dims, elem) = array_parts(s, call, ty)?;
    let zero = match s.types.kind(elem) {
        TypeKind::Bool => Value::Bool(false),
        TypeKind::Float(_) | TypeKind::ComptimeFloat => Value::Float(0),
        TypeKind::Int { .. } | TypeKind::ComptimeInt => Value::Int(BigInt::ZERO),
        _ => {
            let message = format!("`@zeros` takes an array of numbers here, not `{}`", s.show(ty));
            let diagnostic = Diagnostic::new(Code::BadOperand, call.arg_span(0), message);
            let help =
                format!("a variable may go without a value, as in `var a: {};`, until code writes it", s.show(ty));
            return Err(s.fail(diagnostic.help(help)));
        }
    };
    Ok(splat(ty, zero, &dims))
}

pub(super) fn constants(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let (dims, elem) = array_parts(s, call, ty)?;
    match s.eval_as(&call.args[1], elem)? {
        Operand::Const(value) => Ok(splat(ty, value.as_part(elem), &dims)),
        value => fill(s, call, ty, dims.iter().product(), value),
    }
}

/// An array in memory whose elements are a run-time value.
fn fill(s: &mut Sema<'_>, call: &Call<'_>, ty: Ty, count: u64, value: Operand) -> Res<Operand> {
    let slot = s.new_slot(ty, "constants", call.span)?;
    let addr = Addr { base: AddrBase::Slot(slot), offset: 0 };
    match s.scalar(value.ty()) {
        Some(scalar) => {
            let src = s.opnd(&value, call.arg_span(1))?;
            s.emit(Inst::MemFill { ty: scalar, dst: addr.clone(), src, count: count as u32 }, call.span)?;
        }
        None if count > 0 => repeat(s, call, &addr, count, value)?,
        None => {}
    }
    Ok(Operand::Mem(ty, addr))
}

/// Stores an element that no register holds, then copies what is there behind itself until the array is full.
fn repeat(s: &mut Sema<'_>, call: &Call<'_>, array: &Addr, count: u64, value: Operand) -> Res<()> {
    let elem = value.ty();
    let each = u64::from(csl_ir::stride_of(&s.types, elem).unwrap_or(0));
    let first = Place { ty: elem, is_const: false, kind: PlaceKind::Mem(array.clone()) };
    s.store(&first, value, call.arg_span(1))?;
    let mut filled = 1;
    while filled < count {
        let more = filled.min(count - filled);
        let dst = Addr { base: array.base.clone(), offset: array.offset + (filled * each) as i32 };
        s.emit(Inst::MemCopy { dst, src: array.clone(), bytes: (more * each) as u32 }, call.span)?;
        filled += more;
    }
    Ok(())
}

/// `@range(T, stop)`, `@range(T, start, stop, step)`.
pub(super) fn range(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let elem = call.ty(s, 0)?;
    if !super::args::is_int(s, elem) {
        return Err(call.refuse(s, 0, elem, "an integer type"));
    }
    let parts = match call.args.len() {
        2 => [int_value(elem, 0), s.eval_as(&call.args[1], elem)?, int_value(elem, 1)],
        4 => [s.eval_as(&call.args[1], elem)?, s.eval_as(&call.args[2], elem)?, s.eval_as(&call.args[3], elem)?],
        _ => return Err(s.error(Code::ArgumentCount, call.span, "`@range` takes 2 or 4 arguments, not 3")),
    };
    if let Some(step) = parts[2].as_const()
        && step.value == Value::Int(BigInt::ZERO)
    {
        return Err(s.error(Code::BadBuiltinArgument, call.span, "the step of a range may not be 0"));
    }
    let ty = s.types.intern(TypeKind::Range(elem));
    match &parts {
        [Operand::Const(start), Operand::Const(stop), Operand::Const(step)] => {
            let ints = [start, stop, step].map(|v| crate::value::int_of(v).cloned().unwrap_or_default());
            warn_empty(s, call, &ints);
            Ok(TypedValue::new(ty, Value::Range(ints.into())).into())
        }
        _ => Ok(Operand::Agg(ty, parts.into())),
    }
}

/// Warns of a range in plain numbers whose step leads away from its end. Where params give them, no element may be right.
fn warn_empty(s: &mut Sema<'_>, call: &Call<'_>, [start, stop, step]: &[BigInt; 3]) {
    let is_plain = |expr: &Expr| match &expr.kind {
        ExprKind::Unary { operand, .. } => matches!(operand.kind, ExprKind::Int(_)),
        kind => matches!(kind, ExprKind::Int(_)),
    };
    let away = if step > &BigInt::ZERO { start > stop } else { start < stop };
    if away && call.args[1..].iter().all(is_plain) {
        let message = format!("this range has no numbers: from {start} steps of {step} lead away from {stop}");
        let help = format!("count by {}, or exchange the ends", -step);
        s.report(Diagnostic::new(Code::EmptyRange, call.span, message).help(help));
    }
}

pub(super) fn range_start(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    range_part(s, call, 0)
}

pub(super) fn range_stop(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    range_part(s, call, 1)
}

pub(super) fn range_step(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    range_part(s, call, 2)
}

fn range_part(s: &mut Sema<'_>, call: &Call<'_>, index: usize) -> Res<Operand> {
    let operand = call.eval(s, 0)?;
    let TypeKind::Range(elem) = *s.types.kind(operand.ty()) else {
        return Err(call.refuse(s, 0, operand.ty(), "a range"));
    };
    s.range_parts(&operand, elem, call.span).map(|parts| parts[index].clone())
}
