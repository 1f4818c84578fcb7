//! The builtins behind the library `<types>`.

use csl_diag::Code;
use csl_ir::{Ty, TypeKind, TypedValue, align_of, bits_of, size_of};

use super::Call;
use super::args::int_value;
use crate::context::{Res, Sema};
use crate::operand::Operand;

/// `@wl_type_class(T)`: the class of the type T, as a string.
pub(super) fn class(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let class = match s.types.kind(ty) {
        TypeKind::Int { signed: true, .. } | TypeKind::ComptimeInt => "signed",
        TypeKind::Int { signed: false, .. } => "unsigned",
        TypeKind::Float(_) | TypeKind::ComptimeFloat => "float",
        TypeKind::Dsd(_) => "dsd",
        TypeKind::Dsr(_) => "dsr",
        _ => "other",
    };
    Ok(TypedValue::str(class.as_bytes()).into())
}

/// `@wl_size_of(T)`: size in memory, in bytes.
pub(super) fn size(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let size = in_memory(s, call, ty)?;
    Ok(int_value(Ty::U16, size))
}

/// `@wl_align_of(T)`: alignment in memory, in bytes.
pub(super) fn align(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    in_memory(s, call, ty)?;
    Ok(int_value(Ty::U16, align_of(&s.types, ty)))
}

/// `@wl_bits_of(T)`: width of a value in bits; for types that are no scalars, bits in memory.
pub(super) fn bits(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let bits = match bits_of(&s.types, ty) {
        Some(bits) => bits,
        None => 8 * in_memory(s, call, ty)?,
    };
    Ok(int_value(Ty::U16, bits))
}

/// `@wl_uint(bits)`: the unsigned integer type of that width.
pub(super) fn uint(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let bits = call.int(s, 0)?;
    match u32::try_from(bits) {
        Ok(bits) if bits < 1 << 24 => Ok(Operand::of_type(s.types.int(false, bits))),
        _ => Err(s.error(Code::NotRepresentable, call.arg_span(0), "no integer type has this width")),
    }
}

fn in_memory(s: &mut Sema<'_>, call: &Call<'_>, ty: Ty) -> Res<u32> {
    match size_of(&s.types, ty) {
        Some(size) if size <= u32::from(u16::MAX) => Ok(size),
        Some(_) => Err(s.error(Code::NotRepresentable, call.arg_span(0), "this type is larger than a PE's memory")),
        None => {
            let message = format!("{} has no size in memory", s.show(ty));
            Err(s.error(Code::BadBuiltinArgument, call.arg_span(0), message))
        }
    }
}
