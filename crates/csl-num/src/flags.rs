//! The exceptions of IEEE 754 that operations raise. They are computed apart from the operations, which run far more
//! often than a program unmasks an exception. No NaN operand raises an exception: none of the formats distinguishes
//! signalling NaNs here.

use crate::cast::int_to_f64;
use crate::float::{FloatOp, float_binop, float_convert, float_scale};
use crate::fma::{fma, fmachs};
use crate::kind::{Bits, FloatKind, power_of_two, to_f64};
use crate::math::{MathFn, math_fn};
use crate::{IntTy, faddhs, int_to_float};

/// The exceptions that an operation raised; a PE stops on those that its exception mask admits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FpFlags {
    pub invalid: bool,
    pub div_by_zero: bool,
    pub overflow: bool,
    /// The result is subnormal or zero, and inexact.
    pub underflow: bool,
    pub inexact: bool,
}

impl FpFlags {
    const NONE: FpFlags =
        FpFlags { invalid: false, div_by_zero: false, overflow: false, underflow: false, inexact: false };
    const INVALID: FpFlags = FpFlags { invalid: true, ..FpFlags::NONE };
    const DIV_BY_ZERO: FpFlags = FpFlags { div_by_zero: true, ..FpFlags::NONE };

    /// The exceptions that either operation raised.
    pub fn or(self, other: FpFlags) -> FpFlags {
        FpFlags {
            invalid: self.invalid | other.invalid,
            div_by_zero: self.div_by_zero | other.div_by_zero,
            overflow: self.overflow | other.overflow,
            underflow: self.underflow | other.underflow,
            inexact: self.inexact | other.inexact,
        }
    }
}

/// The exceptions of an operation whose result is `result`, of `kind`; `differs` tells whether a finite result is not
/// the exact value.
fn flags(kind: FloatKind, operands: &[f64], result: Bits, differs: impl FnOnce(f64) -> bool) -> FpFlags {
    let result = to_f64(kind, result);
    if operands.iter().any(|operand| operand.is_nan()) {
        return FpFlags::NONE;
    }
    if result.is_nan() {
        return FpFlags::INVALID;
    }
    if operands.iter().any(|operand| operand.is_infinite()) {
        return FpFlags::NONE;
    }
    let overflow = result.is_infinite();
    let inexact = overflow || differs(result);
    let tiny = result.abs() < power_of_two(1 - kind.format().bias);
    FpFlags { overflow, underflow: inexact && tiny, inexact, ..FpFlags::NONE }
}

/// The exceptions of [`float_binop`]. All operands have at most 24 significant bits.
pub fn float_binop_flags(op: FloatOp, kind: FloatKind, a: Bits, b: Bits) -> FpFlags {
    let (x, y) = (to_f64(kind, a), to_f64(kind, b));
    if op == FloatOp::Div && y == 0.0 && x.is_finite() && x != 0.0 {
        return FpFlags::DIV_BY_ZERO;
    }
    flags(kind, &[x, y], float_binop(op, kind, a, b), |result| match op {
        FloatOp::Add => sum_differs(x, y, result),
        FloatOp::Sub => sum_differs(x, -y, result),
        FloatOp::Mul => x * y != result,
        FloatOp::Div => result * y != x,
        FloatOp::Max => false,
    })
}

fn sum_differs(x: f64, y: f64, result: f64) -> bool {
    let sum = x + y;
    let y_part = sum - x;
    let error = (x - (sum - y_part)) + (y - y_part);
    sum != result || error != 0.0
}

/// The exceptions of [`fma`]: products are exact in f64.
pub fn fma_flags(kind: FloatKind, a: Bits, b: Bits, c: Bits) -> FpFlags {
    let [x, y, z] = [a, b, c].map(|bits| to_f64(kind, bits));
    flags(kind, &[x, y, z], fma(kind, a, b, c), |result| sum_differs(x * y, z, result))
}

/// The exceptions of [`fmachs`].
pub fn fmachs_flags(kind: FloatKind, a: Bits, b: Bits, c: Bits) -> FpFlags {
    let (x, y, z) = (to_f64(kind, a), to_f64(kind, b), to_f64(FloatKind::F32, c));
    flags(FloatKind::F32, &[x, y, z], fmachs(kind, a, b, c), |result| sum_differs(x * y, z, result))
}

/// The exceptions of [`faddhs`].
pub fn faddhs_flags(kind: FloatKind, half: Bits, single: Bits) -> FpFlags {
    let (x, y) = (to_f64(kind, half), to_f64(FloatKind::F32, single));
    flags(FloatKind::F32, &[x, y], faddhs(kind, half, single), |result| sum_differs(x, y, result))
}

/// The exceptions of [`float_convert`].
pub fn float_convert_flags(from: FloatKind, to: FloatKind, bits: Bits) -> FpFlags {
    let x = to_f64(from, bits);
    flags(to, &[x], float_convert(from, to, bits), |result| result != x)
}

/// The exceptions of [`float_scale`].
pub fn float_scale_flags(kind: FloatKind, a: Bits, exponent: i16) -> FpFlags {
    let x = to_f64(kind, a);
    let exact = x * power_of_two(i32::from(exponent).clamp(-600, 600));
    flags(kind, &[x], float_scale(kind, a, exponent), |result| result != exact)
}

/// The exceptions of a conversion to an integer: a value that no value of the type is near to is invalid.
pub fn float_to_int_flags(kind: FloatKind, bits: Bits, ty: IntTy) -> FpFlags {
    let x = to_f64(kind, bits);
    let bits = ty.bits.cast_signed();
    let (low, high) = match ty.signed {
        true => (-power_of_two(bits - 1), power_of_two(bits - 1)),
        false => (0.0, power_of_two(bits)),
    };
    let whole = x.trunc();
    if !(low..high).contains(&whole) {
        return FpFlags::INVALID;
    }
    FpFlags { inexact: whole != x, ..FpFlags::NONE }
}

/// The exceptions of [`int_to_float`], for integers of at most 53 bits.
pub fn int_to_float_flags(kind: FloatKind, ty: IntTy, value: u64) -> FpFlags {
    let exact = int_to_f64(ty, value);
    flags(kind, &[exact], int_to_float(kind, ty, value), |result| result != exact)
}

/// The exceptions of [`math_fn`]. Transcendental functions have no exact values but small integers.
pub fn math_fn_flags(function: MathFn, kind: FloatKind, a: Bits, b: Bits) -> FpFlags {
    let x = to_f64(kind, a);
    let y = if function.arity() == 2 { to_f64(kind, b) } else { 0.0 };
    let pole = match function {
        MathFn::Log | MathFn::Inv | MathFn::InvSqrt => x == 0.0,
        MathFn::Pow => x == 0.0 && y < 0.0 && y.is_finite(),
        _ => false,
    };
    if pole {
        return FpFlags::DIV_BY_ZERO;
    }
    flags(kind, &[x, y], math_fn(function, kind, a, b), |result| match function {
        MathFn::Sqrt => result * result != x,
        MathFn::Inv => result * x != 1.0,
        MathFn::InvSqrt => result * result * x != 1.0,
        MathFn::Ceil | MathFn::Floor => result != x,
        _ => result.fract() != 0.0 || result.abs() > EXACT_INTEGERS,
    })
}

/// Integers up to this magnitude are taken for exact results.
const EXACT_INTEGERS: f64 = 1024.0;
