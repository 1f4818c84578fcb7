//! The invariants of ARCHITECTURE.md that a text search can hold: who imports whom, what stays out of the lower crates, and
//! that the tests which `tests/semantics.md` names are there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate may import of ours, dev-dependencies aside.
const IMPORTS: &[(&str, &[&str])] = &[
    ("csl-diag", &[]),
    ("csl-num", &[]),
    ("csl-machine", &[]),
    ("csl-std", &[]),
    ("csl-syntax", &["csl-diag"]),
    ("csl-ir", &["csl-num", "csl-diag", "csl-machine"]),
    ("csl-sema", &["csl-syntax", "csl-ir", "csl-machine", "csl-num", "csl-diag"]),
    ("csl-opt", &["csl-ir", "csl-num"]),
    ("csl-isa", &["csl-machine", "csl-num"]),
    ("csl-image", &["csl-isa", "csl-machine", "csl-num"]),
    ("csl-codegen", &["csl-ir", "csl-isa", "csl-image", "csl-machine", "csl-num", "csl-diag"]),
    ("csl-fabric", &["csl-machine"]),
    ("csl-pe", &["csl-isa", "csl-image", "csl-num", "csl-machine"]),
    ("csl-sim", &["csl-pe", "csl-fabric", "csl-image", "csl-isa", "csl-machine"]),
    ("csl-cli", &["csl-host"]),
    ("csl-py", &["csl-host", "csl-cli"]),
];

/// Crates below csl-host: they read no file, clock, environment or number of threads.
const PURE: &[&str] = &[
    "csl-diag",
    "csl-num",
    "csl-machine",
    "csl-std",
    "csl-syntax",
    "csl-ir",
    "csl-sema",
    "csl-opt",
    "csl-isa",
    "csl-image",
    "csl-codegen",
    "csl-fabric",
    "csl-pe",
    "csl-sim",
];

const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::time",
    "std::net",
    "std::process",
    "available_parallelism",
    "SystemTime",
    "Instant::now",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn imports_run_one_way() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    for &(name, allowed) in IMPORTS {
        let package = packages.iter().find(|p| p["name"] == name).unwrap_or_else(|| panic!("no crate {name}"));
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let ours = to.starts_with("csl-") && dependency["kind"].is_null();
            assert!(!ours || allowed.contains(&to), "{name} imports {to}");
        }
    }
}

#[test]
fn lower_crates_touch_nothing_outside() {
    for name in PURE {
        for file in sources(&root().join("crates").join(name).join("src")) {
            let text = fs::read_to_string(&file).expect("a source file is readable");
            for word in IMPURE {
                assert!(!text.contains(word), "{} uses {word}", file.display());
            }
        }
    }
}

/// Rules that `tests/semantics.md` counts.
const RULES: u32 = 37;

#[test]
fn every_rule_names_tests_that_are_there() {
    let index = fs::read_to_string(root().join("tests/semantics.md")).expect("the index is readable");
    let rows: Vec<(u32, &str)> = index.lines().filter_map(row).collect();
    for rule in 1..=RULES {
        assert!(rows.iter().any(|row| row.0 == rule), "rule {rule} has no row");
    }
    for (rule, tests) in rows {
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "a row of rule {rule} names no test");
        for name in names {
            assert!(is_there(name), "rule {rule} names {name}, which is not there");
        }
    }
}

/// The rule's number and the column of its tests.
fn row(line: &str) -> Option<(u32, &str)> {
    let line = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let (rule, rest) = line.split_once(" | ")?;
    Some((rule.parse().ok()?, rest.rsplit_once(" | ")?.1))
}

/// `CRATE::name` is a test in that crate; all else is a file of `tests/`, without its ending.
fn is_there(name: &str) -> bool {
    match name.split_once("::") {
        Some((package, test)) => has_test(package, test),
        None => ["csl", "scene"].iter().any(|ending| root().join("tests").join(format!("{name}.{ending}")).is_file()),
    }
}

fn has_test(package: &str, name: &str) -> bool {
    let declared = [format!("fn {name}("), format!("def {name}(")];
    files(&root().join("crates").join(package).join("tests"), &["rs", "py"]).iter().any(|file| {
        let text = fs::read_to_string(file).expect("a test is readable");
        declared.iter().any(|declaration| text.contains(declaration))
    })
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    files(dir, &["rs"])
}

fn files(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a source folder is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if path.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending)) {
            found.push(path);
        }
    }
    found
}
