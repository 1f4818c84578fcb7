//! Completions: the effects of ended operations on tasks.

use csl_machine::{Action, TaskId};

use super::microthread::Completion;
use super::state::Sched;
use crate::datapath::{Datapath, Effect, Operation};
use crate::scalar::Cpu;

impl Sched {
    /// Ends the operation of a microthread in cycle `now`.
    pub fn end_ut(&mut self, run: &Operation, effect: Effect, now: u64, data: &mut Datapath) {
        data.save_dsrs(run);
        if effect != Action::Nothing {
            let cycle = now + u64::from(data.chip.timing.completion_to_task);
            self.completions.push(Completion { cycle, effect });
        }
    }

    /// Lets completions that are due take effect, the earliest first and in the order in which they ended.
    pub fn take_completions(&mut self, now: u64, cpu: &Cpu) {
        while let Some(at) = self.earliest_completion().filter(|&at| self.completions[at].cycle <= now) {
            let completion = self.completions.remove(at);
            self.apply(completion.effect, completion.cycle, cpu);
        }
    }

    fn earliest_completion(&self) -> Option<usize> {
        (0..self.completions.len()).min_by_key(|&at| self.completions[at].cycle)
    }

    pub fn apply(&mut self, effect: Effect, cycle: u64, cpu: &Cpu) {
        match effect {
            Action::Nothing => {}
            Action::Activate(target) => {
                if let Err(kind) = self.tasks.activate_local(*target.id()) {
                    self.raise_fault(kind, cycle, cpu);
                }
            }
            Action::Unblock(target) => {
                self.tasks.set_blocked(target.map(|id| TaskId::clamped((*id).into())), false);
            }
        }
    }
}
