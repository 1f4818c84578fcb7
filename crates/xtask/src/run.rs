//! Runs examples by their own scripts.

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

/// The `commands*.sh` of a tree, but for those that start a job on an appliance.
pub fn scripts(tree: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![tree.to_owned()];
    while let Some(folder) = pending.pop() {
        for path in std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !path.is_symlink() {
                pending.push(path);
            } else if name.starts_with("commands") && name.ends_with(".sh") && !name.contains("appliance") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
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
