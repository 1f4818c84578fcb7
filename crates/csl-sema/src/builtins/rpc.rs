//! Symbols that the host may name, and the server of remote procedure calls.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{BlockId, CmpOp, IdKind, Inst, Opnd, PtrRoot, RpcBind, Scalar, Term, Ty, TypeKind, TypedValue, Value};
use csl_machine::TaskId;
use csl_syntax::ast::{Expr, ExprKind, Storage};

use super::Call;
use super::args::{as_function, id_kind, int_value, small};
use crate::context::{Res, Sema};
use crate::emit::FuncBuilder;
use crate::layout::exported_name;
use crate::mend::through_a_pointer;
use crate::operand::{Operand, Place, PlaceKind};
use crate::pe::ExportTarget;

/// The global variable or function that an expression names.
fn symbol(s: &mut Sema<'_>, call: &Call<'_>, expr: &Expr) -> Res<ExportTarget> {
    if let ExprKind::AddrOf(of) = &expr.kind {
        let ty = s.eval_place(of)?.ty;
        let message = "a symbol is a variable or a function, and this is the value of an address";
        let diagnostic = Diagnostic::new(Code::BadOperand, expr.span, message);
        let pointer = match *s.types.kind(ty) {
            TypeKind::Array { elem, .. } => format!("[*]{}", s.show(elem)),
            _ => format!("*{}", s.show(ty)),
        };
        let help = symbol_name(of).map(|name| through_a_pointer(name, &pointer));
        return Err(s.fail(Diagnostic { help, ..diagnostic }));
    }
    let place = s.eval_place(expr)?;
    if place.ty == Ty::COMPTIME_STRING {
        let message = format!("`@{}` takes the symbol itself here, not its name", call.name);
        return Err(s.error(Code::BadOperand, expr.span, message));
    }
    if let PlaceKind::Value(Operand::Const(value)) = &place.kind
        && let Some(f) = as_function(value)
    {
        return Ok(ExportTarget::Fn(f));
    }
    let ty = place.ty;
    match global_behind(s, place, expr)? {
        Some(global) => Ok(ExportTarget::Global(global)),
        None => Err(call.refuse(s, 0, ty, "a global variable or function")),
    }
}

fn global_behind(s: &mut Sema<'_>, place: Place, expr: &Expr) -> Res<Option<csl_ir::GlobalRef>> {
    let pointer = match place.kind {
        PlaceKind::Ptr(ref pointer) => Some(pointer.clone()),
        _ => match s.address_of_expr(place, expr)? {
            Operand::Const(TypedValue { value: Value::Ptr(pointer), .. }) => Some(pointer),
            _ => None,
        },
    };
    Ok(pointer.filter(|p| p.path.is_empty()).and_then(|p| match p.root {
        PtrRoot::Global(global) => Some(global),
        _ => None,
    }))
}

/// The last name of `x` or `module.x`.
fn symbol_name(expr: &Expr) -> Option<&'static str> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.as_str()),
        ExprKind::Field { name, .. } => Some(name.name.as_str()),
        _ => None,
    }
}

pub(super) fn export_symbol(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let target = symbol(s, call, &call.args[0])?;
    let name = match call.args.len() {
        1 => symbol_name(&call.args[0]).unwrap_or_default().to_string(),
        _ => call.text(s, 1)?,
    };
    s.pe()?.export_refs.push((target, name, call.span));
    Ok(Operand::void())
}

/// `@export(&symbol, .{ .name = "..." })`: has the effect of the storage class `export`, under a computed name.
pub(super) fn export(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let pointer = call.constant(s, 0)?;
    let mut fields = call.fields(s, 1, "the options of `@export`")?;
    let name = fields.need(s, "name")?;
    fields.finish(s)?;
    let Operand::Const(TypedValue { value: Value::Str(name), .. }) = name else {
        return Err(s.error(Code::TypeMismatch, call.arg_span(1), "`.name` must be a string"));
    };
    let name = String::from_utf8_lossy(&name).into_owned();
    if let Some(f) = super::args::as_function(&pointer) {
        return match s.unit.exported_fns.values().any(|&other| other == f) {
            true => Err(s.error(Code::BadExport, call.arg_span(0), "this function is exported with `@export` twice")),
            false => {
                s.unit.exported_fns.insert(name, f);
                Ok(Operand::void())
            }
        };
    }
    let Value::Ptr(csl_ir::Pointer { root: PtrRoot::Global(global), .. }) = pointer.value else {
        return Err(call.refuse(s, 0, pointer.ty, "a pointer to a global variable or function"));
    };
    if !s.unit.exported_vars.insert(global) {
        return Err(s.error(Code::BadExport, call.arg_span(0), "this variable is exported with `@export` twice"));
    }
    let info = &mut s.unit.globals[global];
    info.name = name.clone();
    info.storage = Storage::Export;
    s.unit.linked.insert(name, global);
    s.global_id(global);
    Ok(Operand::void())
}

/// The exported symbols, by id.
fn exported(s: &Sema<'_>) -> Vec<(u16, ExportTarget)> {
    let Some(pe) = s.unit.pe() else { return Vec::new() };
    let refs = pe.export_refs.iter();
    refs.filter_map(|(target, name, _)| Some((exported_name(&pe.exports, name)?.id, target.clone()))).collect()
}

pub(super) fn get_symbol_id(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let target = symbol(s, call, &call.args[0])?;
    match exported(s).into_iter().find(|e| e.1 == target) {
        Some((id, _)) => Ok(int_value(Ty::U16, id)),
        None => {
            let span = call.arg_span(0);
            let statement = format!("@export_symbol({});", s.map.snippet(span));
            let diagnostic =
                Diagnostic::new(Code::BadExport, span, "this symbol is not exported with `@export_symbol`");
            Err(s.fail(s.mend_by_comptime(diagnostic.help(format!("add `{statement}`")), span.file, &statement)))
        }
    }
}

fn exported_globals(s: &Sema<'_>, fits: impl Fn(&Sema<'_>, Ty) -> bool) -> Vec<(u16, csl_ir::GlobalRef)> {
    let globals = exported(s).into_iter().filter_map(|(id, target)| match target {
        ExportTarget::Global(global) => Some((id, global)),
        ExportTarget::Fn(_) => None,
    });
    globals.filter(|&(_, g)| fits(s, s.unit.globals[g].ty)).collect()
}

fn is_tensor(s: &Sema<'_>, ty: Ty) -> bool {
    matches!(s.types.kind(ty), TypeKind::Ptr { .. })
}

pub(super) fn has_exported_tensors(s: &mut Sema<'_>, _: &Call<'_>) -> Res<Operand> {
    Ok(Operand::bool(!exported_globals(s, is_tensor).is_empty()))
}

pub(super) fn get_symbol_value(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let id = s.eval_as(&call.args[1], Ty::U16)?;
    let symbols = exported_globals(s, |_, of| of == ty);
    select(s, call, ty, id, &symbols)
}

pub(super) fn get_tensor_ptr(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let id = s.eval_as(&call.args[0], Ty::U16)?;
    let symbols = exported_globals(s, is_tensor);
    let ty = s.types.ptr(true, false, Ty::U16);
    select(s, call, ty, id, &symbols)
}

/// Emits the value of the symbol whose id is `id` at run time.
fn select(
    s: &mut Sema<'_>,
    call: &Call<'_>,
    ty: Ty,
    id: Operand,
    symbols: &[(u16, csl_ir::GlobalRef)],
) -> Res<Operand> {
    let Some(scalar) = s.scalar(ty) else {
        return Err(call.refuse(s, 0, ty, "a scalar type"));
    };
    if symbols.is_empty() {
        let message = format!("no symbol of type `{}` is exported", s.show(ty));
        return Err(s.error(Code::BadExport, call.span, message));
    }
    let id = s.opnd(&id, call.span)?;
    let code = s.code(call.span)?;
    let dst = code.new_reg(scalar);
    // Without such a symbol the value is not defined; 0 keeps runs the same.
    code.emit(Inst::Copy { dst, src: Opnd::Imm(0) }, call.span);
    let end = code.new_block();
    for &(number, global) in symbols {
        let from = csl_ir::AddrBase::Global(s.global_id(global));
        let code = s.code(call.span)?;
        let (here, next) = compare(code, call.span, &id, number);
        code.switch_to(here);
        let addr = csl_ir::Addr { base: from, offset: 0 };
        code.emit(Inst::Load { ty: scalar, dst, addr, keeps: false }, call.span);
        code.terminate(Term::Jump(end), call.span);
        code.switch_to(next);
    }
    s.code(call.span)?.enter(end, call.span);
    Ok(Operand::Reg(ty, Opnd::Reg(dst)))
}

/// Branches on `id == number`; returns the block where it holds, and the one where it does not.
fn compare(code: &mut FuncBuilder, span: Span, id: &Opnd, number: u16) -> (BlockId, BlockId) {
    let cond = code.new_reg(Scalar::BOOL);
    let b = Opnd::Imm(u64::from(number));
    code.emit(Inst::Cmp { op: CmpOp::Eq, ty: Scalar::U16, dst: cond, a: id.clone(), b }, span);
    let [here, next] = code.new_blocks();
    code.terminate(Term::Branch { cond: Opnd::Reg(cond), then: here, otherwise: next }, span);
    (here, next)
}

/// `@rpc(id)`; older programs give a color instead.
pub(super) fn rpc(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let id = call.constant(s, 0)?;
    if !matches!(id_kind(s, id.ty), Some(IdKind::DataTask | IdKind::Color)) {
        return Err(call.refuse(s, 0, id.ty, "a data task id"));
    }
    let Some(task_id) = small(&id).filter(|&id| s.chip.valid_data_task_id(id)).and_then(TaskId::of) else {
        return Err(s.error(Code::IdOutOfRange, call.arg_span(0), "this is not a data task id of the chip"));
    };
    if s.pe()?.rpc.is_some() {
        return Err(s.error(Code::BadRpc, call.span, "a program has at most one RPC server"));
    }
    s.pe()?.rpc = Some(RpcBind { task_id, span: call.span });
    Ok(Operand::void())
}
