//! Finds the events that a PE sleeps for.

use csl_image::PeImage;

use super::main_thread::Main;
use super::state::Sched;
use crate::datapath::{Cursor, Datapath};
use crate::outside::Wake;
use crate::ports::Ports;
use crate::scalar::{Cpu, Exit};

impl Sched {
    /// The events that the PE sleeps for after cycle `now`.
    #[inline]
    pub fn sleep(&self, now: u64, cpu: &Cpu, data: &Datapath, program: &PeImage, ports: &Ports, wake: &mut Wake) {
        *wake = Wake { at: u64::MAX, arrivals: 0, credits: self.handlers.awaited_outputs(ports) };
        self.wake_of_uts(now, cpu, data, ports, wake);
        match &self.main {
            Main::Idle => {
                wake.arrivals = !0;
                if self.tasks.pick(ports, self.busy_inputs(), self.calls.any()).is_some() {
                    wake.at = wake.at.min(cpu.local_time.max(now + 1));
                }
            }
            Main::Scalar => wake.at = wake.at.min(cpu.local_time.max(now + 1)),
            Main::Pending(_) if cpu.local_time > now => wake.at = wake.at.min(cpu.local_time),
            Main::Pending(exit) if self.hazard_at(*exit, cpu, data, program, ports).is_some() => {}
            Main::Pending(exit) => wake_of_iterator(*exit, now, data, ports, wake),
            Main::Vec { run, .. } if run.is_local() => {
                let issues = if self.tracer.is_some() { 1 } else { run.issues_left() };
                let end = cpu.local_time + issues * u64::from(run.rate.period);
                wake.at = wake.at.min(end.max(now + 1));
            }
            Main::Vec { run, .. } if run.can_issue(ports, &data.fifos) => {
                wake.at = wake.at.min(cpu.local_time.max(now + 1))
            }
            Main::Vec { run, .. } => {
                wake.arrivals |= run.needs.inputs;
                wake.credits |= run.needs.outputs;
            }
        }
    }

    /// The events that the microthreads and completions wait for.
    #[inline]
    fn wake_of_uts(&self, now: u64, cpu: &Cpu, data: &Datapath, ports: &Ports, wake: &mut Wake) {
        for completion in &self.completions {
            wake.at = wake.at.min(completion.cycle);
        }
        let keeps_slot = data.chip.timing.scalar_code_holds_slot && !self.uts.is_empty();
        let code_until = if keeps_slot { self.code_until(now, cpu, data, ports) } else { 0 };
        for ut in self.uts.iter().filter(|ut| !self.is_ut_blocked(ut)) {
            if ut.run.can_issue(ports, &data.fifos) {
                let free = if code_until > now && ut.class == 0 { code_until } else { now + 1 };
                wake.at = wake.at.min(ut.start.max(free));
            } else {
                wake.arrivals |= ut.run.needs.inputs;
                wake.credits |= ut.run.needs.outputs;
            }
        }
    }
}

/// The events of a stalled exit: an iterator sleeps for its queue, any other continues in the next cycle.
fn wake_of_iterator(exit: Exit, now: u64, data: &Datapath, ports: &Ports, wake: &mut Wake) {
    let iter = match exit {
        Exit::IterNext { iter, .. } | Exit::IterPut { iter, .. } => data.iter(iter),
        _ => None,
    };
    match iter.map(|it| &it.operand.cursor) {
        Some(Cursor::In(input)) if ports.inputs[input.slot].is_empty() => wake.arrivals |= input.slot.bit(),
        Some(Cursor::Out(out)) if ports.outputs[out.slot].room() == 0 => wake.credits |= out.slot.bit(),
        _ => wake.at = wake.at.min(now + 1),
    }
}
