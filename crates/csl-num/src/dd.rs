//! Double-double arithmetic: an unevaluated sum of two f64 with about 106 significant bits. That is wide enough to
//! round a transcendental function's value to 24 bits correctly. Only the basic IEEE operations are used, so that every
//! host computes the same. (Dekker 1971; Hida, Li and Bailey, "Library for double-double arithmetic", 2001.)

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number as the unevaluated sum of two doubles, some 106 bits of precision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DoubleDouble {
    pub high: f64,
    pub low: f64,
}

impl DoubleDouble {
    pub const ZERO: DoubleDouble = DoubleDouble { high: 0.0, low: 0.0 };
    pub const ONE: DoubleDouble = DoubleDouble { high: 1.0, low: 0.0 };
    pub const HALF_PI: DoubleDouble = DoubleDouble { high: std::f64::consts::FRAC_PI_2, low: 6.123233995736766e-17 };
    pub const LN_2: DoubleDouble = DoubleDouble { high: std::f64::consts::LN_2, low: 2.3190468138462996e-17 };

    /// `a + b` exactly.
    pub fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let b_part = high - a;
        DoubleDouble { high, low: (a - (high - b_part)) + (b - b_part) }
    }

    /// `a * b` exactly, for factors below 2^990.
    pub fn product(a: f64, b: f64) -> Self {
        let high = a * b;
        let ((a1, a0), (b1, b0)) = (split(a), split(b));
        DoubleDouble { high, low: ((a1 * b1 - high) + a1 * b0 + a0 * b1) + a0 * b0 }
    }

    /// Multiplies by a power of two.
    pub fn scale(self, power: f64) -> Self {
        DoubleDouble { high: self.high * power, low: self.low * power }
    }
}

/// Splits into two halves of at most 26 bits (Veltkamp).
fn split(a: f64) -> (f64, f64) {
    let scaled = 134_217_729.0 * a; // 2^27 + 1
    let high = scaled - (scaled - a);
    (high, a - high)
}

impl From<f64> for DoubleDouble {
    fn from(value: f64) -> Self {
        DoubleDouble { high: value, low: 0.0 }
    }
}

impl Add for DoubleDouble {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let high = DoubleDouble::sum(self.high, other.high);
        let low = DoubleDouble::sum(self.low, other.low);
        let middle = DoubleDouble::sum(high.high, high.low + low.high);
        DoubleDouble::sum(middle.high, middle.low + low.low)
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    fn neg(self) -> Self {
        DoubleDouble { high: -self.high, low: -self.low }
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = DoubleDouble::product(self.high, other.high);
        DoubleDouble::sum(product.high, product.low + (self.high * other.low + self.low * other.high))
    }
}

impl Div for DoubleDouble {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let rest = self - other * first.into();
        let second = rest.high / other.high;
        let rest = rest - other * second.into();
        DoubleDouble::sum(first, second) + (rest.high / other.high).into()
    }
}
