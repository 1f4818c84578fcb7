//! Runs the lints, or every test, and prints a line on each suite at the end.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::book;
use crate::editors;
use crate::lint;
use crate::shell::{cargo, root, run};
use crate::venv::{self, Venv};

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// rustfmt, clippy, rustdoc, cargo deny; only where it is named. A tool that is not installed is skipped
    Lint,
    Rust,
    Python,
    Examples,
    /// What is there for editors, with the editors' own tools; only where it is named, and with --all
    Editors,
    /// The book, with mdBook and the Python packages; only where it is named, and with --all
    Book,
}

struct Outcome {
    name: String,
    time: Duration,
    verdict: Verdict,
}

enum Verdict {
    Pass,
    Fail,
    /// Not run, for want of a tool; how to get it.
    Skip(String),
}

/// The suites that a plain `cargo xtask test` runs. The lints are a part of `.ci/run`, not of the tests: clippy checks all
/// dependencies once more, which takes minutes in a fresh clone.
const USUAL: [Suite; 3] = [Suite::Rust, Suite::Python, Suite::Examples];

/// Runs the suites (the usual ones when none is named, with `more` those that want more tools, too); an error if one fails.
pub fn all(only: &[Suite], more: bool, corpus: &[PathBuf]) -> Result<(), String> {
    let is_usual = |suite: &Suite| USUAL.contains(suite) || (more && matches!(suite, Suite::Editors | Suite::Book));
    let chosen = |suite: &Suite| if only.is_empty() { is_usual(suite) } else { only.contains(suite) };
    let suites: Vec<Suite> = Suite::value_variants().iter().copied().filter(chosen).collect();
    let mut outcomes = Vec::new();
    if suites.contains(&Suite::Lint) {
        outcomes.extend(lint::ALL.iter().map(lint));
    }
    if suites.contains(&Suite::Rust) {
        outcomes.push(timed("rust", rust));
    }
    if suites.iter().any(|suite| matches!(suite, Suite::Python | Suite::Examples | Suite::Book)) {
        let venv = venv::ensure()?;
        suites.iter().for_each(|suite| with_venv(*suite, &venv, &mut outcomes));
    }
    if suites.contains(&Suite::Editors) {
        outcomes.extend(editors::checks(corpus).into_iter().map(check));
    }
    summarize(&outcomes)
}

fn with_venv(suite: Suite, venv: &Venv, outcomes: &mut Vec<Outcome>) {
    match suite {
        Suite::Lint | Suite::Rust | Suite::Editors => {}
        Suite::Book => outcomes.extend(book::checks(&venv.commands()).into_iter().map(check)),
        Suite::Python => {
            outcomes.push(timed("python", || python(venv, None)));
            match venv.other_numpy() {
                Ok(None) => eprintln!("xtask: there is no NumPy 1 for this Python: tested with NumPy 2 alone"),
                Ok(Some(numpy)) => outcomes.push(timed("python with NumPy 2", || python(venv, Some(&numpy)))),
                Err(text) => outcomes.push(timed("python with NumPy 2", || Err(text))),
            }
        }
        Suite::Examples => outcomes.extend(crate::run::all().iter().map(|folder| {
            let name = folder.strip_prefix(root()).unwrap_or(folder).display().to_string();
            timed(&name, || crate::run::script(venv, folder))
        })),
    }
}

fn lint(lint: &lint::Lint) -> Outcome {
    match lint.missing() {
        Some(from) => {
            Outcome { name: lint.name.to_owned(), time: Duration::ZERO, verdict: Verdict::Skip(from.to_owned()) }
        }
        None => timed(lint.name, || lint.check()),
    }
}

fn check(check: editors::Check) -> Outcome {
    match check.missing {
        Some(from) => Outcome { name: check.name.to_owned(), time: Duration::ZERO, verdict: Verdict::Skip(from) },
        None => timed(check.name, check.run),
    }
}

/// Runs the Rust tests. The extension module is left out: it is built with the interpreter of the environment and
/// tested from Python.
fn rust() -> Result<(), String> {
    run(cargo().args(["test", "--workspace", "--exclude", "waferlab-py", "--no-fail-fast"]))
}

/// The Python tests, with the packages of a folder before those of the environment.
fn python(venv: &Venv, first: Option<&Path>) -> Result<(), String> {
    let mut command = venv.command("python");
    command.args(["-m", "unittest", "discover", "-s", "crates/csl-py/tests"]).current_dir(root());
    if let Some(folder) = first {
        command.env("PYTHONPATH", folder);
    }
    run(&mut command)
}

fn timed(name: &str, work: impl FnOnce() -> Result<(), String>) -> Outcome {
    eprintln!("xtask: {name}");
    let start = Instant::now();
    let verdict = match work() {
        Ok(()) => Verdict::Pass,
        Err(text) => {
            eprintln!("xtask: {name}: {text}");
            Verdict::Fail
        }
    };
    Outcome { name: name.to_owned(), time: start.elapsed(), verdict }
}

fn summarize(outcomes: &[Outcome]) -> Result<(), String> {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for Outcome { name, time, verdict } in outcomes {
        let time = time.as_secs_f64();
        match verdict {
            Verdict::Pass => println!("pass  {time:7.1} s  {name}"),
            Verdict::Fail => println!("FAIL  {time:7.1} s  {name}"),
            Verdict::Skip(from) => println!("NOT RUN          {name}: its tool is missing; to get it: {from}"),
        }
        match verdict {
            Verdict::Pass => passed += 1,
            Verdict::Fail => failed += 1,
            Verdict::Skip(_) => skipped += 1,
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} not run for want of a tool");
    if failed == 0 { Ok(()) } else { Err("some tests failed".to_owned()) }
}
