//! Queues that a program initialises, and that no operation or task of it uses.

use csl_diag::{Code, Diagnostic};
use csl_ir::{DsdChange, Inst, Opnd, Program, QueueInit};
use csl_machine::{Arch, FLUSH_INPUT, QueueDir, SysOp, TaskId, TaskKind};

use crate::facts::{Facts, writes_registers};

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    // A place that initialises a queue for several programs is told of only if none of them uses it.
    let (mut unused, mut used) = (Vec::new(), Vec::new());
    for program in &facts.wafer.programs {
        let is_open = writes_registers(program) || program.insts().any(|(inst, _)| changes_queues(inst));
        for queue in program.queues.iter().filter(|queue| facts.is_own(queue.span)) {
            let list = if is_open || is_used(program, queue) { &mut used } else { &mut unused };
            list.push(queue);
        }
    }
    let is_told = |queue: &&QueueInit| !used.iter().any(|other| other.span == queue.span);
    unused.into_iter().filter(is_told).map(warning).collect()
}

fn warning(queue: &QueueInit) -> Diagnostic {
    let (name, ends) = match queue.dir {
        QueueDir::In => ("input", "no operation and no task takes from it"),
        QueueDir::Out => ("output", "no operation sends by it"),
    };
    let message = format!("{name} queue {} is initialised and never used", queue.id);
    Diagnostic::new(Code::UnusedQueue, queue.span, message).note(ends).help("remove the initialisation")
}

/// Whether an instruction may give an operation a queue that is known at run time only.
fn changes_queues(inst: &Inst) -> bool {
    matches!(inst, Inst::SetDsd { what: DsdChange::Ends, .. } | Inst::SetMem4d { what: DsdChange::Ends, .. })
        || matches!(inst, Inst::Sys { op: SysOp::GetConfig, .. })
}

fn is_used(program: &Program, queue: &QueueInit) -> bool {
    let QueueInit { dir, id, color, .. } = *queue;
    let number = match program.arch {
        Arch::Wse2 => color.map(TaskId::from),
        Arch::Wse3 => Some(TaskId::from(id)),
    };
    let mut tasks = program.tasks.iter();
    // Control wavelets of any color start control tasks.
    let takes = tasks
        .any(|task| task.kind == TaskKind::Control || task.kind == TaskKind::Data && Some(task.id) == number)
        || program.rpc.as_ref().is_some_and(|rpc| Some(rpc.task_id) == number);
    let flushed = match dir {
        QueueDir::In => u64::from(FLUSH_INPUT) + u64::from(id.number()),
        QueueDir::Out => u64::from(id.number()),
    };
    let is_flush = |inst: &Inst| {
        let Inst::Sys { op: SysOp::QueueFlush, args, .. } = inst else { return false };
        args.first().is_none_or(|arg| !matches!(arg, Opnd::Imm(other) if *other != flushed))
    };
    let is_named = program.ends.queues.iter().any(|&(of, named)| of == dir && named.is_none_or(|named| named == id));
    is_named || dir == QueueDir::In && takes || program.insts().any(|(inst, _)| is_flush(inst))
}
