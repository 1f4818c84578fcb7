//! Warns of receives by the input queue (WSE-3) or color (WSE-2) of a data task that nothing ever blocks.
//!
//! A word goes to a receive that runs, and to the data task at any other time. Programs that block the task while a receive
//! runs decide who gets it; where nothing blocks it, that is decided by when the words come. A receive in the data task itself
//! takes what follows the word that started it, and is left alone.

use std::collections::HashSet;

use csl_diag::{Code, Diagnostic};
use csl_ir::{Callee, DsdKind, FabricDsd, FuncId, Inst, Opnd, Program, TaskBind, VecOperand};
use csl_machine::{Arch, Startup, SysOp, TaskId, TaskKind};

use crate::program::writes_registers;

/// The warnings of a program, one a data task.
pub(crate) fn warnings(program: &Program) -> Vec<Diagnostic> {
    // Registers block tasks, too.
    if !program.configs.is_empty() || program.funcs.iter().any(|func| writes_registers(func)) {
        return Vec::new();
    }
    let tasks = program.tasks.iter().filter(|task| task.kind == TaskKind::Data);
    tasks.filter(|task| !may_be_blocked(program, task.id)).filter_map(|task| warning(program, task)).collect()
}

fn warning(program: &Program, task: &TaskBind) -> Option<Diagnostic> {
    let own = reached(program, task.func)?;
    let others = (0..program.funcs.len()).map(FuncId::at).filter(|func| !own.contains(func));
    let place = others.flat_map(|func| program.funcs[func].insts()).find_map(|(inst, span)| {
        received(inst).any(|fabric| channel(program.arch, fabric) == Some(task.id)).then_some(span)
    })?;
    let name = &program.funcs[task.func].name;
    let channel = match program.arch {
        Arch::Wse2 => format!("color {}", task.id),
        Arch::Wse3 => format!("input queue {}", task.id),
    };
    let message = format!("this receives from {channel}, of which the data task `{name}` takes the words, too");
    let note = "a word goes to the receive while it runs and to the task at any other time, and nothing blocks the task: who gets \
                which word depends on when it comes";
    let help = "`@block` the task while the receive runs, receive by another queue and color, or leave out the task";
    let warning = Diagnostic::new(Code::SharedInput, place, message);
    Some(warning.secondary(task.span, "the data task is bound here").note(note).help(help))
}

/// Whether anything in a program may block this input queue or color.
fn may_be_blocked(program: &Program, id: TaskId) -> bool {
    let is_this = |number: &Opnd| !matches!(number, Opnd::Imm(number) if *number != u64::from(u16::from(id)));
    let at_start =
        program.startup.iter().any(|startup| matches!(startup, Startup::Block(target) if is_this(target.id())));
    at_start
        || program.insts().any(|(inst, _)| match inst {
            Inst::Sys { op: SysOp::BlockTask | SysOp::BlockColor | SysOp::BlockQueue, args, .. } => {
                args.first().is_none_or(is_this)
            }
            _ => false,
        })
}

/// The fabric operands from which an instruction takes words, where they are known.
fn received(inst: &Inst) -> impl Iterator<Item = &FabricDsd> {
    let operands = match inst {
        Inst::Vec(vec) => &vec.srcs[..],
        Inst::IterLoad { dsd, .. } => std::slice::from_ref(dsd),
        _ => &[],
    };
    operands.iter().filter_map(|operand| match operand {
        VecOperand::Dsd(Opnd::Dsd(dsd)) if dsd.kind == DsdKind::Fabin => dsd.fabric.as_ref(),
        _ => None,
    })
}

/// The number of the data task for a fabric operand.
fn channel(arch: Arch, fabric: &FabricDsd) -> Option<TaskId> {
    match arch {
        Arch::Wse2 => fabric.color.map(TaskId::from),
        Arch::Wse3 => fabric.queue.map(TaskId::from),
    }
}

/// The functions that run as parts of this one; `None` where that is known at run time only.
fn reached(program: &Program, first: FuncId) -> Option<HashSet<FuncId>> {
    let (mut reached, mut open) = (HashSet::from([first]), vec![first]);
    while let Some(func) = open.pop() {
        for (inst, _) in program.funcs[func].insts() {
            match inst {
                Inst::Call { callee: Callee::Direct(callee), .. } if reached.insert(*callee) => open.push(*callee),
                Inst::Call { callee: Callee::Indirect(_), .. } => return None,
                _ => {}
            }
        }
    }
    Some(reached)
}
