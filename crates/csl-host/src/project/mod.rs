//! The programs of a folder: the `cslc` lines of its scripts, and those of its `waferlab.toml`.

mod script;
mod shell;
mod waferlab_toml;
mod words;

use std::path::PathBuf;

pub use crate::options::Level;
pub use script::{Script, is_script, scripts_in};
pub use waferlab_toml::{PROJECT_FILE, Project};

/// A command line of `cslc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CslcLine {
    /// The words after the name of the command.
    pub words: Vec<String>,
    /// The folder in which the command runs.
    pub folder: PathBuf,
    /// The script, and the line of it, counted from 1, on which the command begins; none for a program of a `waferlab.toml`.
    pub script: Option<(PathBuf, usize)>,
}
