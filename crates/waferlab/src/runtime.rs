//! A program on the simulated wafer.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use csl_host::{Argument, Check, Ending, Endpoint, HostError, Request, Settings, Spread, Task, folder_of_run};

use crate::area::Area;
use crate::element::Element;

/// A compiled program and its machine. Its calls are those of the vendor's `SdkRuntime`, in the same order: open, load,
/// run, copies and launches, stop.
pub struct Runtime {
    host: csl_host::Runtime,
    /// Arrays that have come, until they are taken.
    arrived: HashMap<Task, Vec<u32>>,
    /// Lines that programs print, where they go to a log, too.
    prints: Option<Arc<Mutex<String>>>,
}

impl Runtime {
    /// Opens the output folder of a compilation, for a run on one thread and without checks.
    ///
    /// # Errors
    /// [`HostError::NoProgram`] when the folder does not hold a compiled program.
    pub fn open(folder: impl AsRef<Path>) -> Result<Runtime, HostError> {
        Runtime::of(folder.as_ref(), Settings::new(1))
    }

    /// [`Runtime::open`] for a run on up to `threads` threads, whose PEs look for mistakes of their programs where `check`
    /// says so. The number of threads changes no result.
    ///
    /// # Errors
    /// [`HostError::NoProgram`] when the folder does not hold a compiled program.
    pub fn open_with(folder: impl AsRef<Path>, threads: usize, check: Check) -> Result<Runtime, HostError> {
        Runtime::of(folder.as_ref(), Settings { check: Some(check), ..Settings::new(threads) })
    }

    fn of(folder: &Path, settings: Settings) -> Result<Runtime, HostError> {
        let host = csl_host::Runtime::open(folder, settings)?;
        Ok(Runtime { host, arrived: HashMap::new(), prints: None })
    }

    /// Logs the run in a folder, which is made if it is not there, and obeys the environment: `sim.log` holds what programs
    /// print and the events that `SIMFABRIC_DEBUG` names, `WAFERLAB_MAX_CYCLES` and `WAFERLAB_CHECK` hold. To be called
    /// before [`Runtime::load`].
    ///
    /// # Errors
    /// [`HostError::Sequence`] when the program is loaded, [`HostError::Unwritable`] when the folder cannot be made,
    /// [`HostError::Argument`] for a variable without meaning.
    pub fn log_to(&mut self, folder: impl AsRef<Path>) -> Result<(), HostError> {
        self.host.refuse_loaded("log_to()")?;
        let folder = folder_of_run(Some(folder.as_ref().to_owned()))?;
        self.host.obey_environment(&folder)?;
        self.prints = Some(self.host.gather_prints());
        Ok(())
    }

    /// Ends the run, with a report, when it has taken so many cycles. To be called before [`Runtime::load`].
    ///
    /// # Errors
    /// [`HostError::Sequence`] when the program is loaded.
    pub fn limit_cycles(&mut self, cycles: u64) -> Result<(), HostError> {
        self.host.refuse_loaded("limit_cycles()")?;
        self.host.limit_cycles(cycles);
        Ok(())
    }

    /// Loads the program.
    ///
    /// # Errors
    /// [`HostError::Sequence`] when it is loaded already.
    pub fn load(&mut self) -> Result<(), HostError> {
        self.host.load()
    }

    /// Starts the machine. No cycle passes.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program is loaded and has not been started.
    pub fn run(&mut self) -> Result<(), HostError> {
        self.host.run()
    }

    /// The exported symbol of this name, for copies.
    ///
    /// # Errors
    /// [`HostError::Name`], which lists all exported names.
    pub fn symbol(&self, name: &str) -> Result<Endpoint, HostError> {
        self.host.id(name).map(Endpoint::Symbol)
    }

    /// The color of this number, to stream on instead of a copy.
    ///
    /// # Errors
    /// [`HostError::Request`] for a number that is no color.
    pub fn color(&self, number: u32) -> Result<Endpoint, HostError> {
        self.host.color(number)
    }

    /// Copies an array to the PEs of an area, `per_pe` elements each. The array is taken at once, the copy is done in the
    /// order of the requests; [`Runtime::wait`] waits for it.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Request`] when the machine does not take the copy,
    /// such as one of an array that is too short: nothing has moved then.
    pub fn memcpy_h2d<T: Element>(
        &mut self,
        to: impl Into<Endpoint>,
        array: &[T],
        area: Area,
        per_pe: u32,
    ) -> Result<Task, HostError> {
        self.broadcast(to, array, area, per_pe, Spread::Each)
    }

    /// [`Runtime::memcpy_h2d`] of an array whose elements several PEs share: all of a row ([`Spread::Rows`], an array
    /// `A[height][1][per_pe]`), or all of a column ([`Spread::Columns`], `A[1][width][per_pe]`).
    ///
    /// # Errors
    /// As [`Runtime::memcpy_h2d`].
    pub fn broadcast<T: Element>(
        &mut self,
        to: impl Into<Endpoint>,
        array: &[T],
        area: Area,
        per_pe: u32,
        spread: Spread,
    ) -> Result<Task, HostError> {
        let words: Vec<u32> = array.iter().map(|element| element.to_word()).collect();
        self.host.h2d(to.into(), words, &area.copy(per_pe, T::WIDTH), spread)
    }

    /// Copies `per_pe` elements of each PE of an area to the host, and waits for them.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Request`] when the machine does not take the copy,
    /// [`HostError::Failed`] when the run ends before the elements are there.
    pub fn memcpy_d2h<T: Element>(
        &mut self,
        from: impl Into<Endpoint>,
        area: Area,
        per_pe: u32,
    ) -> Result<Vec<T>, HostError> {
        let task = self.begin_d2h::<T>(from, area, per_pe)?;
        self.take(task)
    }

    /// Begins a copy to the host; [`Runtime::take`] waits for it and gives the array.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Request`] when the machine does not take the copy.
    pub fn begin_d2h<T: Element>(
        &mut self,
        from: impl Into<Endpoint>,
        area: Area,
        per_pe: u32,
    ) -> Result<Task, HostError> {
        let copy = area.copy(per_pe, T::WIDTH);
        // A shape that cannot be addressed is refused with the copy, before the room matters.
        let room = copy.shape(Spread::Each).items().unwrap_or(usize::MAX);
        self.host.d2h(from.into(), room, &copy)
    }

    /// The array of a copy to the host, once: an array that has been taken is empty.
    ///
    /// # Errors
    /// As [`Runtime::wait`].
    pub fn take<T: Element>(&mut self, task: Task) -> Result<Vec<T>, HostError> {
        self.wait(task)?;
        let words = self.arrived.remove(&task).unwrap_or_default();
        Ok(words.into_iter().map(T::from_word).collect())
    }

    /// Calls an exported function on every PE. Arguments are checked against the types of its parameters.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Name`] when there is no such function,
    /// [`HostError::Argument`] when an argument does not fit.
    pub fn launch(&mut self, function: &str, arguments: &[Argument]) -> Result<Task, HostError> {
        self.host.launch(function, arguments)
    }

    /// Runs until a request is done.
    ///
    /// # Errors
    /// [`HostError::Name`] for a task of another runtime; [`HostError::Failed`] when the run ends before it is done, with a
    /// report of the fault or the deadlock.
    pub fn wait(&mut self, task: Task) -> Result<(), HostError> {
        let waited = self.host.wait(task);
        self.gather();
        waited
    }

    /// Whether a request is done; if not, the machine moves on a little.
    ///
    /// # Errors
    /// As [`Runtime::wait`].
    pub fn is_done(&mut self, task: Task) -> Result<bool, HostError> {
        let done = self.host.is_done(task);
        self.gather();
        done
    }

    /// Waits for all requests and launched functions, and ends the run. [`Ending`] says whether the functions have ended;
    /// if not, a warning says what they wait for.
    ///
    /// # Errors
    /// [`HostError::Sequence`] unless the program runs, [`HostError::Failed`] when the run ends in a fault or a deadlock.
    pub fn stop(&mut self) -> Result<Ending, HostError> {
        let ending = self.host.stop();
        self.gather();
        ending
    }

    /// Clock cycles since the start.
    pub fn cycles(&self) -> u64 {
        self.host.cycle()
    }

    /// The requests so far, with the cycles in which each began and ended.
    pub fn requests(&self) -> Vec<Request> {
        self.host.requests()
    }

    /// The lines that programs have printed since the last call, as `<simprint>` and `<debug>` make them.
    pub fn take_prints(&mut self) -> String {
        match &self.prints {
            Some(prints) => std::mem::take(&mut *prints.lock().unwrap_or_else(PoisonError::into_inner)),
            None => self.host.take_log(),
        }
    }

    /// Warnings since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        self.host.take_warnings()
    }

    /// The bytes of a named variable of a PE of the program, as they lie in its memory.
    ///
    /// # Errors
    /// [`HostError::Name`] when there is no such PE or variable, [`HostError::Sequence`] before [`Runtime::load`].
    pub fn read_symbol(&mut self, x: u32, y: u32, name: &str) -> Result<Vec<u8>, HostError> {
        let at = self.host.to_physical(x, y);
        self.host.read_symbol(at.x, at.y, name)
    }

    fn gather(&mut self) {
        self.arrived.extend(self.host.take_arrived());
    }
}
