//! What a run writes: its log, its statistics, core files, and the folder for them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use csl_sim::Sim;

use super::Runtime;
use crate::core_file;
use crate::environment::OUTPUT_FOLDER;
use crate::error::{HostError, SequenceError};
use crate::simlog::{LogKinds, SimLog, Totals, prints};

/// The file with the statistics of a run, beside `sim.log`.
pub const STATISTICS_FILE: &str = "sim_stats.json";

/// The cause of an end that the host program asked for, in the words of the vendor's simulator.
pub(super) const BY_REQUEST: &str = "Stopping due to user request";

impl Runtime {
    pub(super) fn open_log(&mut self, path: PathBuf, kinds: LogKinds) -> Arc<Mutex<SimLog>> {
        self.warnings.extend(kinds.idle_places(&self.image));
        let mut log = SimLog::new(self.image.clone(), self.image.half(), path, kinds, self.prints.clone());
        self.warnings.extend(log.take_note());
        Arc::new(Mutex::new(log))
    }

    /// Writes the end of the run to the log. [`Runtime::flush_log`] reports an error in doing so.
    pub(super) fn close_log(&mut self, cause: &str) {
        let Some(log) = self.log.clone() else { return };
        let events = self.any_sim().map(Sim::take_events).unwrap_or_default();
        lock(&log).write(&events);
        if let Some(totals) = self.totals(cause) {
            lock(&log).close(&totals);
        }
    }

    /// Writes the events so far to the log file.
    ///
    /// # Errors
    /// [`HostError::Unwritable`], once.
    pub fn flush_log(&mut self) -> Result<(), HostError> {
        let (Some(log), Some(sim)) = (self.log.clone(), self.any_sim()) else { return Ok(()) };
        let events = sim.take_events();
        let mut log = lock(&log);
        log.write(&events);
        log.check()
    }

    /// As [`Runtime::flush_log`] beside another error, which comes first: one in writing the log is a warning.
    pub(crate) fn flush_log_beside_an_error(&mut self) {
        if let Err(error) = self.flush_log() {
            self.warnings.push(format!("the log is not whole: {error}"));
        }
    }

    /// Lines that programs have printed since the last call; empty when they go to a file.
    pub fn take_log(&mut self) -> String {
        if self.log.is_some() {
            return String::new();
        }
        let events = self.any_sim().map(Sim::take_events).unwrap_or_default();
        prints(&self.image, self.image.half(), &events)
    }

    /// The totals of the run, as `sim.log` and `sim_stats.json` tell them.
    fn totals(&mut self, cause: &str) -> Option<Totals> {
        let seconds = self.times.started.map_or(0.0, |started| started.elapsed().as_secs_f64());
        let threads = self.threads();
        let sim = self.any_sim()?;
        let (cycles, (executed, landed)) = (sim.cycle(), sim.last_activity());
        let tiles = sim.touched_count() as u64;
        Some(Totals {
            cause: cause.to_owned(),
            cycles,
            idle_ce: cycles - executed,
            idle_wavelets: cycles - landed,
            seconds,
            tiles,
            threads,
        })
    }

    /// The statistics in `sim_stats.json`: size, cycles, traffic.
    pub fn statistics(&mut self) -> serde_json::Value {
        let (image, loading) = (self.image.clone(), self.times.loading.as_secs_f64());
        let (Some(totals), Some(sim)) = (self.totals(BY_REQUEST), self.any_sim()) else {
            return serde_json::Value::Null;
        };
        let (hash, landings) = sim.landings();
        let (width, height) = (image.fabric.width, image.fabric.height);
        let (all, with_code) =
            (u64::from(width) * u64::from(height), image.tiles.iter().map(|run| u64::from(run.len)).sum());
        let (rate, tiles): (f64, u64) = (totals.cycles_per_second(), totals.tiles);
        let tile_rate = rate * tiles as f64;
        let without_code = all - std::cmp::min(all, with_code);
        serde_json::json!({
            "arch": image.arch.name(),
            "dimX": width, "dimY": height,
            "cycles": totals.cycles, "tiles": tiles, "untimed": self.is_untimed(),
            "wavelet_landings": landings, "landings_hash": format!("{hash:016x}"),
            "cycle_count": totals.cycles, "cycles_per_second": rate,
            "fabric_x": width, "fabric_y": height,
            "tile_count": all, "hwtile_count": with_code, "nultile_count": without_code,
            "iotile_count": 0, "sunset_count": 0, "simulated_tile_count": tiles,
            "idle_ce_cycles": totals.idle_ce, "idle_wavelet_cycles": totals.idle_wavelets,
            "init_time": loading, "sim_time": totals.seconds, "total_time": loading + totals.seconds,
            "nodes": 1, "threads": totals.threads,
            "tile_cycles_per_second": tile_rate,
            "tile_cycles_per_second_per_thread": tile_rate / totals.threads as f64,
            "sim_stop_cause": totals.cause,
        })
    }

    /// Writes `sim_stats.json`.
    ///
    /// # Errors
    /// [`HostError::Unwritable`] when the file cannot be written.
    pub fn write_statistics(&mut self, folder: &Path) -> Result<(), HostError> {
        let path = folder.join(STATISTICS_FILE);
        let text = format!("{:#}\n", self.statistics());
        std::fs::write(&path, text).map_err(|cause| HostError::Unwritable { path, cause })
    }

    /// Writes the memory of all PEs to a core file.
    ///
    /// # Errors
    /// [`HostError::Sequence`] before `load()`, [`HostError::Unwritable`] when the file cannot be written.
    pub fn dump_core(&mut self, path: &Path) -> Result<(), HostError> {
        let image = self.image.clone();
        let sim = self.any_sim().ok_or(SequenceError::NotLoaded { method: "dump_core()" })?;
        core_file::write(path, &image, sim)
    }
}

pub(super) fn lock(log: &Mutex<SimLog>) -> MutexGuard<'_, SimLog> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder for the log, the statistics and the core files of a run: the given one, or that in the environment variable
/// `WAFERLAB_OUTPUT_FOLDER`, made if it is not there; else the working directory.
///
/// # Errors
/// [`HostError::Unwritable`] when the folder cannot be made.
pub fn folder_of_run(given: Option<PathBuf>) -> Result<PathBuf, HostError> {
    let here = || std::env::current_dir().map_err(|cause| HostError::Unwritable { path: ".".into(), cause });
    let named = OUTPUT_FOLDER.value().filter(|name| !name.is_empty()).map(PathBuf::from);
    let Some(folder) = given.or(named) else { return here() };
    let path = here()?.join(folder);
    match std::fs::create_dir_all(&path) {
        Ok(()) => Ok(path),
        Err(cause) => Err(HostError::Unwritable { path, cause }),
    }
}
