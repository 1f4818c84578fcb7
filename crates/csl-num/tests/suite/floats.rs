use crate::exact::{PRODUCT_SCALE, exact, product, round};
use csl_num::*;
use num_traits::Signed;
use proptest::prelude::*;

fn kinds() -> impl Strategy<Value = FloatKind> {
    prop::sample::select(&FloatKind::ALL[..])
}

/// Any bits of any kind; half of the values close in exponent, so that sums cancel.
fn operands() -> impl Strategy<Value = (FloatKind, Bits, Bits, Bits)> {
    (kinds(), any::<[u32; 3]>(), any::<bool>()).prop_map(|(kind, raw, close)| {
        let mask = (1u64 << kind.bits()) - 1;
        let near = |bits: u32| {
            let bits = u64::from(bits) & mask;
            if close { (bits & !(kind.infinity() / 2)) | (kind.infinity() / 4) } else { bits }
        };
        (kind, near(raw[0]), near(raw[1]), near(raw[2]))
    })
}

fn finite(kind: FloatKind, bits: Bits) -> bool {
    float_abs(kind, bits) < kind.infinity()
}

/// Whether the bits are equal, but for the sign of an exact zero, which the exact reference does not know.
fn same(kind: FloatKind, got: Bits, expected: Bits) -> bool {
    got == expected || float_abs(kind, got) == 0 && float_abs(kind, expected) == 0
}

/// Operands, and what came of them.
struct Many {
    operands: [Vec<u32>; 3],
    results: Vec<u32>,
}

impl Lanes for Many {
    fn load<const N: usize>(&self, first: usize) -> [[u32; N]; 3] {
        [0, 1, 2].map(|k| self.operands[k][first..first + N].try_into().unwrap())
    }

    fn store<const N: usize>(&mut self, first: usize, results: [u32; N]) {
        assert_eq!(first, self.results.len());
        self.results.extend(results);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn sums_and_products_are_rounded_once((kind, a, b, _) in operands()) {
        prop_assume!(finite(kind, a) && finite(kind, b));
        let (x, y) = (exact(kind, a), exact(kind, b));
        prop_assert!(same(kind, float_add(kind, a, b), round(kind, &(&x + &y), 0)));
        prop_assert!(same(kind, float_sub(kind, a, b), round(kind, &(&x - &y), 0)));
        prop_assert!(same(kind, float_mul(kind, a, b), round(kind, &product(&x, &y), PRODUCT_SCALE)));
    }

    #[test]
    fn quotients_are_rounded_once((kind, a, b, _) in operands()) {
        prop_assume!(finite(kind, a) && finite(kind, b) && float_abs(kind, b) != 0);
        // 300 more bits and a sticky bit stand for the endless quotient.
        let (x, y) = (exact(kind, a) << 700u32, exact(kind, b));
        let (quotient, rest) = (&x / &y, &x % &y);
        let sticky = quotient * 4 + rest.signum() * y.signum();
        prop_assert!(same(kind, float_div(kind, a, b), round(kind, &sticky, 302)));
    }

    #[test]
    fn fma_is_rounded_once((kind, a, b, c) in operands()) {
        prop_assume!(finite(kind, a) && finite(kind, b) && finite(kind, c));
        let sum = product(&exact(kind, a), &exact(kind, b)) + (exact(kind, c) << PRODUCT_SCALE);
        prop_assert!(same(kind, fma(kind, a, b, c), round(kind, &sum, PRODUCT_SCALE)));
    }

    #[test]
    fn fmachs_is_rounded_once(a: u16, b: u16, c: u32, half in 0usize..3) {
        let kind = FloatKind::ALL[half];
        let (a, b, c) = (u64::from(a), u64::from(b), u64::from(c));
        prop_assume!(finite(kind, a) && finite(kind, b) && finite(FloatKind::F32, c));
        let sum = product(&exact(kind, a), &exact(kind, b)) + (exact(FloatKind::F32, c) << PRODUCT_SCALE);
        prop_assert!(same(FloatKind::F32, fmachs(kind, a, b, c), round(FloatKind::F32, &sum, PRODUCT_SCALE)));
        let sum = exact(kind, a) + exact(FloatKind::F32, c);
        prop_assert!(same(FloatKind::F32, faddhs(kind, a, c), round(FloatKind::F32, &sum, 0)));
    }

    #[test]
    fn f32_fma_agrees_with_the_standard_library(a: f32, b: f32, c: f32) {
        let expected = a.mul_add(b, c);
        let got = fma_f32(a, b, c);
        prop_assert!(got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan());
    }

    #[test]
    fn fma_of_many_is_that_of_each(operands in prop::collection::vec(any::<[u32; 3]>(), 0..100)) {
        let columns = [0, 1, 2].map(|k| operands.iter().map(|element| element[k]).collect());
        let mut many = Many { operands: columns, results: Vec::new() };
        fma_f32_each(&mut many, operands.len());
        let each = operands.iter().map(|&[a, b, c]| fma(FloatKind::F32, a.into(), b.into(), c.into()));
        prop_assert_eq!(many.results.iter().map(|&bits| u64::from(bits)).collect::<Vec<_>>(), each.collect::<Vec<_>>());
    }

    #[test]
    fn conversions_are_rounded_once((from, a, _, _) in operands(), to in kinds()) {
        prop_assume!(finite(from, a));
        prop_assert!(same(to, float_convert(from, to, a), round(to, &exact(from, a), 0)));
    }

    #[test]
    fn f32_to_f16_agrees_with_the_half_crate(a: u32) {
        let expected = half::f16::from_f32(f32::from_bits(a));
        let got = float_convert(FloatKind::F32, FloatKind::F16, u64::from(a));
        prop_assert!(got == u64::from(expected.to_bits()) || expected.is_nan() && got == FloatKind::F16.nan());
    }

    #[test]
    fn square_roots_are_rounded_once((kind, a, _, _) in operands()) {
        let a = float_abs(kind, a);
        prop_assume!(finite(kind, a));
        // sqrt(v * 2^-400) = sqrt(v * 2^400) * 2^-400.
        let radicand = exact(kind, a) << 440u32;
        let root = radicand.sqrt();
        let sticky = &root * 2 + i32::from(&root * &root != radicand);
        prop_assert_eq!(sqrt(kind, a), round(kind, &sticky, 21));
    }

    #[test]
    fn comparisons_agree_with_f64((kind, a, b, _) in operands()) {
        let (x, y) = (to_f64(kind, a), to_f64(kind, b));
        prop_assert_eq!(float_cmp(kind, a, b), x.partial_cmp(&y));
        prop_assert_eq!((float_eq(kind, a, b), float_lt(kind, a, b), float_le(kind, a, b)), (x == y, x < y, x <= y));
        let max = to_f64(kind, float_max(kind, a, b));
        prop_assert!(max == x.max(y) || max.is_nan() && x.is_nan() && y.is_nan());
    }

    #[test]
    fn scaling_is_rounded_once((kind, a, _, _) in operands(), s in -200i16..200) {
        prop_assume!(finite(kind, a));
        let (value, scale) = (exact(kind, a) << 200u32, (200 - s) as u64);
        prop_assert!(same(kind, float_scale(kind, a, s), round(kind, &value, scale)));
    }

    #[test]
    fn flags_tell_inexact_results((kind, a, b, _) in operands()) {
        prop_assume!(finite(kind, a) && finite(kind, b));
        let product = product(&exact(kind, a), &exact(kind, b));
        let result = float_mul(kind, a, b);
        let is_exact = finite(kind, result) && exact(kind, result) << PRODUCT_SCALE == product;
        prop_assert_eq!(float_binop_flags(FloatOp::Mul, kind, a, b).inexact, !is_exact);
        prop_assert_eq!(float_binop_flags(FloatOp::Mul, kind, a, b).overflow, !finite(kind, result));
    }
}

/// a * b is just below half a unit in c's last place and c is odd. An intermediate that cannot hold the difference
/// makes a tie of it, which goes to the even neighbour: f32 for f16, f64 for f32.
#[test]
fn fma_where_rounding_twice_shows() {
    for (kind, p) in [(FloatKind::F16, 10), (FloatKind::F32, 23)] {
        let ulp = 2f64.powi(-p);
        let (a, b, c) = (1.0 + ulp, (1.0 - ulp) * ulp / 2.0, 1.0 + ulp);
        let [a, b, c] = [a, b, c].map(|v| from_f64(kind, v));
        assert_eq!(fma(kind, a, b, c), c);
    }
}

#[test]
fn all_16_bit_values_survive_f64_and_match_the_half_crate() {
    for bits in 0..=u16::MAX {
        for kind in [FloatKind::F16, FloatKind::Bf16, FloatKind::Cb16] {
            let bits = u64::from(bits);
            let expected = if float_is_nan(kind, bits) { kind.nan() } else { bits };
            assert_eq!(from_f64(kind, to_f64(kind, bits)), expected, "{kind} {bits:#x}");
        }
        let (f16, bf16) = (half::f16::from_bits(bits), half::bf16::from_bits(bits));
        assert!(f16.is_nan() || f16.to_f64() == to_f64(FloatKind::F16, u64::from(bits)));
        assert!(bf16.is_nan() || bf16.to_f64() == to_f64(FloatKind::Bf16, u64::from(bits)));
    }
}

/// The guide's example of the three 16-bit formats.
#[test]
fn six_in_every_format() {
    assert_eq!(from_f64(FloatKind::F16, 6.0), 0b0100_0110_0000_0000);
    assert_eq!(from_f64(FloatKind::Cb16, 6.0), 0b0101_1001_0000_0000);
    assert_eq!(from_f64(FloatKind::Bf16, 6.0), 0b0100_0000_1100_0000);
}

#[test]
fn cb16_range() {
    let kind = FloatKind::Cb16;
    assert_eq!(to_f64(kind, kind.max_finite()), 2f64.powi(20) * (2.0 - 2f64.powi(-9)));
    assert_eq!(to_f64(kind, 1), 2f64.powi(-50), "smallest subnormal");
    assert_eq!(from_f64(kind, 1e9), kind.infinity());
    assert_eq!(to_f64(kind, 1 << 9), 2f64.powi(-41), "smallest normal");
}

#[test]
fn overflow_and_underflow_boundaries() {
    let f16 = |v| from_f64(FloatKind::F16, v);
    assert_eq!((f16(65519.99), f16(65520.0)), (0x7bff, 0x7c00));
    assert_eq!((f16(2f64.powi(-25)), f16(2f64.powi(-25) * 1.0001)), (0, 1), "half of the smallest subnormal is a tie");
    assert_eq!(f16(-1e-300), 0x8000);
    assert_eq!(f16(2f64.powi(-14) * (1.0 - 2f64.powi(-12))), 0x0400, "rounds up into the normal range");
    assert_eq!(from_f64(FloatKind::F16, 2048.0 + 1.0 + 1e-9), f16(2050.0), "not through f32");
}

#[test]
fn nans_are_canonical_and_signs_kept() {
    for kind in FloatKind::ALL {
        let (zero, infinity) = (0, kind.infinity());
        assert_eq!(float_div(kind, zero, zero), kind.nan());
        assert_eq!(float_sub(kind, infinity, infinity), kind.nan());
        assert_eq!(float_mul(kind, kind.nan() | kind.sign_bit() | 1, zero), kind.nan());
        assert_eq!(fma(kind, infinity, zero, zero), kind.nan());
        assert_eq!(sqrt(kind, from_f64(kind, -1.0)), kind.nan());
        assert_eq!(float_div(kind, from_f64(kind, -1.0), zero), infinity | kind.sign_bit());
        assert_eq!(float_neg(kind, kind.nan()), kind.nan() | kind.sign_bit());
        assert_eq!(float_max(kind, kind.nan(), from_f64(kind, 2.0)), from_f64(kind, 2.0));
        assert_eq!(float_max(kind, kind.sign_bit(), zero), zero);
        assert!(float_to_bool(kind, kind.nan()) && !float_to_bool(kind, kind.sign_bit()));
    }
}

#[test]
fn normalisation_leaves_the_significand() {
    for kind in FloatKind::ALL {
        let norm = |v: f64| to_f64(kind, float_norm(kind, from_f64(kind, v)));
        assert_eq!((norm(6.0), norm(-0.375), norm(1.0)), (1.5, -1.5, 1.0));
        assert_eq!((norm(0.0), norm(f64::INFINITY)), (0.0, f64::INFINITY));
        assert_eq!(to_f64(kind, float_norm(kind, 3)), 1.5, "a subnormal");
    }
}

#[test]
fn flags_of_special_operations() {
    let kind = FloatKind::F32;
    let of = |op, a: f64, b: f64| float_binop_flags(op, kind, from_f64(kind, a), from_f64(kind, b));
    assert_eq!(of(FloatOp::Div, 1.0, 0.0), FpFlags { div_by_zero: true, ..FpFlags::default() });
    assert_eq!(of(FloatOp::Div, 0.0, 0.0), FpFlags { invalid: true, ..FpFlags::default() });
    assert_eq!(of(FloatOp::Add, 1.0, 1e-20), FpFlags { inexact: true, ..FpFlags::default() });
    assert_eq!(of(FloatOp::Add, 1.0, 1.0), FpFlags::default());
    assert_eq!(of(FloatOp::Mul, 1e30, 1e30), FpFlags { overflow: true, inexact: true, ..FpFlags::default() });
    assert_eq!(of(FloatOp::Mul, 1e-30, 1e-30), FpFlags { underflow: true, inexact: true, ..FpFlags::default() });
}

#[test]
fn flags_of_fused_and_converting_operations() {
    let (h, s) = (FloatKind::F16, FloatKind::F32);
    let (half, single) = (|x| from_f64(h, x), |x| from_f64(s, x));
    let inexact = FpFlags { inexact: true, ..FpFlags::default() };
    let overflow = FpFlags { overflow: true, ..inexact };
    let underflow = FpFlags { underflow: true, ..inexact };
    let invalid = FpFlags { invalid: true, ..FpFlags::default() };
    assert_eq!(fma_flags(s, single(3.0), single(0.5), single(1.0)), FpFlags::default());
    assert_eq!(fma_flags(s, single(1e30), single(1e30), single(1.0)), overflow);
    assert_eq!(fma_flags(s, single(1e30), single(1.0), single(1.0)), inexact);
    assert_eq!(fma_flags(s, single(f64::INFINITY), single(0.0), single(1.0)), invalid);
    assert_eq!(fmachs_flags(h, half(300.0), half(300.0), single(1.0)), FpFlags::default(), "90001 fits f32");
    assert_eq!(fmachs_flags(h, half(60000.0), half(3e-5), single(3e38)), inexact);
    assert_eq!(faddhs_flags(h, half(1.0), single(1e-20)), inexact);
    assert_eq!(float_convert_flags(s, h, single(1e6)), overflow);
    assert_eq!(float_convert_flags(s, h, single(1e-8)), underflow);
    assert_eq!(float_convert_flags(h, s, half(0.1)), FpFlags::default());
    assert_eq!(float_scale_flags(h, half(1.0), 20), overflow);
    assert_eq!(float_scale_flags(h, half(1.0), 10), FpFlags::default());
    assert_eq!(float_to_int_flags(s, single(1.5), IntTy::I16), inexact);
    assert_eq!(float_to_int_flags(s, single(40000.0), IntTy::I16), invalid);
    assert_eq!(float_to_int_flags(s, single(f64::NAN), IntTy::I16), invalid);
    assert_eq!(int_to_float_flags(h, IntTy::I32, 70000), overflow);
    assert_eq!(int_to_float_flags(s, IntTy::I32, (1 << 24) + 1), inexact);
}

#[test]
fn flags_of_functions() {
    let kind = FloatKind::F32;
    let of = |function, x: f64| math_fn_flags(function, kind, from_f64(kind, x), 0);
    assert_eq!(of(MathFn::Sqrt, 4.0), FpFlags::default());
    assert_eq!(of(MathFn::Sqrt, 2.0), FpFlags { inexact: true, ..FpFlags::default() });
    assert_eq!(of(MathFn::Sqrt, -1.0), FpFlags { invalid: true, ..FpFlags::default() });
    assert_eq!(of(MathFn::Log, 0.0), FpFlags { div_by_zero: true, ..FpFlags::default() });
    assert_eq!(of(MathFn::Exp, 0.0), FpFlags::default());
    assert_eq!(of(MathFn::Exp, 1000.0), FpFlags { overflow: true, inexact: true, ..FpFlags::default() });
    assert_eq!(of(MathFn::Exp, -95.0), FpFlags { underflow: true, inexact: true, ..FpFlags::default() });
}
