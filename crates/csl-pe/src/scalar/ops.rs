//! The results of single instructions.

use csl_isa::dsd::Dsd;
use csl_isa::{Insn, IntCode};
use csl_num::{FloatKind, IntTy, LowBits, MathFn};

#[inline(always)]
pub fn int_ty(code: u16) -> IntTy {
    IntTy::new(IntCode(code).signed(), IntCode(code).bits())
}

/// An immediate value as a signed number.
#[inline(always)]
pub fn signed(immediate: u16) -> i64 {
    immediate.cast_signed().into()
}

/// An immediate value, sign-extended.
#[inline(always)]
pub fn extended(immediate: u16) -> u64 {
    signed(immediate).cast_unsigned()
}

/// The low `bits` bits, from 1 to 64, as a register holds a number of that width and signedness.
#[inline(always)]
pub fn canonical(value: u64, bits: u32, is_signed: bool) -> u64 {
    let unused = 64 - bits;
    let high = value << unused;
    if is_signed { (high.cast_signed() >> unused).cast_unsigned() } else { high >> unused }
}

/// Integer types with instructions of their own.
pub trait Narrow {
    fn wrap(value: u64) -> u64;
}

impl Narrow for i16 {
    #[inline(always)]
    fn wrap(value: u64) -> u64 {
        extended(value.low16())
    }
}

impl Narrow for u16 {
    #[inline(always)]
    fn wrap(value: u64) -> u64 {
        u64::from(value.low16())
    }
}

impl Narrow for i32 {
    #[inline(always)]
    fn wrap(value: u64) -> u64 {
        i64::from(value.low32().cast_signed()).cast_unsigned()
    }
}

impl Narrow for u32 {
    #[inline(always)]
    fn wrap(value: u64) -> u64 {
        u64::from(value.low32())
    }
}

#[inline(always)]
pub fn wrap_add<T: Narrow>(a: u64, b: u64) -> u64 {
    T::wrap(a.wrapping_add(b))
}

#[inline(always)]
pub fn wrap_sub<T: Narrow>(a: u64, b: u64) -> u64 {
    T::wrap(a.wrapping_sub(b))
}

#[inline(always)]
pub fn wrap_mul<T: Narrow>(a: u64, b: u64) -> u64 {
    T::wrap(a.wrapping_mul(b))
}

#[inline(always)]
pub fn address(base: u64, offset: u16) -> u16 {
    base.low16().wrapping_add(offset)
}

#[inline(always)]
pub fn index_address<const SCALE: u16>(base: u16, index: u64) -> u16 {
    base.wrapping_add(index.low16().wrapping_mul(SCALE))
}

/// The address of an element of a row; `ext` holds the bytes of a row and the base.
#[inline(always)]
pub fn row_address<const SCALE: u16>(ext: Insn, row: u64, index: u64) -> u16 {
    index_address::<SCALE>(ext.b.wrapping_add(row.low16().wrapping_mul(ext.a)), index)
}

/// An f32 operation. NaN is a branch that is hardly ever taken, so that the next operation need not wait for the choice;
/// the functions of `csl_num` choose without a branch, as loops over many elements want it.
#[inline(always)]
pub fn f32_operation(a: u64, b: u64, op: impl Fn(f32, f32) -> f32) -> u64 {
    let value = op(f32::from_bits(a.low32()), f32::from_bits(b.low32()));
    if value.is_nan() {
        std::hint::cold_path();
        return FloatKind::F32.nan();
    }
    u64::from(value.to_bits())
}

pub fn math(kind: FloatKind, frame: &[u64], insn: Insn) -> u64 {
    let function = MathFn::ALL[usize::from(insn.c)];
    let first = usize::from(insn.b);
    let second = if function.arity() == 2 { frame[first + 1] } else { 0 };
    csl_num::math_fn(function, kind, frame[first], second)
}

#[inline(always)]
pub fn dsd(word: u64) -> Dsd {
    Dsd(word)
}

pub fn add_dsd_words(word: u64, words: u64) -> u64 {
    let moved = Dsd(word).addr().wrapping_add(words.low16().wrapping_mul(2));
    Dsd(word).with_addr(moved).0
}

pub fn make_mem1d(frame: &[u64], insn: Insn) -> u64 {
    let parts = &frame[usize::from(insn.b)..][..4];
    let addr = parts[0].low16().wrapping_add(parts[1].low16().wrapping_mul(2));
    Dsd::mem1d(addr, parts[3].low16(), parts[2].signed16(), insn.c & 1 == 1).0
}
