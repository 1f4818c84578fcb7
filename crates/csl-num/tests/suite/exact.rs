//! Exact rounding by search: values are integers in units of 2^-400, finer than any product of two floats.

use csl_num::{Bits, FloatKind, to_f64};
use num_bigint::BigInt;
use num_traits::{Signed, Zero};

const UNIT: i64 = 400;

/// A finite value in units of 2^-400.
pub fn exact(kind: FloatKind, bits: Bits) -> BigInt {
    exact_f64(to_f64(kind, bits))
}

pub fn exact_f64(value: f64) -> BigInt {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i64;
    if value == 0.0 {
        return BigInt::zero();
    }
    let magnitude = BigInt::from(bits & ((1 << 52) - 1) | 1 << 52) << (UNIT + exponent - 1075);
    if value < 0.0 { -magnitude } else { magnitude }
}

/// `value` / 2^`scale` units, to the nearest float, ties to even; exact zeros are positive.
pub fn round(kind: FloatKind, value: &BigInt, scale: u64) -> Bits {
    let sign = if value.is_negative() { kind.sign_bit() } else { 0 };
    let value = value.abs();
    let scaled = |bits: Bits| exact(kind, bits) << scale;
    let (mut low, mut high) = (0, kind.infinity());
    while high - low > 1 {
        let middle = (low + high) / 2;
        if scaled(middle) <= value { low = middle } else { high = middle }
    }
    let step = if low == kind.max_finite() { scaled(low) - scaled(low - 1) } else { scaled(low + 1) - scaled(low) };
    let twice_rest = (value - scaled(low)) * 2;
    let up = twice_rest > step || (twice_rest == step && low & 1 == 1);
    sign | (low + u64::from(up))
}

/// The exact product of two values in units of 2^-400, in units of 2^-800.
pub fn product(a: &BigInt, b: &BigInt) -> BigInt {
    a * b
}

pub const PRODUCT_SCALE: u64 = UNIT as u64;
