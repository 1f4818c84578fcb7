//! Instruction selection: translates each IR instruction.

mod arith;
mod branch;
mod dsd;
mod memory;

pub use dsd::constant_arg;

use csl_ir::{AddrBase, Callee, Inst, Opnd, Reg, Scalar};
use csl_isa::{IntCode, NO_REG, Op};
use csl_machine::REGISTERS_START;
use csl_num::LowBits;

use crate::func::{FnGen, is_exit};

impl FnGen<'_, '_> {
    /// Translates one instruction, which takes `cost` cycles. An instruction that leaves the interpreter sees the time
    /// at which it is issued.
    pub fn inst(&mut self, inst: &Inst, cost: u32) {
        if let Inst::Call { dst, callee, args } = inst {
            return self.call(*dst, callee, args, cost);
        }
        if is_exit(inst) || is_register_access(inst) {
            self.flush();
        }
        self.select(inst);
        self.pending += cost;
    }

    fn select(&mut self, inst: &Inst) {
        match inst {
            Inst::Copy { dst, src } => self.load_into(self.reg(*dst), src),
            Inst::Bin { op, ty, dst, a, b } => self.binary(*op, *ty, *dst, a, b),
            Inst::Un { op, ty, dst, a } => self.unary(*op, *ty, *dst, a),
            Inst::Cmp { op, ty, dst, a, b } => self.compare(*op, *ty, *dst, a, b),
            Inst::Cast { from, to, to_bool, dst, a } => self.cast(*from, *to, *to_bool, *dst, a),
            Inst::Select { dst, cond, a, b, .. } => self.choose(*dst, cond, a, b),
            Inst::Math { f, ty, dst, a, b } => self.math(*f, *ty, *dst, a, b.as_ref()),
            Inst::Load { ty, dst, addr, keeps } => self.load(*ty, *dst, addr, *keeps),
            Inst::Store { ty, addr, src } => self.store(*ty, addr, src),
            Inst::MemCopy { dst, src, bytes } => self.mem_copy(dst, src, *bytes),
            Inst::MemFill { ty, dst, src, count } => self.mem_fill(*ty, dst, src, *count),
            Inst::Lea { dst, addr } => self.lea(*dst, addr),
            Inst::Index { dst, base, index, scale, values } => self.index(*dst, base, index, *scale, *values),
            Inst::Call { .. } => unreachable!("calls are selected by their own function"),
            Inst::MakeMem1d { dst, base, offset, elem_words, stride, extent, index_offset } => {
                self.make_mem1d(*dst, [base, offset, stride, extent], *elem_words, *index_offset);
            }
            Inst::MakeFabric { dst, desc, extent } => self.make_fabric(*dst, desc, extent),
            Inst::MakeMem4d { dst, desc, base, offset, extents } => {
                self.make_mem4d(dst, desc, base.as_ref(), offset.as_ref(), extents);
            }
            Inst::SetDsd { dst, dsd, what, value } => self.set_dsd(*dst, dsd, *what, value),
            Inst::SetMem4d { addr, what, value } => self.set_mem4d(addr, *what, value),
            Inst::Vec(vec) => {
                let row = self.vec_row(vec);
                let result = self.optional(vec.result);
                self.emit(Op::Vec, row, result, 0);
            }
            Inst::LoadDsr(load) => {
                let row = self.load_row(load);
                self.emit(Op::LoadDsr, row, 0, 0);
            }
            Inst::IterLoad { iter, dsd, elem_bits } => {
                let row = self.iter_row(dsd, *elem_bits);
                self.emit(Op::IterLoad, iter.short(), row, 0);
            }
            Inst::IterMore { iter, ok } => {
                let ok = self.reg(*ok);
                self.emit(Op::IterMore, ok, iter.number() as u16, 0);
            }
            Inst::IterNext { iter, ty, dst, ok } => self.iter_next(iter.short(), *ty, *dst, *ok),
            Inst::IterPut { iter, src, ok, .. } => {
                let (src, ok) = (self.operand(src), self.reg(*ok));
                self.emit(Op::IterPut, src, iter.short(), ok);
            }
            Inst::Sys { op, dst, args } => {
                let args = self.consecutive(args);
                let dst = self.optional(*dst);
                self.emit(Op::Sys, op.number(), args, dst);
            }
        }
    }

    pub fn optional(&self, reg: Option<Reg>) -> u16 {
        reg.map_or(NO_REG, |reg| self.reg(reg))
    }

    /// Moves the operands into consecutive registers; returns the first of these.
    pub fn consecutive(&mut self, operands: &[Opnd]) -> u16 {
        match operands {
            [] => 0,
            [Opnd::Reg(only)] => self.reg(*only),
            _ => {
                let first = self.window(operands.len().low16());
                operands.iter().zip(first..).for_each(|(operand, into)| self.load_into(into, operand));
                first
            }
        }
    }

    fn call(&mut self, dst: Option<Reg>, callee: &Callee, args: &[Opnd], cost: u32) {
        let pointer = match callee {
            Callee::Indirect(pointer) => Some(self.operand(pointer)),
            Callee::Direct(_) => None,
        };
        let window = self.window(args.len().max(1).low16());
        args.iter().zip(window..).for_each(|(arg, into)| self.load_into(into, arg));
        let cost = self.take_pending(cost);
        match (callee, pointer) {
            (Callee::Direct(func), _) => self.emit(Op::Call, func.short(), window, cost),
            (Callee::Indirect(_), pointer) => self.emit(Op::CallPtr, pointer.unwrap_or(NO_REG), window, cost),
        }
        if let Some(dst) = dst {
            self.copy(self.reg(dst), window);
        }
    }

    /// Takes an element for `@map`; the engine gives its raw bits.
    fn iter_next(&mut self, iter: u16, ty: Scalar, dst: Reg, ok: Reg) {
        let (dst, ok) = (self.reg(dst), self.reg(ok));
        self.emit(Op::IterNext, dst, iter, ok);
        if let Scalar::Int { signed, bits } = ty
            && (signed || !matches!(bits, 16 | 32))
        {
            self.emit(Op::Wrap, dst, dst, IntCode::new(signed, bits).0);
        }
    }
}

/// Whether the instruction is a load or store of a register at a fixed address. Through a pointer the time is that of
/// the block's start.
fn is_register_access(inst: &Inst) -> bool {
    let (Inst::Load { addr, .. } | Inst::Store { addr, .. }) = inst else { return false };
    matches!(addr.base, AddrBase::Absolute) && addr.offset.low16() >= REGISTERS_START
}
