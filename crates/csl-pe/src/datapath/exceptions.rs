//! Floating-point exceptions of the elements of vector operations, computed only if the program has unmasked one.

use csl_machine::VecOp;
use csl_num::{
    FloatKind, FloatOp, FpFlags, IntTy, LowBits, faddhs_flags, float_binop_flags, float_convert_flags,
    float_scale_flags, fma_flags, fmachs_flags, int_to_float_flags,
};

use crate::exceptions::register_bits;

const F32: FloatKind = FloatKind::F32;

/// The exceptions that a vector operation raises with the sources of one element.
pub(super) fn of_element(op: VecOp, half: FloatKind, sources: [u32; 3]) -> u16 {
    let [a, b, c] = sources.map(u64::from);
    let binop = |op, kind| float_binop_flags(op, kind, a, b);
    register_bits(match op {
        VecOp::Faddh => binop(FloatOp::Add, half),
        VecOp::Fsubh => binop(FloatOp::Sub, half),
        VecOp::Fmulh => binop(FloatOp::Mul, half),
        VecOp::Fadds => binop(FloatOp::Add, F32),
        VecOp::Fsubs => binop(FloatOp::Sub, F32),
        VecOp::Fmuls => binop(FloatOp::Mul, F32),
        // The first source is the addend.
        VecOp::Fmach => fma_flags(half, b, c, a),
        VecOp::Fmacs => fma_flags(F32, b, c, a),
        VecOp::Fmachs => fmachs_flags(half, b, c, a),
        VecOp::Faddhs => faddhs_flags(half, a, b),
        VecOp::Fh2s => float_convert_flags(half, F32, a),
        VecOp::Fs2h => float_convert_flags(F32, half, a),
        VecOp::Fscaleh => float_scale_flags(half, a, b.signed16()),
        VecOp::Fscales => float_scale_flags(F32, a, b.signed16()),
        VecOp::Fh2xp16 => to_fixed(half, a),
        VecOp::Fs2xp16 => to_fixed(F32, a),
        VecOp::Xp162fh => int_to_float_flags(half, IntTy::I16, i64::from(a.signed16()).cast_unsigned()),
        VecOp::Xp162fs => int_to_float_flags(F32, IntTy::I16, i64::from(a.signed16()).cast_unsigned()),
        _ => FpFlags::default(),
    })
}

/// The exceptions of `@fh2xp16` and `@fs2xp16`, which round to nearest.
fn to_fixed(kind: FloatKind, a: u64) -> FpFlags {
    let x = csl_num::to_f64(kind, a);
    let nearest = x.round_ties_even();
    let invalid = !(-32768.0..32768.0).contains(&nearest);
    FpFlags { invalid, inexact: !invalid && nearest != x, ..FpFlags::default() }
}
