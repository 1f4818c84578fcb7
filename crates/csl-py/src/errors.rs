//! Turns errors of the host into exceptions of the package.

use csl_host::{ErrorKind, HostError};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

/// The exception of `waferlab.errors` that corresponds to `error`.
pub fn raise(py: Python<'_>, error: &HostError) -> PyErr {
    match error.kind() {
        ErrorKind::Interrupted => PyKeyboardInterrupt::new_err(error.printable()),
        ErrorKind::Argument => package_error(py, "ArgumentError", error),
        ErrorKind::Simulation => package_error(py, "SimulationError", error),
        ErrorKind::Other => package_error(py, "SdkError", error),
    }
}

fn package_error(py: Python<'_>, class: &str, error: &HostError) -> PyErr {
    let made = py
        .import("waferlab.errors")
        .and_then(|module| module.getattr(class))
        .and_then(|class| class.call1((error.printable(),)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}
