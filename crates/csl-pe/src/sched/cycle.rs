//! One cycle of a PE, and the main thread's work in it.

use super::main_thread::{Flow, Main};
use super::state::{Sched, Visit};
use super::tracer::TRACED_QUANTUM;
use super::watch::{self, Watchers};
use crate::fault::FaultKind;

/// The greatest number of cycles that the main thread runs ahead before the simulator gets control again.
const QUANTUM: u64 = 1 << 16;

impl Sched {
    /// Runs one cycle, in the order of the reference: due completions, the main thread's own work, the one issue slot.
    #[inline]
    pub fn cycle(&mut self, visit: &mut Visit) {
        let now = visit.now;
        if let Some(queue) = visit.ports.stray_half {
            return self.raise_fault(FaultKind::HalfWavelet { queue }, now, visit.cpu);
        }
        self.synchronize(now, visit.cpu, visit.data);
        if !self.completions.is_empty() {
            self.take_completions(now);
        }
        self.watch_flushes(visit.data.chip, visit.ports);
        let has_code = !self.uts.is_empty() && self.code_until(now, visit.cpu, visit.data, visit.ports) > now;
        if !matches!(&self.main, Main::Vec { run, .. } if run.is_fabric) {
            self.run_main(visit);
        }
        if self.fault.is_none() {
            self.arbitrate(now, has_code, visit.cpu, visit.data, visit.ports);
            self.watch_flushes(visit.data.chip, visit.ports);
        }
    }

    /// Does the main thread's work up to `now`, or ahead of it while no other thread could see that.
    fn run_main(&mut self, visit: &mut Visit) {
        let now = visit.now;
        let quantum = if self.tracer.is_some() { TRACED_QUANTUM } else { QUANTUM };
        let quantum_end = now.saturating_add(quantum).min(visit.limit);
        while self.fault.is_none() {
            let is_bound = self.has_pending() && !self.is_untimed;
            let ahead = if is_bound { now + 1 } else { quantum_end.max(now + 1) };
            if self.is_untimed && self.main.is_idle() && visit.cpu.local_time < quantum_end {
                self.go_ahead(visit);
            }
            let flow = match self.main {
                Main::Idle => self.pick(visit),
                Main::Scalar if visit.cpu.local_time >= ahead => Flow::Wait,
                Main::Scalar => {
                    let watchers = Watchers { tracer: self.tracer.as_deref_mut(), shadow: self.shadow.as_deref_mut() };
                    let exit = watch::run_scalar(visit, ahead, &self.uts, watchers, &mut self.events);
                    self.main = Main::Pending(exit);
                    if self.shadow.is_some() {
                        self.stop_at_complaint(visit.cpu);
                    }
                    Flow::On
                }
                Main::Pending(exit) => self.leave_interpreter(exit, visit),
                Main::Vec { .. } => self.run_vector(ahead, visit),
            };
            if flow == Flow::Wait {
                return;
            }
        }
    }
}
