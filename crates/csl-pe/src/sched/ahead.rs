//! Streams of a PE in runs without a clock: operations move all elements that can move, without turns.

use csl_machine::Color;

use super::main_thread::Main;
use super::state::Sched;
use crate::datapath::{Cursor, Datapath, Operation};
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
    /// Moves the elements of operations that only stream, but for the last one of each, whose end has effects.
    pub fn stream_ahead(
        &mut self,
        now: u64,
        cpu: &mut Cpu,
        data: &mut Datapath,
        ports: &mut Ports,
        outlet: &mut dyn Outlet,
    ) {
        let is_observed = self.tracer.is_some() || self.shadow.is_some() || data.unmasked != 0;
        if is_observed || self.is_general || self.fault.is_some() {
            return;
        }
        let blocked = self.ut_blocked;
        for ut in self.uts.iter_mut().filter(|ut| ut.start <= now) {
            if ut.id.is_none_or(|id| blocked >> (id.number() & 7) & 1 == 0) {
                ut.start = now + stream(&mut ut.run, data, ports, outlet);
            }
        }
        if let Main::Vec { run, .. } = &mut self.main
            && run.is_fabric
            && cpu.local_time <= now
        {
            cpu.local_time = now + stream(run, data, ports, outlet);
        }
    }
}

/// Returns the number of elements that have moved: the thread's time goes on as if it had issued them one by one.
fn stream(run: &mut Operation, data: &mut Datapath, ports: &mut Ports, outlet: &mut dyn Outlet) -> u64 {
    if !run.needs.is_fast || run.is_local() || run.left.is_one() || !ports.all_have(run.needs.inputs) {
        return 0;
    }
    let mut sent = Vec::new();
    let moved = match run.dest.cursor {
        Cursor::Out(out) => {
            let is_plain = !(out.control || out.half) && ports.outputs[out.slot].is_empty();
            if !is_plain || !outlet.takes(out.color) {
                return 0;
            }
            let moved = run.move_many(data, ports, &mut sent);
            ports.outputs[out.slot].count_sent(moved, out.color);
            if moved > 0 {
                outlet.send(out.color, &sent);
            }
            moved
        }
        _ => run.move_many(data, ports, &mut sent),
    };
    moved as u64
}
