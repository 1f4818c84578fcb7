//! Vector operations: one path for all, driven by the table of the chip.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{DsdKind, DsrType, Inst, Opnd, Scalar, Ty, TypeKind, VecInst, VecOperand};
use csl_machine::{DsrFile, Elem, Forms, VecOp};

use super::Call;
use super::args::dsd_kind;
use super::config::{ConfigOf, vec_config};
use super::fifo::known_fifo;
use super::operands;
use crate::context::{Res, Sema, Wanted};
use crate::operand::Operand;

/// Number of operands before the configuration struct.
pub(super) fn operand_count(op: VecOp) -> usize {
    if op == VecOp::Dfilt {
        return 1;
    }
    match op.forms() {
        Forms::Unary | Forms::UnaryPtr | Forms::ScalarUnary => 2,
        Forms::Binary | Forms::BinaryPtr | Forms::ScalarBinary => 3,
        Forms::Fma => 4,
    }
}

/// Whether a pointer to a scalar may be the destination.
fn takes_pointer(forms: Forms) -> bool {
    matches!(forms, Forms::UnaryPtr | Forms::BinaryPtr | Forms::ScalarUnary | Forms::ScalarBinary)
}

pub(super) fn vector(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let Some(op) = VecOp::from_name(call.name) else {
        return Err(s.error(Code::UnknownBuiltin, call.span, format!("`@{}` is no vector operation", call.name)));
    };
    if op == VecOp::Dfilt {
        return dfilt(s, call);
    }
    let count = operand_count(op);
    let dest_value = call.eval(s, 0)?;
    let dest = destination(s, call, op, &dest_value)?;
    let mut srcs = Vec::new();
    for index in 1..count {
        let types = scalar_types(s, op, index, &dest);
        srcs.push(source(s, call, index, types)?);
    }
    check_forms(s, call, op, &srcs)?;
    check_fabric_inputs(s, call, &srcs)?;
    let config = vec_config(s, call, count, ConfigOf::Operation)?;
    let to_fabric = dsd_kind(s, dest_value.ty()) == Some(DsdKind::Fabout);
    if config.is_async && !to_fabric && !can_be_async(&dest, &srcs) {
        let message = "an operation without a fabric operand or a DSR cannot be asynchronous";
        return Err(s.error(Code::BadBuiltinArgument, call.arg_span(count), message));
    }
    let srcs = srcs.into_iter().map(|src| src.operand).collect();
    let mut inst = VecInst { op, dest, srcs, config, result: None };
    operands::put_half_first(s, &mut inst);
    operands::warn(s, call, &inst);
    emit(s, call, inst)
}

/// Whether the operation may be asynchronous: microthreads serve operations with the fabric, or with a DSR that may
/// hold a fabric DSD.
fn can_be_async(dest: &VecOperand, srcs: &[Source]) -> bool {
    let is_dsr = |operand: &VecOperand| matches!(operand, VecOperand::Dsr { .. });
    is_dsr(dest) || srcs.iter().any(|src| src.is_fabric || is_dsr(&src.operand))
}

fn emit(s: &mut Sema<'_>, call: &Call<'_>, mut inst: VecInst) -> Res<Operand> {
    let code = s.code(call.span)?;
    let result = code.new_reg(Scalar::BOOL);
    inst.result = Some(result);
    code.emit(Inst::Vec(Box::new(inst)), call.span);
    Ok(Operand::Reg(Ty::BOOL, Opnd::Reg(result)))
}

/// `@dfilt(fabin, config)`
fn dfilt(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let input = call.eval(s, 0)?;
    let operand = match (dsd_kind(s, input.ty()), dsr_file(s, input.ty())) {
        (Some(DsdKind::Fabin), _) => VecOperand::Dsd(s.opnd(&input, call.arg_span(0))?),
        (_, Some(file)) if file.file() == DsrFile::Src1 => dsr(&input, file.file()),
        _ => return Err(call.refuse(s, 0, input.ty(), "a fabin_dsd or a dsr_src1")),
    };
    let config = vec_config(s, call, 1, ConfigOf::Operation)?;
    if !config.is_async || config.on_control.is_some() || config.index.is_some() {
        let message = "`@dfilt` is asynchronous, and has neither `.on_control` nor `.index`";
        return Err(s.error(Code::BadBuiltinArgument, call.arg_span(1), message));
    }
    emit(s, call, VecInst { op: VecOp::Dfilt, dest: operand.clone(), srcs: vec![operand], config, result: None })
}

fn dsr_file(s: &Sema<'_>, ty: Ty) -> Option<DsrType> {
    match s.types.kind(ty) {
        TypeKind::Dsr(file) => Some(*file),
        _ => None,
    }
}

fn dsr(operand: &Operand, file: DsrFile) -> VecOperand {
    let id = operand.as_const().and_then(super::args::small).unwrap_or(0) as u8;
    VecOperand::Dsr { file, id }
}

/// The first argument: a DSD, a DSR or a pointer to a scalar.
fn destination(s: &mut Sema<'_>, call: &Call<'_>, op: VecOp, operand: &Operand) -> Res<VecOperand> {
    let span = call.arg_span(0);
    let scalar_only = matches!(op.forms(), Forms::ScalarUnary | Forms::ScalarBinary);
    if let Some(file) = dsr_file(s, operand.ty())
        && !scalar_only
    {
        return match file.file() {
            DsrFile::Src1 => Err(call.refuse(s, 0, operand.ty(), "a dsr_dest or dsr_src0 as destination")),
            file => Ok(dsr(operand, file)),
        };
    }
    match dsd_kind(s, operand.ty()) {
        Some(DsdKind::Fabin) => Err(call.refuse(s, 0, operand.ty(), "a DSD that can be written")),
        Some(kind) if !scalar_only => dsd(s, operand, kind, span),
        _ if takes_pointer(op.forms()) => scalar_destination(s, call, op, operand),
        _ => Err(call.refuse(s, 0, operand.ty(), "a DSD or a DSR")),
    }
}

fn scalar_destination(s: &mut Sema<'_>, call: &Call<'_>, op: VecOp, operand: &Operand) -> Res<VecOperand> {
    let wanted = format!("a DSD, a DSR or a pointer to {}", elem_text(s, op.dest()));
    let TypeKind::Ptr { is_const, .. } = *s.types.kind(operand.ty()) else {
        return Err(call.refuse(s, 0, operand.ty(), &wanted));
    };
    let elem = s.pointed_element(operand.ty());
    if is_const || !elem.is_some_and(|elem| elem_types(s, op.dest()).contains(&elem)) {
        return Err(call.refuse(s, 0, operand.ty(), &wanted));
    }
    Ok(VecOperand::Ptr(s.opnd(operand, call.arg_span(0))?))
}

fn dsd(s: &mut Sema<'_>, operand: &Operand, kind: DsdKind, span: Span) -> Res<VecOperand> {
    match kind {
        DsdKind::Fifo => Ok(VecOperand::Fifo(known_fifo(s, operand, span)?)),
        DsdKind::Mem4d => Ok(VecOperand::Mem4d(s.addr(operand, span)?)),
        DsdKind::Circbuf => {
            let message = "a circbuf_dsd cannot be an operand itself";
            let help = "load it with `@load_to_dsr_xdsr` and give the DSR";
            Err(s.fail(Diagnostic::new(Code::BadOperand, span, message).help(help)))
        }
        _ => Ok(VecOperand::Dsd(s.opnd(operand, span)?)),
    }
}

struct Source {
    operand: VecOperand,
    is_vector: bool,
    is_fabric: bool,
    is_fifo: bool,
}

/// A source: a DSD, a DSR or a scalar of one of `types`.
fn source(s: &mut Sema<'_>, call: &Call<'_>, index: usize, types: Vec<Ty>) -> Res<Source> {
    let wanted = types.first().map_or(Wanted::Any, |ty| Wanted::Near(*ty));
    let operand = s.eval_wanted(&call.args[index], wanted)?;
    let span = call.arg_span(index);
    if let Some(file) = dsr_file(s, operand.ty()) {
        if file.file() == DsrFile::Dest {
            return Err(call.refuse(s, index, operand.ty(), "a dsr_src0 or dsr_src1 as source"));
        }
        return Ok(Source { operand: dsr(&operand, file.file()), is_vector: true, is_fabric: false, is_fifo: false });
    }
    match dsd_kind(s, operand.ty()) {
        Some(DsdKind::Fabout) => Err(call.refuse(s, index, operand.ty(), "a DSD that can be read")),
        Some(kind) => Ok(Source {
            operand: dsd(s, &operand, kind, span)?,
            is_vector: true,
            is_fabric: kind == DsdKind::Fabin,
            is_fifo: kind == DsdKind::Fifo,
        }),
        None => {
            let operand = scalar_source(s, call, index, types, operand)?;
            Ok(Source { operand, is_vector: false, is_fabric: false, is_fifo: false })
        }
    }
}

/// The types of scalars that go with an element type, the one preferred for literals first.
fn elem_types(s: &mut Sema<'_>, elem: Elem) -> Vec<Ty> {
    match elem {
        Elem::I16 => vec![Ty::I16, Ty::U16],
        Elem::I32 => vec![Ty::I32, Ty::U32],
        Elem::Half => vec![s.fp16_type()],
        Elem::F32 => vec![Ty::F32],
    }
}

/// The types that a scalar at argument `index` may have, the one preferred for literals first. The type of the scalar
/// of `@faddhs` tells which of the two sources is the 16-bit one (guide: 16 bits beside a DSD as destination, 32 beside
/// a pointer).
fn scalar_types(s: &mut Sema<'_>, op: VecOp, index: usize, dest: &VecOperand) -> Vec<Ty> {
    let half = s.fp16_type();
    match (op, dest) {
        (VecOp::Faddhs, VecOperand::Ptr(_)) => vec![Ty::F32],
        (VecOp::Faddhs, _) => vec![half, Ty::F32],
        _ => elem_types(s, op.sources()[index - 1]),
    }
}

fn elem_text(s: &mut Sema<'_>, elem: Elem) -> String {
    let types = elem_types(s, elem);
    types_text(s, &types)
}

fn types_text(s: &mut Sema<'_>, types: &[Ty]) -> String {
    types.iter().map(|&ty| s.show(ty)).collect::<Vec<_>>().join(" or ")
}

fn scalar_source(s: &mut Sema<'_>, call: &Call<'_>, index: usize, types: Vec<Ty>, operand: Operand) -> Res<VecOperand> {
    let span = call.arg_span(index);
    let fitting = if types.contains(&operand.ty()) {
        Some(operand.ty())
    } else {
        types.iter().copied().find(|&ty| s.fits(&operand, ty))
    };
    let Some(ty) = fitting else {
        let wanted = format!("a DSD, a DSR or a value of type {}", types_text(s, &types));
        return Err(call.refuse(s, index, operand.ty(), &wanted));
    };
    let operand = s.coerce(operand, ty, span)?;
    let Some(scalar) = s.scalar(ty) else { return Err(call.refuse(s, index, ty, "a scalar")) };
    Ok(VecOperand::Scalar(s.opnd(&operand, span)?, scalar))
}

/// Checks that the operation has this combination of vectors and scalars.
fn check_forms(s: &mut Sema<'_>, call: &Call<'_>, op: VecOp, srcs: &[Source]) -> Res<()> {
    let vectors = srcs.iter().filter(|src| src.is_vector).count();
    let problem = match op.forms() {
        Forms::Fma if !srcs[0].is_vector || !srcs[1].is_vector => Some("the first two sources must be DSDs"),
        Forms::Fma if srcs[2].is_vector => Some("the last source must be a scalar"),
        Forms::Binary | Forms::BinaryPtr if vectors == 0 => Some("at least one source must be a DSD"),
        Forms::ScalarUnary | Forms::ScalarBinary if vectors > 0 => Some("the sources must be scalars"),
        _ => None,
    };
    if let Some(problem) = problem {
        return Err(s.error(Code::BadOperand, call.span, format!("`@{}`: {problem}", call.name)));
    }
    let fifos = srcs.iter().filter(|src| src.is_fifo).count();
    if vectors > 1 && (fifos > 1 || srcs[0].is_fifo) {
        let message = "of several sources at most one may be a FIFO, and not the first";
        return Err(s.error(Code::BadOperand, call.span, message));
    }
    Ok(())
}

fn check_fabric_inputs(s: &mut Sema<'_>, call: &Call<'_>, srcs: &[Source]) -> Res<()> {
    let inputs = srcs.iter().filter(|src| src.is_fabric).count();
    let most = usize::from(s.chip.queues.fabric_inputs_per_op);
    if inputs <= most {
        return Ok(());
    }
    let message = format!("an operation has at most {most} fabric input(s) on {}", s.options.arch);
    Err(s.error(Code::WrongArch, call.span, message))
}
