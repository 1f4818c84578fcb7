//! The functions of `<math>` on floats, correctly rounded.
//!
//! The host's f64 function decides where all values within its error round alike (Ziv's test), which is nearly always.
//! Else the function is evaluated to about 100 bits and rounded once, so that no result depends on the host.

use crate::bits::LowBits;
use crate::dd::DoubleDouble;
use crate::float::{float_div, float_is_nan, sqrt};
use crate::fma::to_odd;
use crate::kind::{Bits, FloatKind, from_f64, power_of_two, to_f64};
use num_bigint::BigUint;
use num_traits::ToPrimitive;

/// A function that the library's `@wl_math` evaluates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MathFn {
    Sqrt,
    Sin,
    Cos,
    Exp,
    Log,
    Pow,
    Inv,
    InvSqrt,
    Tanh,
    Ceil,
    Floor,
    /// The logistic function 1 / (1 + e^-x).
    Sig,
}

const NAMES: [(MathFn, &str); 12] = [
    (MathFn::Sqrt, "sqrt"),
    (MathFn::Sin, "sin"),
    (MathFn::Cos, "cos"),
    (MathFn::Exp, "exp"),
    (MathFn::Log, "log"),
    (MathFn::Pow, "pow"),
    (MathFn::Inv, "inv"),
    (MathFn::InvSqrt, "invsqrt"),
    (MathFn::Tanh, "tanh"),
    (MathFn::Ceil, "ceil"),
    (MathFn::Floor, "floor"),
    (MathFn::Sig, "sig"),
];

impl MathFn {
    /// Every function, in a fixed order: the position may serve as an encoding.
    pub const ALL: [MathFn; 12] = [
        MathFn::Sqrt,
        MathFn::Sin,
        MathFn::Cos,
        MathFn::Exp,
        MathFn::Log,
        MathFn::Pow,
        MathFn::Inv,
        MathFn::InvSqrt,
        MathFn::Tanh,
        MathFn::Ceil,
        MathFn::Floor,
        MathFn::Sig,
    ];

    pub fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    pub fn from_name(name: &str) -> Option<MathFn> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(function, _)| *function)
    }

    /// [`math_fn`] as a method of the function.
    pub fn eval(self, kind: FloatKind, a: Bits, b: Bits) -> Bits {
        math_fn(self, kind, a, b)
    }

    /// The number of operands: two for `pow`, else one.
    pub fn arity(self) -> usize {
        if self == MathFn::Pow { 2 } else { 1 }
    }
}

/// `name` of `a` (and `b`, for `pow`; else ignored), rounded to nearest even. NaN arguments give the canonical NaN,
/// except for pow(x, 0) and pow(1, y), which are 1.
pub fn math_fn(name: MathFn, kind: FloatKind, a: Bits, b: Bits) -> Bits {
    let x = to_f64(kind, a);
    if float_is_nan(kind, a) && name != MathFn::Pow {
        return kind.nan();
    }
    match name {
        MathFn::Sqrt => sqrt(kind, a),
        MathFn::Inv => float_div(kind, from_f64(kind, 1.0), a),
        MathFn::Ceil => from_f64(kind, x.ceil()),
        MathFn::Floor => from_f64(kind, x.floor()),
        MathFn::Exp => ziv(kind, x.exp(), || exp(x.into())),
        MathFn::Log if x > 0.0 && x.is_finite() => ziv(kind, x.ln(), || log(x)),
        MathFn::Log => from_f64(kind, x.ln()),
        MathFn::Sin | MathFn::Cos if x.is_infinite() => kind.nan(),
        MathFn::Sin if x == 0.0 => a,
        MathFn::Sin => ziv(kind, x.sin(), || sin_cos(x, 0)),
        MathFn::Cos => ziv(kind, x.cos(), || sin_cos(x, 1)),
        MathFn::Tanh => ziv(kind, x.tanh(), || tanh(x)),
        MathFn::Sig => ziv(kind, 1.0 / (1.0 + (-x).exp()), || logistic(x)),
        MathFn::InvSqrt if x > 0.0 && x.is_finite() => ziv(kind, 1.0 / x.sqrt(), || inverse_square_root(x)),
        MathFn::InvSqrt => from_f64(kind, 1.0 / x.sqrt()),
        MathFn::Pow => pow(kind, x, to_f64(kind, b)),
    }
}

/// Rounds a value that the host's `estimate` is near, by way of `exact` if the estimate leaves a doubt.
fn ziv(kind: FloatKind, estimate: f64, exact: impl FnOnce() -> DoubleDouble) -> Bits {
    // A generous bound: the f64 functions of every libm are within 2^-51.
    const DOUBT: f64 = 1.0 / (1u64 << 48) as f64;
    let (below, above) = (from_f64(kind, estimate * (1.0 - DOUBT)), from_f64(kind, estimate * (1.0 + DOUBT)));
    if below == above { below } else { round(kind, exact()) }
}

fn round(kind: FloatKind, value: DoubleDouble) -> Bits {
    // A real distance to a boundary is far above this bound, and a distance below it is only noise. Or the value is
    // next to a representable one, as sin x = x - tiny, and the low part decides nothing.
    let noise = value.high.abs() * power_of_two(-85);
    let low = if value.low.abs() <= noise { 0.0 } else { value.low };
    from_f64(kind, to_odd(value.high, low))
}

/// e^x - 1 for |x| < 0.4, by its series.
fn exp_minus_one_series(x: DoubleDouble) -> DoubleDouble {
    // 0.4^26 / 26! is below 2^-122.
    let mut sum = DoubleDouble::ZERO;
    for n in (1..=26).rev() {
        sum = (DoubleDouble::ONE + sum) * x / f64::from(n).into();
    }
    sum
}

fn exp(x: DoubleDouble) -> DoubleDouble {
    if x.high.abs() > 690.0 {
        // The exponent is far outside every format: the last rounding gives underflow or overflow.
        return if x.high < 0.0 { DoubleDouble::from(power_of_two(-1000)) } else { f64::INFINITY.into() };
    }
    let k = (x.high / DoubleDouble::LN_2.high).round();
    let rest = x - DoubleDouble::LN_2 * k.into();
    (DoubleDouble::ONE + exp_minus_one_series(rest)).scale(power_of_two(k as i32))
}

/// The logarithm of a finite x > 0: one Newton step from the f64 value, log x = y + log(x e^-y).
fn log(x: f64) -> DoubleDouble {
    let y = x.ln();
    let rest = exp((-y).into()) * x.into() - DoubleDouble::ONE;
    let correction = rest - (rest * rest).scale(0.5);
    DoubleDouble::from(y) + correction
}

fn tanh(x: f64) -> DoubleDouble {
    if x.abs() > 40.0 {
        return x.signum().into();
    }
    let doubled = DoubleDouble::from(2.0 * x.abs());
    let e = if doubled.high < 0.4 { exp_minus_one_series(doubled) } else { exp(doubled) - DoubleDouble::ONE };
    let magnitude = e / (e + 2.0.into());
    if x.is_sign_negative() { -magnitude } else { magnitude }
}

fn logistic(x: f64) -> DoubleDouble {
    if x.abs() > 690.0 {
        return if x < 0.0 { DoubleDouble::from(power_of_two(-1000)) } else { DoubleDouble::ONE };
    }
    DoubleDouble::ONE / (DoubleDouble::ONE + exp((-x).into()))
}

/// The inverse square root of a finite x > 0, by one Newton step.
fn inverse_square_root(x: f64) -> DoubleDouble {
    let y = 1.0 / x.sqrt();
    let rest = DoubleDouble::ONE - DoubleDouble::product(y, y) * x.into();
    DoubleDouble::from(y) + (rest * y.into()).scale(0.5)
}

fn pow(kind: FloatKind, x: f64, y: f64) -> Bits {
    let ordinary = x.is_finite() && y.is_finite() && x != 0.0 && y != 0.0 && x != 1.0;
    let undefined = x < 0.0 && y.trunc() != y;
    if !ordinary || undefined {
        return from_f64(kind, x.powf(y)); // IEEE 754 fixes these results
    }
    ziv(kind, x.powf(y), || {
        let magnitude = exp(log(x.abs()) * y.into());
        if x < 0.0 && y % 2.0 != 0.0 { -magnitude } else { magnitude }
    })
}

/// The sine of x + `quarter_turns` * pi / 2.
fn sin_cos(x: f64, quarter_turns: u32) -> DoubleDouble {
    let (quadrant, angle) = reduce(x);
    let quadrant = quadrant + quarter_turns;
    let value = if quadrant.is_multiple_of(2) { sin_series(angle) } else { cos_series(angle) };
    if quadrant % 4 < 2 { value } else { -value }
}

/// sin x = x (1 - x^2/(2*3) (1 - x^2/(4*5) (...))), for |x| < 0.8.
fn sin_series(x: DoubleDouble) -> DoubleDouble {
    let square = x * x;
    let mut rest = DoubleDouble::ZERO;
    for n in (1..=15).rev() {
        let divisor = f64::from(2 * n * (2 * n + 1));
        rest = (DoubleDouble::ONE - rest) * square / divisor.into();
    }
    x - x * rest
}

/// cos x = 1 - x^2/(1*2) (1 - x^2/(3*4) (...)), for |x| < 0.8.
fn cos_series(x: DoubleDouble) -> DoubleDouble {
    let square = x * x;
    let mut rest = DoubleDouble::ZERO;
    for n in (1..=15).rev() {
        let divisor = f64::from((2 * n - 1) * 2 * n);
        rest = (DoubleDouble::ONE - rest) * square / divisor.into();
    }
    DoubleDouble::ONE - rest
}

/// 2/pi * 2^448, lowest digit first.
const TWO_OVER_PI: [u32; 14] = [
    0xb129_a73e,
    0xfe1d_eb1c,
    0x09d1_921c,
    0x0649_2eea,
    0x424d_d2e0,
    0xb724_6e3a,
    0xdebb_c561,
    0xfe51_63ab,
    0x3c43_9041,
    0xdb62_9599,
    0xf534_ddc0,
    0xfc27_57d1,
    0x4e44_1529,
    0xa2f9_836e,
];
const TWO_OVER_PI_BITS: i32 = 448;

/// The nearest multiple of pi/2, modulo 4, and the rest, for values of at most 24 significant bits.
fn reduce(x: f64) -> (u32, DoubleDouble) {
    if x.abs() < 0.78 {
        return (0, x.into());
    }
    // x = m * 2^exponent, with m below 2^25 and exponent below 104: see `FloatKind`.
    let exponent = (x.abs().to_bits() >> 52).low32().cast_signed() - 1023 - 24;
    let m = (x.abs() * power_of_two(-exponent)) as u32;
    let fraction_bits = u64::from((TWO_OVER_PI_BITS - exponent).cast_unsigned());
    let turns = BigUint::from_slice(&TWO_OVER_PI) * m;
    // Rounding to the nearest: add one half, take the integer part, subtract one half.
    let half = BigUint::from(1u32) << (fraction_bits - 1);
    let shifted = turns + &half;
    let quadrant = (&shifted >> fraction_bits).iter_u32_digits().next().unwrap_or(0) % 4;
    let fraction = shifted % (&half << 1u32);
    let angle = if fraction >= half {
        fixed_point(&(&fraction - &half), fraction_bits)
    } else {
        -fixed_point(&(&half - &fraction), fraction_bits)
    };
    let angle = angle * DoubleDouble::HALF_PI;
    if x < 0.0 { ((4 - quadrant) % 4, -angle) } else { (quadrant, angle) }
}

/// `value` / 2^`fraction_bits` to 106 bits.
fn fixed_point(value: &BigUint, fraction_bits: u64) -> DoubleDouble {
    let drop = value.bits().saturating_sub(106);
    let head = (value >> drop).to_u128().expect("106 bits were kept");
    let (high, low) = ((head >> 53).low64(), head.low64() & ((1 << 53) - 1));
    let sum = DoubleDouble::sum(high as f64 * power_of_two(53), low as f64);
    sum.scale(power_of_two(drop.low32().cast_signed() - fraction_bits.low32().cast_signed()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(value: DoubleDouble, host: f64) -> bool {
        (value.high - host).abs() <= host.abs() * power_of_two(-49)
    }

    proptest! {
        // Ziv's test keeps the tests of `math_fn` from reaching the exact evaluations.
        #[test]
        fn exact_evaluations_agree_with_the_host(x in -80.0f32..80.0, any: f32, y in -5.0f32..5.0) {
            let (x, any, y) = (f64::from(x), f64::from(any), f64::from(y));
            prop_assume!(any.is_finite() && any != 0.0 && x != 0.0);
            prop_assert!(close(exp(x.into()), x.exp()));
            prop_assert!(close(log(any.abs()), any.abs().ln()));
            prop_assert!(close(tanh(x / 8.0), (x / 8.0).tanh()));
            prop_assert!(close(logistic(x), 1.0 / (1.0 + (-x).exp())));
            prop_assert!(close(sin_cos(x, 0), x.sin()) && close(sin_cos(any, 0), any.sin()));
            prop_assert!(close(sin_cos(x, 1), x.cos()) && close(sin_cos(any, 1), any.cos()));
            prop_assert!(close(inverse_square_root(any.abs()), 1.0 / any.abs().sqrt()));
            prop_assert!(close(exp(log(x.abs()) * y.into()), x.abs().powf(y)));
        }
    }
}
