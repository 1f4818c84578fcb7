//! The arithmetic of each vector operation on one element.

use csl_machine::VecOp;
use csl_num::{
    FloatKind, LowBits, faddhs, float_abs, float_add, float_convert, float_max, float_mul, float_neg, float_norm,
    float_scale, float_sub, float_to_xp16, fma, fma_f32, fmachs, xp16_to_float,
};

/// A loop over elements, written once and compiled for each operation.
pub(crate) trait Body {
    type Out;
    /// Runs the loop; `f` maps the sources of one element (missing ones are 0) to the result.
    fn run(self, f: impl Fn(u32, u32, u32) -> u32) -> Self::Out;

    /// The loop of `@fmacs`, the multiply-add that programs spend their time in.
    fn run_fmacs(self) -> Self::Out
    where
        Self: Sized,
    {
        self.run(|a, b, c| fma_f32(f32::from_bits(b), f32::from_bits(c), f32::from_bits(a)).to_bits())
    }
}

/// Operations with 16-bit floats. A macro and not a function: with a constant format each loop is compiled for it, which
/// takes half the time (measured) of a format that the closures capture.
macro_rules! half_op {
    ($op:expr, $half:expr, $body:expr) => {
        match $op {
            VecOp::Fabsh => $body.run(|a, _, _| unary(|a| float_abs($half, a), a)),
            VecOp::Fnegh => $body.run(|a, _, _| unary(|a| float_neg($half, a), a)),
            VecOp::Faddh => $body.run(|a, b, _| binary(|a, b| float_add($half, a, b), a, b)),
            VecOp::Fsubh => $body.run(|a, b, _| binary(|a, b| float_sub($half, a, b), a, b)),
            VecOp::Fmulh => $body.run(|a, b, _| binary(|a, b| float_mul($half, a, b), a, b)),
            VecOp::Fmaxh => $body.run(|a, b, _| binary(|a, b| float_max($half, a, b), a, b)),
            VecOp::Fmach => $body.run(|a, b, c| ternary(|a, b, c| fma($half, b, c, a), a, b, c)),
            VecOp::Fmachs => $body.run(|a, b, c| ternary(|a, b, c| fmachs($half, b, c, a), a, b, c)),
            VecOp::Faddhs => $body.run(|a, b, _| binary(|a, b| faddhs($half, a, b), a, b)),
            VecOp::Fh2s => $body.run(|a, _, _| unary(|a| float_convert($half, F32, a), a)),
            VecOp::Fs2h => $body.run(|a, _, _| unary(|a| float_convert(F32, $half, a), a)),
            VecOp::Fh2xp16 => $body.run(|a, _, _| unary(|a| float_to_xp16($half, a), a) & 0xffff),
            VecOp::Xp162fh => $body.run(|a, _, _| unary(|a| xp16_to_float($half, a), a)),
            VecOp::Fscaleh => $body.run(|a, b, _| unary(|a| float_scale($half, a, b as i16), a)),
            VecOp::Fnormh => $body.run(|a, _, _| unary(|a| float_norm($half, a), a)),
            _ => $body.run(|a, _, _| a),
        }
    };
}

/// Runs `body` with the operation `op`; `half` is the program's 16-bit float.
pub(crate) fn dispatch<B: Body>(op: VecOp, half: FloatKind, body: B) -> B::Out {
    use FloatKind::{F16, F32};
    match (op, half) {
        (VecOp::Add16 | VecOp::Addc16, _) => body.run(|a, b, _| a.wrapping_add(b) & 0xffff),
        (VecOp::Sub16, _) => body.run(|a, b, _| a.wrapping_sub(b) & 0xffff),
        (VecOp::And16, _) => body.run(|a, b, _| a & b),
        (VecOp::Or16, _) => body.run(|a, b, _| a | b),
        (VecOp::Xor16, _) => body.run(|a, b, _| a ^ b),
        (VecOp::Sll16, _) => body.run(|a, b, _| shift_left(a, b)),
        (VecOp::Slr16, _) => body.run(|a, b, _| shift_right(a, b)),
        (VecOp::Sar16, _) => body.run(|a, b, _| shift_right_signed(a, b)),
        (VecOp::Clz, _) => body.run(|a, _, _| (a as u16).leading_zeros()),
        (VecOp::Ctz, _) => body.run(|a, _, _| (a as u16).trailing_zeros()),
        (VecOp::Popcnt, _) => body.run(|a, _, _| (a as u16).count_ones()),
        (VecOp::Mov16 | VecOp::Mov32 | VecOp::Fmovh | VecOp::Fmovs | VecOp::Dfilt, _) => body.run(|a, _, _| a),
        (VecOp::Fabss, _) => body.run(|a, _, _| unary(|a| float_abs(F32, a), a)),
        (VecOp::Fnegs, _) => body.run(|a, _, _| unary(|a| float_neg(F32, a), a)),
        (VecOp::Fadds, _) => body.run(|a, b, _| binary(|a, b| float_add(F32, a, b), a, b)),
        (VecOp::Fsubs, _) => body.run(|a, b, _| binary(|a, b| float_sub(F32, a, b), a, b)),
        (VecOp::Fmuls, _) => body.run(|a, b, _| binary(|a, b| float_mul(F32, a, b), a, b)),
        (VecOp::Fmaxs, _) => body.run(|a, b, _| binary(|a, b| float_max(F32, a, b), a, b)),
        (VecOp::Fmacs, _) => body.run_fmacs(),
        (VecOp::Fscales, _) => body.run(|a, b, _| unary(|a| float_scale(F32, a, b as i16), a)),
        (VecOp::Fnorms, _) => body.run(|a, _, _| unary(|a| float_norm(F32, a), a)),
        (VecOp::Fs2xp16, _) => body.run(|a, _, _| unary(|a| float_to_xp16(F32, a), a) & 0xffff),
        (VecOp::Xp162fs, _) => body.run(|a, _, _| unary(|a| xp16_to_float(F32, a), a)),
        // The 16-bit format of nearly every program gets loops of its own.
        (_, F16) => half_op!(op, F16, body),
        (_, half) => half_op!(op, half, body),
    }
}

#[inline(always)]
fn unary(f: impl Fn(u64) -> u64, a: u32) -> u32 {
    f(u64::from(a)) as u32
}

#[inline(always)]
fn binary(f: impl Fn(u64, u64) -> u64, a: u32, b: u32) -> u32 {
    f(u64::from(a), u64::from(b)) as u32
}

#[inline(always)]
fn ternary(f: impl Fn(u64, u64, u64) -> u64, a: u32, b: u32, c: u32) -> u32 {
    f(u64::from(a), u64::from(b), u64::from(c)) as u32
}

#[inline(always)]
fn shift_left(a: u32, count: u32) -> u32 {
    if count & 0xffff > 15 { 0 } else { a << (count & 15) & 0xffff }
}

#[inline(always)]
fn shift_right(a: u32, count: u32) -> u32 {
    if count & 0xffff > 15 { 0 } else { (a & 0xffff) >> (count & 15) }
}

#[inline(always)]
fn shift_right_signed(a: u32, count: u32) -> u32 {
    (a as i16 >> (count & 0xffff).min(15)).low16() as u32
}

/// The result of one element of `@add16`, which leaves a carry, or `@addc16`, which adds that of the addition before too.
pub(crate) fn add_with_carry(op: VecOp, a: u32, b: u32, carry: &mut u32) -> u32 {
    let before = if op == VecOp::Addc16 { *carry } else { 0 };
    let sum = (a & 0xffff) + (b & 0xffff) + before;
    *carry = sum >> 16;
    sum & 0xffff
}

/// The result of one element.
pub(crate) fn apply(op: VecOp, half: FloatKind, a: u32, b: u32, c: u32) -> u32 {
    struct One(u32, u32, u32);
    impl Body for One {
        type Out = u32;
        fn run(self, f: impl Fn(u32, u32, u32) -> u32) -> u32 {
            f(self.0, self.1, self.2)
        }
    }
    dispatch(op, half, One(a, b, c))
}
