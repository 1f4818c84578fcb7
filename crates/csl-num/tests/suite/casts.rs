use crate::exact::round;
use csl_num::*;
use num_bigint::BigInt;
use proptest::prelude::*;

proptest! {
    #[test]
    fn integers_to_floats_are_rounded_once(signed: bool, bits in 1u32..=64, raw: u64, zeros in 0u32..64) {
        let ty = IntTy::new(signed, bits);
        let value = wrap64(ty, raw >> zeros | 1);
        for kind in FloatKind::ALL {
            let expected = round(kind, &(ty.to_big(value) << 400u32), 0);
            prop_assert_eq!(int_to_float(kind, ty, value), expected, "{} {} {}", kind, ty, value as i64);
            prop_assert_eq!(big_to_float(kind, &ty.to_big(value)), expected);
        }
    }

    #[test]
    fn floats_to_integers_truncate_and_saturate(raw: u32, signed: bool, bits in 1u32..=64) {
        let ty = IntTy::new(signed, bits);
        for kind in FloatKind::ALL {
            let float = u64::from(raw) & ((1 << kind.bits()) - 1);
            let expected = match float_to_big(kind, float) {
                Some(value) => ty.canonical(&value.clamp(ty.min(), ty.max())),
                None if float_is_nan(kind, float) => 0,
                None if float & kind.sign_bit() != 0 => ty.canonical(&ty.min()),
                None => ty.canonical(&ty.max()),
            };
            prop_assert_eq!(float_to_int(kind, float, ty), expected);
        }
    }

    #[test]
    fn big_integers_round_as_the_standard_library_does(value: i128, shift in 0u32..64) {
        prop_assert_eq!(big_to_f64(&BigInt::from(value >> shift)), (value >> shift) as f64);
    }
}

#[test]
fn ties_hidden_in_low_bits() {
    // 2^63 + 2^52 is a tie of f16's neighbours only when nothing lies below.
    let value = (1u64 << 62) + (1 << 51);
    assert_eq!(int_to_float(FloatKind::Bf16, IntTy::U64, (1 << 62) + (1 << 54)), 0x5e80, "tie to even");
    assert_eq!(int_to_float(FloatKind::Bf16, IntTy::U64, (1 << 62) + (1 << 54) + 1), 0x5e81);
    assert_eq!(int_to_float(FloatKind::F16, IntTy::U64, value), FloatKind::F16.infinity());
}

#[test]
fn guide_examples() {
    let f32 = |v| from_f64(FloatKind::F32, v);
    let to_i16 = |v| float_to_int(FloatKind::F32, f32(v), IntTy::I16) as i64;
    assert_eq!((to_i16(11.2), to_i16(10.8), to_i16(-10.8)), (11, 10, -10));
    assert_eq!((to_i16(1e9), to_i16(-1e9), to_i16(f64::NAN)), (32767, -32768, 0));
    assert_eq!(float_to_int(FloatKind::F32, f32(-3.0), IntTy::U16), 0);
}

#[test]
fn vector_conversions_round_to_nearest_even() {
    let to = |v: f64| float_to_xp16(FloatKind::F32, from_f64(FloatKind::F32, v)) as i64;
    assert_eq!((to(2.5), to(3.5), to(-2.5), to(2.6)), (2, 4, -2, 3));
    assert_eq!((to(40000.0), to(-40000.0), to(f64::NAN)), (32767, -32768, 0));
    assert_eq!(xp16_to_float(FloatKind::F16, 0xffff), from_f64(FloatKind::F16, -1.0));
    assert_eq!(xp16_to_float(FloatKind::F32, 0x8000), from_f64(FloatKind::F32, -32768.0));
}

#[test]
fn huge_integers_become_infinite() {
    let huge = BigInt::from(1) << 5000u32;
    assert_eq!(big_to_f64(&-&huge), f64::NEG_INFINITY);
    assert_eq!(big_to_float(FloatKind::F16, &huge), FloatKind::F16.infinity());
    assert_eq!(f64_to_big(f64::INFINITY), None);
    assert_eq!(f64_to_big(-1e20).map(|v| v.to_string()).as_deref(), Some("-100000000000000000000"));
}
