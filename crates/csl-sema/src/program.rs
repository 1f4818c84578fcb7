//! Analyses one PE program: its modules, its comptime blocks, the functions that can run, and its exports.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, FileId, Reported, Span};
use csl_ir::{
    Callee, Exported, ExportedSymbol, Expr, Func, FuncId, Inst, ModuleRef, Name, Opnd, Program, QueueInit, TaskBind,
    TypeKind, TypedValue, Types, Value,
};
use csl_machine::{Arch, Coord, OnControl, QueueDir, Sdk, Size, SysOp, TaskKind, TaskTarget, VecConfig};
use csl_num::IntTy;
use csl_syntax::Symbol;

use crate::builtins::config::{dialect, release};
use crate::context::{Res, Sema};
use crate::layout::{Instance, Layout, exported_name};
use crate::mend::through_a_pointer;
use crate::pe::{BareQueue, ExportTarget};
use crate::shared_input;
use crate::unit::{State, Unit};

/// The constants that differ between the tiles of a program: each as an expression of the tile's params, and its type.
pub type TileConsts = Vec<(Arc<Expr>, IntTy)>;

/// A program, the constants of its tiles, and the state of its analysis, in which code that it does not use can be looked into.
#[derive(Debug)]
pub(crate) struct Analyzed {
    pub program: Program,
    pub consts: TileConsts,
    pub unit: Unit,
}

impl Sema<'_> {
    /// Analyses the program of one kind of tile; an error in it is reported once for all its tiles.
    pub(crate) fn analyze_program(
        &mut self,
        layout: &Layout,
        rectangle: Size,
        file: &str,
        params: Vec<(Name, TypedValue)>,
        instance: &Instance,
    ) -> Result<Analyzed, Reported> {
        if self.is_called_off() {
            let called_off = Err(self.error(Code::QuotaExceeded, instance.span, "the analysis was called off"));
            return self.whole(called_off, instance.span);
        }
        let unit = Unit::of_pe(file, layout, rectangle);
        let outer = std::mem::replace(&mut self.unit, unit);
        self.steps = 0;
        let text = whose_code(instance);
        let result = self.traced(instance.span, text, |s| s.program(file, params, instance.span));
        let mut unit = std::mem::replace(&mut self.unit, outer);
        if self.options.check_all {
            self.used.extend(unit.used());
        }
        let program = self.whole(result, instance.span)?;
        let consts = std::mem::take(&mut unit.tile_consts).into_values().collect();
        Ok(Analyzed { program, consts, unit })
    }

    fn program(&mut self, file: &str, params: Vec<(Name, TypedValue)>, span: Span) -> Res<Program> {
        self.evaluate_program(file, params, span)?;
        self.finish_pe()?;
        let exports = self.lower_exports()?;
        self.lower_globals()?;
        let mut program = self.collect(exports)?;
        self.resolve_program(&mut program)?;
        shared_input::warnings(&program).into_iter().for_each(|warning| self.report(warning));
        Ok(program)
    }

    /// Evaluates the modules of a program, and analyses the functions that can run.
    pub(crate) fn evaluate_program(&mut self, file: &str, params: Vec<(Name, TypedValue)>, span: Span) -> Res<()> {
        self.load_module(file, None, params, Some(span))?;
        let mut result = self.run_all_comptime_blocks();
        result = self.declare_exported().and(result);
        result = self.instantiate_exports().and(result);
        result = self.drain_pending().and(result);
        result?;
        self.check_unread_params()
    }

    /// Checks that the declarations of all modules about the PE fit together.
    fn finish_pe(&mut self) -> Res<()> {
        let (chip, options) = (self.chip, self.options);
        let files = self.unit.modules.iter().map(|module| &module.file);
        let library: Vec<FileId> = files.filter(|file| file.is_library).map(|file| file.ast.id).collect();
        let sdk = release(self);
        let changes_registers = self.unit.out_funcs.iter().flatten().any(writes_registers);
        let pe = self.pe()?;
        pe.bind_alternates();
        let checked = pe.check_tasks().and_then(|()| pe.check_teardown_task(chip));
        pe.follow_old_conventions(options.arch, chip);
        let mut warnings = if options.memcpy { pe.warn_reserved(&chip.memcpy) } else { Vec::new() };
        warnings.extend(pe.warn_shared_queues(&library));
        if options.arch == Arch::Wse2 {
            warnings.extend(pe.warn_configured_outputs(&library));
        }
        if options.arch == Arch::Wse3 && !changes_registers && !pe.binds_colors {
            warnings.extend(pe.warn_other_colors());
        }
        let queue_ops = pe.queue_ops(options.arch, sdk);
        checked.map_err(|diagnostic| self.fail(diagnostic))?;
        for (place, bare) in queue_ops {
            let bare = bare.map(|mut bare| {
                bare.warning = self.with_trace(bare.warning);
                bare
            });
            self.note_queue_op(place, bare);
        }
        warnings.extend(self.warn_left_out_memcpy());
        warnings.extend(self.warn_never_unblocked()?);
        warnings.extend(self.warn_collectives_without_init());
        warnings.extend(self.warn_shared_symbols()?);
        warnings.into_iter().for_each(|warning| self.report(warning));
        Ok(())
    }

    /// Notes the queue of an operation, where the program does not initialise it. One program that does is enough: the others
    /// may never come to the operation.
    pub(crate) fn note_queue_op(&mut self, place: Span, bare: Option<BareQueue>) {
        let known = self.queue_ops.entry(place).or_insert_with(|| bare.clone());
        *known = known.take().zip(bare).map(|(known, bare)| known.and(&bare));
    }

    /// Warns of functions that the host can launch and behind which the command stream stays blocked: they do not unblock it,
    /// and no task or handler does. With an RPC server it may be other PEs that call, but up to SDK 1.4, where it serves the host.
    fn warn_never_unblocked(&mut self) -> Res<Vec<Diagnostic>> {
        let mut warnings = Vec::new();
        let is_todays = release(self) > Sdk::LAST_UNPACKED;
        let pe = self.pe()?;
        let has_tasks = !(pe.tasks.is_empty() && pe.teardown_handlers.is_empty() && pe.empty_queue_handlers.is_empty());
        let serves_others = is_todays && pe.rpc.is_some();
        let unblocks = |func: &Func| {
            let mut insts = func.blocks.iter().flat_map(|block| &block.insts);
            insts.any(|inst| matches!(inst, Inst::Sys { op: SysOp::UnblockCmdStream, .. }))
        };
        if !self.options.memcpy || serves_others || has_tasks && self.unit.out_funcs.iter().flatten().any(unblocks) {
            return Ok(warnings);
        }
        for (target, name, span) in self.pe()?.export_refs.clone() {
            let ExportTarget::Fn(f) = target else { continue };
            let first = self.instance(f, span)?;
            let (mut seen, mut open, mut is_unblocked) = (vec![first], vec![first], false);
            while let Some(id) = open.pop() {
                let Some(func) = &self.unit.out_funcs[id] else { continue };
                is_unblocked |= unblocks(func);
                for inst in func.blocks.iter().flat_map(|block| &block.insts) {
                    match inst {
                        Inst::Call { callee: Callee::Direct(id), .. } if !seen.contains(id) => {
                            seen.push(*id);
                            open.push(*id);
                        }
                        Inst::Call { callee: Callee::Indirect(_), .. } => is_unblocked = true,
                        // An activation of a task that was never bound is another mistake.
                        Inst::Sys { op: SysOp::ActivateTask, .. } if !has_tasks => is_unblocked = true,
                        _ => {}
                    }
                }
            }
            if !is_unblocked {
                let message = format!("nothing unblocks the command stream behind `{name}`");
                let note = "after a launch of it the host's next command waits for ever";
                let help = "call `unblock_cmd_stream()` of <memcpy/memcpy> where the function's work is done";
                warnings.push(Diagnostic::new(Code::NeverUnblocks, span, message).note(note).help(help));
            }
        }
        Ok(warnings)
    }

    /// Warns of modules of <collectives_2d> of which a program calls an operation and never `init`.
    fn warn_collectives_without_init(&self) -> Vec<Diagnostic> {
        let mut warnings = Vec::new();
        for module in self.unit.modules.iter().filter(|module| module.file.path == "<collectives_2d/pe>") {
            let is_used = |name: &str| {
                let item = module.items.get(&Symbol::new(name));
                item.is_some_and(|item| !matches!(item.state, State::Pending))
            };
            let operations = ["broadcast", "scatter", "gather", "reduce_fadds"];
            let operation = operations.iter().find(|name| is_used(name));
            let (Some(operation), Some(span)) = (operation, module.asked_at) else { continue };
            if is_used("init") {
                continue;
            }
            let message = format!("`{operation}` of this module is called, and `init` never");
            let note = "here that works; the guide asks for `init()` before any other call";
            let help = format!("call `{}init();` once, before the first operation", module.prefix);
            warnings.push(Diagnostic::new(Code::MisusedLibrary, span, message).note(note).help(help));
        }
        warnings
    }

    fn warn_left_out_memcpy(&self) -> Option<Diagnostic> {
        let imported = self.unit.modules.iter().find(|module| module.file.path == "<memcpy/memcpy>")?;
        let span = imported.asked_at.filter(|_| !self.options.memcpy)?;
        let message = "this program imports memcpy, and `--memcpy` is not given";
        let help = "add `--memcpy --channels=1` to the command line: without it the host can neither copy nor launch";
        Some(Diagnostic::new(Code::LeftOutMemcpy, span, message).help(help))
    }

    /// Runs the comptime blocks of all modules. Blocks may import modules, so that their number may grow.
    fn run_all_comptime_blocks(&mut self) -> Res<()> {
        let mut result = Ok(());
        let mut next = 0;
        while next < self.unit.modules.len() {
            result = self.run_comptime_blocks(ModuleRef::at(next)).and(result);
            next += 1;
        }
        result
    }

    /// Queues the analysis of the functions that the host can call.
    fn instantiate_exports(&mut self) -> Res<()> {
        for (target, _, span) in self.pe()?.export_refs.clone() {
            if let ExportTarget::Fn(f) = target {
                self.instance(f, span)?;
            }
        }
        Ok(())
    }

    fn lower_exports(&mut self) -> Res<Vec<ExportedSymbol>> {
        let mut lowered: Vec<ExportedSymbol> = Vec::new();
        let mut result = Ok(());
        for (target, name, span) in self.pe()?.export_refs.clone() {
            match self.lower_export(&target, &name, span, &lowered) {
                Ok(symbol) => lowered.push(symbol),
                Err(stop) => result = Err(stop),
            }
        }
        result.map(|()| lowered)
    }

    fn lower_export(
        &mut self,
        target: &ExportTarget,
        name: &str,
        span: Span,
        before: &[ExportedSymbol],
    ) -> Res<ExportedSymbol> {
        if let Some(twice) = before.iter().find(|e| e.name == name) {
            let diagnostic = Diagnostic::new(Code::BadExport, span, format!("`{name}` is exported twice"));
            return Err(self.fail(diagnostic.secondary(twice.span, "first exported here")));
        }
        let id = self.check_export(target, name, span)?;
        let what = match target {
            ExportTarget::Global(g) => Exported::Global(self.global_id(*g)),
            ExportTarget::Fn(f) => Exported::Func(self.instance(*f, span)?),
        };
        Ok(ExportedSymbol { name: name.to_string(), id, what, span })
    }

    /// The id of the layout's `@export_name`, which must agree with the symbol.
    fn check_export(&mut self, target: &ExportTarget, name: &str, span: Span) -> Res<u16> {
        let (ty, mutable) = match target {
            ExportTarget::Global(g) => {
                let global = &self.unit.globals[*g];
                (global.ty, Some(!global.is_const))
            }
            ExportTarget::Fn(f) => (self.fn_type(*f)?, None),
        };
        let Some(declared) = exported_name(&self.pe()?.exports, name).cloned() else {
            let diagnostic =
                Diagnostic::new(Code::BadExport, span, format!("the layout does not declare the name `{name}`"));
            if let TypeKind::Array { elem, .. } = *self.types.kind(ty) {
                let pointer = format!("[*]{}", self.show(elem));
                let help = through_a_pointer(name, &pointer);
                let layout = format!("; in the layout: `@export_name(\"{name}\", {pointer}, true);`");
                return Err(self.fail(diagnostic.help(help + &layout)));
            }
            let mutable = mutable.map_or(String::new(), |mutable| format!(", {mutable}"));
            let statement = format!("@export_name(\"{name}\", {}{mutable});", self.show(ty));
            let diagnostic = diagnostic.help(format!("add `{statement}` to the layout block"));
            return Err(self.fail(self.mend_layout(diagnostic, &statement)));
        };
        let pointed = self.show(declared.ty);
        let contradiction = if ty != declared.ty && !self.same_export_type(ty, declared.ty) {
            let help = match (self.types.kind(ty), self.types.kind(declared.ty)) {
                (TypeKind::Array { .. }, TypeKind::Ptr { .. }) => Some(through_a_pointer(name, &pointed)),
                (TypeKind::Fn(f), TypeKind::Fn(_)) if f.is_task => {
                    Some("the host launches functions: declare it with `fn`".to_owned())
                }
                _ => None,
            };
            let here = self.show(ty);
            Some((format!("`{name}` has type `{here}`, but the layout declares `{pointed}`"), help))
        } else if declared.mutable == Some(true) && mutable == Some(false) {
            let help = "declare it with `var`, or end the `@export_name` with `false`";
            Some((format!("`{name}` is constant, but the layout declares it mutable"), Some(help.to_owned())))
        } else if declared.mutable == Some(false) && mutable == Some(true) {
            let help = "declare it with `const`, or end the `@export_name` with `true`";
            Some((format!("`{name}` is mutable, but the layout declares it constant"), Some(help.to_owned())))
        } else {
            None
        };
        match contradiction {
            None => Ok(declared.id),
            Some((message, help)) => {
                let diagnostic =
                    Diagnostic::new(Code::BadExport, span, message).secondary(declared.span, "declared here");
                Err(self.fail(Diagnostic { help, ..diagnostic }))
            }
        }
    }

    /// Whether two types are one to the host: pointers to one element type are, whatever they say of the number of
    /// elements.
    fn same_export_type(&self, a: csl_ir::Ty, b: csl_ir::Ty) -> bool {
        match (self.pointed_element(a), self.pointed_element(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        }
    }

    pub(crate) fn pointed_element(&self, ty: csl_ir::Ty) -> Option<csl_ir::Ty> {
        let TypeKind::Ptr { elem, .. } = *self.types.kind(ty) else { return None };
        match self.types.kind(elem) {
            TypeKind::Array { elem, .. } => Some(*elem),
            _ => Some(elem),
        }
    }

    /// Collects the program from the state of the unit. What is left can still be evaluated in.
    fn collect(&mut self, exports: Vec<ExportedSymbol>) -> Res<Program> {
        let (release, dialect) = (release(self), dialect(self));
        let is_kept = self.options.check_all;
        let pe = if is_kept { self.pe()?.clone() } else { std::mem::take(self.pe()?) };
        let unit = &mut self.unit;
        let globals: Option<Vec<_>> = unit.out_globals.iter_mut().map(Option::take).collect();
        let funcs: Option<Vec<_>> = unit.out_funcs.iter_mut().map(|func| func.take().map(Arc::new)).collect();
        let (Some(globals), Some(funcs)) = (globals, funcs) else {
            return Err(self.internal(None, "a function or a global of the program was never made").into());
        };
        let ends = pe.ends(self.options.arch, funcs.iter().any(|func| writes_registers(func)));
        Ok(Program {
            name: unit.name.clone(),
            arch: self.options.arch,
            release,
            dialect,
            fp16: self.options.fp16,
            types: Arc::new(Types::default()),
            globals,
            funcs,
            tasks: pe.tasks,
            startup: pe.startup,
            ends,
            queues: pe.queues,
            filters: pe.filters,
            fifos: pe.fifos,
            dsr_loads: pe.dsr_loads,
            colors: pe.colors,
            configs: pe.configs,
            exports,
            rpc: pe.rpc,
            teardown_handlers: pe.teardown_handlers.iter().map(|h| (h.0, h.1)).collect(),
            empty_queue_handlers: pe.empty_queue_handlers.iter().map(|h| (h.0, h.1)).collect(),
            rotating: pe.rotating,
            control_table: pe.control_table,
            main_thread_priority: None,
            strings: std::mem::take(&mut unit.strings),
            tile_consts: unit.tile_consts.iter().map(|(&number, (_, ty))| (number, *ty)).collect(),
        })
    }

    /// Replaces tasks named in configuration structs by their bound ids, and on WSE-3 colors by the input queues that take them.
    fn resolve_program(&mut self, program: &mut Program) -> Res<()> {
        let queues: &[QueueInit] = if program.arch == Arch::Wse3 { &program.queues } else { &[] };
        let mut bound = Bound { tasks: &program.tasks, queues, missing: Vec::new() };
        for startup in &mut program.startup {
            bound.resolve(startup.target_mut(), Span::new(csl_diag::FileId(0), 0, 0));
        }
        for fifo in &mut program.fifos {
            for target in [&mut fifo.config.activate_pop, &mut fifo.config.activate_push].into_iter().flatten() {
                bound.resolve(target, fifo.span);
            }
        }
        for (load, span) in &mut program.dsr_loads {
            bound.resolve_config(&mut load.config, *span);
        }
        for block in program.funcs.iter_mut().flat_map(|func| &mut Arc::make_mut(func).blocks) {
            for (inst, site) in block.insts.iter_mut().zip(&block.sites) {
                match inst {
                    Inst::Vec(vec) => bound.resolve_config(&mut vec.config, site.span),
                    Inst::LoadDsr(load) => bound.resolve_config(&mut load.config, site.span),
                    _ => {}
                }
            }
        }
        let missing = bound.missing;
        let Some((func, span)) = missing.first() else { return Ok(()) };
        let message = format!("task `{}` is not bound to an id", program.funcs[*func].name);
        let help = "bind it in a top-level `comptime` block, for example with `@bind_local_task`";
        Err(self.fail(Diagnostic::new(Code::BadBuiltinArgument, *span, message).help(help)))
    }
}

/// Whether a function writes configuration registers.
pub(crate) fn writes_registers(func: &Func) -> bool {
    let mut insts = func.blocks.iter().flat_map(|block| &block.insts);
    insts.any(|inst| matches!(inst, Inst::Sys { op: SysOp::SetConfig, .. }))
}

/// What a program binds to ids, and the tasks that it names and does not bind.
struct Bound<'a> {
    tasks: &'a [TaskBind],
    /// The queues by which colors are known (WSE-3); on WSE-2 a color is its channel.
    queues: &'a [QueueInit],
    missing: Vec<(FuncId, Span)>,
}

impl Bound<'_> {
    fn resolve_config(&mut self, config: &mut VecConfig<Opnd>, span: Span) {
        let on_control = config.on_control.as_mut().and_then(OnControl::target_mut);
        let targets = config.completion.target_mut().into_iter().chain(on_control);
        targets.for_each(|target| self.resolve(target, span));
    }

    fn resolve(&mut self, target: &mut TaskTarget<Opnd>, span: Span) {
        match *target {
            TaskTarget::LocalTask(Opnd::Func(func)) => match self.tasks.iter().find(|t| t.func == func) {
                None => self.missing.push((func, span)),
                Some(task) => {
                    let id = Opnd::Imm(u64::from(task.id));
                    *target = match task.kind {
                        TaskKind::Local => TaskTarget::LocalTask(id),
                        TaskKind::Data => TaskTarget::DataTask(id),
                        TaskKind::Control => TaskTarget::ControlTask(id),
                    };
                }
            },
            TaskTarget::Color(Opnd::Imm(number)) => {
                let takes = |queue: &&QueueInit| {
                    queue.dir == QueueDir::In && queue.color.is_some_and(|color| u64::from(color) == number)
                };
                if let Some(queue) = self.queues.iter().find(takes) {
                    *target = TaskTarget::InputQueue(Opnd::Imm(u64::from(queue.id)));
                }
            }
            _ => {}
        }
    }
}

pub(crate) fn whose_code(instance: &Instance) -> String {
    let Coord { x, y } = instance.first;
    match instance.tiles - 1 {
        0 => format!("as the code of PE ({x}, {y})"),
        1 => format!("as the code of PE ({x}, {y}) and on 1 more tile"),
        more => format!("as the code of PE ({x}, {y}) and on {more} more tiles"),
    }
}

/// Whether a value has the same meaning in another program: it does not refer to memory or code of this one.
pub(crate) fn is_portable(value: &Value) -> bool {
    match value {
        Value::Ptr(_) | Value::Fn(_) | Value::Module(_) | Value::Dsd(_) | Value::Fifo(_) => false,
        Value::Array(array) => match &**array {
            csl_ir::ArrayValue::Splat { value, .. } => is_portable(value),
            csl_ir::ArrayValue::Elems(elems) => elems.iter().all(is_portable),
        },
        Value::Struct(fields) => fields.iter().all(is_portable),
        Value::Union { value, .. } => is_portable(value),
        Value::Typed(inner) => is_portable(&inner.value),
        _ => true,
    }
}
