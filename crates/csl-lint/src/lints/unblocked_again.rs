//! Functions that unblock memcpy's command stream more than once on a way through them.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{BlockId, Callee, Func, Inst, Program};
use csl_machine::SysOp;

use crate::facts::Facts;
use crate::flow::{always_passes, behind};

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for program in &facts.wafer.programs {
        let always = always_unblocking(program);
        for func in &program.funcs {
            let places: Vec<(BlockId, Span)> =
                unblocks(func, &always).filter(|(_, span)| facts.is_own(*span)).collect();
            if let Some(warning) = again(func, &places)
                && !found.contains(&warning)
            {
                found.push(warning);
            }
        }
    }
    found
}

/// A warning of the first place that unblocks behind another.
fn again(func: &Func, places: &[(BlockId, Span)]) -> Option<Diagnostic> {
    for (at, &(block, span)) in places.iter().enumerate() {
        let behind = behind(func, block);
        if behind[block.number() as usize] {
            let message = "the command stream is unblocked in a loop";
            return Some(warning(span, message));
        }
        let others = places.iter().enumerate().filter(|(other, _)| *other != at);
        let mut next =
            others.filter(|(other, place)| behind[place.0.number() as usize] || place.0 == block && *other > at);
        if let Some((_, &(_, second))) = next.next() {
            return Some(
                warning(second, "the command stream is unblocked again").secondary(span, "first unblocked here"),
            );
        }
    }
    None
}

fn warning(span: Span, message: &str) -> Diagnostic {
    let note = "a launch blocks the stream once: each further call lets a command of the host through before the work of the \
                one before it is done";
    Diagnostic::new(Code::UnblockedAgain, span, message).note(note).help("call it once, where the work is done")
}

/// The places of a function that unblock for certain.
fn unblocks<'f>(func: &'f Func, always: &'f [bool]) -> impl Iterator<Item = (BlockId, Span)> + 'f {
    (0..func.blocks.len()).map(BlockId::at).flat_map(move |id| {
        let block = &func.blocks[id];
        let unblocking = block.insts.iter().zip(&block.sites).filter(|(inst, _)| match inst {
            Inst::Sys { op: SysOp::UnblockCmdStream, .. } => true,
            Inst::Call { callee: Callee::Direct(callee), .. } => always[callee.number() as usize],
            _ => false,
        });
        unblocking.map(move |(_, site)| (id, site.span))
    })
}

/// For each function, whether every way through it unblocks.
fn always_unblocking(program: &Program) -> Vec<bool> {
    let mut always = vec![false; program.funcs.len()];
    loop {
        let next: Vec<bool> = program
            .funcs
            .iter()
            .map(|func| {
                let blocks: Vec<BlockId> = unblocks(func, &always).map(|place| place.0).collect();
                !blocks.is_empty() && always_passes(func, &blocks)
            })
            .collect();
        if next == always {
            return always;
        }
        always = next;
    }
}
