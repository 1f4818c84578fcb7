//! Integers of more than 64 bits at run time: values in memory, of 64-bit limbs with the lowest first, which an operation takes
//! into registers one by one; [`limbs`] computes with them there. The limbs hold more bits than the type where its width is
//! no multiple of 64: those repeat the sign, or are 0.

mod limbs;

use csl_diag::{Code, Span};
use csl_ir::{Addr, BinOp, CmpOp, Inst, Opnd, Scalar, Term, Ty, TypeKind, TypedValue};
use csl_num::IntTy;
use csl_syntax::ast::UnOp;
use num_traits::ToPrimitive;

use crate::context::{Res, Sema};
use crate::operand::Operand;
use limbs::{LIMB, imm, read};

/// The most limbs of an integer that run-time code computes with: a product takes the square of their number in instructions.
const MOST_LIMBS: u32 = 16;

impl Sema<'_> {
    /// The width of an integer type that fits in no register.
    pub fn wide_int(&self, ty: Ty) -> Option<IntTy> {
        match *self.types.kind(ty) {
            TypeKind::Int { signed, bits } if bits > 64 => Some(IntTy { signed, bits }),
            _ => None,
        }
    }

    fn limb_count(&mut self, int: IntTy, span: Span) -> Res<u32> {
        let limbs = int.bits.div_ceil(64);
        if limbs <= MOST_LIMBS {
            return Ok(limbs);
        }
        let most = 64 * MOST_LIMBS;
        let message = format!("run-time code computes with integers of up to {most} bits, this one has {}", int.bits);
        Err(self.error(Code::NotImplemented, span, message))
    }

    /// The limbs of an integer, `count` of them; one of up to 64 bits is extended.
    fn limbs(&mut self, operand: &Operand, count: u32, span: Span) -> Res<Vec<Opnd>> {
        let TypeKind::Int { signed, bits } = *self.types.kind(operand.ty()) else {
            return Err(self.internal(span, "limbs of a value that is no integer").into());
        };
        if let Operand::Const(value) = operand {
            let number = value.value.int().cloned().unwrap_or_default();
            let raw = IntTy { signed: false, bits: 64 * count }.wrap(&number);
            return Ok((0..count)
                .map(|at| imm(IntTy { signed: false, bits: 64 }.wrap(&(&raw >> (64 * at))).to_u64().unwrap_or(0)))
                .collect());
        }
        let mut limbs = match operand {
            Operand::Mem(_, addr) if bits > 64 => {
                let own = bits.div_ceil(64).min(count);
                let load = |at: u32| Addr { offset: addr.offset.wrapping_add(8 * at as i32), base: addr.base.clone() };
                (0..own).map(|at| self.emit_load(LIMB, load(at), span)).collect::<Res<Vec<Opnd>>>()?
            }
            _ => {
                let narrow = self.opnd(operand, span)?;
                let from = self.scalar(operand.ty()).unwrap_or(LIMB);
                vec![self.cast_limb(narrow, from, LIMB, span)?]
            }
        };
        self.extend(&mut limbs, count, signed, span)?;
        Ok(limbs)
    }

    /// The value of type `ty` that has these limbs, once the bits beyond its width are what the type wants.
    fn of_limbs(&mut self, ty: Ty, int: IntTy, mut limbs: Vec<Opnd>, span: Span) -> Res<Operand> {
        let spare = 64 * limbs.len() as u32 - int.bits;
        if spare > 0
            && let Some(top) = limbs.pop()
        {
            let up = self.bin(BinOp::Shl, &top, &imm(spare.into()), span)?;
            limbs.push(match int.signed {
                true => self.shifted_signed(up, spare.into(), span)?,
                false => self.bin(BinOp::Shr, &up, &imm(spare.into()), span)?,
            });
        }
        let place = self.temporary(ty, "", span)?;
        let addr = self.place_addr(&place, span)?;
        self.store_limbs(&addr, limbs, span)?;
        self.load(place, span)
    }

    fn store_limbs(&mut self, addr: &Addr, limbs: Vec<Opnd>, span: Span) -> Res<()> {
        for (at, limb) in limbs.into_iter().enumerate() {
            let addr = Addr { offset: addr.offset.wrapping_add(8 * at as i32), base: addr.base.clone() };
            self.emit(Inst::Store { ty: LIMB, addr, src: limb }, span)?;
        }
        Ok(())
    }

    /// A field of a packed type of more than 64 bits as an unsigned integer of its width.
    pub fn load_wide_bits(
        &mut self,
        addr: &Addr,
        container_bits: u32,
        bit: u32,
        bits: u32,
        span: Span,
    ) -> Res<Operand> {
        let count = self.limb_count(IntTy { signed: false, bits: container_bits }, span)?;
        let backing = self.types.int(false, container_bits);
        let whole = self.limbs(&Operand::Mem(backing, addr.clone()), count, span)?;
        let mut limbs = self.shifted(BinOp::Shr, &whole, bit, &imm(0), span)?;
        limbs.truncate(bits.div_ceil(64).max(1) as usize);
        let (field, int) = (self.types.int(false, bits), IntTy { signed: false, bits });
        match self.scalar(field) {
            Some(to) => Ok(Operand::Reg(field, self.cast_limb(limbs.remove(0), LIMB, to, span)?)),
            None => self.of_limbs(field, int, limbs, span),
        }
    }

    /// Writes a field of a packed type of more than 64 bits: the bits of a scalar, or an integer of the field's width.
    pub fn store_wide_bits(
        &mut self,
        addr: &Addr,
        container_bits: u32,
        bit: u32,
        bits: u32,
        value: &Operand,
        span: Span,
    ) -> Res<()> {
        let int = IntTy { signed: false, bits: container_bits };
        let count = self.limb_count(int, span)?;
        let raw = match (self.scalar(value.ty()), self.types.kind(value.ty())) {
            (Some(_), TypeKind::Float(_)) => {
                let backing = self.types.int(false, bits);
                self.bitcast(value.clone(), backing, span)?
            }
            (Some(scalar), _) => {
                let narrow = self.opnd(value, span)?;
                let limb = self.types.int(false, 64);
                Operand::Reg(limb, self.cast_limb(narrow, scalar, LIMB, span)?)
            }
            (None, _) => value.clone(),
        };
        let field = self.limbs(&raw, count, span)?;
        let moved = self.shifted(BinOp::Shl, &field, bit, &imm(0), span)?;
        let backing = self.types.int(false, container_bits);
        let old = (0..count).map(|at| self.kept_limb(addr, at, span)).collect::<Res<Vec<Opnd>>>()?;
        let ones = (num_bigint::BigInt::from(1u8) << bits) - 1u8;
        let mask = Operand::Const(TypedValue::int(backing, ones << bit));
        let mask = self.limbs(&mask, count, span)?;
        let mut new = Vec::with_capacity(old.len());
        for ((old, moved), mask) in old.iter().zip(&moved).zip(&mask) {
            new.push(self.select(mask, moved, old, span)?);
        }
        self.store_limbs(addr, new, span)
    }

    /// A limb of which bits are kept where others are written.
    fn kept_limb(&mut self, addr: &Addr, at: u32, span: Span) -> Res<Opnd> {
        let addr = Addr { offset: addr.offset.wrapping_add(8 * at as i32), base: addr.base.clone() };
        let dst = self.code(span)?.new_reg(LIMB);
        self.emit(Inst::Load { ty: LIMB, dst, addr, keeps: true }, span)?;
        Ok(Opnd::Reg(dst))
    }

    /// `a op b` of a type of more than 64 bits; the count of a shift has a type of its own.
    pub fn wide_arithmetic(&mut self, op: BinOp, ty: Ty, a: &Operand, b: &Operand, span: Span) -> Res<Operand> {
        let Some(int) = self.wide_int(ty) else { return Err(self.comptime_only(ty, span)) };
        let count = self.limb_count(int, span)?;
        let x = self.limbs(a, count, span)?;
        let limbs = match op {
            BinOp::Shl | BinOp::Shr => self.wide_shift(op, int, x, b, span)?,
            _ => {
                let y = self.limbs(b, count, span)?;
                match op {
                    BinOp::Add => self.add_limbs(&x, &y, imm(0), span)?.0,
                    BinOp::Sub => self.sub_limbs(&x, &y, span)?.0,
                    BinOp::Mul => self.mul_limbs(&x, &y, span)?,
                    BinOp::Div | BinOp::Rem => self.divided(op, int, &x, &y, span)?,
                    _ => x.iter().zip(&y).map(|(x, y)| self.bin(op, x, y, span)).collect::<Res<_>>()?,
                }
            }
        };
        self.of_limbs(ty, int, limbs, span)
    }

    fn wide_shift(&mut self, op: BinOp, int: IntTy, x: Vec<Opnd>, count: &Operand, span: Span) -> Res<Vec<Opnd>> {
        let fill = match x.last().filter(|_| int.signed && op == BinOp::Shr) {
            Some(top) => self.sign(&top.clone(), span)?,
            None => imm(0),
        };
        let width = 64 * x.len() as u32;
        if let Some(by) = count.as_const().and_then(crate::value::u64_of) {
            return match u32::try_from(by).ok().filter(|&by| by < width) {
                Some(by) => self.shifted(op, &x, by, &fill, span),
                None => Ok(vec![if op == BinOp::Shl { imm(0) } else { fill }; x.len()]),
            };
        }
        let by = self.limbs(count, 1, span)?;
        self.shifted_by(op, x, by[0].clone(), &fill, span)
    }

    /// `-` or `~` of a type of more than 64 bits.
    pub fn wide_unary(&mut self, op: UnOp, value: &Operand, int: IntTy, span: Span) -> Res<Operand> {
        let count = self.limb_count(int, span)?;
        let limbs = self.limbs(value, count, span)?;
        let ones = imm(u64::MAX);
        let limbs = match op {
            UnOp::Neg => self.negated_where(&limbs, &ones, span)?,
            _ => self.with_mask(&limbs, &ones, span)?,
        };
        self.of_limbs(value.ty(), int, limbs, span)
    }

    /// `a op b`, as a bool.
    pub fn wide_compare(&mut self, op: CmpOp, int: IntTy, a: &Operand, b: &Operand, span: Span) -> Res<Operand> {
        let count = self.limb_count(int, span)?;
        let (mut x, mut y) = (self.limbs(a, count, span)?, self.limbs(b, count, span)?);
        let result = match op {
            CmpOp::Eq | CmpOp::Ne => {
                let mut differ = imm(0);
                for (x, y) in x.iter().zip(&y) {
                    let bits = self.bin(BinOp::Xor, x, y, span)?;
                    differ = self.bin(BinOp::Or, &differ, &bits, span)?;
                }
                let dst = self.code(span)?.new_reg(Scalar::BOOL);
                self.emit(Inst::Cmp { op, ty: LIMB, dst, a: differ, b: imm(0) }, span)?;
                dst
            }
            _ => {
                // With the sign turned, signed numbers are in the order of unsigned ones.
                for limbs in [&mut x, &mut y].into_iter().filter(|_| int.signed) {
                    if let Some(top) = limbs.pop() {
                        limbs.push(self.bin(BinOp::Xor, &top, &imm(1 << 63), span)?);
                    }
                }
                let swap = matches!(op, CmpOp::Gt | CmpOp::Le);
                let (x, y) = if swap { (y, x) } else { (x, y) };
                let (_, at_least) = self.sub_limbs(&x, &y, span)?;
                let wanted = u64::from(matches!(op, CmpOp::Ge | CmpOp::Le));
                let dst = self.code(span)?.new_reg(Scalar::BOOL);
                self.emit(Inst::Cmp { op: CmpOp::Eq, ty: LIMB, dst, a: at_least, b: imm(wanted) }, span)?;
                dst
            }
        };
        Ok(Operand::Reg(Ty::BOOL, Opnd::Reg(result)))
    }

    /// `@as` from or to a type of more than 64 bits.
    pub fn wide_convert(&mut self, operand: &Operand, ty: Ty, span: Span) -> Res<Operand> {
        let from = operand.ty();
        match (self.types.kind(from).clone(), self.types.kind(ty).clone()) {
            (TypeKind::Bool, TypeKind::Int { .. }) => {
                let byte = self.convert(operand.clone(), Ty::U16, span)?;
                self.wide_convert(&byte, ty, span)
            }
            (TypeKind::Enum { base, .. }, TypeKind::Int { .. }) => {
                let number = self.convert(operand.clone(), base, span)?;
                self.convert(number, ty, span)
            }
            (TypeKind::Int { .. }, TypeKind::Int { signed, bits }) if bits > 64 => {
                let int = IntTy { signed, bits };
                let count = self.limb_count(int, span)?;
                let limbs = self.limbs(operand, count, span)?;
                self.of_limbs(ty, int, limbs, span)
            }
            (TypeKind::Int { .. }, TypeKind::Int { .. } | TypeKind::Enum { .. }) => {
                let low = self.limbs(operand, 1, span)?;
                let limb = self.types.int(false, 64);
                self.convert(Operand::Reg(limb, low[0].clone()), ty, span)
            }
            (TypeKind::Int { signed, bits }, TypeKind::Bool) => {
                let zero = Operand::Const(TypedValue::int(from, 0));
                self.wide_compare(CmpOp::Ne, IntTy { signed, bits }, operand, &zero, span)
            }
            (TypeKind::Int { signed, bits }, TypeKind::Float(_)) => {
                self.wide_to_float(operand, IntTy { signed, bits }, ty, span)
            }
            (TypeKind::Float(_), TypeKind::Int { signed, bits }) => {
                self.float_to_wide(operand, ty, IntTy { signed, bits }, span)
            }
            _ => Err(self.mismatch(from, ty, span)),
        }
    }

    /// A float without its fraction; what is greater than the type holds becomes its greatest or least number, no number 0.
    fn float_to_wide(&mut self, operand: &Operand, ty: Ty, int: IntTy, span: Span) -> Res<Operand> {
        let f32_ty = self.types.intern(TypeKind::Float(csl_num::FloatKind::F32));
        let single = self.convert(operand.clone(), f32_ty, span)?;
        let raw = self.bitcast(single, Ty::U32, span)?;
        let raw = self.limbs(&raw, 1, span)?.remove(0);
        let sign = self.bin(BinOp::Shr, &raw, &imm(31), span)?;
        let sign = self.mask(&sign, span)?;
        let exponent = self.bin(BinOp::Shr, &raw, &imm(23), span)?;
        let exponent = self.bin(BinOp::And, &exponent, &imm(0xff), span)?;
        let fraction = self.bin(BinOp::And, &raw, &imm(0x7f_ffff), span)?;
        let significand = self.bin(BinOp::Or, &fraction, &imm(0x80_0000), span)?;
        // The significand counts 2^(exponent - 150). A subnormal number, whose bit is not there, is less than 1 anyway.
        let up = self.test(CmpOp::Ge, &exponent, &imm(150), span)?;
        let up = self.mask(&up, span)?;
        let left = self.bin(BinOp::Sub, &exponent, &imm(150), span)?;
        let right = self.bin(BinOp::Sub, &imm(0), &left, span)?;
        let left = self.select(&up, &left, &imm(0), span)?;
        let right = self.select(&up, &imm(0), &right, span)?;
        let low = self.bin(BinOp::Shr, &significand, &right, span)?;
        let count = self.limb_count(int, span)?;
        let mut limbs = vec![low];
        limbs.resize(count as usize, imm(0));
        let limbs = self.shifted_by(BinOp::Shl, limbs, left, &imm(0), span)?;
        let mut limbs = self.negated_where(&limbs, &sign, span)?;
        // 2^(exponent - 127) is what the type does not hold; infinity is too great for all.
        let least = (127 + int.bits - u32::from(int.signed)).min(255);
        let over = self.test(CmpOp::Ge, &exponent, &imm(least.into()), span)?;
        let over = self.mask(&over, span)?;
        let is_top = self.test(CmpOp::Eq, &exponent, &imm(0xff), span)?;
        let has_fraction = self.test(CmpOp::Ne, &fraction, &imm(0), span)?;
        let no_number = self.bin(BinOp::And, &is_top, &has_fraction, span)?;
        let mut zero = self.mask(&no_number, span)?;
        if !int.signed {
            zero = self.bin(BinOp::Or, &zero, &sign, span)?;
        }
        let keep = self.bin(BinOp::Xor, &zero, &imm(u64::MAX), span)?;
        let greatest = Operand::Const(TypedValue::int(ty, int.max()));
        let greatest = self.limbs(&greatest, count, span)?;
        let ends = if int.signed { self.with_mask(&greatest, &sign, span)? } else { greatest };
        for (limb, end) in limbs.iter_mut().zip(&ends) {
            let bounded = self.select(&over, end, limb, span)?;
            *limb = self.bin(BinOp::And, &bounded, &keep, span)?;
        }
        self.of_limbs(ty, int, limbs, span)
    }

    /// The nearest float: the size is halved until it fits in a limb, which keeps whether something was lost, and the float
    /// doubled as often.
    fn wide_to_float(&mut self, operand: &Operand, int: IntTy, ty: Ty, span: Span) -> Res<Operand> {
        let Some(float) = self.scalar(ty) else { return Err(self.comptime_only(ty, span)) };
        let count = self.limb_count(int, span)?;
        let limbs = self.limbs(operand, count, span)?;
        let sign = match limbs.last().filter(|_| int.signed) {
            Some(top) => self.sign(&top.clone(), span)?,
            None => imm(0),
        };
        let size = self.negated_where(&limbs, &sign, span)?;
        let (size, times) = (self.new_limbs(&size, span)?, self.new_limbs(&[imm(0)], span)?);
        let [halve, half, convert, double, twice, done] = self.code(span)?.new_blocks();
        self.code(span)?.enter(halve, span);
        let mut above = imm(0);
        for limb in &read(&size)[1..] {
            above = self.bin(BinOp::Or, &above, limb, span)?;
        }
        self.branch_if(CmpOp::Ne, above, (half, convert), span)?;
        self.code(span)?.switch_to(half);
        let lost = self.bin(BinOp::And, &Opnd::Reg(size[0]), &imm(1), span)?;
        let mut less = self.shifted(BinOp::Shr, &read(&size), 1, &imm(0), span)?;
        less[0] = self.bin(BinOp::Or, &less[0], &lost, span)?;
        self.assign(&size, less, span)?;
        let more = self.bin(BinOp::Add, &Opnd::Reg(times[0]), &imm(1), span)?;
        self.assign(&times, vec![more], span)?;
        self.code(span)?.terminate(Term::Jump(halve), span);
        self.code(span)?.switch_to(convert);
        let number = self.code(span)?.new_reg(float);
        let a = Opnd::Reg(size[0]);
        self.emit(Inst::Cast { from: LIMB, to: float, to_bool: false, dst: number, a }, span)?;
        self.code(span)?.enter(double, span);
        self.branch_if(CmpOp::Ne, Opnd::Reg(times[0]), (twice, done), span)?;
        self.code(span)?.switch_to(twice);
        let sum = Inst::Bin { op: BinOp::Add, ty: float, dst: number, a: Opnd::Reg(number), b: Opnd::Reg(number) };
        self.emit(sum, span)?;
        let fewer = self.bin(BinOp::Sub, &Opnd::Reg(times[0]), &imm(1), span)?;
        self.assign(&times, vec![fewer], span)?;
        self.code(span)?.terminate(Term::Jump(double), span);
        self.code(span)?.switch_to(done);
        let [minus, end] = self.code(span)?.new_blocks();
        self.branch_if(CmpOp::Ne, sign, (minus, end), span)?;
        self.code(span)?.switch_to(minus);
        self.emit(Inst::Un { op: csl_ir::UnOp::Neg, ty: float, dst: number, a: Opnd::Reg(number) }, span)?;
        self.code(span)?.enter(end, span);
        Ok(Operand::Reg(ty, Opnd::Reg(number)))
    }

    /// `@bitcast` of more than 64 bits: integers, and the packed structs and unions that have them as backing integers.
    pub fn wide_bitcast(&mut self, operand: &Operand, ty: Ty, bits: u32, span: Span) -> Res<Operand> {
        let backing = self.types.int(false, bits);
        let from = match operand {
            Operand::Mem(from, addr) if self.wide_int(*from).is_none() => Operand::Mem(backing, addr.clone()),
            _ => operand.clone(),
        };
        if self.wide_int(ty).is_some() {
            return self.wide_convert(&from, ty, span);
        }
        let raw = self.wide_convert(&from, backing, span)?;
        Ok(Operand::Mem(ty, self.addr(&raw, span)?))
    }
}
