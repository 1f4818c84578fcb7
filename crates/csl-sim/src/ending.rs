//! The end of a run.

use crate::machine::Pause;
use crate::sim::Sim;
use crate::stop::RunError;

/// Cycles that launched functions have to unblock the command stream, from the call of [`Sim::stop`] on.
const GRACE: u64 = 10_000_000;

/// Cycles that programs get after the last unblock, or where nothing was launched, for their last prints and stores.
const DRAIN_CYCLES: u64 = 10_000;

/// Cycles that a program without memcpy gets instead, unless the run has a limit: no host can wait for its end otherwise.
const DRAIN_CYCLES_WITHOUT_MEMCPY: u64 = 1_000_000;

/// The factor of these numbers by other schedules, whose delays are long.
const BY_SCHEDULE: u64 = 100;

/// The way in which a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every launched function has unblocked the command stream, or nothing was launched.
    Complete,
    /// The same, and programs were still busy `after` cycles after that, where they were cut off.
    Drained { after: u64 },
    /// Nothing can move any more, and some launched function has not unblocked the command stream, or without a host a main
    /// thread waits.
    Waiting,
    /// Launched functions, or programs without memcpy, were still busy `after` cycles after the call, or the run has reached
    /// its limit of cycles.
    CutOff { after: u64 },
}

impl Ending {
    /// Whether nothing that the host waits for is missing.
    pub fn is_complete(self) -> bool {
        matches!(self, Ending::Complete | Ending::Drained { .. })
    }
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
        let (has_memcpy, unblocked_at) = (self.image().memcpy.is_some(), self.machine.now);
        if pause == Pause::Reached {
            let end = match (has_memcpy, most) {
                (true, _) => unblocked_at + factor * DRAIN_CYCLES,
                (false, None) => unblocked_at + factor * DRAIN_CYCLES_WITHOUT_MEMCPY,
                (false, Some(_)) => limit,
            };
            pause = self.finish(end.min(most.map_or(u64::MAX, |_| limit)), false)?;
            is_cut_off = pause == Pause::Limit && (!has_memcpy || most.is_some_and(|_| limit < end));
        }
        self.at_rest = pause == Pause::Quiet;
        self.machine.synchronize();
        let is_alone = !has_memcpy && !self.has_ports();
        Ok(match pause {
            _ if is_cut_off => Ending::CutOff { after: self.machine.now - called_at },
            Pause::Limit => Ending::Drained { after: self.machine.now - unblocked_at },
            _ if self.host.waits_for_functions() => Ending::Waiting,
            _ if is_alone && self.at_rest && self.blocked_state().has_waiting_main() => Ending::Waiting,
            _ => Ending::Complete,
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
