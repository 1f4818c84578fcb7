//! Registers and counters of a PE, and the services that the standard library needs.

use csl_diag::{Code, Diagnostic};
use csl_ir::{Inst, MathFn, Opnd, Scalar, Ty, TypeKind, TypedValue, Value};
use csl_machine::SysOp;

use super::Call;
use super::args::{int_value, small};
use crate::context::{Res, Sema};
use crate::operand::Operand;

/// Emits a service without a result.
pub(super) fn sys(s: &mut Sema<'_>, call: &Call<'_>, op: SysOp, args: Vec<Opnd>) -> Res<Operand> {
    s.emit(Inst::Sys { op, dst: None, args }, call.span)?;
    Ok(Operand::void())
}

/// Emits a service that returns a number.
fn sys_value(s: &mut Sema<'_>, call: &Call<'_>, op: SysOp, args: Vec<Opnd>) -> Res<Operand> {
    let dst = s.code(call.span)?.new_reg(Scalar::U16);
    s.emit(Inst::Sys { op, dst: Some(dst), args }, call.span)?;
    Ok(Operand::Reg(Ty::U16, Opnd::Reg(dst)))
}

fn u16_arg(s: &mut Sema<'_>, call: &Call<'_>, index: usize) -> Res<Opnd> {
    let operand = s.eval_as(&call.args[index], Ty::U16)?;
    s.opnd(&operand, call.arg_span(index))
}

/// `@assert`; at comptime it is `@comptime_assert`.
pub(super) fn assert(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    if s.is_comptime() {
        return super::reflect::comptime_assert(s, call);
    }
    let cond = s.eval_as(&call.args[0], Ty::BOOL)?;
    let cond = s.opnd(&cond, call.span)?;
    sys(s, call, SysOp::Assert, vec![cond])
}

pub(super) fn random16(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    sys_value(s, call, SysOp::Random16, Vec::new())
}

pub(super) fn set_active_prng(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let id = u16_arg(s, call, 0)?;
    sys(s, call, SysOp::SetActivePrng, vec![id])
}

/// Checks the inclusive ranges of the last argument where the address is comptime-known.
fn check_ranges(s: &mut Sema<'_>, call: &Call<'_>, index: usize, addr: &Operand) -> Res<()> {
    let Some(arg) = call.args.get(index) else { return Ok(()) };
    let ranges = s.eval(arg)?;
    let parts = s.tuple_of(&ranges, arg.span)?;
    let nested = parts.first().is_some_and(|p| matches!(s.types.kind(p.ty()), TypeKind::Anon { .. }));
    let ranges = if nested { parts } else { vec![ranges] };
    let mut inside = false;
    for range in ranges {
        let ends = s.tuple_of(&range, arg.span)?;
        let [low, high] = ends.as_slice() else {
            return Err(s.error(Code::BadBuiltinArgument, arg.span, "a range of addresses has two ends"));
        };
        let bounds = [low, high].map(|end| end.as_const().and_then(super::args::small));
        let [Some(low), Some(high)] = bounds else {
            return Err(s.error(Code::NotComptime, arg.span, "a range of addresses must be comptime-known"));
        };
        if low > high {
            return Err(s.error(Code::BadBuiltinArgument, arg.span, "a range of addresses begins behind its end"));
        }
        inside |= addr.as_const().and_then(super::args::small).is_none_or(|a| (low..=high).contains(&a));
    }
    if inside {
        return Ok(());
    }
    Err(s.error(Code::BadBuiltinArgument, call.arg_span(0), "this address lies outside the ranges given"))
}

/// Warns of an address at which there is memory and no register.
fn check_address(s: &mut Sema<'_>, call: &Call<'_>, addr: &Operand) {
    let words = s.chip.memory.bytes / 2;
    if let Some(addr) = addr.as_const().and_then(small).filter(|&addr| addr < words) {
        let message = format!("no configuration register has the address {addr:#x}");
        let note = format!("addresses count words of 16 bits, and memory ends at {words:#x}; registers lie behind it");
        s.report(Diagnostic::new(Code::NoRegister, call.arg_span(0), message).note(note));
    }
}

pub(super) fn get_config(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let addr = s.eval_as(&call.args[0], Ty::U16)?;
    check_ranges(s, call, 1, &addr)?;
    check_address(s, call, &addr);
    if !s.is_comptime() {
        let addr = s.opnd(&addr, call.arg_span(0))?;
        return sys_value(s, call, SysOp::GetConfig, vec![addr]);
    }
    let addr = addr.as_const().and_then(super::args::small);
    match s.pe()?.configs.iter().rev().find(|c| Some(u32::from(c.0)) == addr) {
        Some(&(_, value)) => Ok(int_value(Ty::U16, value)),
        // The guide: a register with a default value holds that value.
        None if addr.is_some_and(|addr| csl_machine::registers::ce::starts_clear(addr as u16)) => {
            Ok(int_value(Ty::U16, 0u16))
        }
        None => {
            let message = "nothing has been written to this register with `@set_config`";
            Err(s.error(Code::BadBuiltinArgument, call.arg_span(0), message))
        }
    }
}

pub(super) fn set_config(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let addr = s.eval_as(&call.args[0], Ty::U16)?;
    let value = s.eval_as(&call.args[1], Ty::U16)?;
    check_ranges(s, call, 2, &addr)?;
    check_address(s, call, &addr);
    if !s.is_comptime() {
        let addr = s.opnd(&addr, call.arg_span(0))?;
        let value = s.opnd(&value, call.arg_span(1))?;
        return sys(s, call, SysOp::SetConfig, vec![addr, value]);
    }
    let small = |o: &Operand| o.as_const().and_then(super::args::small).unwrap_or(0) as u16;
    let (addr, value) = (small(&addr), small(&value));
    s.pe()?.configs.retain(|c| c.0 != addr);
    s.pe()?.configs.push((addr, value));
    Ok(Operand::void())
}

/// Checks that code is emitted here; the library's functions refuse to be called at comptime.
fn runtime(s: &mut Sema<'_>, call: &Call<'_>) -> Res<()> {
    s.code_or(call.span, "this only exists at run time").map(|_| ())
}

pub(super) fn wl_get_x(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    sys_value(s, call, SysOp::GetX, Vec::new())
}

pub(super) fn wl_get_y(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    sys_value(s, call, SysOp::GetY, Vec::new())
}

/// `@wl_register("name")`: the word address of a configuration register.
pub(super) fn wl_register(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let name = call.text(s, 0)?;
    match csl_machine::registers::address(s.chip, &name) {
        Some(addr) => Ok(int_value(Ty::U16, addr)),
        None => Err(s.error(Code::BadBuiltinArgument, call.span, format!("no register is called `{name}`"))),
    }
}

/// Whether `--sdk` names a release before MAJOR.MINOR.
pub(super) fn wl_is_before(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let (major, minor) = (call.constant(s, 0)?, call.constant(s, 1)?);
    let release = [major, minor].map(|number| small(&number).unwrap_or_default());
    let is_before = s.options.sdk.is_some_and(|sdk| [sdk.major, sdk.minor].map(u32::from) < release);
    Ok(Operand::bool(is_before))
}

pub(super) fn wl_tsc_enable(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    sys(s, call, SysOp::TscEnable, Vec::new())
}

pub(super) fn wl_tsc_disable(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    sys(s, call, SysOp::TscDisable, Vec::new())
}

pub(super) fn wl_tsc_word(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    let index = u16_arg(s, call, 0)?;
    sys_value(s, call, SysOp::TscWord, vec![index])
}

pub(super) fn wl_set_prng_seed(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    let seed = s.eval_as(&call.args[0], Ty::U32)?;
    let seed = s.opnd(&seed, call.arg_span(0))?;
    sys(s, call, SysOp::SetPrngSeed, vec![seed])
}

pub(super) fn wl_unblock_cmd_stream(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    sys(s, call, SysOp::UnblockCmdStream, Vec::new())
}

/// `@wl_look_at_root(root, size)`: notes for reports the root of a collective operation that is no PE of its row or column.
pub(super) fn wl_look_at_root(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    let (root, size) = (s.eval_as(&call.args[0], Ty::U16)?, s.eval_as(&call.args[1], Ty::U16)?);
    let args = vec![s.opnd(&root, call.arg_span(0))?, s.opnd(&size, call.arg_span(1))?];
    sys(s, call, SysOp::LookAtRoot, args)
}

/// `@wl_math("sqrt", x)`, `@wl_math("pow", x, y)`: evaluated now where the values are known.
pub(super) fn wl_math(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let name = call.text(s, 0)?;
    let Some(f) = MathFn::from_name(&name) else {
        return Err(s.error(Code::BadBuiltinArgument, call.arg_span(0), format!("there is no function `{name}`")));
    };
    let a = call.eval(s, 1)?;
    let ty = a.ty();
    let b = match call.args.get(2) {
        Some(arg) => Some(s.eval_as(arg, ty)?),
        None => None,
    };
    let TypeKind::Float(kind) = *s.types.kind(ty) else {
        return Err(call.refuse(s, 1, ty, "a float"));
    };
    let bits = |operand: &Operand| operand.as_const().and_then(|known| known.value.float_bits());
    match (bits(&a), b.as_ref().map(bits)) {
        (Some(a), None) => Ok(TypedValue::new(ty, Value::Float(csl_num::math_fn(f, kind, a, 0))).into()),
        (Some(a), Some(Some(b))) => Ok(TypedValue::new(ty, Value::Float(csl_num::math_fn(f, kind, a, b))).into()),
        _ => emit_math(s, call, f, &a, b.as_ref()),
    }
}

fn emit_math(s: &mut Sema<'_>, call: &Call<'_>, f: MathFn, a: &Operand, b: Option<&Operand>) -> Res<Operand> {
    let Some(scalar) = s.scalar(a.ty()) else {
        return Err(call.refuse(s, 1, a.ty(), "a float that exists at run time"));
    };
    let ty = a.ty();
    let a = s.opnd(a, call.span)?;
    let b = match b {
        Some(b) => Some(s.opnd(b, call.span)?),
        None => None,
    };
    let dst = s.code(call.span)?.new_reg(scalar);
    s.emit(Inst::Math { f, ty: scalar, dst, a, b }, call.span)?;
    Ok(Operand::Reg(ty, Opnd::Reg(dst)))
}

pub(super) fn wl_message_header(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    runtime(s, call)?;
    let header = s.eval_as(&call.args[0], Ty::U32)?;
    let header = s.opnd(&header, call.span)?;
    sys(s, call, SysOp::MessageHeader, vec![header])
}
