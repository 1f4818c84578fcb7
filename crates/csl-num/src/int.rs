//! Integers of up to 64 bits in canonical form, and the limits of integer types of any width.

use crate::Trap;
use num_bigint::BigInt;
use num_traits::{One, Zero};
use std::cmp::Ordering;

/// An integer type, `iN` or `uN`, of any width from 0 to 16777215 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IntTy {
    pub signed: bool,
    pub bits: u32,
}

impl IntTy {
    pub const I8: IntTy = IntTy::new(true, 8);
    pub const I16: IntTy = IntTy::new(true, 16);
    pub const I32: IntTy = IntTy::new(true, 32);
    pub const I64: IntTy = IntTy::new(true, 64);
    pub const U8: IntTy = IntTy::new(false, 8);
    pub const U16: IntTy = IntTy::new(false, 16);
    pub const U32: IntTy = IntTy::new(false, 32);
    pub const U64: IntTy = IntTy::new(false, 64);

    pub const fn new(signed: bool, bits: u32) -> IntTy {
        IntTy { signed, bits }
    }

    /// The smallest value.
    pub fn min(self) -> BigInt {
        if self.signed && self.bits > 0 { -(BigInt::one() << (self.bits - 1)) } else { BigInt::zero() }
    }

    /// The largest value.
    pub fn max(self) -> BigInt {
        match (self.signed, self.bits) {
            (_, 0) => BigInt::zero(),
            (true, bits) => (BigInt::one() << (bits - 1)) - 1,
            (false, bits) => (BigInt::one() << bits) - 1,
        }
    }

    /// Whether `value` is a value of this type.
    pub fn fits(self, value: &BigInt) -> bool {
        match i64::try_from(value) {
            Ok(value) if (1..64).contains(&self.bits) => wrap64(self, value.cast_unsigned()) == value.cast_unsigned(),
            _ => self.min() <= *value && *value <= self.max(),
        }
    }

    /// `value` modulo 2^bits, as a value of this type.
    pub fn wrap(self, value: &BigInt) -> BigInt {
        if self.fits(value) {
            return value.clone();
        }
        let modulus = BigInt::one() << self.bits;
        let low = value & (&modulus - 1);
        if low > self.max() { low - modulus } else { low }
    }

    /// `value` wrapped to this type, in canonical form. For types of up to 64 bits.
    pub fn canonical(self, value: &BigInt) -> u64 {
        let low = value & BigInt::from(u64::MAX);
        let digits = low.to_u64_digits().1;
        wrap64(self, digits.first().copied().unwrap_or(0))
    }

    /// The integer whose canonical form is `value`.
    pub fn to_big(self, value: u64) -> BigInt {
        if self.signed { BigInt::from(value.cast_signed()) } else { BigInt::from(value) }
    }
}

impl std::fmt::Display for IntTy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.signed { 'i' } else { 'u' }, self.bits)
    }
}

/// A binary integer operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Shl,
    Shr,
    And,
    Or,
    Xor,
}

impl IntOp {
    pub const ALL: [IntOp; 10] = [
        IntOp::Add,
        IntOp::Sub,
        IntOp::Mul,
        IntOp::Div,
        IntOp::Rem,
        IntOp::Shl,
        IntOp::Shr,
        IntOp::And,
        IntOp::Or,
        IntOp::Xor,
    ];
}

/// Brings any 64 bits into the canonical form of `ty`: its low `ty.bits` bits, sign- or zero-extended.
/// Types of more than 64 bits are not held this way; for them the value is returned unchanged.
#[inline(always)]
pub const fn wrap64(ty: IntTy, value: u64) -> u64 {
    if ty.bits >= 64 {
        return value;
    }
    if ty.bits == 0 {
        return 0;
    }
    let unused = 64 - ty.bits;
    if ty.signed { ((value << unused).cast_signed() >> unused).cast_unsigned() } else { value << unused >> unused }
}

/// `op` on canonical operands, with a canonical result. Arithmetic wraps around; division truncates and MIN / -1
/// wraps to MIN; the remainder has the dividend's sign.
///
/// A shift count is taken as unsigned, whatever its own type, and a count of the width or more shifts everything out:
/// 0, or copies of the sign for `>>` on a signed type. (The guide is silent; this is the limit of repeated shifts by one.)
#[inline(always)]
pub fn int_binop(op: IntOp, ty: IntTy, a: u64, b: u64) -> Result<u64, Trap> {
    Ok(match op {
        IntOp::Add => int_add(ty, a, b),
        IntOp::Sub => int_sub(ty, a, b),
        IntOp::Mul => int_mul(ty, a, b),
        IntOp::Div | IntOp::Rem if b == 0 => return Err(Trap::DivisionByZero),
        IntOp::Div => int_div(ty, a, b),
        IntOp::Rem => int_rem(ty, a, b),
        IntOp::Shl => int_shl(ty, a, b),
        IntOp::Shr => int_shr(ty, a, b),
        IntOp::And => a & b,
        IntOp::Or => a | b,
        IntOp::Xor => a ^ b,
    })
}

#[inline(always)]
pub const fn int_add(ty: IntTy, a: u64, b: u64) -> u64 {
    wrap64(ty, a.wrapping_add(b))
}

#[inline(always)]
const fn int_sub(ty: IntTy, a: u64, b: u64) -> u64 {
    wrap64(ty, a.wrapping_sub(b))
}

#[inline(always)]
const fn int_mul(ty: IntTy, a: u64, b: u64) -> u64 {
    wrap64(ty, a.wrapping_mul(b))
}

#[inline(always)]
fn int_div(ty: IntTy, a: u64, b: u64) -> u64 {
    let quotient = if ty.signed { a.cast_signed().wrapping_div(b.cast_signed()).cast_unsigned() } else { a / b };
    wrap64(ty, quotient)
}

#[inline(always)]
fn int_rem(ty: IntTy, a: u64, b: u64) -> u64 {
    if ty.signed { a.cast_signed().wrapping_rem(b.cast_signed()).cast_unsigned() } else { a % b }
}

/// The bits of a type, as shift counts are.
#[inline(always)]
const fn width(ty: IntTy) -> u64 {
    ty.bits as u64
}

/// `a << count`; 0 for counts of the width or more.
#[inline(always)]
pub const fn int_shl(ty: IntTy, a: u64, count: u64) -> u64 {
    if count >= width(ty) { 0 } else { wrap64(ty, a << count) }
}

/// `a >> count`, arithmetic for signed types; 0 or the sign for counts of the width or more.
#[inline(always)]
const fn int_shr(ty: IntTy, a: u64, count: u64) -> u64 {
    if ty.signed {
        (a.cast_signed() >> if count > 63 { 63 } else { count }).cast_unsigned()
    } else if count >= width(ty) {
        0
    } else {
        a >> count
    }
}

/// `-a`, wrapping: the negation of MIN is MIN.
#[inline(always)]
pub const fn int_neg(ty: IntTy, a: u64) -> u64 {
    wrap64(ty, a.wrapping_neg())
}

/// `~a`.
#[inline(always)]
pub const fn int_not(ty: IntTy, a: u64) -> u64 {
    wrap64(ty, !a)
}

/// Compares canonical operands.
#[inline(always)]
pub fn int_cmp(ty: IntTy, a: u64, b: u64) -> Ordering {
    if ty.signed { a.cast_signed().cmp(&b.cast_signed()) } else { a.cmp(&b) }
}
