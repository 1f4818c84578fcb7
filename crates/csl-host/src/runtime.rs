//! A program on the simulated wafer: load, run, copy, launch, wait, stop.
//!
//! Requests go to the machine as commands. The machine checks them before anything moves and carries them out in order;
//! it advances only inside calls that wait.

mod ending;
mod names;
mod output;
mod settings;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use csl_diag::{Rendering, printable};
use csl_image::{Flow, Image};
use csl_machine::Schedule;
use csl_sim::{Command, Copy, Endpoint, Gauge, Rect, RunError, Shape, Sim, SimOptions, Sink, Span, Spread, Ticket};
use indexmap::IndexMap;

use crate::advice;
use crate::arguments::{self, Argument};
use crate::error::{HostError, NameError, SequenceError};
use crate::image_file::read_image;
use crate::progress::{self, Progress};
use crate::requests::{Kept, Request};
use crate::simlog::{LogKinds, SimLog};
use crate::stopwatch::Stopwatch;

pub use output::{STATISTICS_FILE, folder_of_run};
pub use settings::{Settings, Untimed, parse_check, parse_untimed};

use output::lock;
use settings::native_after;

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

impl State {
    fn sim(&self) -> Option<&Sim> {
        match self {
            State::Opened => None,
            State::Loaded(sim) | State::Running(sim) | State::Stopped(sim) => Some(sim),
        }
    }
}

struct Pending {
    ticket: Ticket,
    done: bool,
}

/// How long loading has taken, and when the run began.
#[derive(Default)]
struct Times {
    loading: Duration,
    started: Option<Stopwatch>,
}

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

    /// Warnings since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        let warnings = std::mem::take(&mut self.warnings);
        warnings.into_iter().map(|text| printable(&text).into_owned()).collect()
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
        let args = arguments::bits(name, &params, arguments, self.image.half())?;
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

    /// The machine, once the program is loaded.
    pub(crate) fn any_sim(&mut self) -> Option<&mut Sim> {
        match &mut self.state {
            State::Opened => None,
            State::Loaded(sim) | State::Running(sim) | State::Stopped(sim) => Some(sim),
        }
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

    /// The host's requests, in their order, with the cycles that each took so far.
    pub fn requests(&self) -> Vec<Request> {
        let span = |ticket| self.state.sim().map_or_else(Span::default, |sim| sim.span(ticket));
        self.requests.iter().map(|(ticket, kept)| kept.told(&self.image, span(*ticket))).collect()
    }

    /// Cycles since the start; 0 before `load()`.
    pub fn cycle(&self) -> u64 {
        self.state.sim().map_or(0, Sim::cycle)
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
}
