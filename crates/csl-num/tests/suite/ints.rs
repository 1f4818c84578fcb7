use csl_num::{IntOp, IntTy, Trap, big_binop, int_binop, int_cmp, int_neg, int_not, wrap64};
use num_bigint::BigInt;
use proptest::prelude::*;

fn types() -> impl Strategy<Value = IntTy> {
    (any::<bool>(), 1u32..=64).prop_map(|(signed, bits)| IntTy::new(signed, bits))
}

/// The reference: computed in i128, then wrapped.
fn reference(op: IntOp, ty: IntTy, a: i128, b: i128) -> Option<i128> {
    Some(match op {
        IntOp::Add => a + b,
        IntOp::Sub => a - b,
        IntOp::Mul => a.wrapping_mul(b),
        IntOp::Div => a.checked_div(b)?,
        IntOp::Rem => a.checked_rem(b)?,
        IntOp::Shl if b >= i128::from(ty.bits) => 0,
        IntOp::Shl => a << b,
        IntOp::Shr => a >> b.min(127),
        IntOp::And => a & b,
        IntOp::Or => a | b,
        IntOp::Xor => a ^ b,
    })
}

fn value(ty: IntTy, canonical: u64) -> i128 {
    if ty.signed { i128::from(canonical as i64) } else { i128::from(canonical) }
}

proptest! {
    #[test]
    fn operators_agree_with_i128(ty in types(), a: u64, b: u64, small in 0u64..70) {
        for op in IntOp::ALL {
            let shift = matches!(op, IntOp::Shl | IntOp::Shr);
            let a = wrap64(ty, a);
            let b = if shift { small } else { wrap64(ty, b) };
            let expected = reference(op, ty, value(ty, a), if shift { i128::from(b) } else { value(ty, b) });
            let expected = expected.map(|v| wrap64(ty, v as u64)).ok_or(Trap::DivisionByZero);
            prop_assert_eq!(int_binop(op, ty, a, b), expected, "{:?} {}", op, ty);
        }
    }

    #[test]
    fn comptime_and_run_time_agree(ty in types(), a: u64, b: u64, small in 0u64..70) {
        let (a, b) = (wrap64(ty, a), wrap64(ty, b));
        for op in IntOp::ALL {
            let b = if matches!(op, IntOp::Shl | IntOp::Shr) { small } else { b };
            let b_ty = if matches!(op, IntOp::Shl | IntOp::Shr) { IntTy::U16 } else { ty };
            let big = big_binop(op, &ty.to_big(a), &b_ty.to_big(b)).map(|v| ty.canonical(&v));
            prop_assert_eq!(int_binop(op, ty, a, b), big, "{:?} {}", op, ty);
        }
        prop_assert_eq!(int_neg(ty, a), ty.canonical(&-ty.to_big(a)));
        prop_assert_eq!(int_not(ty, a), ty.canonical(&csl_num::big_not(&ty.to_big(a))));
        prop_assert_eq!(int_cmp(ty, a, b), ty.to_big(a).cmp(&ty.to_big(b)));
    }

    #[test]
    fn wrapping_keeps_what_fits(ty in types(), a: u64) {
        let a = wrap64(ty, a);
        let big = ty.to_big(a);
        prop_assert!(ty.fits(&big));
        prop_assert_eq!(ty.wrap(&big), big.clone());
        let modulus = BigInt::from(1) << ty.bits;
        prop_assert_eq!(ty.wrap(&(&big + &modulus)), big.clone());
        prop_assert_eq!(ty.wrap(&(&big - modulus)), big);
    }
}

#[test]
fn edges() {
    let i16_min = wrap64(IntTy::I16, 0x8000);
    assert_eq!(int_binop(IntOp::Div, IntTy::I16, i16_min, u64::MAX), Ok(i16_min), "MIN / -1 wraps");
    assert_eq!(int_binop(IntOp::Div, IntTy::I64, 1 << 63, u64::MAX), Ok(1 << 63));
    assert_eq!(int_binop(IntOp::Rem, IntTy::I64, 1 << 63, u64::MAX), Ok(0));
    assert_eq!(int_binop(IntOp::Rem, IntTy::I16, -7i64 as u64, 3), Ok(-1i64 as u64), "sign of the dividend");
    assert_eq!(int_binop(IntOp::Div, IntTy::U16, 1, 0), Err(Trap::DivisionByZero));
    assert_eq!(int_binop(IntOp::Shl, IntTy::U16, 1, 16), Ok(0));
    assert_eq!(int_binop(IntOp::Shr, IntTy::I16, i16_min, 1 << 40), Ok(u64::MAX), "fills with the sign");
    assert_eq!(int_binop(IntOp::Add, IntTy::U16, 0xffff, 1), Ok(0));
}

#[test]
fn zero_width_integers_have_one_value() {
    for ty in [IntTy::new(false, 0), IntTy::new(true, 0)] {
        assert_eq!((ty.min(), ty.max()), (BigInt::from(0), BigInt::from(0)));
        assert_eq!(wrap64(ty, 0xdead), 0);
    }
}

#[test]
fn comptime_integers_follow_twos_complement() {
    let op = |op, a: i64, b: i64| big_binop(op, &a.into(), &b.into()).map(|v| v.to_string());
    assert_eq!(op(IntOp::And, -1, 255), Ok("255".into()));
    assert_eq!(op(IntOp::Xor, -1, 5), Ok("-6".into()));
    assert_eq!(op(IntOp::Shr, -5, 1), Ok("-3".into()));
    assert_eq!(op(IntOp::Shr, -5, i64::MAX), Ok("-1".into()));
    assert_eq!(op(IntOp::Div, -7, 2), Ok("-3".into()));
    assert_eq!(op(IntOp::Rem, -7, 2), Ok("-1".into()));
    assert_eq!(op(IntOp::Shl, 1, 70), Ok((1u128 << 70).to_string()));
    assert_eq!(op(IntOp::Shl, 1, i64::MAX), Err(Trap::ShiftCount));
    assert_eq!(op(IntOp::Shr, 1, -1), Err(Trap::ShiftCount));
    assert_eq!(op(IntOp::Rem, 1, 0), Err(Trap::DivisionByZero));
}
