//! Text of float values: the fewest digits that read back as the same value.

use crate::kind::single;
use crate::kind::{Bits, FloatKind, from_f64, to_f64};

/// A value of `kind`, such as `0.1`, `-3.0`, `1e-30`, `inf`, `nan`, with the fewest digits that round to it.
pub fn format_float(kind: FloatKind, bits: Bits) -> String {
    let value = to_f64(kind, bits);
    if kind == FloatKind::F32 {
        return layout(value, &format!("{:e}", single(value)));
    }
    layout(value, &shortest(kind, bits, value))
}

/// A `comptime_float`.
pub fn format_f64(value: f64) -> String {
    layout(value, &format!("{value:e}"))
}

/// The fewest digits, in scientific notation, that round to `bits`.
fn shortest(kind: FloatKind, bits: Bits, value: f64) -> String {
    let digits = |precision: usize| format!("{value:.precision$e}");
    let reads_back = |text: &String| text.parse().is_ok_and(|read| from_f64(kind, read) == bits);
    (0..8).map(digits).find(reads_back).unwrap_or_else(|| digits(8))
}

/// Moderate exponents are written out, with a `.0` where there is no fraction.
fn layout(value: f64, scientific: &str) -> String {
    if value.is_nan() {
        return "nan".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    let (digits, exponent) = scientific.split_once('e').expect("finite floats are formatted with an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is an integer");
    if !(-5..16).contains(&exponent) {
        return scientific.to_string();
    }
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    format!("{sign}{}", positional(&digits.replace('.', ""), exponent))
}

/// `digits`, of which the first has the weight 10^`exponent`, in positional notation.
fn positional(digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        return format!("0.{}{digits}", "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0)));
    }
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    if digits.len() <= whole {
        return format!("{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}
