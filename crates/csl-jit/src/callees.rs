//! The functions of `csl-num` that native code calls: what is not a few instructions of the processor.

use csl_isa::IntCode;
use csl_num::{FloatKind, IntTy, LowBits, MathFn};

use crate::action::{Callee, Float, FloatTest};

/// A function that native code calls, with what it gets beside the instruction's operands.
pub struct Call {
    pub address: usize,
    /// Constants, before the operands.
    pub constants: Vec<i64>,
    /// The number of both.
    pub arity: usize,
}

type Three = extern "C" fn(u64, u64, u64) -> u64;
type Four = extern "C" fn(u64, u64, u64, u64) -> u64;

/// The function for an instruction whose field `c` is given, and the format of 16-bit floats.
pub fn call(callee: Callee, c: u16, half: FloatKind) -> Call {
    let three = |function: Three, constants| Call { address: function as usize, constants, arity: 3 };
    let four = |function: Four, constants| Call { address: function as usize, constants, arity: 4 };
    let binary = |function: Three, kind| three(function, vec![number(kind)]);
    let with_c = |kind| vec![number(kind), c.into()];
    match callee {
        Callee::Half(Float::Add) => binary(add, half),
        Callee::Half(Float::Sub) => binary(sub, half),
        Callee::Half(Float::Mul) => binary(mul, half),
        Callee::Half(Float::Div) => binary(div, half),
        Callee::HalfTest(FloatTest::Eq) => binary(eq, half),
        Callee::HalfTest(FloatTest::Ne) => binary(ne, half),
        Callee::HalfTest(FloatTest::Lt) => binary(lt, half),
        Callee::HalfTest(FloatTest::Le) => binary(le, half),
        Callee::HalfTest(FloatTest::NotLt) => binary(not_lt, half),
        Callee::HalfTest(FloatTest::NotLe) => binary(not_le, half),
        Callee::Rem(kind) => binary(rem, kind),
        Callee::MulAccHalf => four(mul_acc, vec![number(half)]),
        Callee::Math(kind) => four(math, with_c(kind)),
        Callee::IntToFloat(kind) => three(int_to_float, with_c(kind)),
        Callee::FloatToInt(kind) => three(float_to_int, with_c(kind)),
        Callee::Convert(from, to) => three(convert, vec![number(from), number(to)]),
    }
}

/// A format's place in [`FloatKind::ALL`].
fn number(kind: FloatKind) -> i64 {
    let at = FloatKind::ALL.iter().position(|&known| known == kind).expect("every format is listed");
    i64::try_from(at).expect("there are few")
}

fn kind(number: u64) -> FloatKind {
    FloatKind::ALL[usize::from(number.low16())]
}

fn int_ty(code: u64) -> IntTy {
    let code = IntCode(code.low16());
    IntTy::new(code.signed(), code.bits())
}

macro_rules! binary {
    ($($name:ident $function:expr;)*) => {$(
        extern "C" fn $name(number: u64, a: u64, b: u64) -> u64 {
            let function: fn(FloatKind, u64, u64) -> u64 = $function;
            function(kind(number), a, b)
        }
    )*};
}

binary! {
    add csl_num::float_add;
    sub csl_num::float_sub;
    mul csl_num::float_mul;
    div csl_num::float_div;
    rem csl_num::float_rem;
    eq |kind, a, b| csl_num::float_eq(kind, a, b).into();
    ne |kind, a, b| (!csl_num::float_eq(kind, a, b)).into();
    lt |kind, a, b| csl_num::float_lt(kind, a, b).into();
    le |kind, a, b| csl_num::float_le(kind, a, b).into();
    not_lt |kind, a, b| (!csl_num::float_lt(kind, a, b)).into();
    not_le |kind, a, b| (!csl_num::float_le(kind, a, b)).into();
}

extern "C" fn mul_acc(number: u64, sum: u64, a: u64, b: u64) -> u64 {
    csl_num::float_add(kind(number), sum, csl_num::float_mul(kind(number), a, b))
}

extern "C" fn math(number: u64, function: u64, a: u64, b: u64) -> u64 {
    csl_num::math_fn(MathFn::ALL[usize::from(function.low16())], kind(number), a, b)
}

extern "C" fn int_to_float(number: u64, code: u64, value: u64) -> u64 {
    csl_num::int_to_float(kind(number), int_ty(code), value)
}

extern "C" fn float_to_int(number: u64, code: u64, value: u64) -> u64 {
    csl_num::float_to_int(kind(number), value, int_ty(code))
}

extern "C" fn convert(from: u64, to: u64, value: u64) -> u64 {
    csl_num::float_convert(kind(from), kind(to), value)
}
