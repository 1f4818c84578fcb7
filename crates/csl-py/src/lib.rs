//! The extension module `waferlab._waferlab`: `csl-host` for Python.
//!
//! Requests cross as enums and classes ([`values`]). Arrays cross as bytes of 32-bit words: the Python side takes them
//! out of numpy arrays and writes them back in place, so that no pointer of numpy's is held here. Work runs on a thread
//! of its own without the interpreter lock, while the calling thread looks for Ctrl-C.

mod compiling;
mod core_file;
mod errors;
mod layout;
mod machine;
mod patience;
mod values;

use pyo3::prelude::*;

#[pymodule]
mod _waferlab {
    #[pymodule_export]
    use super::compiling::{compile, inspect, source_folder};
    #[pymodule_export]
    use super::core_file::CoreFile;
    #[pymodule_export]
    use super::layout::Design;
    #[pymodule_export]
    use super::machine::Machine;
    #[pymodule_export]
    use super::values::{
        Arch, Area, Argument, Compiled, Copy, Edge, Flow, Fp16, Mode, Order, Position, Rect, Request, Route, Spread,
        Stream, Width,
    };
}
