//! Microthreads, the one issue slot that they share with the main thread, and completions.

use csl_machine::registers::ce;
use csl_machine::{Action, Priority};

use crate::main_thread::Main;
use crate::pe::{Pe, io};
use crate::ports::Ports;
use crate::trace::Glimpse;
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
    pub effect: Action,
}

/// The main thread in the arbitration, where its priority is a microthread's.
const MAIN: u8 = 8;

/// A thread that could issue; the highest of all gets the slot. From the top: a bit that makes it more than no claim,
/// priority, and of equals the next in turn behind the thread that issued last. Priorities are documented; the turn is
/// derived (X): an exchange of eight microthreads takes a cycle a word, and then all of them end together.
#[inline]
fn claim(class: u8, last: u8, id: u8) -> u32 {
    1 << 31 | u32::from(class) << 16 | u32::from(last.wrapping_sub(id) & 0xf)
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
    /// Gives the issue slot of cycle `now` to one thread that can use it. Scalar code of the main thread (`has_code`) and
    /// microthreads take turns: an issue delays the code by a cycle, and the cycle behind it is the code's. On WSE-2
    /// microthreads of low priority wait for the cycle in which a task starts or a branch has been taken.
    pub(crate) fn arbitrate(&mut self, now: u64, has_code: bool, ports: &mut Ports) {
        if !self.fifos.is_empty() {
            self.uts.iter().filter(|ut| ut.start <= now).for_each(|ut| ut.run.note_wait(&mut self.fifos));
        }
        let mut best = self.main_claim(now, ports);
        let mut winner = None;
        for (at, ut) in self.uts.iter().enumerate() {
            let claim = self.ut_claim(ut, now, has_code, ports);
            if claim > best {
                (best, winner) = (claim, Some(at));
            }
        }
        if let Some(at) = winner {
            (self.holder, self.last_issue) = (self.uts[at].id, now);
            self.issue_ut(at, now, ports);
            self.delay_main(now);
        } else if best != 0 {
            self.issue_main(now, ports);
        }
    }

    /// 0 for none.
    #[inline]
    fn main_claim(&self, now: u64, ports: &Ports) -> u32 {
        match &self.main {
            Main::Vec { run, .. } if self.cpu.tau <= now && run.can_issue(ports, &self.fifos) => {
                claim(self.main_class, self.holder, MAIN)
            }
            _ => 0,
        }
    }

    /// 0 for none.
    #[inline]
    fn ut_claim(&self, ut: &Microthread, now: u64, has_code: bool, ports: &Ports) -> u32 {
        let may = ut.start <= now && self.ut_blocked >> (ut.id & 7) & 1 == 0;
        if !may || !ut.run.can_issue(ports, &self.fifos) {
            return 0;
        }
        match self.ut_class(ut) {
            0 if has_code && self.chip.timing.scalar_code_holds_slot => 0,
            _ if has_code && self.last_issue != 0 && self.last_issue + 1 == now => 0,
            class => claim(class, self.holder, ut.id),
        }
    }

    fn ut_class(&self, ut: &Microthread) -> u8 {
        class(ut.run.needs.priority.or(queue_priority(self.queue_priority[usize::from(ut.id & 7)])))
    }

    /// Up to when the main thread has code to issue; where code holds the slot, a task that is about to start counts, too.
    #[inline]
    pub(crate) fn code_until(&self, now: u64, ports: &Ports) -> u64 {
        let is_next = || self.tasks.pick(ports, self.busy_inputs(), !self.calls.is_empty()).is_some();
        match self.main {
            _ if self.cpu.tau <= now => 0,
            Main::Vec { .. } => 0,
            Main::Idle if !self.chip.timing.scalar_code_holds_slot || !is_next() => 0,
            _ => self.cpu.tau,
        }
    }

    /// The main thread has lost the slot: its vector operation waits a cycle, its code takes one more.
    fn delay_main(&mut self, now: u64) {
        match self.main {
            Main::Vec { .. } if self.cpu.tau <= now => self.cpu.tau = now + 1,
            Main::Scalar | Main::Pending(_) if self.cpu.tau > now => self.cpu.tau += 1,
            _ => {}
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

    pub(crate) fn ut_done(&mut self, run: &VecRun, effect: Action, now: u64) {
        self.save_dsrs(run);
        if effect != Action::Nothing {
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

    pub(crate) fn apply(&mut self, effect: Action, cycle: u64) {
        match effect {
            Action::Nothing => {}
            Action::Activate(target) => {
                if let Err(kind) = self.tasks.activate(target) {
                    self.stop(kind, cycle);
                }
            }
            Action::Unblock(target) => self.tasks.set_blocked(target, false),
        }
    }

    /// What the microthreads wait for.
    pub(crate) fn wake_of_uts(&self, now: u64, ports: &Ports, wake: &mut crate::ports::Wake) {
        for completion in &self.completions {
            wake.at = wake.at.min(completion.cycle);
        }
        let holds = self.chip.timing.scalar_code_holds_slot && !self.uts.is_empty();
        let held = if holds { self.code_until(now, ports) } else { 0 };
        for ut in self.uts.iter().filter(|ut| self.ut_blocked >> (ut.id & 7) & 1 == 0) {
            if ut.run.can_issue(ports, &self.fifos) {
                let free = if held > now && self.ut_class(ut) == 0 { held } else { now + 1 };
                wake.at = wake.at.min(ut.start.max(free));
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
