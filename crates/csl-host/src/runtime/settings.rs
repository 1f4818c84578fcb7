//! What a run is told before it begins: its settings, and the environment variables that it obeys.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use csl_diag::Rendering;
use csl_sim::{Check, NATIVE_AFTER, TimeReads, Traces};

use super::Runtime;
use crate::available_threads;
use crate::environment::{CHECK, JIT, MAX_CYCLES, SCHEDULE, UNTIMED};
use crate::error::{ArgumentError, HostError};
use crate::simlog::{LOG_FILE, LogKinds};

/// Settings of a run. None of them changes the result of a program without races.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The greatest number of threads, 1 or more.
    pub threads: usize,
    /// Whether PEs look for mistakes of their programs; `None` leaves it to `WAFERLAB_CHECK`.
    pub check: Option<Check>,
    /// The number of a schedule other than the machine's own: orders and delays that the machine leaves open are drawn.
    /// Cycles change, and results of programs with races.
    pub schedule: Option<u64>,
    /// Whether there is a clock: without one memory, faults and deadlocks are the same, and there are no times. `None` leaves
    /// it to `WAFERLAB_UNTIMED`.
    pub untimed: Option<Untimed>,
}

/// What reads of the time give in a run without a clock; `None` for a run with one.
pub type Untimed = Option<TimeReads>;

impl Settings {
    /// Runs on `threads` threads, without checks.
    pub fn new(threads: usize) -> Settings {
        Settings { threads, check: None, schedule: None, untimed: None }
    }
}

impl Runtime {
    /// Sets how the report of a run that cannot go on looks.
    pub fn render_reports(&mut self, how: Rendering) {
        self.rendering = how;
    }

    /// Lets this flag interrupt the run in place of its own: several runs can share one.
    pub fn interrupt_by(&mut self, flag: Arc<AtomicBool>) {
        self.interrupt = flag;
    }

    /// The flag that interrupts the run: once it is set, a call that blocks ends with [`HostError::Interrupted`].
    pub fn interrupt(&self) -> Arc<AtomicBool> {
        self.interrupt.clone()
    }

    /// Ends the run after `WAFERLAB_MAX_CYCLES` cycles, if there are such. To be called before `load()`.
    ///
    /// # Errors
    /// [`HostError::Argument`] for a `WAFERLAB_MAX_CYCLES` that is no number of cycles.
    pub fn obey_limit(&mut self) -> Result<(), HostError> {
        if let Some(text) = MAX_CYCLES.text() {
            let cycles = text.trim().parse().ok().filter(|cycles| *cycles > 0);
            self.max_cycles = Some(cycles.ok_or(ArgumentError::Cycles { variable: MAX_CYCLES.name, text })?);
        }
        Ok(())
    }

    /// Applies the environment of a run in `folder`: logs there the kinds of events in `SIMFABRIC_DEBUG`, ends after
    /// `WAFERLAB_MAX_CYCLES` cycles, shows the progress of the run on a terminal. What the settings leave open is as
    /// `WAFERLAB_CHECK`, `WAFERLAB_SCHEDULE` and `WAFERLAB_UNTIMED` say. To be called before `load()`.
    ///
    /// # Errors
    /// [`HostError::Argument`] for a variable whose value cannot be taken.
    pub fn obey_environment(&mut self, folder: &Path) -> Result<(), HostError> {
        let (kinds, warnings) = LogKinds::from_environment();
        self.warnings.extend(warnings);
        self.log_to(folder.join(LOG_FILE), kinds);
        self.obey_limit()?;
        if let (Some(text), None) = (CHECK.text(), self.settings.check) {
            let check = parse_check(text.trim());
            self.settings.check = Some(check.ok_or(ArgumentError::Check { variable: CHECK.name, text })?);
        }
        if let (Some(text), None) = (SCHEDULE.text(), self.settings.schedule) {
            let number = text.trim().parse().map_err(|_| ArgumentError::Schedule { variable: SCHEDULE.name, text })?;
            self.settings.schedule = Some(number);
        }
        if let (Some(text), None) = (UNTIMED.text(), self.settings.untimed) {
            let untimed = parse_untimed(text.trim());
            self.settings.untimed = Some(untimed.ok_or(ArgumentError::UntimedValue { variable: UNTIMED.name, text })?);
        }
        self.gauge = Some(Arc::default());
        Ok(())
    }

    /// Lets the interpreter run all scalar code, as `WAFERLAB_JIT=0` does. To be called before `load()`.
    pub fn interpret(&mut self) {
        self.is_interpreted = true;
    }

    /// Ends the run, with a report, when it has taken `cycles` clock cycles. To be called before `load()`.
    pub fn limit_cycles(&mut self, cycles: u64) {
        self.max_cycles = Some(cycles);
    }

    /// Logs to a file: the lines that programs print, and the events that `kinds` names. To be called before `load()`.
    pub fn log_to(&mut self, path: PathBuf, kinds: LogKinds) {
        self.log_plan = Some((path, kinds));
    }

    /// Gathers the lines that programs print, as the log has them: the caller takes them out as they come, also while a
    /// call runs the machine. They come with a log, so [`Runtime::log_to`] is needed, too. To be called before `load()`.
    pub fn gather_prints(&mut self) -> Arc<Mutex<String>> {
        Arc::clone(self.prints.get_or_insert_default())
    }

    /// Whether PEs look for mistakes of their programs.
    pub fn is_checked(&self) -> bool {
        self.settings.check.is_some_and(|check| check != Check::Off)
    }

    /// Whether the run has no clock, so that its cycles mean nothing.
    pub fn is_untimed(&self) -> bool {
        self.settings.untimed.flatten().is_some()
    }

    /// Refuses what has no meaning without a clock.
    pub(super) fn refuse_times(&self, traces: Option<&Traces>) -> Result<(), HostError> {
        let logs = traces.is_some_and(|traces| *traces != Traces::default());
        let what = match self.settings.schedule {
            Some(_) => "other schedule: a schedule draws cycles",
            None if logs => "log of wavelets or instructions: its lines are those of cycles",
            None => return Ok(()),
        };
        Err(ArgumentError::Untimed { what }.into())
    }

    pub(super) fn threads(&self) -> usize {
        self.settings.threads.clamp(1, available_threads())
    }
}

/// The checks that a word asks for.
pub fn parse_check(text: &str) -> Option<Check> {
    match text {
        "" | "0" | "off" => Some(Check::Off),
        "1" | "on" => Some(Check::On),
        "stop" => Some(Check::Stop),
        _ => None,
    }
}

/// What `--untimed` and its like may be: that there is no clock, and what reads of the time give.
pub fn parse_untimed(text: &str) -> Option<Untimed> {
    match text {
        "" | "0" | "off" => Some(None),
        "1" | "on" => Some(Some(TimeReads::Refused)),
        "own-time" => Some(Some(TimeReads::OwnTime)),
        _ => None,
    }
}

/// The turns after which functions become native, by `WAFERLAB_JIT`.
pub(super) fn native_after() -> Result<Option<u32>, ArgumentError> {
    let Some(text) = JIT.text() else { return Ok(Some(NATIVE_AFTER)) };
    let turns: u32 = text.trim().parse().map_err(|_| ArgumentError::Jit { variable: JIT.name, text })?;
    Ok((turns > 0).then_some(turns))
}
