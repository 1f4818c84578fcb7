//! Divisions of f32 in loops by a value that stays the same: a reciprocal before the loop does with one.

use std::collections::HashSet;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Addr, AddrBase, BinOp, BlockId, Func, GlobalId, Inst, Opnd, Reg, Scalar};

use crate::facts::Facts;
use crate::flow::around;

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let mut seen: HashSet<Span> = HashSet::new();
    let mut found = Vec::new();
    for program in &facts.wafer.programs {
        let cycles = csl_machine::chip(program.arch).scalar.divide_f32;
        for func in &program.funcs {
            for (place, divisor) in divisions(func) {
                let span = func.blocks[place].sites[divisor.at].span;
                if facts.is_own(span) && is_same(func, &around(func, place), divisor.of) && seen.insert(span) {
                    found.push(warning(span, cycles));
                }
            }
        }
    }
    found
}

fn warning(span: Span, cycles: u32) -> Diagnostic {
    let message = "an f32 division by a value that is the same in every turn of the loop";
    let note = format!("a division takes about {cycles} cycles; a multiplication a few");
    let help = "compute the reciprocal once before the loop and multiply; the last bit of a result may differ";
    Diagnostic::new(Code::DivisionInLoop, span, message).note(note).help(help)
}

/// A division by its index in the block, and what it divides by.
struct Divisor<'f> {
    at: usize,
    of: &'f Opnd,
}

fn divisions(func: &Func) -> impl Iterator<Item = (BlockId, Divisor<'_>)> {
    (0..func.blocks.len()).map(BlockId::at).flat_map(move |block| {
        func.blocks[block].insts.iter().enumerate().filter_map(move |(at, inst)| match inst {
            Inst::Bin { op: BinOp::Div, ty: Scalar::F32, b, .. } => Some((block, Divisor { at, of: b })),
            _ => None,
        })
    })
}

/// The greatest number of instructions behind each other that are looked through.
const MOST_STEPS: usize = 8;

/// Whether an operand has one value in all turns of a loop with these blocks; never outside of loops.
fn is_same<'f>(func: &'f Func, blocks: &[BlockId], mut operand: &'f Opnd) -> bool {
    let insts = || blocks.iter().flat_map(|&block| &func.blocks[block].insts);
    if blocks.is_empty() {
        return false;
    }
    for _ in 0..MOST_STEPS {
        let reg = match operand {
            // The optimiser multiplies where the reciprocal is exact, as it is of powers of two.
            Opnd::Imm(bits) => return *bits as u32 & MANTISSA != 0,
            Opnd::Reg(reg) => *reg,
            _ => return false,
        };
        let mut makers = insts().filter(|inst| inst.defs().any(|def| def == reg));
        operand = match (makers.next(), makers.next()) {
            (None, _) => return true,
            (Some(Inst::Load { addr: Addr { base: AddrBase::Global(global), .. }, .. }), None) => {
                return !insts().any(|inst| may_write(func, inst, *global));
            }
            (Some(Inst::Cast { a, .. } | Inst::Copy { src: a, .. }), None) => a,
            _ => return false,
        };
    }
    false
}

/// The bits of an f32 that are zero in a power of two.
const MANTISSA: u32 = 0x007f_ffff;

/// Whether an instruction may change a global.
fn may_write(func: &Func, inst: &Inst, global: GlobalId) -> bool {
    let is_it = |addr: &Addr| match addr.base {
        AddrBase::Global(other) => other == global,
        AddrBase::Slot(_) => false,
        AddrBase::Reg(reg) => element_of(func, reg).is_none_or(|array| array == global),
        AddrBase::Absolute => true,
    };
    match inst {
        Inst::Store { addr, .. } | Inst::MemFill { dst: addr, .. } | Inst::MemCopy { dst: addr, .. } => is_it(addr),
        Inst::Call { .. } | Inst::Vec(_) | Inst::Sys { .. } | Inst::IterPut { .. } => true,
        _ => false,
    }
}

/// The array whose element a register points at.
fn element_of(func: &Func, mut reg: Reg) -> Option<GlobalId> {
    // Each step is an index of an array with one more dimension.
    for _ in 0..MOST_STEPS {
        let insts = func.blocks.iter().flat_map(|block| &block.insts);
        let mut makers = insts.filter(|inst| inst.defs().any(|def| def == reg));
        match (makers.next(), makers.next()) {
            (Some(Inst::Index { base: Opnd::Global(array, _), .. }), None) => return Some(*array),
            (Some(Inst::Index { base: Opnd::Reg(base), .. }), None) => reg = *base,
            _ => return None,
        }
    }
    None
}
