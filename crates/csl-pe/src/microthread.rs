//! Microthreads, the one issue slot that they share with the main thread, and completions.

use csl_chip::registers::ce;
use csl_isa::vec::Priority;

use crate::main_thread::Main;
use crate::pe::{Pe, io};
use crate::ports::Ports;
use crate::trace::Glimpse;
use crate::vec::config::Effect;
use crate::vec::run::{Step, VecRun};

/// An asynchronous operation. In this order in memory: what each cycle looks at lies together.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Microthread {
    /// The first cycle in which it may issue.
    pub start: u64,
    /// The instruction that started it.
    pub pc: u32,
    pub id: u8,
    pub run: VecRun,
}

/// What an operation that has ended will do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Completion {
    pub cycle: u64,
    pub effect: Effect,
}

/// The main thread in the arbitration.
const MAIN: u8 = 0xfe;

/// A thread that could issue; the highest of all gets the slot. From the top: a bit that makes it more than no claim,
/// priority, whether the thread issued last, whether it receives, and of low ids the lowest. Priorities are documented;
/// among equals the thread that issued last keeps the slot until it stalls, and a receiver goes first on a tie (derived
/// from the RAMP-to-RAMP figures).
#[inline]
fn claim(class: u8, holds: bool, receives: bool, id: u8) -> u32 {
    1 << 31 | u32::from(class) << 16 | u32::from(holds) << 9 | u32::from(receives) << 8 | u32::from(!id)
}

/// Microthreads: low 0, medium 2, high 4.
fn class(priority: Option<Priority>) -> u8 {
    match priority {
        None | Some(Priority::Low) => 0,
        Some(Priority::Medium) => 2,
        Some(Priority::High) => 4,
    }
}

/// What an input queue's register says of the microthread of its number.
fn queue_priority(bits: u16) -> Option<Priority> {
    match bits {
        0 => None,
        _ if bits & ce::HIGH_PRIORITY != 0 => Some(Priority::High),
        _ => Some(Priority::Medium),
    }
}

/// Synchronous code stands between low and medium microthreads unless the program says otherwise.
pub(crate) fn main_class(priority: Option<Priority>) -> u8 {
    priority.map_or(1, |priority| class(Some(priority)))
}

impl Pe {
    /// Gives the issue slot of cycle `now` to one thread that can use it. Scalar code of the main thread does not take
    /// part: its branches and loads leave more free slots than microthreads need (a choice; not public).
    pub(crate) fn arbitrate(&mut self, now: u64, ports: &mut Ports) {
        if !self.fifos.is_empty() {
            self.uts.iter().filter(|ut| ut.start <= now).for_each(|ut| ut.run.note_wait(&mut self.fifos));
        }
        let mut best = self.main_claim(now, ports);
        let mut winner = None;
        for (at, ut) in self.uts.iter().enumerate() {
            let claim = self.ut_claim(ut, now, ports);
            if claim > best {
                (best, winner) = (claim, Some(at));
            }
        }
        if let Some(at) = winner {
            self.holder = (self.uts[at].id, now);
            self.issue_ut(at, now, ports);
            self.delay_main(now);
        } else if best != 0 {
            self.holder = (MAIN, now);
            self.issue_main(now, ports);
        }
    }

    #[inline]
    fn claim(&self, id: u8, class: u8, run: &VecRun, now: u64) -> u32 {
        let holds = self.holder.0 == id && self.holder.1 + 1 == now;
        claim(class, holds, run.needs.inputs != 0, id)
    }

    /// 0 for none.
    #[inline]
    fn main_claim(&self, now: u64, ports: &Ports) -> u32 {
        match &self.main {
            Main::Vec { run, .. } if self.cpu.tau <= now && run.can_issue(ports, &self.fifos) => {
                self.claim(MAIN, self.main_class, run, now)
            }
            _ => 0,
        }
    }

    /// 0 for none.
    #[inline]
    fn ut_claim(&self, ut: &Microthread, now: u64, ports: &Ports) -> u32 {
        let may = ut.start <= now && self.ut_blocked >> (ut.id & 7) & 1 == 0;
        if !may || !ut.run.can_issue(ports, &self.fifos) {
            return 0;
        }
        let priority = ut.run.needs.priority.or(queue_priority(self.queue_priority[usize::from(ut.id & 7)]));
        self.claim(ut.id, class(priority), &ut.run, now)
    }

    /// The main thread's vector operation has lost the slot.
    fn delay_main(&mut self, now: u64) {
        if matches!(self.main, Main::Vec { .. }) && self.cpu.tau <= now {
            self.cpu.tau = now + 1;
        }
    }

    fn issue_ut(&mut self, at: usize, now: u64, ports: &mut Ports) {
        let ut = &mut self.uts[at];
        ut.start = now + u64::from(ut.run.rate.period);
        let before = self.tracer.is_some().then(|| Glimpse::of(&ut.run, &self.memory, Some(ports), self.half));
        let mut activated = 0;
        let step = ut.run.issue(&mut io!(self, ports, now, activated));
        let left = ut.run.left;
        self.tasks.activate_mask(activated);
        if let Some(before) = before {
            self.trace_issue(self.uts[at].id, &before, left, &step, now);
        }
        match step {
            Ok(Step::Moved | Step::Stalled(_)) => {}
            Ok(Step::Done(effect)) => {
                let ut = self.uts.swap_remove(at);
                self.ut_done(&ut.run, effect, now);
            }
            Err(kind) => {
                self.uts.swap_remove(at);
                self.stop(kind, now);
            }
        }
    }

    pub(crate) fn ut_done(&mut self, run: &VecRun, effect: Effect, now: u64) {
        self.save_dsrs(run);
        if effect != Effect::Nothing {
            let cycle = now + u64::from(self.chip.timing.completion_to_task);
            self.completions.push(Completion { cycle, effect });
        }
    }

    /// Lets completions that are due take effect, the earliest first and in the order in which they ended.
    pub(crate) fn take_completions(&mut self, now: u64) {
        while let Some(at) = self.earliest_completion().filter(|&at| self.completions[at].cycle <= now) {
            let completion = self.completions.remove(at);
            self.apply(completion.effect, completion.cycle);
        }
    }

    fn earliest_completion(&self) -> Option<usize> {
        (0..self.completions.len()).min_by_key(|&at| self.completions[at].cycle)
    }

    pub(crate) fn apply(&mut self, effect: Effect, cycle: u64) {
        match effect {
            Effect::Nothing => {}
            Effect::Activate(target) => {
                if let Err(kind) = self.tasks.activate(target) {
                    self.stop(kind, cycle);
                }
            }
            Effect::Unblock(target) => self.tasks.set_blocked(target, false),
        }
    }

    /// What the microthreads wait for.
    pub(crate) fn wake_of_uts(&self, now: u64, ports: &Ports, wake: &mut crate::ports::Wake) {
        for completion in &self.completions {
            wake.at = wake.at.min(completion.cycle);
        }
        for ut in self.uts.iter().filter(|ut| self.ut_blocked >> (ut.id & 7) & 1 == 0) {
            if ut.run.can_issue(ports, &self.fifos) {
                wake.at = wake.at.min(ut.start.max(now + 1));
            } else {
                wake.landings |= ut.run.needs.inputs;
                wake.credits |= ut.run.needs.outputs;
            }
        }
    }

    /// Input slots whose wavelets go to a running operation.
    pub(crate) fn busy_inputs(&self) -> u32 {
        let main = if let Main::Vec { run, .. } = &self.main { run.needs.inputs } else { 0 };
        self.uts.iter().fold(main, |mask, ut| mask | ut.run.needs.inputs)
    }
}
