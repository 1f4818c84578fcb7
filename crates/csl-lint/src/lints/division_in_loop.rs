//! Divisions of f32 in loops by a value that stays the same: a reciprocal before the loop does with one.

use std::collections::HashSet;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Addr, AddrBase, BinOp, BlockId, Func, Inst, Opnd, Reg, Scalar};

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

/// Whether an operand has one value in all turns of a loop with these blocks; never outside of loops.
fn is_same(func: &Func, blocks: &[BlockId], operand: &Opnd) -> bool {
    let insts = || blocks.iter().flat_map(|&block| &func.blocks[block].insts);
    let made_by = |reg: Reg| insts().filter(move |inst| inst.defs().any(|def| def == reg));
    if blocks.is_empty() {
        return false;
    }
    match operand {
        // The optimiser multiplies where the reciprocal is exact.
        Opnd::Imm(bits) => !(f64::from(f32::from_bits(*bits as u32)).abs().log2().fract() == 0.0),
        Opnd::Reg(reg) => {
            let mut makers = made_by(*reg);
            match (makers.next(), makers.next()) {
                (None, _) => true,
                (Some(Inst::Load { addr: Addr { base: AddrBase::Global(global), .. }, .. }), None) => {
                    !insts().any(|inst| may_write(inst, *global))
                }
                (Some(Inst::Cast { a, .. } | Inst::Copy { src: a, .. }), None) => is_same(func, blocks, a),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether an instruction may change a global.
fn may_write(inst: &Inst, global: csl_ir::GlobalId) -> bool {
    let is_it = |addr: &Addr| match addr.base {
        AddrBase::Global(other) => other == global,
        AddrBase::Slot(_) => false,
        AddrBase::Reg(_) | AddrBase::Absolute => true,
    };
    match inst {
        Inst::Store { addr, .. } | Inst::MemFill { dst: addr, .. } | Inst::MemCopy { dst: addr, .. } => is_it(addr),
        Inst::Call { .. } | Inst::Vec(_) | Inst::Sys { .. } | Inst::IterPut { .. } => true,
        _ => false,
    }
}
