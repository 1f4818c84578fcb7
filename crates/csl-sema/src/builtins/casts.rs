//! Explicit conversions.

use csl_ir::{IdKind, Ty, TypeKind, TypedValue};

use super::Call;
use super::args::id_kind;
use crate::context::{Res, Sema};
use crate::operand::Operand;

pub(super) fn as_type(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let value = s.eval_expecting(&call.args[1], Some(ty))?;
    s.convert(value, ty, call.span)
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
