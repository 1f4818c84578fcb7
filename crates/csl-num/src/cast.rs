//! Casts between integers and floats, each rounded once.

use crate::bits::LowBits;
use crate::kind::{Bits, FloatKind, from_f64, to_f64};
use crate::{IntTy, wrap64};
use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};

/// `@as(float, int)`: the canonical integer rounded once to nearest even.
#[inline]
pub fn int_to_float(kind: FloatKind, ty: IntTy, value: u64) -> Bits {
    match kind {
        FloatKind::F32 if ty.signed => u64::from((value.cast_signed() as f32).to_bits()),
        FloatKind::F32 => u64::from((value as f32).to_bits()),
        _ => from_f64(kind, int_to_f64_odd(ty, value)),
    }
}

/// The canonical integer rounded to the nearest f64.
#[inline]
pub(crate) fn int_to_f64(ty: IntTy, value: u64) -> f64 {
    if ty.signed { value.cast_signed() as f64 } else { value as f64 }
}

/// An f64 that rounds to 16-bit formats as the integer does: low bits that f64 cannot hold are folded into one sticky bit.
fn int_to_f64_odd(ty: IntTy, value: u64) -> f64 {
    let negative = ty.signed && value.cast_signed() < 0;
    let magnitude = if negative { value.wrapping_neg() } else { value };
    let sticky = u64::from(magnitude & 0x7ff != 0) << 11;
    let folded = if magnitude >> 53 == 0 { magnitude } else { magnitude & !0x7ff | sticky };
    if negative { -(folded as f64) } else { folded as f64 }
}

/// `@as(int, float)`: towards zero. Out of range saturates at the type's limits, NaN gives 0 (the guide leaves both open).
#[inline]
pub fn float_to_int(kind: FloatKind, bits: Bits, ty: IntTy) -> u64 {
    f64_to_int(to_f64(kind, bits), ty)
}

/// [`float_to_int`] from an f64, for types of up to 64 bits.
#[inline]
fn f64_to_int(value: f64, ty: IntTy) -> u64 {
    if ty.bits == 0 {
        return 0;
    }
    let unused = 64 - ty.bits.min(64);
    if ty.signed {
        (value as i64).clamp(i64::MIN >> unused, i64::MAX >> unused).cast_unsigned()
    } else {
        (value as u64).min(u64::MAX >> unused)
    }
}

/// The integer part of `value`; `None` for NaN and infinities.
pub fn f64_to_big(value: f64) -> Option<BigInt> {
    BigInt::from_f64(value.trunc())
}

/// The integer part of a float; `None` for NaN and infinities.
pub fn float_to_big(kind: FloatKind, bits: Bits) -> Option<BigInt> {
    f64_to_big(to_f64(kind, bits))
}

/// An exact integer rounded to the nearest f64, ties to even; infinity where it is too large.
pub fn big_to_f64(value: &BigInt) -> f64 {
    let magnitude = round_big(value.abs(), 64);
    if value.is_negative() { -magnitude } else { magnitude }
}

/// An exact integer rounded once to `kind`.
pub fn big_to_float(kind: FloatKind, value: &BigInt) -> Bits {
    // A few bits and a sticky bit are exact in f64, so that the last rounding is the only one.
    let magnitude = round_big(value.abs(), 50);
    from_f64(kind, if value.is_negative() { -magnitude } else { magnitude })
}

/// `value` cut to its highest `keep` bits, the lowest of which is sticky, then rounded to f64.
fn round_big(value: BigInt, keep: u64) -> f64 {
    let drop = value.bits().saturating_sub(keep);
    if drop > 1100 {
        return f64::INFINITY;
    }
    let head: BigInt = &value >> drop;
    let lost = value != (&head << drop);
    let mut digits = head.to_u64().expect("at most 64 bits are kept");
    if lost {
        digits |= 1;
    }
    if digits.is_zero() { 0.0 } else { scale(digits as f64, drop.low32().cast_signed()) }
}

fn scale(value: f64, exponent: i32) -> f64 {
    let first = exponent.min(1000);
    value * crate::kind::power_of_two(first) * crate::kind::power_of_two(exponent - first)
}

/// `@fh2xp16`, `@fs2xp16`: a float to a 16-bit integer. The guide says only "convert": taken as to nearest even,
/// saturating, NaN to 0. Returned as a canonical i16.
#[inline]
pub fn float_to_xp16(kind: FloatKind, bits: Bits) -> u64 {
    f64_to_int(to_f64(kind, bits).round_ties_even(), IntTy::I16)
}

/// `@xp162fh`, `@xp162fs`: the low 16 bits of `value`, as an i16, to a float, rounded once.
#[inline]
pub fn xp16_to_float(kind: FloatKind, value: u64) -> Bits {
    int_to_float(kind, IntTy::I16, wrap64(IntTy::I16, value))
}
