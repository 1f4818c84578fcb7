//! Descriptors: one with parts known at compile time becomes a constant, and operations name it without a copy.

use csl_ir::{
    Addr, AddrBase, DsdChange, DsdKind, DsdValue, Func, GlobalRef, Inst, Opnd, Pointer, PtrRoot, Ty, VecOperand,
};
use csl_num::LowBits;

use crate::pool::Around;

/// The descriptor that the instruction makes, if it is known at compile time.
pub fn known(around: &Around, inst: &Inst) -> Option<DsdValue> {
    match inst {
        Inst::SetDsd { dsd: Opnd::Dsd(desc), what, value, .. } => changed(around, desc, *what, value),
        Inst::MakeFabric { desc, extent: Opnd::Imm(extent), .. } => {
            Some(DsdValue { extents: vec![extent.low16()], ..(**desc).clone() })
        }
        Inst::MakeMem1d { base, offset: Opnd::Imm(offset), elem_words, stride, extent, index_offset, .. } => {
            let (Opnd::Imm(stride), Opnd::Imm(extent)) = (stride, extent) else { return None };
            let start = DsdValue {
                kind: DsdKind::Mem1d,
                base: None,
                offset: 0,
                elem_words: 1,
                extents: vec![extent.low16()],
                strides: vec![stride.signed16()],
                wraparound: 0,
                wavelet_index_offset: *index_offset,
                fabric: None,
            };
            let based = changed(around, &start, DsdChange::BaseAddr, base)?;
            changed(around, &based, DsdChange::Offset { elem_words: *elem_words }, &Opnd::Imm(*offset))
        }
        _ => None,
    }
}

/// A constant descriptor with one property changed, as the machine would do it. Addresses made of base and offset wrap
/// at 16 bits everywhere, so only those 16 bits count.
pub fn changed(around: &Around, desc: &DsdValue, what: DsdChange, value: &Opnd) -> Option<DsdValue> {
    let is_memory = matches!(desc.kind, DsdKind::Mem1d | DsdKind::Mem4d);
    let mut desc = desc.clone();
    match (what, value) {
        (DsdChange::BaseAddr, Opnd::Global(..) | Opnd::Imm(_)) if is_memory => {
            let (root, root_ty, bytes) = root(around, value)?;
            desc.base = Some(Pointer { root, root_ty, path: Vec::new() });
            (desc.offset, desc.elem_words) = (i32::from(bytes) / 2, 1);
        }
        (DsdChange::Offset { elem_words }, Opnd::Imm(value)) if is_memory => {
            let steps = i32::from(value.signed16());
            if desc.elem_words != elem_words {
                let words = desc.offset.wrapping_mul(i32::from(desc.elem_words)).signed16();
                (desc.offset, desc.elem_words) = (i32::from(words), 1);
            }
            let scale = if desc.elem_words == elem_words { 1 } else { i32::from(elem_words) };
            desc.offset = desc.offset.wrapping_add(steps.wrapping_mul(scale));
        }
        (DsdChange::Length, Opnd::Imm(value)) if desc.kind != DsdKind::Mem4d => desc.extents = vec![value.low16()],
        (DsdChange::Stride, Opnd::Imm(value)) if is_memory => match desc.strides.first_mut() {
            Some(innermost) => *innermost = value.signed16(),
            None => desc.strides = vec![value.signed16()],
        },
        _ => return None,
    }
    Some(desc)
}

/// A base address as a root and an offset in bytes, which is whole words.
fn root(around: &Around, value: &Opnd) -> Option<(PtrRoot, Ty, i16)> {
    match *value {
        Opnd::Global(id, bytes) if bytes % 2 == 0 => {
            Some((PtrRoot::Global(GlobalRef::new(id.number())), around.ty(id), bytes.signed16()))
        }
        Opnd::Imm(address) => Some((PtrRoot::Absolute(address.low16()), Ty::U16, 0)),
        _ => None,
    }
}

/// Lets operations name the mem4d descriptor that a stack slot is known to hold; whether anything changed.
///
/// The slot may be accessed by instructions of descriptors only: then there is no other access to its memory.
pub fn run(around: &Around, func: &mut Func) -> bool {
    let mut slots = vec![Slot { writers: 0, is_plain: true }; func.slots.len()];
    for inst in func.blocks.iter().flat_map(|block| &block.insts) {
        look(inst, &mut slots);
    }
    if !slots.iter().any(|slot| slot.is_plain && slot.writers > 0) {
        return false;
    }
    // A slot with one writer holds that writer's descriptor everywhere.
    let mut everywhere: Vec<Option<DsdValue>> = vec![None; slots.len()];
    for inst in func.blocks.iter().flat_map(|block| &block.insts) {
        if let Some((slot, Some(desc))) = written(around, &[], inst)
            && slots[slot].is_plain
            && slots[slot].writers == 1
        {
            everywhere[slot] = Some(desc);
        }
    }
    let mut changed = false;
    for block in &mut func.blocks {
        let mut known = everywhere.clone();
        for inst in &mut block.insts {
            changed |= name_constants(inst, &known, &slots);
            if let Some((slot, desc)) = written(around, &known, inst) {
                known[slot] = desc;
            }
        }
    }
    changed
}

/// Bytes of a mem4d descriptor in memory.
const MEM4D_BYTES: u32 = 20;

#[derive(Clone)]
struct Slot {
    writers: u32,
    is_plain: bool,
}

fn look(inst: &Inst, slots: &mut [Slot]) {
    let writes = match inst {
        Inst::MemCopy { dst: addr, bytes: MEM4D_BYTES, .. }
        | Inst::MakeMem4d { dst: addr, .. }
        | Inst::SetMem4d { addr, .. } => slot_of(addr),
        _ => None,
    };
    if let Some(slot) = writes {
        slots[slot].writers += 1;
    }
    let is_descriptor = matches!(inst, Inst::Vec(_) | Inst::LoadDsr(_) | Inst::IterLoad { .. }) || writes.is_some();
    inst.for_each_addr(&mut |addr| {
        if let AddrBase::Slot(slot) = addr.base {
            slots[slot].is_plain &= is_descriptor && addr.offset == 0;
        }
    });
}

fn slot_of(addr: &Addr) -> Option<usize> {
    match addr {
        Addr { base: AddrBase::Slot(slot), offset: 0 } => Some(slot.index()),
        _ => None,
    }
}

/// The slot that an instruction writes a descriptor to, with the descriptor if it is known.
fn written(around: &Around, known: &[Option<DsdValue>], inst: &Inst) -> Option<(usize, Option<DsdValue>)> {
    let held = |addr: &Addr| slot_of(addr).and_then(|slot| known.get(slot)?.clone());
    match inst {
        Inst::MemCopy { dst, src, .. } => Some((slot_of(dst)?, held(src).or_else(|| constant(around, src)))),
        Inst::MakeMem4d { dst, desc, base, offset, extents } => {
            Some((slot_of(dst)?, made(around, desc, base.as_ref(), offset.as_ref(), extents)))
        }
        Inst::SetMem4d { addr, what, value } => {
            let desc = held(addr).and_then(|desc| changed(around, &desc, *what, value));
            Some((slot_of(addr)?, desc))
        }
        _ => None,
    }
}

/// The descriptor in a constant of the program.
fn constant(around: &Around, addr: &Addr) -> Option<DsdValue> {
    let Addr { base: AddrBase::Global(id), offset: 0 } = addr else { return None };
    around.descriptor(*id).cloned()
}

fn made(
    around: &Around,
    desc: &DsdValue,
    base: Option<&Opnd>,
    offset: Option<&Opnd>,
    extents: &[Option<Opnd>],
) -> Option<DsdValue> {
    let mut desc = desc.clone();
    for (place, extent) in extents.iter().enumerate() {
        match (extent, desc.extents.get_mut(place)) {
            (None, _) => {}
            (Some(Opnd::Imm(extent)), Some(known)) => *known = extent.low16(),
            _ => return None,
        }
    }
    match offset {
        None => {}
        Some(Opnd::Imm(offset)) => desc.offset = i32::from(offset.signed16()),
        Some(_) => return None,
    }
    let Some(base) = base else { return Some(desc) };
    let words = Opnd::Imm(u64::from(desc.offset.wrapping_mul(i32::from(desc.elem_words)).low16()));
    let based = changed(around, &desc, DsdChange::BaseAddr, base)?;
    changed(around, &based, DsdChange::Offset { elem_words: 1 }, &words)
}

fn name_constants(inst: &mut Inst, known: &[Option<DsdValue>], slots: &[Slot]) -> bool {
    let mut changed = false;
    let mut name = |operand: &mut VecOperand| {
        if let VecOperand::Mem4d(addr) = operand
            && let Some(slot) = slot_of(addr)
            && slots[slot].is_plain
            && let Some(desc) = &known[slot]
        {
            *operand = VecOperand::Mem4dConst(Box::new(desc.clone()));
            changed = true;
        }
    };
    match inst {
        Inst::Vec(vec) => vec.srcs.iter_mut().chain([&mut vec.dest]).for_each(name),
        Inst::LoadDsr(load) => name(&mut load.dsd),
        Inst::IterLoad { dsd, .. } => name(dsd),
        _ => {}
    }
    changed
}
