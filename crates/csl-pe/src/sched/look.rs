//! Where a checked PE looks at its vector operations.

use csl_isa::vec::VecDesc;
use csl_machine::Arch;

use super::main_thread::Main;
use super::state::Sched;
use crate::check::{Moment, Tag};
use crate::complaint::{Complaint, Wrong};
use crate::datapath::{Cursor, Datapath, Length, Operand, Operation, Step, Turn};
use crate::fault::FaultKind;
use crate::ports::Ports;
use crate::scalar::Cpu;

/// The instruction that the main thread carries out in a cycle.
pub(super) fn moment(cpu: &Cpu, cycle: u64) -> Moment {
    Moment { pc: Some(cpu.at()), cycle }
}

impl Sched {
    /// Looks at the operands of an operation that is about to start; the objects that they are meant for.
    #[inline]
    pub fn look_at_start(
        &mut self,
        desc: &VecDesc,
        run: &Operation,
        lengths: [Option<Length>; 4],
        cpu: &Cpu,
        data: &Datapath,
        ports: &Ports,
    ) -> [Tag; 4] {
        let Some(shadow) = self.shadow.as_deref_mut() else { return [Tag::NONE; 4] };
        let tags = shadow.tags(desc, run, &data.memory);
        let at = moment(cpu, cpu.local_time);
        shadow.look_at_lengths(at, run, lengths);
        if !run.config.is_async {
            shadow.begin_main(tags);
        }
        if let Cursor::Out(out) = run.dest.cursor
            && data.chip.arch == Arch::Wse3
            && ports.outputs[out.slot].color.is_none()
            && ports.outputs[out.slot].queue != crate::queues::UNQUEUED
        {
            shadow.complain(at, Wrong::NoQueue { queue: ports.outputs[out.slot].queue });
        }
        tags
    }

    /// Looks at the elements that the main thread's operation has moved in cycle `now`.
    #[cold]
    pub fn look_at_main(
        &mut self,
        before: &Operation,
        left: Length,
        step: &Result<Step, FaultKind>,
        now: u64,
        cpu: &Cpu,
    ) {
        let Some(shadow) = self.shadow.as_deref_mut() else { return };
        let is_done = matches!(step, Ok(Step::Done(_)));
        shadow.moved(moment(cpu, now), 0, before, left, is_done);
        let Main::Vec { run, .. } = &self.main else { return };
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
        let active = self.tasks.active();
        if let Some(shadow) = &mut self.shadow {
            shadow.activate(moment(cpu, cpu.local_time), active, id);
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

    /// The operand of an iterator before its turn, where the PE is checked.
    pub fn checked_iter(&self, iter: u16, data: &Datapath) -> Option<Operand> {
        self.shadow.as_ref().and_then(|_| data.iter(iter)).map(|iter| iter.operand)
    }

    pub fn look_at_iter(&mut self, before: Option<Operand>, turn: &Turn, is_store: bool, cpu: &Cpu) {
        if let (Some(shadow), Some(operand), Turn::Moved(_)) = (self.shadow.as_deref_mut(), before, turn) {
            shadow.map_element(moment(cpu, cpu.local_time), operand, is_store);
        }
    }

    /// Looks at the elements that a microthread has moved in cycle `now`.
    #[cold]
    pub fn look_at_ut(&mut self, ut: usize, before: &Operation, step: &Result<Step, FaultKind>, now: u64) {
        let Some(shadow) = self.shadow.as_deref_mut() else { return };
        let ut = &self.uts[ut];
        let is_done = matches!(step, Ok(Step::Done(_)));
        shadow.moved(Moment { pc: Some(ut.pc), cycle: now }, ut.mark, before, ut.run.left, is_done);
        if is_done || step.is_err() {
            shadow.end(ut.mark);
        }
    }
}
