//! The program of a PE under analysis: its bindings, initial values and exports, and the check that they fit together.

use csl_diag::{Code, Diagnostic, FileId, Span};
use csl_ir::{
    ColorEnds, ControlTable, ExportName, FifoInit, FnRef, FuncId, GlobalRef, Opnd, QueueInit, RpcBind, TaskBind,
    VecOperand,
};
use csl_machine::{
    Arch, Chip, Color, ColorConfig, DsrFile, DsrLoad, FlushId, MemcpyTable, QueueDir, QueueId, RotatingTasks, Sdk,
    Size, Startup, TaskId, TaskKind, TaskTarget,
};

use crate::builtins::names_task;

/// The state of a PE's program. Most of it becomes a part of a `csl_ir::Program`.
#[derive(Clone, Debug, Default)]
pub struct Pe {
    /// Size of the layout in PEs.
    pub rectangle: Size,
    /// The names that the layout exports.
    pub exports: Vec<ExportName>,
    /// Whether `@bind_task` binds tasks to colors, as up to SDK 0.9.
    pub binds_colors: bool,
    /// Whether a top-level `comptime` block is being evaluated, in which task bindings and the like are allowed.
    pub in_comptime_block: bool,
    pub tasks: Vec<TaskBind>,
    pub startup: Vec<Startup<Opnd>>,
    pub queues: Vec<QueueInit>,
    /// Colors that `@get_filter_id` names, with the places.
    pub filters: Vec<(Color, Span)>,
    pub fifos: Vec<FifoInit>,
    pub dsr_loads: Vec<(DsrLoad<VecOperand, Opnd>, Span)>,
    pub colors: Vec<(Color, ColorConfig, Span)>,
    pub configs: Vec<(u16, u16)>,
    /// Queues and colors that fabric DSDs name, with the places.
    pub queue_uses: Vec<(QueueDir, QueueId, Option<Color>, Span)>,
    /// Queues of fabric DSDs; none where a DSD does not say which at comptime.
    pub dsd_queues: Vec<(QueueDir, Option<QueueId>)>,
    /// Queues of operations, with the color of the DSD.
    pub queue_ops: Vec<(QueueDir, QueueId, Option<Color>, Span)>,
    /// The colors of fabric DSDs, and whether one has a color that is known at run time only.
    pub input_colors: Vec<Color>,
    pub output_colors: Vec<Color>,
    pub has_unknown_color: bool,
    /// DSRs that the program names, with the places.
    pub dsr_uses: Vec<(DsrFile, u8, Span)>,
    pub export_refs: Vec<(ExportTarget, String, Span)>,
    pub rpc: Option<RpcBind>,
    pub teardown_handlers: Vec<(Color, FuncId, Span)>,
    pub empty_queue_handlers: Vec<(FlushId, FuncId, Span)>,
    pub rotating: Vec<RotatingTasks<FuncId>>,
    /// Control tasks, each with the data task of an input queue that it alternates with.
    pub alternates: Vec<(TaskId, TaskBind)>,
    pub control_table: Option<ControlTable>,
}

/// The target of an `@export_symbol`, before its id is known.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportTarget {
    Global(GlobalRef),
    Fn(FnRef),
}

/// A queue that an operation uses and the program never initialises.
#[derive(Clone, Debug)]
pub(crate) struct BareQueue {
    pub warning: Diagnostic,
    /// `@initialize_queue` without its color.
    call: String,
    /// The color of the operation, if all programs have the same there.
    color: Option<Color>,
}

impl BareQueue {
    /// The same queue in another program.
    pub fn and(mut self, other: &BareQueue) -> BareQueue {
        self.color = self.color.filter(|color| other.color == Some(*color));
        self
    }

    /// The warning with its help, and the statement that the program lacks.
    pub fn told(self) -> (Diagnostic, Option<String>) {
        let statement = |color: &str| format!("{}{color} }})", self.call);
        let known = self.color.map(|color| statement(&format!("@get_color({color})")));
        let help = format!("in a comptime block: `{}`", known.clone().unwrap_or_else(|| statement("..")));
        (self.warning.help(help), known.map(|call| call + ";"))
    }
}

impl Pe {
    pub fn new(exports: Vec<ExportName>, rectangle: Size) -> Pe {
        Pe { exports, rectangle, ..Pe::default() }
    }

    /// Binds the tasks that alternate with data tasks as the first of their input queues' control task tables.
    pub fn bind_alternates(&mut self) {
        let table = self.control_table.unwrap_or_default();
        for (data_task, mut task) in std::mem::take(&mut self.alternates) {
            let own = self.queues.iter().find(|q| q.dir == QueueDir::In && TaskId::from(q.id) == data_task);
            task.id = TaskId::at(own.map_or(0, |q| table.first_entry(q.ctrl_table_id)));
            self.tasks.push(task);
        }
    }

    /// Checks that no two tasks share an entry of the task table.
    pub fn check_tasks(&self) -> Result<(), Diagnostic> {
        let tasks = &self.tasks;
        let separate = self.control_table.is_some();
        for (index, task) in tasks.iter().enumerate() {
            let same = |other: &&TaskBind| {
                let tables_differ = separate && (other.kind == TaskKind::Control) != (task.kind == TaskKind::Control);
                other.id == task.id && other.func != task.func && !tables_differ
            };
            if let Some(rpc) = &self.rpc
                && rpc.task_id == task.id
                && !(separate && task.kind == TaskKind::Control)
            {
                let message = format!("a task is bound to the id {}, which the RPC server has", task.id);
                let diagnostic = Diagnostic::new(Code::TaskConflict, task.span, message);
                return Err(diagnostic.secondary(rpc.span, "the server is made here"));
            }
            if let Some(first) = tasks[..index].iter().find(same) {
                let message = format!("two tasks are bound to the id {}", task.id);
                let diagnostic = Diagnostic::new(Code::TaskConflict, task.span, message);
                let note = "data, local and control tasks share one table";
                return Err(diagnostic.secondary(first.span, "the first is bound here").note(note));
            }
        }
        Ok(())
    }

    /// Checks that no task has the id of the teardown handler beside it (guide, builtins).
    pub fn check_teardown_task(&self, chip: &Chip) -> Result<(), Diagnostic> {
        let Some(&(_, _, handler)) = self.teardown_handlers.first() else { return Ok(()) };
        let (id, separate) = (chip.tasks.teardown, self.control_table.is_some());
        let has_id = |task: &&TaskBind| task.id == id && !(separate && task.kind == TaskKind::Control);
        let Some(span) = self.tasks.iter().find(has_id).map(|task| task.span) else { return Ok(()) };
        let message = format!("a task is bound to the id {id}, which runs teardown handlers");
        let diagnostic = Diagnostic::new(Code::TaskConflict, span, message);
        Err(diagnostic.secondary(handler, "a handler is set here"))
    }

    /// Applies the rules up to SDK 0.9, where tasks are bound to colors: nothing starts blocked, and a color that a
    /// task without wavelets is bound to means that task.
    pub fn follow_old_conventions(&mut self, arch: Arch, chip: &Chip) {
        if !self.binds_colors || arch != Arch::Wse2 {
            return;
        }
        let tasks = &self.tasks;
        for startup in &mut self.startup {
            let target = startup.target_mut();
            if let TaskTarget::Color(Opnd::Imm(number)) = *target
                && names_task(tasks, number)
            {
                *target = TaskTarget::LocalTask(Opnd::Imm(number));
            }
        }
        let all = 0..u64::from(chip.fabric.colors);
        let unblocked = all.map(|color| Startup::Unblock(TaskTarget::Color(Opnd::Imm(color))));
        self.startup.splice(0..0, unblocked);
    }

    /// Warns of ids that memcpy uses itself, though published programs use them nevertheless.
    pub fn warn_reserved(&self, memcpy: &MemcpyTable) -> Vec<Diagnostic> {
        let mut found = self.reserved_queues(memcpy);
        found.extend(self.reserved_dsrs(memcpy));
        found.extend(self.reserved_ids(memcpy));
        let first = (0..found.len()).filter(|&at| found[..at].iter().all(|earlier| earlier.0 != found[at].0));
        let warn = |(what, span): &(String, Span)| {
            Diagnostic::new(Code::ReservedResource, *span, format!("memcpy uses {what} itself"))
        };
        first.map(|at| warn(&found[at])).collect()
    }

    fn reserved_queues(&self, memcpy: &MemcpyTable) -> Vec<(String, Span)> {
        let initialized = self.queues.iter().map(|queue| (queue.dir, queue.id, queue.span));
        let used = self.queue_uses.iter().map(|&(dir, queue, _, span)| (dir, queue, span));
        let named = initialized.chain(used).filter_map(|(dir, queue, span)| {
            let (name, reserved) = match dir {
                QueueDir::In => ("input queue", memcpy.input_queues),
                QueueDir::Out => ("output queue", memcpy.output_queues),
            };
            reserved.contains(&queue.number()).then(|| (format!("{name} {queue}"), span))
        });
        named.collect()
    }

    fn reserved_dsrs(&self, memcpy: &MemcpyTable) -> Vec<(String, Span)> {
        let reserved = [(DsrFile::Dest, memcpy.dest_dsr), (DsrFile::Src1, memcpy.src1_dsr)];
        let uses = self.dsr_uses.iter().filter(|(file, id, _)| reserved.contains(&(*file, *id)));
        let named = uses.map(|(file, id, span)| (format!("{} {id}", file.name()), *span));
        named.collect()
    }

    /// The reserved task ids and colors that the program uses.
    fn reserved_ids(&self, memcpy: &MemcpyTable) -> Vec<(String, Span)> {
        let tasks = self.tasks.iter().filter_map(|task| {
            let (name, reserved) = match task.kind {
                TaskKind::Local => ("local task id", memcpy.local_tasks),
                TaskKind::Control => ("control task id", memcpy.control_tasks),
                TaskKind::Data => return None,
            };
            reserved.contains(&task.id.number()).then(|| (format!("{name} {}", task.id), task.span))
        });
        let colors = self.colors.iter().filter(|(color, _, _)| memcpy.colors.contains(&color.number()));
        tasks.chain(colors.map(|&(color, _, span)| (format!("color {color}"), span))).collect()
    }

    /// The ends of the program's colors. `changes_registers`: it writes configuration registers as it runs.
    pub fn ends(&self, arch: Arch, changes_registers: bool) -> ColorEnds {
        let queues = |dir| self.queues.iter().filter(move |queue| queue.dir == dir);
        let colors = |dir| queues(dir).filter_map(|queue| queue.color);
        let has_own = |task: &&TaskBind| task.kind == TaskKind::Data && arch == Arch::Wse2;
        let server = self.rpc.as_ref().filter(|_| arch == Arch::Wse2).map(|rpc| rpc.task_id);
        let ids = self.tasks.iter().filter(has_own).map(|task| task.id).chain(server);
        let tasks = ids.filter_map(|id| Color::of(id.number()));
        let has_control = self.tasks.iter().any(|task| task.kind == TaskKind::Control);
        let is_unbound = queues(QueueDir::In).any(|queue| queue.color.is_none());
        ColorEnds {
            received: colors(QueueDir::In).chain(self.input_colors.iter().copied()).chain(tasks).collect(),
            sent: colors(QueueDir::Out).chain(self.output_colors.iter().copied()).collect(),
            queues: self.dsd_queues.clone(),
            may_have_others: self.has_unknown_color
                || self.binds_colors
                || is_unbound
                || has_control
                || changes_registers,
        }
    }

    /// The places at which operations use queues, and the queue where the program never initialises it. WSE-3 asks for all
    /// queues; programs for WSE-2 may leave out output queues, and a program that initialises no queue at all is one of an
    /// older release.
    pub fn queue_ops(&self, arch: Arch, sdk: Sdk) -> Vec<(Span, Option<BareQueue>)> {
        let asks = |dir| match (dir, arch) {
            (QueueDir::Out, Arch::Wse2) => false,
            (QueueDir::Out, Arch::Wse3) => true,
            (QueueDir::In, _) => sdk > Sdk::LAST_UNPACKED && (arch == Arch::Wse3 || !self.queues.is_empty()),
        };
        let is_ready = |dir, id| self.queues.iter().any(|queue| (queue.dir, queue.id) == (dir, id));
        let bare = |dir, queue: QueueId, color, span| {
            let name = if dir == QueueDir::In { "input" } else { "output" };
            let message = format!("{name} queue {queue} is used and never initialized");
            let call = format!("@initialize_queue(@get_{name}_queue({queue}), .{{ .color = ");
            BareQueue { warning: Diagnostic::new(Code::UninitializedQueue, span, message), call, color }
        };
        let asked = self.queue_ops.iter().filter(|(dir, ..)| asks(*dir));
        let ops = asked
            .map(|&(dir, queue, color, span)| (span, (!is_ready(dir, queue)).then(|| bare(dir, queue, color, span))));
        ops.collect()
    }

    /// Warns of operations by DSDs of another color than the one that their queue has: WSE-3 goes by the queue.
    pub fn warn_other_colors(&self) -> Vec<Diagnostic> {
        let mut warnings: Vec<Diagnostic> = Vec::new();
        for &(dir, id, color, span) in &self.queue_ops {
            let own = self.queues.iter().find(|queue| (queue.dir, queue.id) == (dir, id));
            let (Some(color), Some((own, Some(of_queue)))) = (color, own.map(|own| (own, own.color))) else { continue };
            // DSDs of several colors on one queue are told of together.
            let ops = self.queue_ops.iter().filter(|op| (op.0, op.1) == (dir, id));
            if color == of_queue || ops.into_iter().any(|op| op.2 != Some(color)) {
                continue;
            }
            let name = if dir == QueueDir::In { "input" } else { "output" };
            let message =
                format!("this DSD has color {color}, and {name} queue {id} is initialized with color {of_queue}");
            let warning = Diagnostic::new(Code::SharedQueue, span, message).secondary(own.span, "initialized here");
            let note = "WSE-3 takes the color of the queue, and never that of the DSD";
            warnings.push(warning.note(note).help("take another queue for the color, and initialize it"));
        }
        warnings
    }

    /// Warns of colors and priorities of output queues on WSE-2, but where a DSD has no color, of which another warning tells.
    pub fn warn_configured_outputs(&self, library: &[FileId]) -> Vec<Diagnostic> {
        let stands_in = |queue: QueueId| {
            self.queue_uses.iter().any(|&(dir, used, color, _)| (dir, used, color) == (QueueDir::Out, queue, None))
        };
        let is_told = |queue: &&QueueInit| {
            let is_configured = queue.dir == QueueDir::Out && (queue.color.is_some() || queue.priority.is_some());
            is_configured && !library.contains(&queue.span.file) && !stands_in(queue.id)
        };
        let warning = |queue: &QueueInit| {
            let message = "on WSE-2 an output queue has neither a color nor a priority of its own";
            let note = "the color is that of the DSD which sends; the guide calls a second argument an error here";
            let help = "write `@initialize_queue(queue)`, and the configuration under `if (@is_arch(\"wse3\"))`";
            Diagnostic::new(Code::ColorOfOutput, queue.span, message).note(note).help(help)
        };
        self.queues.iter().filter(is_told).map(warning).collect()
    }

    /// Warns of DSDs of several colors on one queue: published programs take turns, others mix up their wavelets. Those of
    /// the library alone are in order.
    pub fn warn_shared_queues(&self, library: &[FileId]) -> Vec<Diagnostic> {
        let known =
            |&(dir, queue, color, span): &(QueueDir, QueueId, Option<Color>, Span)| Some((dir, queue, color?, span));
        let uses: Vec<_> = self.queue_uses.iter().filter_map(known).collect();
        let (mut warned, mut warnings) = (Vec::new(), Vec::new());
        for (place, &(dir, queue, color, span)) in uses.iter().enumerate() {
            let before =
                uses[..place].iter().find(|earlier| (earlier.0, earlier.1) == (dir, queue) && earlier.2 != color);
            let Some(&(_, _, other, first)) = before.filter(|_| !warned.contains(&(dir, queue))) else { continue };
            let (span, first) = match (library.contains(&span.file), library.contains(&first.file)) {
                (true, true) => continue,
                (true, false) => (first, span),
                (false, _) => (span, first),
            };
            warned.push((dir, queue));
            let name = if dir == QueueDir::In { "input" } else { "output" };
            let message = format!("DSDs of colors {other} and {color} share {name} queue {queue}");
            let diagnostic =
                Diagnostic::new(Code::SharedQueue, span, message).secondary(first, "the other is made here");
            warnings.push(diagnostic.note("only one operation at a time may use a queue"));
        }
        warnings
    }
}
