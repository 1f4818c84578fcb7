//! `@map`: a loop over the elements of DSDs, with a call of a function in it.

use csl_diag::{Code, Span};
use csl_ir::{Addr, DsdKind, Inst, IterId, Opnd, Scalar, Term, Ty, TypeKind, VecOperand};
use csl_machine::DsrFile;

use super::Call;
use super::args::{as_function, dsd_kind};
use crate::context::{Res, Sema};
use crate::emit::FuncBuilder;
use crate::operand::Operand;

/// An input of the loop: one element a turn, or the same value each time.
enum Input {
    Elements { iter: IterId, ty: Ty, scalar: Scalar },
    Value(Operand),
}

enum Output {
    None,
    Elements { iter: IterId, scalar: Scalar },
    Scalar { addr: Addr, scalar: Scalar },
}

pub(super) fn map(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let callback = call.constant(s, 0)?;
    let Some(function) = as_function(&callback) else {
        return Err(call.refuse(s, 0, callback.ty, "a function"));
    };
    let TypeKind::Fn(ty) = s.fn_type(function).map(|ty| s.types.kind(ty).clone())? else {
        return Err(call.refuse(s, 0, callback.ty, "a function"));
    };
    let inputs = ty.params.len();
    let has_output = ty.ret != Ty::VOID;
    let given = call.args.len() - 1;
    if given != inputs + usize::from(has_output) {
        let output = if has_output { " and an output" } else { "" };
        let message = format!("`@map` of this function takes {inputs} input(s){output}, not {given} argument(s)");
        return Err(s.error(Code::ArgumentCount, call.span, message));
    }
    let mut sources = Vec::new();
    for (at, &param) in ty.params.iter().enumerate() {
        sources.push(input(s, call, at + 1, param)?);
    }
    let output = if has_output { output(s, call, given, ty.ret)? } else { Output::None };
    if !sources.iter().any(|i| matches!(i, Input::Elements { .. })) && !matches!(output, Output::Elements { .. }) {
        return Err(s.error(Code::BadOperand, call.span, "`@map` needs at least one DSD"));
    }
    emit_loop(s, call, callback.into(), sources, &output)
}

/// A register for the elements of a DSD argument.
fn element_type(s: &mut Sema<'_>, call: &Call<'_>, index: usize, ty: Ty) -> Res<Scalar> {
    let fits = [Ty::I16, Ty::I32, Ty::U16, Ty::U32, Ty::F32].contains(&ty) || ty == s.fp16_type();
    match s.scalar(ty) {
        Some(scalar) if fits => Ok(scalar),
        _ => {
            let wanted = "elements of type i16, i32, u16, u32, f32 or the 16-bit float";
            Err(call.refuse(s, index, ty, wanted))
        }
    }
}

/// The DSD or DSR in an argument, as an iterator's range.
fn iterable(
    s: &mut Sema<'_>,
    call: &Call<'_>,
    index: usize,
    operand: &Operand,
    is_output: bool,
) -> Res<Option<VecOperand>> {
    let span = call.arg_span(index);
    if let TypeKind::Dsr(file) = *s.types.kind(operand.ty()) {
        let wanted = if is_output { DsrFile::Dest } else { DsrFile::Src1 };
        if file.file() != wanted {
            let text = if is_output { "a dsr_dest" } else { "a dsr_src1" };
            return Err(call.refuse(s, index, operand.ty(), text));
        }
        let id = operand.as_const().and_then(super::args::small).unwrap_or(0) as u8;
        return Ok(Some(VecOperand::Dsr { file: wanted, id }));
    }
    match dsd_kind(s, operand.ty()) {
        None => Ok(None),
        Some(DsdKind::Fifo) => Err(call.refuse(s, index, operand.ty(), "a DSD other than a FIFO")),
        Some(DsdKind::Fabin) if is_output => Err(call.refuse(s, index, operand.ty(), "a DSD that can be written")),
        Some(DsdKind::Fabout) if !is_output => Err(call.refuse(s, index, operand.ty(), "a DSD that can be read")),
        Some(DsdKind::Mem4d) => Ok(Some(VecOperand::Mem4d(s.addr(operand, span)?))),
        Some(_) => Ok(Some(VecOperand::Dsd(s.opnd(operand, span)?))),
    }
}

fn start_iter(s: &mut Sema<'_>, call: &Call<'_>, dsd: VecOperand, scalar: Scalar) -> Res<IterId> {
    let code = s.code(call.span)?;
    let iter = code.new_iter();
    let elem_bits = (scalar.bytes() * 8) as u8;
    code.emit(Inst::IterLoad { iter, dsd, elem_bits }, call.span);
    Ok(iter)
}

fn input(s: &mut Sema<'_>, call: &Call<'_>, index: usize, param: Ty) -> Res<Input> {
    let operand = s.eval_expecting(&call.args[index], Some(param))?;
    match iterable(s, call, index, &operand, false)? {
        Some(dsd) => {
            let scalar = element_type(s, call, index, param)?;
            let iter = start_iter(s, call, dsd, scalar)?;
            Ok(Input::Elements { iter, ty: param, scalar })
        }
        None => {
            let operand = s.pin(operand, call.arg_span(index))?;
            Ok(Input::Value(operand))
        }
    }
}

fn output(s: &mut Sema<'_>, call: &Call<'_>, index: usize, ret: Ty) -> Res<Output> {
    let operand = call.eval(s, index)?;
    if let Some(dsd) = iterable(s, call, index, &operand, true)? {
        let scalar = element_type(s, call, index, ret)?;
        let iter = start_iter(s, call, dsd, scalar)?;
        return Ok(Output::Elements { iter, scalar });
    }
    match (s.types.kind(operand.ty()), s.scalar(ret)) {
        (TypeKind::Ptr { is_const: false, elem, .. }, Some(scalar)) if *elem == ret => {
            let pointer = s.opnd(&operand, call.arg_span(index))?;
            let addr = s.addr_from(pointer, call.arg_span(index))?;
            Ok(Output::Scalar { addr, scalar })
        }
        _ => {
            let wanted = format!("a DSD, a DSR or a pointer to {}", s.show(ret));
            Err(call.refuse(s, index, operand.ty(), &wanted))
        }
    }
}

/// Emits the loop. Each turn takes an element of every input, and the loop ends where one has none left. Where no input
/// has elements, the elements of the output count (guide: "for each element of the DSD/DSR argument(s)").
fn emit_loop(
    s: &mut Sema<'_>,
    call: &Call<'_>,
    callback: Operand,
    inputs: Vec<Input>,
    output: &Output,
) -> Res<Operand> {
    let span = call.span;
    let code = s.code(span)?;
    let [head, end] = code.new_blocks();
    code.enter(head, span);
    let has_elements = inputs.iter().any(|input| matches!(input, Input::Elements { .. }));
    if let (false, Output::Elements { iter, .. }) = (has_elements, output) {
        let ok = code.new_reg(Scalar::BOOL);
        code.emit(Inst::IterMore { iter: *iter, ok }, span);
        leave_unless(code, ok, end, span);
    }
    let mut args = Vec::new();
    for input in inputs {
        args.push(match input {
            Input::Value(value) => value,
            Input::Elements { iter, ty, scalar } => {
                let code = s.code(span)?;
                let (dst, ok) = (code.new_reg(scalar), code.new_reg(Scalar::BOOL));
                code.emit(Inst::IterNext { iter, ty: scalar, dst, ok }, span);
                leave_unless(code, ok, end, span);
                Operand::Reg(ty, Opnd::Reg(dst))
            }
        });
    }
    let result = s.call(callback, args, span)?;
    match output {
        Output::None => {}
        Output::Scalar { addr, scalar } => {
            let src = s.opnd(&result, span)?;
            s.emit(Inst::Store { ty: *scalar, addr: addr.clone(), src }, span)?;
        }
        Output::Elements { iter, scalar } => {
            let src = s.opnd(&result, span)?;
            let code = s.code(span)?;
            let ok = code.new_reg(Scalar::BOOL);
            code.emit(Inst::IterPut { iter: *iter, ty: *scalar, src, ok }, span);
            leave_unless(code, ok, end, span);
        }
    }
    let code = s.code(span)?;
    code.terminate(Term::Jump(head), span);
    code.switch_to(end);
    Ok(Operand::void())
}

fn leave_unless(code: &mut FuncBuilder, ok: csl_ir::Reg, end: csl_ir::BlockId, span: Span) {
    let next = code.new_block();
    code.terminate(Term::Branch { cond: Opnd::Reg(ok), then: next, otherwise: end }, span);
    code.switch_to(next);
}
