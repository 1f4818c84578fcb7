//! Checks one program outside its code.

use csl_isa::vec::{RegOrImm, VecArg, VecDesc};
use csl_machine::{
    DSRS, DsrLoad, LAST_CONTROL_TASK, OnControl, REGISTERS_START, TaskKind, TaskTarget, VecConfig, VecOp,
};

use super::{code, color_config, require};
use crate::{ExportedSymbol, Fifo, Line, PeImage, Pointer, Task};

/// The end, excluded, of the addresses of data, in bytes.
pub const DATA_LIMIT: u32 = REGISTERS_START as u32;

pub fn program(pe: &PeImage, files: usize) -> Result<(), String> {
    memory(pe)?;
    code::code(pe)?;
    tables(pe)?;
    tasks(pe)?;
    names(pe)?;
    lines(pe, files)?;
    pointers(pe)?;
    require(pe.lines.is_sorted_by_key(|l| l.pc), || "line table out of order".into())
}

/// Checks the line table: calls lead outwards, each to an earlier one.
fn lines(pe: &PeImage, files: usize) -> Result<(), String> {
    let line = |line: &Line, calls: usize| {
        require((line.file as usize) < files, || format!("no file {}", line.file))?;
        require(line.call.is_none_or(|call| (call as usize) < calls), || "no such inlined call".into())
    };
    pe.inlined.iter().enumerate().try_for_each(|(calls, call)| line(&call.at, calls))?;
    pe.lines.iter().try_for_each(|at| line(at, pe.inlined.len()))
}

fn pointers(pe: &PeImage) -> Result<(), String> {
    let object = |object: u32| require((object as usize) < pe.symbols.len(), || format!("no object {object}"));
    let is_code = |pc: u32| require((pc as usize) < pe.code.len(), || format!("a pointer at {pc}, behind the code"));
    let code = |pointer: &Pointer| is_code(pointer.pc).and_then(|()| object(pointer.object));
    pe.pointers.kept.iter().try_for_each(|&pc| is_code(pc))?;
    pe.pointers.code.iter().try_for_each(code)?;
    pe.pointers.memory.iter().try_for_each(|&(_, to)| object(to))
}

fn memory(pe: &PeImage) -> Result<(), String> {
    let mut free = 0;
    for section in &pe.sections {
        let start = u32::from(section.addr);
        require(start >= free, || format!("section at {start:#x} overlaps another"))?;
        free = start + section.bytes.len() as u32;
        require(section.bytes.len() <= usize::from(REGISTERS_START) && free <= DATA_LIMIT, || {
            format!("section at {start:#x} leaves memory")
        })?;
    }
    require(pe.stack.start <= pe.stack.end && u32::from(pe.stack.end) <= DATA_LIMIT, || "a bad stack".into())?;
    pe.fifos.iter().try_for_each(fifo)
}

fn fifo(fifo: &Fifo) -> Result<(), String> {
    let end = u32::from(fifo.addr) + 2 * u32::from(fifo.words);
    let width = matches!(fifo.config.elem_words, 1 | 2 | 4);
    require(end <= DATA_LIMIT && width, || format!("a FIFO at {:#x}", fifo.addr))?;
    fifo.config.activate_push.iter().chain(&fifo.config.activate_pop).try_for_each(task_target)
}

/// Checks operands of vector operations; register numbers are checked against the functions that use the row.
fn tables(pe: &PeImage) -> Result<(), String> {
    pe.vecs.iter().try_for_each(|row| vec_row(pe, row))?;
    pe.dsr_loads.iter().chain(&pe.dsr_inits).try_for_each(|row| dsr_load(pe, row))?;
    pe.dsr_inits.iter().try_for_each(|row| {
        require(code::highest_register(&[row.dsd], &row.config).is_none(), || "a DSR of a register at start".into())
    })?;
    for iter in &pe.iters {
        vec_arg(pe, iter.dsd)?;
        require(matches!(iter.elem_bits, 16 | 32), || format!("an iterator over {} bits", iter.elem_bits))?;
    }
    for (color, config) in &pe.colors {
        require(color.is_routable(), || format!("a configuration of color {color}"))?;
        color_config(config)?;
    }
    Ok(())
}

fn vec_row(pe: &PeImage, row: &VecDesc) -> Result<(), String> {
    let op = VecOp::ALL.get(usize::from(row.op)).ok_or_else(|| format!("no vector operation {}", row.op))?;
    require(row.srcs.len() == op.sources().len(), || format!("{} with {} sources", op.name(), row.srcs.len()))?;
    row.srcs.iter().chain([&row.dest]).try_for_each(|&arg| vec_arg(pe, arg))?;
    config(&row.config)
}

fn dsr_load(pe: &PeImage, row: &DsrLoad<VecArg, RegOrImm>) -> Result<(), String> {
    require(row.id < DSRS, || format!("DSR {}", row.id))?;
    vec_arg(pe, row.dsd)?;
    config(&row.config)
}

fn vec_arg(pe: &PeImage, arg: VecArg) -> Result<(), String> {
    match arg {
        VecArg::Fifo(id) => require(usize::from(id) < pe.fifos.len(), || format!("no FIFO {id}")),
        VecArg::Mem4dConst(row) => require(usize::from(row) < pe.descriptors.len(), || format!("no descriptor {row}")),
        VecArg::Dsr { id, .. } => require(id < DSRS, || format!("DSR {id}")),
        VecArg::Scalar { bits, .. } | VecArg::ScalarConst { bits, .. } => {
            require(matches!(bits, 16 | 32), || format!("a scalar of {bits} bits"))
        }
        _ => Ok(()),
    }
}

fn config(config: &VecConfig<RegOrImm>) -> Result<(), String> {
    let on_control = config.on_control.as_ref().and_then(OnControl::target);
    let tasks = config.completion.target().into_iter().chain(on_control);
    tasks.map(TaskTarget::id).try_for_each(|id| match id {
        RegOrImm::Imm(id) => require(*id <= LAST_CONTROL_TASK.into(), || format!("task {id}")),
        RegOrImm::Reg(_) => Ok(()),
    })
}

fn tasks(pe: &PeImage) -> Result<(), String> {
    pe.tasks.iter().try_for_each(|task| self::task(pe, task))?;
    pe.startup.iter().try_for_each(|startup| task_target(startup.target()))?;
    for queue in &pe.queues {
        require(queue.id.number() < 8, || format!("queue {}", queue.id))?;
        require(queue.control_base <= LAST_CONTROL_TASK, || format!("control tasks from {}", queue.control_base))?;
    }
    pe.rpc.iter().flat_map(|rpc| &rpc.functions).try_for_each(|called| {
        let func = pe.funcs.get(usize::from(called.func)).ok_or_else(|| format!("no function {}", called.func))?;
        let fits = usize::from(func.params) == called.params.len();
        let widths = called.params.iter().all(|param| (1..=32).contains(&param.bits));
        require(fits && widths, || format!("remote calls of {} with other arguments", func.name))
    })?;
    let handlers = pe.teardown_handlers.iter().map(|h| h.1).chain(pe.empty_queue_handlers.iter().map(|h| h.1));
    handlers.chain(pe.rotating.iter().map(|r| r.alt)).try_for_each(|func| plain_func(pe, func))
}

fn task(pe: &PeImage, task: &Task) -> Result<(), String> {
    let last = if task.kind == TaskKind::Control { LAST_CONTROL_TASK } else { 31 };
    require(task.id.number() <= last, || format!("task {}", task.id))?;
    let func = pe.funcs.get(usize::from(task.func)).ok_or_else(|| format!("no function {}", task.func))?;
    require(usize::from(func.params) == task.params.len(), || format!("task {} takes other arguments", func.name))?;
    let widths = task.params.iter().all(|param| (1..=32).contains(&param.bits));
    require(widths, || format!("task {} with a bad argument", func.name))
}

fn plain_func(pe: &PeImage, func: u16) -> Result<(), String> {
    require(usize::from(func) < pe.funcs.len(), || format!("no function {func}"))
}

fn task_target(target: &TaskTarget) -> Result<(), String> {
    let id = *target.id();
    require(id.number() <= LAST_CONTROL_TASK, || format!("task {id}"))
}

fn names(pe: &PeImage) -> Result<(), String> {
    for symbol in &pe.symbols {
        let end = u64::from(symbol.addr) + u64::from(symbol.size);
        require(end <= u64::from(DATA_LIMIT), || format!("symbol {} leaves memory", symbol.name))?;
    }
    pe.exports.iter().try_for_each(|export| exported(pe, export))
}

fn exported(pe: &PeImage, export: &ExportedSymbol) -> Result<(), String> {
    let known = match export.what {
        crate::Exported::Symbol(at) => (at as usize) < pe.symbols.len(),
        crate::Exported::Func(at) => usize::from(at) < pe.funcs.len(),
    };
    require(known, || format!("export {} names nothing", export.name))
}
