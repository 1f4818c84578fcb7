//! Builtins that load data structure registers explicitly.

use csl_diag::{Code, Diagnostic};
use csl_ir::{DsdKind, DsdValue, DsrType, IdKind, Inst, Opnd, Ty, TypeKind, TypedValue, Value, VecOperand};
use csl_machine::{Action, Arch, DsrFile, DsrLoad, SysOp, VecConfig};

use super::Call;
use super::args::{dsd_kind, id_kind, small};
use super::config::{ConfigOf, dialect, vec_config};
use crate::context::{Res, Sema};
use crate::operand::Operand;

pub(super) fn load_to_dsr(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let (file, id) = dsr(s, call)?;
    let dsd = call.eval(s, 1)?;
    let config = vec_config(s, call, 2, ConfigOf::Load)?;
    let kind = match dsd_kind(s, dsd.ty()) {
        Some(kind @ (DsdKind::Mem1d | DsdKind::Fabin | DsdKind::Fabout)) => kind,
        Some(kind @ DsdKind::Mem4d) => loaded_whole(s, call, kind, "mem4d_dsd", "load_to_dsr_xdsr_sr"),
        Some(kind @ DsdKind::Circbuf) => loaded_whole(s, call, kind, "circbuf_dsd", "load_to_dsr_xdsr"),
        _ => return Err(call.refuse(s, 1, dsd.ty(), "a DSD other than fifo_dsd")),
    };
    check_file(s, call, file, kind)?;
    check_config(s, call, 2, kind, &config)?;
    let dsd = match kind {
        DsdKind::Mem4d => VecOperand::Mem4d(s.addr(&dsd, call.arg_span(1))?),
        _ => VecOperand::Dsd(s.opnd(&dsd, call.arg_span(1))?),
    };
    finish(s, call, DsrLoad { file, id, xdsr: None, srs: Vec::new(), dsd, config })
}

/// A DSD that needs more registers than its DSR. The guide of 2.10 forbids it here; the compilers of earlier releases
/// choose the other registers themselves (a published program of SDK 1.3 on both chips relies on it).
fn loaded_whole(s: &mut Sema<'_>, call: &Call<'_>, kind: DsdKind, what: &str, name: &str) -> DsdKind {
    if dialect(s).packs_halves {
        let message = format!("releases from 2.10 on do not load a {what} with `@load_to_dsr`");
        let diagnostic = Diagnostic::new(Code::OlderForm, call.arg_span(1), message);
        s.report(diagnostic.help(format!("use `@{name}`")));
    }
    kind
}

/// The DSR in the first argument.
fn dsr(s: &mut Sema<'_>, call: &Call<'_>) -> Res<(DsrFile, u8)> {
    let value = call.constant(s, 0)?;
    match *s.types.kind(value.ty) {
        TypeKind::Dsr(DsrType::Plain(file)) => Ok((file, small(&value).unwrap_or(0) as u8)),
        _ => Err(call.refuse(s, 0, value.ty, "a dsr_dest, dsr_src0 or dsr_src1")),
    }
}

/// `@set_dsr_base_addr(dsr, pointer)`: changes the base address of a DSR and nothing else in it.
pub(super) fn set_dsr_base_addr(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let (file, id) = dsr(s, call)?;
    let base = super::dsd_change::base_address(s, call)?;
    super::dsd::pointer_elem_words(s, base.ty(), call.arg_span(1))?;
    let number = match file {
        DsrFile::Dest => 0,
        DsrFile::Src0 => 1,
        _ => 2,
    };
    let base = s.opnd(&base, call.arg_span(1))?;
    super::machine::sys(s, call, SysOp::SetDsrAddr, vec![Opnd::Imm(number << 4 | u64::from(id)), base])
}

fn check_file(s: &mut Sema<'_>, call: &Call<'_>, file: DsrFile, kind: DsdKind) -> Res<()> {
    match (file, kind) {
        (DsrFile::Dest, DsdKind::Fabin) => Err(call.refuse(s, 1, Ty::FABIN_DSD, "a DSD that can be a destination")),
        (DsrFile::Src0 | DsrFile::Src1, DsdKind::Fabout) => {
            Err(call.refuse(s, 1, Ty::FABOUT_DSD, "a DSD that can be a source"))
        }
        _ => Ok(()),
    }
}

fn check_config(s: &mut Sema<'_>, call: &Call<'_>, arg: usize, kind: DsdKind, config: &VecConfig<Opnd>) -> Res<()> {
    let is_fabric = matches!(kind, DsdKind::Fabin | DsdKind::Fabout);
    let asks_async = config.is_async || config.completion != Action::Nothing || config.on_control.is_some();
    if !is_fabric && asks_async {
        let message = "only a fabric DSD can be loaded as asynchronous";
        return Err(s.error(Code::BadBuiltinArgument, call.arg_span(arg), message));
    }
    if is_fabric && config.save_address {
        let message = "`.save_address` is for memory DSDs";
        return Err(s.error(Code::BadBuiltinArgument, call.arg_span(arg), message));
    }
    Ok(())
}

/// A register id of the kind, from argument `index`.
fn register(s: &mut Sema<'_>, call: &Call<'_>, index: usize, kind: IdKind, wanted: &str) -> Res<u8> {
    let value = call.constant(s, index)?;
    match small(&value) {
        Some(id) if id_kind(s, value.ty) == Some(kind) => Ok(id as u8),
        _ => Err(call.refuse(s, index, value.ty, wanted)),
    }
}

pub(super) fn load_to_dsr_xdsr(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let (file, id) = dsr(s, call)?;
    let xdsr = register(s, call, 1, IdKind::Xdsr, "an xdsr")?;
    let dsd = call.eval(s, 2)?;
    if dsd_kind(s, dsd.ty()) != Some(DsdKind::Circbuf) {
        return Err(call.refuse(s, 2, dsd.ty(), "a circbuf_dsd"));
    }
    let config = vec_config(s, call, 3, ConfigOf::Load)?;
    check_config(s, call, 3, DsdKind::Circbuf, &config)?;
    let dsd = VecOperand::Dsd(s.opnd(&dsd, call.arg_span(2))?);
    finish(s, call, DsrLoad { file, id, xdsr: Some(xdsr), srs: Vec::new(), dsd, config })
}

pub(super) fn load_to_dsr_xdsr_sr(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let (file, id) = dsr(s, call)?;
    let xdsr = register(s, call, 1, IdKind::Xdsr, "an xdsr")?;
    let srs = stride_registers(s, call)?;
    let dsd = call.eval(s, 3)?;
    if dsd_kind(s, dsd.ty()) != Some(DsdKind::Mem4d) {
        return Err(call.refuse(s, 3, dsd.ty(), "a mem4d_dsd"));
    }
    check_stride_count(s, call, &dsd, srs.len())?;
    let config = vec_config(s, call, 4, ConfigOf::Load)?;
    check_config(s, call, 4, DsdKind::Mem4d, &config)?;
    let dsd = VecOperand::Mem4d(s.addr(&dsd, call.arg_span(3))?);
    finish(s, call, DsrLoad { file, id, xdsr: Some(xdsr), srs, dsd, config })
}

fn stride_registers(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Vec<u8>> {
    let tuple = call.eval(s, 2)?;
    let mut srs = Vec::new();
    for part in s.tuple_of(&tuple, call.arg_span(2))? {
        match part.as_const().and_then(small) {
            Some(id) if id_kind(s, part.ty()) == Some(IdKind::Sr) => srs.push(id as u8),
            _ => return Err(call.refuse(s, 2, part.ty(), "a tuple of stride registers")),
        }
    }
    Ok(srs)
}

/// Checks the number of stride registers: the innermost stride needs none, and where it is 1 the next does not either.
fn check_stride_count(s: &mut Sema<'_>, call: &Call<'_>, dsd: &Operand, given: usize) -> Res<()> {
    const MOST: usize = 3;
    let needed = match dsd {
        Operand::Const(TypedValue { value: Value::Dsd(dsd), .. }) => strides_in_registers(dsd),
        _ => MOST,
    };
    if given == needed {
        return Ok(());
    }
    let message = format!("this DSD needs {needed} stride registers, not {given}");
    Err(s.error(Code::BadBuiltinArgument, call.arg_span(2), message))
}

fn strides_in_registers(dsd: &DsdValue) -> usize {
    let loops = dsd.extents.len();
    let without = if dsd.strides.first() == Some(&1) { 2 } else { 1 };
    loops.saturating_sub(without)
}

/// Lets the load happen before the program starts, or when control reaches this point.
fn finish(s: &mut Sema<'_>, call: &Call<'_>, load: DsrLoad<VecOperand, Opnd>) -> Res<Operand> {
    if s.options.arch == Arch::Wse2 && load.config.ut.is_some() {
        return Err(s.error(Code::WrongArch, call.span, "`.ut_id` is only there on WSE-3"));
    }
    if s.is_comptime() {
        s.pe()?.dsr_loads.push((load, call.span));
    } else {
        s.emit(Inst::LoadDsr(Box::new(load)), call.span)?;
    }
    Ok(Operand::void())
}
