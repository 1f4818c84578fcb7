//! Exits of the interpreter: the requests of scalar code to the rest of the PE.

use csl_isa::vec::VecDesc;
use csl_machine::Delay;

use super::main_thread::{Flow, Main};
use super::state::{Sched, Visit};
use crate::datapath::{Datapath, Length, Turn, operands};
use crate::fault::FaultKind;
use crate::scalar::{Cpu, Exit};
use csl_image::PeImage;

/// How rare the exits are behind which another schedule delays the code.
const RARITY: u8 = 4;

impl Sched {
    /// Carries out an exit, unless the main thread has to wait for it.
    pub fn leave_interpreter(&mut self, exit: Exit, visit: &mut Visit) -> Flow {
        // Without a clock the end of a task and the start of an operation wait for no cycle, but for microthreads.
        let waits = !(self.is_untimed && matches!(exit, Exit::Returned | Exit::Vec { .. }))
            || self.any_ut_goes_on(visit.data, visit.ports);
        if waits && visit.cpu.local_time > visit.now && is_sync_point(exit, visit.cpu, visit.data, visit.program) {
            return Flow::Wait;
        }
        self.main = Main::Scalar;
        let flow = self.carry_out(exit, visit).unwrap_or_else(|kind| {
            self.raise_fault(kind, visit.cpu.local_time, visit.cpu);
            Flow::Wait
        });
        if self.draws.is_some() && flow == Flow::On && !matches!(exit, Exit::QuantumEnd | Exit::Returned) {
            visit.cpu.local_time += self.draw_rare_delay(RARITY, Delay::Code);
        }
        flow
    }

    fn carry_out(&mut self, exit: Exit, visit: &mut Visit) -> Result<Flow, FaultKind> {
        match exit {
            Exit::Returned => {
                self.main = Main::Idle;
                let chip = visit.data.chip;
                let is_call = std::mem::take(&mut self.calls.is_running);
                let behind = if is_call { chip.memcpy.behind_a_call } else { 0 };
                visit.cpu.local_time += u64::from(chip.timing.task_switch + behind) + self.draw_delay(Delay::Task);
            }
            Exit::QuantumEnd => {}
            Exit::Vec { .. } | Exit::IterLoad { .. }
                if let Some(hazard) = self.hazard_at(exit, visit.cpu, visit.data, visit.program, visit.ports) =>
            {
                self.note_hazard(hazard);
                return Ok(self.wait_for(exit));
            }
            Exit::Vec { row, dst } => return self.start_vector(row, dst, visit),
            Exit::LoadDsr { row } => self.load_dsr_row(row, visit)?,
            Exit::Sys { op, args, dst } => self.serve(op, args, dst, visit)?,
            Exit::IterLoad { iter, row } => {
                let Visit { cpu, data, program, ports, .. } = visit;
                data.load_iter(iter, row, program, ports, &|number| cpu.reg(number))?;
                cpu.local_time += u64::from(data.chip.timing.dsr_load);
            }
            Exit::IterMore { iter, ok } => {
                let left = visit.data.iter(iter).map_or(Length::ZERO, |iter| iter.left);
                visit.cpu.set_reg(ok, u64::from(!left.is_zero()));
            }
            Exit::IterNext { iter, dst, ok } => {
                let turn = self.iter_next(iter, visit)?;
                if let Turn::Moved(value) = turn {
                    visit.cpu.set_reg(dst, value);
                }
                return Ok(self.after_turn(exit, turn, ok, visit.cpu));
            }
            Exit::IterPut { iter, src, ok } => {
                let turn = self.iter_put(iter, src, visit)?;
                return Ok(self.after_turn(exit, turn, ok, visit.cpu));
            }
            Exit::Load(load) => self.load_register(load, visit),
            Exit::Store { addr, bytes, value } => self.store_register(addr, bytes, value, visit)?,
            Exit::FpException { raised } => return Err(FaultKind::FpException { raised }),
            Exit::Fault(fault) => return Err(FaultKind::Scalar(fault)),
        }
        Ok(Flow::On)
    }

    /// Lets the main thread return to `exit` when it is woken.
    fn wait_for(&mut self, exit: Exit) -> Flow {
        self.main = Main::Pending(exit);
        Flow::Wait
    }

    fn after_turn(&mut self, exit: Exit, turn: Turn, ok: u16, cpu: &mut Cpu) -> Flow {
        match turn {
            Turn::Wait => return self.wait_for(exit),
            Turn::End => cpu.set_reg(ok, 0),
            Turn::Moved(_) => {
                cpu.set_reg(ok, 1);
                cpu.local_time += 1;
            }
        }
        Flow::On
    }

    fn load_dsr_row(&mut self, row: u16, visit: &mut Visit) -> Result<(), FaultKind> {
        let Visit { cpu, data, program, .. } = visit;
        let load = program.dsr_loads.get(usize::from(row)).ok_or(FaultKind::BadCode("no such DSR load"))?;
        data.load_dsr(load, program, &|number| cpu.reg(number))?;
        if let Some(shadow) = &mut self.shadow {
            shadow.load_dsr(load, &data.memory);
        }
        let timing = &data.chip.timing;
        cpu.local_time += u64::from(timing.dsr_load);
        self.pace.dsr_ready = cpu.local_time + u64::from(timing.before_operation);
        Ok(())
    }
}

/// Whether the main thread must stand at the fabric's clock for an exit.
fn is_sync_point(exit: Exit, cpu: &Cpu, data: &Datapath, program: &PeImage) -> bool {
    let reg = |number| cpu.reg(number);
    let on_fabric = |row: &VecDesc| operands(row).any(|arg| data.is_on_fabric(arg, &reg));
    match exit {
        Exit::Returned | Exit::Load(_) | Exit::Store { .. } => true,
        Exit::Sys { op, .. } => op.is_sync_point(),
        Exit::Vec { row, .. } => program.vecs.get(usize::from(row)).is_some_and(on_fabric),
        Exit::IterLoad { row, .. } => {
            program.iters.get(usize::from(row)).is_some_and(|iter| data.is_on_fabric(iter.dsd, &reg))
        }
        Exit::IterNext { iter, .. } | Exit::IterPut { iter, .. } => data.is_iter_on_fabric(iter),
        Exit::QuantumEnd | Exit::LoadDsr { .. } | Exit::IterMore { .. } | Exit::FpException { .. } | Exit::Fault(_) => {
            false
        }
    }
}
