use csl_num::{FloatKind, MathFn, float_is_nan, from_f64, math_fn, to_f64};
use proptest::prelude::*;

/// Arguments whose values lie closest to a boundary between two f32 among 400,000 random ones, and large angles; the
/// results from a 200-bit evaluation.
const HARD: [(MathFn, u64, u64); 22] = [
    (MathFn::Sin, 0x4469c366, 0xbf68c577),
    (MathFn::Sin, 0x50f1a3c9, 0xbf3cc5ef),
    (MathFn::Sin, 0x6c015ca3, 0xbeb3738c),
    (MathFn::Sin, 0x7f7fffff, 0xbf0599b3),
    (MathFn::Sin, 0x40490fdb, 0xb3bbbd2e),
    (MathFn::Sin, 0x46c90fdb, 0x3a3bbd2d),
    (MathFn::Sin, 0x00000200, 0x00000200),
    (MathFn::Cos, 0x6d757959, 0x3e3ba636),
    (MathFn::Cos, 0x4393f562, 0x3f5237fc),
    (MathFn::Cos, 0x7f7fffff, 0x3f5a5f96),
    (MathFn::Exp, 0x42868c57, 0x7005113b),
    (MathFn::Exp, 0xc251681b, 0x19b19a5c),
    (MathFn::Exp, 0xc29ce1ef, 0x06e40ae5),
    (MathFn::Log, 0x47c7002d, 0x41388191),
    (MathFn::Log, 0x62b01f63, 0x42435b99),
    (MathFn::Log, 0x13c6dfbf, 0xc27239aa),
    (MathFn::Tanh, 0xbfe2f9a2, 0xbf71a79c),
    (MathFn::Tanh, 0xc0afe974, 0xbf7ffdcd),
    (MathFn::Tanh, 0x403a9c98, 0x3f7e80a5),
    (MathFn::InvSqrt, 0x1b9349aa, 0x516ea66e),
    (MathFn::InvSqrt, 0x47202a78, 0x3ba1d322),
    (MathFn::InvSqrt, 0x5e58dc8a, 0x300b125b),
];

const HARD_POWERS: [(u64, u64, u64); 5] = [
    (0x3d8edb03, 0x41006f84, 0x300f4836),
    (0x3cc23446, 0xc160ab01, 0x655fb0a8),
    (0x42ec5b3d, 0xc14588ad, 0x150014e0),
    (0x41e27635, 0x410124e5, 0x52f3dacc),
    (0x3f0680c0, 0x414a0ff5, 0x399ac564),
];

#[test]
fn hard_cases() {
    for (function, a, expected) in HARD {
        let got = math_fn(function, FloatKind::F32, a, 0);
        assert_eq!(got, expected, "{} of {a:#x}: {got:#x}", function.name());
    }
    for (a, b, expected) in HARD_POWERS {
        assert_eq!(math_fn(MathFn::Pow, FloatKind::F32, a, b), expected);
    }
}

fn host(function: MathFn, x: f64, y: f64) -> f64 {
    match function {
        MathFn::Sqrt => x.sqrt(),
        MathFn::Sin => x.sin(),
        MathFn::Cos => x.cos(),
        MathFn::Exp => x.exp(),
        MathFn::Log => x.ln(),
        MathFn::Pow => x.powf(y),
        MathFn::Inv => 1.0 / x,
        MathFn::InvSqrt => 1.0 / x.sqrt(),
        MathFn::Tanh => x.tanh(),
        MathFn::Ceil => x.ceil(),
        MathFn::Floor => x.floor(),
        MathFn::Sig => 1.0 / (1.0 + (-x).exp()),
    }
}

/// The result must be the rounding of some value within 2^-50 of the host's f64 value.
fn agrees_with_host(function: MathFn, kind: FloatKind, a: u64, b: u64) -> Result<(), TestCaseError> {
    let expected = host(function, to_f64(kind, a), to_f64(kind, b));
    let got = math_fn(function, kind, a, b);
    let around = [1.0 - 2f64.powi(-50), 1.0, 1.0 + 2f64.powi(-50)].map(|factor| from_f64(kind, expected * factor));
    let both_nan = expected.is_nan() && got == kind.nan();
    prop_assert!(both_nan || around.contains(&got), "{function:?} {kind} {a:#x} {b:#x}: {got:#x}, not {around:x?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_arguments(raw: [u32; 2]) {
        for kind in FloatKind::ALL {
            let [a, b] = raw.map(|bits| u64::from(bits) & ((1 << kind.bits()) - 1));
            for function in MathFn::ALL {
                agrees_with_host(function, kind, a, b)?;
            }
        }
    }

    #[test]
    fn moderate_arguments(x in -50.0f64..50.0, y in -8.0f64..8.0) {
        for kind in FloatKind::ALL {
            for function in MathFn::ALL {
                agrees_with_host(function, kind, from_f64(kind, x), from_f64(kind, y))?;
                agrees_with_host(function, kind, from_f64(kind, x.abs()), from_f64(kind, y))?;
            }
        }
    }
}

#[test]
fn exact_values() {
    let kind = FloatKind::F32;
    let of = |function, x: f64, y: f64| to_f64(kind, math_fn(function, kind, from_f64(kind, x), from_f64(kind, y)));
    assert_eq!((of(MathFn::Exp, 0.0, 0.0), of(MathFn::Log, 1.0, 0.0), of(MathFn::Cos, 0.0, 0.0)), (1.0, 0.0, 1.0));
    assert_eq!((of(MathFn::Pow, 3.0, 5.0), of(MathFn::Pow, -2.0, 3.0), of(MathFn::Pow, 4.0, -0.5)), (243.0, -8.0, 0.5));
    assert_eq!((of(MathFn::InvSqrt, 16.0, 0.0), of(MathFn::Sqrt, 2.25, 0.0)), (0.25, 1.5));
    assert_eq!(
        (of(MathFn::Pow, 0.0, 0.0), of(MathFn::Pow, f64::NAN, 0.0), of(MathFn::Pow, 1.0, f64::NAN)),
        (1.0, 1.0, 1.0)
    );
    assert!(of(MathFn::Pow, -2.0, 0.5).is_nan());
    // 4097^2 = 2^24 + 8193 lies midway between two f32; the tie goes to the even one.
    assert_eq!(of(MathFn::Pow, 4097.0, 2.0), 16785408.0);
    for function in [MathFn::Sin, MathFn::Tanh, MathFn::Sqrt, MathFn::Ceil] {
        assert_eq!(math_fn(function, kind, kind.sign_bit(), 0), kind.sign_bit(), "{} of -0", function.name());
    }
    assert!(float_is_nan(kind, math_fn(MathFn::Sin, kind, kind.infinity(), 0)));
}

#[test]
fn names() {
    for function in MathFn::ALL {
        assert_eq!(MathFn::from_name(function.name()), Some(function));
    }
    assert_eq!(MathFn::from_name("gamma"), None);
    assert_eq!((MathFn::Pow.arity(), MathFn::Sin.arity()), (2, 1));
}
