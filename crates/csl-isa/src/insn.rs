//! One instruction: its encoding and its text.

use csl_num::LowBits;
use std::fmt::Write;

use csl_machine::SysOp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::op::{Field, Op};

/// The number that stands for a register that is left out.
pub const NO_REG: u16 = 0xffff;

/// An instruction. In the image it is the 64-bit word `op | a << 16 | b << 32 | c << 48`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn {
    pub op: Op,
    pub a: u16,
    pub b: u16,
    pub c: u16,
}

const _: () = assert!(size_of::<Insn>() == 8, "instructions are 8 bytes");

impl Insn {
    pub fn new(op: Op, a: u16, b: u16, c: u16) -> Insn {
        Insn { op, a, b, c }
    }

    pub fn encode(self) -> u64 {
        self.op as u64 | u64::from(self.a) << 16 | u64::from(self.b) << 32 | u64::from(self.c) << 48
    }

    /// The same as one that is carried out alone ([`Op::alone`]).
    pub fn alone(self) -> Insn {
        Insn { op: self.op.alone(), ..self }
    }

    /// Words that the instruction takes, its `ext` words included.
    pub fn words(self) -> usize {
        1 + if self.op == Op::Table { usize::from(self.b) } else { usize::from(self.op.has_ext()) }
    }

    /// The instruction in a word; `None` where no operation has the number.
    pub fn decode(word: u64) -> Option<Insn> {
        let op = Op::from_number(word.low16())?;
        Some(Insn { op, a: (word >> 16).low16(), b: (word >> 32).low16(), c: (word >> 48).low16() })
    }
}

impl Serialize for Insn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.encode())
    }
}

impl<'de> Deserialize<'de> for Insn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Insn, D::Error> {
        let word = u64::deserialize(deserializer)?;
        Insn::decode(word).ok_or_else(|| serde::de::Error::custom("no such instruction"))
    }
}

/// An integer type in a [`Field::Ty`]: the width in bits (1 to 64), plus 0x80 for signed types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntCode(pub u16);

impl IntCode {
    pub fn new(signed: bool, bits: u8) -> IntCode {
        IntCode(u16::from(bits) | u16::from(signed) << 7)
    }

    #[inline(always)]
    pub fn signed(self) -> bool {
        self.0 & 0x80 != 0
    }

    #[inline(always)]
    pub fn bits(self) -> u32 {
        u32::from(self.0 & 0x7f)
    }

    pub fn is_valid(self) -> bool {
        self.0 <= 0xff && (1..=64).contains(&self.bits())
    }
}

/// The value of a pointer to function number `index`. 0 is no function.
pub fn fn_address(index: u32) -> u16 {
    (index + 1).low16()
}

/// The function that a pointer's value refers to.
#[inline(always)]
pub fn fn_index(address: u16) -> Option<u16> {
    address.checked_sub(1)
}

/// The text of code, a line for each instruction: its position, name and fields.
pub fn disassemble(code: &[Insn], first: usize) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < code.len() {
        let insn = code[at];
        let next = code.get(at + 1).copied();
        write!(out, "{:5}  {}", first + at, insn.op.name()).expect("writing to a String does not fail");
        out.push_str(&fields_text(insn, next));
        out.push('\n');
        at += if insn.op.has_ext() { 2 } else { 1 };
    }
    out
}

fn fields_text(insn: Insn, next: Option<Insn>) -> String {
    if insn.op == Op::Ext {
        return format!(" @{} cost {}", u32::from(insn.b) << 16 | u32::from(insn.c), insn.a);
    }
    let values = [insn.a, insn.b, insn.c];
    let mut parts: Vec<String> =
        insn.op.fields().into_iter().zip(values).filter_map(|(field, value)| field_text(field, value, insn)).collect();
    if let (true, Some(ext)) = (insn.op.is_branch(), next) {
        parts.push(format!("@{}", u32::from(insn.c) << 16 | u32::from(ext.c)));
        parts.push(format!("cost {}/{}", ext.a, ext.b));
    }
    if let (true, Some(ext)) = (insn.op.is_row_access(), next) {
        parts.push(format!("{} a row, {:#x}", ext.a, ext.b));
    }
    if parts.is_empty() { String::new() } else { format!(" {}", parts.join(", ")) }
}

fn field_text(field: Field, value: u16, insn: Insn) -> Option<String> {
    Some(match field {
        Field::None | Field::Target | Field::TargetLow => return None,
        Field::OptDst if value == NO_REG => return None,
        Field::Dst | Field::OptDst | Field::Src | Field::Acc => format!("r{value}"),
        Field::Args | Field::Window => format!("r{value}.."),
        Field::Imm => value.signed16().to_string(),
        Field::Uimm | Field::Count => value.to_string(),
        Field::Offset => format!("{value:#x}"),
        Field::Ty => format!("{}{}", if IntCode(value).signed() { 'i' } else { 'u' }, IntCode(value).bits()),
        Field::TargetHigh => format!("@{}", u32::from(value) << 16 | u32::from(insn.b)),
        Field::Cost => format!("cost {value}"),
        Field::Func => format!("f{value}"),
        Field::Pool => format!("pool[{value}]"),
        Field::TileConst => format!("tile[{value}]"),
        Field::VecRow => format!("vec[{value}]"),
        Field::LoadRow => format!("dsr_load[{value}]"),
        Field::IterRow => format!("iter_dsd[{value}]"),
        Field::Iter => format!("iter{value}"),
        Field::Sys => SysOp::ALL.get(usize::from(value)).map_or("?", |op| op.name()).to_string(),
        Field::Math => format!("fn{value}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_decodes_to_itself() {
        for &op in Op::ALL {
            let insn = Insn::new(op, 1, 0xfffe, 3);
            assert_eq!(Insn::decode(insn.encode()), Some(insn));
        }
        assert_eq!(Insn::decode(Op::ALL.len() as u64), None);
    }

    #[test]
    fn a_branch_shows_its_target_and_costs() {
        let code = [Insn::new(Op::BrLtU, 1, 2, 0), Insn::new(Op::Ext, 3, 9, 7), Insn::new(Op::RetVoid, 0, 2, 0)];
        assert_eq!(disassemble(&code, 10), "   10  br_lt_u r1, r2, @7, cost 3/9\n   12  ret_void cost 2\n");
    }
}
