//! Fuzzing: builds the targets of `fuzz/` as cargo-fuzz does, with libFuzzer and the pinned toolchain, and runs them from
//! seeds that are made of the tests and examples.
//!
//! Everything lies in `target/fuzz`: `seeds/TARGET` is made anew each time, `corpus/TARGET` grows, and what is found is in
//! `found/TARGET`, to be run again with `cargo xtask fuzz TARGET --again FILE`.

mod seeds;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell::{cargo, output, root, run, target};

/// A target, and the longest of its inputs in bytes.
struct Target {
    name: &'static str,
    most_bytes: u32,
}

const TARGETS: [Target; 7] = [
    Target { name: "parse", most_bytes: 4096 },
    Target { name: "compile", most_bytes: 8192 },
    Target { name: "image", most_bytes: 32768 },
    Target { name: "core_file", most_bytes: 4096 },
    Target { name: "npy", most_bytes: 1024 },
    Target { name: "sim_log", most_bytes: 256 },
    Target { name: "machine", most_bytes: 2048 },
];

/// The flags of cargo-fuzz, but for the sanitizers, which find errors of unsafe code: there is none.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// Seconds of a run of all targets, and the number of seeds that each begins with, of a short run.
const QUICK_SECONDS: u64 = 60;
const QUICK_SEEDS: usize = 48;

/// Seconds after which an input counts as one that hangs, on a busy machine, and megabytes after which one takes too much.
const TIMEOUT: u32 = 60;
const MEGABYTES: u32 = 2048;

/// The length of a run before the corpus is read again.
const SLICE: Duration = Duration::from_secs(600);

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    only: Option<Only>,
    /// Minutes of processor time for each target
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// A minute for all targets, from some of the seeds; what the machine lacks for it is named, and that is no error
    #[arg(long, conflicts_with = "minutes")]
    quick: bool,
    /// Run an input once, such as one that was found
    #[arg(long, value_name = "FILE", requires = "targets")]
    again: Option<PathBuf>,
    /// Only these: parse, compile, image, core_file, npy, sim_log, machine
    #[arg(value_name = "TARGET", value_parser = TARGETS.map(|target| target.name))]
    targets: Vec<String>,
}

#[derive(clap::Subcommand)]
enum Only {
    /// Write the seeds, and run nothing
    Seeds,
}

pub fn all(args: Args) -> Result<(), String> {
    if let Some(Only::Seeds) = args.only {
        return seeds::write(&folder("seeds")).map_err(|error| error.to_string());
    }
    let is_chosen = |target: &&Target| args.targets.is_empty() || args.targets.iter().any(|name| name == target.name);
    let chosen: Vec<&Target> = TARGETS.iter().filter(is_chosen).collect();
    if let Some(missing) = missing() {
        if !args.quick {
            return Err(missing);
        }
        println!("fuzzing NOT RUN: {missing}");
        return Ok(());
    }
    seeds::write(&folder("seeds")).map_err(|error| format!("the seeds: {error}"))?;
    let since = Instant::now();
    let host = build()?;
    println!("built in {:.0} s", since.elapsed().as_secs_f64());
    let programs = target().join("fuzz").join(host).join("release");
    let mut failed = Vec::new();
    for target in &chosen {
        let mut command = Command::new(programs.join(target.name));
        command.current_dir(root());
        let done = match (&args.again, args.quick) {
            (Some(input), _) => run(command.arg(absolute(input))),
            (None, true) => quick(target, command, QUICK_SECONDS / chosen.len() as u64),
            (None, false) => long(target, &programs.join(target.name), Duration::from_secs(60 * args.minutes)),
        };
        if let Err(text) = done {
            eprintln!("xtask: {}: {text}", target.name);
            failed.push(target.name);
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("{}: the inputs are in {}", failed.join(", "), folder("found").display())),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn folder(name: &str) -> PathBuf {
    target().join("fuzz").join(name)
}

/// What the machine lacks, and how to get it.
fn missing() -> Option<String> {
    if !cfg!(unix) {
        return Some("libFuzzer is built here for Unix alone".to_owned());
    }
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if output(Command::new(&compiler).arg("--version")).is_none() {
        return Some(format!("there is no C++ compiler (`{compiler}`), which libFuzzer is built with"));
    }
    let mut fetch = cargo();
    fetch.args(["fetch", "--quiet", "--locked", "--manifest-path", "fuzz/Cargo.toml"]).stderr(Stdio::null());
    match run(&mut fetch) {
        Ok(()) => None,
        Err(_) => {
            Some("the crates that fuzz/Cargo.lock names are not there, or it is older than the manifests: `cargo fetch` in fuzz/ tells which".to_owned())
        }
    }
}

/// Builds all targets; returns the triple of this machine. The target is named so that flags are for it alone, not for
/// build scripts.
fn build() -> Result<String, String> {
    let version = output(Command::new("rustc").arg("-vV").current_dir(root())).unwrap_or_default();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc does not name its host")?;
    let mut build = cargo();
    build.args(["build", "--release", "--locked", "--quiet", "--manifest-path", "fuzz/Cargo.toml"]);
    build.args(["--target", host, "--target-dir"]).arg(folder("")).env("RUSTFLAGS", FLAGS);
    run(&mut build)?;
    Ok(host.to_owned())
}

fn quick(target: &Target, mut command: Command, seconds: u64) -> Result<(), String> {
    let all = seeds::sorted(&folder("seeds").join(target.name));
    let step = all.len().div_ceil(QUICK_SEEDS).max(1);
    let some: Vec<String> = all.iter().step_by(step).map(|path| path.display().to_string()).collect();
    command.arg(format!("-seed_inputs={}", some.join(",")));
    common(target, &mut command, seconds)?;
    command.arg("-verbosity=0").stdin(Stdio::null());
    run(&mut command)
}

/// Runs until the target has had its processor time, in slices: a corpus that was read again is smaller.
fn long(target: &Target, program: &Path, time: Duration) -> Result<(), String> {
    let corpus = folder("corpus").join(target.name);
    std::fs::create_dir_all(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    let start = processor_time();
    let spent = || processor_time().saturating_sub(start);
    while spent() < time {
        let mut command = Command::new("nice");
        command.args(["-n", "15"]).arg(program).arg(&corpus).arg(folder("seeds").join(target.name)).current_dir(root());
        common(target, &mut command, (time - spent()).min(SLICE).as_secs().max(1))?;
        let done = run(command.arg("-print_final_stats=1"));
        println!("{}: {:.1} minutes of processor time", target.name, spent().as_secs_f64() / 60.0);
        done?;
    }
    Ok(())
}

fn common(target: &Target, command: &mut Command, seconds: u64) -> Result<(), String> {
    let found = folder("found").join(target.name);
    std::fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    command
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={}", target.most_bytes))
        .arg(format!("-timeout={TIMEOUT}"))
        .arg(format!("-rss_limit_mb={MEGABYTES}"));
    Ok(())
}

/// The processor time of the children that have ended, where `/proc` tells it; else the time of day serves.
fn processor_time() -> Duration {
    // Behind the name, which may hold blanks, field 3 of proc(5) comes first; 16 and 17 are those of children.
    let of_children = |text: String| {
        let fields: Vec<u64> = text.rsplit_once(')')?.1.split_whitespace().map(|n| n.parse().unwrap_or(0)).collect();
        Some(Duration::from_millis(10 * (fields.get(13)? + fields.get(14)?)))
    };
    let told = std::fs::read_to_string("/proc/self/stat").ok().and_then(of_children);
    told.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap_or_default())
}
