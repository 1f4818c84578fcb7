//! `comptime_int` arithmetic: arbitrary precision, two's complement for bit operations on negative values.

use crate::{IntOp, Trap};
use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// The largest comptime shift count, so that no program can ask for unbounded memory.
pub const MAX_SHIFT: u32 = 1 << 20;

/// `op` on exact integers. Division truncates, the remainder has the dividend's sign, and `>>` rounds towards
/// negative infinity as an arithmetic shift does.
pub fn big_binop(op: IntOp, a: &BigInt, b: &BigInt) -> Result<BigInt, Trap> {
    Ok(match op {
        IntOp::Add => a + b,
        IntOp::Sub => a - b,
        IntOp::Mul => a * b,
        IntOp::Div | IntOp::Rem if b.is_zero() => return Err(Trap::DivisionByZero),
        IntOp::Div => a / b,
        IntOp::Rem => a % b,
        IntOp::Shl => shift_left(a, b)?,
        IntOp::Shr => shift_right(a, b)?,
        IntOp::And => a & b,
        IntOp::Or => a | b,
        IntOp::Xor => a ^ b,
    })
}

fn shift_left(a: &BigInt, count: &BigInt) -> Result<BigInt, Trap> {
    match count.to_u32() {
        Some(count) if count <= MAX_SHIFT => Ok(a << count),
        _ if a.is_zero() && !count.is_negative() => Ok(BigInt::zero()),
        _ => Err(Trap::ShiftCount),
    }
}

fn shift_right(a: &BigInt, count: &BigInt) -> Result<BigInt, Trap> {
    match count.to_u32() {
        Some(count) => Ok(a >> count),
        None if count.is_negative() => Err(Trap::ShiftCount),
        None if a.is_negative() => Ok(-BigInt::one()),
        None => Ok(BigInt::zero()),
    }
}

/// `~a`, which is -a - 1.
pub fn big_not(a: &BigInt) -> BigInt {
    -a - 1
}
