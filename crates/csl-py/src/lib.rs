//! The extension module `waferlab._waferlab`: `csl-host` for Python.
//!
//! Arrays cross as bytes of 32-bit words: the Python side takes them out of numpy arrays and writes them back in
//! place, so that no pointer of numpy's is held here. Work is done without the interpreter lock, on a thread of its own,
//! while this one looks for Ctrl-C.

mod compiling;
mod core;
mod errors;
mod layout;
mod machine;
mod patience;

use pyo3::prelude::*;

#[pymodule]
mod _waferlab {
    #[pymodule_export]
    use super::compiling::{compile, source_folder};
    #[pymodule_export]
    use super::core::CoreFile;
    #[pymodule_export]
    use super::layout::Design;
    #[pymodule_export]
    use super::machine::Machine;
}
