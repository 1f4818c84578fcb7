//! Selects loads, stores and addresses.

use csl_ir::{Addr, AddrBase, GlobalId, Inst, Opnd, Reg, Scalar};
use csl_isa::{IntCode, Op};
use csl_num::LowBits;

use crate::func::{FnGen, Held, object_of};

/// Addressing modes, in the order of the operation tables below; with a constant goes the object that it points to.
enum AddressMode {
    Base(u16, u16),
    At(u16, Option<GlobalId>),
    BaseIndex(u16, u16),
    /// The last is the number of values that the index may have, or 0.
    AtIndex(u16, u16, Option<GlobalId>, u16),
}

/// An element of an array of two dimensions: the registers of the row and of the index in it, bytes of a row, base.
struct Row {
    object: Option<GlobalId>,
    row: u16,
    index: u16,
    size: u16,
    base: u16,
}

const LOAD_U8: [Op; 4] = [Op::LoadU8, Op::LoadU8At, Op::LoadU8Idx, Op::LoadU8AtIdx];
const LOAD_I8: [Op; 4] = [Op::LoadI8, Op::LoadI8At, Op::LoadI8Idx, Op::LoadI8AtIdx];
const LOAD_U16: [Op; 4] = [Op::LoadU16, Op::LoadU16At, Op::LoadU16Idx, Op::LoadU16AtIdx];
const LOAD_I16: [Op; 4] = [Op::LoadI16, Op::LoadI16At, Op::LoadI16Idx, Op::LoadI16AtIdx];
const LOAD_U32: [Op; 4] = [Op::LoadU32, Op::LoadU32At, Op::LoadU32Idx, Op::LoadU32AtIdx];
const LOAD_I32: [Op; 4] = [Op::LoadI32, Op::LoadI32At, Op::LoadI32Idx, Op::LoadI32AtIdx];
const LOAD_64: [Op; 4] = [Op::Load64, Op::Load64At, Op::Load64Idx, Op::Load64AtIdx];
const STORE_8: [Op; 4] = [Op::Store8, Op::Store8At, Op::Store8Idx, Op::Store8AtIdx];
const STORE_16: [Op; 4] = [Op::Store16, Op::Store16At, Op::Store16Idx, Op::Store16AtIdx];
const STORE_32: [Op; 4] = [Op::Store32, Op::Store32At, Op::Store32Idx, Op::Store32AtIdx];
const STORE_64: [Op; 4] = [Op::Store64, Op::Store64At, Op::Store64Idx, Op::Store64AtIdx];

impl FnGen<'_, '_> {
    pub fn load(&mut self, ty: Scalar, dst: Reg, addr: &Addr, keeps: bool) {
        let into = self.reg(dst);
        match self.row(addr) {
            Some(row) => {
                self.note_kept(keeps);
                self.emit_row(row_load(ty), into, row);
            }
            None => {
                let place = self.place(addr);
                self.note_kept(keeps);
                self.emit_access(load_ops(ty), into, place);
            }
        }
        // Memory may hold bits that a type of odd width does not have.
        if let Scalar::Int { signed, bits } = ty
            && !matches!(bits, 8 | 16 | 32 | 64)
        {
            self.emit(Op::Wrap, into, into, IntCode::new(signed, bits).0);
        }
    }

    pub fn store(&mut self, ty: Scalar, addr: &Addr, src: &Opnd) {
        let value = self.operand(src);
        if let Some(row) = self.row(addr) {
            return self.emit_row(if ty.bytes() == 2 { Op::Store16Row } else { Op::Store32Row }, value, row);
        }
        let place = self.place(addr);
        self.emit_access(store_ops(ty.bytes()), value, place);
    }

    /// The element of a row, where the row's address was folded into the access.
    fn row(&mut self, addr: &Addr) -> Option<Row> {
        let AddrBase::Reg(element) = addr.base else { return None };
        let Some(Inst::Index { base: Opnd::Reg(row), index, .. }) = self.draft.plan.folded.get(&element).cloned()
        else {
            return None;
        };
        let Some(Inst::Index { base, index: row, scale, .. }) = self.draft.plan.folded.get(&row).cloned() else {
            return None;
        };
        let object = object_of(&base);
        let base = self.constant(&base)?.low16();
        Some(Row { object, row: self.operand(&row), index: self.operand(&index), size: scale.low16(), base })
    }

    fn emit_row(&mut self, op: Op, value: u16, row: Row) {
        self.points_to(row.object);
        self.emit(op, value, row.row, row.index);
        self.emit(Op::Ext, row.size, row.base, 0);
    }

    fn emit_access(&mut self, ops: [Op; 4], value: u16, place: AddressMode) {
        match place {
            AddressMode::Base(base, offset) => self.emit(ops[0], value, base, offset),
            AddressMode::At(addr, object) => {
                self.points_to(object);
                self.emit(ops[1], value, addr, 0);
            }
            AddressMode::BaseIndex(base, index) => self.emit(ops[2], value, base, index),
            AddressMode::AtIndex(addr, index, object, values) => {
                self.indexes(object, values);
                self.emit(ops[3], value, addr, index);
            }
        }
    }

    fn place(&mut self, addr: &Addr) -> AddressMode {
        match addr.base {
            AddrBase::Global(id) => AddressMode::At(self.ctx.global(id, addr.offset), Some(id)),
            AddrBase::Absolute => AddressMode::At(addr.offset.low16(), None),
            AddrBase::Slot(slot) => {
                let offset = self.slot_offset(slot);
                AddressMode::Base(self.held(Held::Slot(offset.low16())), addr.offset.low16())
            }
            AddrBase::Reg(reg) => self.folded_index(reg, addr.offset),
        }
    }

    /// The address in `reg`, or its computation where that was folded into this access.
    fn folded_index(&mut self, reg: Reg, offset: i32) -> AddressMode {
        let Some(Inst::Index { base, index, values, .. }) = self.draft.plan.folded.get(&reg).cloned() else {
            return AddressMode::Base(self.reg(reg), offset.low16());
        };
        let index = self.operand(&index);
        match self.constant(&base) {
            Some(at) => AddressMode::AtIndex(at.low16().wrapping_add(offset.low16()), index, object_of(&base), values),
            None => AddressMode::BaseIndex(self.operand(&base), index),
        }
    }

    /// A register that holds the address.
    pub fn address_register(&mut self, addr: &Addr) -> u16 {
        match self.place(addr) {
            AddressMode::At(at, object) => self.held_constant(at.into(), object),
            AddressMode::Base(base, 0) => base,
            place => {
                let into = self.temp();
                self.load_address(into, place);
                into
            }
        }
    }

    pub fn lea(&mut self, dst: Reg, addr: &Addr) {
        let into = self.reg(dst);
        let place = self.place(addr);
        self.load_address(into, place);
    }

    fn load_address(&mut self, into: u16, place: AddressMode) {
        match place {
            AddressMode::At(at, object) => {
                self.points_to(object);
                self.load_constant(into, u64::from(at));
            }
            AddressMode::Base(base, 0) => self.copy(into, base),
            AddressMode::Base(base, offset) => self.emit(Op::AddU16Imm, into, base, offset),
            AddressMode::BaseIndex(base, index) => self.emit(Op::Index1, into, base, index),
            AddressMode::AtIndex(at, index, object, values) => {
                self.indexes(object, values);
                self.emit(Op::Index1At, into, at, index);
            }
        }
    }

    pub fn index(&mut self, dst: Reg, base: &Opnd, index: &Opnd, scale: u32, values: u16) {
        let into = self.reg(dst);
        // An index that is none of the array's values is left to the machine: checked runs tell of it there.
        if let Some(steps) = self.constant(index).filter(|&steps| values == 0 || steps < values.into()) {
            let bytes = steps.low16().wrapping_mul(scale.low16());
            return match self.constant(base) {
                Some(at) => {
                    self.points_to(object_of(base));
                    self.load_constant(into, u64::from(at.low16().wrapping_add(bytes)));
                }
                None => {
                    let base = self.operand(base);
                    self.emit(Op::AddU16Imm, into, base, bytes);
                }
            };
        }
        let (index, scale_at) = self.scaled(index, scale);
        match self.constant(base) {
            Some(at) => {
                let ops = [Op::Index1At, Op::Index2At, Op::Index4At, Op::Index8At];
                self.indexes(object_of(base), if matches!(scale, 1 | 2 | 4 | 8) { values } else { 0 });
                self.emit(ops[scale_at], into, at.low16(), index);
            }
            None => {
                let base = self.operand(base);
                self.emit([Op::Index1, Op::Index2, Op::Index4, Op::Index8][scale_at], into, base, index);
            }
        }
    }

    /// The index, and the scale that is left to apply: 1, 2, 4 or 8, by number.
    fn scaled(&mut self, index: &Opnd, scale: u32) -> (u16, usize) {
        let index = self.operand(index);
        if matches!(scale, 1 | 2 | 4 | 8) {
            return (index, scale.trailing_zeros() as usize);
        }
        let product = self.temp();
        self.emit(Op::MulU16Imm, product, index, scale.low16());
        (product, 0)
    }

    pub fn mem_copy(&mut self, dst: &Addr, src: &Addr, bytes: u32) {
        let (dst, src) = (self.address_register(dst), self.address_register(src));
        self.emit(Op::MemCopy, dst, src, bytes.low16());
    }

    pub fn mem_fill(&mut self, ty: Scalar, dst: &Addr, src: &Opnd, count: u32) {
        let (dst, src) = (self.address_register(dst), self.operand(src));
        let ops = [Op::MemFill8, Op::MemFill16, Op::MemFill32, Op::MemFill64];
        self.emit(ops[ty.bytes().trailing_zeros() as usize], dst, src, count.low16());
    }
}

fn row_load(ty: Scalar) -> Op {
    let signed = matches!(ty, Scalar::Int { signed: true, .. });
    match (ty.bytes(), signed) {
        (2, false) => Op::LoadU16Row,
        (2, true) => Op::LoadI16Row,
        (_, false) => Op::LoadU32Row,
        (_, true) => Op::LoadI32Row,
    }
}

fn load_ops(ty: Scalar) -> [Op; 4] {
    let signed = matches!(ty, Scalar::Int { signed: true, .. });
    match (ty.bytes(), signed) {
        (1, false) => LOAD_U8,
        (1, true) => LOAD_I8,
        (2, false) => LOAD_U16,
        (2, true) => LOAD_I16,
        (4, false) => LOAD_U32,
        (4, true) => LOAD_I32,
        _ => LOAD_64,
    }
}

pub fn store_ops(bytes: u32) -> [Op; 4] {
    match bytes {
        1 => STORE_8,
        2 => STORE_16,
        4 => STORE_32,
        _ => STORE_64,
    }
}
