//! The files in `editors/`: writes those that are made of the compiler's tables, and checks all with the editors' own tools.

mod book;
mod plain;
mod servers;
mod tree_sitter;
mod vscode;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{cargo, output, run};

/// A check with a tool that may be missing.
pub struct Check {
    pub name: &'static str,
    /// How to get the tool, if it is not there.
    pub missing: Option<String>,
    pub run: Box<dyn FnOnce() -> Result<(), String>>,
}

/// Writes what is made of the tables, and the parser where tree-sitter is there.
pub fn write() -> Result<(), String> {
    run(cargo()
        .args(["test", "--quiet", "-p", "waferlab-sema", "--test", "editors"])
        .env("WAFERLAB_EDITORS_UPDATE", "1"))?;
    tree_sitter::write()
}

/// Packages the extension of VS Code; returns the package's path.
pub fn extension() -> Result<PathBuf, String> {
    match no_node() {
        None => vscode::package(),
        Some(from) => Err(format!("there is no npm: {from}")),
    }
}

/// All checks, with the commands of this folder; the grammar of tree-sitter also parses the programs of the corpus.
pub fn checks(corpus: &[PathBuf], commands: &Path) -> Vec<Check> {
    let mut all = tree_sitter::checks(corpus);
    all.extend(plain::checks());
    all.extend(book::checks());
    all.extend(servers::checks(commands));
    all.extend(vscode::checks(commands));
    all
}

fn missing(tool: &str, question: &str, from: &str) -> Option<String> {
    output(Command::new(tool).arg(question)).is_none().then(|| from.to_owned())
}

fn no_node() -> Option<String> {
    missing("npm", "--version", "install Node.js 20 or later (https://nodejs.org), with npm")
}

/// A tool that finds the commands of a folder before all others.
fn with(commands: &Path, tool: &str) -> Command {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(commands.to_owned()).chain(std::env::split_paths(&old));
    let path: OsString = std::env::join_paths(folders).unwrap_or(old);
    let mut command = Command::new(tool);
    command.env("PATH", path);
    command
}
