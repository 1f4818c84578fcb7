//! One PE program: its modules, its comptime blocks, the functions that can run, and what the host may name.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{
    Exported, ExportedSymbol, Expr, FuncId, Inst, ModuleRef, Name, Opnd, Program, TaskBind, TypeKind, TypedValue,
    Types, Value,
};
use csl_machine::{Arch, DsrFile, OnControl, QueueDir, Startup, TaskKind, TaskTarget, VecConfig};
use csl_num::IntTy;

use crate::builtins::config::{dialect, release};
use crate::builtins::names_task;
use crate::context::{Res, Sema, Stop};
use crate::layout::{Instance, LayoutState};
use crate::unit::{ExportTarget, Unit, UnitKind};

/// Constants of which every tile has its own: how they follow from its params, and their types.
pub type TileConsts = Vec<(Arc<Expr>, IntTy)>;

impl Sema<'_> {
    /// Analyses the program of one kind of tile; `None` when it has errors, which are told once for all its tiles.
    /// With it, how the constants follow of which every tile has its own.
    pub(crate) fn analyze_program(
        &mut self,
        file: &str,
        params: Vec<(Name, TypedValue)>,
        instance: &Instance,
    ) -> Option<(Program, TileConsts)> {
        let layout = LayoutState {
            exports: self.unit.layout.exports.clone(),
            is_legacy: self.unit.layout.is_legacy,
            ..LayoutState::default()
        };
        let rectangle = self.unit.layout.rectangle();
        let unit = Unit { kind: UnitKind::Pe, name: file.to_string(), layout, rectangle, ..Unit::default() };
        let outer = std::mem::replace(&mut self.unit, unit);
        self.steps = 0;
        let text = whose_code(instance);
        let result = self.traced(instance.span, text, |s| s.program(file, params, instance.span));
        let unit = std::mem::replace(&mut self.unit, outer);
        result.ok().map(|program| (program, unit.tile_consts.into_iter().collect()))
    }

    fn program(&mut self, file: &str, params: Vec<(Name, TypedValue)>, span: Span) -> Res<Program> {
        self.load_module(file, None, params, Some(span))?;
        let mut result = self.run_all_comptime_blocks();
        result = self.declare_exported().and(result);
        result = self.instantiate_exports().and(result);
        result = self.drain_pending().and(result);
        result?;
        self.bind_alternates();
        self.check_tasks()?;
        self.check_teardown_task()?;
        self.follow_old_conventions();
        self.warn_reserved();
        self.warn_shared_queues();
        let exports = self.lower_exports()?;
        self.lower_globals()?;
        let mut program = self.collect(exports)?;
        self.resolve_program(&mut program)?;
        Ok(program)
    }

    /// Modules may be imported while blocks run, so their number may grow.
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
        for (target, _, span) in self.unit.export_refs.clone() {
            if let ExportTarget::Fn(f) = target {
                self.instance(f, span)?;
            }
        }
        Ok(())
    }

    fn lower_exports(&mut self) -> Res<Vec<ExportedSymbol>> {
        let mut lowered: Vec<ExportedSymbol> = Vec::new();
        let mut result = Ok(());
        for (target, name, span) in self.unit.export_refs.clone() {
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
        let Some(declared) = self.unit.layout.export(name).cloned() else {
            let diagnostic =
                Diagnostic::new(Code::BadExport, span, format!("the layout does not declare the name `{name}`"));
            return Err(self.fail(diagnostic.help(format!("add `@export_name(\"{name}\", ...)` to the layout block"))));
        };
        let (ty, mutable) = match target {
            ExportTarget::Global(g) => {
                let global = &self.unit.globals[*g];
                (global.ty, Some(!global.is_const))
            }
            ExportTarget::Fn(f) => (self.fn_type(*f)?, None),
        };
        let contradiction = if ty != declared.ty && !self.same_export_type(ty, declared.ty) {
            let (here, there) = (self.show(ty), self.show(declared.ty));
            Some((format!("`{name}` has type `{here}`, but the layout declares `{there}`"), None))
        } else if declared.mutable == Some(true) && mutable == Some(false) {
            let help = "declare it with `var`, or end the `@export_name` with `false`";
            Some((format!("`{name}` is constant, but the layout declares it mutable"), Some(help)))
        } else if declared.mutable == Some(false) && mutable == Some(true) {
            let help = "declare it with `const`, or end the `@export_name` with `true`";
            Some((format!("`{name}` is mutable, but the layout declares it constant"), Some(help)))
        } else {
            None
        };
        match contradiction {
            None => Ok(declared.id),
            Some((message, help)) => {
                let diagnostic =
                    Diagnostic::new(Code::BadExport, span, message).secondary(declared.span, "declared here");
                Err(self.fail(Diagnostic { help: help.map(str::to_string), ..diagnostic }))
            }
        }
    }

    /// Pointers to one element type are one type to the host, whatever they say of the number of elements.
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

    /// The tasks that rotate with data tasks are the first of their input queues' control task tables.
    fn bind_alternates(&mut self) {
        let unit = &mut self.unit;
        let table = unit.control_table.unwrap_or_default();
        for (queue, mut task) in std::mem::take(&mut unit.alternates) {
            let own = unit.queues.iter().find(|q| q.dir == QueueDir::In && q.id == queue);
            task.id = own.map_or(0, |q| table.first_entry(q.ctrl_table_id));
            unit.tasks.push(task);
        }
    }

    /// No two tasks share an entry of the task table.
    fn check_tasks(&mut self) -> Res<()> {
        let tasks = self.unit.tasks.clone();
        let separate = self.unit.control_table.is_some();
        for (index, task) in tasks.iter().enumerate() {
            let same = |other: &&TaskBind| {
                let tables_differ = separate && (other.kind == TaskKind::Control) != (task.kind == TaskKind::Control);
                other.id == task.id && other.func != task.func && !tables_differ
            };
            if let Some(rpc) = &self.unit.rpc
                && rpc.task_id == task.id
                && !(separate && task.kind == TaskKind::Control)
            {
                let message = format!("a task is bound to the id {}, which the RPC server has", task.id);
                let diagnostic = Diagnostic::new(Code::TaskConflict, task.span, message);
                let rpc = rpc.span;
                return Err(self.fail(diagnostic.secondary(rpc, "the server is made here")));
            }
            if let Some(first) = tasks[..index].iter().find(same) {
                let message = format!("two tasks are bound to the id {}", task.id);
                let diagnostic = Diagnostic::new(Code::TaskConflict, task.span, message);
                let note = "data, local and control tasks share one table";
                return Err(self.fail(diagnostic.secondary(first.span, "the first is bound here").note(note)));
            }
        }
        Ok(())
    }

    /// Beside a teardown handler no task has the id that runs it (guide, builtins).
    fn check_teardown_task(&mut self) -> Res<()> {
        let Some(&(_, _, handler)) = self.unit.teardown_handlers.first() else { return Ok(()) };
        let (id, separate) = (self.chip.tasks.teardown, self.unit.control_table.is_some());
        let has_id = |task: &&TaskBind| task.id == id && !(separate && task.kind == TaskKind::Control);
        let Some(span) = self.unit.tasks.iter().find(has_id).map(|task| task.span) else { return Ok(()) };
        let message = format!("a task is bound to the id {id}, which runs teardown handlers");
        let diagnostic = Diagnostic::new(Code::TaskConflict, span, message);
        Err(self.fail(diagnostic.secondary(handler, "a handler is set here")))
    }

    /// Up to SDK 0.9, where tasks are bound to colors, nothing starts blocked, and a color that a task without
    /// wavelets is bound to means that task.
    fn follow_old_conventions(&mut self) {
        if !self.unit.layout.binds_colors || self.options.arch != Arch::Wse2 {
            return;
        }
        let tasks = &self.unit.tasks;
        for startup in &mut self.unit.startup {
            let target = startup.target_mut();
            if let TaskTarget::Color(Opnd::Imm(number)) = *target
                && names_task(tasks, number)
            {
                *target = TaskTarget::LocalTask(Opnd::Imm(number));
            }
        }
        let all = 0..u64::from(self.chip.fabric.colors);
        let unblocked = all.map(|color| Startup::Unblock(TaskTarget::Color(Opnd::Imm(color))));
        self.unit.startup.splice(0..0, unblocked);
    }

    /// What memcpy uses itself is better left alone; published programs use it nevertheless.
    fn warn_reserved(&mut self) {
        if !self.options.memcpy {
            return;
        }
        let mut found = self.reserved_queues();
        found.extend(self.reserved_dsrs());
        found.extend(self.reserved_ids());
        for (place, (what, span)) in found.iter().enumerate() {
            if found[..place].iter().all(|earlier| earlier.0 != *what) {
                self.report(Diagnostic::new(Code::ReservedResource, *span, format!("memcpy uses {what} itself")));
            }
        }
    }

    fn reserved_queues(&self) -> Vec<(String, Span)> {
        let initialized = self.unit.queues.iter().map(|queue| (queue.dir, queue.id, queue.span));
        let used = self.unit.queue_uses.iter().map(|&(dir, queue, _, span)| (dir, queue, span));
        let named = initialized.chain(used).filter_map(|(dir, queue, span)| {
            let (name, reserved) = match dir {
                QueueDir::In => ("input queue", self.chip.memcpy.input_queues),
                QueueDir::Out => ("output queue", self.chip.memcpy.output_queues),
            };
            reserved.contains(&queue).then(|| (format!("{name} {queue}"), span))
        });
        named.collect()
    }

    fn reserved_dsrs(&self) -> Vec<(String, Span)> {
        let memcpy = &self.chip.memcpy;
        let reserved = [(DsrFile::Dest, memcpy.dest_dsr), (DsrFile::Src1, memcpy.src1_dsr)];
        let named = self.unit.dsr_uses.iter().filter_map(|&(file, id, span)| {
            reserved.contains(&(file, id)).then(|| (format!("{} {id}", file.name()), span))
        });
        named.collect()
    }

    /// Task ids and colors.
    fn reserved_ids(&self) -> Vec<(String, Span)> {
        let memcpy = &self.chip.memcpy;
        let tasks = self.unit.tasks.iter().filter_map(|task| {
            let (name, reserved) = match task.kind {
                TaskKind::Local => ("local task id", memcpy.local_tasks),
                TaskKind::Control => ("control task id", memcpy.control_tasks),
                TaskKind::Data => return None,
            };
            reserved.contains(&task.id).then(|| (format!("{name} {}", task.id), task.span))
        });
        let colors = self.unit.colors.iter().filter(|(color, _, _)| memcpy.colors.contains(color));
        tasks.chain(colors.map(|&(color, _, span)| (format!("color {color}"), span))).collect()
    }

    /// DSDs of several colors on one queue: published programs take turns, others mix up their wavelets.
    fn warn_shared_queues(&mut self) {
        let uses = std::mem::take(&mut self.unit.queue_uses);
        let uses: Vec<_> =
            uses.into_iter().filter_map(|(dir, queue, color, span)| Some((dir, queue, color?, span))).collect();
        let mut warned = Vec::new();
        for (place, &(dir, queue, color, span)) in uses.iter().enumerate() {
            let before =
                uses[..place].iter().find(|earlier| (earlier.0, earlier.1) == (dir, queue) && earlier.2 != color);
            let Some(&(_, _, other, first)) = before.filter(|_| !warned.contains(&(dir, queue))) else { continue };
            warned.push((dir, queue));
            let name = if dir == QueueDir::In { "input" } else { "output" };
            let message = format!("DSDs of colors {other} and {color} share {name} queue {queue}");
            let diagnostic =
                Diagnostic::new(Code::SharedQueue, span, message).secondary(first, "the first is made here");
            self.report(diagnostic.note("only one operation at a time may use a queue"));
        }
    }

    /// Puts together what the unit has gathered.
    fn collect(&mut self, exports: Vec<ExportedSymbol>) -> Res<Program> {
        let (release, dialect) = (release(self), dialect(self));
        let unit = &mut self.unit;
        let take = std::mem::take::<Vec<Option<csl_ir::Global>>>;
        let globals: Option<Vec<_>> = take(&mut unit.out_globals).into_iter().collect();
        let funcs: Option<Vec<_>> = std::mem::take(&mut unit.out_funcs).into_iter().collect();
        let (Some(globals), Some(funcs)) = (globals, funcs) else {
            // A function or global without a body has given its diagnostic.
            return Err(Stop::Error);
        };
        Ok(Program {
            name: unit.name.clone(),
            arch: self.options.arch,
            release,
            dialect,
            fp16: self.options.fp16,
            types: Arc::new(Types::default()),
            globals,
            funcs,
            tasks: std::mem::take(&mut unit.tasks),
            startup: std::mem::take(&mut unit.startup),
            queues: std::mem::take(&mut unit.queues),
            fifos: std::mem::take(&mut unit.fifos),
            dsr_loads: std::mem::take(&mut unit.dsr_loads),
            colors: std::mem::take(&mut unit.colors),
            configs: std::mem::take(&mut unit.configs),
            exports,
            rpc: unit.rpc.take(),
            teardown_handlers: unit.teardown_handlers.iter().map(|h| (h.0, h.1)).collect(),
            empty_queue_handlers: unit.empty_queue_handlers.iter().map(|h| (h.0, h.1)).collect(),
            rotating: std::mem::take(&mut unit.rotating),
            control_table: unit.control_table,
            main_thread_priority: unit.main_thread_priority,
            strings: std::mem::take(&mut unit.strings),
            tile_consts: unit.tile_consts.iter().map(|(_, ty)| *ty).collect(),
        })
    }

    /// Replaces tasks named in configuration structs by the ids that they are bound to.
    fn resolve_program(&mut self, program: &mut Program) -> Res<()> {
        let mut missing: Vec<(FuncId, Span)> = Vec::new();
        let tasks = &program.tasks;
        for startup in &mut program.startup {
            resolve(tasks, startup.target_mut(), Span::new(csl_diag::FileId(0), 0, 0), &mut missing);
        }
        for fifo in &mut program.fifos {
            for target in [&mut fifo.config.activate_pop, &mut fifo.config.activate_push].into_iter().flatten() {
                resolve(tasks, target, fifo.span, &mut missing);
            }
        }
        for (load, span) in &mut program.dsr_loads {
            resolve_config(tasks, &mut load.config, *span, &mut missing);
        }
        for block in program.funcs.iter_mut().flat_map(|f| &mut f.blocks) {
            for (inst, site) in block.insts.iter_mut().zip(&block.sites) {
                match inst {
                    Inst::Vec(vec) => resolve_config(tasks, &mut vec.config, site.span, &mut missing),
                    Inst::LoadDsr(load) => resolve_config(tasks, &mut load.config, site.span, &mut missing),
                    _ => {}
                }
            }
        }
        let Some((func, span)) = missing.first() else { return Ok(()) };
        let message = format!("task `{}` is not bound to an id", program.funcs[*func].name);
        let help = "bind it in a top-level `comptime` block, for example with `@bind_local_task`";
        Err(self.fail(Diagnostic::new(Code::BadBuiltinArgument, *span, message).help(help)))
    }
}

fn resolve_config(tasks: &[TaskBind], config: &mut VecConfig<Opnd>, span: Span, missing: &mut Vec<(FuncId, Span)>) {
    let on_control = config.on_control.as_mut().and_then(OnControl::target_mut);
    let targets = config.completion.target_mut().into_iter().chain(on_control);
    targets.for_each(|target| resolve(tasks, target, span, missing));
}

fn resolve(tasks: &[TaskBind], target: &mut TaskTarget<Opnd>, span: Span, missing: &mut Vec<(FuncId, Span)>) {
    let TaskTarget::LocalTask(Opnd::Func(func)) = *target else { return };
    match tasks.iter().find(|t| t.func == func) {
        None => missing.push((func, span)),
        Some(task) => {
            let id = Opnd::Imm(u64::from(task.id));
            *target = match task.kind {
                TaskKind::Local => TaskTarget::LocalTask(id),
                TaskKind::Data => TaskTarget::DataTask(id),
                TaskKind::Control => TaskTarget::ControlTask(id),
            };
        }
    }
}

fn whose_code(instance: &Instance) -> String {
    let (x, y) = instance.first;
    match instance.tiles - 1 {
        0 => format!("as the code of PE ({x}, {y})"),
        1 => format!("as the code of PE ({x}, {y}) and on 1 more tile"),
        more => format!("as the code of PE ({x}, {y}) and on {more} more tiles"),
    }
}

/// Whether a value means the same in another program: nothing in it refers to this one's memory or code.
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
