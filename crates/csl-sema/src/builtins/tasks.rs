//! Binds tasks to ids; activates, blocks and unblocks them.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{FnRef, FuncId, IdKind, Opnd, TaskBind, Ty, TypeKind};
use csl_machine::registers::ce;
use csl_machine::{Arch, Startup, SysOp, TaskId, TaskKind, TaskTarget};
use csl_syntax::ast::FnDecl;

use super::Call;
use super::args::{id_kind, small};
use super::machine::sys;
use crate::context::{Res, Sema};
use crate::operand::Operand;

/// The bits of a wavelet, which several parameters of a data task share.
pub(crate) const WAVELET_BITS: u32 = 32;

pub(super) fn bind_local_task(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let id = typed_id(s, call, IdKind::LocalTask, "a local task id")?;
    bind(s, call, 0, TaskKind::Local, id)
}

pub(super) fn bind_data_task(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let id = typed_id(s, call, IdKind::DataTask, "a data task id")?;
    bind(s, call, 0, TaskKind::Data, id)
}

pub(super) fn bind_control_task(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let id = typed_id(s, call, IdKind::ControlTask, "a control task id")?;
    bind(s, call, 0, TaskKind::Control, id)
}

/// The id in the last argument of a binding.
fn typed_id(s: &mut Sema<'_>, call: &Call<'_>, kind: IdKind, wanted: &str) -> Res<u32> {
    let value = call.constant(s, 1)?;
    match small(&value) {
        Some(id) if id_kind(s, value.ty) == Some(kind) => Ok(id),
        _ => Err(call.refuse(s, 1, value.ty, wanted)),
    }
}

/// `@bind_task`. Up to SDK 0.9 it binds a task to a color: a task with parameters runs on the color's wavelets, one
/// without is activated, or named by a control wavelet. An id that is no routable color only ever names a task.
pub(super) fn bind_task(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let value = call.constant(s, 1)?;
    let Some(id) = small(&value).filter(|_| id_kind(s, value.ty).is_some()) else {
        return Err(call.refuse(s, 1, value.ty, "a color"));
    };
    s.pe()?.binds_colors = true;
    let task = call.function(s, 0)?;
    let has_params = !s.fn_info(task).decl.params.is_empty();
    if has_params && s.chip.valid_data_task_id(id) {
        return bind(s, call, 0, TaskKind::Data, id);
    }
    if !has_params && s.chip.valid_local_task_id(id) {
        bind(s, call, 0, TaskKind::Local, id)?;
    }
    if !s.chip.valid_control_task_id(id) {
        let message = format!("no task can have the id {id}");
        return Err(s.error(Code::IdOutOfRange, call.arg_span(1), message));
    }
    bind(s, call, 0, TaskKind::Control, id)
}

fn bind(s: &mut Sema<'_>, call: &Call<'_>, index: usize, kind: TaskKind, id: u32) -> Res<Operand> {
    let task = call.function(s, index)?;
    let (func, params) = task_instance(s, call, index, task, kind)?;
    s.pe()?.tasks.push(TaskBind { kind, id: TaskId::clamped(id.into()), func, params, span: call.span });
    Ok(Operand::void())
}

/// The run-time instance of a task that fits how it is bound, and the widths of its parameters.
fn task_instance(
    s: &mut Sema<'_>,
    call: &Call<'_>,
    index: usize,
    task: FnRef,
    kind: TaskKind,
) -> Res<(FuncId, Vec<u8>)> {
    let info = s.fn_info(task).clone();
    let fn_ty = s.fn_type(task)?;
    let TypeKind::Fn(ty) = s.types.kind(fn_ty).clone() else {
        return Err(call.refuse(s, index, fn_ty, "a task"));
    };
    let name = info.decl.name.name;
    let at = info.decl.name.span;
    if !ty.is_task {
        let diagnostic = Diagnostic::new(
            Code::BadTaskSignature,
            call.arg_span(index),
            format!("`{name}` is a function, not a task"),
        );
        return Err(s.fail(diagnostic.secondary(at, "declared here").help("declare it with `task`")));
    }
    let params = param_bits(s, &ty.params, call.arg_span(index))?;
    // Parameters lie at multiples of 16 bits.
    let total: u32 = params.iter().map(|&bits| u32::from(bits).next_multiple_of(16)).sum();
    let problem = match kind {
        TaskKind::Local if !params.is_empty() => Some("a local task takes no parameters"),
        TaskKind::Data if params.is_empty() => Some("a data task takes the wavelet as a parameter"),
        _ if total > WAVELET_BITS => Some("the parameters of a task share the 32 bits of a wavelet"),
        _ => None,
    };
    if let Some(problem) = problem {
        let diagnostic = Diagnostic::new(Code::BadTaskSignature, call.arg_span(index), problem);
        return Err(s.fail(diagnostic.secondary(at, format!("`{name}` is declared here"))));
    }
    warn_odd_params(s, &info.decl, &ty.params);
    Ok((s.instance(task, call.span)?, params))
}

/// Warns of parameters of integer types that the guide allows in memory alone.
fn warn_odd_params(s: &mut Sema<'_>, decl: &FnDecl, types: &[Ty]) {
    for (param, &ty) in decl.params.iter().zip(types) {
        let is_odd = matches!(s.types.kind(ty), TypeKind::Int { bits, .. } if !matches!(bits, 16 | 32));
        if is_odd && !s.is_of_library(param.span) {
            let message = format!("a parameter of a task has type `{}`", s.show(ty));
            let note = "the guide allows integers of 16 and 32 bits as parameters of tasks, and no others";
            let help = "take a u16 or u32, and convert it in the task";
            s.report(Diagnostic::new(Code::OddParameter, param.span, message).note(note).help(help));
        }
    }
}

fn param_bits(s: &mut Sema<'_>, params: &[Ty], span: Span) -> Res<Vec<u8>> {
    let mut widths = Vec::new();
    for &ty in params {
        match csl_ir::bits_of(&s.types, ty) {
            Some(bits @ 1..=WAVELET_BITS) => widths.push(bits as u8),
            _ => {
                let message = format!("a wavelet cannot carry a parameter of type `{}`", s.show(ty));
                return Err(s.error(Code::BadTaskSignature, span, message));
            }
        }
    }
    Ok(widths)
}

pub(super) fn bind_rotating_tasks(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let value = call.constant(s, 2)?;
    let Some(id) = small(&value).filter(|_| id_kind(s, value.ty) == Some(IdKind::DataTask)) else {
        return Err(call.refuse(s, 2, value.ty, "a data task id"));
    };
    let mut fields = call.fields(s, 3, "the configuration of rotating tasks")?;
    let init = fields.take_int(s, "init")?.unwrap_or(0);
    let Some(limit) = fields.take_int(s, "limit")? else {
        return Err(s.error(Code::BadBuiltinArgument, call.arg_span(3), "rotating tasks need a field `.limit`"));
    };
    fields.finish(s)?;
    if init < 0 || limit < init || limit > i64::from(u32::MAX) {
        let message = "`.init` and `.limit` are not negative, and `.init` is at most `.limit`";
        return Err(s.error(Code::BadBuiltinArgument, call.arg_span(3), message));
    }
    if s.pe()?.rotating.len() == 2 {
        return Err(s.error(Code::BadBuiltinArgument, call.span, "WSE-3 rotates at most two pairs of tasks"));
    }
    bind(s, call, 0, TaskKind::Data, id)?;
    let alt = call.function(s, 1)?;
    let (alt, params) = task_instance(s, call, 1, alt, TaskKind::Control)?;
    // The control task with id 0 of the same queue, which its control wavelets start; the table is known at the end.
    let alternate = TaskBind { kind: TaskKind::Control, id: TaskId::at(0), func: alt, params, span: call.span };
    let data_task = TaskId::clamped(id.into());
    s.pe()?.alternates.push((data_task, alternate));
    let rotating = csl_machine::RotatingTasks { data_task, alt, init: init as u32, limit: limit as u32 };
    s.pe()?.rotating.push(rotating);
    Ok(Operand::void())
}

pub(super) fn set_control_task_table(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let mut fields = call.fields(s, 0, "the configuration of the control task table")?;
    let instructions = fields.take_int(s, "instructions")?.unwrap_or(4);
    let stride = fields.take_int(s, "stride")?.unwrap_or(1);
    fields.finish(s)?;
    if ![2, 4, 8].contains(&instructions) || !(1..=7).contains(&stride) {
        let message = "`.instructions` is 2, 4 or 8, and `.stride` is from 1 to 7";
        return Err(s.error(Code::BadBuiltinArgument, call.span, message));
    }
    if s.pe()?.control_table.is_some() {
        return Err(s.error(Code::BadBuiltinArgument, call.span, "the control task table is set twice"));
    }
    // The number of instructions of an entry determines where code lies, which no program can observe.
    s.pe()?.control_table = Some(csl_ir::ControlTable { stride: stride as u8 });
    Ok(Operand::void())
}

/// A function without parameters that yields nothing, ready to run.
pub(super) fn handler(s: &mut Sema<'_>, call: &Call<'_>) -> Res<FuncId> {
    let f = call.function(s, 0)?;
    let fn_ty = s.fn_type(f)?;
    match s.types.kind(fn_ty) {
        TypeKind::Fn(ty) if ty.params.is_empty() && ty.ret == Ty::VOID => s.instance(f, call.span),
        _ => Err(call.refuse(s, 0, fn_ty, "a function without parameters that returns void")),
    }
}

pub(super) fn set_teardown_handler(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let func = handler(s, call)?;
    let color = call.constant(s, 1)?;
    let Some(id) = small(&color).and_then(|c| s.chip.routable_color(c)) else {
        return Err(call.refuse(s, 1, color.ty, "a routable color"));
    };
    if let Some(&(_, _, before)) = s.pe()?.teardown_handlers.iter().find(|h| h.0 == id) {
        let message = format!("color {id} has two teardown handlers");
        let diagnostic = Diagnostic::new(Code::TaskConflict, call.span, message);
        return Err(s.fail(diagnostic.secondary(before, "the first is set here")));
    }
    s.pe()?.teardown_handlers.push((id, func, call.span));
    Ok(Operand::void())
}

/// The target of an activation, a blocking or an unblocking that an id names.
pub(super) fn target(s: &mut Sema<'_>, operand: &Operand, span: Span) -> Res<Option<TaskTarget<Opnd>>> {
    if let Some(f) = operand.as_const().and_then(super::args::as_function) {
        let fn_ty = s.fn_type(f)?;
        let is_task = matches!(s.types.kind(fn_ty), TypeKind::Fn(f) if f.is_task);
        if !is_task {
            return Ok(None);
        }
        // The task may be named before its binding is known: resolved when the program is put together.
        return Ok(Some(TaskTarget::LocalTask(Opnd::Func(s.instance(f, span)?))));
    }
    let Some(kind) = id_kind(s, operand.ty()) else { return Ok(None) };
    let id = match operand.as_const().and_then(small) {
        Some(id) => Opnd::Imm(u64::from(id)),
        None => s.opnd(operand, span)?,
    };
    Ok(match kind {
        IdKind::Color => Some(color_target(s, id)),
        IdKind::LocalTask => Some(TaskTarget::LocalTask(id)),
        IdKind::DataTask => Some(TaskTarget::DataTask(id)),
        IdKind::ControlTask => Some(TaskTarget::ControlTask(id)),
        IdKind::InputQueue => Some(TaskTarget::InputQueue(id)),
        _ => None,
    })
}

/// The target of a number that an older program writes as a color: the id of a task where the number is no routable color
/// or a task without wavelets is bound to it, else the color.
fn color_target(s: &Sema<'_>, id: Opnd) -> TaskTarget<Opnd> {
    match id {
        Opnd::Imm(number) if !s.chip.is_routable_color(number as u32) => TaskTarget::LocalTask(id),
        Opnd::Imm(number) if s.unit.pe().is_some_and(|pe| pe.binds_colors && names_task(&pe.tasks, number)) => {
            TaskTarget::LocalTask(id)
        }
        id => TaskTarget::Color(id),
    }
}

/// Whether a task without wavelets is bound to the number; older programs bind such tasks to colors.
pub(crate) fn names_task(tasks: &[TaskBind], number: u64) -> bool {
    tasks.iter().any(|t| u64::from(t.id) == number && t.kind == TaskKind::Local)
}

pub(super) fn activate(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let operand = call.eval(s, 0)?;
    let target = match target(s, &operand, call.span)? {
        // Up to SDK 0.9 colors are the ids of tasks.
        Some(TaskTarget::LocalTask(id) | TaskTarget::Color(id)) => TaskTarget::LocalTask(id),
        _ => return Err(call.refuse(s, 0, operand.ty(), "a local task id")),
    };
    match target {
        target if s.is_comptime() => {
            s.pe()?.startup.push(Startup::Activate(target));
            Ok(Operand::void())
        }
        TaskTarget::LocalTask(id) => {
            let id = bound_id(s, id, call.span)?;
            sys(s, call, SysOp::ActivateTask, vec![id])
        }
        _ => Ok(Operand::void()),
    }
}

/// The id of a task named in run-time code; the binding is known by then.
fn bound_id(s: &mut Sema<'_>, id: Opnd, span: Span) -> Res<Opnd> {
    let Opnd::Func(func) = id else { return Ok(id) };
    let tasks = s.unit.pe().map_or(&[][..], |pe| &pe.tasks);
    match tasks.iter().find(|t| t.func == func) {
        Some(task) => Ok(Opnd::Imm(u64::from(task.id))),
        None => Err(s.error(Code::BadBuiltinArgument, span, "this task is not bound to an id")),
    }
}

pub(super) fn block(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    set_blocked(s, call, true)
}

pub(super) fn unblock(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    set_blocked(s, call, false)
}

fn set_blocked(s: &mut Sema<'_>, call: &Call<'_>, blocked: bool) -> Res<Operand> {
    let operand = call.eval(s, 0)?;
    if id_kind(s, operand.ty()) == Some(IdKind::Ut) {
        return set_ut_blocked(s, call, &operand, blocked);
    }
    let Some(target) = target(s, &operand, call.span)? else {
        return Err(call.refuse(s, 0, operand.ty(), "a color, a task id or a queue"));
    };
    if s.is_comptime() {
        let startup = if blocked { Startup::Block(target) } else { Startup::Unblock(target) };
        s.pe()?.startup.push(startup);
        return Ok(Operand::void());
    }
    // On WSE-2 the id of a data task is its color.
    let wse2 = s.options.arch == Arch::Wse2;
    let (ops, id) = match target {
        TaskTarget::Color(id) => ([SysOp::BlockColor, SysOp::UnblockColor], id),
        TaskTarget::DataTask(id) if wse2 => ([SysOp::BlockColor, SysOp::UnblockColor], id),
        TaskTarget::InputQueue(id) => ([SysOp::BlockQueue, SysOp::UnblockQueue], id),
        TaskTarget::DataTask(id) | TaskTarget::LocalTask(id) | TaskTarget::ControlTask(id) => {
            ([SysOp::BlockTask, SysOp::UnblockTask], bound_id(s, id, call.span)?)
        }
    };
    sys(s, call, ops[usize::from(!blocked)], vec![id])
}

fn set_ut_blocked(s: &mut Sema<'_>, call: &Call<'_>, operand: &Operand, blocked: bool) -> Res<Operand> {
    if s.is_comptime() {
        let id = operand.as_const().and_then(small).unwrap_or(0);
        let configs = &mut s.pe()?.configs;
        let before = configs.iter().find(|config| config.0 == ce::UT_BLOCKED).map_or(0, |config| config.1);
        let bit = 1 << id;
        configs.retain(|config| config.0 != ce::UT_BLOCKED);
        configs.push((ce::UT_BLOCKED, if blocked { before | bit } else { before & !bit }));
        return Ok(Operand::void());
    }
    let id = s.opnd(operand, call.span)?;
    let op = if blocked { SysOp::BlockUt } else { SysOp::UnblockUt };
    sys(s, call, op, vec![id])
}
