//! The vector operations of the main thread, from their start to their end.

use csl_isa::NO_REG;
use csl_machine::Delay;

use super::main_thread::{Flow, Main};
use super::microthread::Microthread;
use super::state::{Sched, Visit};
use super::tracer::IssuePreview;
use crate::check::{Moment, Tag};
use crate::datapath::{Cursor, Datapath, Effect, Length, Operation, Setup, Started, Step};
use crate::event::Thread;
use crate::fault::FaultKind;
use crate::ports::Ports;
use crate::scalar::Cpu;

impl Sched {
    /// Starts row `row` of the program's `vecs`; its bool goes to register `dst`.
    pub fn start_vector(&mut self, row: u16, dst: u16, visit: &mut Visit) -> Result<Flow, FaultKind> {
        let Visit { cpu, data, program, ports, .. } = visit;
        let desc = program.vecs.get(usize::from(row)).ok_or(FaultKind::BadCode("no such vector operation"))?;
        let reg = |number| cpu.reg(number);
        let Started { run, loads, extra } = Setup { data, program, ports, reg: &reg }.start(desc)?;
        if let Cursor::Out(out) = run.dest.cursor {
            ports.outputs[out.slot].set_sender(cpu.at());
        }
        let tags = match self.shadow {
            None => [Tag::NONE; 4],
            Some(_) => self.look_at_start(desc, &run, visit),
        };
        let Visit { now, cpu, data, .. } = visit;
        let reg = |number| cpu.reg(number);
        let timing = &data.chip.timing;
        // The DSRs of an operation that had to wait were loaded meanwhile.
        let loaded = (cpu.local_time + u64::from(loads * timing.dsr_load)).max(*now);
        let settled = if loads > 0 { loaded + u64::from(timing.before_operation) } else { loaded };
        let start = self.pace.start(&run, settled, extra);
        if run.config.is_async {
            let id = data.microthread_of(desc, &reg);
            cpu.local_time = loaded + u64::from(timing.async_issue);
            self.trace_vector(Thread::Microthread(id), start, cpu);
            write_result(cpu, dst, true);
            if run.is_empty() {
                self.end_ut(&run, run.config.completion, (start, cpu.at()), data);
            } else {
                let class = self.class_of(id, run.needs.priority);
                let start = start + self.draw_delay(Delay::Microthread);
                let mark = self.shadow.as_mut().map_or(0, |shadow| shadow.begin(&run, cpu.at(), tags));
                self.uts.push(Microthread { id, class, run, start, pc: cpu.at(), mark });
            }
            return Ok(Flow::On);
        }
        cpu.local_time = start;
        self.trace_vector(Thread::Main, start, cpu);
        if run.is_empty() {
            self.finish_vector(&run, dst, run.config.completion, cpu, data);
        } else {
            self.pace.last_dest = run.dest.cursor.addr();
            self.main = Main::Vec { run, dst };
        }
        Ok(Flow::On)
    }

    /// Runs the main thread's operation. One without fabric operands runs through at once where no other thread can see
    /// it; all others take part in the arbitration. Nothing is issued in cycle `ahead` or later.
    pub fn run_vector(&mut self, ahead: u64, visit: &mut Visit) -> Flow {
        let Visit { cpu, data, ports, .. } = visit;
        let Main::Vec { run, .. } = &self.main else { return Flow::On };
        if run.is_fabric || self.has_pending() || cpu.local_time >= ahead {
            return Flow::Wait;
        }
        if !run.is_local() {
            if !run.can_issue(ports, &data.fifos) {
                return Flow::Wait;
            }
            self.issue_main(cpu.local_time, cpu, data, ports);
            return Flow::On;
        }
        if run.left.is_endless() {
            self.raise_fault(FaultKind::EndlessOperation, cpu.local_time, cpu);
            return Flow::Wait;
        }
        let until_limit = (ahead - cpu.local_time).div_ceil(u64::from(run.rate.period));
        self.run_local_issues(until_limit, cpu, data);
        Flow::On
    }

    /// Issues of a local operation, back to back from `local_time` on.
    fn run_local_issues(&mut self, most: u64, cpu: &mut Cpu, data: &mut Datapath) {
        if self.tracer.is_some() {
            self.trace_local(most, cpu, data);
        }
        let Main::Vec { run, .. } = &mut self.main else { return };
        let issues = run.issues_left().min(most);
        let start = cpu.local_time;
        cpu.local_time += issues * u64::from(run.rate.period);
        let before = self.shadow.is_some().then(|| Box::new(run.clone()));
        let step = match data.unmasked {
            0 => Ok(run.run_local(data.chip, &mut data.memory, data.half, issues)),
            unmasked => run.run_watched(data.chip, &mut data.memory, data.half, issues, unmasked),
        };
        if let Some(before) = before {
            self.look_at_main(&before, &step, start, cpu);
        }
        self.after_step(step, start, cpu, data);
    }

    pub fn after_step(&mut self, step: Result<Step, FaultKind>, cycle: u64, cpu: &mut Cpu, data: &mut Datapath) {
        match step {
            Ok(Step::Moved | Step::Stalled(_)) => {}
            Ok(Step::Done(effect)) => {
                if let Main::Vec { run, dst } = std::mem::replace(&mut self.main, Main::Scalar) {
                    self.finish_vector(&run, dst, effect, cpu, data);
                }
            }
            Err(kind) => self.raise_fault(kind, cycle, cpu),
        }
    }

    fn finish_vector(&mut self, run: &Operation, dst: u16, effect: Effect, cpu: &mut Cpu, data: &mut Datapath) {
        data.take_over(run);
        write_result(cpu, dst, run.result);
        let timing = &data.chip.timing;
        let last_issue = cpu.local_time.saturating_sub(u64::from(run.rate.period));
        self.pace.next_ready = last_issue + u64::from(timing.between_operations);
        self.pace.dependent_ready = last_issue + u64::from(timing.between_dependent_operations);
        self.apply(effect, cpu.local_time, cpu.at());
    }

    /// Catches up the main thread's local operation, which went on while a microthread was stalled: does the issues
    /// before `now`.
    #[inline]
    pub fn synchronize(&mut self, now: u64, cpu: &mut Cpu, data: &mut Datapath) {
        if let Main::Vec { run, .. } = &self.main
            && run.is_local()
            && cpu.local_time < now
        {
            let most = (now - cpu.local_time).div_ceil(u64::from(run.rate.period));
            self.run_local_issues(most, cpu, data);
        }
    }

    /// Uses the slot of cycle `now` for the main thread.
    pub fn issue_main(&mut self, now: u64, cpu: &mut Cpu, data: &mut Datapath, ports: &mut Ports) {
        let Main::Vec { run, .. } = &mut self.main else { return };
        cpu.local_time = now + u64::from(run.rate.period);
        let before = self.tracer.is_some().then(|| IssuePreview::of(run, &data.memory, Some(ports), data.half));
        let step = match self.shadow {
            None => run.issue(data, ports, now),
            Some(_) => {
                let checked = run.clone();
                let control = run.stray_control(ports);
                let step = run.issue(data, ports, now);
                self.look_at_control(control, &step, Moment { pc: Some(cpu.at()), cycle: now });
                self.look_at_main(&checked, &step, now, cpu);
                step
            }
        };
        self.tasks.activate_mask(data.take_activated());
        if let Some(before) = before {
            let left = if let Main::Vec { run, .. } = &self.main { run.left } else { Length::ZERO };
            self.trace_issue(Thread::Main, &before, left, &step, now, data);
        }
        self.after_step(step, now, cpu, data);
    }
}

fn write_result(cpu: &mut Cpu, dst: u16, value: bool) {
    if dst != NO_REG {
        cpu.set_reg(dst, u64::from(value));
    }
}
