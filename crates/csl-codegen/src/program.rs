//! Generates one PE program: its code and the tables around it.

use std::collections::BTreeSet;
use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span};
use csl_image::{self as image, HalfFormat, PeImage};
use csl_ir::{self as ir, FuncId, Opnd, Program, Site, VecOperand};
use csl_isa::vec::{RegOrImm, VecArg};
use csl_machine::{Arch, Color, DsrLoad, RotatingTasks, Sdk, TaskId};
use csl_num::{FloatKind, LowBits};

use crate::context::Context;
use crate::func::Drafts;
use crate::lines::Lines;
use crate::memory::{self, Placement};
use crate::{Options, func};

/// The code of a program, before its line table.
pub struct Translated<'p> {
    ctx: Context<'p>,
    placement: Placement,
    code: Vec<csl_isa::Insn>,
    funcs: Vec<image::Function>,
    places: Vec<(u32, Site)>,
    inlined: Vec<ir::Inlined>,
    pointers: image::Pointers,
}

/// Translates a program that the validator has accepted.
pub fn translate<'p>(program: &'p Program, options: &Options, drafts: &Drafts) -> Result<Translated<'p>, Diagnostic> {
    let placement = memory::place(program, stack_bytes(program), options)?;
    let mut ctx = Context::new(program, placement.addrs.clone());
    let mut code = Vec::new();
    let mut funcs = Vec::new();
    let mut places: Vec<(u32, Site)> = Vec::new();
    let mut inlined: Vec<ir::Inlined> = Vec::new();
    let mut pointers = image::Pointers::default();
    for (id, function) in (0..).map(FuncId::new).zip(&program.funcs) {
        let mut body = func::generate(&mut ctx, id, drafts).map_err(|why| too_large(function, why.0))?;
        let base = code.len() as u32;
        func::relocate(&mut body.insns, base);
        let calls = inlined.len() as u32;
        pointers.kept.extend(body.kept.iter().map(|at| base + at));
        pointers.code.extend(body.pointers.iter().map(|&(at, meant)| image::Pointer {
            pc: base + at,
            object: meant.object.number(),
            values: meant.values,
        }));
        places.extend(body.lines.iter().map(|&(at, site)| (base + at, renumbered(site, calls))));
        inlined.extend(
            function.inlined.iter().map(|call| ir::Inlined { call: renumbered(call.call, calls), ..call.clone() }),
        );
        funcs.push(func::entry(function, &body, base));
        code.extend(body.insns);
    }
    check_tables(program, &ctx)?;
    Ok(Translated { ctx, placement, code, funcs, places, inlined, pointers })
}

/// The image of a program, and the addresses of its globals.
pub fn finish(translated: Translated<'_>, lines: &mut Lines<'_>) -> Result<(PeImage, Vec<u16>), Diagnostic> {
    let Translated { ctx, placement, code, funcs, places, inlined, pointers } = translated;
    let program = ctx.program;
    let body = Body { code, funcs, lines: lines.table(&places), inlined: lines.inlined(&inlined), pointers };
    let image = assemble(program, ctx, &placement, body)?;
    Ok((image, placement.addrs))
}

struct Body {
    code: Vec<csl_isa::Insn>,
    funcs: Vec<image::Function>,
    lines: Vec<image::Line>,
    inlined: Vec<image::Inlined>,
    pointers: image::Pointers,
}

/// The site of a function whose inlined calls follow `calls` others in the program's list.
fn renumbered(site: Site, calls: u32) -> Site {
    Site { inlined: site.inlined.map(|call| call.plus(calls)), ..site }
}

fn assemble(program: &Program, ctx: Context<'_>, placement: &Placement, body: Body) -> Result<PeImage, Diagnostic> {
    let dsr_inits =
        program.dsr_loads.iter().map(|(load, span)| dsr_init(&ctx, load, *span)).collect::<Result<_, _>>()?;
    Ok(PeImage {
        name: program.name.clone(),
        dialect: program.dialect,
        half: half_format(program.fp16),
        code: body.code,
        funcs: body.funcs,
        sections: memory::sections(&ctx),
        pointers: image::Pointers { memory: memory::pointers(&ctx), ..body.pointers },
        data_end: placement.data_end,
        stack: placement.stack,
        dsr_inits,
        vecs: ctx.vecs,
        dsr_loads: ctx.dsr_loads,
        iters: ctx.iters,
        pool: ctx.pool.into_iter().collect(),
        descriptors: ctx.descriptors.into_iter().collect(),
        tasks: program.tasks.iter().map(|task| self::task(program, task)).collect(),
        startup: program.startup.iter().map(|startup| startup.map(constant_id)).collect(),
        queues: program.queues.iter().map(|queue| self::queue(program, queue)).collect(),
        ends: ends(program),
        fifos: program.fifos.iter().map(|fifo| self::fifo(fifo, &placement.addrs)).collect(),
        colors: program.colors.iter().map(|(color, config, _)| (*color, config.clone())).collect(),
        configs: program.configs.clone(),
        exports: program.exports.iter().map(exported).collect(),
        rpc: program.rpc.as_ref().map(|rpc| image::Rpc { task_id: rpc.task_id, functions: rpc_functions(program) }),
        teardown_handlers: program.teardown_handlers.iter().map(|&(id, func)| (id, func.short())).collect(),
        empty_queue_handlers: program.empty_queue_handlers.iter().map(|&(id, func)| (id, func.short())).collect(),
        rotating: program.rotating.iter().map(rotating).collect(),
        separate_control_table: program.control_table.is_some(),
        main_thread_priority: program.main_thread_priority,
        strings: program.strings.clone(),
        tile_consts: program.tile_consts.len().low16(),
        symbols: memory::symbols(program, placement),
        lines: body.lines,
        inlined: body.inlined,
    })
}

fn ends(program: &Program) -> Option<image::ColorEnds> {
    let in_order = |colors: &[Color]| colors.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let ir::ColorEnds { received, sent, may_have_others, .. } = &program.ends;
    (!may_have_others).then(|| image::ColorEnds { received: in_order(received), sent: in_order(sent) })
}

/// The bytes of stack slots for which there must be room: those of the function with the most. A chain of calls that needs
/// more stops at run time.
fn stack_bytes(program: &Program) -> u32 {
    let own = |func: &Arc<ir::Func>| func.slots.iter().map(|slot| slot.size + slot.align.max(4)).sum::<u32>();
    program.funcs.iter().map(own).max().unwrap_or(0)
}

/// Checks the sizes of tables, which are numbered with 16 bits, and of FIFOs, numbered with 8.
fn check_tables(program: &Program, ctx: &Context<'_>) -> Result<(), Diagnostic> {
    let limit = usize::from(u16::MAX);
    let rows = [
        ctx.vecs.len(),
        ctx.dsr_loads.len(),
        ctx.iters.len(),
        ctx.pool.len(),
        ctx.descriptors.len(),
        program.funcs.len(),
        program.tile_consts.len(),
    ];
    let fits = rows.into_iter().all(|rows| rows < limit) && program.fifos.len() <= usize::from(u8::MAX);
    if fits {
        return Ok(());
    }
    let message = format!("{} has more than {limit} functions, constants or vector operations", program.name);
    Err(Diagnostic::unplaced(Code::NotImplemented, message))
}

fn too_large(func: &ir::Func, why: &str) -> Diagnostic {
    let message = format!("function '{}' is too large for the simulated machine: {why}", func.name);
    Diagnostic::new(Code::NotImplemented, func.span, message)
}

fn half_format(kind: FloatKind) -> HalfFormat {
    match kind {
        FloatKind::Bf16 => HalfFormat::Bf16,
        FloatKind::Cb16 => HalfFormat::Cb16,
        FloatKind::F16 | FloatKind::F32 => HalfFormat::F16,
    }
}

fn task(program: &Program, task: &ir::TaskBind) -> image::Task {
    let func = &program.funcs[task.func];
    let param = |(at, &bits): (usize, &u8)| {
        let signed = matches!(func.regs.get(at), Some(ir::Scalar::Int { signed: true, .. }));
        image::TaskParam { bits, signed }
    };
    image::Task {
        kind: task.kind,
        id: task.id,
        func: task.func.short(),
        params: task.params.iter().enumerate().map(param).collect(),
    }
}

/// Exported functions whose parameters each fit into one wavelet.
fn rpc_functions(program: &Program) -> Vec<image::RpcFunction> {
    let callable = |export: &ir::ExportedSymbol| {
        let ir::Exported::Func(func) = export.what else { return None };
        let body = &program.funcs[func];
        let params = body.regs[..body.params as usize].iter().map(|&reg| rpc_param(reg)).collect::<Option<_>>()?;
        Some(image::RpcFunction { id: export.id, func: func.short(), params })
    };
    program.exports.iter().filter_map(callable).collect()
}

fn rpc_param(scalar: ir::Scalar) -> Option<image::TaskParam> {
    let (bits, signed) = match scalar {
        ir::Scalar::Int { bits, signed } => (bits, signed),
        ir::Scalar::F32 => (32, false),
        ir::Scalar::Half => (16, false),
        ir::Scalar::Dsd => return None,
    };
    (1..=32).contains(&bits).then_some(image::TaskParam { bits, signed })
}

fn queue(program: &Program, queue: &ir::QueueInit) -> image::Queue {
    image::Queue {
        dir: queue.dir,
        id: queue.id,
        color: queue.color,
        priority: queue.priority,
        control_base: program.control_table.unwrap_or_default().first_entry(queue.ctrl_table_id),
        dense_mode: queue.dense_mode,
    }
}

/// An id in an action before the first cycle, which is a constant.
fn constant_id(id: &Opnd) -> TaskId {
    match id {
        Opnd::Imm(id) => TaskId::clamped(*id),
        _ => TaskId::at(0),
    }
}

fn fifo(fifo: &ir::FifoInit, addrs: &[u16]) -> image::Fifo {
    image::Fifo { addr: addrs[fifo.buffer], words: fifo.words.low16(), config: fifo.config.map(constant_id) }
}

fn exported(export: &ir::ExportedSymbol) -> image::ExportedSymbol {
    image::ExportedSymbol {
        name: export.name.clone(),
        id: export.id,
        what: match export.what {
            ir::Exported::Global(id) => image::Exported::Symbol(id.number()),
            ir::Exported::Func(id) => image::Exported::Func(id.short()),
        },
    }
}

fn rotating(tasks: &RotatingTasks<ir::FuncId>) -> RotatingTasks<u16> {
    let RotatingTasks { data_task, alt, init, limit } = *tasks;
    RotatingTasks { data_task, alt: alt.short(), init, limit }
}

fn dsr_init(
    ctx: &Context<'_>,
    load: &DsrLoad<VecOperand, Opnd>,
    span: Span,
) -> Result<DsrLoad<VecArg, RegOrImm>, Diagnostic> {
    let unknown = |what: &str| {
        let message = format!("a DSR that is loaded before the program starts needs a {what} known at compile time");
        Diagnostic::new(Code::NotComptime, span, message)
    };
    let dsd = crate::select::constant_arg(ctx, &load.dsd).ok_or_else(|| unknown("DSD"))?;
    let mut is_known = true;
    let config = load.config.map(&mut |operand| {
        let value = ctx.constant(operand);
        is_known &= value.is_some();
        RegOrImm::Imm(value.unwrap_or(0).low16())
    });
    if !is_known {
        return Err(unknown("configuration"));
    }
    Ok(DsrLoad { file: load.file, id: load.id, xdsr: load.xdsr, srs: load.srs.clone(), dsd, config })
}

/// The release that a layout was written for: the oldest of its programs'.
pub fn release(programs: &[Program]) -> Sdk {
    programs.iter().map(|program| program.release).min().unwrap_or(Sdk::CURRENT)
}

/// The architecture of a layout's programs.
pub fn arch(programs: &[Program]) -> Arch {
    programs.first().map_or(Arch::Wse3, |program| program.arch)
}
