//! `waferlab debug-shell`, also installed as `sdk_debug_shell`: runs smoke tests, and names what replaces the vendor's
//! GUI.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};
use csl_host::project::is_script;
use csl_host::{Coord, LOG_FILE};

use crate::number::whole;
use crate::output::{print, tell};

#[derive(Debug, Args)]
pub struct ShellArgs {
    #[command(subcommand)]
    pub action: Request,
}

#[derive(Debug, Subcommand)]
pub enum Request {
    /// Compile a program, as cslc does
    #[command(disable_help_flag = true)]
    Compile {
        /// Arguments of cslc (see `cslc --help`)
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        words: Vec<OsString>,
    },
    /// Run every commands.sh below a folder
    Smoke {
        /// Folder with example programs
        folder: PathBuf,
    },
    /// Say how to look at a run
    Visualize {
        /// Folder in which the program was compiled and run
        #[arg(long = "artifact_dir", default_value = ".")]
        folder: PathBuf,
    },
    /// Print the wavelets that landed on a PE, from sim.log
    WaveletTrace {
        /// Folder in which the program was run
        #[arg(long = "artifact_dir", default_value = ".")]
        folder: PathBuf,
        /// Column in the whole fabric
        #[arg(long, value_parser = whole::<u32>(0, None))]
        x: u32,
        /// Row in the whole fabric
        #[arg(long, value_parser = whole::<u32>(0, None))]
        y: u32,
        /// Accepted as older releases have it
        #[arg(default_value = "trace")]
        what: String,
    },
}

pub fn run(args: &ShellArgs) -> Result<(), String> {
    match &args.action {
        // `cslc` has a status of its own, which `waferlab` returns.
        Request::Compile { .. } => Ok(()),
        Request::Smoke { folder } => smoke(folder),
        Request::Visualize { folder } => visualize(folder),
        Request::WaveletTrace { folder, x, y, what } if what == "trace" => {
            landings(&folder.join(LOG_FILE), |place| place == Coord { x: *x, y: *y }, None)
        }
        Request::WaveletTrace { what, .. } => Err(format!("wavelet-trace {what}: only `trace` is known")),
    }
}

// ---- smoke ----

/// Collects the scripts to run below a folder.
fn scripts(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            scripts(&entry, found)?;
        } else if is_script(&entry) {
            found.push(entry);
        }
    }
    Ok(())
}

fn smoke(folder: &Path) -> Result<(), String> {
    let mut found = Vec::new();
    scripts(folder, &mut found).map_err(|error| format!("{}: {error}", folder.display()))?;
    if found.is_empty() {
        return Err(format!("{}: there is no commands.sh below", folder.display()));
    }
    let mut failed = 0;
    for script in &found {
        let passed = passes(script)?;
        failed += usize::from(!passed);
        print(&format!("{} {}\n", if passed { "PASSED" } else { "FAILED" }, script.display()))?;
    }
    match failed {
        0 => print("SUCCESS! PASSED SMOKE CHECK\n"),
        count => Err(format!("{count} of {} scripts failed", found.len())),
    }
}

/// Runs a script in its folder, with the commands installed beside this one first on the path; whether it passed.
fn passes(script: &Path) -> Result<bool, String> {
    let (Some(folder), Some(name)) = (script.parent(), script.file_name()) else { return Ok(false) };
    let own = std::env::current_exe().map_err(|error| format!("cannot tell where this command is: {error}"))?;
    let mut path = own.parent().map(|folder| folder.as_os_str().to_owned()).unwrap_or_default();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let done = Command::new("bash").arg(name).current_dir(folder).env("PATH", path).output();
    let done = done.map_err(|error| format!("bash: {error}"))?;
    if !done.status.success() {
        tell(&String::from_utf8_lossy(&done.stderr));
    }
    Ok(done.status.success())
}

// ---- looking at a run ----

fn visualize(folder: &Path) -> Result<(), String> {
    let log = folder.join(LOG_FILE);
    let out = folder.join("out");
    let mut text = String::from("Waferlab has no GUI of its own.\n");
    if log.is_file() {
        text += &format!("The run:     open {} in https://github.com/davidz-cerebras/wse-viz\n", log.display());
    } else {
        text += "The run:     run it again with SIMFABRIC_DEBUG=landing,inst_trace,wavelet; then\n";
        text += &format!("             open {} in https://github.com/davidz-cerebras/wse-viz\n", log.display());
    }
    text += &format!("The program: waferlab inspect {} [tiles|routes|memory|symbols|code]\n", out.display());
    text += "Memory:      runner.dump_core(\"corefile.cs1\") in run.py, then csdb\n";
    print(&text)
}

/// Prints the landings of a log on the PEs for which `is_wanted` holds, line by line.
pub(crate) fn landings(log: &Path, is_wanted: impl Fn(Coord) -> bool, color: Option<u32>) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", log.display());
    let file = std::fs::File::open(log).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("{}: there is no such file; run the program with SIMFABRIC_DEBUG=landing", log.display())
        }
        _ => wrong(error),
    })?;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(wrong)?;
        let wanted = landing(&line).is_some_and(|(place, c)| is_wanted(place) && color.is_none_or(|color| color == c));
        if wanted {
            print(&format!("{line}\n"))?;
        }
    }
    Ok(())
}

/// The coordinates and the color of a landing.
fn landing(line: &str) -> Option<(Coord, u32)> {
    let (_, rest) = line.strip_prefix('@')?.split_once(" P")?;
    let (place, rest) = rest.split_once(' ')?;
    let (x, y) = place.split_once('.')?;
    let color = rest.split_once(") landing C")?.1.split(' ').next()?;
    Some((Coord { x: x.parse().ok()?, y: y.parse().ok()? }, color.parse().ok()?))
}
