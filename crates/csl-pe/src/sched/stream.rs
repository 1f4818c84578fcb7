//! The cycles of a PE that only streams: operations under way on their fast path, and no other work. Nearly all cycles of
//! a wafer that is busy are of this kind; what is done here is what `cycle` and `sleep` would do.

use super::main_thread::Main;
use super::microthread::{MAIN_TURN, claim};
use super::state::Sched;
use crate::datapath::{Datapath, Operation};
use crate::outside::Wake;
use crate::ports::Ports;
use crate::scalar::Cpu;

/// The thread that gets the issue slot.
#[derive(Clone, Copy)]
enum Winner {
    Main,
    Microthread(usize),
}

impl Sched {
    /// Whether a cycle is nothing but an issue until an operation ends or a task starts. Only the PE's own work in another
    /// cycle changes that.
    pub fn is_steady(&self, data: &Datapath) -> bool {
        let is_main_steady = match &self.main {
            Main::Idle => true,
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
        let is_other = match self.main {
            Main::Idle => self.tasks.pick(ports, self.busy_inputs(), self.calls.any()).is_some(),
            _ => false,
        };
        if is_other || ports.stray_half.is_some() {
            return false;
        }
        match self.winner(now, cpu, ports) {
            Some(Winner::Microthread(at)) => {
                let ut = &mut self.uts[at];
                if ut.run.left.is_one() {
                    return false;
                }
                (self.last_turn, self.last_issue) = (ut.turn(), now);
                ut.start = now + u64::from(ut.run.rate.period);
                ut.run.move_one(data, ports, now);
                if cpu.local_time <= now && !self.main.is_idle() {
                    cpu.local_time = now + 1;
                }
            }
            Some(Winner::Main) => {
                let Main::Vec { run, .. } = &mut self.main else { return false };
                if run.left.is_one() {
                    return false;
                }
                cpu.local_time = now + u64::from(run.rate.period);
                run.move_one(data, ports, now);
            }
            None => {}
        }
        *wake = self.wake_of_stream(now, cpu, ports);
        true
    }

    #[inline]
    fn winner(&self, now: u64, cpu: &Cpu, ports: &Ports) -> Option<Winner> {
        let can_issue = |run: &Operation, from: u64| from <= now && ports.have(run.needs.inputs, run.needs.outputs);
        let (mut best, mut winner) = (0, None);
        if let Main::Vec { run, .. } = &self.main
            && can_issue(run, cpu.local_time)
        {
            (best, winner) = (claim(self.main_class, self.last_turn, MAIN_TURN), Some(Winner::Main));
        }
        for (at, ut) in self.uts.iter().enumerate().filter(|(_, ut)| can_issue(&ut.run, ut.start)) {
            let claim = claim(ut.class, self.last_turn, ut.turn());
            if claim > best {
                (best, winner) = (claim, Some(Winner::Microthread(at)));
            }
        }
        winner
    }

    #[inline]
    fn wake_of_stream(&self, now: u64, cpu: &Cpu, ports: &Ports) -> Wake {
        let mut wake = Wake::at(u64::MAX);
        let mut wait = |run: &Operation, from: u64| {
            if ports.have(run.needs.inputs, run.needs.outputs) {
                wake.at = wake.at.min(from.max(now + 1));
            } else {
                wake.arrivals |= run.needs.inputs;
                wake.credits |= run.needs.outputs;
            }
        };
        self.uts.iter().for_each(|ut| wait(&ut.run, ut.start));
        match &self.main {
            Main::Vec { run, .. } => wait(run, cpu.local_time),
            _ => wake.arrivals = !0,
        }
        wake
    }
}
