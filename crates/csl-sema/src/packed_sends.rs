//! Warns of sends of 16-bit elements, two in a wavelet, on a color whose data task takes the lower one alone.
//!
//! From SDK 2.10 on 16-bit elements travel in pairs (docs/decisions/machine.md M1). A data task with one parameter of 16 bits sees
//! the first of each pair: half of what is sent is lost, and nothing stops.

use std::collections::BTreeMap;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{DsdKind, DsdValue, FabricDsd, Inst, Program, TaskBind, VecInst};
use csl_machine::{Arch, Color, QueueDir, QueueId, TaskKind};

use crate::builtins::operands::{elements, known};

/// The warnings of all programs together, one a place.
pub(crate) fn warnings(programs: &[Program]) -> Vec<Diagnostic> {
    let mut tasks: BTreeMap<Color, (&Program, &TaskBind)> = BTreeMap::new();
    for program in programs {
        let takes_one = |task: &&TaskBind| task.kind == TaskKind::Data && matches!(task.params[..], [..=16]);
        for task in program.tasks.iter().filter(takes_one) {
            if let Some(color) = color_of(program, task) {
                tasks.entry(color).or_insert((program, task));
            }
        }
    }
    let mut told: BTreeMap<Span, Diagnostic> = BTreeMap::new();
    let senders = programs.iter().filter(|program| program.ends.sent.iter().any(|color| tasks.contains_key(color)));
    for program in senders {
        for block in program.funcs.iter().flat_map(|func| &func.blocks) {
            for (inst, site) in block.insts.iter().zip(&block.sites) {
                let Inst::Vec(inst) = inst else { continue };
                let Some((color, (receiver, task))) =
                    packed(program, inst).and_then(|color| Some((color, tasks.get(&color)?)))
                else {
                    continue;
                };
                told.entry(site.span).or_insert_with(|| warning(inst, color, site.span, receiver, task));
            }
        }
    }
    told.into_values().collect()
}

fn warning(inst: &VecInst, color: Color, place: Span, receiver: &Program, task: &TaskBind) -> Diagnostic {
    let (op, name) = (inst.op.name(), &receiver.funcs[task.func].name);
    let message = format!(
        "`@{op}` sends two elements in each wavelet of color {color}, and the data task `{name}` takes the first alone"
    );
    let note = "16-bit elements travel in pairs since SDK 2.10; up to 1.4 each had a wavelet";
    let help = "`.simd_mode = .{ .simd_off = true }` in the fabout_dsd sends one a wavelet; a task with two parameters of \
                16 bits takes both; `--sdk=1.4` compiles a program of that time";
    Diagnostic::new(Code::PackedSend, place, message)
        .secondary(task.span, "the task is bound here")
        .note(note)
        .help(help)
}

/// The color whose wavelets start a data task.
fn color_of(program: &Program, task: &TaskBind) -> Option<Color> {
    match program.arch {
        Arch::Wse2 => Color::of(task.id.number()),
        Arch::Wse3 => color_of_queue(program, QueueDir::In, QueueId::new(task.id.number())?),
    }
}

fn color_of_queue(program: &Program, dir: QueueDir, id: QueueId) -> Option<Color> {
    program.queues.iter().find(|queue| queue.dir == dir && queue.id == id)?.color
}

/// The color on which an operation sends more than one 16-bit element, in pairs.
fn packed(program: &Program, inst: &VecInst) -> Option<Color> {
    let dest = known(&inst.dest).filter(|dsd| dsd.kind == DsdKind::Fabout && inst.op.dest().words() == 1)?;
    let operands = || std::iter::once(dest).chain(inst.srcs.iter().filter_map(known));
    let is_packed = operands().all(|dsd| dsd.fabric.as_ref().is_none_or(|fabric| packs(program, dsd, fabric)));
    let length = inst.srcs.iter().filter_map(known).chain([dest]).map(elements).find(|&length| length != 0)?;
    let fabric = dest.fabric.as_ref()?;
    let is_dense =
        |queue: &csl_ir::QueueInit| queue.dir == QueueDir::Out && Some(queue.id) == fabric.queue && queue.dense_mode;
    if !is_packed || length < 2 || program.queues.iter().any(is_dense) {
        return None;
    }
    fabric.color.or_else(|| color_of_queue(program, QueueDir::Out, fabric.queue?))
}

/// Whether 16-bit elements of a fabric operand travel in pairs.
fn packs(program: &Program, dsd: &DsdValue, fabric: &FabricDsd) -> bool {
    let by_default = program.dialect.packs_halves && !fabric.control && !dsd.wavelet_index_offset;
    match fabric.simd {
        None => by_default,
        Some(mode) => mode != csl_machine::SimdMode::Off,
    }
}
