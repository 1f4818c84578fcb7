//! Floating-point exceptions of instructions, computed only if the program has unmasked one.

use csl_isa::{Insn, IntCode, Op};
use csl_num::{
    FloatKind, FloatOp, FpFlags, IntTy, MathFn, float_binop_flags, float_convert_flags, float_mul, float_to_int_flags,
    int_to_float_flags, math_fn_flags,
};

use crate::exceptions::register_bits;

const F32: FloatKind = FloatKind::F32;

/// The exceptions that an instruction will raise, by the registers that it reads.
pub fn raised_by(insn: Insn, frame: &[u64], half: FloatKind) -> u16 {
    let reg = |reg: u16| frame[usize::from(reg)];
    let (b, c) = (|| reg(insn.b), || reg(insn.c));
    let binop = |op, kind| float_binop_flags(op, kind, b(), c());
    let int_ty = || IntTy::new(IntCode(insn.c).signed(), IntCode(insn.c).bits());
    register_bits(match insn.op {
        Op::AddF32 => binop(FloatOp::Add, F32),
        Op::SubF32 => binop(FloatOp::Sub, F32),
        Op::MulF32 => binop(FloatOp::Mul, F32),
        Op::DivF32 => binop(FloatOp::Div, F32),
        Op::AddHalf => binop(FloatOp::Add, half),
        Op::SubHalf => binop(FloatOp::Sub, half),
        Op::MulHalf => binop(FloatOp::Mul, half),
        Op::DivHalf => binop(FloatOp::Div, half),
        Op::RemF32 => remainder(F32, b(), c()),
        Op::RemHalf => remainder(half, b(), c()),
        Op::MulAccF32 => multiply_add(F32, reg(insn.a), b(), c()),
        Op::MulAccHalf => multiply_add(half, reg(insn.a), b(), c()),
        Op::MathF32 => math(F32, frame, insn),
        Op::MathHalf => math(half, frame, insn),
        Op::IntToF32 => int_to_float_flags(F32, int_ty(), b()),
        Op::IntToHalf => int_to_float_flags(half, int_ty(), b()),
        Op::F32ToInt => float_to_int_flags(F32, b(), int_ty()),
        Op::HalfToInt => float_to_int_flags(half, b(), int_ty()),
        Op::F32ToHalf => float_convert_flags(F32, half, b()),
        Op::HalfToF32 => float_convert_flags(half, F32, b()),
        _ => FpFlags::default(),
    })
}

/// The exceptions of a remainder: by zero or of an infinity it is invalid, else exact.
fn remainder(kind: FloatKind, a: u64, b: u64) -> FpFlags {
    let [x, y] = [a, b].map(|bits| csl_num::to_f64(kind, bits));
    let invalid = !x.is_nan() && !y.is_nan() && (y == 0.0 || x.is_infinite());
    FpFlags { invalid, ..FpFlags::default() }
}

/// The exceptions of an instruction with two operations.
fn multiply_add(kind: FloatKind, sum: u64, a: u64, b: u64) -> FpFlags {
    let product = float_mul(kind, a, b);
    float_binop_flags(FloatOp::Mul, kind, a, b).or(float_binop_flags(FloatOp::Add, kind, sum, product))
}

fn math(kind: FloatKind, frame: &[u64], insn: Insn) -> FpFlags {
    let function = MathFn::ALL[usize::from(insn.c)];
    let first = usize::from(insn.b);
    let second = if function.arity() == 2 { frame[first + 1] } else { 0 };
    math_fn_flags(function, kind, frame[first], second)
}
