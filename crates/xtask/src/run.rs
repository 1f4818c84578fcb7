//! Examples, by their own scripts.

use std::path::{Path, PathBuf};

use crate::shell::{root, run};
use crate::venv::{self, Venv};

/// Sets up everything and runs the example.
pub fn example(name: &str) -> Result<(), String> {
    let folder = find(name)?;
    script(&venv::ensure()?, &folder)
}

/// Runs the example's `commands.sh` as its reader would.
pub fn script(venv: &Venv, folder: &Path) -> Result<(), String> {
    run(venv.command("bash").arg("commands.sh").current_dir(folder))
}

/// Folders of all examples, by name.
pub fn all() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("examples")).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_example(path)).collect();
    folders.sort();
    folders
}

fn is_example(path: &Path) -> bool {
    path.join("commands.sh").is_file()
}

fn find(name: &str) -> Result<PathBuf, String> {
    let places = [PathBuf::from(name), root().join(name), root().join("examples").join(name)];
    places.into_iter().find(|path| is_example(path)).ok_or_else(|| {
        let names: Vec<String> =
            all().iter().map(|path| path.strip_prefix(root()).unwrap_or(path).display().to_string()).collect();
        format!("there is no example {name}; there are {}", names.join(", "))
    })
}
