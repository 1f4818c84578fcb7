//! Fused multiply-add, rounded once.
//!
//! The product of two 24-bit significands is exact in f64. The sum with the third operand is rounded to odd in f64,
//! and a value rounded to odd with at least two bits more than the target can be rounded again without harm
//! (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).

use crate::kind::{Bits, CANONICAL_NAN_F32, FloatKind, from_f64, to_f64};

/// `a * b + c`, rounded once, all of one kind.
#[inline]
pub fn fma(kind: FloatKind, a: Bits, b: Bits, c: Bits) -> Bits {
    if kind == FloatKind::F32 {
        return u64::from(fma_f32(f32_of(a), f32_of(b), f32_of(c)).to_bits());
    }
    from_f64(kind, sum_to_odd(to_f64(kind, a) * to_f64(kind, b), to_f64(kind, c)))
}

/// `@fmachs`: the exact product of two values of the 16-bit `kind` and an f32, rounded once to f32.
#[inline]
pub fn fmachs(kind: FloatKind, a: Bits, b: Bits, c: Bits) -> Bits {
    from_f64(FloatKind::F32, sum_to_odd(to_f64(kind, a) * to_f64(kind, b), f64::from(f32_of(c))))
}

/// `a * b + c` rounded once; NaN results are canonical. Uses the FMA instruction only where the build has it
/// statically: a dozen inlined operations cost no more than the call that run-time detection needs.
#[inline]
pub fn fma_f32(a: f32, b: f32, c: f32) -> f32 {
    let result = if cfg!(target_feature = "fma") {
        a.mul_add(b, c)
    } else {
        sum_to_odd(f64::from(a) * f64::from(b), f64::from(c)) as f32
    };
    if result.is_nan() { f32::from_bits(CANONICAL_NAN_F32) } else { result }
}

#[inline(always)]
fn f32_of(bits: Bits) -> f32 {
    f32::from_bits(bits as u32)
}

/// `a + b` rounded to odd.
#[inline(always)]
fn sum_to_odd(a: f64, b: f64) -> f64 {
    let sum = a + b;
    // Knuth's two-sum: `sum + error` is a + b exactly. Where `sum` is infinite or NaN the error is NaN.
    let b_part = sum - a;
    let error = (a - (sum - b_part)) + (b - b_part);
    to_odd(sum, error)
}

/// The unevaluated sum `high + low`, where `high` is its nearest f64, rounded to odd.
#[inline(always)]
pub(crate) fn to_odd(high: f64, low: f64) -> f64 {
    let bits = high.to_bits();
    if low == 0.0 || low.is_nan() || bits & 1 == 1 {
        return high;
    }
    // `high` is even and not exact: its odd neighbour on the side of the exact value.
    let outwards = (low > 0.0) == (high > 0.0);
    f64::from_bits(if outwards { bits + 1 } else { bits - 1 })
}
