//! One function to an SSA form: registers become variables, every exit stores those that are still read.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, I8, I16, I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, BlockCall, InstBuilder, JumpTableData, MemFlagsData, Signature, Type, Value,
};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, Variable};
use csl_image::PeImage;
use csl_num::{CANONICAL_NAN_F32, FloatKind, IntTy};

use crate::action::{Action, Callee, Float, FloatTest, Int, Place, Right, Test, Wrap};
use crate::callees;
use crate::flow::{Demand, Flow, Step, read, target};
use crate::machine::{AT_LIMIT, Context};
use crate::registers::Registers;

/// Memory of the frame and of the context.
const OWN: MemFlagsData = MemFlagsData::trusted();
/// The context's fields that do not change while native code runs.
const FIXED: MemFlagsData = MemFlagsData::trusted().with_readonly().with_can_move();
/// Data memory, at an address that is known to lie in it.
const DATA: MemFlagsData = MemFlagsData::new().with_notrap();

/// The forms in which a register's value is at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// All 64 bits.
    Whole,
    /// The low 32 bits as a float; the others are 0.
    Single,
    Both,
}

/// Where a branch leads: the place, its block, the cycles.
struct Way {
    pc: usize,
    to: usize,
    cycles: u16,
}

/// The parts of the context, at hand everywhere.
struct Fixed {
    context: Value,
    frame: Value,
    memory: Value,
    tile_consts: Value,
    stack: Value,
    until: Value,
    /// The first addresses at which 1, 2, 4 and 8 bytes are not in memory.
    limits: [Value; 4],
}

pub struct Translator<'a, 'f> {
    b: FunctionBuilder<'f>,
    pe: &'a PeImage,
    flow: &'a Flow,
    half: FloatKind,
    fixed: Fixed,
    /// The cycle in which the running block began.
    time: Variable,
    whole: Vec<Variable>,
    single: Vec<Variable>,
    held: Vec<Held>,
    /// The native blocks, by the number of the function's.
    blocks: Vec<Block>,
}

/// Fills a function of the signature `fn(*mut Context, which: u32) -> u64`, which goes on at entry number `which`.
pub fn translate(mut b: FunctionBuilder, pe: &PeImage, flow: &Flow, half: FloatKind, config: TargetFrontendConfig) {
    let first = b.create_block();
    b.append_block_params_for_function_params(first);
    b.switch_to_block(first);
    b.seal_block(first);
    let (context, which) = (b.block_params(first)[0], b.block_params(first)[1]);
    let mut load = |ty: Type, offset: usize| b.ins().load(ty, FIXED, context, offset_in(offset));
    let size = size_of::<u64>();
    let fixed = Fixed {
        context,
        frame: load(I64, offset_of!(Context, frame)),
        memory: load(I64, offset_of!(Context, memory)),
        tile_consts: load(I64, offset_of!(Context, tile_consts)),
        stack: load(I64, offset_of!(Context, stack)),
        until: load(I64, offset_of!(Context, until)),
        limits: std::array::from_fn(|at| load(I64, offset_of!(Context, limits) + at * size)),
    };
    let frame = usize::from(flow.frame);
    let time = b.declare_var(I64);
    let start = b.ins().load(I64, OWN, context, offset_in(offset_of!(Context, time)));
    b.def_var(time, start);
    let whole = (0..frame).map(|_| b.declare_var(I64)).collect();
    let single = (0..frame).map(|_| b.declare_var(F32)).collect();
    let blocks = flow.blocks.iter().map(|_| b.create_block()).collect();
    let mut translator =
        Translator { b, pe, flow, half, fixed, time, whole, single, held: vec![Held::Whole; frame], blocks };
    translator.enter(which);
    for at in 0..flow.blocks.len() {
        translator.block(at);
    }
    translator.b.seal_all_blocks();
    translator.b.finalize(config);
}

fn offset_in(offset: usize) -> i32 {
    i32::try_from(offset).expect("a context is small")
}

impl Translator<'_, '_> {
    /// Jumps to the entry with the number, its registers loaded.
    fn enter(&mut self, which: Value) {
        let entries: Vec<usize> = (0..self.blocks.len()).filter(|&at| self.flow.blocks[at].is_entry).collect();
        let loads: Vec<Block> = entries.iter().map(|_| self.b.create_block()).collect();
        self.jump_by(which, &loads);
        for (at, load) in entries.into_iter().zip(loads) {
            self.switch_to(load);
            let flow = self.flow;
            let wanted = &flow.blocks[at].at_start;
            for reg in wanted.live.iter() {
                let ty = if wanted.single.holds(reg) { F32 } else { I64 };
                let value = self.b.ins().load(ty, OWN, self.fixed.frame, 8 * i32::from(reg));
                let variable = if ty == F32 { self.single[usize::from(reg)] } else { self.whole[usize::from(reg)] };
                self.b.def_var(variable, value);
            }
            self.b.ins().jump(self.blocks[at], &[]);
        }
    }

    /// Jumps to the block with the number, or to the last.
    fn jump_by(&mut self, number: Value, to: &[Block]) {
        let (last, others) = to.split_last().expect("there is a block");
        let pool = &mut self.b.func.dfg.value_lists;
        let [last, others] = [std::slice::from_ref(last), others].map(|blocks| {
            blocks.iter().map(|&block| BlockCall::new(block, std::iter::empty(), pool)).collect::<Vec<_>>()
        });
        let table = self.b.create_jump_table(JumpTableData::new(last[0], &others));
        self.b.ins().br_table(number, table);
    }

    /// Goes on in a block all of whose predecessors are there.
    fn switch_to(&mut self, block: Block) {
        self.b.seal_block(block);
        self.b.switch_to_block(block);
    }

    fn block(&mut self, at: usize) {
        let flow = self.flow;
        let block = &flow.blocks[at];
        self.b.switch_to_block(self.blocks[at]);
        for (reg, held) in (0..).zip(&mut self.held) {
            *held = if block.at_start.single.holds(reg) { Held::Single } else { Held::Whole };
        }
        let demands = flow.demands(at);
        for (step, wanted) in block.steps.iter().zip(demands.windows(2)) {
            self.step(at, step, &wanted[0], &wanted[1]);
        }
        let last = block.steps.last().expect("a block has an instruction");
        let goes_on = matches!(block.next[..], [next] if next == at + 1) && !last.insn.op.is_branch();
        if goes_on && last.action != Action::Leave && last.action != Action::Jump && last.action != Action::Table {
            self.hand_over(&[at + 1]);
            self.b.ins().jump(self.blocks[at + 1], &[]);
        }
    }

    /// One instruction; `before` and `behind` are the registers that are wanted there.
    fn step(&mut self, at: usize, step: &Step, before: &Demand, behind: &Demand) {
        let (insn, pc) = (step.insn, step.pc);
        let (a, b, c) = (insn.a, insn.b, insn.c);
        let wants_single = |reg: u16| behind.single.holds(reg);
        match step.action {
            Action::Leave => self.leave(pc, 0, &before.live),
            Action::Charge(cycles) => self.charge(cycles),
            Action::Jump => {
                let way = self.way(insn.a, insn.b, insn.c);
                self.hand_over(&[way.to]);
                self.go(&way);
            }
            Action::Table => self.table(step),
            Action::Branch(test, right) => {
                let taken = self.test(test, a, right);
                self.branch(at, step, taken);
            }
            Action::Next(wrap, right) => {
                let a_value = self.whole(a);
                let one = self.b.ins().iadd_imm_s(a_value, 1);
                let next = self.wrapped(wrap, one);
                self.set_whole(a, next);
                let taken = self.test(Test::LtS, a, right);
                self.branch(at, step, taken);
            }
            Action::BranchF32(test) => {
                let taken = self.test_f32(test, a, b);
                self.branch(at, step, taken);
            }
            Action::BranchHalf(test) => {
                let taken = self.call(Callee::HalfTest(test), c, &[a, b]);
                self.branch(at, step, taken);
            }
            Action::Copy if wants_single(a) => {
                let value = self.single(b);
                self.set_single(a, value);
            }
            Action::Copy => {
                let value = self.whole(b);
                self.set_whole(a, value);
            }
            Action::Move { when_zero } => {
                let is_set = self.whole(b);
                let is_single = wants_single(a);
                let [new, old] =
                    if is_single { [c, a].map(|reg| self.single(reg)) } else { [c, a].map(|reg| self.whole(reg)) };
                let (then, otherwise) = if when_zero { (old, new) } else { (new, old) };
                let value = self.b.ins().select(is_set, then, otherwise);
                if is_single { self.set_single(a, value) } else { self.set_whole(a, value) }
            }
            Action::Const(value) => self.set_const(a, value),
            Action::Tile => {
                assert!(b < self.pe.tile_consts, "the image is checked");
                let value = self.b.ins().load(I64, FIXED, self.fixed.tile_consts, 8 * i32::from(b));
                self.set_whole(a, value);
            }
            Action::Slot => {
                let sum = self.b.ins().iadd_imm_s(self.fixed.stack, i64::from(b));
                let value = self.wrapped(Wrap::U16, sum);
                self.set_whole(a, value);
            }
            Action::Int(op, wrap, right) => {
                let value = self.int(op, b, right);
                let value = self.wrapped(wrap, value);
                self.set_whole(a, value);
            }
            Action::Div { signed, remainder } => {
                let value = self.divide(pc, b, c, signed, remainder, &before.live);
                self.set_whole(a, value);
            }
            Action::Shl(ty, count) => {
                let value = self.shl(ty, a, count);
                self.set_whole(a, value);
            }
            Action::Neg(wrap) => {
                let b_value = self.whole(b);
                let value = self.b.ins().ineg(b_value);
                let value = self.wrapped(wrap, value);
                self.set_whole(a, value);
            }
            Action::Not(wrap) => {
                let b_value = self.whole(b);
                let value = self.b.ins().bnot(b_value);
                let value = self.wrapped(wrap, value);
                self.set_whole(a, value);
            }
            Action::Wrap(wrap) => {
                let value = self.whole(b);
                let value = self.wrapped(wrap, value);
                self.set_whole(a, value);
            }
            Action::Compare(test, right) => {
                let value = self.test(test, b, right);
                self.set_bool(a, value);
            }
            Action::CompareF32(test) => {
                let value = self.test_f32(test, b, c);
                self.set_bool(a, value);
            }
            Action::F32(op) => {
                let (b, c) = (self.single(b), self.single(c));
                let value = match op {
                    Float::Add => self.b.ins().fadd(b, c),
                    Float::Sub => self.b.ins().fsub(b, c),
                    Float::Mul => self.b.ins().fmul(b, c),
                    Float::Div => self.b.ins().fdiv(b, c),
                };
                self.set_canonical(a, value);
            }
            Action::MulAccF32 => {
                // A product that is NaN makes the sum NaN.
                let (sum, b, c) = (self.single(a), self.single(b), self.single(c));
                let product = self.b.ins().fmul(b, c);
                let value = self.b.ins().fadd(sum, product);
                self.set_canonical(a, value);
            }
            Action::FlipSign(FloatKind::F32) => {
                let value = self.single(b);
                let value = self.b.ins().fneg(value);
                self.set_single(a, value);
            }
            Action::FlipSign(kind) => {
                let sign = self.b.ins().iconst(I64, kind.sign_bit().cast_signed());
                let b_value = self.whole(b);
                let value = self.b.ins().bxor(b_value, sign);
                self.set_whole(a, value);
            }
            Action::IsNotZero(kind) => {
                let others = self.b.ins().iconst(I64, (!kind.sign_bit()).cast_signed());
                let b_value = self.whole(b);
                let magnitude = self.b.ins().band(b_value, others);
                let value = self.b.ins().icmp_imm_s(IntCC::NotEqual, magnitude, 0);
                self.set_bool(a, value);
            }
            Action::SignedToF32 => {
                let b_value = self.whole(b);
                let value = self.b.ins().fcvt_from_sint(F32, b_value);
                self.set_single(a, value);
            }
            Action::Call(callee) => {
                let operands: Vec<u16> = match callee {
                    Callee::MulAccHalf => vec![a, b, c],
                    _ => read(insn).collect(),
                };
                let value = self.call(callee, c, &operands);
                self.set_whole(a, value);
            }
            Action::Load { bytes, signed, from } => self.load(step, bytes, signed, from, before, wants_single(a)),
            Action::Store { bytes, to } => self.store(step, bytes, to, before),
            Action::Address(place) => {
                let value = self.address(step, place);
                self.set_whole(a, value);
            }
        }
    }
}

/// Registers.
impl Translator<'_, '_> {
    fn whole(&mut self, reg: u16) -> Value {
        if self.held[usize::from(reg)] == Held::Single {
            let bits = self.b.use_var(self.single[usize::from(reg)]);
            let bits = self.b.ins().bitcast(I32, MemFlagsData::new(), bits);
            let value = self.b.ins().uextend(I64, bits);
            self.b.def_var(self.whole[usize::from(reg)], value);
            self.held[usize::from(reg)] = Held::Both;
        }
        self.b.use_var(self.whole[usize::from(reg)])
    }

    fn single(&mut self, reg: u16) -> Value {
        if self.held[usize::from(reg)] == Held::Whole {
            let value = self.b.use_var(self.whole[usize::from(reg)]);
            let bits = self.b.ins().ireduce(I32, value);
            let value = self.b.ins().bitcast(F32, MemFlagsData::new(), bits);
            self.b.def_var(self.single[usize::from(reg)], value);
            self.held[usize::from(reg)] = Held::Both;
        }
        self.b.use_var(self.single[usize::from(reg)])
    }

    fn set_whole(&mut self, reg: u16, value: Value) {
        self.b.def_var(self.whole[usize::from(reg)], value);
        self.held[usize::from(reg)] = Held::Whole;
    }

    fn set_single(&mut self, reg: u16, value: Value) {
        self.b.def_var(self.single[usize::from(reg)], value);
        self.held[usize::from(reg)] = Held::Single;
    }

    fn set_const(&mut self, reg: u16, value: u64) {
        let value = self.b.ins().iconst(I64, value.cast_signed());
        self.set_whole(reg, value);
    }

    /// 0 or 1.
    fn set_bool(&mut self, reg: u16, value: Value) {
        let value = self.b.ins().uextend(I64, value);
        self.set_whole(reg, value);
    }

    /// A float; each NaN becomes the canonical one. That is a branch, so that the next operation need not wait.
    fn set_canonical(&mut self, reg: u16, value: Value) {
        let (nan, behind) = (self.b.create_block(), self.b.create_block());
        let result = self.b.append_block_param(behind, F32);
        self.b.set_cold_block(nan);
        let is_nan = self.b.ins().fcmp(FloatCC::Unordered, value, value);
        self.b.ins().brif(is_nan, nan, &[], behind, &[BlockArg::Value(value)]);
        self.switch_to(nan);
        let canonical = self.b.ins().f32const(f32::from_bits(CANONICAL_NAN_F32));
        self.b.ins().jump(behind, &[BlockArg::Value(canonical)]);
        self.switch_to(behind);
        self.set_single(reg, result);
    }

    /// Brings the registers that blocks read into the form in which they want them.
    fn hand_over(&mut self, blocks: &[usize]) {
        let flow = self.flow;
        for wanted in blocks.iter().map(|&block| &flow.blocks[block].at_start) {
            for reg in wanted.live.iter() {
                if wanted.single.holds(reg) {
                    self.single(reg)
                } else {
                    self.whole(reg)
                };
            }
        }
    }

    fn right(&mut self, right: Right) -> Value {
        match right {
            Right::Reg(reg) => self.whole(reg),
            Right::Value(value) => self.b.ins().iconst(I64, value),
        }
    }
}

/// Ways out, and branches.
impl Translator<'_, '_> {
    /// Ends native code before the instruction at `pc`; registers that are still read go to the frame.
    fn leave(&mut self, pc: usize, flags: u64, live: &Registers) {
        let held = self.held.clone();
        for reg in live.iter() {
            let value = self.whole(reg);
            self.b.ins().store(OWN, value, self.fixed.frame, 8 * i32::from(reg));
        }
        self.held = held;
        let time = self.b.use_var(self.time);
        self.b.ins().store(OWN, time, self.fixed.context, offset_in(offset_of!(Context, time)));
        let result = u64::try_from(pc).expect("code is not that long") | flags;
        let result = self.b.ins().iconst(I64, result.cast_signed());
        self.b.ins().return_(&[result]);
    }

    /// Goes on where `goes_on` is not 0; else native code ends before the instruction at `pc`.
    fn leave_unless(&mut self, goes_on: Value, pc: usize, live: &Registers) {
        let (behind, out) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(out);
        self.b.ins().brif(goes_on, behind, &[], out, &[]);
        self.switch_to(out);
        self.leave(pc, 0, live);
        self.switch_to(behind);
    }

    fn charge(&mut self, cycles: u64) {
        let time = self.b.use_var(self.time);
        let time = self.b.ins().iadd_imm_s(time, cycles.cast_signed());
        self.b.def_var(self.time, time);
    }

    fn way(&self, high: u16, low: u16, cycles: u16) -> Way {
        let pc = target(high, low);
        Way { pc, to: self.flow.block_at(pc), cycles }
    }

    /// Takes a branch: to the target, or out if the limit is reached. Registers are handed over already.
    fn go(&mut self, way: &Way) {
        self.charge(way.cycles.into());
        let out = self.b.create_block();
        self.b.set_cold_block(out);
        let time = self.b.use_var(self.time);
        let is_late = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, time, self.fixed.until);
        self.b.ins().brif(is_late, out, &[], self.blocks[way.to], &[]);
        self.switch_to(out);
        let flow = self.flow;
        self.leave(way.pc, AT_LIMIT, &flow.blocks[way.to].at_start.live);
    }

    fn branch(&mut self, at: usize, step: &Step, is_taken: Value) {
        let way = self.way(step.insn.c, step.ext.c, step.ext.b);
        self.hand_over(&[way.to, at + 1]);
        let (taken, not_taken) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(is_taken, taken, &[], not_taken, &[]);
        let held = self.held.clone();
        self.switch_to(not_taken);
        self.charge(step.ext.a.into());
        self.b.ins().jump(self.blocks[at + 1], &[]);
        self.held = held;
        self.switch_to(taken);
        self.go(&way);
    }

    fn table(&mut self, step: &Step) {
        let pe = self.pe;
        let exts = &pe.code[step.pc + 1..][..usize::from(step.insn.b)];
        let ways: Vec<Way> = exts.iter().map(|ext| self.way(ext.b, ext.c, ext.a)).collect();
        let targets: Vec<usize> = ways.iter().map(|way| way.to).collect();
        self.hand_over(&targets);
        let value = self.whole(step.insn.a);
        let last = self.b.ins().iconst(I64, i64::from(step.insn.b) - 1);
        let number = self.b.ins().umin(value, last);
        let number = self.b.ins().ireduce(I32, number);
        let blocks: Vec<Block> = ways.iter().map(|_| self.b.create_block()).collect();
        self.jump_by(number, &blocks);
        let held = self.held.clone();
        for (way, block) in ways.iter().zip(blocks) {
            self.held.clone_from(&held);
            self.switch_to(block);
            self.go(way);
        }
    }
}

/// Integers and comparisons.
impl Translator<'_, '_> {
    fn wrapped(&mut self, wrap: Wrap, value: Value) -> Value {
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

    fn int(&mut self, op: Int, left: u16, right: Right) -> Value {
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

    fn shl(&mut self, ty: IntTy, reg: u16, count: Right) -> Value {
        let (value, count) = (self.whole(reg), self.right(count));
        let shifted = self.b.ins().ishl(value, count);
        let wrapped = self.wrapped(Wrap::Any(ty), shifted);
        self.below(count, ty.bits, wrapped)
    }

    /// A quotient or remainder; the interpreter divides by zero.
    fn divide(&mut self, pc: usize, left: u16, right: u16, signed: bool, remainder: bool, live: &Registers) -> Value {
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

    fn test(&mut self, test: Test, left: u16, right: Right) -> Value {
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

    fn test_f32(&mut self, test: FloatTest, left: u16, right: u16) -> Value {
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
    fn call(&mut self, callee: Callee, c: u16, operands: &[u16]) -> Value {
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

/// Memory.
impl Translator<'_, '_> {
    /// An address in 16 bits.
    fn address(&mut self, step: &Step, place: Place) -> Value {
        let address = match place {
            Place::At(address) => return self.b.ins().iconst(I64, i64::from(address)),
            Place::Base { reg, offset } => {
                let base = self.whole(reg);
                self.b.ins().iadd_imm_s(base, i64::from(offset))
            }
            Place::Index { reg, index, scale } => {
                let (base, steps) = (self.whole(reg), self.scaled(index, scale));
                self.b.ins().iadd(base, steps)
            }
            Place::AtIndex { base, index, scale } => {
                let steps = self.scaled(index, scale);
                self.b.ins().iadd_imm_s(steps, i64::from(base))
            }
            Place::Row { row, index, scale } => {
                let (rows, steps) = (self.scaled(row, step.ext.a), self.scaled(index, scale));
                let sum = self.b.ins().iadd(rows, steps);
                self.b.ins().iadd_imm_s(sum, i64::from(step.ext.b))
            }
        };
        self.wrapped(Wrap::U16, address)
    }

    fn scaled(&mut self, reg: u16, scale: u16) -> Value {
        let value = self.whole(reg);
        self.b.ins().imul_imm_s(value, i64::from(scale))
    }

    /// The host's address of so many bytes; the interpreter does what does not lie in the kept part of memory.
    fn host_address(&mut self, step: &Step, place: Place, bytes: u8, before: &Demand) -> Value {
        let address = self.address(step, place);
        let limit = self.fixed.limits[bytes.trailing_zeros() as usize];
        let is_inside = self.b.ins().icmp(IntCC::UnsignedLessThan, address, limit);
        self.leave_unless(is_inside, step.pc, &before.live);
        self.b.ins().iadd(self.fixed.memory, address)
    }

    fn load(&mut self, step: &Step, bytes: u8, signed: bool, from: Place, before: &Demand, as_single: bool) {
        let address = self.host_address(step, from, bytes, before);
        let reg = step.insn.a;
        if as_single && bytes == 4 && !signed {
            let value = self.b.ins().load(F32, DATA, address, 0);
            return self.set_single(reg, value);
        }
        let ins = self.b.ins();
        let value = match (bytes, signed) {
            (1, false) => ins.uload8(I64, DATA, address, 0),
            (1, true) => ins.sload8(I64, DATA, address, 0),
            (2, false) => ins.uload16(I64, DATA, address, 0),
            (2, true) => ins.sload16(I64, DATA, address, 0),
            (4, false) => ins.uload32(DATA, address, 0),
            (4, true) => ins.sload32(DATA, address, 0),
            _ => ins.load(I64, DATA, address, 0),
        };
        self.set_whole(reg, value);
    }

    fn store(&mut self, step: &Step, bytes: u8, to: Place, before: &Demand) {
        let address = self.host_address(step, to, bytes, before);
        let reg = step.insn.a;
        if bytes == 4 && self.held[usize::from(reg)] == Held::Single {
            let value = self.single(reg);
            self.b.ins().store(DATA, value, address, 0);
            return;
        }
        let value = self.whole(reg);
        let ins = self.b.ins();
        match bytes {
            1 => ins.istore8(DATA, value, address, 0),
            2 => ins.istore16(DATA, value, address, 0),
            4 => ins.istore32(DATA, value, address, 0),
            _ => ins.store(DATA, value, address, 0),
        };
    }
}
