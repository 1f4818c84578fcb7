//! Parts of stack slots as registers: a local struct or array whose parts are only loaded and stored, each at a constant
//! place, needs no memory.
//!
//! A slot takes part if no instruction takes its address and its accesses are scalars, of which no two overlap but in the
//! same place and of the same type. It may be copied into from elsewhere.

use csl_ir::{Addr, AddrBase, Func, Inst, Opnd, Reg, Scalar, SlotId};

use crate::edit::new_reg;

/// A part of a slot, and the register that takes its place.
struct Part {
    slot: SlotId,
    offset: i32,
    ty: Scalar,
    reg: Reg,
}

/// The greatest number of parts of a function: locals with more are tables.
const MOST: usize = 64;

/// Runs the pass on a function; whether anything changed.
pub fn run(func: &mut Func) -> bool {
    if func.slots.is_empty() {
        return false;
    }
    let mut is_plain: Vec<bool> = func.slots.iter().map(|slot| slot.size > 0).collect();
    let mut found: Vec<(SlotId, i32, Scalar)> = Vec::new();
    // The targets of copies, by their starts and ends.
    let mut copied: Vec<(SlotId, i32, i32)> = Vec::new();
    for inst in func.blocks.iter().flat_map(|block| &block.insts) {
        let access = accessed(inst);
        if let Inst::MemCopy { dst, src, bytes } = inst {
            match (&dst.base, &src.base) {
                (_, AddrBase::Slot(slot)) => is_plain[*slot] = false,
                (AddrBase::Slot(slot), _) => copied.push((*slot, dst.offset, dst.offset + *bytes as i32)),
                _ => {}
            }
            continue;
        }
        inst.for_each_addr(&mut |addr| {
            let AddrBase::Slot(slot) = addr.base else { return };
            let Some((ty, count)) = access else { return is_plain[slot] = false };
            let end = i64::from(addr.offset) + i64::from(ty.bytes()) * i64::from(count);
            if addr.offset < 0 || end > i64::from(func.slots[slot].size) || count as usize > MOST {
                return is_plain[slot] = false;
            }
            for turn in 0..count {
                let place = (slot, addr.offset + (turn * ty.bytes()) as i32, ty);
                if !found.contains(&place) {
                    found.push(place);
                }
            }
        });
        if found.len() > MOST {
            return false;
        }
    }
    found.sort_unstable_by_key(|&(slot, offset, _)| (slot, offset));
    for pair in found.windows(2) {
        let [(slot, offset, ty), (next, next_offset, _)] = *pair else { continue };
        if slot == next && next_offset < offset + ty.bytes() as i32 {
            is_plain[slot] = false;
        }
    }
    for &(slot, start, end) in &copied {
        let is_cut = |&(of, offset, ty): &(SlotId, i32, Scalar)| {
            let part_end = offset + ty.bytes() as i32;
            of == slot && offset < end && start < part_end && !(start <= offset && part_end <= end)
        };
        is_plain[slot] &= !found.iter().any(is_cut);
    }
    found.retain(|&(slot, ..)| is_plain[slot]);
    let parts: Vec<Part> =
        found.into_iter().map(|(slot, offset, ty)| Part { slot, offset, ty, reg: new_reg(func, ty) }).collect();
    if !parts.is_empty() {
        replace(func, &parts);
    }
    !parts.is_empty()
}

/// The type and number of the scalars that an instruction loads or stores; `None` for all other accesses.
fn accessed(inst: &Inst) -> Option<(Scalar, u32)> {
    match inst {
        Inst::Load { ty, .. } | Inst::Store { ty, .. } => Some((*ty, 1)),
        Inst::MemFill { ty, count, .. } => Some((*ty, *count)),
        _ => None,
    }
}

fn replace(func: &mut Func, parts: &[Part]) {
    let reg = |addr: &Addr, turn: u32, ty: Scalar| {
        let AddrBase::Slot(slot) = addr.base else { return None };
        let offset = addr.offset + (turn * ty.bytes()) as i32;
        parts.iter().find(|part| (part.slot, part.offset, part.ty) == (slot, offset, ty)).map(|part| part.reg)
    };
    for block in &mut func.blocks {
        let old = std::mem::take(&mut block.insts).into_iter().zip(std::mem::take(&mut block.sites));
        for (inst, site) in old {
            let copies: Vec<Inst> = match &inst {
                Inst::Load { ty, dst, addr, .. } => {
                    reg(addr, 0, *ty).map(|src| Inst::Copy { dst: *dst, src: Opnd::Reg(src) }).into_iter().collect()
                }
                Inst::Store { ty, addr, src } => {
                    reg(addr, 0, *ty).map(|dst| Inst::Copy { dst, src: src.clone() }).into_iter().collect()
                }
                Inst::MemFill { ty, dst, src, count } => (0..*count)
                    .filter_map(|turn| Some(Inst::Copy { dst: reg(dst, turn, *ty)?, src: src.clone() }))
                    .collect(),
                Inst::MemCopy { dst, src, bytes } => loads(parts, dst, src, *bytes),
                _ => Vec::new(),
            };
            let new = if copies.is_empty() { vec![inst] } else { copies };
            for inst in new {
                block.insts.push(inst);
                block.sites.push(site);
            }
        }
    }
}

/// The loads that take the place of a copy into a slot.
fn loads(parts: &[Part], dst: &Addr, src: &Addr, bytes: u32) -> Vec<Inst> {
    let AddrBase::Slot(slot) = dst.base else { return Vec::new() };
    let is_target =
        |part: &&Part| part.slot == slot && dst.offset <= part.offset && part.offset < dst.offset + bytes as i32;
    let load = |part: &Part| {
        let addr = Addr { base: src.base.clone(), offset: src.offset + (part.offset - dst.offset) };
        Inst::Load { ty: part.ty, dst: part.reg, addr, keeps: false }
    };
    parts.iter().filter(is_target).map(load).collect()
}
