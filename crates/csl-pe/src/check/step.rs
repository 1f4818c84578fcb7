//! What a checked PE does at each instruction, worked out when the program is loaded.

use csl_isa::{Field, Insn, Op};

use super::access::{self, Shape};

/// The work at an instruction. [`Step::Other`] looks at everything.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// It computes no address, touches no memory and raises nothing.
    Nothing,
    /// The same, and its result is no address.
    Clear,
    /// The address in its second operand moves on.
    Moved,
    /// A sum of 32-bit floats or a product of them, whose result is no address.
    Float,
    Access(Shape),
    Other,
}

impl Step {
    pub fn of(insn: Insn) -> Step {
        if let Some(shape) = access::shape(insn.op) {
            return Step::Access(shape);
        }
        match insn.op {
            Op::AddF32 | Op::SubF32 | Op::MulF32 | Op::DivF32 | Op::MulAccF32 => Step::Float,
            Op::AddU16Imm | Op::AddI16Imm | Op::Copy => Step::Moved,
            Op::NextI16 | Op::NextU16 | Op::NextI16Imm | Op::NextU16Imm | Op::Jump | Op::Ext | Op::Charge => {
                Step::Nothing
            }
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
            | Op::EqF32
            | Op::NeF32
            | Op::LtF32
            | Op::LeF32
            | Op::NegF32
    )
}
