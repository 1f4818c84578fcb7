//! Fuses instructions that often stand together: the first gets an operation that carries out all of them. All stay in their
//! places, so that lines and branch targets do too. This pass is the last; cycles were attached long before.

use csl_isa::{Insn, Op};

/// Whether some fused operation begins with the operation, by its number.
const IS_FIRST: [bool; Op::ALL.len()] = {
    let mut is_first = [false; Op::ALL.len()];
    let mut at = 0;
    while at < Op::FUSED.len() {
        is_first[Op::FUSED[at].alone() as usize] = true;
        at += 1;
    }
    is_first
};

/// Fuses what fits, from the front.
pub fn fuse(insns: &mut [Insn]) {
    let mut at = 0;
    while at < insns.len() {
        let op = insns[at].op;
        let fits = |fused: &Op| fused.alone() == op && follows(insns, at, fused.followers());
        let fused = if IS_FIRST[op as usize] { Op::FUSED.iter().copied().find(fits) } else { None };
        insns[at].op = fused.unwrap_or(op);
        at = (0..=fused.map_or(0, |fused| fused.followers().len())).fold(at, |at, _| next(insns, at));
    }
}

/// Whether the instructions behind `at` are of these sets.
fn follows(insns: &[Insn], at: usize, sets: &[&[Op]]) -> bool {
    let mut at = at;
    sets.iter().all(|set| {
        at = next(insns, at);
        insns.get(at).is_some_and(|insn| set.contains(&insn.op))
    })
}

/// The place of the instruction behind the one at `at`.
fn next(insns: &[Insn], at: usize) -> usize {
    insns.get(at).map_or(at, |insn| at + insn.words())
}
