//! FIFOs in memory.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{
    DsrType, FifoInit, FifoRef, GlobalRef, IdKind, Opnd, PtrRoot, Ty, TypeKind, TypedValue, Value, VecOperand,
};
use csl_machine::{Arch, DsrFile, DsrLoad, FifoAction, FifoConfig, SimdMode, SysOp, VecConfig};

use super::Call;
use super::args::Fields;
use super::config::{activated, u16_opnd};
use super::dsd::elem_words;
use super::machine::sys;
use super::queues::PRIORITIES;
use crate::context::{Res, Sema};
use crate::operand::{Operand, PlaceKind};

const ACTIONS: &[(&str, FifoAction)] = &[
    ("test_or_suspend", FifoAction::TestOrSuspend),
    ("terminate", FifoAction::Terminate),
    ("suspend", FifoAction::Suspend),
    ("fault", FifoAction::Fault),
];

const SIMD_MODES: &[(&str, SimdMode)] = &[
    ("simd_off", SimdMode::Off),
    ("simd_32", SimdMode::Simd32),
    ("simd_64", SimdMode::Simd64),
    ("simd_32_or_64", SimdMode::Simd32Or64),
    ("simd_max", SimdMode::SimdMax),
];

pub(super) fn allocate(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let buffer = buffer(s, call)?;
    let info = &s.unit.globals[buffer];
    let (ty, is_const) = (info.ty, info.is_const);
    let TypeKind::Array { dims, elem } = s.types.kind(ty).clone() else {
        return Err(call.refuse(s, 0, ty, "a global array"));
    };
    if is_const {
        return Err(s.error(Code::BadBuiltinArgument, call.arg_span(0), "the buffer of a FIFO must be a `var`"));
    }
    // A push takes words of 16 bits: with a byte an element it would write behind the array.
    if csl_ir::size_of(&s.types, elem) == Some(1) {
        let message = format!("the buffer of a FIFO is an array of numbers of 16 or 32 bits, not of {}", s.show(elem));
        return Err(s.error(Code::BadBuiltinArgument, call.arg_span(0), message));
    }
    let words = elem_words(s, elem, call.arg_span(0))?;
    let elements: u64 = dims.iter().product();
    let mut fields = call.fields(s, 1, "the configuration of a FIFO")?;
    let global = s.global_id(buffer);
    let mut config = FifoConfig {
        elem_words: words,
        empty_action: action(s, &mut fields, "empty_action")?,
        full_action: action(s, &mut fields, "full_action")?,
        activate_push: None,
        activate_pop: None,
        priority: fields.take_choice(s, "priority", PRIORITIES)?,
        simd: simd_mode(s, &mut fields)?,
    };
    if let Some(task) = fields.take("activate_push") {
        config.activate_push = Some(activated(s, &fields, &task)?);
    }
    if let Some(task) = fields.take("activate_pop") {
        config.activate_pop = Some(activated(s, &fields, &task)?);
    }
    let registers = registers(s, &mut fields)?;
    fields.finish(s)?;
    align(s, buffer, call.arg_span(0));
    let words = (elements * u64::from(words)) as u32;
    let fifos = &mut s.pe()?.fifos;
    let number = FifoRef::at(fifos.len());
    fifos.push(FifoInit { buffer: global, words, config, span: call.span });
    if let Some(registers) = registers {
        load_registers(s, number, registers, call.span)?;
    }
    Ok(TypedValue::new(Ty::FIFO_DSD, Value::Fifo(number)).into())
}

/// The global array that the first argument names or points at.
fn buffer(s: &mut Sema<'_>, call: &Call<'_>) -> Res<GlobalRef> {
    let place = s.eval_place(&call.args[0])?;
    let ty = place.ty;
    let pointer = match place.kind {
        PlaceKind::Ptr(ref pointer) if matches!(s.types.kind(ty), TypeKind::Array { .. }) => Some(pointer.clone()),
        _ => {
            let value = s.load(place, call.arg_span(0))?;
            super::dsd::pointer(&value)
        }
    };
    match pointer {
        Some(csl_ir::Pointer { root: PtrRoot::Global(global), path, .. }) if path.is_empty() => Ok(global),
        _ => Err(call.refuse(s, 0, ty, "a global `var` array or a pointer to one")),
    }
}

/// The SIMD mode of a FIFO, which only WSE-2 has (guide, SIMD mode).
fn simd_mode(s: &mut Sema<'_>, fields: &mut Fields) -> Res<Option<SimdMode>> {
    let mode = fields.take_choice(s, "simd_mode", SIMD_MODES)?;
    if mode.is_some() && s.options.arch == Arch::Wse3 {
        return Err(s.error(Code::WrongArch, fields.span, "the `.simd_mode` of a FIFO is only there on WSE-2"));
    }
    Ok(mode)
}

fn action(s: &mut Sema<'_>, fields: &mut Fields, name: &'static str) -> Res<FifoAction> {
    let Some(action) = fields.take_choice(s, name, ACTIONS)? else { return Ok(FifoAction::default()) };
    let only_wse3 = name == "full_action" || matches!(action, FifoAction::Suspend | FifoAction::Fault);
    if only_wse3 && s.options.arch == Arch::Wse2 {
        let message = format!("this `.{name}` is only there on WSE-3");
        return Err(s.error(Code::WrongArch, fields.span, message));
    }
    Ok(action)
}

/// Numbers of the registers that the program chooses for a FIFO.
#[derive(Clone, Copy)]
struct Registers {
    /// The common number of the dsr_dest and the dsr_src1.
    dsr: u8,
    xdsr: u8,
}

/// The registers `.dest`, `.src` and `.xdsr`: all three or none, the first two with one number.
fn registers(s: &mut Sema<'_>, fields: &mut Fields) -> Res<Option<Registers>> {
    let dest = register(s, fields, "dest", TypeKind::Dsr(DsrType::Plain(DsrFile::Dest)), "a dsr_dest")?;
    let src = register(s, fields, "src", TypeKind::Dsr(DsrType::Plain(DsrFile::Src1)), "a dsr_src1")?;
    let xdsr = register(s, fields, "xdsr", TypeKind::Id(IdKind::Xdsr), "an xdsr")?;
    let message = match (dest, src, xdsr) {
        (None, None, None) => return Ok(None),
        (Some(dest), Some(src), Some(xdsr)) if dest == src => return Ok(Some(Registers { dsr: dest, xdsr })),
        (Some(_), Some(_), Some(_)) => "`.dest` and `.src` of a FIFO must have one number",
        _ => "`.dest`, `.src` and `.xdsr` must be given together",
    };
    Err(s.error(Code::BadBuiltinArgument, fields.span, message))
}

fn register(
    s: &mut Sema<'_>,
    fields: &mut Fields,
    name: &'static str,
    kind: TypeKind,
    wanted: &str,
) -> Res<Option<u8>> {
    let Some(value) = fields.take_const(s, name)? else { return Ok(None) };
    match super::args::small(&value) {
        Some(id) if *s.types.kind(value.ty) == kind => Ok(Some(id as u8)),
        _ => Err(fields.mismatch(s, name, wanted, value.ty)),
    }
}

/// Loads the FIFO into the registers when the program starts, so that code can name it by them (guide, "FIFO DSR
/// types").
fn load_registers(s: &mut Sema<'_>, fifo: FifoRef, registers: Registers, span: Span) -> Res<()> {
    let Registers { dsr, xdsr } = registers;
    let taken = |load: &DsrLoad<VecOperand, Opnd>| {
        let is_fifo = matches!(load.dsd, VecOperand::Fifo(_));
        load.xdsr == Some(xdsr) || is_fifo && load.id == dsr
    };
    if let Some(&(_, before)) = s.pe()?.dsr_loads.iter().find(|(load, _)| taken(load)) {
        let message = "a register of this FIFO is used already";
        let diagnostic = Diagnostic::new(Code::BadBuiltinArgument, span, message);
        return Err(s.fail(diagnostic.secondary(before, "here")));
    }
    for file in [DsrFile::Dest, DsrFile::Src1] {
        let dsd = VecOperand::Fifo(fifo);
        let load = DsrLoad { file, id: dsr, xdsr: Some(xdsr), srs: Vec::new(), dsd, config: VecConfig::default() };
        s.pe()?.dsr_loads.push((load, span));
    }
    Ok(())
}

/// Aligns the buffer of a FIFO to the widest access, 128 bits (chosen: the guide gives no number), unless the program says
/// otherwise; a warning where it says less than `FIFO_MIN_ALIGNMENT` of `<tile_config>`, which the guide calls an error.
fn align(s: &mut Sema<'_>, buffer: GlobalRef, span: Span) {
    const BUFFER_ALIGN: u32 = 16;
    const LEAST_ALIGN: u32 = 4;
    let info = &mut s.unit.globals[buffer];
    let (align, declared) = (*info.align.get_or_insert(BUFFER_ALIGN), info.span);
    if align < LEAST_ALIGN && !s.is_of_library(span) {
        let message = format!("this array is aligned to {align} bytes, and a FIFO needs {LEAST_ALIGN}");
        let diagnostic = Diagnostic::new(Code::LowAlignment, span, message)
            .secondary(declared, "declared here")
            .note("here that makes no difference; the guide calls it an error")
            .help("leave its `align` out: arrays of FIFOs are aligned by themselves");
        s.report(diagnostic);
    }
}

pub(super) fn set_read_length(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    set_length(s, call, SysOp::SetFifoReadLength)
}

pub(super) fn set_write_length(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    set_length(s, call, SysOp::SetFifoWriteLength)
}

fn set_length(s: &mut Sema<'_>, call: &Call<'_>, op: SysOp) -> Res<Operand> {
    let value = call.constant(s, 0)?;
    let Value::Fifo(fifo) = value.value else {
        return Err(call.refuse(s, 0, value.ty, "a FIFO"));
    };
    let length = s.eval_expecting(&call.args[1], Some(Ty::U16))?;
    let length = u16_opnd(s, length, call.arg_span(1))?;
    sys(s, call, op, vec![Opnd::Imm(u64::from(fifo.number())), length])
}

/// The FIFO in an operand of a vector operation.
pub(super) fn known_fifo(s: &mut Sema<'_>, operand: &Operand, span: Span) -> Res<FifoRef> {
    match operand.as_const().map(|v| &v.value) {
        Some(Value::Fifo(fifo)) => Ok(*fifo),
        _ => Err(s.error(Code::NotComptime, span, "a FIFO must be comptime-known where it is used")),
    }
}
