//! Lines about instructions: decoded, executed, or none.

use csl_image::PeImage;
use csl_isa::{Insn, Op};
use csl_machine::{Coord, VecOp};
use csl_pe::{Element, Issue, Thread};
use csl_sim::Event;

use super::Scene;
use super::idle::IdlePe;
use super::operands::{Operands, operands};

const SLOTS: [&str; 4] = ["Dest", "Src0", "Src1", "Src2"];

/// Stages of decoding and of execution, as the guide counts them.
fn stages(scene: &Scene) -> [u8; 2] {
    if scene.is_wse3() { [3, 6] } else { [2, 4] }
}

pub(super) fn issued(scene: &Scene, event: &Event, issue: &Issue) -> String {
    let Some(found) = Found::at(scene, event, issue) else { return String::new() };
    let named =
        SLOTS.iter().zip(&found.operands.names).filter_map(|(slot, name)| Some(format!("  {slot}:{}", name.as_ref()?)));
    let head = head(scene, event, issue, 0, stages(scene)[0]);
    format!("{head}[IS OP]   {}{}\n", found.place(issue), named.collect::<String>())
}

pub(super) fn executed(scene: &Scene, event: &Event, issue: &Issue, element: &Element) -> String {
    let Some(found) = Found::at(scene, event, issue) else { return String::new() };
    let shown = (0..SLOTS.len()).filter_map(|i| {
        found.operands.names[i].as_ref()?;
        let value = found.operands.value(i, element)?;
        Some(format!("  {}:{}", SLOTS[i], digits(value, found.operands.words[i])))
    });
    let head = head(scene, event, issue, element.seq, stages(scene)[1]);
    // Error flags are not traced: their five places stay empty.
    format!("{head}[EX OP]   {}{}  [     ] U{}\n", found.place(issue), shown.collect::<String>(), element.unit)
}

pub(super) fn idle(scene: &Scene, pe: IdlePe) -> String {
    let at = scene.image.to_physical(pe.x, pe.y);
    let (Coord { x, y }, id) = (at, scene.image.fabric.number(at));
    format!("@{} P{x}.{y}: Id: {id}, Msg: [EX OP] IDLE\n", pe.cycle)
}

fn head(scene: &Scene, event: &Event, issue: &Issue, seq: u32, stage: u8) -> String {
    let (Coord { x, y }, id) = (scene.place(event), scene.tile(event));
    let number = issue.number;
    format!("@{} P{x}.{y}: Id: {id}, Instr: {number}, Seq: {seq}, Pipe: {stage}, Msg: ", event.cycle)
}

/// Hexadecimal digits of a value of so many 16-bit words.
fn digits(value: u64, words: u16) -> String {
    match words {
        1 if value <= 0xffff => format!("{value:04x}"),
        4 => format!("{value:016x}"),
        _ => format!("{:08x}", value as u32),
    }
}

/// An instruction, with its operands by name.
struct Found {
    name: String,
    operands: Operands,
}

impl Found {
    fn at(scene: &Scene, event: &Event, issue: &Issue) -> Option<Found> {
        let program = scene.image.program_at(event.x, event.y)?;
        let insn = program.code.get(issue.pc as usize)?.alone();
        Some(Found { name: name(program, insn), operands: operands(program, insn, issue.pc) })
    }

    /// Address, task and name. The address is the number of the instruction, as listings show it.
    fn place(&self, issue: &Issue) -> String {
        let thread = match issue.thread {
            Thread::Main | Thread::Microthread(None) => format!("T{:02}", issue.task),
            Thread::Microthread(Some(ut)) => format!("T{:02}.UT{ut}", issue.task),
        };
        format!("0x{:04x}: {thread:<8}{}", issue.pc, self.name)
    }
}

fn name(program: &PeImage, insn: Insn) -> String {
    let vector = (insn.op == Op::Vec).then(|| program.vecs.get(usize::from(insn.a))).flatten();
    let vector = vector.and_then(|row| VecOp::ALL.get(usize::from(row.op)));
    let system = (insn.op == Op::Sys).then(|| csl_machine::SysOp::ALL.get(usize::from(insn.a))).flatten();
    let name = match (vector, system) {
        (Some(op), _) => op.name(),
        (_, Some(op)) => op.name(),
        _ => insn.op.name(),
    };
    name.to_uppercase()
}
