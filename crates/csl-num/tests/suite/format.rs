use csl_num::{FloatKind, float_is_nan, format_f64, format_float, from_f64};
use proptest::prelude::*;

#[test]
fn shortest_text() {
    let text = |kind, v| format_float(kind, from_f64(kind, v));
    assert_eq!(text(FloatKind::F16, 0.1), "0.1");
    assert_eq!(text(FloatKind::Cb16, 3.15), "3.15");
    assert_eq!(text(FloatKind::F32, -3.0), "-3.0");
    assert_eq!(text(FloatKind::F32, 1e-30), "1e-30");
    assert_eq!(text(FloatKind::F32, -0.0), "-0.0");
    assert_eq!(text(FloatKind::F32, 16777216.0), "16777216.0");
    assert_eq!(text(FloatKind::Bf16, f64::NAN), "nan");
    assert_eq!(text(FloatKind::F16, -1e9), "-inf");
    assert_eq!(format_f64(0.00025), "0.00025");
    assert_eq!(format_f64(1.0 / 3.0), "0.3333333333333333");
    assert_eq!(format_f64(1e300), "1e300");
}

proptest! {
    #[test]
    fn reads_back(raw: u32) {
        for kind in FloatKind::ALL {
            let bits = u64::from(raw) & ((1 << kind.bits()) - 1);
            if !float_is_nan(kind, bits) {
                let value: f64 = format_float(kind, bits).parse().expect("a float");
                prop_assert_eq!(from_f64(kind, value), bits);
            }
        }
    }
}
