//! Fused multiply-add, rounded once.
//!
//! The product of two 24-bit significands is exact in f64. The sum with the third operand is rounded to odd in f64,
//! and a value rounded to odd with at least two bits more than the target can be rounded again without harm
//! (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).

use crate::bits::LowBits;
use crate::kind::single;
use crate::kind::{Bits, CANONICAL_NAN_F32, FloatKind, f16_to_f32, from_f64, to_f64};

/// `a * b + c`, rounded once, all of one kind.
#[inline(always)]
pub fn fma(kind: FloatKind, a: Bits, b: Bits, c: Bits) -> Bits {
    match kind {
        FloatKind::F32 => u64::from(fma_f32(f32_of(a), f32_of(b), f32_of(c)).to_bits()),
        FloatKind::F16 => from_f64(kind, f16_product(a, b) + f64::from(f16_to_f32(c))),
        _ => from_f64(kind, sum_to_odd(to_f64(kind, a) * to_f64(kind, b), to_f64(kind, c))),
    }
}

/// `@fmachs`: the exact product of two values of the 16-bit `kind` and an f32, rounded once to f32.
#[inline(always)]
pub fn fmachs(kind: FloatKind, a: Bits, b: Bits, c: Bits) -> Bits {
    let c = f64::from(f32_of(c));
    let sum = match kind {
        FloatKind::F16 => f16_product(a, b) + c,
        _ => sum_to_odd(to_f64(kind, a) * to_f64(kind, b), c),
    };
    from_f64(FloatKind::F32, sum)
}

/// The exact product of two f16, in which sums need no rounding to odd: it has at most 22 bits, the other operand at
/// most 24. A sum with top bit 2^t that does not fit f64's 53 bits consists of one operand and another below 2^(t-29),
/// which is too small to come near a boundary from it: a boundary lies at least 2^(t-25) from either (for f16, where
/// a product can itself be a boundary, the smallest c is only 2^41 below the largest product that does not overflow).
#[inline(always)]
fn f16_product(a: Bits, b: Bits) -> f64 {
    f64::from(f16_to_f32(a)) * f64::from(f16_to_f32(b))
}

/// `a * b + c` rounded once; NaN results are canonical. Uses the FMA instruction only where the build has it
/// statically: a dozen inlined operations cost no more than the call that run-time detection needs.
#[inline(always)]
pub fn fma_f32(a: f32, b: f32, c: f32) -> f32 {
    let result = if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
        a.mul_add(b, c)
    } else {
        single(sum_to_odd(f64::from(a) * f64::from(b), f64::from(c)))
    };
    if result.is_nan() { f32::from_bits(CANONICAL_NAN_F32) } else { result }
}

/// Where [`fma_f32_each`] has its operands from and puts its results, as bits. Both functions want `#[inline(always)]`: they
/// are compiled for the instructions that their caller may use.
pub trait Lanes {
    /// `N` elements of the three operands of `a * b + c`, from `first` on.
    fn load<const N: usize>(&self, first: usize) -> [[u32; N]; 3];

    fn store<const N: usize>(&mut self, first: usize, results: [u32; N]);
}

/// [`fma_f32`] of `count` elements, one after the other, by the processor's own instruction where it has one, which the build
/// need not know. A few elements are loaded before their results are stored.
pub fn fma_f32_each(lanes: &mut impl Lanes, count: usize) {
    #[cfg(all(target_arch = "x86_64", not(target_feature = "fma")))]
    if is_x86_feature_detected!("fma") && is_x86_feature_detected!("avx2") {
        #[allow(unsafe_code, reason = "the processor has the instructions that the function was compiled for")]
        unsafe {
            each_by_instruction(lanes, count)
        };
        return;
    }
    each(lanes, count, fma_f32);
}

#[cfg(all(target_arch = "x86_64", not(target_feature = "fma")))]
#[target_feature(enable = "fma,avx2")]
fn each_by_instruction(lanes: &mut impl Lanes, count: usize) {
    each(lanes, count, |a, b, c| {
        let result = a.mul_add(b, c);
        if result.is_nan() { f32::from_bits(CANONICAL_NAN_F32) } else { result }
    });
}

/// In blocks that a vector unit takes, of a length that the compiler knows.
#[inline(always)]
fn each(lanes: &mut impl Lanes, count: usize, fma: impl Fn(f32, f32, f32) -> f32 + Copy) {
    let whole = count - count % 8;
    (0..whole).step_by(8).for_each(|first| block::<8>(lanes, first, fma));
    (whole..count).for_each(|first| block::<1>(lanes, first, fma));
}

#[inline(always)]
fn block<const N: usize>(lanes: &mut impl Lanes, first: usize, fma: impl Fn(f32, f32, f32) -> f32) {
    let [a, b, c] = lanes.load::<N>(first);
    let mut results = [0; N];
    for i in 0..N {
        results[i] = fma(f32::from_bits(a[i]), f32::from_bits(b[i]), f32::from_bits(c[i])).to_bits();
    }
    lanes.store(first, results);
}

#[inline(always)]
fn f32_of(bits: Bits) -> f32 {
    f32::from_bits(bits.low32())
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
    let inexact = low.abs() > 0.0; // not where it is NaN
    let even = high.to_bits() & 1 == 0;
    // The odd neighbour on the side of the exact value: away from zero where the signs agree. Without branches, so that
    // loops over it become vector code.
    let inwards = (low.to_bits() ^ high.to_bits()) >> 63;
    let step = 1u64.wrapping_sub(2 * inwards);
    f64::from_bits(high.to_bits().wrapping_add(if inexact & even { step } else { 0 }))
}
