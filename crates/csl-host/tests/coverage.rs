//! Every builtin, every function and constant of the library and every diagnostic code is used by a program of ours whose
//! outcome a test compares. `cargo test -p waferlab-host coverage -- --nocapture` prints which program that is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use csl_diag::Code;
use csl_std::{Declaration, Kind};

use crate::vectors::EXPRESSIONS;

/// Programs of the library that a host runs, and the tests that do.
const RUN_BY: &[(&str, &str)] = &[
    ("kernels/fft/fft3d_layout", "crates/csl-host/tests/kernels.rs"),
    ("kernels/fft/fft3d_program", "crates/csl-host/tests/kernels.rs"),
    ("sdklayout/stream", "crates/csl-host/tests/layout.rs"),
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files below `folder` with the extension, by path.
fn files(folder: &Path, extension: &str) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder is readable").path();
        if path.is_dir() {
            all.extend(files(&path, extension));
        } else if path.extension().is_some_and(|ext| ext == extension) {
            let text = fs::read_to_string(&path).expect("it is text");
            all.insert(path, text);
        }
    }
    all
}

/// A program, comments left out, and its name below `tests/run`.
struct Program {
    name: String,
    code: String,
}

impl Program {
    /// Whether `name` stands in the code behind `sign`, as a whole word.
    fn uses(&self, sign: char, name: &str) -> bool {
        let word = format!("{sign}{name}");
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        self.code.match_indices(&word).any(|(at, _)| ends(&self.code[at + word.len()..]))
    }

    /// Whether the program imports the library, or the library that it is a part of.
    fn imports(&self, library: &str) -> bool {
        let whole = self.code.contains(&format!("\"<{library}>\""));
        let part = library.split_once("tile_config/").map(|(_, part)| part);
        whole || self.code.contains("\"<tile_config>\"") && part.is_some_and(|part| self.uses('.', part))
    }
}

/// The programs whose outcome is compared: values, assertions, a fault, a message or printed lines.
fn programs() -> Vec<Program> {
    let folder = repository().join("tests/run");
    let layouts = files(&folder, "layout");
    let is_compared = |path: &Path, text: &str| {
        let keys = ["//> out ", "//> fails: ", "//> rejects: ", "//> prints: "];
        keys.iter().any(|key| text.contains(key))
            || path.starts_with(folder.join("std"))
            || path.starts_with(folder.join("faults"))
    };
    let program = |(path, text): (PathBuf, String)| {
        let layout = layouts.get(&path.with_extension("layout")).cloned().unwrap_or_default();
        let code = format!("{text}{layout}").lines().map(without_comment).collect::<Vec<_>>().join("\n");
        let name = path.strip_prefix(&folder).expect("it lies below").display().to_string();
        Program { name, code }
    };
    files(&folder, "csl").into_iter().filter(|(path, text)| is_compared(path, text)).map(program).collect()
}

fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// Prints the program that uses each name, and fails for names that no program uses.
fn assert_all_used(rows: &[(String, Option<String>)]) {
    for (name, user) in rows {
        println!("{name:60} {}", user.as_deref().unwrap_or("-"));
    }
    let unused: Vec<&str> = rows.iter().filter(|row| row.1.is_none()).map(|row| row.0.as_str()).collect();
    assert!(unused.is_empty(), "no program whose outcome is compared uses {}", unused.join(", "));
}

fn user_of_builtin(programs: &[Program], name: &str) -> Option<String> {
    if EXPRESSIONS.iter().any(|(op, _)| op.name() == name) {
        return Some("crates/csl-host/tests/vectors.rs".to_owned());
    }
    programs.iter().find(|program| program.uses('@', name)).map(|program| program.name.clone())
}

#[test]
fn every_builtin_is_tested() {
    let programs = programs();
    let documented = csl_sema::builtin_names().filter(|name| !name.starts_with("wl_"));
    let rows: Vec<_> = documented.map(|name| (format!("@{name}"), user_of_builtin(&programs, name))).collect();
    assert_all_used(&rows);
}

/// The names that a library gives to programs.
fn given(library: &str) -> Vec<&'static str> {
    let is_named = |declared: &Declaration| declared.kind != Kind::Param;
    csl_std::declarations(library).into_iter().filter(is_named).map(|declared| declared.name).collect()
}

/// Old names of a library's file, tested under the new ones.
fn is_alias(library: &str) -> bool {
    library.starts_with("memcpy_multi/memcpy")
}

#[test]
fn every_function_of_the_library_is_tested() {
    let programs = programs();
    let mut rows = Vec::new();
    for library in csl_std::names().filter(|library| !is_alias(library)) {
        if let Some((_, test)) = RUN_BY.iter().find(|(name, _)| *name == library) {
            assert!(repository().join(test).exists(), "{test} is there");
            rows.push((format!("<{library}>"), Some((*test).to_owned())));
            continue;
        }
        let importers: Vec<&Program> = programs.iter().filter(|program| program.imports(library)).collect();
        rows.push((format!("<{library}>"), importers.first().map(|program| program.name.clone())));
        for name in given(library) {
            let user = importers.iter().find(|program| program.uses('.', name));
            rows.push((format!("<{library}>.{name}"), user.map(|program| program.name.clone())));
        }
    }
    assert_all_used(&rows);
}

#[test]
fn every_diagnostic_code_is_shown() {
    let mut shown = files(&repository().join("tests/ui"), "snap");
    shown.extend(files(&repository().join("tests/run/faults"), "snap"));
    shown.extend(files(&repository().join("tests/lint"), "snap"));
    shown.extend(files(&repository().join("crates/csl-host/tests/snapshots"), "snap"));
    let place = |code: &Code| {
        let mark = format!("[{}]", code.text());
        let found = shown.iter().find(|(_, text)| text.contains(&mark));
        found.map(|(path, _)| path.strip_prefix(repository()).unwrap_or(path).display().to_string())
    };
    // No program is known to show a fault of the compiler itself.
    let codes = Code::ALL.iter().filter(|code| **code != Code::Internal);
    let rows: Vec<_> = codes.map(|code| (code.text().to_owned(), place(code))).collect();
    assert_all_used(&rows);
}
