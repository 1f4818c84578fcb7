//! The accesses to memory of scalar instructions: their size, and what gives the address.

use csl_isa::Op;
use csl_num::LowBits;

/// The size and the addressing mode of an access.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub bytes: u16,
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
    /// Whether a register holds the address, or a part of it that is not the index.
    pub fn is_by_register(self) -> bool {
        matches!(self.mode, Mode::Base | Mode::Index)
    }

    pub fn is_row(self) -> bool {
        self.mode == Mode::Row
    }
}

/// The shape of the access that an operation makes, but for copies and fills.
pub fn shape(op: Op) -> Option<Shape> {
    let (bytes, mode) = parts(op)?;
    Some(Shape { bytes, mode })
}

fn parts(op: Op) -> Option<(u16, Mode)> {
    Some(match op {
        Op::LoadU8 | Op::LoadI8 | Op::Store8 => (1, Mode::Base),
        Op::LoadU16 | Op::LoadI16 | Op::Store16 => (2, Mode::Base),
        Op::LoadU32 | Op::LoadI32 | Op::Store32 => (4, Mode::Base),
        Op::Load64 | Op::Store64 => (8, Mode::Base),
        Op::LoadU8At | Op::LoadI8At | Op::Store8At => (1, Mode::At),
        Op::LoadU16At | Op::LoadI16At | Op::Store16At => (2, Mode::At),
        Op::LoadU32At | Op::LoadI32At | Op::Store32At => (4, Mode::At),
        Op::Load64At | Op::Store64At => (8, Mode::At),
        Op::LoadU8Idx | Op::LoadI8Idx | Op::Store8Idx => (1, Mode::Index),
        Op::LoadU16Idx | Op::LoadI16Idx | Op::Store16Idx => (2, Mode::Index),
        Op::LoadU32Idx | Op::LoadI32Idx | Op::Store32Idx => (4, Mode::Index),
        Op::Load64Idx | Op::Store64Idx => (8, Mode::Index),
        Op::LoadU8AtIdx | Op::LoadI8AtIdx | Op::Store8AtIdx => (1, Mode::AtIndex),
        Op::LoadU16AtIdx | Op::LoadI16AtIdx | Op::Store16AtIdx => (2, Mode::AtIndex),
        Op::LoadU32AtIdx | Op::LoadI32AtIdx | Op::Store32AtIdx => (4, Mode::AtIndex),
        Op::Load64AtIdx | Op::Store64AtIdx => (8, Mode::AtIndex),
        Op::LoadU16Row | Op::LoadI16Row | Op::Store16Row => (2, Mode::Row),
        Op::LoadU32Row | Op::LoadI32Row | Op::Store32Row => (4, Mode::Row),
        _ => return None,
    })
}

/// The low half of a register.
#[inline(always)]
pub fn low_half(frame: &[u64], register: u16) -> u16 {
    frame.get(usize::from(register)).map_or(0, |value| value.low16())
}
