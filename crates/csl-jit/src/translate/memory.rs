//! Addresses, loads and stores.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};

use super::translator::{Held, Translator};
use crate::action::{Place, Wrap};
use crate::flow::{Demand, Step};

/// Data memory, at an address that is known to lie in it.
const DATA: MemFlagsData = MemFlagsData::new().with_notrap();

impl Translator<'_, '_> {
    /// An address in 16 bits.
    pub(super) fn address(&mut self, step: &Step, place: Place) -> Value {
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

    pub(super) fn load(&mut self, step: &Step, bytes: u8, signed: bool, from: Place, before: &Demand, as_single: bool) {
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

    pub(super) fn store(&mut self, step: &Step, bytes: u8, to: Place, before: &Demand) {
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
