//! Runs work that may take long and that Ctrl-C and SIGTERM must be able to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

/// The Python module that handles SIGTERM while work is done.
const SIGNALS: &str = "waferlab.signals";

/// The interval between two turns of Python's signal handlers.
const GLANCE: Duration = Duration::from_millis(50);

/// Runs `work` on another thread and waits for it without the interpreter lock. A signal whose handler raises sets
/// `interrupt`, upon which `work` ends soon; the exception is given back beside its result. Lines that gather in `prints`
/// are shown as they come.
pub fn wait<T: Send>(
    py: Python<'_>,
    interrupt: &Arc<AtomicBool>,
    prints: Option<&Mutex<String>>,
    work: impl FnOnce() -> T + Send,
) -> (T, Option<PyErr>) {
    let taken = py.import(SIGNALS).and_then(|signals| signals.call_method0("begin")?.extract::<bool>());
    let (result, raised) = work_and_watch(py, interrupt, prints, work);
    let shown = show(py, prints);
    let is_taken = matches!(taken, Ok(true));
    let given_back = py.import(SIGNALS).and_then(|signals| signals.call_method1("end", (is_taken,))).map(drop);
    (result, raised.or(taken.err()).or(given_back.err()).or(shown.err()))
}

/// Writes the lines that have gathered to Python's standard output, which in a notebook is the cell.
pub fn show(py: Python<'_>, prints: Option<&Mutex<String>>) -> PyResult<()> {
    let Some(prints) = prints else { return Ok(()) };
    let text = std::mem::take(&mut *prints.lock().unwrap_or_else(PoisonError::into_inner));
    if text.is_empty() {
        return Ok(());
    }
    let output = py.import("sys")?.getattr("stdout")?;
    // A program that was started with its standard output closed has none: Python's own print() is silent then, too.
    if output.is_none() { Ok(()) } else { output.call_method1("write", (text,)).map(drop) }
}

/// Whether the exception is the one that SIGTERM raises while work is done.
pub fn is_termination(py: Python<'_>, raised: &PyErr) -> bool {
    let class = py.import(SIGNALS).and_then(|signals| signals.getattr("Terminated"));
    class.is_ok_and(|class| raised.matches(py, class).unwrap_or(false))
}

/// Whether a signal that the main thread got ends the process, and this run with it.
fn is_ending(py: Python<'_>) -> bool {
    let ending = py.import(SIGNALS).and_then(|signals| signals.call_method0("is_ending")?.extract::<bool>());
    ending.unwrap_or(false)
}

fn work_and_watch<T: Send>(
    py: Python<'_>,
    interrupt: &Arc<AtomicBool>,
    prints: Option<&Mutex<String>>,
    work: impl FnOnce() -> T + Send,
) -> (T, Option<PyErr>) {
    std::thread::scope(|scope| {
        let (done, waiting) = channel();
        let worker = scope.spawn(move || {
            let result = work();
            // The other end waits for this message.
            let _ = done.send(());
            result
        });
        let raised = watch(py, interrupt, prints, waiting);
        match py.detach(|| worker.join()) {
            Ok(result) => (result, raised),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Waits for the message that the work is done, and shows lines meanwhile; returns the exception that a signal handler or
/// the standard output raised.
fn watch(
    py: Python<'_>,
    interrupt: &AtomicBool,
    prints: Option<&Mutex<String>>,
    mut waiting: Receiver<()>,
) -> Option<PyErr> {
    let mut raised = None;
    loop {
        let (word, receiver) = py.detach(move || (waiting.recv_timeout(GLANCE), waiting));
        if word != Err(RecvTimeoutError::Timeout) {
            return raised;
        }
        waiting = receiver;
        if let (Err(error), None) = (py.check_signals().and_then(|()| show(py, prints)), &raised) {
            interrupt.store(true, Ordering::Relaxed);
            raised = Some(error);
        } else if is_ending(py) {
            interrupt.store(true, Ordering::Relaxed);
        }
    }
}
