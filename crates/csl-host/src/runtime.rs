//! A program on the simulated wafer: load, run, copy, launch, wait, stop.
//!
//! Requests are checked here before anything moves, and handed to the machine as commands. The machine takes them in
//! order; it advances only while somebody waits.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use csl_image::{HalfFormat, Image};
use csl_num::FloatKind;
use csl_sim::{Command, Ending, Endpoint, Gauge, Sim, SimOptions, Sink, Stop, Ticket};
use indexmap::IndexMap;

use crate::arguments::{self, Argument};
use crate::check;
use crate::core;
use crate::error::HostError;
use crate::outdir::IMAGE_FILE;
use crate::progress::{self, Progress};
use crate::report;
use crate::simlog::{LOG_FILE, LogKinds, SimLog, Totals, prints};
use crate::transfer::{Order, Shape, to_device, to_host};

pub use csl_sim::{Rect, Spread, Width};

/// What a run leaves beside `sim.log`.
const STATISTICS_FILE: &str = "sim_stats.json";

/// How to run. Nothing here changes a result.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads at most.
    pub threads: usize,
}

/// A request that was taken: give it to [`Runtime::wait`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Task(pub u64);

/// What a copy moves, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Copy {
    pub rect: Rect,
    /// Elements on each PE.
    pub per_pe: u32,
    pub width: Width,
    pub order: Order,
    /// Streaming: the number given is a color. Otherwise it is that of a symbol.
    pub streaming: bool,
}

/// Where a runtime stands in its life.
enum State {
    Opened,
    Loaded(Sim),
    Running(Sim),
    Stopped(Sim),
}

struct Pending {
    ticket: Ticket,
    /// For copies to the host.
    arrival: Option<(Shape, Order)>,
    done: bool,
}

/// How long the run has taken.
#[derive(Default)]
struct Times {
    loading: Duration,
    started: Option<Instant>,
    running: Duration,
}

/// The variable that ends runs that take more cycles.
const MAX_CYCLES: &str = "WAFERLAB_MAX_CYCLES";

/// Why a run ends when the host program wants it to, in the words of the vendor's simulator.
const BY_REQUEST: &str = "Stopping due to user request";

/// One compiled program and its machine.
pub struct Runtime {
    image: Arc<Image>,
    /// Folder that the names of source files are relative to.
    sources: PathBuf,
    settings: Settings,
    interrupt: Arc<AtomicBool>,
    state: State,
    tasks: IndexMap<u64, Pending>,
    next: u64,
    arrived: Vec<(Task, Vec<u32>)>,
    warnings: Vec<String>,
    /// Functions that have been called.
    called: HashSet<u16>,
    log: Option<Arc<Mutex<SimLog>>>,
    /// Where to log, and what beside prints.
    log_plan: Option<(PathBuf, LogKinds)>,
    max_cycles: Option<u64>,
    /// How far the run has come, where a terminal shows it.
    gauge: Option<Arc<Gauge>>,
    times: Times,
}

impl Runtime {
    /// Opens the output folder of a compilation.
    pub fn open(folder: &Path, settings: Settings) -> Result<Runtime, HostError> {
        let image = read_image(folder)?;
        let sources = PathBuf::from(&image.origin.folder);
        Ok(Runtime::new(Arc::new(image), sources, settings))
    }

    /// A runtime of an image in memory; `sources` is the folder that its file names are relative to.
    pub fn new(image: Arc<Image>, sources: PathBuf, settings: Settings) -> Runtime {
        Runtime {
            image,
            sources,
            settings,
            interrupt: Arc::default(),
            state: State::Opened,
            tasks: IndexMap::new(),
            next: 0,
            arrived: Vec::new(),
            warnings: Vec::new(),
            called: HashSet::new(),
            log: None,
            log_plan: None,
            max_cycles: None,
            gauge: None,
            times: Times::default(),
        }
    }

    pub fn image(&self) -> &Image {
        &self.image
    }

    /// When set, a call that blocks ends with [`HostError::Interrupted`].
    pub fn interrupt(&self) -> Arc<AtomicBool> {
        self.interrupt.clone()
    }

    /// Warnings since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    pub fn load(&mut self) -> Result<(), HostError> {
        if !matches!(self.state, State::Opened) {
            return Err(HostError::Order("load() can be called once, first of all".to_owned()));
        }
        let since = Instant::now();
        self.log = self.log_plan.take().map(|(path, kinds)| self.open_log(path, kinds));
        let traces = self.log.as_ref().map(|log| lock(log).traces());
        let options = SimOptions {
            threads: self.threads(),
            traces: traces.unwrap_or_default(),
            max_cycles: self.max_cycles,
            gauge: self.gauge.clone(),
            sink: self.log.clone().map(|log| Sink::new(move |events| lock(&log).write(&events))),
            interrupt: self.interrupt.clone(),
        };
        let sim = Sim::new(self.image.clone(), options).map_err(|error| HostError::Simulation(error.to_string()))?;
        self.state = State::Loaded(sim);
        self.times.loading = since.elapsed();
        Ok(())
    }

    pub fn run(&mut self) -> Result<(), HostError> {
        match std::mem::replace(&mut self.state, State::Opened) {
            State::Loaded(sim) => {
                self.state = State::Running(sim);
                self.times.started = Some(Instant::now());
                Ok(())
            }
            other => {
                self.state = other;
                Err(HostError::Order("run() can be called once, after load()".to_owned()))
            }
        }
    }

    /// Waits for everything that was asked for, and for the end of what was launched, and ends the run. Memory can be read
    /// afterwards. A launched function that does not end is a warning.
    pub fn stop(&mut self) -> Result<Ending, HostError> {
        let ending = self.advance("stop()", Sim::stop)?;
        let open: Vec<u64> = self.tasks.iter().filter(|(_, task)| !task.done).map(|(&number, _)| number).collect();
        open.into_iter().try_for_each(|number| self.wait(Task(number)))?;
        if let State::Running(mut sim) = std::mem::replace(&mut self.state, State::Opened) {
            let situation = sim.situation();
            self.warnings.extend(report::held_places(&self.image, &self.sources, &situation));
            if ending != Ending::Complete {
                self.warnings.extend(report::unfinished(&self.image, &self.sources, ending, &situation));
            }
            self.warnings.extend(report::left_the_rectangle(&situation));
            if sim.is_at_rest() {
                self.warnings.extend(report::left_standing(&self.image, &self.sources, &situation));
            }
            self.state = State::Stopped(sim);
            self.close_log(BY_REQUEST);
        }
        if let Some(log) = &self.log {
            lock(log).release();
        }
        Ok(ending)
    }

    /// The number of an exported symbol or function.
    pub fn id(&self, name: &str) -> Result<u16, HostError> {
        check::named(&self.image, name).map(|export| export.id)
    }

    /// Place in the whole fabric of a PE of the program.
    pub fn to_physical(&self, x: u32, y: u32) -> (u32, u32) {
        (self.image.offset.x + x, self.image.offset.y + y)
    }

    /// Copies `words` to a symbol, or sends them on a color. `words` is the host array of `order`.
    pub fn h2d(&mut self, to: u32, words: &[u32], copy: &Copy, spread: Spread) -> Result<Task, HostError> {
        self.sim("memcpy_h2d")?;
        let target = check::endpoint(&self.image, to, copy, true)?;
        check::rect(&self.image, &copy.rect)?;
        let shape = shape(copy, spread);
        self.warnings.extend(check::host_words("memcpy_h2d", words.len(), shape)?);
        self.check_extent(&target, copy);
        let data = to_device(words, shape, copy.order);
        self.submit(
            Command::H2d { to: target, rect: copy.rect, per_pe: copy.per_pe, width: copy.width, spread, data },
            None,
        )
    }

    /// Copies a symbol, or what comes on a color, into `room` words of the host: see [`Runtime::take_arrived`].
    pub fn d2h(&mut self, from: u32, room: usize, copy: &Copy) -> Result<Task, HostError> {
        self.sim("memcpy_d2h")?;
        let source = check::endpoint(&self.image, from, copy, false)?;
        check::rect(&self.image, &copy.rect)?;
        let shape = shape(copy, Spread::Each);
        self.warnings.extend(check::host_words("memcpy_d2h", room, shape)?);
        self.check_extent(&source, copy);
        self.submit(
            Command::D2h { from: source, rect: copy.rect, per_pe: copy.per_pe, width: copy.width },
            Some((shape, copy.order)),
        )
    }

    /// Calls an exported function on every PE with typed arguments.
    pub fn launch(&mut self, name: &str, arguments: &[Argument]) -> Result<Task, HostError> {
        self.sim("launch")?;
        let (function, params) = check::function(&self.image, name)?;
        let args = arguments::words(name, params, arguments, half(&self.image))?;
        self.call_everywhere(function, args)
    }

    /// Calls an exported function on every PE with raw words; words beyond its parameters are ignored.
    pub fn call(&mut self, name: &str, words: &[u32]) -> Result<Task, HostError> {
        self.sim("call")?;
        let (function, params) = check::function(&self.image, name)?;
        if words.len() < params.len() {
            let text = format!("call: {name} takes {} words, {} given", params.len(), words.len());
            return Err(HostError::argument(text));
        }
        let args = words[..params.len()].to_vec();
        self.call_everywhere(function, args)
    }

    fn call_everywhere(&mut self, function: u16, args: Vec<u32>) -> Result<Task, HostError> {
        let warning = check::callable(&self.image, function)?;
        if self.called.insert(function) {
            self.warnings.extend(warning);
        }
        self.submit(Command::Launch { function, args }, None)
    }

    /// Runs until nothing can move any more unless something else is asked for.
    pub fn rest(&mut self) -> Result<(), HostError> {
        self.advance("memcpy_launch", Sim::rest)
    }

    /// Runs until the task is done.
    pub fn wait(&mut self, task: Task) -> Result<(), HostError> {
        let ticket = self.pending(task)?;
        let Some(ticket) = ticket else { return Ok(()) };
        let data = self.advance("task_wait", |sim| sim.wait(ticket))?;
        self.complete(task, data);
        Ok(())
    }

    /// Whether the task is done; if not, the machine moves on a little.
    pub fn is_done(&mut self, task: Task) -> Result<bool, HostError> {
        let Some(ticket) = self.pending(task)? else { return Ok(true) };
        let done = self.advance("is_task_done", |sim| sim.is_done(ticket))?;
        if done {
            self.wait(task)?;
        }
        Ok(done)
    }

    /// Host arrays that are complete and have not been taken yet.
    pub fn take_arrived(&mut self) -> Vec<(Task, Vec<u32>)> {
        std::mem::take(&mut self.arrived)
    }

    /// Does what the environment of a run in `folder` says: logs there what `SIMFABRIC_DEBUG` names, ends after
    /// `WAFERLAB_MAX_CYCLES` cycles, shows on a terminal how far the run has come. To be called before `load()`.
    pub fn obey_environment(&mut self, folder: &Path) -> Result<(), HostError> {
        let (kinds, warnings) = LogKinds::from_environment();
        self.warnings.extend(warnings);
        self.log_to(folder.join(LOG_FILE), kinds);
        if let Ok(text) = std::env::var(MAX_CYCLES) {
            let cycles = text.trim().parse().ok().filter(|cycles| *cycles > 0);
            let wrong =
                || HostError::argument(format!("{MAX_CYCLES}={text}: a number of cycles, 1 or more, is wanted"));
            self.max_cycles = Some(cycles.ok_or_else(wrong)?);
        }
        self.gauge = Some(Arc::default());
        Ok(())
    }

    /// Ends the run, with a report, when it has taken so many cycles. To be called before `load()`.
    pub fn limit_cycles(&mut self, cycles: u64) {
        self.max_cycles = Some(cycles);
    }

    /// Has everything logged to a file: what programs print, and what `kinds` says. To be called before `load()`.
    pub fn log_to(&mut self, path: PathBuf, kinds: LogKinds) {
        self.log_plan = Some((path, kinds));
    }

    fn open_log(&mut self, path: PathBuf, kinds: LogKinds) -> Arc<Mutex<SimLog>> {
        self.warnings.extend(kinds.idle_places(&self.image));
        let mut log = SimLog::new(self.image.clone(), half(&self.image), path, kinds);
        self.warnings.extend(log.take_note());
        Arc::new(Mutex::new(log))
    }

    /// Writes how the run has come to its end. That it cannot be written is told by [`Runtime::flush_log`].
    fn close_log(&mut self, cause: &str) {
        let (Some(log), true) = (self.log.clone(), self.flush_log().is_ok()) else { return };
        if let Some(totals) = self.totals(cause) {
            lock(&log).close(&totals);
        }
    }

    /// What a run has come to, as `sim.log` and `sim_stats.json` tell it.
    fn totals(&mut self, cause: &str) -> Option<Totals> {
        self.times.running = self.times.started.map(|started| started.elapsed()).unwrap_or_default();
        let seconds = self.times.running.as_secs_f64();
        let threads = self.threads();
        let sim = self.any_sim()?;
        let (cycles, (executed, landed)) = (sim.cycle(), sim.last_activity());
        let tiles = sim.touched().len() as u64;
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

    /// Brings what has happened so far into the log file.
    pub fn flush_log(&mut self) -> Result<(), HostError> {
        let (Some(log), Some(sim)) = (self.log.clone(), self.any_sim()) else { return Ok(()) };
        let events = sim.take_events();
        let mut log = lock(&log);
        log.write(&events);
        log.check().map_err(HostError::Order)
    }

    fn any_sim(&mut self) -> Option<&mut Sim> {
        match &mut self.state {
            State::Opened => None,
            State::Loaded(sim) | State::Running(sim) | State::Stopped(sim) => Some(sim),
        }
    }

    /// Lines that programs have printed since the last call; nothing when they go to a file.
    pub fn take_log(&mut self) -> String {
        if self.log.is_some() {
            return String::new();
        }
        let events = self.any_sim().map(Sim::take_events).unwrap_or_default();
        prints(&self.image, half(&self.image), &events)
    }

    /// The bytes of a named object of the PE at this place in the whole fabric.
    pub fn read_symbol(&mut self, x: u32, y: u32, name: &str) -> Result<Vec<u8>, HostError> {
        let offset = self.image.offset;
        let outside = || HostError::argument(format!("there is no PE of the program at ({x}, {y}) of the fabric"));
        let (column, row) =
            (x.checked_sub(offset.x).ok_or_else(outside)?, y.checked_sub(offset.y).ok_or_else(outside)?);
        let sim = match &mut self.state {
            State::Opened => return Err(HostError::Order("read_symbol() needs load() first".to_owned())),
            State::Loaded(sim) | State::Running(sim) | State::Stopped(sim) => sim,
        };
        let found = sim.read_symbol(column, row, name).map_err(|error| HostError::Argument(error.to_string()))?;
        found.ok_or_else(|| HostError::argument(format!("the PE at ({x}, {y}) has no symbol {name}")))
    }

    /// Writes the memory of all PEs to a core file.
    pub fn dump_core(&mut self, path: &Path) -> Result<(), HostError> {
        let image = self.image.clone();
        let sim = self.any_sim().ok_or_else(|| HostError::Order("dump_core() needs load() first".to_owned()))?;
        core::write(path, &image, sim)
    }

    /// What `sim_stats.json` says of the run: size, cycles, traffic.
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
            "arch": csl_machine::Arch::from(image.arch).name(),
            "dimX": width, "dimY": height,
            "cycles": totals.cycles, "tiles": tiles,
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
    pub fn write_statistics(&mut self, folder: &Path) -> Result<(), HostError> {
        let path = folder.join(STATISTICS_FILE);
        let text = format!("{:#}\n", self.statistics());
        std::fs::write(&path, text).map_err(|error| HostError::Order(format!("{}: {error}", path.display())))
    }

    /// Cycles since the start; 0 before `load()`.
    pub fn cycle(&self) -> u64 {
        match &self.state {
            State::Opened => 0,
            State::Loaded(sim) | State::Running(sim) | State::Stopped(sim) => sim.cycle(),
        }
    }

    /// More threads than the machine has would only wait for one another.
    fn threads(&self) -> usize {
        let available = std::thread::available_parallelism().map_or(1, usize::from);
        self.settings.threads.clamp(1, available)
    }

    fn sim(&mut self, what: &str) -> Result<&mut Sim, HostError> {
        match &mut self.state {
            State::Running(sim) => Ok(sim),
            State::Stopped(_) => Err(HostError::Order(format!("{what}: the run has been stopped"))),
            _ => Err(HostError::Order(format!("{what}: call load() and run() first"))),
        }
    }

    pub(crate) fn submit(&mut self, command: Command, arrival: Option<(Shape, Order)>) -> Result<Task, HostError> {
        let ticket = self.sim("a command")?.submit(command).map_err(|error| HostError::Argument(error.to_string()))?;
        let task = Task(self.next);
        self.next += 1;
        self.tasks.insert(task.0, Pending { ticket, arrival, done: false });
        Ok(task)
    }

    /// What comes of a stream to the host from the first PE of `rect` before nothing can move any more.
    pub(crate) fn wait_for_some(&mut self, command: Command, rect: Rect) -> Result<Vec<u32>, HostError> {
        let submitted = self.sim("receive_tofile")?.submit(command);
        let ticket = submitted.map_err(|error| HostError::Argument(error.to_string()))?;
        self.advance("receive_tofile", |sim| sim.wait_for_some(ticket, rect.x, rect.y))
    }

    /// The ticket of a task; `None` when it is done.
    fn pending(&self, task: Task) -> Result<Option<Ticket>, HostError> {
        match self.tasks.get(&task.0) {
            Some(pending) => Ok((!pending.done).then_some(pending.ticket)),
            None => Err(HostError::argument("the task is not one of this runtime")),
        }
    }

    fn complete(&mut self, task: Task, data: Option<Vec<u32>>) {
        let Some(pending) = self.tasks.get_mut(&task.0) else { return };
        pending.done = true;
        if let (Some((shape, order)), Some(words)) = (pending.arrival, data) {
            self.arrived.push((task, to_host(words, shape, order)));
        }
    }

    /// Has the machine do something that takes time, and shows how far it has come.
    fn advance<T>(&mut self, what: &str, work: impl FnOnce(&mut Sim) -> Result<T, Stop>) -> Result<T, HostError> {
        let gauge = self.gauge.clone();
        let sim = self.sim(what)?;
        let progress = gauge.map(|gauge| Progress::showing(progress::of_run(gauge)));
        let result = work(sim);
        drop(progress);
        self.finish(result)
    }

    /// The result of something that ran, or why it did not finish.
    fn finish<T>(&mut self, result: Result<T, Stop>) -> Result<T, HostError> {
        if let Some(situation) = self.any_sim().and_then(Sim::take_overtaken) {
            self.warnings.push(report::overtaken(&situation));
        }
        result.map_err(|stop| {
            self.close_log(match stop {
                Stop::Fault(_) => "Stopping due to a fault",
                Stop::Deadlock(_) => "Stopping due to deadlock",
                Stop::Interrupted(_) => BY_REQUEST,
                Stop::OutOfCycles(_) => "Stopping due to the limit of cycles",
            });
            let report = report::explain(&self.image, &self.sources, &stop);
            match stop {
                Stop::Interrupted(situation) => {
                    self.interrupt.store(false, Ordering::Relaxed);
                    HostError::Interrupted { cycle: situation.cycle, report }
                }
                _ => HostError::Simulation(report),
            }
        })
    }

    /// Warns when a copy reaches beyond the array that the symbol points to on its first PE.
    fn check_extent(&mut self, target: &Endpoint, copy: &Copy) {
        let (Endpoint::Symbol(id), State::Running(sim)) = (target, &mut self.state) else { return };
        if let Some(warning) = check::extent(&self.image, sim, *id, copy) {
            self.warnings.push(warning);
        }
    }
}

fn lock(log: &Mutex<SimLog>) -> MutexGuard<'_, SimLog> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The image in the output folder of a compilation.
pub fn read_image(folder: &Path) -> Result<Image, HostError> {
    let wrong = |reason: String| HostError::NoProgram { folder: folder.to_owned(), reason };
    if folder.is_file() {
        return Err(wrong("a file; give the folder that cslc has written, such as `out`".to_owned()));
    }
    if !folder.is_dir() {
        return Err(wrong("there is no such folder; compile the program with `cslc ... -o FOLDER` first".to_owned()));
    }
    let bytes = std::fs::read(folder.join(IMAGE_FILE)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => wrong(format!("not an output folder of cslc: it has no {IMAGE_FILE}")),
        _ => wrong(error.to_string()),
    })?;
    Image::read(&bytes).map_err(|error| wrong(error.to_string()))
}

fn shape(copy: &Copy, spread: Spread) -> Shape {
    let (rows, columns) = (copy.rect.rows() as usize, copy.rect.columns() as usize);
    let (h, w) = match spread {
        Spread::Each => (rows, columns),
        Spread::Rows => (rows, 1),
        Spread::Columns => (1, columns),
    };
    Shape { h, w, l: copy.per_pe as usize }
}

/// The program's 16-bit float format; all PE programs of an image have the same.
fn half(image: &Image) -> FloatKind {
    match image.programs.first().map(|program| program.half) {
        Some(HalfFormat::Bf16) => FloatKind::Bf16,
        Some(HalfFormat::Cb16) => FloatKind::Cb16,
        Some(HalfFormat::F16) | None => FloatKind::F16,
    }
}
