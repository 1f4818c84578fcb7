//! Names the operands of an instruction.

use csl_image::PeImage;
use csl_isa::dsd::{Dsd, DsdClass};
use csl_isa::vec::{VecArg, VecDesc};
use csl_isa::{Field, Insn, NO_REG, Op};
use csl_machine::{Color, DsrFile, VecOp};
use csl_pe::Element;

/// Destination and sources.
#[derive(Default)]
pub(super) struct Operands {
    pub names: [Option<String>; 4],
    /// Sizes in 16-bit words.
    pub words: [u16; 4],
    /// The position of each operand in an element's values.
    places: [usize; 4],
}

impl Operands {
    pub(crate) fn value(&self, i: usize, element: &Element) -> Option<u64> {
        element.values[self.places[i]]
    }
}

pub(super) fn operands(program: &PeImage, insn: Insn, pc: u32) -> Operands {
    match insn.op {
        Op::Vec => program.vecs.get(usize::from(insn.a)).map(vector).unwrap_or_default(),
        _ => scalar(program, insn, pc),
    }
}

/// A vector operation in words, for listings; `None` for other instructions.
pub(crate) fn vector_text(program: &PeImage, insn: Insn) -> Option<String> {
    let row = (insn.op == Op::Vec).then(|| program.vecs.get(usize::from(insn.a))).flatten()?;
    let name = VecOp::ALL.get(usize::from(row.op)).map_or("?", |op| op.name());
    let operands: Vec<String> = vector(row).names.into_iter().flatten().collect();
    Some(format!("{name} {}{}", operands.join(", "), if row.config.is_async { ", async" } else { "" }))
}

fn vector(row: &VecDesc) -> Operands {
    let op = VecOp::ALL.get(usize::from(row.op));
    let mut found = Operands { places: [0, 1, 2, 3], ..Operands::default() };
    found.names[0] = Some(argument(row.dest));
    found.words[0] = op.map_or(2, |op| op.dest().words());
    for (i, arg) in row.srcs.iter().take(3).enumerate() {
        found.names[i + 1] = Some(argument(*arg));
        found.words[i + 1] = op.and_then(|op| op.sources().get(i)).map_or(2, |elem| elem.words());
    }
    found
}

fn argument(arg: VecArg) -> String {
    match arg {
        VecArg::Dsd(reg) => format!("[R{reg}]"),
        VecArg::DsdConst(word) => descriptor(Dsd(word)),
        VecArg::Mem4d(reg) => format!("[R{reg}]"),
        VecArg::Mem4dAt(addr) | VecArg::PtrAt(addr) => format!("addr16({addr:04x})"),
        VecArg::Mem4dConst(row) => format!("[MEM4D{row}]"),
        VecArg::Fifo(id) => format!("[FIFO{id}]"),
        VecArg::Dsr { file: DsrFile::Dest, id } => format!("[DDS{id}]"),
        VecArg::Dsr { file: DsrFile::Src0, id } => format!("[S0DS{id}]"),
        VecArg::Dsr { file: DsrFile::Src1, id } => format!("[S1DS{id}]"),
        VecArg::Scalar { reg, .. } | VecArg::Ptr(reg) => format!("R{reg}"),
        VecArg::ScalarConst { value, bits: 16 } => format!("imm({value:04x})"),
        VecArg::ScalarConst { value, .. } => format!("imm({value:08x})"),
    }
}

fn descriptor(dsd: Dsd) -> String {
    let queue = |name: &str| match (dsd.queue(), dsd.color()) {
        (Some(queue), _) => format!("[{name}{queue}]"),
        (None, color) => format!("[C{}]", Color::byte(color)),
    };
    match dsd.class() {
        DsdClass::Mem1d | DsdClass::Circbuf => format!("addr16({:04x})", dsd.addr()),
        DsdClass::Fabin => queue("IQ"),
        DsdClass::Fabout => queue("OQ"),
    }
}

/// Fields of a scalar instruction in the order destination, then sources.
fn scalar(program: &PeImage, insn: Insn, pc: u32) -> Operands {
    let mut found = Operands { words: [2; 4], ..Operands::default() };
    let mut next = 1;
    let values = [insn.a, insn.b, insn.c];
    for (i, (field, value)) in insn.op.fields().into_iter().zip(values).enumerate() {
        let Some((name, is_dest)) = field_name(program, field, value) else { continue };
        let slot = if is_dest { 0 } else { next };
        if slot == 0 || next < 4 {
            found.names[slot] = Some(name);
            // An element's first value is the destination's; the others are in the order of the fields.
            found.places[slot] = if is_dest { 0 } else { i + 1 };
            next += usize::from(!is_dest);
        }
    }
    if insn.op.is_branch() {
        let low = program.code.get(pc as usize + 1).map_or(0, |ext| ext.c);
        found.names[0] = Some("IP".to_owned());
        if next < 4 {
            found.names[next] = Some(format!("imm({:04x})", u32::from(insn.c) << 16 | u32::from(low)));
            found.places[next] = 3;
        }
    }
    found
}

/// The name of a field, and whether it is written.
fn field_name(program: &PeImage, field: Field, value: u16) -> Option<(String, bool)> {
    match field {
        Field::Dst | Field::OptDst if value == NO_REG => None,
        Field::Dst | Field::OptDst | Field::Acc => Some((format!("R{value}"), true)),
        Field::Src | Field::Args | Field::Window => Some((format!("R{value}"), false)),
        Field::Imm | Field::Uimm | Field::Count | Field::Ty | Field::Math => Some((format!("imm({value:04x})"), false)),
        Field::Offset => Some((format!("addr16({value:04x})"), false)),
        Field::Func => Some((program.funcs.get(usize::from(value))?.name.clone(), false)),
        Field::TargetHigh => Some(("IP".to_owned(), true)),
        Field::TargetLow => Some((format!("imm({value:04x})"), false)),
        Field::Pool | Field::TileConst | Field::VecRow | Field::LoadRow | Field::IterRow | Field::Iter => {
            Some((format!("row({value})"), false))
        }
        Field::None | Field::Target | Field::Cost | Field::Sys => None,
    }
}
