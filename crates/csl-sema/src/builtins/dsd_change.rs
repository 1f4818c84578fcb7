//! Builtins that return a changed copy of a DSD.

use csl_diag::Code;
use csl_ir::{Addr, AddrBase, DsdChange, DsdKind, DsdValue, Inst, Opnd, Scalar, Ty, TypeKind, TypedValue, Value};

use super::Call;
use super::args::dsd_kind;
use super::dsd::{constant, elem_words, number, pointer, pointer_elem_words, u16_number};
use super::operands;
use crate::context::{Res, Sema};
use crate::operand::{Operand, PlaceKind};

/// The first argument, which must be a DSD of one of these kinds.
fn input(s: &mut Sema<'_>, call: &Call<'_>, kinds: &[DsdKind], wanted: &str) -> Res<Operand> {
    let dsd = call.eval(s, 0)?;
    match dsd_kind(s, dsd.ty()) {
        Some(kind) if kinds.contains(&kind) => Ok(dsd),
        _ => Err(call.refuse(s, 0, dsd.ty(), wanted)),
    }
}

fn known(dsd: &Operand) -> Option<DsdValue> {
    match dsd {
        Operand::Const(TypedValue { value: Value::Dsd(dsd), .. }) => Some((**dsd).clone()),
        _ => None,
    }
}

pub(super) fn set_base_addr(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let kinds = [DsdKind::Mem1d, DsdKind::Mem4d, DsdKind::Circbuf];
    let dsd = input(s, call, &kinds, "a memory DSD")?;
    let base = base_address(s, call)?;
    let words = pointer_elem_words(s, base.ty(), call.arg_span(1))?;
    if let (Some(dsd_value), Some(pointer)) = (known(&dsd), pointer(&base)) {
        let changed = DsdValue { base: Some(pointer), offset: 0, elem_words: words, ..dsd_value };
        return Ok(constant(dsd.ty(), changed));
    }
    emit_change(s, call, dsd, DsdChange::BaseAddr, base)
}

/// The base address in an argument; an array's name stands for its address.
pub(super) fn base_address(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let place = s.eval_place(&call.args[1])?;
    let is_array = matches!(s.types.kind(place.ty), TypeKind::Array { .. });
    if is_array && !matches!(place.kind, PlaceKind::Reg(_)) {
        return s.address_of_expr(place, &call.args[1]);
    }
    s.load(place, call.arg_span(1))
}

pub(super) fn increment_offset(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let kinds = [DsdKind::Mem1d, DsdKind::Mem4d, DsdKind::Circbuf];
    let dsd = input(s, call, &kinds, "a memory DSD")?;
    let offset = s.eval_expecting(&call.args[1], Some(Ty::I16))?;
    let offset = number(s, offset, Ty::I16, call.arg_span(1))?;
    let elem = call.ty(s, 2)?;
    let words = elem_words(s, elem, call.arg_span(2))?;
    if let Some(dsd) = known(&dsd) {
        operands::warn_increment(s, call, &dsd, elem, words);
    }
    if let (Some(value), Some(by)) = (known(&dsd), offset.as_const().and_then(crate::value::int_of)) {
        let by: i32 = i32::try_from(by).unwrap_or(0);
        return Ok(constant(dsd.ty(), incremented(value, by, words)));
    }
    emit_change(s, call, dsd, DsdChange::Offset { elem_words: words }, offset)
}

/// A DSD moved by some elements. The offset is kept in elements of one size, in single words where the sizes do not
/// divide.
fn incremented(mut dsd: DsdValue, by: i32, words: u16) -> DsdValue {
    let moved = i32::from(dsd.elem_words) * dsd.offset + by * i32::from(words);
    if moved % i32::from(dsd.elem_words) != 0 {
        dsd.elem_words = 1;
    }
    dsd.offset = moved / i32::from(dsd.elem_words);
    dsd
}

pub(super) fn set_length(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let kinds = [DsdKind::Mem1d, DsdKind::Circbuf, DsdKind::Fabin, DsdKind::Fabout];
    let dsd = input(s, call, &kinds, "a DSD other than mem4d_dsd and fifo_dsd")?;
    let length = s.eval_expecting(&call.args[1], Some(Ty::U16))?;
    let length = u16_number(s, length, call.arg_span(1))?;
    if let (Some(value), Some(extent)) = (known(&dsd), length.as_const().and_then(super::args::small)) {
        return Ok(constant(dsd.ty(), DsdValue { extents: vec![extent as u16], ..value }));
    }
    emit_change(s, call, dsd, DsdChange::Length, length)
}

pub(super) fn set_stride(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let dsd = input(s, call, &[DsdKind::Mem1d], "a mem1d_dsd")?;
    let stride = s.eval_expecting(&call.args[1], Some(Ty::I16))?;
    let stride = number(s, stride, Ty::I16, call.arg_span(1))?;
    super::dsd::warn_wide_stride(s, &stride, call.arg_span(1));
    if let (Some(value), Some(by)) = (known(&dsd), stride.as_const().and_then(crate::value::int_of)) {
        let by = i16::try_from(by).unwrap_or(0);
        return Ok(constant(dsd.ty(), DsdValue { strides: vec![by], ..value }));
    }
    emit_change(s, call, dsd, DsdChange::Stride, stride)
}

/// Emits code that changes a copy of a DSD.
fn emit_change(s: &mut Sema<'_>, call: &Call<'_>, dsd: Operand, what: DsdChange, value: Operand) -> Res<Operand> {
    if s.is_comptime() {
        return Err(s.error(Code::NotComptime, call.span, "this needs values that only exist at run time"));
    }
    let value = s.opnd(&value, call.span)?;
    let ty = dsd.ty();
    if dsd_kind(s, ty) == Some(DsdKind::Mem4d) {
        let src = s.addr(&dsd, call.span)?;
        let slot = s.new_slot(ty, "mem4d_dsd", call.span)?;
        let addr = Addr { base: AddrBase::Slot(slot), offset: 0 };
        let bytes = csl_ir::size_of(&s.types, ty).unwrap_or(0);
        s.emit(Inst::MemCopy { dst: addr.clone(), src, bytes }, call.span)?;
        s.emit(Inst::SetMem4d { addr: addr.clone(), what, value }, call.span)?;
        return Ok(Operand::Mem(ty, addr));
    }
    let dsd = s.opnd(&dsd, call.span)?;
    let dst = s.code(call.span)?.new_reg(Scalar::Dsd);
    s.emit(Inst::SetDsd { dst, dsd, what, value }, call.span)?;
    Ok(Operand::Reg(ty, Opnd::Reg(dst)))
}
