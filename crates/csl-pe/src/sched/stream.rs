//! The cycles of a PE that only streams: operations under way on their fast path, and no other work. Nearly all cycles of
//! a wafer that is busy are of this kind; what is done here is what `cycle` and `sleep` would do.

use super::main_thread::Main;
use super::state::Sched;
use crate::datapath::Datapath;
use crate::outside::Wake;
use crate::ports::Ports;
use crate::scalar::Cpu;

impl Sched {
    /// Notes after cycle `now` whether the PE is steady: whether a cycle is nothing but an issue until an operation ends or
    /// a task starts. Only its own work in another cycle changes that, or a call by the host.
    #[inline]
    pub fn settle(&mut self, now: u64, data: &Datapath) {
        self.steady = self.is_steady(data) && {
            let main = if let Main::Vec { run, .. } = &self.main { Some(run) } else { None };
            self.streams.note(self.next_run(now), &self.uts, main)
        };
    }

    /// The first cycle after `now` that may be run: without a clock `now` may come again.
    #[inline]
    fn next_run(&self, now: u64) -> u64 {
        if self.is_untimed { now } else { now + 1 }
    }

    fn is_steady(&self, data: &Datapath) -> bool {
        let is_main_steady = match &self.main {
            Main::Idle => !(self.tasks.has_ready_local() || self.calls.any()),
            Main::Vec { run, .. } => run.needs.is_fast && run.is_fabric,
            Main::Scalar | Main::Pending(_) => false,
        };
        is_main_steady
            && !(self.is_observed(data) || self.draws.is_some() || self.is_general)
            && self.fault.is_none()
            && self.completions.is_empty()
            && self.handlers.flushing == 0
            && data.fifos.is_empty()
            && self.uts.iter().all(|ut| ut.run.needs.is_fast && !self.is_ut_blocked(ut))
    }

    /// Does cycle `now` of a steady PE, and finds what it sleeps for then. Returns false, and does nothing, where the
    /// cycle is another one: an operation ends, a task starts, or there is a fault.
    #[inline]
    pub fn stream(&mut self, now: u64, cpu: &mut Cpu, data: &mut Datapath, ports: &mut Ports, wake: &mut Wake) -> bool {
        let may_start_task = !self.streams.has_main && self.streams.untaken(ports) != 0;
        if may_start_task && self.tasks.pick(ports, self.busy_inputs(), false).is_some() || ports.stray_half.is_some() {
            return false;
        }
        let main_claim = if self.streams.has_main { self.main_claim(now, cpu, data, ports) } else { 0 };
        if let Some(at) = self.streams.winner(now, &self.uts, main_claim, self.last_turn, ports) {
            let next = self.next_run(now);
            let ut = &mut self.uts[at];
            if ut.run.left.is_one() {
                return false;
            }
            (self.last_turn, self.last_issue) = (self.streams.turn(at), now);
            let start = now + u64::from(ut.run.rate.period);
            if start > next {
                ut.start = start;
                self.streams.delay(at, start, next);
            }
            ut.run.move_one(data, ports, now);
            if self.streams.has_main && cpu.local_time <= now {
                cpu.local_time = now + 1;
            }
        } else if main_claim != 0 {
            let Main::Vec { run, .. } = &mut self.main else { return false };
            if run.left.is_one() {
                return false;
            }
            cpu.local_time = now + u64::from(run.rate.period);
            run.move_one(data, ports, now);
        }
        *wake = self.streams.wake(now, &self.uts, ports);
        if self.streams.has_main && wake.at > now + 1 {
            self.add_wake_of_main(now, cpu, ports, wake);
        }
        true
    }

    #[inline]
    fn add_wake_of_main(&self, now: u64, cpu: &Cpu, ports: &Ports, wake: &mut Wake) {
        let Main::Vec { run, .. } = &self.main else { return };
        if ports.have(run.needs.inputs, run.needs.outputs) {
            wake.at = wake.at.min(cpu.local_time.max(now + 1));
        } else {
            wake.arrivals |= run.needs.inputs;
            wake.credits |= run.needs.outputs;
        }
    }
}
