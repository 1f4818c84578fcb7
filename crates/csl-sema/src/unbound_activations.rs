//! Warns of activations of ids that nothing is bound to: they start nothing (docs/decisions/machine.md M68).

use std::collections::{BTreeMap, BTreeSet};

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Inst, Opnd, Program};
use csl_machine::{Action, SysOp, TaskKind};

/// The warnings of all programs together, one a place. A place that starts a task in one program is left alone: in the
/// others it may never be come to.
pub(crate) fn warnings(programs: &[Program]) -> Vec<Diagnostic> {
    let (mut told, mut started) = (BTreeMap::new(), BTreeSet::new());
    for program in programs {
        for block in program.funcs.iter().flat_map(|func| &func.blocks) {
            for (inst, site) in block.insts.iter().zip(&block.sites) {
                match activated(inst) {
                    Some(id) if starts(program, id) => _ = started.insert(site.span),
                    Some(id) => _ = told.entry(site.span).or_insert(id),
                    None => {}
                }
            }
        }
    }
    told.into_iter().filter(|(place, _)| !started.contains(place)).map(|(place, id)| warning(place, id)).collect()
}

fn warning(place: Span, id: u64) -> Diagnostic {
    let message = format!("this activates task {id}, and nothing is bound to it: it starts nothing");
    Diagnostic::new(Code::UnboundActivation, place, message).help("bind a task to that id with `@bind_local_task`")
}

/// The id that an instruction activates, where it is known.
fn activated(inst: &Inst) -> Option<u64> {
    let id = match inst {
        Inst::Sys { op: SysOp::ActivateTask, args, .. } => args.first()?,
        Inst::Vec(inst) => match &inst.config.completion {
            Action::Activate(target) => target.id(),
            _ => return None,
        },
        _ => return None,
    };
    if let Opnd::Imm(id) = id { Some(*id) } else { None }
}

/// Whether an activation of an id starts something. Data and control tasks can be in the table of local ones.
fn starts(program: &Program, id: u64) -> bool {
    let is_id = |other: csl_machine::TaskId| u64::from(u16::from(other)) == id;
    let is_other = |kind: TaskKind| kind != TaskKind::Local && program.control_table.is_some();
    let is_bound = program.tasks.iter().any(|task| is_id(task.id) && !is_other(task.kind));
    is_bound || is_id(program.arch.chip().tasks.teardown)
}
