//! `waferlab explore`: runs a program by many schedules and compares what it computes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{ArgMatches, Args, FromArgMatches};
use csl_host::batch::Step;
use csl_host::environment::{SCHEDULE, UNTIMED};
use csl_host::explore::{Difference, End, Outcome, outcome};
use csl_host::{Check, Runtime, Settings, parse_untimed};

use crate::number::whole;
use crate::output::{print, tell};
use crate::run::steps;
use crate::signals::Signals;

/// The last lines of a command's output that are shown.
const SHOWN_LINES: usize = 8;

/// The text after the options in `--help`.
pub const HELP: &str = "\
A schedule draws what the machine leaves open: which of several ready tasks or microthreads goes first, how long a launch \
takes to each PE, where wavelets wait. Results that differ between two schedules depend on a race. The steps are those of \
`waferlab run`; the symbols of --d2h are compared, or without it all exported ones, bit for bit, and nothing is written. \
Behind -- stands a command in place of a folder: it is run with WAFERLAB_SCHEDULE set, and its status is compared. Values of \
the timestamp counter differ between schedules, too. WAFERLAB_MAX_CYCLES ends each run. The status is 1 where a difference was \
found.

  waferlab explore out --launch compute --d2h y=-
  waferlab explore --schedules 50 -- cs_python run.py --name out";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct ExploreArgs {
    /// Output folder of cslc
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    folder: Option<PathBuf>,
    /// The number of schedules to try
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = whole::<u64>(1, None))]
    schedules: u64,
    /// The number of the first of them
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = whole::<u64>(0, None))]
    first: u64,
    /// Copy a file to a symbol
    #[arg(long, value_name = "SYMBOL=FILE", conflicts_with = "command")]
    h2d: Vec<String>,
    /// Call a function on every PE
    #[arg(long, value_name = "NAME[:ARG,..]", allow_hyphen_values = true, conflicts_with = "command")]
    launch: Vec<String>,
    /// Compare this symbol; the file is not written
    #[arg(long, value_name = "SYMBOL=FILE", conflicts_with = "command")]
    d2h: Vec<String>,
    /// A command to run in place of a folder, behind --
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Tries the schedules of the command line; returns the status of the process.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, String> {
    let args = ExploreArgs::from_arg_matches(matches).map_err(|error| error.to_string())?;
    let last = args.first.checked_add(args.schedules - 1).ok_or("--first: no schedule has so high a number")?;
    if UNTIMED.text().is_some_and(|text| parse_untimed(text.trim()) != Some(None)) {
        return Err(format!("{} is set, and a run without a clock has no schedules", UNTIMED.name));
    }
    let found = match &args.folder {
        Some(folder) => explore_folder(&Runs::of(folder, &steps(matches)?)?, args.first, last),
        None => explore_command(&args.command, args.first, last).map_err(Stop::Error),
    };
    let found = match found {
        Ok(found) => found,
        Err(Stop::Error(error)) => return Err(error),
        Err(Stop::Signal(status)) => {
            tell("waferlab: interrupted\n");
            return Ok(status);
        }
    };
    if !found {
        print(&format!("schedules {} to {last}: nothing changes\n", args.first))?;
    }
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The reason why an exploration has ended early.
enum Stop {
    Error(String),
    /// A signal, with the status of the process that follows from it.
    Signal(ExitCode),
}

impl From<String> for Stop {
    fn from(error: String) -> Stop {
        Stop::Error(error)
    }
}

/// Runs of a program by the same steps, one after another. A signal ends the exploration, whichever run it meets.
struct Runs<'a> {
    folder: &'a Path,
    steps: &'a [Step],
    interrupt: Arc<AtomicBool>,
    signals: Signals,
}

impl Runs<'_> {
    fn of<'a>(folder: &'a Path, steps: &'a [Step]) -> Result<Runs<'a>, String> {
        let interrupt = Arc::default();
        let signals = Signals::watch(&interrupt).map_err(|error| format!("signals cannot be watched: {error}"))?;
        Ok(Runs { folder, steps, interrupt, signals })
    }

    fn run(&self, schedule: Option<u64>, check: Check) -> Result<Outcome, Stop> {
        let settings = Settings { check: Some(check), schedule, untimed: Some(None), ..Settings::new(1) };
        let mut runtime = Runtime::open(self.folder, settings).map_err(|error| error.to_string())?;
        runtime.interrupt_by(Arc::clone(&self.interrupt));
        runtime.obey_limit().map_err(|error| error.to_string())?;
        let result = outcome(&mut runtime, self.steps).map_err(|error| error.to_string());
        match self.signals.status() {
            Some(status) => Err(Stop::Signal(status)),
            None => Ok(result?),
        }
    }
}

/// Compares the results of the steps. Returns whether a schedule changes one.
fn explore_folder(runs: &Runs<'_>, first: u64, last: u64) -> Result<bool, Stop> {
    let own = runs.run(None, Check::Off)?;
    let symbols: Vec<&str> = own.arrays.iter().map(|(copy, _)| copy.symbol.as_str()).collect();
    if symbols.is_empty() && !matches!(own.end, End::Failed(_)) {
        print("no symbol can be compared: the end of the run alone is\n")?;
    }
    for number in first..=last {
        let other = runs.run(Some(number), Check::Off)?;
        if let Some(difference) = own.difference(&other) {
            print(&format!("schedule {number}: {difference}\n"))?;
            tell_lines(runs, number, &difference)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tells which accesses race, as far as the checks find them: in the run by this schedule, or in that by the machine's own.
fn tell_lines(runs: &Runs<'_>, number: u64, difference: &Difference) -> Result<(), Stop> {
    let mut checked = runs.run(Some(number), Check::On)?;
    let is_of_schedule = !checked.mistakes.is_empty();
    if !is_of_schedule {
        checked = runs.run(None, Check::On)?;
    }
    for mistake in &checked.mistakes {
        print(&format!("{mistake}\n"))?;
    }
    let repeat = "`waferlab run` with the same steps and";
    Ok(match (difference, checked.mistakes.is_empty()) {
        (Difference::End(_), _) => print(&format!("{repeat} --schedule={number} shows the report\n")),
        (_, true) => print(&format!(
            "the checks find no access that races within a PE: look for what runs tasks or takes wavelets in\nthe order in \
             which they come, or reads the timestamp counter; {repeat}\n--schedule={number} repeats the run\n"
        )),
        (_, false) if is_of_schedule => print(&format!("{repeat} --schedule={number} --check repeats the run\n")),
        (_, false) => {
            print(&format!("{repeat} --check repeats the run without a schedule, --schedule={number} the other\n"))
        }
    }?)
}

/// Compares the status of a command. Returns whether a schedule changes it.
fn explore_command(words: &[OsString], first: u64, last: u64) -> Result<bool, String> {
    let own = run_command(words, None)?;
    if !own.status.success() {
        return Err(format!("without a schedule the command ends with {}:\n{}", own.status, last_lines(&own)));
    }
    for number in first..=last {
        let other = run_command(words, Some(number))?;
        if !other.status.success() {
            print(&format!("schedule {number}: the command ends with {}:\n{}\n", other.status, last_lines(&other)))?;
            print(&format!("{}={number} before the command repeats the run\n", SCHEDULE.name))?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn run_command(words: &[OsString], schedule: Option<u64>) -> Result<Output, String> {
    let (program, arguments) = words.split_first().ok_or("a command is wanted behind --")?;
    let mut command = Command::new(program);
    command.args(arguments).env_remove(SCHEDULE.name);
    if let Some(number) = schedule {
        command.env(SCHEDULE.name, number.to_string());
    }
    command.output().map_err(|error| format!("{}: {error}", program.display()))
}

/// The last lines of what a command has printed, indented.
fn last_lines(output: &Output) -> String {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    let lines: Vec<&str> = text.iter().flat_map(|text| text.lines()).collect();
    let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
    shown.iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
