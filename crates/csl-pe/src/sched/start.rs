//! Starts tasks: enters the function of the picked one with its arguments.

use csl_image::PeImage;
use csl_machine::{Delay, TaskId, TaskKind};

use super::main_thread::{Flow, Main};
use super::rpc::is_rpc_channel;
use super::state::{Sched, Visit};
use super::tasks::{self, Pick};
use crate::fault::FaultKind;
use crate::scalar::Cpu;

impl Sched {
    /// Starts the next task that is ready in cycle `now`.
    pub fn pick(&mut self, visit: &mut Visit) -> Flow {
        if visit.cpu.local_time > visit.now {
            return Flow::Wait;
        }
        let (busy, call) = (self.busy_inputs(), self.calls.any());
        let Some(mut pick) = self.tasks.pick(visit.ports, busy, call) else { return Flow::Wait };
        visit.cpu.local_time = visit.now;
        if let Some(draws) = &mut self.draws {
            self.tasks.turn_to_any(visit.ports, busy, call, draws);
            pick = self.tasks.pick(visit.ports, busy, call).unwrap_or(pick);
            visit.cpu.local_time += draws.delay(Delay::Task);
        }
        self.tasks.started(pick);
        self.trace_task(pick, visit.data.chip.arch);
        if let Err(kind) = self.start_task(pick, visit) {
            self.raise_fault(kind, visit.now, visit.cpu);
        }
        Flow::On
    }

    fn start_task(&mut self, pick: Pick, visit: &mut Visit) -> Result<(), FaultKind> {
        let Visit { cpu, data, program, ports, .. } = visit;
        match pick {
            Pick::Local(id) if id == data.chip.tasks.teardown && self.start_handler(id, cpu, program) => Ok(()),
            Pick::Local(id) => self.start_bound(TaskKind::Local, id, 0, cpu, program),
            Pick::Data { slot, channel, wavelet } => {
                if let Some(func) = self.rotate(channel, program) {
                    self.enter(func, &[], cpu, program);
                    return Ok(());
                }
                ports.take(slot);
                if !is_rpc_channel(program, channel) {
                    self.start_bound(TaskKind::Data, channel, wavelet.data, cpu, program)?;
                    if let Some(shadow) = &mut self.shadow {
                        shadow.data_task = Some(channel);
                    }
                    return Ok(());
                }
                cpu.local_time += u64::from(data.chip.timing.task_switch);
                if let Some(call) = self.rpc.take(wavelet.data, program)? {
                    self.enter(call.func, &call.args, cpu, program);
                }
                Ok(())
            }
            Pick::Control { slot, entry, wavelet } => {
                ports.take(slot);
                self.start_bound(TaskKind::Control, entry, wavelet.data, cpu, program)
            }
            Pick::Ignored { slot } => {
                ports.take(slot);
                Ok(())
            }
            Pick::Call => {
                let call = self.calls.start();
                self.enter(call.func, &call.args, cpu, program);
                Ok(())
            }
        }
    }

    fn start_bound(
        &mut self,
        kind: TaskKind,
        id: TaskId,
        data: u32,
        cpu: &mut Cpu,
        program: &PeImage,
    ) -> Result<(), FaultKind> {
        let task = match kind {
            TaskKind::Data => tasks::find(program, kind, id),
            _ => tasks::find_in_table(program, kind, id),
        };
        let task = task.ok_or(FaultKind::UnboundTask { control: kind == TaskKind::Control, id })?;
        let (args, count) = tasks::arguments(task, data);
        self.enter(task.func, &args[..count], cpu, program);
        Ok(())
    }

    fn enter(&mut self, func: u16, args: &[u64], cpu: &mut Cpu, program: &PeImage) {
        cpu.start(program, func, args);
        if let Some(shadow) = &mut self.shadow {
            shadow.start_task();
        }
        self.main = Main::Scalar;
    }

    /// The alternate task's function where it is its turn (`@bind_rotating_tasks`). The wavelet stays for the data
    /// task.
    fn rotate(&mut self, channel: TaskId, program: &PeImage) -> Option<u16> {
        let at = program.rotating.iter().position(|pair| pair.data_task == channel)?;
        let pair = &program.rotating[at];
        let turn = self.rotations[at] == pair.limit;
        self.rotations[at] = if turn { 0 } else { self.rotations[at] + 1 };
        turn.then_some(pair.alt)
    }

    /// Starts a handler of the teardown task, which has this id, if one has to run.
    fn start_handler(&mut self, id: TaskId, cpu: &mut Cpu, program: &PeImage) -> bool {
        let Some((func, is_another)) = self.handlers.next(program) else { return false };
        self.enter(func, &[], cpu, program);
        if is_another {
            self.tasks.activate_mask(id.bit());
        }
        true
    }
}
