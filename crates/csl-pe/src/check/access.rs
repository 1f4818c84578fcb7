//! The accesses to memory of scalar instructions: address, size, and the register or constant that gives the address.

use csl_isa::{Insn, Op};
use csl_num::LowBits;

use crate::complaint::Access;

/// The part of an instruction that gives the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    Register(u16),
    /// A constant in the code.
    Code,
}

/// The size, the direction and the addressing mode of an access.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    bytes: u16,
    is_store: bool,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Base,
    At,
    Index,
    AtIndex,
    Row,
}

impl Shape {
    /// The access of an instruction, and what gives its address; `ext` is the word behind it.
    #[inline]
    pub fn of(self, insn: Insn, ext: Insn, frame: &[u64]) -> (Access, Base) {
        let Shape { bytes, is_store, mode } = self;
        let reg = |register| low_half(frame, register);
        let scaled = |base: u16, index: u16| base.wrapping_add(reg(index).wrapping_mul(bytes));
        let (addr, base) = match mode {
            Mode::Base => (reg(insn.b).wrapping_add(insn.c), Base::Register(insn.b)),
            Mode::At => (insn.b, Base::Code),
            Mode::Index => (scaled(reg(insn.b), insn.c), Base::Register(insn.b)),
            Mode::AtIndex => (scaled(insn.b, insn.c), Base::Code),
            Mode::Row => (scaled(ext.b.wrapping_add(reg(insn.b).wrapping_mul(ext.a)), insn.c), Base::Code),
        };
        (Access { addr, bytes, is_store }, base)
    }

    pub fn is_row(self) -> bool {
        self.mode == Mode::Row
    }
}

/// The shape of the access that an operation makes, but for copies and fills.
pub fn shape(op: Op) -> Option<Shape> {
    let (bytes, is_store, mode) = parts(op)?;
    Some(Shape { bytes, is_store, mode })
}

fn parts(op: Op) -> Option<(u16, bool, Mode)> {
    Some(match op {
        Op::LoadU8 | Op::LoadI8 => (1, false, Mode::Base),
        Op::LoadU16 | Op::LoadI16 => (2, false, Mode::Base),
        Op::LoadU32 | Op::LoadI32 => (4, false, Mode::Base),
        Op::Load64 => (8, false, Mode::Base),
        Op::Store8 => (1, true, Mode::Base),
        Op::Store16 => (2, true, Mode::Base),
        Op::Store32 => (4, true, Mode::Base),
        Op::Store64 => (8, true, Mode::Base),
        Op::LoadU8At | Op::LoadI8At => (1, false, Mode::At),
        Op::LoadU16At | Op::LoadI16At => (2, false, Mode::At),
        Op::LoadU32At | Op::LoadI32At => (4, false, Mode::At),
        Op::Load64At => (8, false, Mode::At),
        Op::Store8At => (1, true, Mode::At),
        Op::Store16At => (2, true, Mode::At),
        Op::Store32At => (4, true, Mode::At),
        Op::Store64At => (8, true, Mode::At),
        Op::LoadU8Idx | Op::LoadI8Idx => (1, false, Mode::Index),
        Op::LoadU16Idx | Op::LoadI16Idx => (2, false, Mode::Index),
        Op::LoadU32Idx | Op::LoadI32Idx => (4, false, Mode::Index),
        Op::Load64Idx => (8, false, Mode::Index),
        Op::Store8Idx => (1, true, Mode::Index),
        Op::Store16Idx => (2, true, Mode::Index),
        Op::Store32Idx => (4, true, Mode::Index),
        Op::Store64Idx => (8, true, Mode::Index),
        Op::LoadU8AtIdx | Op::LoadI8AtIdx => (1, false, Mode::AtIndex),
        Op::LoadU16AtIdx | Op::LoadI16AtIdx => (2, false, Mode::AtIndex),
        Op::LoadU32AtIdx | Op::LoadI32AtIdx => (4, false, Mode::AtIndex),
        Op::Load64AtIdx => (8, false, Mode::AtIndex),
        Op::Store8AtIdx => (1, true, Mode::AtIndex),
        Op::Store16AtIdx => (2, true, Mode::AtIndex),
        Op::Store32AtIdx => (4, true, Mode::AtIndex),
        Op::Store64AtIdx => (8, true, Mode::AtIndex),
        Op::LoadU16Row | Op::LoadI16Row => (2, false, Mode::Row),
        Op::LoadU32Row | Op::LoadI32Row => (4, false, Mode::Row),
        Op::Store16Row => (2, true, Mode::Row),
        Op::Store32Row => (4, true, Mode::Row),
        _ => return None,
    })
}

/// The low half of a register.
pub fn low_half(frame: &[u64], register: u16) -> u16 {
    frame.get(usize::from(register)).map_or(0, |value| value.low16())
}
