//! Streams of a PE in runs without a clock: operations move all elements that can move, without turns.

use csl_machine::Color;

use super::main_thread::Main;
use super::state::{Sched, Visit};
use crate::datapath::{Cursor, Datapath, Operation, Step};
use crate::ports::Ports;
use crate::scalar::Cpu;

/// The way out of a PE for many words at once.
pub trait Outlet {
    /// Whether words of a color may leave now.
    fn takes(&mut self, color: Color) -> bool;
    /// Words of a color leave.
    fn send(&mut self, color: Color, words: &[u32]);
}

impl Sched {
    /// Moves the PE's time on to that of its main thread, for the next task, unless there is a microthread that can go on.
    pub fn go_ahead(&mut self, visit: &mut Visit) {
        if self.any_ut_goes_on(visit.data, visit.ports) {
            return;
        }
        visit.now = visit.now.max(visit.cpu.local_time);
        self.take_completions(visit.now);
        visit.ports.refill();
    }

    /// Moves the elements of operations that only stream, to their end where that changes no switch.
    pub fn stream_ahead(
        &mut self,
        now: u64,
        cpu: &mut Cpu,
        data: &mut Datapath,
        ports: &mut Ports,
        outlet: &mut dyn Outlet,
    ) {
        if self.is_observed(data) || self.is_general || self.fault.is_some() {
            return;
        }
        let mut at = 0;
        while at < self.uts.len() {
            let is_blocked = self.is_ut_blocked(&self.uts[at]);
            let ut = &mut self.uts[at];
            let moved = if is_blocked || ut.start > now { 0 } else { stream(&mut ut.run, data, ports, outlet) };
            if moved > 0 {
                ut.start = now + moved;
                self.streams.delay(at, ut.start, now);
                if let Step::Done(effect) = ut.run.end_of_many(data) {
                    self.steady = false;
                    let ut = self.uts.swap_remove(at);
                    self.end_ut(&ut.run, effect, (now + moved - 1, ut.pc), data);
                    continue;
                }
            }
            at += 1;
        }
        if let Main::Vec { run, .. } = &mut self.main
            && run.is_fabric
            && cpu.local_time <= now
        {
            let moved = stream(run, data, ports, outlet);
            if moved > 0 {
                cpu.local_time = now + moved;
                let step = run.end_of_many(data);
                self.steady &= step == Step::Moved;
                self.after_step(Ok(step), now + moved - 1, cpu, data);
            }
        }
    }
}

/// Returns the number of elements that have moved: the thread's time goes on as if it had issued them one by one.
fn stream(run: &mut Operation, data: &mut Datapath, ports: &mut Ports, outlet: &mut dyn Outlet) -> u64 {
    if !run.needs.is_fast || run.is_local() || !ports.all_have(run.needs.inputs) {
        return 0;
    }
    let mut sent = Vec::new();
    let moved = match run.dest.cursor {
        Cursor::Out(out) => {
            let is_plain = !(out.control || out.half) && ports.outputs[out.slot].is_empty();
            if !is_plain || !outlet.takes(out.color) {
                return 0;
            }
            let moved = run.move_many(!out.advance_switch, data, ports, &mut sent);
            ports.outputs[out.slot].count_sent(moved, out.color);
            if moved > 0 {
                outlet.send(out.color, &sent);
            }
            moved
        }
        _ => run.move_many(true, data, ports, &mut sent),
    };
    moved as u64
}
