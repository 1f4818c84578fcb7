//! Exact scalar semantics of every CSL type. The comptime evaluator and the PE interpreter both call this crate,
//! so that an expression has one value wherever it is evaluated.
//!
//! A run-time integer of up to 64 bits lives in a `u64`, sign- or zero-extended from its width (its *canonical*
//! form); a float lives as its raw bits in the low 16 or 32 bits of a `u64`.

mod big;
mod bits;
mod cast;
mod dd;
mod flags;
mod float;
mod fma;
mod format;
mod int;
mod kind;
mod math;
mod prng;

pub use big::{MAX_SHIFT, big_binop, big_not};
pub use bits::LowBits;
pub use cast::{
    big_to_f64, big_to_float, f64_to_big, float_to_big, float_to_int, float_to_xp16, int_to_float, xp16_to_float,
};
pub use flags::{
    FpFlags, faddhs_flags, float_binop_flags, float_convert_flags, float_scale_flags, float_to_int_flags, fma_flags,
    fmachs_flags, int_to_float_flags, math_fn_flags,
};
pub use float::{
    FloatOp, faddhs, float_abs, float_add, float_binop, float_cmp, float_convert, float_div, float_eq, float_is_nan,
    float_le, float_lt, float_max, float_mul, float_neg, float_norm, float_rem, float_scale, float_sub, float_to_bool,
    sqrt,
};
pub use fma::{Lanes, fma, fma_f32, fma_f32_each, fmachs};
pub use format::{format_f64, format_float};
pub use int::{IntOp, IntTy, int_add, int_binop, int_cmp, int_neg, int_not, int_shl, wrap64};
pub use kind::{Bits, CANONICAL_NAN_F32, FloatKind, from_f64, to_f64};
pub use math::{MathFn, math_fn};
pub use prng::Prng;

/// The reason why an operation has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// Integer division or remainder by zero.
    DivisionByZero,
    /// A comptime shift whose count is negative or above [`MAX_SHIFT`].
    ShiftCount,
}

impl std::fmt::Display for Trap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Trap::DivisionByZero => "division by zero",
            Trap::ShiftCount => "shift count is negative or too large",
        })
    }
}

impl std::error::Error for Trap {}
