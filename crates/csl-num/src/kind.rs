//! The four float formats and the exact conversions between each of them and f64.

use crate::bits::LowBits;

/// A value's raw bits, in the low 16 or 32 bits.
pub type Bits = u64;

/// The quiet NaN that every f32 operation with a NaN result gives, so that no result depends on the host's processor.
pub const CANONICAL_NAN_F32: u32 = 0x7fc0_0000;

/// A CSL floating point format.
///
/// All four follow IEEE 754: subnormals, signed zeros, infinities and NaNs (the highest exponent is reserved). For
/// `cb16` the guide gives 1 sign, 6 exponent and 9 mantissa bits and one example, 6.0 = 0b0_101100_100000000: 1.5 * 2^2
/// with exponent field 44, so the bias is 42. The guide does not define the highest and the lowest exponent of `cb16`:
/// as infinity and NaN, and as subnormals, they are our choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FloatKind {
    F16,
    Bf16,
    Cb16,
    F32,
}

/// Field widths and bias of a format.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    pub exp_bits: u32,
    pub man_bits: u32,
    pub bias: i32,
}

impl Format {
    #[inline(always)]
    pub const fn exp_max(self) -> u64 {
        (1 << self.exp_bits) - 1
    }
    #[inline(always)]
    pub const fn sign_bit(self) -> u64 {
        1 << (self.exp_bits + self.man_bits)
    }
    #[inline(always)]
    pub const fn infinity(self) -> u64 {
        self.exp_max() << self.man_bits
    }
    #[inline(always)]
    pub const fn nan(self) -> u64 {
        self.infinity() | 1 << (self.man_bits - 1)
    }
}

impl FloatKind {
    pub const ALL: [FloatKind; 4] = [FloatKind::F16, FloatKind::Bf16, FloatKind::Cb16, FloatKind::F32];

    #[inline(always)]
    pub(crate) const fn format(self) -> Format {
        match self {
            FloatKind::F16 => Format { exp_bits: 5, man_bits: 10, bias: 15 },
            FloatKind::Bf16 => Format { exp_bits: 8, man_bits: 7, bias: 127 },
            FloatKind::Cb16 => Format { exp_bits: 6, man_bits: 9, bias: 42 },
            FloatKind::F32 => Format { exp_bits: 8, man_bits: 23, bias: 127 },
        }
    }

    /// Width in bits: 16 or 32.
    #[inline(always)]
    pub const fn bits(self) -> u32 {
        match self {
            FloatKind::F32 => 32,
            _ => 16,
        }
    }

    /// Bits of the significand, the leading one among them: integers up to that power of two have exact values.
    #[inline]
    pub const fn precision(self) -> u32 {
        self.format().man_bits + 1
    }

    /// The type's name in CSL.
    pub const fn name(self) -> &'static str {
        match self {
            FloatKind::F16 => "f16",
            FloatKind::Bf16 => "bf16",
            FloatKind::Cb16 => "cb16",
            FloatKind::F32 => "f32",
        }
    }

    /// Positive infinity.
    #[inline]
    pub const fn infinity(self) -> Bits {
        self.format().infinity()
    }

    /// The canonical quiet NaN: sign clear, only the highest mantissa bit set.
    #[inline]
    pub const fn nan(self) -> Bits {
        self.format().nan()
    }

    /// The sign bit's mask.
    #[inline]
    pub const fn sign_bit(self) -> Bits {
        self.format().sign_bit()
    }

    /// The largest finite value.
    #[inline]
    pub const fn max_finite(self) -> Bits {
        self.infinity() - 1
    }
}

impl std::fmt::Display for FloatKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The value of `bits`, exactly. Every format is a subset of f64.
#[inline]
pub fn to_f64(kind: FloatKind, bits: Bits) -> f64 {
    match kind {
        FloatKind::F32 => f64::from(f32::from_bits(bits.low32())),
        FloatKind::Bf16 => f64::from(f32::from_bits((bits.low32()) << 16)),
        FloatKind::F16 => f64::from(f16_to_f32(bits)),
        FloatKind::Cb16 => decode(kind.format(), bits),
    }
}

fn decode(format: Format, bits: Bits) -> f64 {
    let negative = bits & format.sign_bit() != 0;
    let exponent = bits >> format.man_bits & format.exp_max();
    let mantissa = bits & ((1 << format.man_bits) - 1);
    let lowest = 1 - format.bias - format.man_bits.cast_signed();
    let magnitude = match exponent {
        0 => mantissa as f64 * power_of_two(lowest),
        e if e == format.exp_max() && mantissa == 0 => f64::INFINITY,
        e if e == format.exp_max() => f64::NAN,
        e => (mantissa | 1 << format.man_bits) as f64 * power_of_two(lowest + e.low32().cast_signed() - 1),
    };
    if negative { -magnitude } else { magnitude }
}

/// 2^`exponent` for exponents of normal f64 values.
pub(crate) fn power_of_two(exponent: i32) -> f64 {
    debug_assert!((-1022..=1023).contains(&exponent));
    f64::from_bits(u64::from((exponent + 1023).cast_unsigned()) << 52)
}

/// `value` rounded to the nearest value of `kind`, ties to even; overflow gives infinity, NaN the canonical NaN.
#[inline]
pub fn from_f64(kind: FloatKind, value: f64) -> Bits {
    match kind {
        FloatKind::F32 if value.is_nan() => u64::from(CANONICAL_NAN_F32),
        FloatKind::F32 => u64::from(single(value).to_bits()),
        FloatKind::F16 => f32_to_f16(f64_to_f32_odd(value)),
        _ => encode(kind.format(), value),
    }
}

/// An f16's value, exactly. After the shift its exponent is too small by the difference of the two biases; the
/// multiplication that corrects it also normalises subnormals.
#[inline(always)]
pub(crate) fn f16_to_f32(bits: Bits) -> f32 {
    let magnitude = (bits.low32() & 0x7fff) << 13;
    let scaled = (f32::from_bits(magnitude) * f32::from_bits((127 + 112) << 23)).to_bits();
    let special = if magnitude >= 0x7c00 << 13 { 0xff << 23 } else { 0 };
    f32::from_bits(scaled | special | (bits.low32() & 0x8000) << 16)
}

/// `value` rounded to the nearest f16, ties to even; NaN gives the canonical NaN. The code has no branches, so that
/// loops over it become vector code.
#[inline(always)]
pub(crate) fn f32_to_f16(value: f32) -> Bits {
    const TWO_TO_16: u32 = (127 + 16) << 23;
    const SMALLEST_NORMAL: u32 = (127 - 14) << 23;
    let magnitude = value.to_bits() & 0x7fff_ffff;
    // The unit of 0.5 in f32 is the smallest f16, so this addition rounds.
    let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5f32.to_bits());
    let rebiased = magnitude.wrapping_sub((127 - 15) << 23);
    let normal = rebiased.wrapping_add(0xfff + (rebiased >> 13 & 1)) >> 13;
    let finite = if magnitude < SMALLEST_NORMAL { subnormal } else { normal };
    let rounded = if magnitude < TWO_TO_16 { finite } else { 0x7c00 };
    let signed = rounded | (value.to_bits() >> 16 & 0x8000);
    u64::from(if magnitude > f32::INFINITY.to_bits() { 0x7e00 } else { signed })
}

/// `value` cut to f32, the lowest bit set where anything was lost (rounded to odd), so that it can be rounded again.
/// For values that are normal in f32, and smaller ones that become zero in f16 either way.
#[inline(always)]
fn f64_to_f32_odd(value: f64) -> f32 {
    const LOST: u64 = (1 << 29) - 1;
    let bits = value.to_bits();
    let sticky = u64::from(bits & LOST != 0) << 29;
    single(f64::from_bits(bits & !LOST | sticky))
}

fn encode(format: Format, value: f64) -> Bits {
    if value.is_nan() {
        return format.nan();
    }
    let bits = value.to_bits();
    let sign = if bits >> 63 != 0 { format.sign_bit() } else { 0 };
    let exponent = (bits >> 52 & 0x7ff).low32().cast_signed() - 1023;
    let significand = bits & ((1 << 52) - 1) | 1 << 52;
    sign | encode_magnitude(format, exponent, significand)
}

/// Rounds `significand` * 2^(`exponent` - 52), where bit 52 of `significand` is set.
fn encode_magnitude(format: Format, exponent: i32, significand: u64) -> Bits {
    let lowest_normal = 1 - format.bias;
    let below = (lowest_normal - exponent).max(0).cast_unsigned();
    let shift = 52 - format.man_bits + below;
    if shift > 54 {
        return 0; // Less than half of the smallest subnormal; zeros and subnormals of f64 come here too.
    }
    let rounded = shift_right_nearest_even(significand, shift);
    if below > 0 {
        return rounded; // a carry into the exponent field gives the smallest normal
    }
    // The carry of `rounded` moves on into the exponent, and past the largest value to infinity.
    let biased = u64::from((exponent + format.bias).cast_unsigned());
    ((biased << format.man_bits) + (rounded - (1 << format.man_bits))).min(format.infinity())
}

fn shift_right_nearest_even(value: u64, shift: u32) -> u64 {
    let kept = value >> shift;
    let rest = value & ((1 << shift) - 1);
    let half = 1 << (shift - 1);
    kept + u64::from(rest > half || (rest == half && kept & 1 == 1))
}

/// Rounds to the nearest f32, ties to even.
pub(crate) fn single(value: f64) -> f32 {
    value as f32
}
