//! Reads the configuration struct of vector operations and DSR loads.

use csl_diag::{Code, Span};
use csl_ir::{IdKind, Opnd, Ty};
use csl_machine::{Action, Arch, Dialect, OnControl, Sdk, TaskTarget, VecConfig};
use csl_syntax::ast::{ExprKind, Item, VarKind};

use super::Call;
use super::args::{Fields, id_kind};
use super::queues::PRIORITIES;
use super::tasks::target;
use crate::context::{Res, Sema};
use crate::operand::Operand;

/// The kinds of configuration struct, by the fields that they may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ConfigOf {
    Operation,
    Load,
}

/// Reads argument `index`, if it is there.
pub(super) fn vec_config(s: &mut Sema<'_>, call: &Call<'_>, index: usize, of: ConfigOf) -> Res<VecConfig<Opnd>> {
    let what = match of {
        ConfigOf::Operation => "the configuration of a vector operation",
        ConfigOf::Load => "the configuration of a DSR load",
    };
    let mut fields = call.fields(s, index, what)?;
    let mut config = VecConfig {
        is_async: fields.take_bool(s, "async")?.unwrap_or(false),
        completion: completion(s, &mut fields)?,
        on_control: on_control(s, &mut fields)?,
        ut: microthread(s, &mut fields)?,
        priority: fields.take_choice(s, "priority", PRIORITIES)?,
        ..VecConfig::default()
    };
    match of {
        ConfigOf::Operation => config.index = index_value(s, &mut fields)?,
        ConfigOf::Load => {
            config.save_address = fields.take_bool(s, "save_address")?.unwrap_or(false);
            config.single_step = fields.take_bool(s, "single_step")?.unwrap_or(false);
        }
    }
    fields.finish(s)?;
    Ok(config)
}

fn completion(s: &mut Sema<'_>, fields: &mut Fields) -> Res<Action<Opnd>> {
    let (activate, unblock) = (fields.take("activate"), fields.take("unblock"));
    match (activate, unblock) {
        (None, None) => Ok(Action::Nothing),
        (Some(task), None) => Ok(Action::Activate(activated(s, fields, &task)?)),
        (None, Some(task)) => Ok(Action::Unblock(unblocked(s, fields, &task)?)),
        _ => Err(s.error(Code::BadBuiltinArgument, fields.span, "`.activate` and `.unblock` exclude each other")),
    }
}

/// The task to activate: a local task id or a task's name; a color in programs up to SDK 0.9, where colors are the ids
/// of tasks.
pub(super) fn activated(s: &mut Sema<'_>, fields: &Fields, task: &Operand) -> Res<TaskTarget<Opnd>> {
    match target(s, task, fields.span)? {
        Some(TaskTarget::LocalTask(id) | TaskTarget::Color(id)) => Ok(TaskTarget::LocalTask(id)),
        _ => Err(fields.mismatch(s, "activate", "a local task id or a task", task.ty())),
    }
}

fn unblocked(s: &mut Sema<'_>, fields: &Fields, task: &Operand) -> Res<TaskTarget<Opnd>> {
    match target(s, task, fields.span)? {
        Some(target) => Ok(target),
        None => Err(fields.mismatch(s, "unblock", "a color, a task id, a queue or a task", task.ty())),
    }
}

fn on_control(s: &mut Sema<'_>, fields: &mut Fields) -> Res<Option<OnControl<Opnd>>> {
    let Some(operand) = fields.take("on_control") else { return Ok(None) };
    let mut inner = Fields::of(s, &operand, "`.on_control`", fields.span)?;
    let terminate = inner.take_bool(s, "terminate")?;
    let (activate, unblock) = (inner.take("activate"), inner.take("unblock"));
    let action = match (terminate, activate, unblock) {
        (Some(true), None, None) => Some(OnControl::Terminate),
        (Some(false) | None, None, None) => None,
        (None, Some(task), None) => Some(OnControl::Then(Action::Activate(activated(s, &inner, &task)?))),
        (None, None, Some(task)) => Some(OnControl::Then(Action::Unblock(unblocked(s, &inner, &task)?))),
        _ => {
            let message = "`.on_control` has exactly one of `.terminate`, `.activate` and `.unblock`";
            return Err(s.error(Code::BadBuiltinArgument, inner.span, message));
        }
    };
    inner.finish(s)?;
    Ok(action)
}

fn microthread(s: &mut Sema<'_>, fields: &mut Fields) -> Res<Option<Opnd>> {
    let Some(operand) = fields.take("ut_id") else { return Ok(None) };
    if s.options.arch != Arch::Wse3 {
        return Err(s.error(Code::WrongArch, fields.span, "`.ut_id` is only there on WSE-3"));
    }
    if id_kind(s, operand.ty()) != Some(IdKind::Ut) {
        return Err(fields.mismatch(s, "ut_id", "a microthread id", operand.ty()));
    }
    if !operand.is_const() {
        return Err(s.error(Code::NotComptime, fields.span, "`.ut_id` must be comptime-known"));
    }
    s.opnd(&operand, fields.span).map(Some)
}

fn index_value(s: &mut Sema<'_>, fields: &mut Fields) -> Res<Option<Opnd>> {
    let Some(operand) = fields.take("index") else { return Ok(None) };
    u16_opnd(s, operand, fields.span).map(Some)
}

/// The operand of a 16-bit number, signed or not.
pub(super) fn u16_opnd(s: &mut Sema<'_>, operand: Operand, span: Span) -> Res<Opnd> {
    let operand = match operand.ty() {
        Ty::I16 if !operand.is_const() => s.bitcast(operand, Ty::U16, span)?,
        _ => s.coerce(operand, Ty::U16, span)?,
    };
    s.opnd(&operand, span)
}

/// The release whose rules hold for the program: by `--sdk`, else by forms that later releases have given up.
pub(crate) fn release(s: &Sema<'_>) -> Sdk {
    let has_legacy_param = || s.unit.modules.iter().any(|m| has_legacy_param(&m.file));
    match s.options.sdk {
        Some(sdk) => sdk,
        None if s.unit.pe().is_some_and(|pe| pe.binds_colors) => Sdk::LAST_WITH_TASK_COLORS,
        None if s.unit.is_legacy || has_legacy_param() => Sdk::LAST_UNPACKED,
        None => Sdk::CURRENT,
    }
}

/// The rules of the program's generation. Channels that a release before 1.0 left unblocked, a program without `--sdk` unblocks at
/// its start-up ([`crate::pe::Pe::follow_old_conventions`]).
pub(crate) fn dialect(s: &Sema<'_>) -> Dialect {
    let blocks_unbound_channels = s.options.sdk.is_none_or(|sdk| Dialect::of(sdk).blocks_unbound_channels);
    Dialect { blocks_unbound_channels, ..Dialect::of(release(s)) }
}

/// A `param` of type `comptime_struct`.
fn has_legacy_param(file: &crate::SourceFile) -> bool {
    !file.is_library
        && file.ast.items.iter().any(|item| match item {
            Item::Var(decl) if decl.kind == VarKind::Param => matches!(
                decl.ty.as_ref().map(|ty| &ty.kind),
                Some(ExprKind::Name(name)) if name.as_str() == "comptime_struct"
            ),
            _ => false,
        })
}
