//! The ways out of native code, and branches within it.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Block, BlockCall, InstBuilder, JumpTableData, Value};

use super::translator::{OWN, Translator, offset_in};
use crate::flow::{Step, target};
use crate::machine::{AT_LIMIT, Context};
use crate::registers::Registers;

/// Where a branch leads: the place, its block, the cycles.
pub(super) struct Way {
    pc: usize,
    pub(super) to: usize,
    cycles: u16,
}

impl Translator<'_, '_> {
    /// Ends native code before the instruction at `pc`; registers that are still read go to the frame.
    pub(super) fn leave(&mut self, pc: usize, flags: u64, live: &Registers) {
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
    pub(super) fn leave_unless(&mut self, goes_on: Value, pc: usize, live: &Registers) {
        let (behind, out) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(out);
        self.b.ins().brif(goes_on, behind, &[], out, &[]);
        self.switch_to(out);
        self.leave(pc, 0, live);
        self.switch_to(behind);
    }

    /// Lets cycles pass.
    pub(super) fn charge(&mut self, cycles: u64) {
        let time = self.b.use_var(self.time);
        let time = self.b.ins().iadd_imm_s(time, cycles.cast_signed());
        self.b.def_var(self.time, time);
    }

    /// The way to the instruction whose place stands in two fields.
    pub(super) fn way(&self, high: u16, low: u16, cycles: u16) -> Way {
        let pc = target(high, low);
        Way { pc, to: self.flow.block_at(pc), cycles }
    }

    /// Takes a branch: to the target, or out if the limit is reached. Registers are handed over already.
    pub(super) fn go(&mut self, way: &Way) {
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

    /// Branches to the target where `is_taken` is not 0, else to the next block.
    pub(super) fn branch(&mut self, at: usize, step: &Step, is_taken: Value) {
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

    /// Jumps by a table, of which the last way is that of all greater values.
    pub(super) fn table(&mut self, step: &Step) {
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

    /// Jumps to the block with the number, or to the last.
    pub(super) fn jump_by(&mut self, number: Value, to: &[Block]) {
        let (last, others) = to.split_last().expect("there is a block");
        let pool = &mut self.b.func.dfg.value_lists;
        let [last, others] = [std::slice::from_ref(last), others].map(|blocks| {
            blocks.iter().map(|&block| BlockCall::new(block, std::iter::empty(), pool)).collect::<Vec<_>>()
        });
        let table = self.b.create_jump_table(JumpTableData::new(last[0], &others));
        self.b.ins().br_table(number, table);
    }
}
