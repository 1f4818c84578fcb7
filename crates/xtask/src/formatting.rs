//! Formats copies of programs, and compiles each before and after.
//!
//! The output folders are the same, byte for byte. Line tables are left out of both (`--no-line-tables`): they name the lines and
//! columns of the text, which formatting moves.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::compile_times::{Call, calls};
use crate::shell::{self, target};

/// Prints the number of programs compared; an error names those that differ, and files that formatting changes twice.
pub fn compare(folders: &[PathBuf]) -> Result<(), String> {
    shell::run(shell::cargo().args(["build", "--release", "--quiet", "-p", "waferlab-cli"]))?;
    let work = target().join("formatting");
    let (mut same, mut not_compiled, mut wrong) = (0, 0, Vec::new());
    for folder in folders {
        let calls = calls(folder, &work)?;
        let before: Vec<bool> =
            calls.iter().enumerate().map(|(at, call)| compiles(call, &output(&work, "before", at))).collect();
        let tree = work.join("tree");
        // Files that do not parse are left alone, with status 1.
        let _ = fmt().arg(&tree).status();
        let again = fmt().arg("--check").arg(&tree).output().map_err(|error| format!("waferlab fmt: {error}"))?;
        wrong.extend(String::from_utf8_lossy(&again.stdout).lines().map(|file| format!("{file} changes twice")));
        for (at, (call, compiled)) in calls.iter().zip(before).enumerate() {
            let after = output(&work, "after", at);
            match (compiled, compiles(call, &after)) {
                (false, false) => not_compiled += 1,
                (true, true) if is_same(&output(&work, "before", at), &after) => same += 1,
                _ => wrong.push(format!("{}: {}", folder.display(), call.name)),
            }
        }
        println!(
            "{}: {} programs, {same} the same so far, {not_compiled} do not compile",
            folder.display(),
            calls.len()
        );
    }
    wrong.iter().for_each(|what| println!("DIFFERS {what}"));
    match (same, wrong.len()) {
        (0, _) => Err("there is nothing to compare".to_owned()),
        (_, 0) => Ok(()),
        (_, differ) => Err(format!("{differ} differ")),
    }
}

fn output(work: &Path, when: &str, at: usize) -> PathBuf {
    work.join(when).join(at.to_string())
}

fn fmt() -> Command {
    let mut command = Command::new(target().join("release/waferlab"));
    command.arg("fmt").stderr(Stdio::null());
    command
}

fn compiles(call: &Call, output: &Path) -> bool {
    let mut command = Command::new(target().join("release/cslc"));
    command.args(&call.words).arg("--no-line-tables").arg("-o").arg(output).current_dir(&call.folder);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether two folders hold the same files with the same bytes.
fn is_same(one: &Path, other: &Path) -> bool {
    let (ours, theirs) = (files(one, one), files(other, other));
    !ours.is_empty()
        && ours == theirs
        && ours.iter().all(|name| read(one, name).is_some_and(|bytes| Some(bytes) == read(other, name)))
}

fn read(folder: &Path, name: &Path) -> Option<Vec<u8>> {
    std::fs::read(folder.join(name)).ok()
}

/// The files of a folder and of those within, by their paths in `root`.
fn files(folder: &Path, root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path, root));
        } else {
            found.push(path.strip_prefix(root).unwrap_or(&path).to_owned());
        }
    }
    found.sort();
    found
}
