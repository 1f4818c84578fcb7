//! Queues between a PE and its router.

use csl_diag::{Code, Diagnostic};
use csl_ir::{BinOp, IdKind, Inst, Opnd, QueueInit, Scalar};
use csl_machine::{Arch, FlushId, Priority, QueueDir, QueueId, SysOp};

use super::Call;
use super::args::{Fields, id_kind, is_int, small};
use super::machine::sys;
use super::tasks::handler;
use crate::context::{Res, Sema};
use crate::operand::Operand;

pub(super) const PRIORITIES: &[(&str, Priority)] =
    &[("low", Priority::Low), ("medium", Priority::Medium), ("high", Priority::High)];

/// The number of control task tables that input queues can choose from (the guide gives no range).
const CONTROL_TABLES: u8 = 8;

/// The queue that a comptime-known argument is. A number is an input queue's, as programs up to SDK 1.0 write it.
fn queue(s: &mut Sema<'_>, call: &Call<'_>, index: usize) -> Res<(QueueDir, QueueId)> {
    let value = call.constant(s, index)?;
    let dir = match id_kind(s, value.ty) {
        Some(IdKind::InputQueue) => QueueDir::In,
        Some(IdKind::OutputQueue) => QueueDir::Out,
        None if is_int(s, value.ty) && small(&value).is_some_and(|q| s.chip.valid_input_queue(q)) => QueueDir::In,
        _ => return Err(call.refuse(s, index, value.ty, "an input or output queue")),
    };
    Ok((dir, small(&value).and_then(QueueId::of).unwrap_or(QueueId::at(0))))
}

/// The configuration of a queue; up to SDK 0.7 the color stood in its place.
fn config(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Fields> {
    const WHAT: &str = "the configuration of a queue";
    if call.args.len() < 2 {
        return call.fields(s, 1, WHAT);
    }
    let operand = call.eval(s, 1)?;
    match id_kind(s, operand.ty()) {
        Some(IdKind::Color) => Ok(Fields::single("color", operand, WHAT, call.arg_span(1))),
        _ => Fields::of(s, &operand, WHAT, call.arg_span(1)),
    }
}

pub(super) fn initialize_queue(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let (dir, id) = queue(s, call, 0)?;
    let wse3 = s.options.arch == Arch::Wse3;
    let mut fields = config(s, call)?;
    let color = match fields.take_const(s, "color")? {
        None => None,
        Some(value) if id_kind(s, value.ty) == Some(IdKind::Color) => Some(value),
        Some(value) => return Err(fields.mismatch(s, "color", "a color", value.ty)),
    };
    let priority = if wse3 { None } else { fields.take_choice(s, "priority", PRIORITIES)? };
    let ctrl_table = if wse3 && dir == QueueDir::In { fields.take_int(s, "ctrl_table_id")? } else { None };
    let dense_mode = if wse3 { fields.take_bool(s, "dense_mode")?.unwrap_or(false) } else { false };
    let span = call.span;
    fields.finish(s)?;
    if color.is_none() && (wse3 || dir == QueueDir::In) {
        return Err(s.error(Code::BadBuiltinArgument, span, "this queue needs a field `.color`"));
    }
    let color = match color {
        None => None,
        Some(value) => match small(&value).and_then(|c| s.chip.routable_color(c)) {
            Some(color) => Some(color),
            None => {
                let shown = crate::value::show(&s.types, &value);
                return Err(s.error(Code::IdOutOfRange, span, format!("{shown} cannot be bound to a queue")));
            }
        },
    };
    let Some(ctrl_table_id) = u8::try_from(ctrl_table.unwrap_or(0)).ok().filter(|&id| id < CONTROL_TABLES) else {
        let message = format!("`.ctrl_table_id` is from 0 to {}", CONTROL_TABLES - 1);
        return Err(s.error(Code::BadBuiltinArgument, span, message));
    };
    if let Some(before) = s.pe()?.queues.iter().find(|q| q.dir == dir && q.id == id) {
        let diagnostic = Diagnostic::new(Code::BadBuiltinArgument, span, "this queue is initialized twice")
            .secondary(before.span, "first here");
        return Err(s.fail(diagnostic));
    }
    s.pe()?.queues.push(QueueInit { dir, id, color, priority, ctrl_table_id, dense_mode, span });
    Ok(Operand::void())
}

pub(super) fn queue_flush(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let queue = call.eval(s, 0)?;
    let id = s.opnd(&queue, call.arg_span(0))?;
    let id = match (id_kind(s, queue.ty()), id) {
        (Some(IdKind::OutputQueue), id) => id,
        (Some(IdKind::InputQueue), Opnd::Imm(id)) => Opnd::Imm(id | u64::from(csl_machine::FLUSH_INPUT)),
        (Some(IdKind::InputQueue), id) => {
            let code = s.code(call.span)?;
            let (dst, b) = (code.new_reg(Scalar::U16), Opnd::Imm(u64::from(csl_machine::FLUSH_INPUT)));
            code.emit(Inst::Bin { op: BinOp::Or, ty: Scalar::U16, dst, a: id, b }, call.span);
            Opnd::Reg(dst)
        }
        _ => return Err(call.refuse(s, 0, queue.ty(), "an input or output queue")),
    };
    sys(s, call, SysOp::QueueFlush, vec![id])
}

pub(super) fn set_empty_queue_handler(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let func = handler(s, call)?;
    let (dir, id) = queue(s, call, 1)?;
    let id = FlushId::of_queue(dir, id);
    if let Some(&(_, _, before)) = s.pe()?.empty_queue_handlers.iter().find(|h| h.0 == id) {
        let diagnostic = Diagnostic::new(Code::TaskConflict, call.span, "this queue has two handlers");
        return Err(s.fail(diagnostic.secondary(before, "the first is set here")));
    }
    s.pe()?.empty_queue_handlers.push((id, func, call.span));
    Ok(Operand::void())
}
