//! Explicit conversions.

use csl_diag::{Code, Diagnostic};
use csl_ir::{IdKind, Ty, TypeKind, TypedValue};
use csl_syntax::ast::{BinOp, Expr, ExprKind};

use super::Call;
use super::args::id_kind;
use crate::context::{Res, Sema, Wanted};
use crate::operand::Operand;

pub(super) fn as_type(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let value = s.eval_wanted(&call.args[1], Wanted::Near(ty))?;
    warn_product(s, call, &value, ty);
    if value.ty() == Ty::COMPTIME_INT && s.float_format(ty).is_some() {
        s.warn_lost_remainder(call.args[1].span);
    }
    s.convert(value, ty, call.span)
}

/// Warns of a product of variables that is converted to a wider type: by then its high bits are lost.
fn warn_product(s: &mut Sema<'_>, call: &Call<'_>, value: &Operand, ty: Ty) {
    let bits = |ty| match *s.types.kind(ty) {
        TypeKind::Int { bits, .. } => bits,
        _ => 0,
    };
    let (from, to) = (bits(value.ty()), bits(ty));
    let ExprKind::Binary { op: BinOp::Mul, lhs, rhs } = &call.args[1].kind else { return };
    let is_small = |side: &Expr| matches!(side.kind, ExprKind::Int(_));
    if value.is_const() || from == 0 || to <= from || is_small(lhs) || is_small(rhs) {
        return;
    }
    let (narrow, wide) = (s.show(value.ty()), s.show(ty));
    let message = format!("this product is one of {narrow}: what exceeds {from} bits is lost before it becomes {wide}");
    let help = format!("convert a factor first: `@as({wide}, a) * @as({wide}, b)`");
    s.report(Diagnostic::new(Code::NarrowProduct, call.args[1].span, message).help(help));
}

pub(super) fn bitcast(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let value = call.eval(s, 1)?;
    s.bitcast(value, ty, call.span)
}

pub(super) fn ptrcast(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let value = call.eval(s, 1)?;
    s.ptrcast(value, ty, call.span)
}

/// The number underneath an id, an enum or an integer.
pub(super) fn get_int(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let operand = call.eval(s, 0)?;
    let ty = match s.types.kind(operand.ty()) {
        TypeKind::Int { .. } | TypeKind::ComptimeInt => return Ok(operand),
        TypeKind::Enum { base, .. } => *base,
        TypeKind::Dsr(_) => Ty::U16,
        TypeKind::Id(_) if id_kind(s, operand.ty()) != Some(IdKind::Direction) => Ty::U16,
        _ => return Err(call.refuse(s, 0, operand.ty(), "an id, an enum or an integer")),
    };
    Ok(with_type(operand, ty))
}

/// The same bits as a value of another type of the same size.
pub(super) fn with_type(operand: Operand, ty: Ty) -> Operand {
    match operand {
        Operand::Const(value) => Operand::Const(TypedValue::new(ty, value.value)),
        Operand::Reg(_, opnd) => Operand::Reg(ty, opnd),
        Operand::Mem(_, addr) => Operand::Mem(ty, addr),
        Operand::Agg(_, parts) => Operand::Agg(ty, parts),
    }
}
