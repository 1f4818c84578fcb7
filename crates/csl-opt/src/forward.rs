//! Store-to-load forwarding: a value that was stored to a place or loaded from it on every path here is not loaded
//! again.
//!
//! Places are globals and stack slots with constant offsets, and elements whose address a register holds. Other threads
//! may write memory at any time; a program that waits for that loads again and again in a loop, at whose head nothing is
//! known. Vector operations, calls, services and stores through pointers end all knowledge; any store but to a stack slot
//! ends that of elements.

use csl_ir::{Addr, AddrBase, BlockId, Func, Inst, Opnd, Scalar};

use crate::edit::{Uses, is_within};
use crate::pool::Around;

/// A place and the value in it.
#[derive(Clone, PartialEq)]
struct Entry {
    ty: Scalar,
    addr: Addr,
    value: Opnd,
}

/// Runs the pass on a function; whether anything changed.
pub fn run(around: &Around, func: &mut Func) -> bool {
    let order = func.reverse_postorder();
    let preds = func.predecessors(&order);
    // What is known at the end of each block that the walk has left.
    let mut ends: Vec<Option<Vec<Entry>>> = vec![None; func.blocks.len()];
    let elements = elements(func, &order);
    let mut changed = false;
    for block in order {
        let mut known = at_start(&preds[block], &ends);
        let mut insts = std::mem::take(&mut func.blocks[block].insts);
        for inst in &mut insts {
            changed |= step(around, func, &elements, &mut known, inst);
        }
        func.blocks[block].insts = insts;
        ends[block] = Some(known);
    }
    changed
}

/// The registers with the address of an element of a global, each with one definition.
fn elements(func: &Func, order: &[BlockId]) -> Vec<bool> {
    let uses = Uses::of(func);
    let mut elements = vec![false; func.regs.len()];
    for inst in order.iter().flat_map(|&block| &func.blocks[block].insts) {
        if let Inst::Index { dst, base, .. } = inst
            && uses.defs[*dst] == 1
        {
            elements[*dst] = match base {
                Opnd::Global(..) => true,
                Opnd::Reg(reg) => elements[*reg],
                _ => false,
            };
        }
    }
    elements
}

/// What all predecessors of a block know; nothing where one of them comes later, at the head of a loop.
fn at_start(preds: &[BlockId], ends: &[Option<Vec<Entry>>]) -> Vec<Entry> {
    let end = |pred: &BlockId| ends[*pred].as_deref();
    let Some((first, others)) = preds.split_first() else { return Vec::new() };
    let is_shared = |entry: &&Entry| others.iter().all(|pred| end(pred).is_some_and(|known| known.contains(entry)));
    end(first).unwrap_or_default().iter().filter(is_shared).cloned().collect()
}

/// The greatest number of places to remember: a long block is not searched in full for each of its loads.
const MOST: usize = 32;

fn step(around: &Around, func: &Func, elements: &[bool], known: &mut Vec<Entry>, inst: &mut Inst) -> bool {
    let mut changed = false;
    let is_element = |addr: &Addr| matches!(addr.base, AddrBase::Reg(reg) if elements[reg]);
    let is_note = inst.is_note();
    let fresh = match inst {
        _ if is_note => None,
        Inst::Load { ty, dst, addr, .. } if is_element(addr) || is_within(around, func, addr, ty.bytes()) => {
            let (ty, dst, addr) = (*ty, *dst, addr.clone());
            let found =
                known.iter().find(|entry| entry.ty == ty && entry.addr == addr).map(|entry| entry.value.clone());
            match found {
                Some(src) => {
                    *inst = Inst::Copy { dst, src };
                    changed = true;
                    None
                }
                None => Some(Entry { ty, addr, value: Opnd::Reg(dst) }),
            }
        }
        // Memory may not keep all bits of a value whose type has an odd width.
        Inst::Store { ty, addr, src } if is_within(around, func, addr, ty.bytes()) => {
            let spares_elements = matches!(addr.base, AddrBase::Slot(_));
            known.retain(|entry| {
                !overlap(entry, addr, ty.bytes()) && (spares_elements || !matches!(entry.addr.base, AddrBase::Reg(_)))
            });
            Some(Entry { ty: *ty, addr: addr.clone(), value: src.clone() })
        }
        Inst::Store { ty, addr, src } if is_element(addr) => {
            known.clear();
            Some(Entry { ty: *ty, addr: addr.clone(), value: src.clone() })
        }
        Inst::Load { .. } => None,
        Inst::Store { .. }
        | Inst::MemCopy { .. }
        | Inst::MemFill { .. }
        | Inst::MakeMem4d { .. }
        | Inst::SetMem4d { .. }
        | Inst::Call { .. }
        | Inst::Vec(_)
        | Inst::LoadDsr(_)
        | Inst::IterLoad { .. }
        | Inst::IterMore { .. }
        | Inst::IterNext { .. }
        | Inst::IterPut { .. }
        | Inst::Sys { .. } => {
            known.clear();
            None
        }
        _ => None,
    };
    for reg in inst.defs() {
        known.retain(|entry| entry.value != Opnd::Reg(reg) && entry.addr.base != AddrBase::Reg(reg));
    }
    if let Some(entry) = fresh {
        if known.len() == MOST {
            known.remove(0);
        }
        known.push(entry);
    }
    changed
}

/// Whether a store of `bytes` at the address changes the place. Objects do not overlap.
fn overlap(entry: &Entry, addr: &Addr, bytes: u32) -> bool {
    let (a, b) = (entry.addr.offset, addr.offset);
    entry.addr.base == addr.base && a < b + bytes as i32 && b < a + entry.ty.bytes() as i32
}
