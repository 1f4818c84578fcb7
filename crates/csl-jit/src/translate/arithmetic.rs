//! Integers, floats and comparisons.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{I8, I16, I32, I64};
use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, Value};
use csl_num::IntTy;

use super::translator::Translator;
use crate::action::{Callee, FloatTest, Int, Right, Test, Wrap};
use crate::callees;
use crate::registers::Registers;

impl Translator<'_, '_> {
    pub(super) fn wrapped(&mut self, wrap: Wrap, value: Value) -> Value {
        let ty = match wrap {
            Wrap::None => return value,
            Wrap::I16 => IntTy::I16,
            Wrap::U16 => IntTy::U16,
            Wrap::I32 => IntTy::I32,
            Wrap::U32 => IntTy::U32,
            Wrap::Any(ty) => ty,
        };
        let narrow = match ty.bits {
            8 => I8,
            16 => I16,
            32 => I32,
            64.. => return value,
            bits => {
                let unused = i64::from(64 - bits);
                let high = self.b.ins().ishl_imm_s(value, unused);
                return if ty.signed {
                    self.b.ins().sshr_imm_s(high, unused)
                } else {
                    self.b.ins().ushr_imm_s(high, unused)
                };
            }
        };
        let low = self.b.ins().ireduce(narrow, value);
        if ty.signed { self.b.ins().sextend(I64, low) } else { self.b.ins().uextend(I64, low) }
    }

    pub(super) fn int(&mut self, op: Int, left: u16, right: Right) -> Value {
        let (left, right) = (self.whole(left), self.right(right));
        let ins = self.b.ins();
        match op {
            Int::Add => ins.iadd(left, right),
            Int::Sub => ins.isub(left, right),
            Int::Mul => ins.imul(left, right),
            Int::And => ins.band(left, right),
            Int::Or => ins.bor(left, right),
            Int::Xor => ins.bxor(left, right),
            Int::ShrS => {
                let most = self.b.ins().iconst(I64, 63);
                let count = self.b.ins().umin(right, most);
                self.b.ins().sshr(left, count)
            }
            Int::ShrU => {
                let shifted = self.b.ins().ushr(left, right);
                self.below(right, 64, shifted)
            }
        }
    }

    /// `value` where `count` is less than `width`, else 0.
    fn below(&mut self, count: Value, width: u32, value: Value) -> Value {
        let zero = self.b.ins().iconst(I64, 0);
        let is_below = self.b.ins().icmp_imm_s(IntCC::UnsignedLessThan, count, i64::from(width));
        self.b.ins().select(is_below, value, zero)
    }

    pub(super) fn shl(&mut self, ty: IntTy, reg: u16, count: Right) -> Value {
        let (value, count) = (self.whole(reg), self.right(count));
        let shifted = self.b.ins().ishl(value, count);
        let wrapped = self.wrapped(Wrap::Any(ty), shifted);
        self.below(count, ty.bits, wrapped)
    }

    /// A quotient or remainder; the interpreter divides by zero.
    pub(super) fn divide(
        &mut self,
        pc: usize,
        left: u16,
        right: u16,
        signed: bool,
        remainder: bool,
        live: &Registers,
    ) -> Value {
        let (left, right) = (self.whole(left), self.whole(right));
        self.leave_unless(right, pc, live);
        match (signed, remainder) {
            (false, false) => self.b.ins().udiv(left, right),
            (false, true) => self.b.ins().urem(left, right),
            // The smallest value by -1 would trap.
            (true, _) => {
                let is_minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, right, -1);
                let one = self.b.ins().iconst(I64, 1);
                let divisor = self.b.ins().select(is_minus_one, one, right);
                if remainder {
                    self.b.ins().srem(left, divisor)
                } else {
                    let quotient = self.b.ins().sdiv(left, divisor);
                    let negative = self.b.ins().ineg(quotient);
                    self.b.ins().select(is_minus_one, negative, quotient)
                }
            }
        }
    }

    pub(super) fn test(&mut self, test: Test, left: u16, right: Right) -> Value {
        let (left, right) = (self.whole(left), self.right(right));
        let condition = match test {
            Test::Eq => IntCC::Equal,
            Test::Ne => IntCC::NotEqual,
            Test::LtS => IntCC::SignedLessThan,
            Test::LeS => IntCC::SignedLessThanOrEqual,
            Test::GtS => IntCC::SignedGreaterThan,
            Test::GeS => IntCC::SignedGreaterThanOrEqual,
            Test::LtU => IntCC::UnsignedLessThan,
            Test::LeU => IntCC::UnsignedLessThanOrEqual,
            Test::GtU => IntCC::UnsignedGreaterThan,
            Test::GeU => IntCC::UnsignedGreaterThanOrEqual,
        };
        self.b.ins().icmp(condition, left, right)
    }

    pub(super) fn test_f32(&mut self, test: FloatTest, left: u16, right: u16) -> Value {
        let (left, right) = (self.single(left), self.single(right));
        let condition = match test {
            FloatTest::Eq => FloatCC::Equal,
            FloatTest::Ne => FloatCC::NotEqual,
            FloatTest::Lt => FloatCC::LessThan,
            FloatTest::Le => FloatCC::LessThanOrEqual,
            FloatTest::NotLt => FloatCC::UnorderedOrGreaterThanOrEqual,
            FloatTest::NotLe => FloatCC::UnorderedOrGreaterThan,
        };
        self.b.ins().fcmp(condition, left, right)
    }

    /// The result of a function of `csl-num`; `c` is the field of the instruction.
    pub(super) fn call(&mut self, callee: Callee, c: u16, operands: &[u16]) -> Value {
        let call = callees::call(callee, c, self.half);
        let mut values: Vec<Value> = call.constants.iter().map(|&value| self.b.ins().iconst(I64, value)).collect();
        for &reg in operands {
            let value = self.whole(reg);
            values.push(value);
        }
        values.resize_with(call.arity, || self.b.ins().iconst(I64, 0));
        let mut signature = Signature::new(self.b.func.signature.call_conv);
        signature.params = vec![AbiParam::new(I64); call.arity];
        signature.returns = vec![AbiParam::new(I64)];
        let signature = self.b.import_signature(signature);
        let address = i64::try_from(call.address).expect("code lies in the lower half");
        let address = self.b.ins().iconst(I64, address);
        let called = self.b.ins().call_indirect(signature, address, &values);
        self.b.inst_results(called)[0]
    }
}
