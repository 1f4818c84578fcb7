//! The position of an instruction in its block. The cycles of a block are charged at its end; its instructions issue one
//! a cycle, as in the instruction trace.

use csl_isa::{Insn, Op};

/// The cycles from the start of a block to the instruction before `pc`, an access.
#[cold]
pub fn position(code: &[Insn], pc: usize) -> u64 {
    let is_ext = |at: usize| code[at].op == Op::Ext;
    let access = (0..pc).rev().find(|&at| !is_ext(at)).unwrap_or(0);
    let before = (0..access).rev().take_while(|&at| !ends_block(code, at));
    let passed = before.filter(|&at| !is_ext(at)).count() as u64;
    passed.min(charge(code, pc).saturating_sub(1))
}

/// Whether a block ends at an instruction, or behind its `Ext`: cycles are charged, or the core stops.
fn ends_block(code: &[Insn], at: usize) -> bool {
    let before = |at: usize| at.checked_sub(1).map(|before| code[before].op.alone());
    match code[at].op.alone() {
        Op::Ext => !before(at).is_some_and(Op::is_row_access),
        Op::Charge | Op::Jump | Op::Call | Op::CallPtr | Op::Ret | Op::RetVoid | Op::Unreachable => true,
        op => stops(op),
    }
}

/// The cycles that the end of the block charges.
fn charge(code: &[Insn], pc: usize) -> u64 {
    for (at, insn) in code.iter().enumerate().skip(pc) {
        let op = insn.op.alone();
        let exts = |count: u16| code[at + 1..].iter().take(usize::from(count));
        return match op {
            Op::Charge => u64::from(insn.a) | u64::from(insn.b) << 16,
            Op::Ret | Op::RetVoid => u64::from(insn.b),
            Op::Jump | Op::Call | Op::CallPtr => u64::from(insn.c),
            Op::Table => exts(insn.b).map(|ext| u64::from(ext.a)).min().unwrap_or(0),
            _ if op.is_branch() => exts(1).map(|ext| u64::from(ext.a.min(ext.b))).sum(),
            Op::Unreachable => 0,
            _ if stops(op) => 0,
            _ => continue,
        };
    }
    0
}

/// Whether the core stops at the instruction.
fn stops(op: Op) -> bool {
    let iterators = [Op::IterLoad, Op::IterMore, Op::IterNext, Op::IterPut];
    matches!(op, Op::Vec | Op::LoadDsr | Op::Sys) || iterators.contains(&op)
}
