//! Float arithmetic on raw bits, each operation rounded once to nearest even.
//!
//! NaN results are canonical (sign clear, quiet, empty payload), because host processors differ in the NaNs that they
//! make; `neg`, `abs` and moves only touch the sign bit.
//!
//! 16-bit operands are computed in f32 or f64: where the wider format has at least 2p + 2 bits of significand and room
//! for every exponent, the second rounding changes nothing (Figueroa, "When is double rounding innocuous?", 1995).

use crate::bits::LowBits;
use crate::kind::{Bits, CANONICAL_NAN_F32, FloatKind, f16_to_f32, f32_to_f16, from_f64, power_of_two, to_f64};
use std::cmp::Ordering;

/// A binary float operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FloatOp {
    Add,
    Sub,
    Mul,
    Div,
    Max,
}

impl FloatOp {
    pub const ALL: [FloatOp; 5] = [FloatOp::Add, FloatOp::Sub, FloatOp::Mul, FloatOp::Div, FloatOp::Max];
}

/// `op` on two values of `kind`.
#[inline(always)]
pub fn float_binop(op: FloatOp, kind: FloatKind, a: Bits, b: Bits) -> Bits {
    match op {
        FloatOp::Add => float_add(kind, a, b),
        FloatOp::Sub => float_sub(kind, a, b),
        FloatOp::Mul => float_mul(kind, a, b),
        FloatOp::Div => float_div(kind, a, b),
        FloatOp::Max => float_max(kind, a, b),
    }
}

#[inline(always)]
pub fn float_add(kind: FloatKind, a: Bits, b: Bits) -> Bits {
    arithmetic(kind, a, b, |a, b| a + b, |a, b| a + b)
}

#[inline(always)]
pub fn float_sub(kind: FloatKind, a: Bits, b: Bits) -> Bits {
    arithmetic(kind, a, b, |a, b| a - b, |a, b| a - b)
}

#[inline(always)]
pub fn float_mul(kind: FloatKind, a: Bits, b: Bits) -> Bits {
    arithmetic(kind, a, b, |a, b| a * b, |a, b| a * b)
}

/// Division as IEEE 754 has it: x / 0 is an infinity, 0 / 0 NaN.
#[inline(always)]
pub fn float_div(kind: FloatKind, a: Bits, b: Bits) -> Bits {
    arithmetic(kind, a, b, |a, b| a / b, |a, b| a / b)
}

/// The remainder of truncated division: exact, so that no format rounds it.
#[inline]
pub fn float_rem(kind: FloatKind, a: Bits, b: Bits) -> Bits {
    from_f64(kind, to_f64(kind, a) % to_f64(kind, b))
}

/// Computes `op` in f32 for f32 and f16, and in f64 for the two formats with a wider exponent.
#[inline(always)]
fn arithmetic(
    kind: FloatKind,
    a: Bits,
    b: Bits,
    single: impl Fn(f32, f32) -> f32,
    double: impl Fn(f64, f64) -> f64,
) -> Bits {
    match kind {
        FloatKind::F32 => bits_of(single(f32_of(a), f32_of(b))),
        FloatKind::F16 => f32_to_f16(single(f16_to_f32(a), f16_to_f32(b))),
        FloatKind::Bf16 | FloatKind::Cb16 => from_f64(kind, double(to_f64(kind, a), to_f64(kind, b))),
    }
}

#[inline(always)]
fn f32_of(bits: Bits) -> f32 {
    f32::from_bits(bits.low32())
}

#[inline(always)]
fn bits_of(value: f32) -> Bits {
    u64::from(if value.is_nan() { CANONICAL_NAN_F32 } else { value.to_bits() })
}

/// `@faddhs`: a value of the 16-bit `kind` plus an f32, rounded once to f32.
#[inline]
pub fn faddhs(kind: FloatKind, half: Bits, single: Bits) -> Bits {
    bits_of(crate::kind::single(to_f64(kind, half)) + f32_of(single))
}

/// Flips the sign bit, of a NaN too.
#[inline(always)]
pub const fn float_neg(kind: FloatKind, a: Bits) -> Bits {
    a ^ kind.sign_bit()
}

/// Clears the sign bit, of a NaN too.
#[inline(always)]
pub const fn float_abs(kind: FloatKind, a: Bits) -> Bits {
    a & !kind.sign_bit()
}

#[inline(always)]
pub fn float_is_nan(kind: FloatKind, a: Bits) -> bool {
    float_abs(kind, a) > kind.infinity()
}

/// The order of two values; `None` where either is NaN. Zeros are equal whatever their sign.
#[inline(always)]
pub fn float_cmp(kind: FloatKind, a: Bits, b: Bits) -> Option<Ordering> {
    match kind {
        FloatKind::F32 => f32_of(a).partial_cmp(&f32_of(b)),
        _ if float_is_nan(kind, a) || float_is_nan(kind, b) => None,
        _ => Some(order_key(kind, a).cmp(&order_key(kind, b))),
    }
}

/// Maps the values that are no NaN onto integers in their order; both zeros onto 0.
#[inline(always)]
fn order_key(kind: FloatKind, a: Bits) -> i64 {
    let magnitude = float_abs(kind, a).cast_signed();
    if a & kind.sign_bit() != 0 { -magnitude } else { magnitude }
}

/// `a == b`; false where either is NaN. `a != b` is its negation.
#[inline(always)]
pub fn float_eq(kind: FloatKind, a: Bits, b: Bits) -> bool {
    float_cmp(kind, a, b) == Some(Ordering::Equal)
}

/// `a < b`; false where either is NaN.
#[inline(always)]
pub fn float_lt(kind: FloatKind, a: Bits, b: Bits) -> bool {
    float_cmp(kind, a, b) == Some(Ordering::Less)
}

/// `a <= b`; false where either is NaN.
#[inline(always)]
pub fn float_le(kind: FloatKind, a: Bits, b: Bits) -> bool {
    matches!(float_cmp(kind, a, b), Some(Ordering::Less | Ordering::Equal))
}

/// `@as(bool, a)`: unordered or unequal to zero, so true for NaN.
#[inline(always)]
pub fn float_to_bool(kind: FloatKind, a: Bits) -> bool {
    float_abs(kind, a) != 0
}

/// `@fmaxh`, `@fmaxs`: the larger value. The guide says nothing of NaN; as in IEEE 754-2008 `maxNum` the other operand
/// wins over a NaN, two NaNs give the canonical one, and +0 is larger than -0.
#[inline]
pub fn float_max(kind: FloatKind, a: Bits, b: Bits) -> Bits {
    match (float_is_nan(kind, a), float_is_nan(kind, b)) {
        (true, true) => kind.nan(),
        (true, false) => b,
        (false, true) => a,
        (false, false) => match order_key(kind, a).cmp(&order_key(kind, b)) {
            Ordering::Greater => a,
            Ordering::Less => b,
            Ordering::Equal => a & b, // equal values differ at most in the sign of zero
        },
    }
}

/// The square root, correctly rounded; NaN below zero, and -0 of -0.
#[inline]
pub fn sqrt(kind: FloatKind, a: Bits) -> Bits {
    match kind {
        FloatKind::F32 => bits_of(f32_of(a).sqrt()),
        _ => from_f64(kind, to_f64(kind, a).sqrt()),
    }
}

/// The value of `bits`, of kind `from`, rounded once to kind `to`.
#[inline]
pub fn float_convert(from: FloatKind, to: FloatKind, bits: Bits) -> Bits {
    match (from, to) {
        (FloatKind::F16, FloatKind::F32) => bits_of(f16_to_f32(bits)),
        (FloatKind::F32, FloatKind::F16) => f32_to_f16(f32_of(bits)),
        _ if from == to => bits,
        _ => from_f64(to, to_f64(from, bits)),
    }
}

/// `@fscaleh`, `@fscales`, `math.fscale`: `a` * 2^`exponent`, rounded once.
pub fn float_scale(kind: FloatKind, a: Bits, exponent: i16) -> Bits {
    // Beyond 600 every finite value has become zero or infinity, and up to there f64 is exact.
    let exponent = i32::from(exponent).clamp(-600, 600);
    from_f64(kind, to_f64(kind, a) * power_of_two(exponent))
}

/// `@fnormh`, `@fnorms`: the significand of `a` with its sign, 1 <= |result| < 2, so that `a` is the result times a
/// power of two; zeros and infinities are unchanged and NaN is canonical. The guide says only "normalize": our choice.
pub fn float_norm(kind: FloatKind, a: Bits) -> Bits {
    let value = to_f64(kind, a);
    if value == 0.0 || value.is_infinite() {
        return a;
    }
    if value.is_nan() {
        return kind.nan();
    }
    let significand = value.to_bits() & !(0x7ff << 52) | 1023 << 52;
    from_f64(kind, f64::from_bits(significand))
}
