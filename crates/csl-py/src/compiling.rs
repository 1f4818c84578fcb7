//! `cslc` without a process.

use std::path::PathBuf;

use csl_host::{ErrorFormat, Style};
use pyo3::prelude::*;

use crate::errors::raise;

/// Compiles as `cslc ARGUMENTS` would in `folder`, or into `output` instead: whether it succeeded, the output folder, the
/// diagnostics, and what `cslc` would print.
#[pyfunction]
#[pyo3(signature = (arguments, folder, output=None))]
pub fn compile(
    py: Python<'_>,
    arguments: Vec<String>,
    folder: PathBuf,
    output: Option<PathBuf>,
) -> PyResult<(bool, PathBuf, String, String)> {
    py.detach(|| Ok(run(arguments, folder, output)))
}

fn run(arguments: Vec<String>, folder: PathBuf, output: Option<PathBuf>) -> (bool, PathBuf, String, String) {
    let mut options = match csl_cli::parse(arguments) {
        Ok(options) => options,
        Err(text) => return (false, folder, text, String::new()),
    };
    options.folder = folder;
    options.output = output.unwrap_or(options.output);
    let done = csl_host::compile(&options);
    let messages = done.render(ErrorFormat::Human, Style::Plain);
    (done.succeeded(), csl_host::output_folder(&options), messages, done.text().to_owned())
}

/// The folder that a program was compiled in.
#[pyfunction]
pub fn source_folder(py: Python<'_>, artifact: PathBuf) -> PyResult<PathBuf> {
    let image = csl_host::read_image(&artifact).map_err(|error| raise(py, &error))?;
    Ok(PathBuf::from(image.origin.folder))
}
