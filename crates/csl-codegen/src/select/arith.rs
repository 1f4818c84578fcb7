//! Selects arithmetic, comparisons and casts.

use csl_ir::{BinOp, CmpOp, Inst, MathFn, Opnd, Reg, Scalar, UnOp};
use csl_isa::{IntCode, Op};
use csl_num::LowBits;

use crate::func::FnGen;

/// The families of operations that exist for i16, u16, i32, u32 and 64 bits.
const ADD: [Op; 5] = [Op::AddI16, Op::AddU16, Op::AddI32, Op::AddU32, Op::Add64];
const SUB: [Op; 5] = [Op::SubI16, Op::SubU16, Op::SubI32, Op::SubU32, Op::Sub64];
const MUL: [Op; 5] = [Op::MulI16, Op::MulU16, Op::MulI32, Op::MulU32, Op::Mul64];
const ADD_IMM: [Op; 5] = [Op::AddI16Imm, Op::AddU16Imm, Op::AddI32Imm, Op::AddU32Imm, Op::Add64Imm];
const MUL_IMM: [Op; 5] = [Op::MulI16Imm, Op::MulU16Imm, Op::MulI32Imm, Op::MulU32Imm, Op::Mul64Imm];

const FLOAT_OPS: [(BinOp, Op, Op); 5] = [
    (BinOp::Add, Op::AddF32, Op::AddHalf),
    (BinOp::Sub, Op::SubF32, Op::SubHalf),
    (BinOp::Mul, Op::MulF32, Op::MulHalf),
    (BinOp::Div, Op::DivF32, Op::DivHalf),
    (BinOp::Rem, Op::RemF32, Op::RemHalf),
];

/// An integer type as instruction selection sees it.
#[derive(Clone, Copy)]
struct IntTy {
    signed: bool,
    bits: u8,
}

impl IntTy {
    fn of(ty: Scalar) -> IntTy {
        match ty {
            Scalar::Int { signed, bits } => IntTy { signed, bits },
            Scalar::Half => IntTy { signed: false, bits: 16 },
            Scalar::F32 => IntTy { signed: false, bits: 32 },
            Scalar::Dsd => IntTy { signed: false, bits: 64 },
        }
    }

    /// The member of a family, and whether the result still has to be wrapped.
    fn member(self, family: [Op; 5]) -> (Op, bool) {
        match (self.signed, self.bits) {
            (true, 16) => (family[0], false),
            (false, 16) => (family[1], false),
            (true, 32) => (family[2], false),
            (false, 32) => (family[3], false),
            (_, bits) => (family[4], bits != 64),
        }
    }

    fn code(self) -> u16 {
        IntCode::new(self.signed, self.bits).0
    }

    /// The constant as a 16-bit immediate that is equal to it modulo the type's width.
    fn immediate(self, value: u64) -> Option<u16> {
        let unused = 64 - u32::from(self.bits);
        let extended = (value << unused) as i64 >> unused;
        i16::try_from(extended).ok().map(|small| small.low16())
    }
}

impl FnGen<'_, '_> {
    pub fn binary(&mut self, op: BinOp, ty: Scalar, dst: Reg, a: &Opnd, b: &Opnd) {
        match ty {
            Scalar::F32 | Scalar::Half => self.float_binary(op, ty, dst, a, b),
            Scalar::Int { .. } | Scalar::Dsd => self.int_binary(op, IntTy::of(ty), dst, a, b),
        }
    }

    fn float_binary(&mut self, op: BinOp, ty: Scalar, dst: Reg, a: &Opnd, b: &Opnd) {
        if op == BinOp::Add && self.multiply_add(ty, dst, a, b) {
            return;
        }
        let row = FLOAT_OPS.iter().find(|row| row.0 == op).expect("the validator refuses other operators on floats");
        let (a, b) = (self.operand(a), self.operand(b));
        let op = if ty == Scalar::F32 { row.1 } else { row.2 };
        self.emit(op, self.reg(dst), a, b);
    }

    /// `dst = dst + x * y`, where the product was folded into this addition.
    fn multiply_add(&mut self, ty: Scalar, dst: Reg, a: &Opnd, b: &Opnd) -> bool {
        let product = [a, b].into_iter().find_map(|operand| match operand {
            Opnd::Reg(reg) => self.draft.plan.folded.get(reg).cloned(),
            _ => None,
        });
        let Some(Inst::Bin { a: x, b: y, .. }) = product else { return false };
        let (x, y) = (self.operand(&x), self.operand(&y));
        let op = if ty == Scalar::F32 { Op::MulAccF32 } else { Op::MulAccHalf };
        self.emit(op, self.reg(dst), x, y);
        true
    }

    fn int_binary(&mut self, op: BinOp, ty: IntTy, dst: Reg, a: &Opnd, b: &Opnd) {
        let into = self.reg(dst);
        match op {
            BinOp::Add => self.int_family(ty, into, a, b, ADD, Some(ADD_IMM)),
            BinOp::Mul => self.int_family(ty, into, a, b, MUL, Some(MUL_IMM)),
            BinOp::Sub => self.subtract(ty, into, a, b),
            BinOp::Div if ty.signed => {
                self.plain(Op::DivS, into, a, b);
                self.wrap_signed(ty, into);
            }
            BinOp::Div => self.plain(Op::DivU, into, a, b),
            BinOp::Rem => self.plain(if ty.signed { Op::RemS } else { Op::RemU }, into, a, b),
            BinOp::Shl => self.shift_left(ty, into, a, b),
            BinOp::Shr => self.shift_right(ty, into, a, b),
            BinOp::And | BinOp::Or | BinOp::Xor => self.bitwise(op, ty, into, a, b),
        }
    }

    fn plain(&mut self, op: Op, into: u16, a: &Opnd, b: &Opnd) {
        let (a, b) = (self.operand(a), self.operand(b));
        self.emit(op, into, a, b);
    }

    /// Wraps a signed quotient: the smallest value divided by -1 leaves every signed type but i64.
    fn wrap_signed(&mut self, ty: IntTy, into: u16) {
        if ty.bits != 64 {
            self.emit(Op::Wrap, into, into, ty.code());
        }
    }

    fn int_family(&mut self, ty: IntTy, into: u16, a: &Opnd, b: &Opnd, family: [Op; 5], immediates: Option<[Op; 5]>) {
        let (a, b) = if self.constant(a).is_some() { (b, a) } else { (a, b) };
        let immediate = self.constant(b).and_then(|value| ty.immediate(value));
        let wraps = match (immediates, immediate) {
            (Some(immediates), Some(value)) => {
                let (op, wraps) = ty.member(immediates);
                let a = self.operand(a);
                self.emit(op, into, a, value);
                wraps
            }
            _ => {
                let (op, wraps) = ty.member(family);
                self.plain(op, into, a, b);
                wraps
            }
        };
        if wraps {
            self.emit(Op::Wrap, into, into, ty.code());
        }
    }

    fn subtract(&mut self, ty: IntTy, into: u16, a: &Opnd, b: &Opnd) {
        if let Some(value) = self.constant(b) {
            return self.int_family(ty, into, a, &Opnd::Imm(value.wrapping_neg()), ADD, Some(ADD_IMM));
        }
        let (op, wraps) = ty.member(SUB);
        self.plain(op, into, a, b);
        if wraps {
            self.emit(Op::Wrap, into, into, ty.code());
        }
    }

    fn shift_left(&mut self, ty: IntTy, into: u16, a: &Opnd, count: &Opnd) {
        if let Some(count) = self.constant(count) {
            self.load_into(into, a);
            return self.emit(Op::ShlImm, into, count.min(64).low16(), ty.code());
        }
        let count = self.operand(count);
        let work = if count == into { self.temp() } else { into };
        self.load_into(work, a);
        self.emit(Op::Shl, work, count, ty.code());
        self.copy(into, work);
    }

    fn shift_right(&mut self, ty: IntTy, into: u16, a: &Opnd, count: &Opnd) {
        match self.constant(count) {
            Some(count) => {
                let a = self.operand(a);
                let op = if ty.signed { Op::ShrSImm } else { Op::ShrUImm };
                self.emit(op, into, a, count.min(64).low16());
            }
            None => self.plain(if ty.signed { Op::ShrS } else { Op::ShrU }, into, a, count),
        }
    }

    fn bitwise(&mut self, op: BinOp, ty: IntTy, into: u16, a: &Opnd, b: &Opnd) {
        let (a, b) = if self.constant(a).is_some() { (b, a) } else { (a, b) };
        let (plain, immediate) = match op {
            BinOp::And => (Op::And, Op::AndImm),
            BinOp::Or => (Op::Or, Op::OrImm),
            _ => (Op::Xor, Op::XorImm),
        };
        // A sign-extended mask keeps a zero-extended operand zero-extended under `and` only.
        let small = self.constant(b).and_then(|value| match op {
            BinOp::And => ty.immediate(value),
            _ => i16::try_from(value as i64).ok().map(|small| small.low16()),
        });
        match small {
            Some(value) => {
                let a = self.operand(a);
                self.emit(immediate, into, a, value);
            }
            None => self.plain(plain, into, a, b),
        }
    }

    pub fn unary(&mut self, op: UnOp, ty: Scalar, dst: Reg, a: &Opnd) {
        let (into, a) = (self.reg(dst), self.operand(a));
        match (op, ty) {
            (UnOp::Neg, Scalar::F32) => self.emit(Op::NegF32, into, a, 0),
            (UnOp::Neg, Scalar::Half) => self.emit(Op::NegHalf, into, a, 0),
            (UnOp::Neg, _) => self.emit(Op::Neg, into, a, IntTy::of(ty).code()),
            (UnOp::BitNot, _) => self.emit(Op::BitNot, into, a, IntTy::of(ty).code()),
            (UnOp::Not, _) => self.emit(Op::IsZero, into, a, 0),
        }
    }

    pub fn compare(&mut self, op: CmpOp, ty: Scalar, dst: Reg, a: &Opnd, b: &Opnd) {
        let (op, a, b) = match op {
            CmpOp::Gt => (CmpOp::Lt, b, a),
            CmpOp::Ge => (CmpOp::Le, b, a),
            op => (op, a, b),
        };
        self.plain(compare_op(op, ty), self.reg(dst), a, b);
    }

    pub fn cast(&mut self, from: Scalar, to: Scalar, to_bool: bool, dst: Reg, a: &Opnd) {
        let into = self.reg(dst);
        let a = self.operand(a);
        let code = IntTy::of(to).code();
        match (from, to) {
            (Scalar::F32, _) if to_bool => self.emit(Op::F32ToBool, into, a, 0),
            (Scalar::Half, _) if to_bool => self.emit(Op::HalfToBool, into, a, 0),
            (_, _) if to_bool => self.emit(Op::NonZero, into, a, 0),
            (Scalar::F32, Scalar::F32) | (Scalar::Half, Scalar::Half) => self.copy(into, a),
            (Scalar::F32, Scalar::Half) => self.emit(Op::F32ToHalf, into, a, 0),
            (Scalar::Half, Scalar::F32) => self.emit(Op::HalfToF32, into, a, 0),
            (Scalar::F32, _) => self.emit(Op::F32ToInt, into, a, code),
            (Scalar::Half, _) => self.emit(Op::HalfToInt, into, a, code),
            (_, Scalar::F32) => self.emit(Op::IntToF32, into, a, IntTy::of(from).code()),
            (_, Scalar::Half) => self.emit(Op::IntToHalf, into, a, IntTy::of(from).code()),
            _ if widens(IntTy::of(from), IntTy::of(to)) => self.copy(into, a),
            _ => self.emit(Op::Wrap, into, a, code),
        }
    }

    /// `dst = if cond { a } else { b }`.
    pub fn choose(&mut self, dst: Reg, cond: &Opnd, a: &Opnd, b: &Opnd) {
        if let Some(value) = self.constant(cond) {
            return self.load_into(self.reg(dst), if value != 0 { a } else { b });
        }
        let (into, cond) = (self.reg(dst), self.operand(cond));
        let is_there = |side: &Opnd| matches!(side, Opnd::Reg(side) if self.reg(*side) == into);
        if is_there(a) {
            let other = self.operand(b);
            return self.emit(Op::MoveUnless, into, cond, other);
        }
        let (other, kept) = (is_there(b), into == cond);
        let work = if kept { self.temp() } else { into };
        if !other || kept {
            self.load_into(work, b);
        }
        let a = self.operand(a);
        self.emit(Op::MoveIf, work, cond, a);
        self.copy(into, work);
    }

    pub fn math(&mut self, f: MathFn, ty: Scalar, dst: Reg, a: &Opnd, b: Option<&Opnd>) {
        let args = match b {
            Some(b) => self.consecutive(&[a.clone(), b.clone()]),
            None => self.operand(a),
        };
        let op = if ty == Scalar::F32 { Op::MathF32 } else { Op::MathHalf };
        let number = MathFn::ALL.iter().position(|&known| known == f).expect("every function is in the list");
        self.emit(op, self.reg(dst), args, number.low16());
    }
}

/// Whether every canonical value of `from` is one of `to`.
fn widens(from: IntTy, to: IntTy) -> bool {
    match (from.signed, to.signed) {
        (true, false) => false,
        (false, true) => from.bits < to.bits,
        _ => from.bits <= to.bits,
    }
}

/// The comparison for `==`, `!=`, `<` and `<=`.
fn compare_op(op: CmpOp, ty: Scalar) -> Op {
    let [eq, ne, lt, le] = match ty {
        Scalar::F32 => [Op::EqF32, Op::NeF32, Op::LtF32, Op::LeF32],
        Scalar::Half => [Op::EqHalf, Op::NeHalf, Op::LtHalf, Op::LeHalf],
        Scalar::Int { signed: true, .. } => [Op::Eq, Op::Ne, Op::LtS, Op::LeS],
        Scalar::Int { .. } | Scalar::Dsd => [Op::Eq, Op::Ne, Op::LtU, Op::LeU],
    };
    match op {
        CmpOp::Eq => eq,
        CmpOp::Ne => ne,
        CmpOp::Lt | CmpOp::Gt => lt,
        CmpOp::Le | CmpOp::Ge => le,
    }
}
