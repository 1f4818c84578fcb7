//! The arbitration of the one issue slot of a cycle, and the issue of the thread that gets it.

use csl_machine::Delay;

use super::main_thread::Main;
use super::microthread::{MAIN_TURN, Microthread, TURNS, claim};
use super::state::Sched;
use super::tracer::IssuePreview;
use crate::datapath::{Datapath, Step};
use crate::event::Thread;
use crate::ports::Ports;
use crate::scalar::Cpu;

/// How rare the elements are before which another schedule lets a microthread pause.
const RARITY: u8 = 16;

impl Sched {
    /// Gives the issue slot of cycle `now` to one thread that can use it. Scalar code of the main thread (`has_code`)
    /// and microthreads take turns: an issue delays the code by a cycle, and the cycle after it belongs to the code. On
    /// WSE-2 microthreads of low priority wait for the cycle in which a task starts or a branch has been taken.
    #[inline]
    pub fn arbitrate(&mut self, now: u64, has_code: bool, cpu: &mut Cpu, data: &mut Datapath, ports: &mut Ports) {
        if !data.fifos.is_empty() {
            self.uts.iter().filter(|ut| ut.start <= now).for_each(|ut| ut.run.note_wait(&mut data.fifos));
        }
        let mut best = self.main_claim(now, cpu, data, ports);
        let mut winner = None;
        for (at, ut) in self.uts.iter().enumerate() {
            let claim = self.ut_claim(ut, now, has_code, data, ports);
            if claim > best {
                (best, winner) = (claim, Some(at));
            }
        }
        if let Some(at) = winner {
            (self.last_turn, self.last_issue) = (self.uts[at].turn(), now);
            if self.draws.is_some() {
                self.last_turn = self.draw(TURNS);
            }
            self.issue_ut(at, now, cpu, data, ports);
            self.delay_main(now, cpu);
        } else if best != 0 {
            self.issue_main(now, cpu, data, ports);
        }
    }

    /// The claim of the main thread; 0 for none.
    #[inline]
    pub fn main_claim(&self, now: u64, cpu: &Cpu, data: &Datapath, ports: &Ports) -> u32 {
        match &self.main {
            Main::Vec { run, .. } if cpu.local_time <= now && run.can_issue(ports, &data.fifos) => {
                claim(self.main_class, self.last_turn, MAIN_TURN)
            }
            _ => 0,
        }
    }

    /// The claim of a microthread; 0 for none.
    #[inline]
    fn ut_claim(&self, ut: &Microthread, now: u64, has_code: bool, data: &Datapath, ports: &Ports) -> u32 {
        let may = ut.start <= now && !self.is_ut_blocked(ut);
        if !may || !ut.run.can_issue(ports, &data.fifos) {
            return 0;
        }
        match ut.class {
            0 if has_code && data.chip.timing.scalar_code_holds_slot => 0,
            _ if has_code && self.last_issue != 0 && self.last_issue + 1 == now => 0,
            class => claim(class, self.last_turn, ut.turn()),
        }
    }

    /// The cycle up to which the main thread has code to issue. Where code keeps the slot, a task that is about to
    /// start counts too, but for other schedules, which may delay it.
    #[inline]
    pub fn code_until(&self, now: u64, cpu: &Cpu, data: &Datapath, ports: &Ports) -> u64 {
        let is_next = || self.tasks.pick(ports, self.busy_inputs(), self.calls.any()).is_some();
        match self.main {
            Main::Scalar | Main::Pending(_) if cpu.is_in_block() => cpu.local_time.max(now + 1),
            _ if cpu.local_time <= now => 0,
            Main::Vec { .. } => 0,
            Main::Idle if !data.chip.timing.scalar_code_holds_slot || self.draws.is_some() || !is_next() => 0,
            _ => cpu.local_time,
        }
    }

    /// Delays the main thread, which has lost the slot: its vector operation waits a cycle, its code takes one more.
    fn delay_main(&mut self, now: u64, cpu: &mut Cpu) {
        match self.main {
            Main::Vec { .. } if cpu.local_time <= now => cpu.local_time = now + 1,
            Main::Scalar | Main::Pending(_) if cpu.local_time > now => cpu.local_time += 1,
            _ => {}
        }
    }

    fn issue_ut(&mut self, at: usize, now: u64, cpu: &Cpu, data: &mut Datapath, ports: &mut Ports) {
        let pause = self.draw_rare_delay(RARITY, Delay::Microthread);
        let ut = &mut self.uts[at];
        ut.start = now + u64::from(ut.run.rate.period) + pause;
        let before = self.tracer.is_some().then(|| IssuePreview::of(&ut.run, &data.memory, Some(ports), data.half));
        let step = match self.shadow {
            None => ut.run.issue(data, ports, now),
            Some(_) => self.checked_issue(at, now, data, ports, cpu),
        };
        self.tasks.activate_mask(data.take_activated());
        if let Some(before) = before {
            let (id, left) = (self.uts[at].id, self.uts[at].run.left);
            self.trace_issue(Thread::Microthread(id), &before, left, &step, now, data);
        }
        match step {
            Ok(Step::Moved | Step::Stalled(_)) => {}
            Ok(Step::Done(effect)) => {
                let ut = self.uts.swap_remove(at);
                self.end_ut(&ut.run, effect, (now, ut.pc), data);
            }
            Err(kind) => {
                self.uts.swap_remove(at);
                self.raise_fault(kind, now, cpu);
            }
        }
    }
}
