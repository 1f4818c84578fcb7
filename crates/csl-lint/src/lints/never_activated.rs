//! Local tasks that are bound to an id which nothing activates.

use csl_diag::{Code, Diagnostic};
use csl_ir::{Inst, Opnd, Program, TaskBind};
use csl_machine::{Action, OnControl, Startup, SysOp, TaskKind, TaskTarget, VecConfig};

use crate::facts::Facts;

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let (mut idle, mut active): (Vec<(&TaskBind, &Program)>, Vec<&TaskBind>) = (Vec::new(), Vec::new());
    for program in &facts.wafer.programs {
        let activated = activated(program);
        for task in program.tasks.iter().filter(|task| task.kind == TaskKind::Local && facts.is_own(task.span)) {
            let is_other = |other: &TaskBind| other.id == task.id && other.kind != TaskKind::Local;
            let is_active = activated.as_ref().is_none_or(|ids| ids.contains(&u64::from(task.id)));
            if is_active || program.tasks.iter().any(is_other) {
                active.push(task);
            } else {
                idle.push((task, program));
            }
        }
    }
    idle.retain(|(task, _)| !active.iter().any(|other| other.span == task.span));
    idle.into_iter().map(|(task, program)| warning(task, &program.funcs[task.func].name)).collect()
}

fn warning(task: &TaskBind, name: &str) -> Diagnostic {
    let message = format!("nothing activates the local task `{name}`, which is bound here");
    let help = "`@activate` of its id, or `.activate` of an asynchronous operation, runs it";
    Diagnostic::new(Code::NeverActivated, task.span, message).help(help)
}

/// The ids that a program activates; `None` where one is known at run time only.
fn activated(program: &Program) -> Option<Vec<u64>> {
    let mut ids: Vec<Option<u64>> = Vec::new();
    let known = |operand: &Opnd| match operand {
        Opnd::Imm(id) => Some(*id),
        _ => None,
    };
    let target = |ids: &mut Vec<_>, target: &TaskTarget<Opnd>| ids.push(known(target.id()));
    let config = |ids: &mut Vec<_>, config: &VecConfig<Opnd>| {
        let then = config.on_control.as_ref().and_then(|on_control| match on_control {
            OnControl::Then(action) => Some(action),
            OnControl::Terminate => None,
        });
        for action in [Some(&config.completion), then].into_iter().flatten() {
            if let Action::Activate(of) = action {
                target(ids, of);
            }
        }
    };
    for startup in &program.startup {
        if let Startup::Activate(of) = startup {
            target(&mut ids, of);
        }
    }
    for fifo in &program.fifos {
        [&fifo.config.activate_push, &fifo.config.activate_pop]
            .into_iter()
            .flatten()
            .for_each(|of| target(&mut ids, of));
    }
    program.dsr_loads.iter().for_each(|(load, _)| config(&mut ids, &load.config));
    for (inst, _) in program.insts() {
        match inst {
            Inst::Vec(vec) => config(&mut ids, &vec.config),
            Inst::LoadDsr(load) => config(&mut ids, &load.config),
            Inst::Sys { op: SysOp::ActivateTask, args, .. } => ids.extend(args.first().map(known)),
            // A register that activates tasks may be among those that are written.
            Inst::Sys { op: SysOp::SetConfig, .. } => ids.push(None),
            _ => {}
        }
    }
    ids.into_iter().collect()
}
