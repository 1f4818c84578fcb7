//! The end of a run.

use crate::machine::Pause;
use crate::sim::Sim;
use crate::stop::RunError;

/// Cycles that launched functions have to unblock the command stream, from the call of [`Sim::stop`] on.
const GRACE: u64 = 10_000_000;

/// Cycles that programs get after the last unblock, or where nothing was launched, for their last prints and stores.
const DRAIN_CYCLES: u64 = 10_000;

/// Cycles that a program without memcpy gets instead: no host can wait for its end otherwise.
const DRAIN_CYCLES_WITHOUT_MEMCPY: u64 = 1_000_000;

/// The factor of these numbers by other schedules, whose delays are long.
const BY_SCHEDULE: u64 = 100;

/// The way in which a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every launched function has unblocked the command stream, or nothing was launched.
    Complete,
    /// Nothing can move any more, and some launched function has not unblocked the command stream.
    Waiting,
    /// Launched functions were still busy `after` cycles after the call, or the run has reached its limit of cycles.
    CutOff { after: u64 },
}

impl Sim {
    /// Completes all pending commands; nothing can be submitted after that. Results can still be taken with
    /// [`Sim::wait`].
    ///
    /// The run continues while the machine moves and a launched function has not unblocked the command stream. Then
    /// programs that are still busy run on for a while: up to a cycle that no PE has run ahead of, where all of them
    /// stand.
    pub fn stop(&mut self) -> Result<Ending, RunError> {
        self.stopped = true;
        let called_at = self.machine.now;
        while let Some(ticket) = self.host.oldest() {
            self.run_until(ticket, u64::MAX)?;
        }
        let most = self.options().max_cycles;
        let factor = if self.options().schedule.is_some() { BY_SCHEDULE } else { 1 };
        let limit = most.unwrap_or(called_at + factor * GRACE).saturating_add(1);
        let mut pause = Pause::Reached;
        if self.host.waits_for_functions() {
            pause = self.finish(limit, true)?;
        }
        let mut is_cut_off = pause == Pause::Limit;
        if pause == Pause::Reached {
            let drain = if self.image().memcpy.is_some() { DRAIN_CYCLES } else { DRAIN_CYCLES_WITHOUT_MEMCPY };
            let end = self.machine.now + factor * drain;
            pause = self.finish(end.min(most.map_or(u64::MAX, |_| limit)), false)?;
            is_cut_off = pause == Pause::Limit && most.is_some_and(|_| limit < end);
        }
        self.at_rest = pause == Pause::Quiet;
        self.machine.synchronize();
        Ok(match is_cut_off {
            true => Ending::CutOff { after: self.machine.now - called_at },
            false if self.host.waits_for_functions() => Ending::Waiting,
            false => Ending::Complete,
        })
    }

    /// Runs up to a cycle that no PE has run ahead of; with `waits`, to the end of the last launched function.
    fn finish(&mut self, limit: u64, waits: bool) -> Result<Pause, RunError> {
        let host = &mut self.host;
        let limit = self.machine.latest_local_time().max(limit);
        let pause = self.machine.run(limit, |done| {
            host.collect(done);
            waits && !host.waits_for_functions()
        })?;
        match pause {
            Pause::Interrupted => Err(RunError::Interrupted(self.blocked_state())),
            pause => Ok(pause),
        }
    }
}
