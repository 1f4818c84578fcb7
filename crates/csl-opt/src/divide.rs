//! Division and remainder by constants: shifts and masks for powers of two, a multiplication with the reciprocal and a shift
//! for other integers, a multiplication for floats whose reciprocal is exact.

use csl_ir::{BinOp, Func, Inst, Opnd, Reg, Scalar, Site};
use csl_num::FloatKind;

use crate::edit::new_reg;
use crate::pool::Around;

/// Runs the pass on a function; whether anything changed.
pub fn run(around: &Around, func: &mut Func) -> bool {
    let mut changed = false;
    for block in 0..func.blocks.len() {
        if !func.blocks[block].insts.iter().any(is_division) {
            continue;
        }
        let insts = std::mem::take(&mut func.blocks[block].insts);
        let sites = std::mem::take(&mut func.blocks[block].sites);
        let mut made = Made { func, insts: Vec::new(), sites: Vec::new(), site: None };
        for (inst, site) in insts.into_iter().zip(sites) {
            made.site = Some(site);
            if made.divide(around, &inst) {
                changed = true;
            } else {
                made.push(inst);
            }
        }
        let Made { insts, sites, .. } = made;
        (func.blocks[block].insts, func.blocks[block].sites) = (insts, sites);
    }
    changed
}

fn is_division(inst: &Inst) -> bool {
    matches!(inst, Inst::Bin { op: BinOp::Div | BinOp::Rem, b: Opnd::Imm(_), .. })
}

/// The instructions of a block under construction.
struct Made<'a> {
    func: &'a mut Func,
    insts: Vec<Inst>,
    sites: Vec<Site>,
    site: Option<Site>,
}

impl Made<'_> {
    fn push(&mut self, inst: Inst) {
        self.insts.push(inst);
        self.sites.extend(self.site);
    }

    fn bin(&mut self, op: BinOp, ty: Scalar, a: impl Into<Value>, b: impl Into<Value>) -> Reg {
        let dst = new_reg(self.func, ty);
        self.push(Inst::Bin { op, ty, dst, a: a.into().0, b: b.into().0 });
        dst
    }

    fn cast(&mut self, from: Scalar, to: Scalar, a: impl Into<Value>) -> Reg {
        let dst = new_reg(self.func, to);
        self.push(Inst::Cast { from, to, to_bool: false, dst, a: a.into().0 });
        dst
    }

    /// Writes a cheaper form of the instruction; whether there is one.
    fn divide(&mut self, around: &Around, inst: &Inst) -> bool {
        let Inst::Bin { op, ty, dst, a, b: Opnd::Imm(by) } = inst else { return false };
        match (op, ty) {
            (BinOp::Div, Scalar::F32) => self.reciprocal(FloatKind::F32, *ty, *dst, a, *by),
            (BinOp::Div, Scalar::Half) => self.reciprocal(around.fp16, *ty, *dst, a, *by),
            (BinOp::Div | BinOp::Rem, Scalar::Int { signed, bits }) => {
                if *op == BinOp::Rem && self.masked(*signed, *ty, *dst, a, *by) {
                    return true;
                }
                let Some(quotient) = self.quotient(*signed, u32::from(*bits), a, *by) else { return false };
                if *op == BinOp::Div {
                    self.push(Inst::Copy { dst: *dst, src: Opnd::Reg(quotient) });
                } else {
                    let product = self.bin(BinOp::Mul, *ty, quotient, *by);
                    self.push(Inst::Bin { op: BinOp::Sub, ty: *ty, dst: *dst, a: a.clone(), b: Opnd::Reg(product) });
                }
                true
            }
            _ => false,
        }
    }

    /// The remainder of an unsigned division by a power of two.
    fn masked(&mut self, signed: bool, ty: Scalar, dst: Reg, a: &Opnd, by: u64) -> bool {
        let fits = !signed && by.is_power_of_two();
        if fits {
            self.push(Inst::Bin { op: BinOp::And, ty, dst, a: a.clone(), b: Opnd::Imm(by - 1) });
        }
        fits
    }

    fn reciprocal(&mut self, kind: FloatKind, ty: Scalar, dst: Reg, a: &Opnd, by: u64) -> bool {
        let Some(factor) = exact_reciprocal(kind, by) else { return false };
        self.push(Inst::Bin { op: BinOp::Mul, ty, dst, a: a.clone(), b: Opnd::Imm(factor) });
        true
    }

    fn quotient(&mut self, signed: bool, bits: u32, a: &Opnd, by: u64) -> Option<Reg> {
        let ty = Scalar::Int { signed, bits: bits as u8 };
        if by < 2 || signed && by as i64 <= 1 {
            return None;
        }
        if by.is_power_of_two() {
            let shift = u64::from(by.trailing_zeros());
            if !signed {
                return Some(self.bin(BinOp::Shr, ty, a, shift));
            }
            // Rounds towards zero: a negative dividend is raised by the divisor less one first.
            let sign = self.bin(BinOp::Shr, ty, a, u64::from(bits) - 1);
            let raise = self.bin(BinOp::And, ty, sign, by - 1);
            let raised = self.bin(BinOp::Add, ty, a, raise);
            return Some(self.bin(BinOp::Shr, ty, raised, shift));
        }
        match bits {
            ..=32 if signed => Some(self.signed_quotient(ty, bits, a, by)),
            ..=32 => Some(self.unsigned_quotient(ty, bits, a, by)),
            _ => None,
        }
    }

    /// `a * ceil(2^s / by) >> s` with the least s for which the error stays below a unit, for any `a`.
    fn unsigned_quotient(&mut self, ty: Scalar, bits: u32, a: &Opnd, by: u64) -> Reg {
        let is_exact = |shift: &u32| {
            let factor = (1u128 << shift).div_ceil(u128::from(by));
            factor * u128::from(by) - (1 << shift) <= 1 << (shift - bits)
        };
        let shift = (bits..=2 * bits).find(is_exact).expect("twice the width is always enough");
        let factor = (1u128 << shift).div_ceil(u128::from(by));
        let fits = |width: u32| factor < 1 << (width - bits);
        if let Some(width) = [32, 64].into_iter().find(|&width| width > bits && fits(width)) {
            let wide = Scalar::Int { signed: false, bits: width as u8 };
            let value = self.cast(ty, wide, a);
            let product = self.bin(BinOp::Mul, wide, value, factor as u64);
            let quotient = self.bin(BinOp::Shr, wide, product, u64::from(shift));
            return self.cast(wide, ty, quotient);
        }
        // The factor has 33 bits: the product with its highest bit is an addition.
        let wide = Scalar::Int { signed: false, bits: 64 };
        let value = self.cast(ty, wide, a);
        let product = self.bin(BinOp::Mul, wide, value, (factor - (1 << 32)) as u64);
        let high = self.bin(BinOp::Shr, wide, product, 32);
        let sum = self.bin(BinOp::Add, wide, value, high);
        let quotient = self.bin(BinOp::Shr, wide, sum, u64::from(shift) - 32);
        self.cast(wide, ty, quotient)
    }

    /// The quotient of signed numbers by the same method: rounded down, plus one for negative dividends.
    fn signed_quotient(&mut self, ty: Scalar, bits: u32, a: &Opnd, by: u64) -> Reg {
        let shift = bits - 1 + by.ilog2() + 1;
        let factor = (1u128 << shift) / u128::from(by) + 1;
        let wide = Scalar::Int { signed: true, bits: if bits <= 16 { 32 } else { 64 } };
        let value = self.cast(ty, wide, a);
        let product = self.bin(BinOp::Mul, wide, value, factor as u64);
        let down = self.bin(BinOp::Shr, wide, product, u64::from(shift));
        let quotient = self.cast(wide, ty, down);
        let sign = self.bin(BinOp::Shr, ty, a, u64::from(bits) - 1);
        self.bin(BinOp::Sub, ty, quotient, sign)
    }
}

/// An operand of an instruction under construction.
struct Value(Opnd);

impl From<Reg> for Value {
    fn from(reg: Reg) -> Value {
        Value(Opnd::Reg(reg))
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Value {
        Value(Opnd::Imm(value))
    }
}

impl From<&Opnd> for Value {
    fn from(operand: &Opnd) -> Value {
        Value(operand.clone())
    }
}

/// `1 / value` where both are powers of two and normal numbers. Then the product and the quotient are the same number
/// before rounding.
fn exact_reciprocal(kind: FloatKind, value: u64) -> Option<u64> {
    let (exponent_bits, fraction_bits) = match kind {
        FloatKind::F32 => (8, 23),
        FloatKind::F16 => (5, 10),
        FloatKind::Bf16 => (8, 7),
        FloatKind::Cb16 => (6, 9),
    };
    let exponent_mask = (1u64 << exponent_bits) - 1;
    let exponent = value >> fraction_bits & exponent_mask;
    let is_power = value & ((1 << fraction_bits) - 1) == 0;
    let one = csl_num::int_to_float(kind, csl_num::IntTy::new(false, 16), 1) >> fraction_bits & exponent_mask;
    let inverse = (2 * one).checked_sub(exponent)?;
    let is_normal = |exponent: u64| (1..exponent_mask).contains(&exponent);
    let sign = value >> (exponent_bits + fraction_bits) << (exponent_bits + fraction_bits);
    (is_power && is_normal(exponent) && is_normal(inverse)).then_some(sign | inverse << fraction_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocals_of_powers_of_two_are_exact() {
        let bits = |value: f32| u64::from(value.to_bits());
        assert_eq!(exact_reciprocal(FloatKind::F32, bits(4.0)), Some(bits(0.25)));
        assert_eq!(exact_reciprocal(FloatKind::F32, bits(-0.5)), Some(bits(-2.0)));
        assert_eq!(exact_reciprocal(FloatKind::F32, bits(3.0)), None);
        assert_eq!(exact_reciprocal(FloatKind::F32, bits(0.0)), None);
        // The reciprocal would be subnormal.
        assert_eq!(exact_reciprocal(FloatKind::F32, bits(2f32.powi(127))), None);
        assert_eq!(exact_reciprocal(FloatKind::F16, 0x4000), Some(0x3800));
    }
}
