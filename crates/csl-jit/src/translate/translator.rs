//! The native function that is being made: its blocks, the context, and the PE's registers as variables.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::types::{F32, I32, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Type, Value};
use cranelift_frontend::{FunctionBuilder, Variable};
use csl_image::PeImage;
use csl_num::{CANONICAL_NAN_F32, FloatKind};

use crate::action::Right;
use crate::flow::Flow;
use crate::machine::Context;

/// Memory of the frame and of the context.
pub(super) const OWN: MemFlagsData = MemFlagsData::trusted();
/// The context's fields that do not change while native code runs.
pub(super) const FIXED: MemFlagsData = MemFlagsData::trusted().with_readonly().with_can_move();

/// The forms in which a register's value is at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// All 64 bits.
    Whole,
    /// The low 32 bits as a float; the others are 0.
    Single,
    Both,
}

/// The parts of the context, at hand everywhere.
pub(super) struct Fixed {
    pub(super) context: Value,
    pub(super) frame: Value,
    pub(super) memory: Value,
    pub(super) tile_consts: Value,
    pub(super) stack: Value,
    pub(super) until: Value,
    /// The first addresses at which 1, 2, 4 and 8 bytes are not in memory.
    pub(super) limits: [Value; 4],
}

/// A native function while it is made.
pub(super) struct Translator<'a, 'f> {
    pub(super) b: FunctionBuilder<'f>,
    pub(super) pe: &'a PeImage,
    pub(super) flow: &'a Flow,
    pub(super) half: FloatKind,
    pub(super) fixed: Fixed,
    /// The cycle in which the running block began.
    pub(super) time: Variable,
    /// The registers in either form, and the forms that are at hand.
    pub(super) whole: Vec<Variable>,
    pub(super) single: Vec<Variable>,
    pub(super) held: Vec<Held>,
    /// The native blocks, by the number of the function's.
    pub(super) blocks: Vec<Block>,
}

pub(super) fn offset_in(offset: usize) -> i32 {
    i32::try_from(offset).expect("a context is small")
}

impl<'a, 'f> Translator<'a, 'f> {
    /// The translator of a function with the signature `fn(*mut Context, which: u32) -> u64`, and the value of `which`.
    pub(super) fn of(
        mut b: FunctionBuilder<'f>,
        pe: &'a PeImage,
        flow: &'a Flow,
        half: FloatKind,
    ) -> (Translator<'a, 'f>, Value) {
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
        let translator =
            Translator { b, pe, flow, half, fixed, time, whole, single, held: vec![Held::Whole; frame], blocks };
        (translator, which)
    }
}

impl Translator<'_, '_> {
    /// Goes on in a block all of whose predecessors are there.
    pub(super) fn switch_to(&mut self, block: Block) {
        self.b.seal_block(block);
        self.b.switch_to_block(block);
    }

    /// All 64 bits of a register.
    pub(super) fn whole(&mut self, reg: u16) -> Value {
        if self.held[usize::from(reg)] == Held::Single {
            let bits = self.b.use_var(self.single[usize::from(reg)]);
            let bits = self.b.ins().bitcast(I32, MemFlagsData::new(), bits);
            let value = self.b.ins().uextend(I64, bits);
            self.b.def_var(self.whole[usize::from(reg)], value);
            self.held[usize::from(reg)] = Held::Both;
        }
        self.b.use_var(self.whole[usize::from(reg)])
    }

    /// The low 32 bits of a register as a float.
    pub(super) fn single(&mut self, reg: u16) -> Value {
        if self.held[usize::from(reg)] == Held::Whole {
            let value = self.b.use_var(self.whole[usize::from(reg)]);
            let bits = self.b.ins().ireduce(I32, value);
            let value = self.b.ins().bitcast(F32, MemFlagsData::new(), bits);
            self.b.def_var(self.single[usize::from(reg)], value);
            self.held[usize::from(reg)] = Held::Both;
        }
        self.b.use_var(self.single[usize::from(reg)])
    }

    pub(super) fn set_whole(&mut self, reg: u16, value: Value) {
        self.b.def_var(self.whole[usize::from(reg)], value);
        self.held[usize::from(reg)] = Held::Whole;
    }

    pub(super) fn set_single(&mut self, reg: u16, value: Value) {
        self.b.def_var(self.single[usize::from(reg)], value);
        self.held[usize::from(reg)] = Held::Single;
    }

    pub(super) fn set_const(&mut self, reg: u16, value: u64) {
        let value = self.b.ins().iconst(I64, value.cast_signed());
        self.set_whole(reg, value);
    }

    /// 0 or 1.
    pub(super) fn set_bool(&mut self, reg: u16, value: Value) {
        let value = self.b.ins().uextend(I64, value);
        self.set_whole(reg, value);
    }

    /// A float; each NaN becomes the canonical one. That is a branch, so that the next operation need not wait.
    pub(super) fn set_canonical(&mut self, reg: u16, value: Value) {
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
    pub(super) fn hand_over(&mut self, blocks: &[usize]) {
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

    /// The right operand of an instruction.
    pub(super) fn right(&mut self, right: Right) -> Value {
        match right {
            Right::Reg(reg) => self.whole(reg),
            Right::Value(value) => self.b.ins().iconst(I64, value),
        }
    }
}
