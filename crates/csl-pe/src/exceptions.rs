//! Floating-point exceptions: what instructions and elements of vector operations raise, looked at only where the program
//! has unmasked one. "An unmasked exception causes the processor to immediately stop execution" (guide, `<tile_config>`).

use csl_isa::{Insn, IntCode, Op};
use csl_machine::VecOp;
use csl_machine::registers::ce;
use csl_num::{
    FloatKind, FloatOp, FpFlags, IntTy, MathFn, faddhs_flags, float_binop_flags, float_convert_flags, float_mul,
    float_scale_flags, float_to_int_flags, fma_flags, fmachs_flags, int_to_float_flags, math_fn_flags,
};

const F32: FloatKind = FloatKind::F32;

/// In the bits of the exception register.
fn bits(flags: FpFlags) -> u16 {
    let of = [
        (flags.underflow, ce::FP_UNDERFLOW),
        (flags.overflow, ce::FP_OVERFLOW),
        (flags.inexact, ce::FP_INEXACT),
        (flags.invalid, ce::FP_INVALID),
        (flags.div_by_zero, ce::FP_DIV_BY_0),
    ];
    of.iter().filter(|(raised, _)| *raised).fold(0, |mask, (_, bit)| mask | bit)
}

/// What an instruction is going to raise, by the registers that it reads.
pub(crate) fn of_instruction(insn: Insn, frame: &[u64], half: FloatKind) -> u16 {
    let reg = |reg: u16| frame[usize::from(reg)];
    let (b, c) = (|| reg(insn.b), || reg(insn.c));
    let binop = |op, kind| float_binop_flags(op, kind, b(), c());
    let int_ty = || IntTy::new(IntCode(insn.c).signed(), IntCode(insn.c).bits());
    bits(match insn.op {
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

/// The remainder of a division by zero, or of an infinity, is invalid; all others are exact.
fn remainder(kind: FloatKind, a: u64, b: u64) -> FpFlags {
    let [x, y] = [a, b].map(|bits| csl_num::to_f64(kind, bits));
    let invalid = !x.is_nan() && !y.is_nan() && (y == 0.0 || x.is_infinite());
    FpFlags { invalid, ..FpFlags::default() }
}

/// Two operations in one instruction.
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

/// What a vector operation raises with the sources of one element.
pub(crate) fn of_element(op: VecOp, half: FloatKind, sources: [u32; 3]) -> u16 {
    let [a, b, c] = sources.map(u64::from);
    let binop = |op, kind| float_binop_flags(op, kind, a, b);
    bits(match op {
        VecOp::Faddh => binop(FloatOp::Add, half),
        VecOp::Fsubh => binop(FloatOp::Sub, half),
        VecOp::Fmulh => binop(FloatOp::Mul, half),
        VecOp::Fadds => binop(FloatOp::Add, F32),
        VecOp::Fsubs => binop(FloatOp::Sub, F32),
        VecOp::Fmuls => binop(FloatOp::Mul, F32),
        // The first source is what is added to.
        VecOp::Fmach => fma_flags(half, b, c, a),
        VecOp::Fmacs => fma_flags(F32, b, c, a),
        VecOp::Fmachs => fmachs_flags(half, b, c, a),
        VecOp::Faddhs => faddhs_flags(half, a, b),
        VecOp::Fh2s => float_convert_flags(half, F32, a),
        VecOp::Fs2h => float_convert_flags(F32, half, a),
        VecOp::Fscaleh => float_scale_flags(half, a, b as i16),
        VecOp::Fscales => float_scale_flags(F32, a, b as i16),
        VecOp::Fh2xp16 => to_fixed(half, a),
        VecOp::Fs2xp16 => to_fixed(F32, a),
        VecOp::Xp162fh => int_to_float_flags(half, IntTy::I16, i64::from(a as i16) as u64),
        VecOp::Xp162fs => int_to_float_flags(F32, IntTy::I16, i64::from(a as i16) as u64),
        _ => FpFlags::default(),
    })
}

/// `@fh2xp16` and `@fs2xp16` round to nearest.
fn to_fixed(kind: FloatKind, a: u64) -> FpFlags {
    let x = csl_num::to_f64(kind, a);
    let nearest = x.round_ties_even();
    let invalid = !(-32768.0..32768.0).contains(&nearest);
    FpFlags { invalid, inexact: !invalid && nearest != x, ..FpFlags::default() }
}
