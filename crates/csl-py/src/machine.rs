//! A program on the simulated wafer, for `waferlab.runtime`.

use std::path::PathBuf;

use csl_host::layout::Way;
use csl_host::{Argument, Copy, HostError, Order, Rect, Runtime, Settings, Spread, Task, Width};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::raise;
use crate::patience;

const WORD: usize = 4;

/// px, py, w, h, elements of a PE.
type Place = (u32, u32, u32, u32, u32);

#[pyclass]
pub struct Machine {
    runtime: Runtime,
}

#[pymethods]
impl Machine {
    #[new]
    fn new(py: Python<'_>, folder: PathBuf, threads: usize) -> PyResult<Machine> {
        let settings = Settings { threads };
        let mut runtime = Runtime::open(&folder, settings).map_err(|error| raise(py, &error))?;
        runtime.obey_environment(&std::env::current_dir()?).map_err(|error| raise(py, &error))?;
        Ok(Machine { runtime })
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

    /// The names that the program exports.
    fn exports(&self) -> Vec<String> {
        self.runtime.image().exports.iter().map(|export| export.name.clone()).collect()
    }

    /// Warnings since the last call.
    fn take_warnings(&mut self) -> Vec<String> {
        self.runtime.take_warnings()
    }

    fn logical_to_physical(&self, x: u32, y: u32) -> (u32, u32) {
        self.runtime.to_physical(x, y)
    }

    fn read_symbol<'py>(&mut self, py: Python<'py>, x: u32, y: u32, name: &str) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.runtime.read_symbol(x, y, name).map_err(|error| raise(py, &error))?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[expect(clippy::too_many_arguments, reason = "the host API's own list")]
    fn memcpy_h2d(
        &mut self,
        py: Python<'_>,
        dest: u32,
        data: &[u8],
        place: Place,
        stride: (u32, u32),
        spread: &str,
        streaming: bool,
        bits16: bool,
        col_major: bool,
    ) -> PyResult<u64> {
        let copy = copy(place, stride, streaming, bits16, col_major);
        let task = self.runtime.h2d(dest, &words(data), &copy, spread_of(spread)?);
        submitted(py, task)
    }

    #[expect(clippy::too_many_arguments, reason = "the host API's own list")]
    fn memcpy_d2h(
        &mut self,
        py: Python<'_>,
        src: u32,
        room: usize,
        place: Place,
        streaming: bool,
        bits16: bool,
        col_major: bool,
    ) -> PyResult<u64> {
        let task = self.runtime.d2h(src, room, &copy(place, (1, 1), streaming, bits16, col_major));
        submitted(py, task)
    }

    fn launch(&mut self, py: Python<'_>, name: &str, arguments: Vec<(String, i128, f64)>) -> PyResult<u64> {
        let arguments: PyResult<Vec<Argument>> = arguments.into_iter().map(argument).collect();
        let task = self.runtime.launch(name, &arguments?);
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

    /// Columns and rows of the program's rectangle.
    fn size(&self) -> (u32, u32) {
        let rect = self.runtime.image().rect;
        (rect.width, rect.height)
    }

    /// Name, whether it leads to the device, x, y and color of every stream, by port number.
    fn streams(&self) -> Vec<(String, bool, u32, u32, u8)> {
        let streams = self.runtime.streams().iter();
        streams.map(|s| (s.name.clone(), s.way == Way::In, s.x, s.y, s.color)).collect()
    }

    fn port(&self, name: &str) -> Option<usize> {
        self.runtime.port(name).ok()
    }

    fn send(&mut self, py: Python<'_>, port: usize, data: &[u8]) -> PyResult<u64> {
        let task = self.runtime.send(port, &words(data));
        submitted(py, task)
    }

    fn receive(&mut self, py: Python<'_>, port: usize, count: usize) -> PyResult<u64> {
        let task = self.runtime.receive(port, count);
        submitted(py, task)
    }

    /// Whatever comes on a stream until nothing can move any more.
    fn receive_all<'py>(&mut self, py: Python<'py>, port: usize) -> PyResult<Bound<'py, PyBytes>> {
        let words = self.patiently(py, |runtime| runtime.receive_all(port))?;
        Ok(PyBytes::new(py, &bytes(&words)))
    }

    fn wait(&mut self, py: Python<'_>, task: u64) -> PyResult<()> {
        self.patiently(py, |runtime| runtime.wait(Task(task)))
    }

    fn is_done(&mut self, py: Python<'_>, task: u64) -> PyResult<bool> {
        self.patiently(py, |runtime| runtime.is_done(Task(task)))
    }

    /// Tasks that have brought data, with the data as 32-bit words.
    fn take_arrived<'py>(&mut self, py: Python<'py>) -> Vec<(u64, Bound<'py, PyBytes>)> {
        let arrived = self.runtime.take_arrived();
        arrived.into_iter().map(|(task, words)| (task.0, PyBytes::new(py, &bytes(&words)))).collect()
    }

    /// Brings what has happened so far into `sim.log`.
    fn flush_log(&mut self, py: Python<'_>) -> PyResult<()> {
        self.runtime.flush_log().map_err(|error| raise(py, &error))
    }

    /// Writes the memory of all PEs to a core file.
    fn dump_core(&mut self, py: Python<'_>, file: PathBuf) -> PyResult<()> {
        self.runtime.dump_core(&file).map_err(|error| raise(py, &error))
    }

    /// What `sim_stats.json` says of the run, as JSON.
    fn statistics(&mut self) -> String {
        format!("{:#}\n", self.runtime.statistics())
    }

    fn cycle(&self) -> u64 {
        self.runtime.cycle()
    }
}

impl Machine {
    fn patiently<T: Send>(
        &mut self,
        py: Python<'_>,
        work: impl FnOnce(&mut Runtime) -> Result<T, HostError> + Send,
    ) -> PyResult<T> {
        let interrupt = self.runtime.interrupt();
        let (result, raised) = patience::wait(py, &interrupt, || work(&mut self.runtime));
        match (result, raised) {
            (Ok(value), None) => Ok(value),
            (Err(error @ HostError::Interrupted { .. }), Some(raised)) if patience::is_termination(py, &raised) => {
                eprintln!("{error}");
                Err(raised)
            }
            // A handler of the program's own raised something else than Ctrl-C does.
            (_, Some(error)) if !error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py) => Err(error),
            (Err(error), _) => Err(raise(py, &error)),
            (Ok(_), Some(error)) => Err(error),
        }
    }
}

fn submitted(py: Python<'_>, task: Result<Task, HostError>) -> PyResult<u64> {
    task.map(|task| task.0).map_err(|error| raise(py, &error))
}

fn copy(place: Place, stride: (u32, u32), streaming: bool, bits16: bool, col_major: bool) -> Copy {
    let (x, y, w, h, per_pe) = place;
    Copy {
        rect: Rect { x, y, w, h, step_x: stride.0, step_y: stride.1 },
        per_pe,
        width: if bits16 { Width::Bits16 } else { Width::Bits32 },
        order: if col_major { Order::ColMajor } else { Order::RowMajor },
        streaming,
    }
}

fn spread_of(name: &str) -> PyResult<Spread> {
    match name {
        "each" => Ok(Spread::Each),
        "rows" => Ok(Spread::Rows),
        "columns" => Ok(Spread::Columns),
        _ => Err(PyValueError::new_err(format!("unknown spread {name}"))),
    }
}

/// An argument as the Python side describes it: the name of its type, its integer value, its float value.
fn argument((kind, int, float): (String, i128, f64)) -> PyResult<Argument> {
    let sized = |prefix: &str| kind.strip_prefix(prefix).and_then(|bits| bits.parse::<u8>().ok());
    match kind.as_str() {
        "bool" => Ok(Argument::Bool(int != 0)),
        "int" => Ok(Argument::Int(int)),
        "float" => Ok(Argument::Float(float)),
        _ => match (sized("int"), sized("uint"), sized("float")) {
            (Some(bits), _, _) => Ok(Argument::TypedInt { bits, signed: true, value: int }),
            (_, Some(bits), _) => Ok(Argument::TypedInt { bits, signed: false, value: int }),
            (_, _, Some(bits)) => Ok(Argument::TypedFloat { bits, value: float }),
            _ => Err(PyValueError::new_err(format!("launch: arguments of type {kind} cannot be passed"))),
        },
    }
}

fn words(data: &[u8]) -> Vec<u32> {
    data.chunks_exact(WORD).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect()
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
