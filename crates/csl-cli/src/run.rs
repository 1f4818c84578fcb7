//! `waferlab run`: runs a compiled program without a host program.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Args, FromArgMatches};
use csl_host::batch::{self, Step, parse_copy, parse_launch};
use csl_host::{
    Check, HostError, LOG_FILE, Runtime, STATISTICS_FILE, Settings, Untimed, folder_of_run, parse_check, parse_untimed,
};

use crate::number::whole;
use crate::output::{Color, print, tell, warn};
use crate::signals::Signals;

/// The threads that a run may have, at most.
const MOST_THREADS: u64 = 64;

/// The text after the options in `--help`.
pub const HELP: &str = "\
Steps are done in the order in which they are given:

  --h2d SYMBOL=FILE.npy  deals the file's items out to the PEs, row by row
  --launch NAME:1.5,3    calls an exported function on every PE
  --d2h SYMBOL=FILE.npy  writes an array of shape (rows, columns, elements)
  --d2h SYMBOL=-         prints the elements, a line a PE

A copy may say the type and the elements of a PE behind the file, and which PEs (x, y, width, height) behind an @:

  --d2h y=y.npy:float32:8@0,0,2,1

Left out, they are the symbol's type, its array's length, and every PE. SIMFABRIC_DEBUG=landing,inst_trace,router has the \
run logged in sim.log; landing@P5.2 logs one PE of the fabric.

The run ends when every launched function has unblocked the command stream, or when nothing can move any more. A function \
that is busy 10 million cycles after the last step is cut off, and so is a program without --memcpy that is busy 1 million \
after its start, with status 1. What goes on 10,000 cycles behind the last unblock is cut off with a warning. The status is \
not 0 where a function has not ended, or where without --memcpy a main thread waits at rest.

  waferlab run out --h2d x=x.npy --launch compute --d2h y=y.npy";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct RunArgs {
    /// Output folder of cslc
    folder: PathBuf,
    /// Copy a file to a symbol
    #[arg(long, value_name = "SYMBOL=FILE")]
    h2d: Vec<String>,
    /// Call a function on every PE
    #[arg(long, value_name = "NAME[:ARG,..]", allow_hyphen_values = true)]
    launch: Vec<String>,
    /// Copy a symbol to a file, or print it where the file is -
    #[arg(long, value_name = "SYMBOL=FILE")]
    d2h: Vec<String>,
    /// Write the memory of all PEs to a core file at the end
    #[arg(long, value_name = "FILE")]
    core: Option<PathBuf>,
    /// Folder for sim.log and sim_stats.json, made if it is not there [default: WAFERLAB_OUTPUT_FOLDER, or the working
    /// directory]
    #[arg(long, value_name = "FOLDER")]
    output_folder: Option<PathBuf>,
    /// End the run in this cycle, or soon behind it where all PEs stand, with a report [default: WAFERLAB_MAX_CYCLES, or none
    /// while steps are done and 10 million cycles behind the last, 1 million without --memcpy]
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1, None))]
    max_cycles: Option<u64>,
    /// Look for mistakes: accesses outside an object, races, memory that was never written, and more; =stop ends the run at
    /// the first [default: WAFERLAB_CHECK, or =off]
    #[arg(long, value_name = "stop|off", num_args = 0..=1, require_equals = true, default_missing_value = "on",
          value_parser = check)]
    check: Option<Check>,
    /// Run by another schedule than the machine's own: orders and delays that it leaves open are drawn, so that only races
    /// change a result [default: WAFERLAB_SCHEDULE, or none]
    #[arg(long, value_name = "NUMBER", value_parser = whole::<u64>(0, None))]
    schedule: Option<u64>,
    /// Run without a clock, several times faster: meant to give the same memory, faults and deadlocks where the program has
    /// no race (not proven: compare once); cycles that are told mean nothing, and reading the time is refused, or with
    /// =own-time gives a PE's own [default: WAFERLAB_UNTIMED, or =off]
    #[arg(long, value_name = "own-time|off", num_args = 0..=1, require_equals = true, default_missing_value = "on",
          value_parser = untimed)]
    untimed: Option<Untimed>,
    /// Threads that the simulator may use
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<usize>(1, MOST_THREADS))]
    threads: usize,
    /// Colour reports; auto looks at the terminal and at NO_COLOR, CLICOLOR_FORCE and TERM
    #[arg(long, value_enum, default_value = "auto", value_name = "auto|always|never")]
    color: Color,
    /// Say nothing but errors and warnings
    #[arg(long)]
    quiet: bool,
}

fn untimed(text: &str) -> Result<Untimed, String> {
    parse_untimed(text).ok_or_else(|| format!("`{text}` is not one of on, own-time, off"))
}

fn check(text: &str) -> Result<Check, String> {
    parse_check(text).ok_or_else(|| format!("`{text}` is not one of on, stop, off"))
}

/// The steps of all three options in the order of the command line.
pub(crate) fn steps(matches: &ArgMatches) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for name in ["h2d", "launch", "d2h"] {
        let values = matches.get_many::<String>(name).into_iter().flatten();
        for (place, text) in matches.indices_of(name).into_iter().flatten().zip(values) {
            let step = match name {
                "h2d" => parse_copy(text).map(Step::H2d),
                "d2h" => parse_copy(text).map(Step::D2h),
                _ => parse_launch(text).map(|(function, arguments)| Step::Launch { function, arguments }),
            };
            steps.push((place, step.map_err(|error| format!("--{name}: {error}"))?));
        }
    }
    steps.sort_by_key(|(place, _)| *place);
    Ok(steps.into_iter().map(|(_, step)| step).collect())
}

/// Writes the statistics, and the core file where one is wanted. Returns what could not be written, with the reasons.
fn write_files(runtime: &mut Runtime, output: &Path, core: Option<&Path>) -> Vec<String> {
    let statistics = runtime.write_statistics(output);
    let core = core.map_or(Ok(()), |core| runtime.dump_core(core));
    [statistics, core].into_iter().filter_map(Result::err).map(|error| error.printable()).collect()
}

/// Runs the steps of the command line; returns the status of the process.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, String> {
    let args = RunArgs::from_arg_matches(matches).map_err(|error| error.to_string())?;
    let steps = steps(matches)?;
    let settings =
        Settings { threads: args.threads, check: args.check, schedule: args.schedule, untimed: args.untimed };
    let mut runtime = Runtime::open(&args.folder, settings).map_err(|error| error.to_string())?;
    runtime.render_reports(args.color.rendering());
    let output = folder_of_run(args.output_folder).map_err(|error| error.to_string())?;
    runtime.obey_environment(&output).map_err(|error| error.to_string())?;
    if let Some(cycles) = args.max_cycles {
        runtime.limit_cycles(cycles);
    }
    let core = args.core.iter().map(|core| (core.clone(), "the core file"));
    let logs = [(LOG_FILE, "the log of the run"), (STATISTICS_FILE, "the statistics of the run")];
    let others: Vec<_> = core.chain(logs.map(|(name, what)| (output.join(name), what))).collect();
    batch::check_results(&args.folder, &steps, &others).map_err(|error| error.to_string())?;
    let signals =
        Signals::watch(&runtime.interrupt()).map_err(|error| format!("signals cannot be watched: {error}"))?;
    let say = |text: &str| match text.strip_prefix("warning: ") {
        Some(text) => warn(text),
        None if args.quiet => {}
        // A closed pipe is no error: its reader has seen enough.
        None => drop(print(&format!("{text}\n"))),
    };
    let ended = batch::run(&mut runtime, &steps, say);
    runtime.take_warnings().iter().for_each(|warning| warn(warning));
    let ending = match (ended, signals.status()) {
        (Ok(ending), _) => ending,
        (Err(error), status) => {
            tell(&format!("waferlab: {}\n", error.printable().trim_end()));
            // What a run has left behind that could not go on is what its core file is wanted for.
            if matches!(error, HostError::Failed { .. } | HostError::Interrupted { .. }) {
                let unwritten = write_files(&mut runtime, &output, args.core.as_deref());
                unwritten.iter().for_each(|error| tell(&format!("waferlab: {error}\n")));
            }
            return Ok(status.unwrap_or(ExitCode::FAILURE));
        }
    };
    let unwritten = write_files(&mut runtime, &output, args.core.as_deref());
    if !unwritten.is_empty() {
        return Err(unwritten.join("\nwaferlab: "));
    }
    if !args.quiet {
        let cycles = if runtime.is_untimed() { "no clock".to_owned() } else { format!("{} cycles", runtime.cycle()) };
        print(&format!("{cycles}\n"))?;
    }
    Ok(if ending.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
