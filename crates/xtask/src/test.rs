//! Runs suites of tests, the lints among them, and prints a line on each at the end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::book;
use crate::editors;
use crate::lint;
use crate::playground;
use crate::shell::{cargo, root, run, target};
use crate::venv::{self, Venv};

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// rustfmt, clippy, rustdoc, cargo deny; only where it is named. A tool that is not installed is skipped
    Lint,
    Rust,
    Python,
    Examples,
    /// The plug-in for pytest and the notebooks, with pytest and Jupyter; only where it is named, and with --all
    Notebooks,
    /// What is there for editors, with the editors' own tools; only where it is named, and with --all
    Editors,
    /// The book, with mdBook and the Python packages; only where it is named, and with --all
    Book,
    /// Sweeps on a Dask cluster and under a stand-in for SLURM, with packages of PyPI; only where it is named, and with --all
    Cluster,
    /// Native code: random programs and those of tests/run and tests/timing, in native code from the first turn on; only where it is
    /// named, and with --all
    Jit,
    /// The page with the compiler and the simulator, in headless Chromium; only where it is named, and with --all
    Playground,
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

/// The suites that `cargo xtask test --all` runs besides.
const MORE: [Suite; 6] = [Suite::Notebooks, Suite::Editors, Suite::Book, Suite::Cluster, Suite::Jit, Suite::Playground];

/// The packages with which sweeps are tested on clusters.
const CLUSTER: [&str; 3] = ["pandas", "distributed>=2023.1", "dask-jobqueue>=0.8"];

/// Runs the suites (the usual ones when none is named, with `more` those that want more tools, too); an error if one fails.
pub fn all(only: &[Suite], more: bool, corpus: &[PathBuf]) -> Result<(), String> {
    let is_usual = |suite: &Suite| USUAL.contains(suite) || (more && MORE.contains(suite));
    let chosen = |suite: &Suite| if only.is_empty() { is_usual(suite) } else { only.contains(suite) };
    let suites: Vec<Suite> = Suite::value_variants().iter().copied().filter(chosen).collect();
    let mut outcomes = Vec::new();
    if suites.contains(&Suite::Lint) {
        outcomes.extend(lint::ALL.iter().map(lint));
    }
    if suites.contains(&Suite::Rust) {
        outcomes.push(timed("rust", rust));
    }
    if suites.contains(&Suite::Jit) {
        outcomes.push(timed("native code", native));
    }
    let with_python = [Suite::Python, Suite::Examples, Suite::Notebooks, Suite::Editors, Suite::Book, Suite::Cluster];
    if suites.iter().any(|suite| with_python.contains(suite)) {
        let venv = venv::ensure()?;
        suites.iter().for_each(|suite| with_venv(*suite, &venv, corpus, &mut outcomes));
    }
    if suites.contains(&Suite::Playground) {
        outcomes.push(match playground::missing() {
            Some(from) => Outcome { name: "playground".to_owned(), time: Duration::ZERO, verdict: Verdict::Skip(from) },
            None => timed("playground", playground::check),
        });
    }
    summarize(&outcomes)
}

fn with_venv(suite: Suite, venv: &Venv, corpus: &[PathBuf], outcomes: &mut Vec<Outcome>) {
    match suite {
        Suite::Lint | Suite::Rust | Suite::Jit | Suite::Playground => {}
        Suite::Editors => outcomes.extend(editors::checks(corpus, &venv.commands()).into_iter().map(check)),
        Suite::Book => outcomes.extend(book::checks(&venv.commands()).into_iter().map(check)),
        Suite::Cluster => outcomes.push(timed("sweeps on clusters", || {
            let packages = venv.with_packages("cluster", &CLUSTER)?;
            python(venv, "crates/csl-py/tests/cluster", Some(&packages))
        })),
        Suite::Python => {
            outcomes.push(timed("python", || python(venv, TESTS, None)));
            match venv.other_numpy() {
                Ok(None) => eprintln!("xtask: there is no NumPy 1 for this Python: tested with NumPy 2 alone"),
                Ok(Some(numpy)) => outcomes.push(timed("python with NumPy 2", || python(venv, TESTS, Some(&numpy)))),
                Err(text) => outcomes.push(timed("python with NumPy 2", || Err(text))),
            }
        }
        Suite::Notebooks => match venv.tool("jupyter", &JUPYTER) {
            Err(text) => outcomes.push(timed("notebooks", || Err(text))),
            Ok(folder) => {
                let plugin = ["-m", "unittest", "discover", "-s", "crates/csl-py/tests", "-p", "test_pytest_plugin.py"];
                outcomes.push(timed("pytest", || run(with(venv, &folder).args(plugin).current_dir(root()))));
                outcomes.extend(notebooks().iter().map(|file| {
                    let name = file.strip_prefix(root()).unwrap_or(file).display().to_string();
                    timed(&name, || notebook(venv, &folder, file))
                }));
            }
        },
        Suite::Examples => outcomes.extend(crate::run::all().iter().map(|folder| {
            let name = folder.strip_prefix(root()).unwrap_or(folder).display().to_string();
            timed(&name, || crate::run::script(venv, folder))
        })),
    }
}

/// The packages of PyPI that run notebooks and tests with the plug-in.
const JUPYTER: [&str; 4] = ["nbclient>=0.10", "ipykernel>=6", "pytest>=8", "pytest-xdist>=3.6"];

/// Executes a notebook; its first argument is the file, its second the folder in which its cells run.
const EXECUTE: &str = "\
import sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=300, kernel_name='python3', resources={'metadata': {'path': sys.argv[2]}}).execute()
nbformat.write(notebook, sys.argv[2] + '/executed.ipynb')
";

/// The interpreter of the environment, with the packages of a folder.
fn with(venv: &Venv, folder: &Path) -> Command {
    let mut python = venv.command("python");
    python.env("PYTHONPATH", folder).env("JUPYTER_PATH", folder.join("share/jupyter"));
    python
}

/// Executes a notebook in a folder of its own below `target/`, where it stays with its results.
fn notebook(venv: &Venv, tools: &Path, file: &Path) -> Result<(), String> {
    let folder = target().join("notebooks").join(file.file_stem().unwrap_or_default());
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    run(with(venv, tools).args(["-c", EXECUTE]).arg(file).arg(&folder))
}

/// The notebooks of the examples.
fn notebooks() -> Vec<PathBuf> {
    let folder = root().join("examples/notebook");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "ipynb")).collect();
    files.sort();
    files
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
    run(cargo().args([
        "test",
        "--workspace",
        "--exclude",
        "waferlab-py",
        "--exclude",
        "waferlab-bench",
        "--no-fail-fast",
    ]))
}

/// Runs the tests that run programs with native code.
fn native() -> Result<(), String> {
    let packages = ["-p", "waferlab-jit", "-p", "waferlab-pe", "-p", "waferlab-sim", "-p", "waferlab-host"];
    let features = "waferlab-pe/jit,waferlab-sim/jit,waferlab-host/jit";
    let mut command = cargo();
    command.args(["test", "--release", "--no-fail-fast"]).args(packages).args(["--features", features]);
    run(command.env("WAFERLAB_JIT", "1"))
}

/// The folder of the Python tests.
const TESTS: &str = "crates/csl-py/tests";

/// The Python tests in a folder, with the packages of another before those of the environment.
fn python(venv: &Venv, tests: &str, first: Option<&Path>) -> Result<(), String> {
    let mut command = venv.command("python");
    command.args(["-m", "unittest", "discover", "-s", tests]).current_dir(root());
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
