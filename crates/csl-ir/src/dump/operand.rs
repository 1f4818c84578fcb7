//! Prints operands, addresses, descriptors and targets.

use csl_machine::{Color, DsrFile, MicrothreadId, QueueId, TaskTarget};

use crate::func::{Addr, AddrBase, FuncId, GlobalId, Opnd, Reg, Scalar, VecOperand};
use crate::program::Program;
use crate::types::DsdKind;
use crate::value::{DsdValue, FabricDsd, Pointer, PtrRoot};

pub fn scalar(ty: Scalar) -> String {
    match ty {
        Scalar::Int { signed, bits } => format!("{}{bits}", if signed { 'i' } else { 'u' }),
        Scalar::Half => "half".into(),
        Scalar::F32 => "f32".into(),
        Scalar::Dsd => "dsd".into(),
    }
}

pub fn reg(reg: Reg) -> String {
    format!("r{}", reg)
}

pub fn func_name(program: &Program, id: FuncId) -> String {
    program.funcs.get(id.index()).map_or_else(|| format!("f{}?", id), |func| func.name.clone())
}

pub fn addr_of_global(program: &Program, id: GlobalId, offset: i32) -> String {
    let name = program.globals.get(id.index()).map_or("?", |global| &global.name);
    format!("&g{}:{name}{}", id, plus(offset))
}

fn plus(offset: i32) -> String {
    if offset == 0 { String::new() } else { format!("{offset:+}") }
}

pub fn opnd(program: &Program, operand: &Opnd) -> String {
    match operand {
        Opnd::Reg(number) => reg(*number),
        Opnd::Imm(bits) if (*bits as i64).unsigned_abs() < 1 << 16 => (*bits as i64).to_string(),
        Opnd::Imm(bits) => format!("{bits:#x}"),
        Opnd::Global(id, offset) => addr_of_global(program, *id, *offset),
        Opnd::Func(id) => format!("&{}", func_name(program, *id)),
        Opnd::Tile(number) => format!("tile{number}"),
        Opnd::Dsd(desc) => dsd(program, desc),
    }
}

pub fn opnds<'a>(program: &Program, operands: impl IntoIterator<Item = &'a Opnd>) -> String {
    operands.into_iter().map(|operand| opnd(program, operand)).collect::<Vec<_>>().join(", ")
}

pub fn addr(program: &Program, addr: &Addr) -> String {
    match addr.base {
        AddrBase::Global(id) => format!("[{}]", addr_of_global(program, id, addr.offset)),
        AddrBase::Slot(slot) => format!("[slot{}{}]", slot, plus(addr.offset)),
        AddrBase::Reg(base) => format!("[{}{}]", reg(base), plus(addr.offset)),
        AddrBase::Absolute => format!("[{:#06x}]", addr.offset as u16),
    }
}

pub fn vec_operand(program: &Program, operand: &VecOperand) -> String {
    match operand {
        VecOperand::Dsd(value) => opnd(program, value),
        VecOperand::Mem4d(at) => format!("mem4d {}", addr(program, at)),
        VecOperand::Mem4dConst(desc) => dsd(program, desc),
        VecOperand::Fifo(fifo) => format!("fifo{}", fifo),
        VecOperand::Dsr { file, id } => format!("{}{id}", dsr_file(*file)),
        VecOperand::Scalar(value, ty) => format!("{} {}", scalar(*ty), opnd(program, value)),
        VecOperand::Ptr(value) => format!("*{}", opnd(program, value)),
    }
}

pub fn dsr_file(file: DsrFile) -> &'static str {
    match file {
        DsrFile::Dest => "dest",
        DsrFile::Src0 => "src0_",
        DsrFile::Src1 => "src1_",
    }
}

pub fn target(program: &Program, target: &TaskTarget<Opnd>) -> String {
    let kind = match target {
        TaskTarget::LocalTask(_) => "local task",
        TaskTarget::DataTask(_) => "data task",
        TaskTarget::Color(_) => "color",
        TaskTarget::InputQueue(_) => "input queue",
        TaskTarget::ControlTask(_) => "control task",
    };
    format!("{kind} {}", opnd(program, target.id()))
}

pub fn dsd(program: &Program, desc: &DsdValue) -> String {
    let mut parts = Vec::new();
    if let Some(base) = &desc.base {
        parts.push(pointer(program, base));
    }
    if desc.offset != 0 {
        parts.push(format!("offset {} of {} words", desc.offset, desc.elem_words));
    }
    parts.push(format!("extents {:?}", desc.extents));
    if !desc.strides.is_empty() {
        parts.push(format!("strides {:?}", desc.strides));
    }
    if desc.kind == DsdKind::Circbuf {
        parts.push(format!("wraparound {}", desc.wraparound));
    }
    if desc.wavelet_index_offset {
        parts.push("index offset".into());
    }
    if let Some(fabric) = &desc.fabric {
        parts.extend(fabric_parts(fabric));
    }
    format!("{}({})", dsd_kind(desc.kind), parts.join(", "))
}

fn dsd_kind(kind: DsdKind) -> &'static str {
    match kind {
        DsdKind::Mem1d => "mem1d",
        DsdKind::Mem4d => "mem4d",
        DsdKind::Circbuf => "circbuf",
        DsdKind::Fabin => "fabin",
        DsdKind::Fabout => "fabout",
        DsdKind::Fifo => "fifo",
    }
}

fn pointer(program: &Program, pointer: &Pointer) -> String {
    let root = match pointer.root {
        PtrRoot::Global(id) => addr_of_global(program, GlobalId::new(id.number()), 0),
        PtrRoot::Cell(id) => format!("comptime cell {}", id),
        PtrRoot::Fn(id) => format!("fn {}", id),
        PtrRoot::Absolute(at) => format!("{at:#06x}"),
    };
    let path: String = pointer.path.iter().map(|step| format!(".{step}")).collect();
    format!("{root}{path}")
}

fn fabric_parts(fabric: &FabricDsd) -> Vec<String> {
    let number = |name: &str, value: Option<u8>| value.map(|value| format!("{name} {value}"));
    let flag = |name: &str, set: bool| set.then(|| name.to_string());
    [
        number("color", fabric.color.map(Color::number)),
        number("queue", fabric.queue.map(QueueId::number)),
        number("ut", fabric.ut.map(MicrothreadId::number)),
        flag("control", fabric.control),
        flag("advance switch", fabric.advance_switch),
        flag("control transform", fabric.control_transform),
        fabric.simd.map(|mode| format!("{mode:?}")),
        fabric.priority.map(|priority| format!("priority {priority:?}")),
        fabric.zero.map(|source| format!("zero {source:?}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}
