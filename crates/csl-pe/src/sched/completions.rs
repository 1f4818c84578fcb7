//! Completions: the effects of ended operations on tasks.

use csl_machine::{Action, Delay, TaskId};

use super::microthread::Completion;
use super::state::Sched;
use crate::datapath::{Datapath, Effect, Operation};

impl Sched {
    /// Ends the operation that instruction `pc` has started as a microthread in cycle `now`.
    pub fn end_ut(&mut self, run: &Operation, effect: Effect, (now, pc): (u64, u32), data: &mut Datapath) {
        data.take_over(run);
        if effect != Action::Nothing {
            let cycle = now + u64::from(data.chip.timing.completion_to_task) + self.draw_delay(Delay::Completion);
            self.completions.push(Completion { cycle, effect, pc });
        }
    }

    /// Lets completions that are due take effect, the earliest first and in the order in which they ended.
    pub fn take_completions(&mut self, now: u64) {
        while let Some(at) = self.earliest_completion().filter(|&at| self.completions[at].cycle <= now) {
            let completion = self.completions.remove(at);
            self.apply(completion.effect, completion.cycle, completion.pc);
        }
    }

    fn earliest_completion(&self) -> Option<usize> {
        (0..self.completions.len()).min_by_key(|&at| self.completions[at].cycle)
    }

    /// Lets an operation of instruction `pc` that has ended take effect.
    pub fn apply(&mut self, effect: Effect, cycle: u64, pc: u32) {
        match effect {
            Action::Nothing => {}
            Action::Activate(target) => {
                if self.shadow.is_some() {
                    self.look_at_completion(*target.id(), cycle, pc);
                }
                if let Err(kind) = self.tasks.activate_local(*target.id(), Some(pc)) {
                    self.raise_fault_at(kind, cycle, pc);
                }
            }
            Action::Unblock(target) => {
                self.tasks.set_blocked(target.map(|id| TaskId::clamped((*id).into())), false);
            }
        }
    }
}
