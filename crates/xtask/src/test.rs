//! Runs every test and prints a line on each suite at the end.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::shell::{cargo, root, run};
use crate::venv::{self, Venv};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    Rust,
    Python,
    Examples,
}

struct Outcome {
    name: String,
    time: Duration,
    result: Result<(), String>,
}

/// Runs the suites (all when none is named); an error if one fails.
pub fn all(only: &[Suite]) -> Result<(), String> {
    let chosen = |suite: &Suite| only.is_empty() || only.contains(suite);
    let suites: Vec<Suite> = Suite::value_variants().iter().copied().filter(chosen).collect();
    let mut outcomes = Vec::new();
    if suites.contains(&Suite::Rust) {
        outcomes.push(timed("rust", rust));
    }
    if suites.iter().any(|suite| *suite != Suite::Rust) {
        let venv = venv::ensure()?;
        suites.iter().for_each(|suite| with_venv(*suite, &venv, &mut outcomes));
    }
    summarize(&outcomes)
}

fn with_venv(suite: Suite, venv: &Venv, outcomes: &mut Vec<Outcome>) {
    match suite {
        Suite::Rust => {}
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

/// Runs the Rust tests. The extension module is left out: it is built with the interpreter of the environment and
/// tested from Python.
fn rust() -> Result<(), String> {
    run(cargo().args(["test", "--workspace", "--exclude", "csl-py", "--no-fail-fast"]))
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
    let result = work();
    Outcome { name: name.to_owned(), time: start.elapsed(), result }
}

fn summarize(outcomes: &[Outcome]) -> Result<(), String> {
    for Outcome { name, time, result } in outcomes {
        let verdict = if result.is_ok() { "pass" } else { "FAIL" };
        println!("{verdict}  {:7.1} s  {name}", time.as_secs_f64());
    }
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    println!("{} passed, {failed} failed", outcomes.len() - failed);
    match failed {
        0 => Ok(()),
        _ => Err("some tests failed".to_owned()),
    }
}
