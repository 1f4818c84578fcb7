//! Where a checked PE looks at its vector operations.

use csl_image::PeImage;
use csl_isa::vec::VecDesc;
use csl_machine::{Arch, Color, TaskKind};

use super::main_thread::Main;
use super::state::{Sched, Visit};
use super::tasks::find;
use crate::check::{Moment, Tag};
use crate::complaint::{Complaint, Wrong};
use crate::datapath::{Cursor, Datapath, Operation, Setup, Step, Turn};
use crate::fault::FaultKind;
use crate::ports::Ports;
use crate::scalar::Cpu;

/// The instruction that the main thread carries out in a cycle.
fn moment(cpu: &Cpu, cycle: u64) -> Moment {
    Moment { pc: Some(cpu.at()), cycle }
}

impl Sched {
    /// Looks at the operands of an operation that is about to start; the objects that they are meant for.
    #[cold]
    pub fn look_at_start(&mut self, desc: &VecDesc, run: &Operation, visit: &mut Visit) -> [Tag; 4] {
        let Visit { cpu, data, program, ports, .. } = visit;
        let Some(shadow) = self.shadow.as_deref_mut() else { return [Tag::NONE; 4] };
        let tags = shadow.tags(desc, run, &data.memory);
        let at = moment(cpu, cpu.local_time);
        if let Ok(lengths) = (Setup { data, program, ports, reg: &|number| cpu.reg(number) }).lengths(desc, run.op) {
            shadow.look_at_lengths(at, run, lengths);
        }
        if !run.config.is_async {
            shadow.begin_main(tags);
        }
        shadow.look_at_overlap(at, run, tags[0]);
        if let Cursor::Out(out) = run.dest.cursor
            && data.chip.arch == Arch::Wse3
            && ports.outputs[out.slot].color.is_none()
            && ports.outputs[out.slot].queue != crate::queues::UNQUEUED
        {
            shadow.complain(at, Wrong::NoQueue { queue: ports.outputs[out.slot].queue });
        }
        self.look_at_inputs(at, run, program, ports);
        self.stop_at_complaint(cpu);
        tags
    }

    /// Looks whether a data task may take the words that an operation is about to receive. One that receives itself takes what
    /// follows its word.
    fn look_at_inputs(&mut self, at: Moment, run: &Operation, program: &PeImage, ports: &Ports) {
        let Some(shadow) = self.shadow.as_deref_mut().filter(|shadow| !shadow.is_of_library(at)) else { return };
        for src in &run.srcs {
            let Cursor::In(input) = src.cursor else { continue };
            if let Some(task) = self.tasks.channel(&ports.inputs[input.slot])
                && find(program, TaskKind::Data, task).is_some()
                && !self.tasks.is_channel_blocked(task)
                && shadow.data_task != Some(task)
            {
                shadow.complain(at, Wrong::SharedInput { task });
            }
        }
    }

    /// Looks at the elements that the main thread's operation has moved in cycle `now`.
    #[cold]
    pub fn look_at_main(&mut self, before: &Operation, step: &Result<Step, FaultKind>, now: u64, cpu: &Cpu) {
        self.look_at_elements(before, step, now, cpu);
        self.stop_at_complaint(cpu);
    }

    fn look_at_elements(&mut self, before: &Operation, step: &Result<Step, FaultKind>, now: u64, cpu: &Cpu) {
        let Some(shadow) = self.shadow.as_deref_mut() else { return };
        let Main::Vec { run, .. } = &self.main else { return };
        let is_done = matches!(step, Ok(Step::Done(_)));
        shadow.moved(moment(cpu, now), 0, before, run.left, is_done);
        if !shadow.drops_result(cpu.at()) {
            return;
        }
        let fifos = run.operands().enumerate().filter_map(|(at, operand)| match operand.cursor {
            Cursor::Fifo(id) => Some((id, at == 0)),
            _ => None,
        });
        // An operation whose result the program asks for says itself where it has ended.
        if let Some(left) = run.left.finite().filter(|&left| is_done && left > 0)
            && let Some((fifo, is_full)) = fifos.last()
        {
            shadow.complain(moment(cpu, now), Wrong::FifoEnd { fifo, is_full, left });
        }
    }

    /// Looks at an activation by scalar code.
    pub fn look_at_activation(&mut self, id: u16, cpu: &Cpu) {
        if let Some(shadow) = &mut self.shadow {
            shadow.activate(moment(cpu, cpu.local_time), self.tasks.active(), id, false);
            self.stop_at_complaint(cpu);
        }
    }

    /// Looks at an activation by the operation of instruction `pc`, which has ended.
    #[cold]
    pub fn look_at_completion(&mut self, id: u16, cycle: u64, pc: u32) {
        if let Some(shadow) = &mut self.shadow {
            shadow.activate(Moment { pc: Some(pc), cycle }, self.tasks.active(), id, true);
        }
    }

    /// Looks at the end of a launched function.
    pub fn look_at_unblock(&mut self, visit: &Visit) {
        let Visit { cpu, ports, .. } = visit;
        if let Some(shadow) = &mut self.shadow {
            let at = Moment { pc: Some(shadow.outside_library(&cpu.call_stack())), cycle: cpu.local_time };
            shadow.unblock(at);
            if ports.cmd_stream_unblocked || ports.launch_is_open == Some(false) {
                shadow.complain(at, Wrong::UnblockedAgain);
            }
            self.stop_at_complaint(cpu);
        }
    }

    /// Stops a PE that is to stop at its first complaint.
    pub fn stop_at_complaint(&mut self, cpu: &Cpu) {
        let first = self.shadow.as_ref().filter(|shadow| shadow.stops).and_then(|shadow| shadow.complaints.first());
        if let Some(&Complaint { what, pc, cycle, .. }) = first
            && self.fault.is_none()
        {
            self.raise_fault(FaultKind::Checked(what), cycle.max(cpu.local_time), cpu);
            if let Some(fault) = &mut self.fault {
                fault.pc = pc;
            }
        }
    }

    /// The next element of an iterator of `@map`, looked at.
    pub fn iter_next(&mut self, iter: u16, visit: &mut Visit) -> Result<Turn, FaultKind> {
        match self.shadow {
            None => visit.data.iter_next(iter, visit.ports),
            Some(_) => self.look_at_turn(iter, visit, false, |visit| visit.data.iter_next(iter, visit.ports)),
        }
    }

    /// Puts a register into an iterator of `@map`, looked at.
    pub fn iter_put(&mut self, iter: u16, src: u16, visit: &mut Visit) -> Result<Turn, FaultKind> {
        let put = |visit: &mut Visit| visit.data.iter_put(iter, visit.cpu.reg(src), visit.cpu.local_time, visit.ports);
        match self.shadow {
            None => put(visit),
            Some(_) => self.look_at_turn(iter, visit, true, put),
        }
    }

    #[cold]
    fn look_at_turn(
        &mut self,
        iter: u16,
        visit: &mut Visit,
        is_store: bool,
        turn: impl FnOnce(&mut Visit) -> Result<Turn, FaultKind>,
    ) -> Result<Turn, FaultKind> {
        let before = visit.data.iter(iter).map(|iter| iter.operand.clone());
        let turn = turn(visit)?;
        if let (Some(shadow), Some(operand), Turn::Moved(_)) = (self.shadow.as_deref_mut(), before, &turn) {
            shadow.map_element(moment(visit.cpu, visit.cpu.local_time), operand, is_store);
            self.stop_at_complaint(visit.cpu);
        }
        Ok(turn)
    }

    /// Uses the slot of cycle `now` for a microthread, and looks at the elements that it moves.
    #[cold]
    pub fn checked_issue(
        &mut self,
        at: usize,
        now: u64,
        data: &mut Datapath,
        ports: &mut Ports,
        cpu: &Cpu,
    ) -> Result<Step, FaultKind> {
        let ut = &mut self.uts[at];
        let before = ut.run.clone();
        let control = ut.run.stray_control(ports);
        let step = ut.run.issue(data, ports, now);
        let moment = Moment { pc: Some(ut.pc), cycle: now };
        if let Some(shadow) = self.shadow.as_deref_mut() {
            let is_done = matches!(step, Ok(Step::Done(_)));
            shadow.moved(moment, ut.mark, &before, ut.run.left, is_done);
            if is_done || step.is_err() {
                shadow.end(ut.mark);
            }
        }
        self.look_at_control(control, &step, moment);
        self.stop_at_complaint(cpu);
        step
    }

    /// Looks at a control wavelet that stood at the head of an input before an issue. Protocols of the library take some as
    /// elements on purpose.
    pub fn look_at_control(&mut self, head: Option<(Color, u32)>, step: &Result<Step, FaultKind>, at: Moment) {
        let is_taken = matches!(step, Ok(Step::Moved | Step::Done(_)));
        if let Some((color, payload)) = head.filter(|_| is_taken)
            && let Some(shadow) = self.shadow.as_deref_mut()
            && !shadow.is_of_library(at)
        {
            shadow.complain(at, Wrong::ControlTaken { color, payload });
        }
    }
}
