//! Compares compile times: the programs of folders, compiled by two builds of `cslc` in turns.
//!
//! A program is a `cslc` command line of a `commands*.sh`. The scripts run in a copy of the folder, with a `cslc` that only
//! writes down how it is called and a Python that does nothing. Times are processor time as the shell's `times` tells it, the
//! least of several.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run;
use crate::shell::{self, root, target};

const ROUNDS: usize = 5;
/// Runs that are timed together, since the shell counts in milliseconds.
const RUNS: usize = 5;

/// A recorded `cslc` command line.
pub struct Call {
    pub name: String,
    pub folder: PathBuf,
    pub words: Vec<String>,
}

/// Prints the times of each program, their ratio, and the median and the worst of the ratios. Without folders: the examples.
pub fn compare(before: &Path, folders: &[PathBuf]) -> Result<(), String> {
    shell::run(shell::cargo().args(["build", "--release", "--quiet", "-p", "waferlab-cli"]))?;
    let before = before.canonicalize().map_err(|error| format!("{}: {error}", before.display()))?;
    let binaries = [before, target().join("release/cslc")];
    let examples = [root().join("examples")];
    let work = target().join("compile-times");
    let mut ratios = Vec::new();
    for folder in if folders.is_empty() { &examples[..] } else { folders } {
        for call in calls(folder, &work)? {
            let Some(times) = least(&binaries, &call) else {
                println!("{:>28} {}", "fails", call.name);
                continue;
            };
            let ratio = times[1] / times[0];
            println!("{:9.1} ms {:9.1} ms {ratio:5.2} {}", times[0] * 1e3, times[1] * 1e3, call.name);
            ratios.push(ratio);
        }
    }
    ratios.sort_by(f64::total_cmp);
    let (Some(median), Some(worst)) = (ratios.get(ratios.len() / 2), ratios.last()) else {
        return Err("there is nothing to compile".to_owned());
    };
    let above = ratios.iter().filter(|&&ratio| ratio > 1.2).count();
    println!("{} programs: median {median:.2}, worst {worst:.2}, {above} above 1.20", ratios.len());
    Ok(())
}

/// The `cslc` command lines of a folder's scripts, to be run in a copy of it.
pub fn calls(folder: &Path, work: &Path) -> Result<Vec<Call>, String> {
    let (copy, bin, log) = (work.join("tree"), work.join("bin"), work.join("calls"));
    let told = |error: std::io::Error| format!("{}: {error}", work.display());
    if work.exists() {
        std::fs::remove_dir_all(work).map_err(told)?;
    }
    std::fs::create_dir_all(&bin).map_err(told)?;
    shell::run(Command::new("cp").arg("-R").arg(folder).arg(&copy))?;
    shell::run(Command::new("chmod").args(["-R", "u+w"]).arg(&copy))?;
    let writes_down = "#!/bin/sh\npwd >>\"$CALLS\"\nprintf '%s\\n' \"$@\" '' >>\"$CALLS\"\n";
    for (name, text) in [("cslc", writes_down), ("cs_python", "#!/bin/sh\n"), ("python", "#!/bin/sh\n")] {
        std::fs::write(bin.join(name), text).map_err(told)?;
    }
    shell::run(Command::new("chmod").args(["-R", "+x"]).arg(&bin))?;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut found = Vec::new();
    for script in run::scripts(&copy) {
        std::fs::write(&log, "").map_err(told)?;
        let mut shell = Command::new("bash");
        shell.arg(&script).current_dir(script.parent().unwrap_or(&copy)).env("PATH", &path).env("CALLS", &log);
        // The host program of a script fails here; the script has recorded its command lines by then.
        let _ = shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let text = std::fs::read_to_string(&log).map_err(told)?;
        for call in text.split("\n\n").filter(|call| !call.is_empty()) {
            let mut words = call.lines().map(str::to_owned);
            let folder = words.next().unwrap_or_default().into();
            let name = script.strip_prefix(&copy).unwrap_or(&script).display().to_string();
            found.push(Call { name, folder, words: words.collect() });
        }
    }
    Ok(found)
}

/// The least seconds that each binary takes; `None` where it does not compile.
fn least(binaries: &[PathBuf; 2], call: &Call) -> Option<[f64; 2]> {
    let mut least = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for (least, binary) in least.iter_mut().zip(binaries) {
            *least = least.min(seconds(binary, call)?);
        }
    }
    Some(least)
}

fn seconds(binary: &Path, call: &Call) -> Option<f64> {
    let mut shell = Command::new("bash");
    shell
        .args([
            "-c",
            "set -e; TIMEFORMAT='%U %S'; time for i in $(seq $0); do \"$@\" >/dev/null 2>&1; done",
            &RUNS.to_string(),
        ])
        .arg(binary)
        .args(&call.words);
    let output =
        shell.current_dir(&call.folder).stdin(Stdio::null()).output().ok().filter(|done| done.status.success())?;
    let text = String::from_utf8_lossy(&output.stderr);
    let times: Option<Vec<f64>> = text.split_whitespace().map(|word| word.parse().ok()).collect();
    Some(times?.iter().sum::<f64>() / RUNS as f64)
}
