//! A program on the simulated wafer, for `waferlab.runtime`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use csl_host::{Endpoint, HostError, Runtime, Settings, Task, folder_of_run, parse_check, parse_untimed};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::raise;
use crate::patience;
use crate::values::{Argument, Copy, Mode, Request, Stream};

/// Bytes of a word of an array.
const WORD: usize = 4;

#[pyclass]
pub struct Machine {
    runtime: Runtime,
    /// The folder of the run's files.
    output_folder: PathBuf,
    /// Lines that programs print, on their way to Python's standard output.
    prints: Option<Arc<Mutex<String>>>,
}

#[pymethods]
impl Machine {
    #[new]
    #[pyo3(signature = (folder, threads, output_folder=None, *, prints=false, check=None, untimed=None))]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        threads: usize,
        output_folder: Option<PathBuf>,
        prints: bool,
        check: Option<&str>,
        untimed: Option<&str>,
    ) -> PyResult<Machine> {
        let wrong = |name: &str, word: &str, words: &str| {
            PyValueError::new_err(format!("{name}={word:?}: True, False or \"{words}\" is wanted"))
        };
        let of_check = |word: &str| parse_check(word).ok_or_else(|| wrong("check", word, "stop"));
        let of_untimed = |word: &str| parse_untimed(word).ok_or_else(|| wrong("untimed", word, "own-time"));
        let (check, untimed) = (check.map(of_check).transpose()?, untimed.map(of_untimed).transpose()?);
        let settings = Settings { check, untimed, ..Settings::new(threads) };
        let mut runtime = Runtime::open(&folder, settings).map_err(|error| raise(py, &error))?;
        let output_folder = folder_of_run(output_folder).map_err(|error| raise(py, &error))?;
        runtime.obey_environment(&output_folder).map_err(|error| raise(py, &error))?;
        let prints = prints.then(|| runtime.gather_prints());
        Ok(Machine { runtime, output_folder, prints })
    }

    /// The folder of the run's files, as an absolute path.
    fn output_folder(&self) -> PathBuf {
        self.output_folder.clone()
    }

    fn load(&mut self, py: Python<'_>) -> PyResult<()> {
        self.patiently(py, Runtime::load)
    }

    fn run(&mut self, py: Python<'_>) -> PyResult<()> {
        self.patiently(py, Runtime::run)
    }

    fn stop(&mut self, py: Python<'_>) -> PyResult<()> {
        self.patiently(py, |runtime| runtime.stop().map(drop))
    }

    fn get_id(&self, name: &str) -> Option<u16> {
        self.runtime.id(name).ok()
    }

    /// The name of an exported function.
    fn function_name(&self, py: Python<'_>, number: u32) -> PyResult<String> {
        self.runtime.function_name(number).map(str::to_owned).map_err(|error| raise(py, &error))
    }

    /// The names that the program exports.
    fn exports(&self) -> Vec<String> {
        self.runtime.image().exports.iter().map(|export| export.name.clone()).collect()
    }

    /// Warnings since the last call.
    fn take_warnings(&mut self) -> Vec<String> {
        self.runtime.take_warnings()
    }

    /// Whether PEs look for mistakes of their programs.
    fn is_checked(&self) -> bool {
        self.runtime.is_checked()
    }

    /// Warnings of the mistakes that were found so far, unless they have been given.
    fn take_mistakes(&mut self) -> Vec<String> {
        self.runtime.tell_mistakes();
        self.runtime.take_warnings()
    }

    /// The warnings that `stop` would give as far as nothing can move any more, for a script that ends without it.
    fn take_left_over(&mut self) -> Vec<String> {
        self.runtime.tell_left_over();
        self.runtime.take_warnings()
    }

    fn logical_to_physical(&self, x: u32, y: u32) -> (u32, u32) {
        let at = self.runtime.to_physical(x, y);
        (at.x, at.y)
    }

    fn read_symbol<'py>(&mut self, py: Python<'py>, x: u32, y: u32, name: &str) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.runtime.read_symbol(x, y, name).map_err(|error| raise(py, &error))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Copies an array, as bytes of 32-bit words, to a symbol or a color.
    fn memcpy_h2d(&mut self, py: Python<'_>, to: u32, array: &[u8], copy: Copy) -> PyResult<u64> {
        let Copy { copy, mode, spread } = copy;
        let endpoint = self.endpoint(py, to, mode)?;
        let task = self.runtime.h2d(endpoint, words(array), &copy, spread);
        submitted(py, task)
    }

    /// Copies a symbol or a color to an array of `room` items; [`Self::take_arrived`] gives the array.
    fn memcpy_d2h(&mut self, py: Python<'_>, source: u32, room: usize, copy: Copy) -> PyResult<u64> {
        let endpoint = self.endpoint(py, source, copy.mode)?;
        let task = self.runtime.d2h(endpoint, room, &copy.copy);
        submitted(py, task)
    }

    fn launch(&mut self, py: Python<'_>, name: &str, arguments: Vec<Argument>) -> PyResult<u64> {
        let arguments: Vec<csl_host::Argument> = arguments.into_iter().map(|argument| argument.0).collect();
        let task = self.runtime.launch(name, &arguments);
        submitted(py, task)
    }

    fn call(&mut self, py: Python<'_>, name: &str, words: Vec<u32>) -> PyResult<u64> {
        let task = self.runtime.call(name, &words);
        submitted(py, task)
    }

    /// Runs until nothing can move any more.
    fn rest(&mut self, py: Python<'_>) -> PyResult<()> {
        self.patiently(py, Runtime::rest)
    }

    /// Lets 32-bit words enter the program from a place beside its rectangle.
    #[pyo3(signature = (column, row, color, array, sentinel=None))]
    fn let_in(
        &mut self,
        py: Python<'_>,
        column: i64,
        row: i64,
        color: u32,
        array: &[u8],
        sentinel: Option<u32>,
    ) -> PyResult<()> {
        let result = self.runtime.let_in((column, row), color, &words(array), sentinel);
        result.map_err(|error| raise(py, &error))
    }

    /// Waits for so many words that leave the program for a place beside its rectangle.
    fn let_out(&mut self, py: Python<'_>, column: i64, row: i64, color: u32, count: usize) -> PyResult<()> {
        self.runtime.let_out((column, row), color, count).map_err(|error| raise(py, &error))
    }

    /// The words that have come to a place beside the rectangle.
    fn take_left<'py>(&mut self, py: Python<'py>, column: i64, row: i64, color: u32) -> PyResult<Bound<'py, PyBytes>> {
        let words = self.runtime.take_left((column, row), color).map_err(|error| raise(py, &error))?;
        bytes(py, &words)
    }

    /// The number of words that have found no way in from a place beside the rectangle.
    fn waiting_outside(&mut self, py: Python<'_>, column: i64, row: i64, color: u32) -> PyResult<usize> {
        self.runtime.waiting_outside((column, row), color).map_err(|error| raise(py, &error))
    }

    /// Runs until all words that are waited for have come.
    fn run_ports(&mut self, py: Python<'_>) -> PyResult<()> {
        self.patiently(py, Runtime::run_ports)
    }

    fn write_symbol(&mut self, py: Python<'_>, x: u32, y: u32, name: &str, data: &[u8]) -> PyResult<()> {
        self.runtime.write_symbol(x, y, name, data).map_err(|error| raise(py, &error))
    }

    /// Columns and rows of the program's rectangle.
    fn size(&self) -> (u32, u32) {
        let rect = self.runtime.image().rect;
        (rect.width, rect.height)
    }

    /// Every stream, by port number.
    fn streams(&self) -> Vec<Stream> {
        self.runtime.streams().iter().map(Stream::from).collect()
    }

    fn port(&self, name: &str) -> Option<usize> {
        self.runtime.port(name).ok()
    }

    fn send(&mut self, py: Python<'_>, port: usize, array: &[u8]) -> PyResult<u64> {
        let task = self.runtime.send(port, words(array));
        submitted(py, task)
    }

    fn receive(&mut self, py: Python<'_>, port: usize, count: usize) -> PyResult<u64> {
        let task = self.runtime.receive(port, count);
        submitted(py, task)
    }

    /// The words that come on a stream until nothing can move any more.
    fn receive_all<'py>(&mut self, py: Python<'py>, port: usize) -> PyResult<Bound<'py, PyBytes>> {
        let words = self.patiently(py, |runtime| runtime.receive_all(port))?;
        bytes(py, &words)
    }

    fn wait(&mut self, py: Python<'_>, task: u64) -> PyResult<()> {
        self.patiently(py, |runtime| runtime.wait(Task(task)))
    }

    fn is_done(&mut self, py: Python<'_>, task: u64) -> PyResult<bool> {
        self.patiently(py, |runtime| runtime.is_done(Task(task)))
    }

    /// The tasks whose arrays have arrived since the last call, with the arrays' bytes.
    fn take_arrived<'py>(&mut self, py: Python<'py>) -> PyResult<Vec<(u64, Bound<'py, PyBytes>)>> {
        let arrived = self.runtime.take_arrived();
        arrived.into_iter().map(|(task, array)| Ok((task.0, bytes(py, &array)?))).collect()
    }

    /// Writes the events so far to `sim.log`.
    fn flush_log(&mut self, py: Python<'_>) -> PyResult<()> {
        self.runtime.flush_log().map_err(|error| raise(py, &error))?;
        patience::show(py, self.prints.as_deref())
    }

    /// Writes the memory of all PEs to a core file.
    fn dump_core(&mut self, py: Python<'_>, file: PathBuf) -> PyResult<()> {
        self.runtime.dump_core(&file).map_err(|error| raise(py, &error))
    }

    /// The statistics of the run as `sim_stats.json` has them, as JSON.
    fn statistics(&mut self) -> String {
        format!("{:#}\n", self.runtime.statistics())
    }

    /// The requests so far, with the cycles that each took.
    fn requests(&self) -> Vec<Request> {
        self.runtime.requests().iter().map(Request::from).collect()
    }

    fn cycle(&self) -> u64 {
        self.runtime.cycle()
    }
}

impl Machine {
    fn endpoint(&self, py: Python<'_>, number: u32, mode: Mode) -> PyResult<Endpoint> {
        let endpoint = match mode {
            Mode::Copy => self.runtime.symbol(number),
            Mode::Stream => self.runtime.color(number),
        };
        endpoint.map_err(|error| raise(py, &error))
    }

    fn patiently<T: Send>(
        &mut self,
        py: Python<'_>,
        work: impl FnOnce(&mut Runtime) -> Result<T, HostError> + Send,
    ) -> PyResult<T> {
        let interrupt = self.runtime.interrupt();
        let prints = self.prints.clone();
        let (result, raised) = patience::wait(py, &interrupt, prints.as_deref(), || work(&mut self.runtime));
        match (result, raised) {
            (Ok(value), None) => Ok(value),
            (Err(error @ HostError::Interrupted { .. }), Some(raised)) if patience::is_termination(py, &raised) => {
                // A closed or full stream must not hide how the run ended.
                let _ = writeln!(std::io::stderr().lock(), "{error}");
                Err(raised)
            }
            // A signal handler of the program's own raised another exception than KeyboardInterrupt.
            (_, Some(error)) if !error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py) => Err(error),
            (Err(error), _) => Err(raise(py, &error)),
            (Ok(_), Some(error)) => Err(error),
        }
    }
}

fn submitted(py: Python<'_>, task: Result<Task, HostError>) -> PyResult<u64> {
    task.map(|task| task.0).map_err(|error| raise(py, &error))
}

/// The words of an array of the host.
fn words(array: &[u8]) -> Vec<u32> {
    array.as_chunks::<WORD>().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

fn bytes<'py>(py: Python<'py>, array: &[u32]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, array.len() * WORD, |bytes| {
        bytes.as_chunks_mut::<WORD>().0.iter_mut().zip(array).for_each(|(place, word)| *place = word.to_le_bytes());
        Ok(())
    })
}
