//! The stable text form of the IR, for `--emit=ir`, `--emit=ir0` and `--emit=layout`.

mod inst;
mod layout;
mod operand;

use std::fmt::Write;

use csl_machine::{QueueDir, Startup, TaskKind};

use crate::func::{Block, Func};
use crate::program::{Exported, FifoInit, Global, Program, QueueInit, RelocTarget, TaskBind};
pub(crate) use inst::inst as inst_text;
use inst::{inst, term};
use operand::{addr_of_global, scalar, target};

pub use layout::dump_layout;

/// All of one PE program.
pub fn dump_program(program: &Program) -> String {
    let mut out = format!("program {} for {}, fp16 {}\n", program.name, program.arch, program.fp16);
    for (number, global) in program.globals.iter().enumerate() {
        line(&mut out, format_args!("{}", global_text(program, number, global)));
    }
    tables(&mut out, program);
    for (number, func) in program.funcs.iter().enumerate() {
        out.push('\n');
        function(&mut out, program, number, func);
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a String does not fail");
}

fn global_text(program: &Program, number: usize, global: &Global) -> String {
    let keyword = if global.is_const { "const" } else { "var" };
    let mut text = format!("g{number} {keyword} {}: {}", global.name, program.types.show(global.ty));
    text.push_str(&format!(" size {} align {}", global.size, global.align));
    if let Some(section) = &global.linksection {
        text.push_str(&format!(" section {section:?}"));
    }
    if global.is_hidden {
        text.push_str(" hidden");
    }
    if !global.init.is_empty() {
        text.push_str(&format!(" = {}", bytes(&global.init)));
    }
    for reloc in &global.relocs {
        let what = match &reloc.target {
            RelocTarget::Global(id, offset) => addr_of_global(program, *id, *offset),
            RelocTarget::Func(id) => operand::func_name(program, *id),
            RelocTarget::Dsd(desc) => operand::dsd(program, desc),
        };
        text.push_str(&format!(" +{}: {what}", reloc.at));
    }
    for part in &global.varying {
        text.push_str(&format!(" +{}: tile{}", part.at, part.tile_const));
    }
    text
}

/// The bytes in hexadecimal, with runs of one byte counted.
fn bytes(bytes: &[u8]) -> String {
    let runs = bytes.chunk_by(|a, b| a == b);
    let run = |run: &[u8]| match run.len() {
        len @ 1..4 => format!("{:02x}", run[0]).repeat(len),
        len => format!("({:02x} x {len})", run[0]),
    };
    runs.map(run).collect()
}

fn tables(out: &mut String, program: &Program) {
    for task in &program.tasks {
        line(out, format_args!("{}", task_text(program, task)));
    }
    for startup in &program.startup {
        let word = match startup {
            Startup::Activate(_) => "activate",
            Startup::Block(_) => "block",
            Startup::Unblock(_) => "unblock",
        };
        line(out, format_args!("start: {word} {}", target(program, startup.target())));
    }
    for queue in &program.queues {
        line(out, format_args!("{}", queue_text(queue)));
    }
    for (number, fifo) in program.fifos.iter().enumerate() {
        line(out, format_args!("{}", fifo_text(program, number, fifo)));
    }
    for (load, _) in &program.dsr_loads {
        line(out, format_args!("start: {}", inst::dsr_load(program, load)));
    }
    for (color, config, _) in &program.colors {
        line(out, format_args!("color {color}: {}", layout::config(config)));
    }
    for (addr, value) in &program.configs {
        line(out, format_args!("config {addr:#06x} = {value:#06x}"));
    }
    for export in &program.exports {
        let what = match export.what {
            Exported::Global(id) => addr_of_global(program, id, 0),
            Exported::Func(id) => operand::func_name(program, id),
        };
        line(out, format_args!("export {} id {}: {what}", export.name, export.id));
    }
    handlers(out, program);
}

fn handlers(out: &mut String, program: &Program) {
    if let Some(rpc) = &program.rpc {
        line(out, format_args!("rpc on {}", rpc.task_id));
    }
    for (color, func) in &program.teardown_handlers {
        line(out, format_args!("teardown of color {color}: {}", operand::func_name(program, *func)));
    }
    for (queue, func) in &program.empty_queue_handlers {
        line(out, format_args!("empty queue {queue}: {}", operand::func_name(program, *func)));
    }
    for tasks in &program.rotating {
        let alt = operand::func_name(program, tasks.alt);
        line(out, format_args!("rotating data task {}: {alt}, {} of {}", tasks.data_task, tasks.init, tasks.limit));
    }
    if let Some(table) = program.control_table {
        line(out, format_args!("separate control task table, stride {}", table.stride));
    }
    if let Some(priority) = program.main_thread_priority {
        line(out, format_args!("main thread priority {priority:?}"));
    }
    for (number, text) in program.strings.iter().enumerate() {
        line(out, format_args!("string {number}: {text:?}"));
    }
}

fn task_text(program: &Program, task: &TaskBind) -> String {
    let kind = match task.kind {
        TaskKind::Local => "local",
        TaskKind::Data => "data",
        TaskKind::Control => "control",
    };
    let widths: Vec<String> = task.params.iter().map(u8::to_string).collect();
    format!("{kind} task {}: {} ({})", task.id, operand::func_name(program, task.func), widths.join(", "))
}

fn queue_text(queue: &QueueInit) -> String {
    let dir = if queue.dir == QueueDir::In { "input" } else { "output" };
    let mut text = format!("{dir} queue {}", queue.id);
    if let Some(color) = queue.color {
        text.push_str(&format!(" color {color}"));
    }
    if let Some(priority) = queue.priority {
        text.push_str(&format!(" priority {priority:?}"));
    }
    if queue.ctrl_table_id != 0 {
        text.push_str(&format!(" control table {}", queue.ctrl_table_id));
    }
    if queue.dense_mode {
        text.push_str(" dense");
    }
    text
}

fn fifo_text(program: &Program, number: usize, fifo: &FifoInit) -> String {
    let (buffer, config) = (addr_of_global(program, fifo.buffer, 0), &fifo.config);
    let mut text = format!("fifo{number} {buffer} words {} of elements of {}", fifo.words, config.elem_words);
    text.push_str(&format!(" on empty {:?} on full {:?}", config.empty_action, config.full_action));
    for (word, task) in [("push", &config.activate_push), ("pop", &config.activate_pop)] {
        if let Some(task) = task {
            text.push_str(&format!(" {word} activates {}", target(program, task)));
        }
    }
    text
}

fn function(out: &mut String, program: &Program, number: usize, func: &Func) {
    let param = |at: u32| format!("r{at}: {}", scalar(func.regs[at as usize]));
    let params: Vec<String> = (0..func.params).map(param).collect();
    let ret = func.ret.map_or("void".to_string(), scalar);
    line(out, format_args!("fn f{number} {}({}) {ret} {{", func.name, params.join(", ")));
    for (number, slot) in func.slots.iter().enumerate() {
        line(out, format_args!("  slot{number} {}: size {} align {}", slot.name, slot.size, slot.align));
    }
    for (number, call) in func.inlined.iter().enumerate() {
        let outer = call.call.inlined.map_or(String::new(), |outer| format!(" in {}", outer));
        line(out, format_args!("  inlined {number} {}{outer}", call.func));
    }
    for (number, block) in func.blocks.iter().enumerate() {
        self::block(out, program, func, number, block);
    }
    line(out, format_args!("}}"));
}

fn block(out: &mut String, program: &Program, func: &Func, number: usize, block: &Block) {
    line(out, format_args!("b{number}:"));
    for inst in &block.insts {
        line(out, format_args!("  {}", self::inst(program, func, inst)));
    }
    line(out, format_args!("  {}", term(program, &block.term)));
}
