//! Errors of the host as exceptions of the package.

use csl_host::HostError;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

/// The exception of `waferlab.errors` that says what `error` is.
pub fn raise(py: Python<'_>, error: &HostError) -> PyErr {
    match error {
        HostError::Interrupted { .. } => PyKeyboardInterrupt::new_err(error.to_string()),
        HostError::Argument(_) => package_error(py, "ArgumentError", error),
        HostError::Simulation(_) => package_error(py, "SimulationError", error),
        HostError::NoProgram { .. } | HostError::Order(_) => package_error(py, "SdkError", error),
    }
}

fn package_error(py: Python<'_>, class: &str, error: &HostError) -> PyErr {
    let made = py
        .import("waferlab.errors")
        .and_then(|module| module.getattr(class))
        .and_then(|class| class.call1((error.to_string(),)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}
