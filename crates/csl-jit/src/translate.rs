//! One function to an SSA form: registers become variables, every exit stores those that are still read.
//!
//! Here each instruction is taken by its action; how the actions are carried out stands in the files of the folder.

mod arithmetic;
mod branches;
mod memory;
mod translator;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::FunctionBuilder;
use csl_image::PeImage;
use csl_num::FloatKind;

use crate::action::{Action, Callee, Float, Test, Wrap};
use crate::flow::{Demand, Flow, Step, read};
use translator::{FIXED, Held, OWN, Translator};

/// Fills a function of the signature `fn(*mut Context, which: u32) -> u64`, which goes on at entry number `which`.
pub fn translate(b: FunctionBuilder, pe: &PeImage, flow: &Flow, half: FloatKind, config: TargetFrontendConfig) {
    let (mut translator, which) = Translator::of(b, pe, flow, half);
    translator.enter(which);
    for at in 0..flow.blocks.len() {
        translator.block(at);
    }
    translator.b.seal_all_blocks();
    translator.b.finalize(config);
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

    /// The instructions of a block, and the way to the next where it ends with no jump.
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
