//! Arithmetic on numbers of several 64-bit limbs in registers, the lowest first.

use csl_diag::Span;
use csl_ir::{BinOp, BlockId, CmpOp, Inst, Opnd, Reg, Scalar, Term};
use csl_num::IntTy;

use crate::context::{Res, Sema};

/// The type of a limb.
pub(super) const LIMB: Scalar = Scalar::Int { signed: false, bits: 64 };
const SIGNED_LIMB: Scalar = Scalar::Int { signed: true, bits: 64 };

pub(super) fn imm(value: u64) -> Opnd {
    Opnd::Imm(value)
}

/// The values of registers.
pub(super) fn read(regs: &[Reg]) -> Vec<Opnd> {
    regs.iter().map(|&reg| Opnd::Reg(reg)).collect()
}

impl Sema<'_> {
    /// `a op b` of limbs.
    pub(super) fn bin(&mut self, op: BinOp, a: &Opnd, b: &Opnd, span: Span) -> Res<Opnd> {
        let dst = self.code(span)?.new_reg(LIMB);
        self.emit(Inst::Bin { op, ty: LIMB, dst, a: a.clone(), b: b.clone() }, span)?;
        Ok(Opnd::Reg(dst))
    }

    /// Whether `a op b`, as a limb that is 0 or 1.
    pub(super) fn test(&mut self, op: CmpOp, a: &Opnd, b: &Opnd, span: Span) -> Res<Opnd> {
        let flag = self.code(span)?.new_reg(Scalar::BOOL);
        self.emit(Inst::Cmp { op, ty: LIMB, dst: flag, a: a.clone(), b: b.clone() }, span)?;
        self.cast_limb(Opnd::Reg(flag), Scalar::BOOL, LIMB, span)
    }

    pub(super) fn cast_limb(&mut self, a: Opnd, from: Scalar, to: Scalar, span: Span) -> Res<Opnd> {
        let dst = self.code(span)?.new_reg(to);
        self.emit(Inst::Cast { from, to, to_bool: false, dst, a }, span)?;
        Ok(Opnd::Reg(dst))
    }

    /// Branches to the first block where `a op 0`, else to the second.
    pub(super) fn branch_if(
        &mut self,
        op: CmpOp,
        a: Opnd,
        (then, otherwise): (BlockId, BlockId),
        span: Span,
    ) -> Res<()> {
        let cond = self.code(span)?.new_reg(Scalar::BOOL);
        self.emit(Inst::Cmp { op, ty: LIMB, dst: cond, a, b: imm(0) }, span)?;
        self.code(span)?.terminate(Term::Branch { cond: Opnd::Reg(cond), then, otherwise }, span);
        Ok(())
    }

    /// Registers of their own for limbs that change.
    pub(super) fn new_limbs(&mut self, from: &[Opnd], span: Span) -> Res<Vec<Reg>> {
        let mut regs = Vec::with_capacity(from.len());
        for limb in from {
            let dst = self.code(span)?.new_reg(LIMB);
            self.emit(Inst::Copy { dst, src: limb.clone() }, span)?;
            regs.push(dst);
        }
        Ok(regs)
    }

    pub(super) fn assign(&mut self, regs: &[Reg], from: Vec<Opnd>, span: Span) -> Res<()> {
        for (&dst, src) in regs.iter().zip(from) {
            self.emit(Inst::Copy { dst, src }, span)?;
        }
        Ok(())
    }

    /// Adds limbs up to `count`, which repeat the sign or are 0.
    pub(super) fn extend(&mut self, limbs: &mut Vec<Opnd>, count: u32, signed: bool, span: Span) -> Res<()> {
        let fill = match limbs.last().filter(|_| signed && limbs.len() < count as usize) {
            Some(top) => self.sign(&top.clone(), span)?,
            None => imm(0),
        };
        limbs.resize(count as usize, fill);
        Ok(())
    }

    /// All ones where the highest bit is set, else 0.
    pub(super) fn sign(&mut self, top: &Opnd, span: Span) -> Res<Opnd> {
        self.shifted_signed(top.clone(), 63, span)
    }

    pub(super) fn shifted_signed(&mut self, limb: Opnd, by: u64, span: Span) -> Res<Opnd> {
        let signed = self.cast_limb(limb, LIMB, SIGNED_LIMB, span)?;
        let dst = self.code(span)?.new_reg(SIGNED_LIMB);
        self.emit(Inst::Bin { op: BinOp::Shr, ty: SIGNED_LIMB, dst, a: signed, b: imm(by) }, span)?;
        self.cast_limb(Opnd::Reg(dst), SIGNED_LIMB, LIMB, span)
    }

    /// `a + b + carry`, and the carry out.
    pub(super) fn add_limbs(&mut self, a: &[Opnd], b: &[Opnd], mut carry: Opnd, span: Span) -> Res<(Vec<Opnd>, Opnd)> {
        let mut sum = Vec::with_capacity(a.len());
        for (a, b) in a.iter().zip(b) {
            let once = self.bin(BinOp::Add, a, b, span)?;
            let first = self.test(CmpOp::Lt, &once, a, span)?;
            let twice = self.bin(BinOp::Add, &once, &carry, span)?;
            let second = self.test(CmpOp::Lt, &twice, &once, span)?;
            carry = self.bin(BinOp::Or, &first, &second, span)?;
            sum.push(twice);
        }
        Ok((sum, carry))
    }

    /// `a - b`, and 1 where nothing was borrowed: where `a >= b`.
    pub(super) fn sub_limbs(&mut self, a: &[Opnd], b: &[Opnd], span: Span) -> Res<(Vec<Opnd>, Opnd)> {
        let inverted = self.with_mask(b, &imm(u64::MAX), span)?;
        self.add_limbs(a, &inverted, imm(1), span)
    }

    /// The limbs, each of their bits turned where that of `mask` is 1.
    pub(super) fn with_mask(&mut self, limbs: &[Opnd], mask: &Opnd, span: Span) -> Res<Vec<Opnd>> {
        limbs.iter().map(|limb| self.bin(BinOp::Xor, limb, mask, span)).collect()
    }

    /// The negative where `mask` is all ones, the same where it is 0.
    pub(super) fn negated_where(&mut self, limbs: &[Opnd], mask: &Opnd, span: Span) -> Res<Vec<Opnd>> {
        let inverted = self.with_mask(limbs, mask, span)?;
        let carry = self.bin(BinOp::And, mask, &imm(1), span)?;
        let zeros = vec![imm(0); limbs.len()];
        Ok(self.add_limbs(&inverted, &zeros, carry, span)?.0)
    }

    /// All ones where a limb is 1, 0 where it is 0.
    pub(super) fn mask(&mut self, bit: &Opnd, span: Span) -> Res<Opnd> {
        self.bin(BinOp::Sub, &imm(0), bit, span)
    }

    /// `a` where `mask` is all ones, `b` where it is 0.
    pub(super) fn select(&mut self, mask: &Opnd, a: &Opnd, b: &Opnd, span: Span) -> Res<Opnd> {
        let differ = self.bin(BinOp::Xor, a, b, span)?;
        let taken = self.bin(BinOp::And, &differ, mask, span)?;
        self.bin(BinOp::Xor, b, &taken, span)
    }

    /// A product, as far as it fits in as many limbs.
    pub(super) fn mul_limbs(&mut self, a: &[Opnd], b: &[Opnd], span: Span) -> Res<Vec<Opnd>> {
        let (a, b) = (self.digits(a, span)?, self.digits(b, span)?);
        let count = a.len();
        let mut product = vec![imm(0); count];
        for (low, x) in a.iter().enumerate() {
            let mut carry = imm(0);
            for (y, digit) in b.iter().zip(&mut product[low..]) {
                // The greatest sum, (2^32 - 1)^2 + 2 (2^32 - 1), fits.
                let partial = self.bin(BinOp::Mul, x, y, span)?;
                let partial = self.bin(BinOp::Add, &partial, digit, span)?;
                let partial = self.bin(BinOp::Add, &partial, &carry, span)?;
                *digit = self.bin(BinOp::And, &partial, &imm(u32::MAX.into()), span)?;
                carry = self.bin(BinOp::Shr, &partial, &imm(32), span)?;
            }
        }
        let mut limbs = Vec::with_capacity(count / 2);
        for pair in product.chunks_exact(2) {
            let high = self.bin(BinOp::Shl, &pair[1], &imm(32), span)?;
            limbs.push(self.bin(BinOp::Or, &pair[0], &high, span)?);
        }
        Ok(limbs)
    }

    /// The halves of the limbs.
    fn digits(&mut self, limbs: &[Opnd], span: Span) -> Res<Vec<Opnd>> {
        let mut digits = Vec::with_capacity(2 * limbs.len());
        for limb in limbs {
            digits.push(self.bin(BinOp::And, limb, &imm(u32::MAX.into()), span)?);
            digits.push(self.bin(BinOp::Shr, limb, &imm(32), span)?);
        }
        Ok(digits)
    }

    /// A shift by a known number of bits below the width of all limbs; `fill` comes in at the top of a shift right.
    pub(super) fn shifted(&mut self, op: BinOp, limbs: &[Opnd], by: u32, fill: &Opnd, span: Span) -> Res<Vec<Opnd>> {
        let (whole, part) = ((by / 64) as usize, u64::from(by % 64));
        let left = op == BinOp::Shl;
        let source = |at: usize, further: usize| -> Opnd {
            let outside = if left { imm(0) } else { fill.clone() };
            let from = if left { at.checked_sub(whole + further) } else { Some(at + whole + further) };
            from.and_then(|from| limbs.get(from)).cloned().unwrap_or(outside)
        };
        let back = if left { BinOp::Shr } else { BinOp::Shl };
        let mut result = Vec::with_capacity(limbs.len());
        for at in 0..limbs.len() {
            let near = source(at, 0);
            result.push(match part {
                0 => near,
                _ => {
                    let near = self.bin(op, &near, &imm(part), span)?;
                    let far = self.bin(back, &source(at, 1), &imm(64 - part), span)?;
                    self.bin(BinOp::Or, &near, &far, span)?
                }
            });
        }
        Ok(result)
    }

    /// A shift by a count that only run-time code knows: a step for each bit of the count.
    pub(super) fn shifted_by(
        &mut self,
        op: BinOp,
        limbs: Vec<Opnd>,
        count: Opnd,
        fill: &Opnd,
        span: Span,
    ) -> Res<Vec<Opnd>> {
        let width = 64 * limbs.len() as u32;
        let mut limbs = limbs;
        let mut step = 1;
        while step < width {
            let bit = self.bin(BinOp::Shr, &count, &imm(step.trailing_zeros().into()), span)?;
            let bit = self.bin(BinOp::And, &bit, &imm(1), span)?;
            let mask = self.mask(&bit, span)?;
            let moved = self.shifted(op, &limbs, step, fill, span)?;
            for (limb, moved) in limbs.iter_mut().zip(&moved) {
                *limb = self.select(&mask, moved, limb, span)?;
            }
            step *= 2;
        }
        // A greater count leaves nothing.
        let outside = if op == BinOp::Shl { imm(0) } else { fill.clone() };
        let inside = self.test(CmpOp::Lt, &count, &imm(step.into()), span)?;
        let mask = self.mask(&inside, span)?;
        for limb in &mut limbs {
            *limb = self.select(&mask, limb, &outside, span)?;
        }
        Ok(limbs)
    }

    /// Quotient and remainder of unsigned numbers, a bit each time round a loop.
    fn div_limbs(&mut self, a: &[Opnd], b: &[Opnd], span: Span) -> Res<(Vec<Opnd>, Vec<Opnd>)> {
        let mut any = imm(0);
        for limb in b {
            any = self.bin(BinOp::Or, &any, limb, span)?;
        }
        // This stops the program where the divisor is 0, as a division in registers does.
        let nothing = self.bin(BinOp::Rem, &any, &any, span)?;
        let start = self.bin(BinOp::Add, &nothing, &imm(64 * a.len() as u64), span)?;
        let (left, quotient) = (self.new_limbs(&[start], span)?, self.new_limbs(a, span)?);
        let rest = self.new_limbs(&vec![imm(0); a.len()], span)?;
        let [again, done] = self.code(span)?.new_blocks();
        self.code(span)?.enter(again, span);
        let whole: Vec<Opnd> = read(&quotient).into_iter().chain(read(&rest)).collect();
        let over = self.bin(BinOp::Shr, &whole[whole.len() - 1], &imm(63), span)?;
        let mut moved = self.shifted(BinOp::Shl, &whole, 1, &imm(0), span)?;
        let high = moved.split_off(a.len());
        let (less, fits) = self.sub_limbs(&high, b, span)?;
        let fits = self.bin(BinOp::Or, &fits, &over, span)?;
        let mask = self.mask(&fits, span)?;
        let mut kept = Vec::with_capacity(high.len());
        for (high, less) in high.iter().zip(&less) {
            kept.push(self.select(&mask, less, high, span)?);
        }
        moved[0] = self.bin(BinOp::Or, &moved[0], &fits, span)?;
        self.assign(&rest, kept, span)?;
        self.assign(&quotient, moved, span)?;
        let next = self.bin(BinOp::Sub, &Opnd::Reg(left[0]), &imm(1), span)?;
        self.assign(&left, vec![next.clone()], span)?;
        let more = self.code(span)?.new_reg(Scalar::BOOL);
        self.emit(Inst::Cmp { op: CmpOp::Ne, ty: LIMB, dst: more, a: next, b: imm(0) }, span)?;
        let code = self.code(span)?;
        code.terminate(Term::Branch { cond: Opnd::Reg(more), then: again, otherwise: done }, span);
        code.switch_to(done);
        Ok((read(&quotient), read(&rest)))
    }

    /// Quotient or remainder of numbers with or without a sign.
    pub(super) fn divided(&mut self, op: BinOp, int: IntTy, a: &[Opnd], b: &[Opnd], span: Span) -> Res<Vec<Opnd>> {
        let zero = imm(0);
        let (sign_a, sign_b) = match (int.signed, a.last(), b.last()) {
            (true, Some(top_a), Some(top_b)) => (self.sign(top_a, span)?, self.sign(top_b, span)?),
            _ => (zero.clone(), zero),
        };
        let (size_a, size_b) = match int.signed {
            true => (self.negated_where(a, &sign_a, span)?, self.negated_where(b, &sign_b, span)?),
            false => (a.to_vec(), b.to_vec()),
        };
        let (quotient, rest) = self.div_limbs(&size_a, &size_b, span)?;
        if !int.signed {
            return Ok(if op == BinOp::Div { quotient } else { rest });
        }
        match op {
            BinOp::Div => {
                let mask = self.bin(BinOp::Xor, &sign_a, &sign_b, span)?;
                self.negated_where(&quotient, &mask, span)
            }
            _ => self.negated_where(&rest, &sign_a, span),
        }
    }
}
