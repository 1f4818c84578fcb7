//! Descriptors: one whose parts are known at compile time is a constant, and an operation names it without a copy.

use csl_ir::{DsdChange, DsdKind, DsdValue, GlobalId, GlobalRef, Inst, Opnd, Pointer, Program, PtrRoot, Ty};

/// The descriptor that the instruction makes, if it is known now.
pub fn known(program: &Program, inst: &Inst) -> Option<DsdValue> {
    match inst {
        Inst::SetDsd { dsd: Opnd::Dsd(desc), what, value, .. } => changed(program, desc, *what, value),
        Inst::MakeFabric { desc, extent: Opnd::Imm(extent), .. } => {
            Some(DsdValue { extents: vec![*extent as u16], ..(**desc).clone() })
        }
        Inst::MakeMem1d { base, offset: Opnd::Imm(offset), elem_words, stride, extent, index_offset, .. } => {
            let (Opnd::Imm(stride), Opnd::Imm(extent)) = (stride, extent) else { return None };
            let start = DsdValue {
                kind: DsdKind::Mem1d,
                base: None,
                offset: 0,
                elem_words: 1,
                extents: vec![*extent as u16],
                strides: vec![*stride as i16],
                wraparound: 0,
                wavelet_index_offset: *index_offset,
                fabric: None,
            };
            let based = changed(program, &start, DsdChange::BaseAddr, base)?;
            changed(program, &based, DsdChange::Offset { elem_words: *elem_words }, &Opnd::Imm(*offset))
        }
        _ => None,
    }
}

/// A constant descriptor with another property, as the machine would change it. Addresses wrap at 16 bits wherever they are
/// made of base and offset, so only those 16 bits count.
pub fn changed(program: &Program, desc: &DsdValue, what: DsdChange, value: &Opnd) -> Option<DsdValue> {
    let is_memory = matches!(desc.kind, DsdKind::Mem1d | DsdKind::Mem4d);
    let mut desc = desc.clone();
    match (what, value) {
        (DsdChange::BaseAddr, Opnd::Global(..) | Opnd::Imm(_)) if is_memory => {
            let (root, root_ty, bytes) = root(program, value)?;
            desc.base = Some(Pointer { root, root_ty, path: Vec::new() });
            (desc.offset, desc.elem_words) = (i32::from(bytes) / 2, 1);
        }
        (DsdChange::Offset { elem_words }, Opnd::Imm(value)) if is_memory => {
            let steps = i32::from(*value as i16);
            if desc.elem_words != elem_words {
                let words = desc.offset.wrapping_mul(i32::from(desc.elem_words)) as i16;
                (desc.offset, desc.elem_words) = (i32::from(words), 1);
            }
            let scale = if desc.elem_words == elem_words { 1 } else { i32::from(elem_words) };
            desc.offset = desc.offset.wrapping_add(steps.wrapping_mul(scale));
        }
        (DsdChange::Length, Opnd::Imm(value)) if desc.kind != DsdKind::Mem4d => desc.extents = vec![*value as u16],
        (DsdChange::Stride, Opnd::Imm(value)) if desc.kind == DsdKind::Mem1d => desc.strides = vec![*value as i16],
        _ => return None,
    }
    Some(desc)
}

/// A base address as a root and the bytes behind it, which are whole words.
fn root(program: &Program, value: &Opnd) -> Option<(PtrRoot, Ty, i16)> {
    match *value {
        Opnd::Global(GlobalId(id), bytes) if bytes % 2 == 0 => {
            let ty = program.globals[id as usize].ty;
            Some((PtrRoot::Global(GlobalRef(id)), ty, bytes as i16))
        }
        Opnd::Imm(address) => Some((PtrRoot::Absolute(address as u16), Ty::U16, 0)),
        _ => None,
    }
}
