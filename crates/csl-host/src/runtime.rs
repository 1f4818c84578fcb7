//! A program on the simulated wafer: load, run, copy, launch, wait, stop.
//!
//! Requests go to the machine as commands. The machine checks them before anything moves and carries them out in order;
//! it advances only inside calls that wait.

use csl_diag::{Rendering, printable};
use csl_machine::{Color, Coord, Schedule};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use csl_image::{Flow, Image, ParamType};
use csl_num::FloatKind;
use csl_sim::{
    BlockedState, Check, Command, Copy, Ending, Endpoint, Gauge, NATIVE_AFTER, Names, Rect, RequestError, RunError,
    Shape, Sim, SimOptions, Sink, Span, Spread, Ticket, TimeReads,
};
use indexmap::IndexMap;

use crate::advice;
use crate::arguments::{self, Argument};
use crate::available_threads;
use crate::core_file;
use crate::environment::{CHECK, JIT, MAX_CYCLES, OUTPUT_FOLDER, SCHEDULE, UNTIMED};
use crate::error::{ArgumentError, Failure, FolderError, HostError, NameError, SequenceError};
use crate::outdir::IMAGE_FILE;
use crate::progress::{self, Progress};
use crate::report;
use crate::requests::{Kept, Request};
use crate::simlog::{LOG_FILE, LogKinds, SimLog, Totals, prints};
use crate::stopwatch::Stopwatch;

/// The file with the statistics of a run, beside `sim.log`.
pub const STATISTICS_FILE: &str = "sim_stats.json";

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

/// A request that the machine has taken, for [`Runtime::wait`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Task(pub u64);

/// The stages in the life of a runtime.
enum State {
    Opened,
    Loaded(Sim),
    Running(Sim),
    Stopped(Sim),
}

struct Pending {
    ticket: Ticket,
    done: bool,
}

/// Time that the run has taken.
#[derive(Default)]
struct Times {
    loading: Duration,
    started: Option<Stopwatch>,
    running: Duration,
}

/// The cause of an end that the host program asked for, in the words of the vendor's simulator.
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
    /// All requests, in their order.
    requests: Vec<(Ticket, Kept)>,
    arrived: Vec<(Task, Vec<u32>)>,
    warnings: Vec<String>,
    /// Whether the warnings have what checked PEs have found.
    mistakes_are_told: bool,
    /// Functions that have been called.
    called: HashSet<u16>,
    log: Option<Arc<Mutex<SimLog>>>,
    /// Lines that programs print, where a caller wants them beside the log.
    prints: Option<Arc<Mutex<String>>>,
    /// The path of the log, and the kinds of events in it beside prints.
    log_plan: Option<(PathBuf, LogKinds)>,
    /// Whether no scalar code becomes native.
    is_interpreted: bool,
    max_cycles: Option<u64>,
    /// The progress of the run, where a terminal shows it.
    gauge: Option<Arc<Gauge>>,
    times: Times,
    rendering: Rendering,
}

impl Runtime {
    /// Opens the output folder of a compilation.
    ///
    /// # Errors
    /// [`HostError::NoProgram`] when the folder does not hold a compiled program.
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
            requests: Vec::new(),
            arrived: Vec::new(),
            warnings: Vec::new(),
            mistakes_are_told: false,
            called: HashSet::new(),
            log: None,
            prints: None,
            log_plan: None,
            is_interpreted: false,
            max_cycles: None,
            gauge: None,
            times: Times::default(),
            rendering: Rendering::default(),
        }
    }

    /// The program.
    pub fn image(&self) -> &Image {
        &self.image
    }

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

    /// Warnings since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        let warnings = std::mem::take(&mut self.warnings);
        warnings.into_iter().map(|text| printable(&text).into_owned()).collect()
    }

    /// Whether PEs look for mistakes of their programs.
    pub fn is_checked(&self) -> bool {
        self.settings.check.is_some_and(|check| check != Check::Off)
    }

    /// Adds what checked PEs have found so far to the warnings, once: [`Runtime::stop`] and a run that fails do it, and a host
    /// program that ends before has this.
    pub fn tell_mistakes(&mut self) {
        if !self.mistakes_are_told {
            self.add_mistakes(None);
        }
    }

    fn add_mistakes(&mut self, told: Option<&csl_pe::Fault>) {
        self.mistakes_are_told = true;
        let found = self.any_sim().map(Sim::mistakes).unwrap_or_default();
        self.warnings.extend(report::checked::mistakes(&self.image, &self.sources, &found, told));
    }

    /// Loads the program into the machine. The cost is that of the tiles with a program of their own: a PE is made when
    /// something first touches it.
    ///
    /// # Errors
    /// [`HostError::Sequence`] when the program is loaded already, [`HostError::Image`] when an image that was made in
    /// memory is damaged, [`HostError::Argument`] for a `WAFERLAB_JIT` that is no number.
    pub fn load(&mut self) -> Result<(), HostError> {
        if !matches!(self.state, State::Opened) {
            return Err(SequenceError::LoadedTwice.into());
        }
        let since = Stopwatch::start();
        self.log = self.log_plan.take().map(|(path, kinds)| self.open_log(path, kinds));
        let traces = self.log.as_ref().map(|log| lock(log).traces());
        if self.is_untimed() {
            self.refuse_times(traces.as_ref())?;
        }
        let options = SimOptions {
            threads: self.threads(),
            clock: Some(crate::stopwatch::seconds),
            traces: traces.unwrap_or_default(),
            check: self.settings.check.unwrap_or_default(),
            schedule: self.settings.schedule.map(Schedule::new),
            untimed: self.settings.untimed.flatten(),
            native_after: if self.is_interpreted { None } else { native_after()? },
            max_cycles: self.max_cycles,
            gauge: self.gauge.clone(),
            sink: self.log.clone().map(|log| Sink::new(move |events| lock(&log).write(&events))),
            interrupt: self.interrupt.clone(),
            ..SimOptions::default()
        };
        let sim = Sim::new(self.image.clone(), options)?;
        self.state = State::Loaded(sim);
        self.times.loading = since.elapsed();
        Ok(())
    }

    /// Refuses a call that says how the program is loaded, once that is done.
    ///
    /// # Errors
    /// [`HostError::Sequence`] when the program is loaded.
    pub fn refuse_loaded(&self, method: &'static str) -> Result<(), HostError> {
        if matches!(self.state, State::Opened) { Ok(()) } else { Err(SequenceError::Loaded { method }.into()) }
    }

    /// Refuses what has no meaning without a clock.
    fn refuse_times(&self, traces: Option<&csl_sim::Traces>) -> Result<(), HostError> {
        let logs = traces.is_some_and(|traces| *traces != csl_sim::Traces::default());
        let what = match self.settings.schedule {
            Some(_) => "other schedule: a schedule draws cycles",
            None if logs => "log of wavelets or instructions: its lines are those of cycles",
            None => return Ok(()),
        };
        Err(ArgumentError::Untimed { what }.into())
    }

    /// Starts the machine, which takes requests from here on. No cycle passes.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program is loaded and has not been started.
    pub fn run(&mut self) -> Result<(), HostError> {
        match std::mem::replace(&mut self.state, State::Opened) {
            State::Loaded(sim) => {
                self.state = State::Running(sim);
                self.times.started = Some(Stopwatch::start());
                Ok(())
            }
            other => {
                self.state = other;
                Err(SequenceError::RunTwice.into())
            }
        }
    }

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

    /// Adds the warnings that are given at the end of a run; `ending` is known of one that was stopped.
    fn look_back(&mut self, blocked_state: &BlockedState, ending: Option<Ending>, is_at_rest: bool) {
        let (image, sources) = (&self.image, &self.sources);
        self.warnings.extend(report::hazards(image, sources, blocked_state));
        self.warnings.extend(report::unserved_registers(image, sources, blocked_state));
        self.warnings.extend(report::unbound_activations(image, sources, blocked_state));
        self.warnings.extend(report::unstarted_reads(image, sources, blocked_state));
        if let Some(ending) = ending.filter(|ending| *ending != Ending::Complete) {
            self.warnings.extend(report::unfinished(image, sources, ending, blocked_state));
        }
        self.warnings.extend(report::left_the_rectangle(image, sources, blocked_state));
        if is_at_rest {
            self.warnings.extend(report::left_over(image, sources, blocked_state));
        }
    }

    /// The number of an exported symbol or function.
    ///
    /// # Errors
    /// [`HostError::Name`], which lists all exported names.
    pub fn id(&self, name: &str) -> Result<u16, HostError> {
        let exports = || Names::exported(&self.image);
        let export = self.image.export_named(name);
        export
            .map(|export| export.id)
            .ok_or_else(|| NameError::Export { name: name.to_owned(), exports: exports() }.into())
    }

    /// The exported symbol that a host program names by a number.
    ///
    /// # Errors
    /// [`HostError::Request`] for a number beyond the range of ids; the copy itself checks that the program has the id.
    pub fn symbol(&self, number: u32) -> Result<Endpoint, HostError> {
        let exports = || Names::exported(&self.image);
        let id = u16::try_from(number);
        Ok(Endpoint::Symbol(id.map_err(|_| RequestError::NoSuchExport { number, exports: exports() })?))
    }

    /// The color that a host program names by a number.
    ///
    /// # Errors
    /// [`HostError::Request`] for a number beyond the range of colors.
    pub fn color(&self, number: u32) -> Result<Endpoint, HostError> {
        let colors = self.image.arch.chip().fabric.colors;
        let color = u8::try_from(number).ok().and_then(Color::new);
        Ok(Endpoint::Color(color.ok_or(RequestError::NotAColor { number, colors })?))
    }

    /// The name of the exported function that a host program names by a number.
    ///
    /// # Errors
    /// [`HostError::Name`] when no export has the number, which lists the functions, or it is data.
    pub fn function_name(&self, number: u32) -> Result<&str, HostError> {
        let Some(export) = u16::try_from(number).ok().and_then(|id| self.image.export(id)) else {
            return Err(NameError::FunctionNumber { number, functions: self.functions() }.into());
        };
        match export.params() {
            Some(_) => Ok(&export.name),
            None => Err(NameError::NotAFunction { name: export.name.clone(), functions: self.functions() }.into()),
        }
    }

    /// The names of the exported functions.
    fn functions(&self) -> Names {
        let functions = self.image.exports.iter().filter(|export| export.params().is_some());
        Names(functions.map(|export| export.name.clone()).collect())
    }

    /// The exported function of this name: its id and its parameters.
    fn function(&self, name: &str) -> Result<(u16, Vec<ParamType>), NameError> {
        let (image, name) = (&self.image, name.to_owned());
        let Some(export) = image.export_named(&name) else {
            return Err(NameError::Function { name, functions: self.functions() });
        };
        let params = export.params().ok_or_else(|| NameError::NotAFunction { name, functions: self.functions() })?;
        Ok((export.id, params.to_vec()))
    }

    /// Column and row in the whole fabric of the PE at a column and row of the program's rectangle.
    pub fn to_physical(&self, x: u32, y: u32) -> Coord {
        self.image.to_physical(x, y)
    }

    /// Copies a host array to a symbol, or streams it on a color. The array is a tensor `A[h][w][per_pe]` of 32-bit
    /// words, one an element, in the order of `copy`: for `Spread::Rows` `A[h][1][per_pe]`, for `Spread::Columns`
    /// `A[1][w][per_pe]`. A 16-bit element is the low half of its word; words behind the tensor are a warning.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Request`] when the machine does not take
    /// the copy: nothing has moved then.
    pub fn h2d(
        &mut self,
        to: Endpoint,
        array: impl Into<Vec<u32>>,
        copy: &Copy,
        spread: Spread,
    ) -> Result<Task, HostError> {
        let array = array.into();
        let items = array.len();
        let task = self.submit("memcpy_h2d", Command::H2d { to, copy: *copy, spread, array })?;
        self.warn_of_stream("memcpy_h2d", to, Flow::In);
        let read_only = advice::read_only(&self.image, to);
        self.warnings.extend(read_only.map(|text| format!("memcpy_h2d: {text}")));
        self.warn_of_copy("memcpy_h2d", to, copy, copy.shape(spread), items);
        Ok(task)
    }

    /// Copies a symbol, or the wavelets that come on a color, into an array of the host with room for `room` 32-bit
    /// words, one an element: a tensor `A[h][w][per_pe]` in the order of `copy`. [`Runtime::take_arrived`] gives it
    /// out.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Request`] when the machine does not take
    /// the copy.
    pub fn d2h(&mut self, from: Endpoint, room: usize, copy: &Copy) -> Result<Task, HostError> {
        let task = self.submit("memcpy_d2h", Command::D2h { from, copy: *copy, room })?;
        self.warn_of_stream("memcpy_d2h", from, Flow::Out);
        self.warn_of_copy("memcpy_d2h", from, copy, copy.shape(Spread::Each), room);
        Ok(task)
    }

    fn warn_of_stream(&mut self, method: &str, endpoint: Endpoint, flow: Flow) {
        let Endpoint::Color(color) = endpoint else { return };
        let unused = advice::stream(&self.image, color, flow);
        self.warnings.extend(unused.map(|text| format!("{method}: {text}")));
    }

    /// Warns when the host's array has more items than the copy moves, and when the copy reaches beyond the array that
    /// the symbol points to.
    fn warn_of_copy(&mut self, method: &str, endpoint: Endpoint, copy: &Copy, shape: Shape, items: usize) {
        self.warnings.extend(advice::surplus(method, shape, items));
        if let State::Running(sim) = &mut self.state {
            self.warnings.extend(advice::extent(&self.image, sim, endpoint, copy));
        }
    }

    /// Calls an exported function on every PE with typed arguments.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Name`] when there is no such function,
    /// [`HostError::Argument`] when an argument does not fit its parameter, [`HostError::Request`] when no PE has the
    /// function.
    pub fn launch(&mut self, name: &str, arguments: &[Argument]) -> Result<Task, HostError> {
        self.sim("launch")?;
        let (function, params) = self.function(name)?;
        let args = arguments::bits(name, &params, arguments, half(&self.image))?;
        self.call_everywhere(function, args)
    }

    /// Calls an exported function on every PE with raw 32-bit words, one a parameter, of 64-bit ones two, the low one first;
    /// words beyond its parameters are a warning.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Name`] when there is no such function,
    /// [`HostError::Argument`] for too few words, [`HostError::Request`] when no PE has the function.
    pub fn call(&mut self, name: &str, words: &[u32]) -> Result<Task, HostError> {
        self.sim("call")?;
        let (function, params) = self.function(name)?;
        let args = arguments::of_words(name, &params, words)?;
        let (taken, given) = (arguments::words_of(&params), words.len());
        if given > taken {
            self.warnings.push(format!("call: {name} takes {taken} words, the first of the {given} given"));
        }
        self.call_everywhere(function, args)
    }

    fn call_everywhere(&mut self, function: u16, args: Vec<u64>) -> Result<Task, HostError> {
        let task = self.submit("launch", Command::Launch { function, args })?;
        if self.called.insert(function) {
            self.warnings.extend(advice::partial_call(&self.image, function));
        }
        Ok(task)
    }

    /// Runs until nothing can move any more unless the host makes another request.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs; [`HostError::Failed`] and [`HostError::Interrupted`]
    /// when the run ends before that.
    pub fn rest(&mut self) -> Result<(), HostError> {
        self.advance("memcpy_launch", Sim::rest)
    }

    /// Runs until the task is done.
    ///
    /// # Errors
    /// [`HostError::Name`] for a task of another runtime; [`HostError::Sequence`] unless the program runs;
    /// [`HostError::Failed`] and [`HostError::Interrupted`] when the run ends before the task is done.
    pub fn wait(&mut self, task: Task) -> Result<(), HostError> {
        let ticket = self.pending(task)?;
        let Some(ticket) = ticket else { return Ok(()) };
        let array = self.advance("task_wait", |sim| sim.wait(ticket))?;
        // Copies that were done on the way have arrived, too: waited for or not.
        for (ticket, array) in self.sim("task_wait")?.take_answers() {
            if let Ok(at) = self.tasks.binary_search_by(|_, pending| pending.ticket.cmp(&ticket)) {
                let earlier = self.tasks.get_index(at).map_or(task, |(number, _)| Task(*number));
                self.complete(earlier, Some(array));
            }
        }
        self.complete(task, array);
        Ok(())
    }

    /// Whether the task is done; if not, the machine moves on a little.
    ///
    /// # Errors
    /// [`HostError::Name`] for a task of another runtime; [`HostError::Sequence`] unless the program runs;
    /// [`HostError::Failed`] and [`HostError::Interrupted`] when the run ends meanwhile.
    pub fn is_done(&mut self, task: Task) -> Result<bool, HostError> {
        let Some(ticket) = self.pending(task)? else { return Ok(true) };
        let done = self.advance("is_task_done", |sim| sim.is_done(ticket))?;
        if done {
            self.wait(task)?;
        }
        Ok(done)
    }

    /// Host arrays that are complete and have not been taken yet: 32-bit words in the order that their copy asked for.
    pub fn take_arrived(&mut self) -> Vec<(Task, Vec<u32>)> {
        std::mem::take(&mut self.arrived)
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
    /// `WAFERLAB_MAX_CYCLES` cycles, shows the progress of the run on a terminal. To be called before `load()`.
    ///
    /// # Errors
    /// [`HostError::Argument`] for a `WAFERLAB_MAX_CYCLES` that is no number of cycles.
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

    fn open_log(&mut self, path: PathBuf, kinds: LogKinds) -> Arc<Mutex<SimLog>> {
        self.warnings.extend(kinds.idle_places(&self.image));
        let mut log = SimLog::new(self.image.clone(), half(&self.image), path, kinds, self.prints.clone());
        self.warnings.extend(log.take_note());
        Arc::new(Mutex::new(log))
    }

    /// Writes the end of the run to the log. [`Runtime::flush_log`] reports an error in doing so.
    fn close_log(&mut self, cause: &str) {
        let Some(log) = self.log.clone() else { return };
        let events = self.any_sim().map(Sim::take_events).unwrap_or_default();
        lock(&log).write(&events);
        if let Some(totals) = self.totals(cause) {
            lock(&log).close(&totals);
        }
    }

    /// Whether the run has no clock, so that its cycles mean nothing.
    pub fn is_untimed(&self) -> bool {
        self.settings.untimed.flatten().is_some()
    }

    /// The totals of the run, as `sim.log` and `sim_stats.json` tell them.
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

    pub(crate) fn any_sim(&mut self) -> Option<&mut Sim> {
        match &mut self.state {
            State::Opened => None,
            State::Loaded(sim) | State::Running(sim) | State::Stopped(sim) => Some(sim),
        }
    }

    /// Lines that programs have printed since the last call; empty when they go to a file.
    pub fn take_log(&mut self) -> String {
        if self.log.is_some() {
            return String::new();
        }
        let events = self.any_sim().map(Sim::take_events).unwrap_or_default();
        prints(&self.image, half(&self.image), &events)
    }

    /// The bytes of a named object of the PE at this column and row of the whole fabric, as they lie in its memory.
    ///
    /// # Errors
    /// [`HostError::Name`] when there is no such PE or no such object on it, [`HostError::Sequence`] before `load()`.
    pub fn read_symbol(&mut self, x: u32, y: u32, name: &str) -> Result<Vec<u8>, HostError> {
        let size = self.image.rect;
        let place = self.image.to_logical(x, y).filter(|at| at.x < size.width && at.y < size.height);
        let at = place.ok_or(NameError::Pe { x, y, begins: self.image.offset })?;
        let sim = self.any_sim().ok_or(SequenceError::NotLoaded { method: "read_symbol()" })?;
        let found = sim.read_symbol(at.x, at.y, name)?;
        found.ok_or_else(|| NameError::Symbol { x, y, name: name.to_owned() }.into())
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

    /// The host's requests, in their order, with the cycles that each took so far.
    pub fn requests(&self) -> Vec<Request> {
        let span = |ticket| match &self.state {
            State::Opened => Span::default(),
            State::Loaded(sim) | State::Running(sim) | State::Stopped(sim) => sim.span(ticket),
        };
        self.requests.iter().map(|(ticket, kept)| kept.told(&self.image, span(*ticket))).collect()
    }

    /// Cycles since the start; 0 before `load()`.
    pub fn cycle(&self) -> u64 {
        match &self.state {
            State::Opened => 0,
            State::Loaded(sim) | State::Running(sim) | State::Stopped(sim) => sim.cycle(),
        }
    }

    fn threads(&self) -> usize {
        self.settings.threads.clamp(1, available_threads())
    }

    pub(crate) fn sim(&mut self, method: &'static str) -> Result<&mut Sim, SequenceError> {
        match &mut self.state {
            State::Running(sim) => Ok(sim),
            State::Stopped(_) => Err(SequenceError::Stopped { method }),
            State::Opened | State::Loaded(_) => Err(SequenceError::NotRunning { method }),
        }
    }

    /// Gives a request of the host's `method` to the machine, which checks it.
    pub(crate) fn submit(&mut self, method: &'static str, command: Command) -> Result<Task, HostError> {
        let kept = Kept::of(&command);
        let ticket = self.sim(method)?.submit(command)?;
        self.requests.push((ticket, kept));
        let task = Task(self.next);
        self.next += 1;
        self.tasks.insert(task.0, Pending { ticket, done: false });
        Ok(task)
    }

    /// The words of a stream to the host that have come from the first PE of `rect` when nothing can move any more.
    pub(crate) fn wait_for_some(&mut self, command: Command, rect: Rect) -> Result<Vec<u32>, HostError> {
        let kept = Kept::of(&command);
        let ticket = self.sim("receive_tofile")?.submit(command)?;
        self.requests.push((ticket, kept));
        self.advance("receive_tofile", |sim| sim.wait_for_some(ticket, rect.x, rect.y))
    }

    /// The ticket of a task; `None` when it is done.
    fn pending(&self, task: Task) -> Result<Option<Ticket>, HostError> {
        match self.tasks.get(&task.0) {
            Some(pending) => Ok((!pending.done).then_some(pending.ticket)),
            None => Err(NameError::Task.into()),
        }
    }

    fn complete(&mut self, task: Task, array: Option<Vec<u32>>) {
        let Some(pending) = self.tasks.get_mut(&task.0) else { return };
        pending.done = true;
        self.arrived.extend(array.map(|array| (task, array)));
    }

    /// Runs something on the machine that takes time, and shows its progress.
    pub(crate) fn advance<T>(
        &mut self,
        method: &'static str,
        work: impl FnOnce(&mut Sim) -> Result<T, RunError>,
    ) -> Result<T, HostError> {
        let gauge = self.gauge.clone();
        let sim = self.sim(method)?;
        let progress = gauge.map(|gauge| Progress::showing(progress::of_run(gauge)));
        let result = work(sim);
        drop(progress);
        self.finish(result)
    }

    /// The result of something that ran, or the error that ended it.
    fn finish<T>(&mut self, result: Result<T, RunError>) -> Result<T, HostError> {
        if let Some(blocked_state) = self.any_sim().and_then(Sim::take_overtaken) {
            self.warnings.push(report::overtaken(&self.image, &blocked_state));
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

fn lock(log: &Mutex<SimLog>) -> MutexGuard<'_, SimLog> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The turns after which functions become native, by `WAFERLAB_JIT`.
fn native_after() -> Result<Option<u32>, ArgumentError> {
    let Some(text) = JIT.text() else { return Ok(Some(NATIVE_AFTER)) };
    let turns: u32 = text.trim().parse().map_err(|_| ArgumentError::Jit { variable: JIT.name, text })?;
    Ok((turns > 0).then_some(turns))
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

/// The image in the output folder of a compilation.
///
/// # Errors
/// [`HostError::NoProgram`] with the reason.
pub fn read_image(folder: &Path) -> Result<Image, HostError> {
    image_in(folder).map_err(|cause| HostError::NoProgram { folder: folder.to_owned(), cause })
}

fn image_in(folder: &Path) -> Result<Image, FolderError> {
    if folder.is_file() {
        return Err(FolderError::IsFile);
    }
    if !folder.is_dir() {
        return Err(FolderError::Missing);
    }
    let path = folder.join(IMAGE_FILE);
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => FolderError::NotCompiled,
        _ => FolderError::Unreadable(error),
    };
    // A pipe or a device might never end.
    if !std::fs::metadata(&path).map_err(unreadable)?.is_file() {
        return Err(FolderError::NotAFile);
    }
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    Ok(Image::read(&bytes)?)
}

/// The program's 16-bit float format; all PE programs of an image have the same.
pub(crate) fn half(image: &Image) -> FloatKind {
    image.programs.first().map_or(FloatKind::F16, |program| program.half.kind())
}
