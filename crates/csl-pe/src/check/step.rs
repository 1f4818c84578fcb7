//! What a checked PE does at each instruction, worked out when the program is loaded.

use csl_image::PeImage;
use csl_isa::{Field, Insn, Op};
use csl_num::LowBits;

use super::access::{self, Shape};
use super::object::{Bounds, Tag};

/// The work before an instruction; the core tells accesses and the results of 32-bit floats itself. [`Step::Other`] looks
/// at everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It computes no address, or is an access or an operation on 32-bit floats.
    Nothing,
    /// Its result is no address.
    Clear,
    /// The address in its second operand moves on.
    Moved,
    /// The address in one of two operands moves on by the other.
    Sum,
    /// A constant, perhaps an address.
    Constant,
    Other,
}

/// What the code says of an access.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The object, where the address is a constant in the code.
    pub tag: Tag,
    pub is_by_register: bool,
    /// The words of the instruction.
    pub words: u8,
    /// The number of values that the index may have, or [`NO_LIMIT`].
    pub limit: u32,
}

/// More than any index has values.
pub const NO_LIMIT: u32 = 1 << 16;

/// The work at each instruction of a program, and the access of the instruction that ends at each word; they point to
/// `meant`, each with the number of values of the index, or 0.
pub fn steps(program: &PeImage, meant: &[(Tag, u16)], bounds: &[Bounds]) -> (Vec<Step>, Vec<Place>) {
    let nowhere = Place { tag: Tag::NONE, is_by_register: true, words: 1, limit: NO_LIMIT };
    let (mut steps, mut places) = (Vec::new(), vec![nowhere; program.code.len()]);
    for (pc, insn) in program.code.iter().map(|insn| insn.alone()).enumerate() {
        let (tag, values) = meant.get(pc).copied().unwrap_or_default();
        let Some(shape) = access::shape(insn.op) else {
            steps.push(Step::of(insn, values));
            continue;
        };
        let values = match program.code.get(pc + 1).filter(|_| shape.is_row()) {
            Some(ext) => in_row(shape, *ext, tag, bounds),
            None => values,
        };
        let limit = if values == 0 { NO_LIMIT } else { values.into() };
        let place = Place { tag, is_by_register: shape.is_by_register(), words: insn.words().low8(), limit };
        steps.push(Step::Nothing);
        if let Some(end) = places.get_mut(pc + insn.words() - 1) {
            *end = place;
        }
    }
    (steps, places)
}

/// The elements of a row, whose bytes and base the word behind an instruction holds; 0 where the base is not that of a row:
/// a part of the index may be in it.
fn in_row(shape: Shape, ext: Insn, tag: Tag, bounds: &[Bounds]) -> u16 {
    let Some(bounds) = tag.index().and_then(|object| bounds.get(object)) else { return 0 };
    let offset = i32::from(ext.b.wrapping_sub(bounds.start.low16()).signed16());
    match ext.a >= shape.bytes && offset % i32::from(ext.a) == 0 {
        true => ext.a / shape.bytes,
        false => 0,
    }
}

impl Step {
    /// The work at an instruction that accesses no memory, or copies.
    fn of(insn: Insn, values: u16) -> Step {
        match insn.op {
            // An index that is looked at.
            _ if values != 0 => Step::Other,
            Op::AddU16Imm | Op::AddI16Imm | Op::AddI32Imm | Op::AddU32Imm | Op::Copy => Step::Moved,
            Op::AddI16 | Op::AddU16 | Op::AddI32 | Op::AddU32 | Op::SubI16 | Op::SubU16 => Step::Sum,
            Op::Imm | Op::Imm32 | Op::Pool => Step::Constant,
            Op::NextI16 | Op::NextU16 | Op::NextI16Imm | Op::NextU16Imm | Op::Jump | Op::Ext | Op::Charge => {
                Step::Nothing
            }
            Op::AddF32 | Op::SubF32 | Op::MulF32 | Op::DivF32 | Op::MulAccF32 => Step::Nothing,
            op if is_branch(op) => Step::Nothing,
            op if is_plain(op) => Step::Clear,
            _ => Step::Other,
        }
    }
}

fn is_branch(op: Op) -> bool {
    let fields = op.fields();
    fields[2] == Field::Target && fields[0] == Field::Src
}

/// Whether an operation on integers gives something that is no address whatever its operands are.
fn is_plain(op: Op) -> bool {
    matches!(
        op,
        Op::MulI16
            | Op::MulU16
            | Op::MulI16Imm
            | Op::MulU16Imm
            | Op::MulI32
            | Op::MulU32
            | Op::SubI32
            | Op::SubU32
            | Op::And
            | Op::Or
            | Op::Xor
            | Op::AndImm
            | Op::OrImm
            | Op::XorImm
            | Op::ShlImm
            | Op::ShrSImm
            | Op::ShrUImm
            | Op::Eq
            | Op::Ne
            | Op::LtS
            | Op::LeS
            | Op::LtU
            | Op::LeU
            | Op::IsZero
            | Op::NonZero
            | Op::EqF32
            | Op::NeF32
            | Op::LtF32
            | Op::LeF32
            | Op::NegF32
    )
}
