//! Runs `cslc` within this process.

use std::path::PathBuf;

use csl_host::Rendering;
use csl_host::inspect::{Choice, Inspection};
use pyo3::prelude::*;

use crate::errors::raise;
use crate::values::Compiled;

/// Compiles as `cslc ARGUMENTS` would in `folder`, or into `output` instead.
#[pyfunction]
#[pyo3(signature = (arguments, folder, output=None))]
pub fn compile(py: Python<'_>, arguments: Vec<String>, folder: PathBuf, output: Option<PathBuf>) -> Compiled {
    py.detach(|| run(arguments, folder, output))
}

fn run(arguments: Vec<String>, folder: PathBuf, output: Option<PathBuf>) -> Compiled {
    let mut options = match csl_cli::parse(arguments) {
        Ok(options) => options,
        Err(messages) => {
            return Compiled { succeeded: false, folder, messages: without_usage(&messages), text: String::new() };
        }
    };
    options.folder = folder;
    options.output = output.unwrap_or(options.output);
    let done = csl_host::compile(&options);
    Compiled {
        succeeded: done.succeeded(),
        folder: csl_host::output_folder(&options),
        messages: done.render(&Rendering::default()),
        text: done.text().to_owned(),
    }
}

/// What is wrong with the words of a command, without how the command is used: there is none in Python.
fn without_usage(messages: &str) -> String {
    let end = ["\n\nUsage:", "\n\nFor more information"].iter().filter_map(|start| messages.find(start)).min();
    end.map_or(messages, |end| &messages[..end]).to_owned()
}

/// What a compiled program holds, as `waferlab inspect` shows it: text, or the text of a JSON object.
#[pyfunction]
#[pyo3(signature = (folder, *, json=false))]
pub fn inspect(py: Python<'_>, folder: PathBuf, json: bool) -> PyResult<String> {
    let shown = Inspection::open(&folder).and_then(|inspection| match json {
        true => inspection.json(&Choice::default()).map(|value| value.to_string()),
        false => inspection.text(&Choice::default()),
    });
    shown.map_err(|error| raise(py, &error))
}

/// The folder that a program was compiled in.
#[pyfunction]
pub fn source_folder(py: Python<'_>, artifact: PathBuf) -> PyResult<PathBuf> {
    let image = csl_host::read_image(&artifact).map_err(|error| raise(py, &error))?;
    Ok(PathBuf::from(image.origin.folder))
}
