//! Strings, which only exist at comptime.

use csl_diag::Code;
use csl_ir::{ArrayValue, Ty, TypedValue, Value};
use num_bigint::BigInt;

use super::Call;
use super::args::int_value;
use crate::context::{Res, Sema};
use crate::operand::Operand;

pub(super) fn strcat(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    // Far above any text, and far below the size that would exhaust our memory.
    const MOST: usize = 1 << 24;
    let mut all = Vec::new();
    for index in 0..call.args.len() {
        all.extend_from_slice(&call.bytes(s, index)?);
        if all.len() > MOST {
            return Err(s.error(Code::QuotaExceeded, call.span, format!("a string can have {MOST} bytes at most")));
        }
    }
    Ok(TypedValue::str(&all).into())
}

pub(super) fn strlen(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let len = call.bytes(s, 0)?.len();
    Ok(int_value(Ty::COMPTIME_INT, len))
}

pub(super) fn get_array(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let bytes = call.bytes(s, 0)?;
    let elems = bytes.iter().map(|&b| Value::Int(BigInt::from(b))).collect();
    let ty = s.types.array(vec![bytes.len() as u64], Ty::U8);
    Ok(TypedValue::new(ty, Value::Array(ArrayValue::Elems(elems).into())).into())
}

pub(super) fn get_string_from_byte(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let value = call.int(s, 0)?;
    match u8::try_from(value) {
        Ok(byte) => Ok(TypedValue::str(&[byte]).into()),
        Err(_) => {
            let message = format!("{value} does not fit in one byte");
            Err(s.error(Code::NotRepresentable, call.arg_span(0), message))
        }
    }
}
