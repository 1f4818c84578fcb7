//! Which functions start which tasks, by the programs as they were analysed: `@activate` and `.activate` start the task that is
//! bound to the id, a push or pop the task of its FIFO, and wavelets the data tasks of their color on any PE.

use std::collections::BTreeSet;

use csl_diag::Span;
use csl_ir::{DsdValue, Inst, Opnd, Program, TaskBind, VecOperand, Wafer};
use csl_machine::{Action, Arch, Color, OnControl, QueueDir, SysOp, TaskId, TaskKind, TaskTarget, VecConfig};

use crate::file::is_function;
use crate::names::Target;
use crate::snapshot::Snapshot;
use crate::world::World;

/// A function that starts a task, and the bytes in which it does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Activation {
    pub from: Target,
    pub lo: usize,
    pub hi: usize,
    pub task: Target,
}

/// What starts a task.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    /// An id, in the same program.
    Id(TaskKind, u64),
    /// A wavelet of a color, in any program.
    Wavelet(Color),
}

/// All activations whose task is known.
pub fn all(world: &World) -> BTreeSet<Activation> {
    let mut found = BTreeSet::new();
    for snapshot in &world.snapshots {
        let Some(wafer) = snapshot.wafer() else { continue };
        for program in &wafer.programs {
            for (inst, span) in program.insts() {
                for start in starts(program, inst) {
                    found.extend(activations(world, snapshot, span, tasks(wafer, program, start)));
                }
            }
        }
    }
    found
}

/// The activations that stand in a span.
fn activations<'a>(
    world: &'a World,
    snapshot: &'a Snapshot,
    span: Span,
    tasks: Vec<(&'a Program, &'a TaskBind)>,
) -> impl Iterator<Item = Activation> + 'a {
    let place = if tasks.is_empty() { None } else { function_around(world, snapshot, span) };
    tasks.into_iter().filter_map(move |(program, task)| {
        let (from, lo, hi) = place.clone()?;
        let task = declared(world, snapshot, program.funcs[task.func].span)?;
        Some(Activation { from, lo, hi, task })
    })
}

fn function_around(world: &World, snapshot: &Snapshot, span: Span) -> Option<(Target, usize, usize)> {
    let (key, lo, hi) = world.place_now(snapshot, span)?;
    let id = world.file(&key)?.function_at(lo)?;
    Some((Target { key, id }, lo, hi))
}

/// The function that is declared in a span.
fn declared(world: &World, snapshot: &Snapshot, span: Span) -> Option<Target> {
    let (key, lo, hi) = world.place_now(snapshot, span)?;
    let file = world.file(&key)?;
    let id = file.defs.iter().position(|def| is_function(def) && def.whole.range() == (lo..hi))?;
    Some(Target { key, id })
}

/// The tasks that are started so.
fn tasks<'w>(wafer: &'w Wafer, program: &'w Program, start: Start) -> Vec<(&'w Program, &'w TaskBind)> {
    let with = |program: &'w Program, kind: TaskKind, id: u64| {
        let is_it = move |task: &&TaskBind| task.kind == kind && u64::from(task.id) == id;
        program.tasks.iter().filter(is_it).map(move |task| (program, task))
    };
    match start {
        Start::Id(kind, id) => with(program, kind, id).collect(),
        Start::Wavelet(color) => {
            let of =
                |program| receivers(program, color).into_iter().flat_map(move |id| with(program, TaskKind::Data, id));
            wafer.programs.iter().flat_map(of).collect()
        }
    }
}

/// The ids of data tasks that wavelets of a color start.
fn receivers(program: &Program, color: Color) -> Vec<u64> {
    match program.arch {
        Arch::Wse2 => vec![u64::from(TaskId::from(color))],
        Arch::Wse3 => {
            let own = program.queues.iter().filter(|queue| queue.dir == QueueDir::In && queue.color == Some(color));
            own.map(|queue| u64::from(TaskId::from(queue.id))).collect()
        }
    }
}

fn starts(program: &Program, inst: &Inst) -> Vec<Start> {
    let mut found = Vec::new();
    match inst {
        Inst::Sys { op: SysOp::ActivateTask, args, .. } => {
            found.extend(args.first().and_then(number).map(|id| Start::Id(TaskKind::Local, id)));
        }
        Inst::LoadDsr(load) => by_config(program, &load.config, &mut found),
        Inst::Vec(vec) => {
            by_config(program, &vec.config, &mut found);
            found.extend(by_destination(program, &vec.dest));
            for source in &vec.srcs {
                if let VecOperand::Fifo(fifo) = source {
                    let target = program.fifos.get(fifo.index()).and_then(|fifo| fifo.config.activate_pop.as_ref());
                    found.extend(target.and_then(|target| by_target(program, target)));
                }
            }
        }
        _ => {}
    }
    found
}

fn by_config(program: &Program, config: &VecConfig<Opnd>, found: &mut Vec<Start>) {
    let then = config.on_control.as_ref().and_then(|on_control| match on_control {
        OnControl::Then(action) => Some(action),
        OnControl::Terminate => None,
    });
    for action in [Some(&config.completion), then].into_iter().flatten() {
        if let Action::Activate(target) = action {
            found.extend(by_target(program, target));
        }
    }
}

fn by_target(program: &Program, target: &TaskTarget<Opnd>) -> Option<Start> {
    let id = number(target.id())?;
    match target {
        TaskTarget::LocalTask(_) => Some(Start::Id(TaskKind::Local, id)),
        TaskTarget::ControlTask(_) => Some(Start::Id(TaskKind::Control, id)),
        TaskTarget::DataTask(_) | TaskTarget::InputQueue(_) => Some(Start::Id(TaskKind::Data, id)),
        TaskTarget::Color(_) => {
            let color = Color::of(u8::try_from(id).ok()?)?;
            Some(Start::Id(TaskKind::Data, *receivers(program, color).first()?))
        }
    }
}

/// What a write to an operand starts.
fn by_destination(program: &Program, dest: &VecOperand) -> Option<Start> {
    match dest {
        VecOperand::Fifo(fifo) => by_target(program, program.fifos.get(fifo.index())?.config.activate_push.as_ref()?),
        VecOperand::Dsd(Opnd::Dsd(dsd)) => sent(program, dsd).map(Start::Wavelet),
        _ => None,
    }
}

/// The color on which a descriptor sends.
fn sent(program: &Program, dsd: &DsdValue) -> Option<Color> {
    let fabric = dsd.fabric.as_ref().filter(|_| dsd.kind == csl_ir::DsdKind::Fabout)?;
    fabric.color.or_else(|| {
        let own = program.queues.iter().find(|queue| queue.dir == QueueDir::Out && Some(queue.id) == fabric.queue);
        own?.color
    })
}

fn number(operand: &Opnd) -> Option<u64> {
    match operand {
        Opnd::Imm(id) => Some(*id),
        _ => None,
    }
}
