//! The end of a run, by the host or by what happens, with its warnings and errors.

use std::sync::atomic::Ordering;

use csl_sim::{BlockedState, Ending, RunError, Sim};

use super::output::{BY_REQUEST, lock};
use super::{Runtime, State, Task};
use crate::error::{Failure, HostError};
use crate::report::{self, warnings};

impl Runtime {
    /// Waits for all requests and launched functions, and ends the run. Memory can be read afterwards. A launched
    /// function that does not end is a warning.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs; [`HostError::Failed`] and [`HostError::Interrupted`]
    /// when the run ends before that.
    pub fn stop(&mut self) -> Result<Ending, HostError> {
        let ending = self.advance("stop()", Sim::stop)?;
        let open: Vec<u64> = self.tasks.iter().filter(|(_, task)| !task.done).map(|(&number, _)| number).collect();
        open.into_iter().try_for_each(|number| self.wait(Task(number)))?;
        self.add_mistakes(None);
        if let State::Running(mut sim) = std::mem::replace(&mut self.state, State::Opened) {
            let blocked_state = sim.blocked_state();
            self.look_back(&blocked_state, Some(ending), sim.is_at_rest());
            self.state = State::Stopped(sim);
            self.close_log(BY_REQUEST);
        }
        if let Some(log) = &self.log {
            lock(log).release();
        }
        Ok(ending)
    }

    /// Warns of what the run has left, for one that ends without [`Runtime::stop`], if nothing can move any more.
    pub fn tell_left_over(&mut self) {
        if let State::Running(sim) = &mut self.state
            && sim.stands()
        {
            let blocked_state = sim.blocked_state();
            self.look_back(&blocked_state, None, true);
        }
    }

    /// Adds what checked PEs have found so far to the warnings, once: [`Runtime::stop`] and a run that fails do it, and a host
    /// program that ends before has this.
    pub fn tell_mistakes(&mut self) {
        if !self.mistakes_are_told {
            self.add_mistakes(None);
        }
    }

    /// Adds the warnings that are given at the end of a run; `ending` is known of one that was stopped.
    fn look_back(&mut self, blocked_state: &BlockedState, ending: Option<Ending>, is_at_rest: bool) {
        let (image, sources) = (&self.image, &self.sources);
        self.warnings.extend(warnings::at_the_end(image, sources, blocked_state, ending, is_at_rest));
    }

    fn add_mistakes(&mut self, told: Option<&csl_pe::Fault>) {
        self.mistakes_are_told = true;
        let found = self.any_sim().map(Sim::mistakes).unwrap_or_default();
        self.warnings.extend(report::checked::mistakes(&self.image, &self.sources, &found, told));
    }

    /// The result of something that ran, or the error that ended it.
    pub(super) fn finish<T>(&mut self, result: Result<T, RunError>) -> Result<T, HostError> {
        if let Some(blocked_state) = self.any_sim().and_then(Sim::take_overtaken) {
            self.warnings.push(warnings::overtaken(&self.image, &blocked_state));
        }
        result.map_err(|stop| {
            self.close_log(match stop {
                RunError::Fault(_) => "Stopping due to a fault",
                RunError::Deadlock(_) => "Stopping due to deadlock",
                RunError::Interrupted(_) => BY_REQUEST,
                RunError::OutOfCycles(_) => "Stopping due to the limit of cycles",
            });
            self.flush_log_beside_an_error();
            self.add_mistakes(match &stop {
                RunError::Fault(report) => report.of_pe(),
                _ => None,
            });
            let report = report::explain(&self.image, &self.sources, &stop, self.is_untimed(), &self.rendering);
            let event = report::event(&self.image, &self.sources, &stop);
            let cause = match stop {
                RunError::Interrupted(blocked_state) => {
                    self.interrupt.store(false, Ordering::Relaxed);
                    return HostError::Interrupted { cycle: blocked_state.cycle, report };
                }
                RunError::Fault(_) => Failure::Fault,
                RunError::Deadlock(_) => Failure::Deadlock,
                RunError::OutOfCycles(_) => Failure::OutOfCycles,
            };
            HostError::Failed { cause, event, report }
        })
    }
}
