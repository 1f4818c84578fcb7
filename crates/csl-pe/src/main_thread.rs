//! The main thread: task picks, scalar code up to its sync points, synchronous vector operations.

use csl_isa::NO_REG;
use csl_isa::dsd::{Dsd, DsdClass};
use csl_isa::vec::{RegOrImm, VecArg, VecDesc};
use csl_machine::{Action, DsrLoad, FLUSH_INPUT, TaskKind};
use csl_num::LowBits;

use crate::fault::FaultKind;
use crate::microthread::Microthread;
use crate::pe::{Pe, io};
use crate::ports::{Ports, Registers, Wake};
use crate::scalar::Exit;
use crate::tasks::{self, Pick};
use crate::trace::{Glimpse, MAIN_THREAD, TRACED_SLICE};
use crate::vec::config::Config;
use crate::vec::cursor::Mem4Desc;
use crate::vec::dsr::Loaded;
use crate::vec::run::{Step, VecRun};
use crate::vec::setup::{Setup, Started};

/// Cycles that the main thread runs ahead at most before the simulator gets control again.
const SLICE: u64 = 1 << 16;

/// What the main thread is doing. `Pe::cpu.tau` is when it goes on.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one a PE, and no allocation for each operation")]
pub(crate) enum Main {
    /// No task runs.
    Idle,
    /// Scalar code.
    Scalar,
    /// An exit of the interpreter that has to wait: for the fabric's clock, or for a wavelet or room.
    Pending(Exit),
    /// A synchronous operation; its bool goes to register `dst`.
    Vec { run: VecRun, dst: u16 },
}

/// Whether the main thread goes on in this visit.
#[derive(PartialEq, Eq)]
pub(crate) enum Flow {
    On,
    /// It waits for what [`Pe::wake`] finds.
    Wait,
}

impl Pe {
    /// The main thread's work up to `now`, or ahead of it while nothing else could see that.
    pub(crate) fn run_main(&mut self, now: u64, limit: u64, ports: &mut Ports, registers: &mut dyn Registers) {
        let slice = if self.tracer.is_some() { TRACED_SLICE } else { SLICE };
        let slice_end = now.saturating_add(slice).min(limit);
        while self.fault.is_none() {
            let ahead = if self.is_armed(now) { now + 1 } else { slice_end.max(now + 1) };
            let flow = match self.main {
                Main::Idle => self.pick(now, ports),
                Main::Scalar if self.cpu.tau >= ahead => Flow::Wait,
                Main::Scalar => {
                    self.main = Main::Pending(self.run_scalar(ahead));
                    Flow::On
                }
                Main::Pending(exit) => self.leave_interpreter(exit, now, ports, registers),
                Main::Vec { .. } => self.run_vector(ahead, now, ports),
            };
            if flow == Flow::Wait {
                return;
            }
        }
    }

    // ---- tasks ----

    fn pick(&mut self, now: u64, ports: &mut Ports) -> Flow {
        if self.cpu.tau > now {
            return Flow::Wait;
        }
        let Some(pick) = self.tasks.pick(ports, self.busy_inputs(), !self.calls.is_empty()) else { return Flow::Wait };
        self.cpu.tau = now;
        self.tasks.started(pick);
        self.trace_task(pick);
        match self.start_task(pick, ports) {
            Ok(()) => {}
            Err(kind) => self.stop(kind, now),
        }
        Flow::On
    }

    fn start_task(&mut self, pick: Pick, ports: &mut Ports) -> Result<(), FaultKind> {
        match pick {
            Pick::Local(id) if id == self.chip.tasks.teardown && self.start_handler() => Ok(()),
            Pick::Local(id) => self.start_bound(TaskKind::Local, id, 0),
            Pick::Data { slot, channel, wavelet } => {
                if let Some(func) = self.rotate(channel) {
                    self.enter(func, &[]);
                    return Ok(());
                }
                ports.take(usize::from(slot));
                if self.is_rpc_channel(channel) {
                    return self.serve_rpc(wavelet.data);
                }
                self.start_bound(TaskKind::Data, channel, wavelet.data)
            }
            Pick::Control { slot, entry, wavelet } => {
                ports.take(usize::from(slot));
                self.start_bound(TaskKind::Control, entry, wavelet.data)
            }
            Pick::Ignored { slot } => {
                ports.take(usize::from(slot));
                Ok(())
            }
            Pick::Call => {
                let call = self.calls.remove(0);
                self.calls_started += 1;
                self.in_call = true;
                self.enter(call.func, &call.args);
                Ok(())
            }
        }
    }

    fn start_bound(&mut self, kind: TaskKind, id: u8, data: u32) -> Result<(), FaultKind> {
        let program = self.program.clone();
        let task = match kind {
            TaskKind::Data => tasks::find(&program, kind, id),
            _ => tasks::find_in_table(&program, kind, id),
        };
        let task = task.ok_or(FaultKind::UnboundTask { control: kind == TaskKind::Control, id })?;
        let (args, count) = tasks::arguments(task, data);
        self.enter(task.func, &args[..count]);
        Ok(())
    }

    pub(crate) fn enter(&mut self, func: u16, args: &[u64]) {
        self.cpu.start(&self.program, func, args);
        self.main = Main::Scalar;
    }

    /// `@bind_rotating_tasks`: the alternate task's function where it is its turn. The wavelet stays for the data task.
    fn rotate(&mut self, channel: u8) -> Option<u16> {
        let at = self.program.rotating.iter().position(|pair| pair.data_task == channel)?;
        let pair = &self.program.rotating[at];
        let turn = self.rotations[at] == pair.limit;
        self.rotations[at] = if turn { 0 } else { self.rotations[at] + 1 };
        turn.then_some(pair.alt)
    }

    /// The teardown task: the handler of a color that was torn down, or of a queue that has drained.
    fn start_handler(&mut self) -> bool {
        let program = self.program.clone();
        let torn = program.teardown_handlers.iter().find(|(color, _)| self.teardown >> (color & 31) & 1 == 1);
        if let Some(&(color, func)) = torn {
            self.teardown &= !(1 << (color & 31));
            self.enter(func, &[]);
            self.reactivate_teardown();
            return true;
        }
        let drained = program.empty_queue_handlers.iter().find(|(queue, _)| self.drained >> (queue & 15) & 1 == 1);
        if let Some(&(queue, func)) = drained {
            self.drained &= !(1 << (queue & 15));
            self.enter(func, &[]);
            self.reactivate_teardown();
            return true;
        }
        false
    }

    fn reactivate_teardown(&mut self) {
        let handled = self.program.teardown_handlers.iter().any(|(color, _)| self.teardown >> (color & 31) & 1 == 1);
        let drained = self.program.empty_queue_handlers.iter().any(|(queue, _)| self.drained >> (queue & 15) & 1 == 1);
        if handled || drained {
            self.tasks.activate_mask(1 << self.chip.tasks.teardown);
        }
    }

    /// Whether a queue, as `SysOp::QueueFlush` counts them, is to be flushed and empty.
    fn has_drained(&self, queue: u8, ports: &Ports) -> bool {
        let is_empty = |queue: u8| match queue.checked_sub(FLUSH_INPUT) {
            Some(input) => ports.input_slot(input).is_none_or(|slot| ports.inputs[slot].is_empty()),
            None => ports.output_slot(queue).is_none_or(|slot| ports.outputs[slot].is_empty()),
        };
        self.flushing >> queue & 1 == 1 && is_empty(queue)
    }

    /// `@queue_flush`: the teardown task becomes ready once the queue is empty.
    #[inline]
    pub(crate) fn watch_flushes(&mut self, ports: &Ports) {
        if self.flushing != 0 {
            self.look_for_drained(ports);
        }
    }

    #[cold]
    fn look_for_drained(&mut self, ports: &Ports) {
        let drained = (0..16).filter(|&queue| self.has_drained(queue, ports)).fold(0, |mask, queue| mask | 1 << queue);
        if drained != 0 {
            self.flushing &= !drained;
            self.flushed |= drained;
            self.drained |= drained;
            self.tasks.activate_mask(1 << self.chip.tasks.teardown);
        }
    }

    // ---- exits of the interpreter ----

    fn leave_interpreter(&mut self, exit: Exit, now: u64, ports: &mut Ports, registers: &mut dyn Registers) -> Flow {
        if self.cpu.tau > now && self.is_sync_point(exit) {
            return Flow::Wait;
        }
        self.main = Main::Scalar;
        let done = match exit {
            Exit::Returned => {
                self.main = Main::Idle;
                let is_call = std::mem::take(&mut self.in_call);
                let behind = if is_call { self.chip.memcpy.behind_a_call } else { 0 };
                self.cpu.tau += u64::from(self.chip.timing.task_switch + behind);
                Ok(Flow::On)
            }
            Exit::SliceEnd => Ok(Flow::On),
            Exit::Vec { .. } | Exit::IterLoad { .. } if let Some(hold) = self.held_at(exit, ports) => {
                self.note_hold(hold);
                Ok(self.wait_for(exit))
            }
            Exit::Vec { row, dst } => self.start_vector(row, dst, now, ports),
            Exit::LoadDsr { row } => self.load_dsr_row(row),
            Exit::Sys { op, args, dst } => self.serve(op, args, dst, ports, registers),
            Exit::IterLoad { iter, row } => self.iter_load(iter, row, ports),
            Exit::IterMore { iter, ok } => Ok(self.iter_more(iter, ok)),
            Exit::IterNext { iter, dst, ok } => self.iter_next(exit, iter, dst, ok, ports),
            Exit::IterPut { iter, src, ok } => self.iter_put(exit, iter, src, ok, ports),
            Exit::Load(load) => self.load_register(load, ports, registers),
            Exit::Store { addr, bytes, value } => self.store_register(addr, bytes, value, ports, registers),
            Exit::FpException { raised } => Err(FaultKind::FpException { raised }),
            Exit::Fault(fault) => Err(FaultKind::Scalar(fault)),
        };
        done.unwrap_or_else(|kind| {
            self.stop(kind, self.cpu.tau);
            Flow::Wait
        })
    }

    /// Whether the main thread must stand at the fabric's clock for this.
    fn is_sync_point(&self, exit: Exit) -> bool {
        match exit {
            Exit::Returned | Exit::Load(_) | Exit::Store { .. } => true,
            Exit::Sys { op, .. } => op.is_sync_point(),
            Exit::Vec { row, .. } => self.program.vecs.get(usize::from(row)).is_some_and(|row| self.on_fabric(row)),
            Exit::IterLoad { row, .. } => {
                self.program.iters.get(usize::from(row)).is_some_and(|iter| self.arg_on_fabric(iter.dsd))
            }
            Exit::IterNext { iter, .. } | Exit::IterPut { iter, .. } => self.is_iter_on_fabric(iter),
            Exit::SliceEnd
            | Exit::LoadDsr { .. }
            | Exit::IterMore { .. }
            | Exit::FpException { .. }
            | Exit::Fault(_) => false,
        }
    }

    fn on_fabric(&self, row: &VecDesc) -> bool {
        row.srcs.iter().chain([&row.dest]).any(|&arg| self.arg_on_fabric(arg))
    }

    // ---- vector operations ----

    pub(crate) fn setup<R>(&mut self, ports: &mut Ports, f: impl FnOnce(&mut Setup) -> R) -> R {
        let cpu = &self.cpu;
        f(&mut Setup {
            chip: self.chip,
            program: &self.program,
            packed: self.packed,
            message_header: self.message_header,
            memory: &self.memory,
            ports,
            fifos: &self.fifos,
            dsrs: &self.dsrs,
            reg: &|reg| cpu.reg(reg),
        })
    }

    fn start_vector(&mut self, row: u16, dst: u16, now: u64, ports: &mut Ports) -> Result<Flow, FaultKind> {
        let program = self.program.clone();
        let desc = program.vecs.get(usize::from(row)).ok_or(FaultKind::BadCode("no such vector operation"))?;
        let Started { run, loads, extra } = self.setup(ports, |setup| setup.start(desc))?;
        let timing = &self.chip.timing;
        // The DSRs of an operation that had to wait were loaded meanwhile.
        let loaded = (self.cpu.tau + u64::from(loads * timing.dsr_load)).max(now);
        let settled = if loads > 0 { loaded + u64::from(timing.before_operation) } else { loaded };
        let free = if run.reads(self.last_dest) { self.dependent_ready } else { self.next_ready };
        let start = (settled.max(self.dsr_ready) + u64::from(extra)).max(free);
        if run.config.is_async {
            self.cpu.tau = loaded + u64::from(timing.async_issue);
            let id = self.microthread_of(desc);
            self.trace_vector(Some(id), start);
            self.write_result(dst, true);
            if run.is_empty() {
                self.ut_done(&run, run.config.completion, start);
            } else {
                self.uts.push(Microthread { id, run, start, pc: self.cpu.at() });
            }
        } else if run.is_empty() {
            self.cpu.tau = start;
            self.trace_vector(None, start);
            self.finish_vector(&run, dst, run.config.completion);
        } else {
            self.cpu.tau = start;
            self.trace_vector(None, start);
            self.last_dest = run.dest.cursor.addr();
            self.main = Main::Vec { run, dst };
        }
        Ok(Flow::On)
    }

    pub(crate) fn write_result(&mut self, dst: u16, value: bool) {
        if dst != NO_REG {
            self.cpu.set_reg(dst, u64::from(value));
        }
    }

    /// An operation without fabric operands runs through at once where nobody else can see it; everything else takes
    /// part in the arbitration.
    fn run_vector(&mut self, ahead: u64, now: u64, ports: &mut Ports) -> Flow {
        let Main::Vec { run, .. } = &self.main else { return Flow::On };
        if run.is_fabric || self.is_armed(now) || self.cpu.tau >= ahead {
            return Flow::Wait;
        }
        if !run.is_local() {
            return self.run_fifo_issue(ports);
        }
        if run.left == u32::MAX {
            self.stop(FaultKind::EndlessOperation, self.cpu.tau);
            return Flow::Wait;
        }
        let until_limit = (ahead - self.cpu.tau).div_ceil(u64::from(run.rate.period));
        self.run_local_issues(until_limit);
        Flow::On
    }

    fn run_fifo_issue(&mut self, ports: &mut Ports) -> Flow {
        let Main::Vec { run, .. } = &self.main else { return Flow::On };
        if !run.can_issue(ports, &self.fifos) {
            return Flow::Wait;
        }
        self.issue_main(self.cpu.tau, ports);
        Flow::On
    }

    /// Issues of a local operation, back to back from `tau` on.
    fn run_local_issues(&mut self, most: u64) {
        if self.tracer.is_some() {
            self.trace_local(most);
        }
        let Main::Vec { run, .. } = &mut self.main else { return };
        let issues = run.issues_left().min(most);
        let start = self.cpu.tau;
        self.cpu.tau += issues * u64::from(run.rate.period);
        let step = match self.unmasked {
            0 => Ok(run.run_local(self.chip, &mut self.memory, self.half, issues)),
            unmasked => run.run_watched(self.chip, &mut self.memory, self.half, issues, unmasked),
        };
        match step {
            Ok(Step::Done(effect)) => {
                if let Main::Vec { run, dst } = std::mem::replace(&mut self.main, Main::Scalar) {
                    self.finish_vector(&run, dst, effect);
                }
            }
            Ok(_) => {}
            Err(kind) => self.stop(kind, start),
        }
    }

    fn finish_vector(&mut self, run: &VecRun, dst: u16, effect: Action) {
        self.save_dsrs(run);
        self.write_result(dst, run.result);
        let timing = &self.chip.timing;
        let last_issue = self.cpu.tau.saturating_sub(u64::from(run.rate.period));
        self.next_ready = last_issue + u64::from(timing.between_operations);
        self.dependent_ready = last_issue + u64::from(timing.between_dependent_operations);
        self.apply(effect, self.cpu.tau);
    }

    /// While a microthread was stalled, the main thread's local operation went on: the issues before `now`.
    /// Also for the host before it looks at memory at a stop cycle.
    #[inline]
    pub fn settle(&mut self, now: u64) {
        if let Main::Vec { run, .. } = &self.main
            && run.is_local()
            && self.cpu.tau < now
        {
            let most = (now - self.cpu.tau).div_ceil(u64::from(run.rate.period));
            self.run_local_issues(most);
        }
    }

    /// The slot of cycle `now` is the main thread's.
    pub(crate) fn issue_main(&mut self, now: u64, ports: &mut Ports) {
        let Main::Vec { run, .. } = &mut self.main else { return };
        self.cpu.tau = now + u64::from(run.rate.period);
        let before = self.tracer.is_some().then(|| Glimpse::of(run, &self.memory, Some(ports), self.half));
        let mut activated = 0;
        let step = run.issue(&mut io!(self, ports, now, activated));
        let left = run.left;
        self.tasks.activate_mask(activated);
        if let Some(before) = before {
            self.trace_issue(MAIN_THREAD, &before, left, &step, now);
        }
        match step {
            Ok(Step::Moved | Step::Stalled(_)) => {}
            Ok(Step::Done(effect)) => {
                if let Main::Vec { run, dst } = std::mem::replace(&mut self.main, Main::Scalar) {
                    self.finish_vector(&run, dst, effect);
                }
            }
            Err(kind) => self.stop(kind, now),
        }
    }

    // ---- DSRs ----

    fn load_dsr_row(&mut self, row: u16) -> Result<Flow, FaultKind> {
        let program = self.program.clone();
        let load = program.dsr_loads.get(usize::from(row)).ok_or(FaultKind::BadCode("no such DSR load"))?;
        self.load_dsr(load)?;
        let timing = &self.chip.timing;
        self.cpu.tau += u64::from(timing.dsr_load);
        self.dsr_ready = self.cpu.tau + u64::from(timing.before_operation);
        Ok(Flow::On)
    }

    pub(crate) fn load_dsr(&mut self, load: &DsrLoad<VecArg, RegOrImm>) -> Result<(), FaultKind> {
        let cpu = &self.cpu;
        let packed = |dsd: Dsd| match dsd.class() {
            DsdClass::Circbuf => Loaded::Circ { dsd, at: dsd.addr() },
            _ => Loaded::Packed(dsd),
        };
        let value = match load.dsd {
            VecArg::Dsd(reg) => packed(Dsd(cpu.reg(reg))),
            VecArg::DsdConst(word) => packed(Dsd(word)),
            VecArg::Mem4d(reg) => Loaded::Mem4(Mem4Desc::read(&self.memory, cpu.reg(reg).low16())),
            VecArg::Mem4dAt(addr) => Loaded::Mem4(Mem4Desc::read(&self.memory, addr)),
            VecArg::Mem4dConst(row) => Loaded::Mem4(Mem4Desc::of_words(&self.program.descriptors[usize::from(row)])),
            VecArg::Fifo(id) => Loaded::Fifo(id),
            _ => return Err(FaultKind::BadOperand("only a DSD can be loaded into a DSR")),
        };
        let config = Config::resolve(&load.config, &|reg| cpu.reg(reg));
        self.dsrs.load(load.file, load.id, value, config);
        Ok(())
    }

    // ---- sleep ----

    /// What the PE sleeps for after cycle `now`.
    pub(crate) fn sleep(&self, now: u64, ports: &Ports, wake: &mut Wake) {
        *wake = Wake { at: u64::MAX, landings: 0, credits: 0 };
        self.wake_of_uts(now, ports, wake);
        for queue in (0..8).filter(|queue| self.flushing != 0 && self.flushing >> queue & 1 == 1) {
            wake.credits |= ports.output_slot(queue).map_or(0, |slot| 1 << slot);
        }
        match &self.main {
            Main::Idle => {
                wake.landings = !0;
                if self.tasks.pick(ports, self.busy_inputs(), !self.calls.is_empty()).is_some() {
                    wake.at = wake.at.min(self.cpu.tau.max(now + 1));
                }
            }
            Main::Scalar => wake.at = wake.at.min(self.cpu.tau.max(now + 1)),
            Main::Pending(_) if self.cpu.tau > now => wake.at = wake.at.min(self.cpu.tau),
            Main::Pending(exit) => self.wake_of_pending(*exit, now, ports, wake),
            Main::Vec { run, .. } if run.is_local() => {
                let traced = self.tracer.is_some();
                let issues = if traced { 1 } else { run.issues_left() };
                let end = self.cpu.tau + issues * u64::from(run.rate.period);
                wake.at = wake.at.min(end.max(now + 1));
            }
            Main::Vec { run, .. } if run.can_issue(ports, &self.fifos) => {
                wake.at = wake.at.min(self.cpu.tau.max(now + 1));
            }
            Main::Vec { run, .. } => {
                wake.landings |= run.needs.inputs;
                wake.credits |= run.needs.outputs;
            }
        }
    }
}
