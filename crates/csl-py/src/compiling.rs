//! `cslc` without a process.

use std::path::PathBuf;

use csl_host::{ErrorFormat, Style};
use pyo3::prelude::*;

/// Compiles as `cslc ARGUMENTS` would in `folder`: whether it succeeded, the output folder, and the diagnostics.
#[pyfunction]
pub fn compile(py: Python<'_>, arguments: Vec<String>, folder: PathBuf) -> PyResult<(bool, PathBuf, String)> {
    py.detach(|| Ok(run(arguments, folder)))
}

fn run(arguments: Vec<String>, folder: PathBuf) -> (bool, PathBuf, String) {
    let mut options = match csl_cli::parse(arguments) {
        Ok(options) => options,
        Err(text) => return (false, folder, text),
    };
    options.folder = folder;
    let done = csl_host::compile(&options);
    (done.succeeded(), csl_host::output_folder(&options), done.render(ErrorFormat::Human, Style::Plain))
}
