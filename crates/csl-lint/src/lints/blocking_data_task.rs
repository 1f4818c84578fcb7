//! Operations on the fabric in data tasks for which the task waits.

use std::collections::HashSet;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Callee, DsdKind, FuncId, Inst, Opnd, Program, VecInst, VecOperand};
use csl_machine::TaskKind;

use crate::facts::Facts;

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let mut seen: HashSet<Span> = HashSet::new();
    let mut found = Vec::new();
    for program in &facts.wafer.programs {
        let tasks = program.tasks.iter().filter(|task| task.kind == TaskKind::Data && facts.is_own(task.span));
        for task in tasks {
            for func in reached(program, task.func) {
                for (inst, span) in program.funcs[func].insts() {
                    let Inst::Vec(vec) = inst else { continue };
                    if !vec.config.is_async && waits(vec) && facts.is_own(span) && seen.insert(span) {
                        found.push(warning(span, &program.funcs[task.func].name));
                    }
                }
            }
        }
    }
    found
}

fn warning(span: Span, task: &str) -> Diagnostic {
    let message = format!("the data task `{task}` waits here for the fabric");
    let note = "while it waits no other task runs, and wavelets of other colors stand in front of the PE: a cycle of PEs that \
                wait so never ends";
    let help = "make the operation asynchronous, `.{ .async = true, .activate = ... }`, and go on in the task that it activates";
    Diagnostic::new(Code::BlockingDataTask, span, message).note(note).help(help)
}

/// Whether an operation takes several wavelets from the fabric.
fn waits(vec: &VecInst) -> bool {
    let kind = |operand: &VecOperand| match operand {
        VecOperand::Dsd(Opnd::Dsd(dsd)) if dsd.fabric.is_some() => Some(dsd.kind),
        _ => None,
    };
    vec.srcs.iter().any(|operand| kind(operand) == Some(DsdKind::Fabin))
}

/// The functions that run as parts of this one.
fn reached(program: &Program, first: FuncId) -> Vec<FuncId> {
    let mut reached = vec![first];
    let mut next = 0;
    while let Some(&func) = reached.get(next) {
        for (inst, _) in program.funcs[func].insts() {
            if let Inst::Call { callee: Callee::Direct(callee), .. } = inst
                && !reached.contains(callee)
            {
                reached.push(*callee);
            }
        }
        next += 1;
    }
    reached
}
