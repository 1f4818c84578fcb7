//! Selects instructions that make and change descriptors at run time.

use csl_ir::{Addr, DsdChange, DsdValue, Opnd, Reg};
use csl_isa::dsd::mem4d;
use csl_isa::{Op, vec};
use csl_num::LowBits;

use crate::func::FnGen;

impl FnGen<'_, '_> {
    /// Makes a mem1d descriptor. `parts`: base in bytes, offset in elements of `elem_words`, stride, extent.
    pub fn make_mem1d(&mut self, dst: Reg, parts: [&Opnd; 4], elem_words: u16, index_offset: bool) {
        let window = self.window(4);
        parts.into_iter().zip(window..).for_each(|(part, into)| self.load_into(into, part));
        if elem_words != 1 {
            self.emit(Op::MulI16Imm, window + 1, window + 1, elem_words);
        }
        self.emit(Op::MakeMem1d, self.reg(dst), window, u16::from(index_offset));
    }

    pub fn make_fabric(&mut self, dst: Reg, desc: &DsdValue, extent: &Opnd) {
        let extent = self.operand(extent);
        let word = self.temp();
        self.load_constant(word, self.ctx.pack(desc));
        self.emit(Op::SetDsdLength, self.reg(dst), word, extent);
    }

    pub fn set_dsd(&mut self, dst: Reg, dsd: &Opnd, what: DsdChange, value: &Opnd) {
        let (into, dsd) = (self.reg(dst), self.operand(dsd));
        let (op, value) = match what {
            // A fabric DSD has its color and queue in the field of a memory DSD's address.
            DsdChange::BaseAddr | DsdChange::Ends => (Op::SetDsdAddr, self.operand(value)),
            DsdChange::Offset { elem_words } => (Op::AddDsdWords, self.words(value, elem_words)),
            DsdChange::Length => (Op::SetDsdLength, self.operand(value)),
            DsdChange::Stride => (Op::SetDsdStride, self.operand(value)),
        };
        self.emit(op, into, dsd, value);
    }

    /// A number of elements as 16-bit words.
    fn words(&mut self, elements: &Opnd, elem_words: u16) -> u16 {
        let elements = self.operand(elements);
        if elem_words == 1 {
            return elements;
        }
        let words = self.temp();
        self.emit(Op::MulI16Imm, words, elements, elem_words);
        words
    }

    pub fn make_mem4d(
        &mut self,
        dst: &Addr,
        desc: &DsdValue,
        base: Option<&Opnd>,
        offset: Option<&Opnd>,
        extents: &[Option<Opnd>],
    ) {
        let at = self.address_register(dst);
        let addr = self.mem4d_addr(desc, base, offset);
        self.emit(Op::Store16, addr, at, mem4d::ADDR.low16());
        let flag = if desc.wavelet_index_offset { mem4d::INDEX_OFFSET } else { 0 };
        self.store_word(at, mem4d::SHAPE, &Opnd::Imm(u64::from(desc.extents.len().low16() | flag)));
        for place in 0..4 {
            let constant = desc.extents.get(place).copied().unwrap_or(0);
            let extent = extents.get(place).cloned().flatten().unwrap_or(Opnd::Imm(u64::from(constant)));
            self.store_word(at, mem4d::EXTENTS + 2 * place as u32, &extent);
            let stride = desc.strides.get(place).copied().unwrap_or(0);
            self.store_word(at, mem4d::STRIDES + 2 * place as u32, &Opnd::Imm(stride.low16().into()));
        }
    }

    /// A register with the address at which the descriptor starts.
    fn mem4d_addr(&mut self, desc: &DsdValue, base: Option<&Opnd>, offset: Option<&Opnd>) -> u16 {
        if base.is_none() && offset.is_none() {
            return self.operand(&Opnd::Imm(u64::from(self.ctx.dsd_addr(desc))));
        }
        let start = desc.base.as_ref().map_or(0, |pointer| self.ctx.pointer(pointer));
        let base = base.cloned().unwrap_or(Opnd::Imm(u64::from(start)));
        let offset = offset.cloned().unwrap_or(Opnd::Imm(desc.offset as u64));
        let words = self.words(&offset, desc.elem_words);
        let base = self.operand(&base);
        let addr = self.temp();
        self.emit(Op::Index2, addr, base, words);
        addr
    }

    fn store_word(&mut self, at: u16, offset: u32, value: &Opnd) {
        let value = self.operand(value);
        self.emit(Op::Store16, value, at, offset.low16());
    }

    pub fn set_mem4d(&mut self, addr: &Addr, what: DsdChange, value: &Opnd) {
        let at = self.address_register(addr);
        match what {
            DsdChange::BaseAddr => self.store_word(at, mem4d::ADDR, value),
            // The innermost loop's stride.
            DsdChange::Stride => self.store_word(at, mem4d::STRIDES, value),
            // Only fabric DSDs have a color and a queue.
            DsdChange::Ends => {}
            DsdChange::Length => self.store_word(at, mem4d::EXTENTS, value),
            DsdChange::Offset { elem_words } => {
                let words = self.words(value, elem_words);
                let old = self.temp();
                self.emit(Op::LoadU16, old, at, mem4d::ADDR.low16());
                self.emit(Op::Index2, old, old, words);
                self.emit(Op::Store16, old, at, mem4d::ADDR.low16());
            }
        }
    }
}

/// The operand of a DSR load before the first cycle, which is a constant.
pub fn constant_arg(ctx: &crate::context::Context<'_>, operand: &csl_ir::VecOperand) -> Option<vec::VecArg> {
    match operand {
        csl_ir::VecOperand::Dsd(Opnd::Dsd(desc)) => Some(vec::VecArg::DsdConst(ctx.pack(desc))),
        csl_ir::VecOperand::Dsd(Opnd::Imm(word)) => Some(vec::VecArg::DsdConst(*word)),
        csl_ir::VecOperand::Mem4d(Addr { base: csl_ir::AddrBase::Global(id), offset }) => {
            Some(vec::VecArg::Mem4dAt(ctx.global(*id, *offset)))
        }
        csl_ir::VecOperand::Fifo(fifo) => Some(vec::VecArg::Fifo(fifo.number().low8())),
        _ => None,
    }
}
