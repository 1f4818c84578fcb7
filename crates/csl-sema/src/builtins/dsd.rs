//! `@get_dsd`: descriptors of vectors in memory and on the fabric.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{
    Addr, AddrBase, BinOp, DsdChange, DsdKind, DsdValue, FabricDsd, IdKind, Inst, Opnd, Pointer, Scalar, Ty, TypeKind,
    TypedValue, Value, ZeroSource,
};
use csl_machine::{Arch, Color, Priority, QueueDir, QueueId, SimdMode};

use super::Call;
use super::args::{Fields, dsd_kind, id_kind, is_int, small};
use super::config::dialect;
use super::queues::PRIORITIES;
use crate::context::{Res, Sema};
use crate::operand::Operand;

const SIMD_MODES: &[(&str, SimdMode)] = &[
    ("simd_32", SimdMode::Simd32),
    ("simd_64", SimdMode::Simd64),
    ("simd_32_or_64", SimdMode::Simd32Or64),
    ("simd_max", SimdMode::SimdMax),
    // On WSE-3 "the valid options are now simd_off and simd_max" (release notes of 2.10).
    ("simd_off", SimdMode::Off),
];

const ZEROES: &[(&str, ZeroSource)] = &[("first_source", ZeroSource::First), ("second_source", ZeroSource::Second)];

/// The greatest number of loops of a mem4d DSD.
const MOST_LOOPS: usize = 4;

pub(super) fn get_dsd(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let mut fields = call.fields(s, 1, "a DSD")?;
    let dsd = match dsd_kind(s, ty) {
        Some(DsdKind::Mem1d) => mem1d(s, call, ty, &mut fields)?,
        Some(DsdKind::Mem4d) => mem4d(s, call, ty, &mut fields)?,
        Some(DsdKind::Circbuf) => circbuf(s, ty, &mut fields)?,
        Some(kind @ (DsdKind::Fabin | DsdKind::Fabout)) => fabric(s, call, kind, ty, &mut fields)?,
        _ => return Err(call.refuse(s, 0, ty, "a DSD type other than fifo_dsd")),
    };
    fields.finish(s)?;
    Ok(dsd)
}

pub(super) fn empty(kind: DsdKind) -> DsdValue {
    DsdValue {
        kind,
        base: None,
        offset: 0,
        elem_words: 1,
        extents: Vec::new(),
        strides: Vec::new(),
        wraparound: 0,
        wavelet_index_offset: false,
        fabric: None,
    }
}

/// An access to memory, from `.tensor_access` or the fields of the same names beside it.
struct Access {
    base: Operand,
    offset: Option<Operand>,
    stride: Option<Operand>,
    extent: Operand,
}

fn access(s: &mut Sema<'_>, fields: &mut Fields) -> Res<Access> {
    let Some(tensor) = fields.take("tensor_access") else { return access_fields(s, fields) };
    if let Some(twice) = ["base_address", "offset", "stride", "extent"].into_iter().find(|n| fields.has(n)) {
        let message = format!("`.{twice}` is given twice: beside `.tensor_access`, which has it too");
        return Err(s.error(Code::BadBuiltinArgument, fields.span, message));
    }
    let mut inner = Fields::of(s, &tensor, "a tensor access", fields.span)?;
    let access = access_fields(s, &mut inner)?;
    inner.finish(s)?;
    Ok(access)
}

fn access_fields(s: &mut Sema<'_>, fields: &mut Fields) -> Res<Access> {
    Ok(Access {
        base: fields.need(s, "base_address")?,
        offset: fields.take("offset"),
        stride: fields.take("stride"),
        extent: fields.need(s, "extent")?,
    })
}

/// Size in 16-bit words of the elements that a pointer of type `ty` leads to.
pub(super) fn pointer_elem_words(s: &mut Sema<'_>, ty: Ty, span: Span) -> Res<u16> {
    let Some(elem) = s.pointed_element(ty) else {
        let message = format!("a pointer is needed here, not a value of type `{}`", s.show(ty));
        return Err(s.error(Code::TypeMismatch, span, message));
    };
    elem_words(s, elem, span)
}

/// Size of an element in 16-bit words. Elements of 8 bits count as words: no vector operation works on bytes.
pub(super) fn elem_words(s: &mut Sema<'_>, elem: Ty, span: Span) -> Res<u16> {
    match csl_ir::size_of(&s.types, elem) {
        Some(bytes @ 1..=8) => Ok(bytes.div_ceil(2) as u16),
        // Descriptors of arrays of structs are allowed too: each operation brings its own element type.
        Some(bytes @ 9..) => Ok((bytes / 2).min(u32::from(u16::MAX)) as u16),
        _ => {
            let message = format!("elements of type `{}` have no place in memory", s.show(elem));
            Err(s.error(Code::BadType, span, message))
        }
    }
}

fn mem1d(s: &mut Sema<'_>, call: &Call<'_>, ty: Ty, fields: &mut Fields) -> Res<Operand> {
    let access = access(s, fields)?;
    let span = fields.span;
    let index_offset = fields.take_bool(s, "wavelet_index_offset")?.unwrap_or(false);
    let elem_words = pointer_elem_words(s, access.base.ty(), span)?;
    let extent = single(s, access.extent, span)?;
    let extent = length(s, extent, span)?;
    let stride = match access.stride {
        Some(stride) => number(s, stride, Ty::I16, span)?,
        None => super::args::int_value(Ty::I16, 1),
    };
    warn_wide_stride(s, &stride, span);
    let offset = match access.offset {
        Some(offset) => number(s, offset, Ty::I16, span)?,
        None => super::args::int_value(Ty::I16, 0),
    };
    let known = (pointer(&access.base), int16(&offset), int16(&stride), int16(&extent));
    if let (Some(base), Some(offset), Some(stride), Some(extent)) = known {
        let dsd = DsdValue {
            base: Some(base),
            offset,
            elem_words,
            extents: vec![extent as u16],
            strides: vec![stride as i16],
            wavelet_index_offset: index_offset,
            ..empty(DsdKind::Mem1d)
        };
        return Ok(constant(ty, dsd));
    }
    let (base, offset) = (s.opnd(&access.base, span)?, s.opnd(&offset, span)?);
    let (stride, extent) = (s.opnd(&stride, span)?, s.opnd(&extent, span)?);
    let dst = s.code(call.span)?.new_reg(Scalar::Dsd);
    s.emit(Inst::MakeMem1d { dst, base, offset, elem_words, stride, extent, index_offset }, call.span)?;
    Ok(Operand::Reg(ty, Opnd::Reg(dst)))
}

/// Warns of a stride that the vendor's compiler does not take: the guide makes it an `i8`, here it is one of 16 bits.
pub(super) fn warn_wide_stride(s: &mut Sema<'_>, stride: &Operand, span: Span) {
    let Some(stride) = int16(stride).filter(|stride| i8::try_from(*stride).is_err()) else { return };
    if s.in_library() {
        return;
    }
    let message = format!("a stride of {stride} elements does not fit `i8`, its type in the guide");
    let note = "here it works; other compilers for CSL may refuse it, or drop its high bits";
    let help = "order the array so that neighbours along the DSD lie closer";
    s.report(Diagnostic::new(Code::WideStride, span, message).note(note).help(help));
}

pub(super) fn constant(ty: Ty, dsd: DsdValue) -> Operand {
    TypedValue::new(ty, Value::Dsd(dsd.into())).into()
}

pub(super) fn pointer(operand: &Operand) -> Option<Pointer> {
    match operand {
        Operand::Const(TypedValue { value: Value::Ptr(pointer), .. }) => Some(pointer.clone()),
        _ => None,
    }
}

fn int16(operand: &Operand) -> Option<i32> {
    use num_traits::ToPrimitive;
    crate::value::int_of(operand.as_const()?)?.to_i32()
}

/// The only element of a tuple, or the value itself: strides and extents come in both forms.
fn single(s: &mut Sema<'_>, operand: Operand, span: Span) -> Res<Operand> {
    if is_int(s, operand.ty()) {
        return Ok(operand);
    }
    let mut parts = s.tuple_of(&operand, span)?;
    match parts.len() {
        1 => Ok(parts.remove(0)),
        n => {
            let message = format!("a mem1d_dsd has one loop, not {n}");
            let help = "a mem4d_dsd has up to four";
            Err(s.fail(Diagnostic::new(Code::BadBuiltinArgument, span, message).help(help)))
        }
    }
}

/// The operand of a number of elements.
fn length(s: &mut Sema<'_>, operand: Operand, span: Span) -> Res<Operand> {
    u16_number(s, operand, span)
}

/// The operand of a u16; a run-time i16 is taken by its bits, as registers have it.
pub(super) fn u16_number(s: &mut Sema<'_>, operand: Operand, span: Span) -> Res<Operand> {
    match operand.ty() {
        Ty::I16 if !operand.is_const() => s.bitcast(operand, Ty::U16, span),
        _ => s.coerce(operand, Ty::U16, span),
    }
}

/// The operand of a stride or offset.
pub(super) fn number(s: &mut Sema<'_>, operand: Operand, ty: Ty, span: Span) -> Res<Operand> {
    let operand = single(s, operand, span)?;
    match operand.ty() {
        Ty::U16 if !operand.is_const() => s.bitcast(operand, Ty::I16, span),
        _ => s.coerce(operand, ty, span),
    }
}

/// The numbers of a tuple, or the single number that stands for a tuple of one.
fn numbers(s: &mut Sema<'_>, operand: Operand, span: Span) -> Res<Vec<Operand>> {
    if is_int(s, operand.ty()) {
        return Ok(vec![operand]);
    }
    s.tuple_of(&operand, span)
}

fn mem4d(s: &mut Sema<'_>, call: &Call<'_>, ty: Ty, fields: &mut Fields) -> Res<Operand> {
    let access = access(s, fields)?;
    let span = fields.span;
    let index_offset = fields.take_bool(s, "wavelet_index_offset")?.unwrap_or(false);
    let elem_words = pointer_elem_words(s, access.base.ty(), span)?;
    let extents = numbers(s, access.extent, span)?;
    let loops = extents.len();
    if !(1..=MOST_LOOPS).contains(&loops) {
        let message = format!("a mem4d_dsd has one to four loops, not {loops}");
        return Err(s.error(Code::BadBuiltinArgument, span, message));
    }
    let mut lengths = Vec::new();
    for extent in extents {
        lengths.push(length(s, extent, span)?);
    }
    let strides = mem4d_strides(s, access.stride, loops, span)?;
    let offset = match access.offset {
        Some(offset) => number(s, offset, Ty::I16, span)?,
        None => super::args::int_value(Ty::I16, 0),
    };
    let known: Vec<Option<u16>> = lengths.iter().map(|l| int16(l).map(|l| l as u16)).collect();
    let dsd = DsdValue {
        base: pointer(&access.base),
        offset: int16(&offset).unwrap_or(0),
        elem_words,
        extents: known.iter().map(|l| l.unwrap_or(1)).collect(),
        strides,
        wavelet_index_offset: index_offset,
        ..empty(DsdKind::Mem4d)
    };
    if dsd.base.is_some() && offset.is_const() && known.iter().all(Option::is_some) {
        return Ok(constant(ty, dsd));
    }
    let (base, offset) = (Some(s.opnd(&access.base, span)?), Some(s.opnd(&offset, span)?));
    let dsd = DsdValue { base: None, offset: 0, ..dsd };
    let mut extents = Vec::new();
    for (length, known) in lengths.iter().zip(known) {
        extents.push(if known.is_some() { None } else { Some(s.opnd(length, span)?) });
    }
    let slot = s.new_slot(ty, "mem4d_dsd", call.span)?;
    let dst = Addr { base: AddrBase::Slot(slot), offset: 0 };
    s.emit(Inst::MakeMem4d { dst: dst.clone(), desc: Box::new(dsd), base, offset, extents }, call.span)?;
    Ok(Operand::Mem(ty, dst))
}

/// Strides of a mem4d DSD, innermost first; 1 for each loop where none are given.
fn mem4d_strides(s: &mut Sema<'_>, stride: Option<Operand>, loops: usize, span: Span) -> Res<Vec<i16>> {
    let Some(stride) = stride else { return Ok(vec![1; loops]) };
    let mut strides = Vec::new();
    for part in numbers(s, stride, span)? {
        let part = s.coerce(part, Ty::I16, span)?;
        match int16(&part) {
            Some(stride) => strides.push(stride as i16),
            None => return Err(s.error(Code::NotComptime, span, "strides of a mem4d_dsd must be comptime-known")),
        }
    }
    if strides.len() != loops {
        let message = format!("a mem4d_dsd with {loops} extents cannot have {} strides", strides.len());
        return Err(s.error(Code::BadBuiltinArgument, span, message));
    }
    Ok(strides)
}

fn circbuf(s: &mut Sema<'_>, ty: Ty, fields: &mut Fields) -> Res<Operand> {
    let base = fields.need(s, "base_address")?;
    let extent = fields.need(s, "extent")?;
    let span = fields.span;
    let wraparound = fields.take_u16(s, "wraparound")?;
    let elem_words = pointer_elem_words(s, base.ty(), span)?;
    let Some(base_pointer) = pointer(&base) else {
        return Err(s.error(Code::NotComptime, span, "the base of a circular buffer must be comptime-known"));
    };
    let size = buffer_size(s, base.ty());
    let wraparound = match (wraparound, size) {
        (Some(given), Some(size)) if u64::from(given) > size => {
            let message = format!("`.wraparound` is {given}, but the buffer has {size} elements");
            return Err(s.error(Code::BadBuiltinArgument, span, message));
        }
        (Some(0), _) => return Err(s.error(Code::BadBuiltinArgument, span, "`.wraparound` may not be 0")),
        (Some(given), _) => given,
        (None, Some(size)) => size.min(u64::from(u16::MAX)) as u16,
        (None, None) => {
            let message = "`.wraparound` is needed where the base is not a pointer to an array";
            return Err(s.error(Code::BadBuiltinArgument, span, message));
        }
    };
    let extent = length(s, extent, span)?;
    let Some(extent) = int16(&extent) else {
        return Err(s.error(Code::NotComptime, span, "the extent of a circular buffer must be comptime-known"));
    };
    let dsd = DsdValue {
        base: Some(base_pointer),
        elem_words,
        extents: vec![extent as u16],
        strides: vec![1],
        wraparound,
        ..empty(DsdKind::Circbuf)
    };
    Ok(constant(ty, dsd))
}

/// The number of elements of the array that a pointer leads to.
fn buffer_size(s: &Sema<'_>, ty: Ty) -> Option<u64> {
    let TypeKind::Ptr { elem, .. } = *s.types.kind(ty) else { return None };
    match s.types.kind(elem) {
        TypeKind::Array { dims, .. } => Some(dims.iter().product()),
        _ => None,
    }
}

fn fabric(s: &mut Sema<'_>, call: &Call<'_>, kind: DsdKind, ty: Ty, fields: &mut Fields) -> Res<Operand> {
    let span = fields.span;
    let extent = fields.need(s, "extent")?;
    let extent = length(s, extent, span)?;
    let (queue_field, queue_kind) = match kind {
        DsdKind::Fabin => ("input_queue", IdKind::InputQueue),
        _ => ("output_queue", IdKind::OutputQueue),
    };
    let simd = fields.take_choice(s, "simd_mode", SIMD_MODES)?;
    let runtime_color = runtime_id(s, fields, "fabric_color", IdKind::Color)?;
    let runtime_queue = runtime_id(s, fields, queue_field, queue_kind)?;
    let mut side = FabricDsd {
        color: color(s, fields)?,
        queue: queue(s, fields, queue_field, queue_kind)?,
        // Up to SDK 1.4 16-bit values travel one a wavelet unless the program asks for more.
        simd: simd.or_else(|| (!dialect(s).packs_halves).then_some(SimdMode::Off)),
        priority: priority(s, fields)?,
        control_transform: fields.take_bool(s, "control_transform")?.unwrap_or(false),
        ..FabricDsd::default()
    };
    if s.in_library() {
        side.message = fields.take_bool(s, "wl_message")?.unwrap_or(false);
    }
    let mut index_offset = false;
    if kind == DsdKind::Fabout {
        side.control = fields.take_bool(s, "control")?.unwrap_or(false);
        side.advance_switch = fields.take_bool(s, "advance_switch")?.unwrap_or(false);
        side.zero = fields.take_choice(s, "zero", ZEROES)?;
        index_offset = fields.take_bool(s, "wavelet_index_offset")?.unwrap_or(false);
    }
    let is_nowhere = side.color.is_none() && runtime_color.is_none();
    if is_nowhere && side.queue.is_none() && runtime_queue.is_none() {
        return Err(fields.missing(s, &format!("`.{queue_field}` or `.fabric_color`")));
    }
    if is_nowhere && kind == DsdKind::Fabout && s.options.arch == Arch::Wse2 && !s.in_library() {
        let message = "on WSE-2 an output queue has no color: this DSD needs `.fabric_color`";
        let note = "here the color that `@initialize_queue` gives the queue stands in";
        s.report(Diagnostic::new(Code::NoColor, call.span, message).note(note));
    }
    if let Some(pe) = s.unit.pe_mut() {
        let colors = if kind == DsdKind::Fabin { &mut pe.input_colors } else { &mut pe.output_colors };
        colors.extend(side.color);
        pe.has_unknown_color |= runtime_color.is_some();
    }
    let dir = if kind == DsdKind::Fabin { QueueDir::In } else { QueueDir::Out };
    if let Some(pe) = s.unit.pe_mut() {
        pe.dsd_queues.push((dir, side.queue));
        pe.queue_uses.extend(side.queue.map(|queue| (dir, queue, side.color, call.span)));
    }
    let ends = [(runtime_color, Color::byte(side.color)), (runtime_queue, QueueId::byte(side.queue))];
    let known = int16(&extent);
    let dsd = DsdValue {
        extents: vec![known.unwrap_or(1) as u16],
        wavelet_index_offset: index_offset,
        fabric: Some(side),
        ..empty(kind)
    };
    let dsd = match known {
        Some(_) => constant(ty, dsd),
        None => {
            let extent = s.opnd(&extent, span)?;
            let dst = s.code(call.span)?.new_reg(Scalar::Dsd);
            s.emit(Inst::MakeFabric { dst, desc: Box::new(dsd), extent }, call.span)?;
            Operand::Reg(ty, Opnd::Reg(dst))
        }
    };
    set_ends(s, dsd, ends, call.span)
}

/// A color or queue that is known at run time only.
fn runtime_id(s: &mut Sema<'_>, fields: &mut Fields, name: &'static str, kind: IdKind) -> Res<Option<Opnd>> {
    let Some(operand) = fields.take_runtime(name) else { return Ok(None) };
    if id_kind(s, operand.ty()) != Some(kind) {
        let wanted = if kind == IdKind::Color { "a color" } else { "a queue" };
        return Err(fields.mismatch(s, name, wanted, operand.ty()));
    }
    s.opnd(&operand, fields.span).map(Some)
}

/// Puts a color and a queue into a fabric DSD, where one of them is known at run time only; the bytes of those that are
/// known stand beside.
fn set_ends(s: &mut Sema<'_>, dsd: Operand, ends: [(Option<Opnd>, u8); 2], span: Span) -> Res<Operand> {
    if ends.iter().all(|(runtime, _)| runtime.is_none()) {
        return Ok(dsd);
    }
    let [color, queue] = ends.map(|(runtime, known)| runtime.unwrap_or(Opnd::Imm(known.into())));
    let code = s.code(span)?;
    let (high, both, dst) = (code.new_reg(Scalar::U16), code.new_reg(Scalar::U16), code.new_reg(Scalar::Dsd));
    code.emit(Inst::Bin { op: BinOp::Shl, ty: Scalar::U16, dst: high, a: queue, b: Opnd::Imm(8) }, span);
    code.emit(Inst::Bin { op: BinOp::Or, ty: Scalar::U16, dst: both, a: Opnd::Reg(high), b: color }, span);
    let (ty, dsd) = (dsd.ty(), s.opnd(&dsd, span)?);
    s.emit(Inst::SetDsd { dst, dsd, what: DsdChange::Ends, value: Opnd::Reg(both) }, span)?;
    Ok(Operand::Reg(ty, Opnd::Reg(dst)))
}

/// The color of a DSD, or its number (the guide's example of `@dfilt`, programs printed by xDSL).
fn color(s: &mut Sema<'_>, fields: &mut Fields) -> Res<Option<Color>> {
    let Some(value) = fields.take_const(s, "fabric_color")? else { return Ok(None) };
    if id_kind(s, value.ty) != Some(IdKind::Color) && !is_int(s, value.ty) {
        return Err(fields.mismatch(s, "fabric_color", "a color", value.ty));
    }
    match small(&value).and_then(|c| s.chip.routable_color(c)) {
        Some(color) => Ok(Some(color)),
        None => {
            let shown = crate::value::show(&s.types, &value);
            let message = format!("{shown} is not a routable color");
            Err(s.error(Code::IdOutOfRange, fields.span, message))
        }
    }
}

/// The queue of a DSD, or its number as programs up to SDK 0.7 write it.
fn queue(s: &mut Sema<'_>, fields: &mut Fields, name: &'static str, kind: IdKind) -> Res<Option<QueueId>> {
    let Some(value) = fields.take_const(s, name)? else { return Ok(None) };
    if id_kind(s, value.ty) != Some(kind) && !is_int(s, value.ty) {
        return Err(fields.mismatch(s, name, "a queue", value.ty));
    }
    let valid = match kind {
        IdKind::InputQueue => small(&value).filter(|&q| s.chip.valid_input_queue(q)),
        _ => small(&value).filter(|&q| s.chip.valid_output_queue(q)),
    };
    match valid.and_then(QueueId::of) {
        Some(queue) => Ok(Some(queue)),
        None => {
            let message = format!("`.{name}` names a queue that {} does not have", s.options.arch);
            Err(s.error(Code::IdOutOfRange, fields.span, message))
        }
    }
}

/// The priority of a DSD; on WSE-2 the operation has the priority instead.
fn priority(s: &mut Sema<'_>, fields: &mut Fields) -> Res<Option<Priority>> {
    let priority = fields.take_choice(s, "priority", PRIORITIES)?;
    if priority.is_some() && s.options.arch == Arch::Wse2 {
        let diagnostic =
            Diagnostic::new(Code::WrongArch, fields.span, "a DSD with a `.priority` is only there on WSE-3");
        return Err(s.fail(diagnostic.help("give the `.priority` to the operation")));
    }
    Ok(priority)
}
