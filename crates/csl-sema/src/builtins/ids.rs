//! Ids of colors, tasks, queues and registers, checked against the chip where they are comptime-known.

use csl_diag::{Code, Diagnostic};
use csl_ir::{DsrType, IdKind, Ty, TypeKind, TypedValue};
use csl_machine::{Arch, Chip};

use super::Call;
use super::args::{id_kind, int_value, is_int, small};
use super::casts::with_type;
use crate::context::{Res, Sema};
use crate::operand::Operand;

/// The limit of color numbers in older programs: control tasks, and the invalid color of an unused memcpy stream.
const MOST_COLORS: u32 = 64;

/// `@get_color`. Any number is a color until it is used to route or bind: `@get_color(32)` stands for an unused stream.
pub(super) fn get_color(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    number_id(s, call, Ty::COLOR, "a color", |_, id| is_color(id))
}

pub(super) fn is_color(id: u32) -> bool {
    id < MOST_COLORS
}

pub(super) fn get_local_task_id(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    number_id(s, call, Ty::LOCAL_TASK_ID, "a local task id", Chip::valid_local_task_id)
}

pub(super) fn get_control_task_id(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    number_id(s, call, Ty::CONTROL_TASK_ID, "a control task id", Chip::valid_control_task_id)
}

pub(super) fn get_input_queue(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let value = call.constant(s, 0)?;
    checked_id(s, call, value.into(), Ty::INPUT_QUEUE, "an input queue", Chip::valid_input_queue)
}

pub(super) fn get_output_queue(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let value = call.constant(s, 0)?;
    checked_id(s, call, value.into(), Ty::OUTPUT_QUEUE, "an output queue", Chip::valid_output_queue)
}

pub(super) fn get_ut_id(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    number_id(s, call, Ty::UT_ID, "a microthread", Chip::valid_microthread)
}

/// `@get_data_task_id`: of a color on WSE-2, of an input queue on WSE-3.
pub(super) fn get_data_task_id(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let operand = call.eval(s, 0)?;
    let (wanted, text) = match s.options.arch {
        Arch::Wse2 => (IdKind::Color, "a color on WSE-2"),
        Arch::Wse3 => (IdKind::InputQueue, "an input queue on WSE-3"),
    };
    if id_kind(s, operand.ty()) != Some(wanted) {
        return Err(call.refuse(s, 0, operand.ty(), text));
    }
    checked_id(s, call, operand, Ty::DATA_TASK_ID, "a data task id", Chip::valid_data_task_id)
}

fn number_id(
    s: &mut Sema<'_>,
    call: &Call<'_>,
    ty: Ty,
    what: &str,
    valid: impl Fn(&Chip, u32) -> bool,
) -> Res<Operand> {
    let operand = call.eval(s, 0)?;
    let found = operand.ty();
    if !is_int(s, found) || !(operand.is_const() || found == Ty::U16) {
        let wanted = "a comptime-known integer or a u16";
        return Err(call.refuse(s, 0, found, wanted));
    }
    checked_id(s, call, operand, ty, what, valid)
}

/// `operand` as an id of type `ty`, if the chip has it; run-time values are not checked.
fn checked_id(
    s: &mut Sema<'_>,
    call: &Call<'_>,
    operand: Operand,
    ty: Ty,
    what: &str,
    valid: impl Fn(&Chip, u32) -> bool,
) -> Res<Operand> {
    if let Some(value) = operand.as_const()
        && !small(value).is_some_and(|id| valid(s.chip, id))
    {
        let shown = crate::value::show(&s.types, value);
        let message = format!("{shown} is not {what} of {}", s.options.arch);
        let mut diagnostic = Diagnostic::new(Code::IdOutOfRange, call.arg_span(0), message);
        if let Some(range) = range_of(s.chip, ty) {
            diagnostic = diagnostic.note(range);
        }
        return Err(s.fail(diagnostic));
    }
    Ok(with_type(operand, ty))
}

fn range_of(chip: &Chip, ty: Ty) -> Option<String> {
    let (first, last) = match ty {
        Ty::LOCAL_TASK_ID => (chip.tasks.first_local.into(), chip.tasks.last_local.into()),
        Ty::DATA_TASK_ID => (0, usize::from(chip.tasks.last_data)),
        Ty::CONTROL_TASK_ID => (0, chip.tasks.last_control.into()),
        Ty::INPUT_QUEUE => (0, chip.queues.input_depth.len() - 1),
        Ty::OUTPUT_QUEUE => (0, chip.queues.output_depth.len() - 1),
        Ty::UT_ID => (0, usize::from(chip.queues.microthreads) - 1),
        _ => return None,
    };
    Some(format!("they go from {first} to {last}"))
}

/// `@get_dsr(type, id)`, and `@get_dsr(fifo_type, dsr)`.
pub(super) fn get_dsr(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let TypeKind::Dsr(file) = *s.types.kind(ty) else {
        return Err(call.refuse(s, 0, ty, "a DSR type"));
    };
    let value = call.constant(s, 1)?;
    match *s.types.kind(value.ty) {
        TypeKind::Dsr(of @ DsrType::Plain(plain)) if file.file() == plain && file != of => {
            Ok(with_type(value.into(), ty))
        }
        TypeKind::Dsr(_) => Err(call.refuse(s, 1, value.ty, "a DSR of the same file")),
        _ => {
            let dsr = register(s, call, 1, value, ty, "DSR", s.chip.registers.dsrs)?;
            if let (Some(id), Some(pe)) = (dsr.as_const().and_then(small), s.unit.pe_mut()) {
                pe.dsr_uses.push((file.file(), id as u8, call.span));
            }
            Ok(dsr)
        }
    }
}

pub(super) fn get_xdsr(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let value = call.constant(s, 0)?;
    register(s, call, 0, value, Ty::XDSR, "XDSR", s.chip.registers.xdsrs)
}

pub(super) fn get_sr(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let value = call.constant(s, 0)?;
    register(s, call, 0, value, Ty::SR, "stride register", s.chip.registers.srs)
}

fn register(
    s: &mut Sema<'_>,
    call: &Call<'_>,
    arg: usize,
    value: TypedValue,
    ty: Ty,
    what: &str,
    count: u8,
) -> Res<Operand> {
    match value.value.int() {
        Some(_) if small(&value).is_some_and(|id| id < u32::from(count)) => Ok(with_type(value.into(), ty)),
        Some(id) => {
            let message = format!("there is no {what} {id}");
            let note = format!("they go from 0 to {}", count - 1);
            Err(s.fail(Diagnostic::new(Code::IdOutOfRange, call.arg_span(arg), message).note(note)))
        }
        _ => Err(call.refuse(s, arg, value.ty, "an integer")),
    }
}

/// `@get_filter_id`: a filter has the number of its color here, because no PE has filters to share out (a choice).
pub(super) fn get_filter_id(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let value = call.constant(s, 0)?;
    match small(&value).and_then(|color| s.chip.routable_color(color)) {
        Some(color) if id_kind(s, value.ty) == Some(IdKind::Color) => {
            if !s.in_library() {
                s.pe()?.filters.push((color, call.span));
            }
            Ok(int_value(Ty::U16, color.number()))
        }
        _ => Err(call.refuse(s, 0, value.ty, "a routable color")),
    }
}
