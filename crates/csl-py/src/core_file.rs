//! Core files, for `waferlab.debug_util`.

use std::path::PathBuf;

use csl_host::core_file::Core;
use csl_host::read_image;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::raise;

/// A core file of the program in an output folder.
#[pyclass]
pub struct CoreFile {
    core: Core,
}

#[pymethods]
impl CoreFile {
    #[new]
    fn new(py: Python<'_>, file: PathBuf, folder: PathBuf) -> PyResult<CoreFile> {
        let opened = read_image(&folder).and_then(|image| Core::open(&file, image));
        opened.map(|core| CoreFile { core }).map_err(|error| raise(py, &error))
    }

    fn read_symbol<'py>(&mut self, py: Python<'py>, x: u32, y: u32, name: &str) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.core.read_symbol(x, y, name).map_err(|error| raise(py, &error))?;
        Ok(PyBytes::new(py, &bytes))
    }
}
