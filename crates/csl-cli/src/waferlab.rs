//! The `waferlab` command.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use csl_host::printable;

use crate::csdb::{self, CsdbArgs};
use crate::cslc::{self, usage};
use crate::debug_shell::{self, ShellArgs};
use crate::doc::{self, DocArgs};
use crate::explore::{self, ExploreArgs};
use crate::fmt::{self, FmtArgs};
use crate::inspect::{self, InspectArgs};
use crate::lint::{self, LintArgs};
use crate::output::{print, tell};
use crate::readelf::{self, ReadelfArgs};
use crate::run::{self, RunArgs};
use crate::shell_files;

/// The text after the options in `waferlab lsp --help`.
const LSP_HELP: &str = "\
Editors start this command themselves. Which files make a program it learns from the `cslc` lines of `commands*.sh` and from \
`waferlab.toml`, in the folder of a file or above it; without them it takes a layout nearby that names the file.";

#[derive(Debug, Parser)]
#[command(name = "waferlab", version, about = "Tools around compiled CSL programs")]
struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Compile a program (also installed as cslc)
    #[command(disable_help_flag = true)]
    Cslc {
        /// Arguments of cslc (see `cslc --help`)
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        words: Vec<OsString>,
    },
    /// Put the drop-in `cerebras` packages on the path of this virtual environment
    Enable,
    /// Take the drop-in packages off the path of this virtual environment
    Disable,
    /// Print the version
    Version,
    /// Format CSL files in place
    Fmt(FmtArgs),
    /// Serve an editor: the language server of CSL, on standard input and output
    #[command(after_help = LSP_HELP)]
    Lsp {
        /// Accepted for editors that name the transport; there is no other
        #[arg(long)]
        stdio: bool,
    },
    /// Warn of what works and is unwise in programs
    Lint(LintArgs),
    /// Show what a compiled program holds
    Inspect(InspectArgs),
    /// Run a compiled program without a host program
    Run(RunArgs),
    /// Run a program by many schedules, and compare what it computes
    Explore(ExploreArgs),
    /// Run a program for many params, chips and sizes
    #[command(disable_help_flag = true)]
    Sweep {
        /// The words of the command, as `waferlab sweep --help` explains them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORD")]
        words: Vec<OsString>,
    },
    /// Print a page of the reference: on a builtin, a name of the library, an option, a code
    Doc(DocArgs),
    /// Look into the core file of a run (also installed as csdb)
    Csdb(CsdbArgs),
    /// Print a script with which a shell completes the commands at Tab
    Completions { shell: Shell },
    /// Write the manual pages of all commands
    Man {
        /// Folder for the pages, such as ~/.local/share/man/man1
        folder: PathBuf,
    },
    /// Answer what scripts ask of ELF files (also installed as cs_readelf)
    Readelf(ReadelfArgs),
    /// Run smoke tests, say how to look at a run (also installed as sdk_debug_shell)
    DebugShell(ShellArgs),
}

/// The command line, for the reference.
pub(crate) fn command() -> clap::Command {
    Args::command()
}

/// Runs the command on the arguments of the process.
pub fn main() -> ExitCode {
    let parsed = Args::command().try_get_matches();
    let parsed = parsed.and_then(|matches| Ok((Args::from_arg_matches(&matches)?, matches)));
    let (args, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let status = usage(&error);
            // The status 1 of `lint` says that there are warnings.
            let is_lint = std::env::args_os().nth(1).is_some_and(|word| word == "lint");
            return if is_lint && error.use_stderr() { ExitCode::from(2) } else { status };
        }
    };
    let done = match args.action {
        // A compilation says itself what is wrong.
        Action::Cslc { words } | Action::DebugShell(ShellArgs { action: debug_shell::Request::Compile { words } }) => {
            return cslc::with_words(words);
        }
        Action::Enable => python(&["-m", "waferlab.enable", "enable"]).map(success),
        Action::Disable => python(&["-m", "waferlab.enable", "disable"]).map(success),
        Action::Version => print(concat!("waferlab ", env!("CARGO_PKG_VERSION"), "\n")).map(success),
        Action::Fmt(args) => fmt::run(&args),
        Action::Lsp { stdio: _ } => csl_lsp::stdio(crate::parse).map(success),
        Action::Lint(args) => return lint::main(args),
        Action::Inspect(args) => inspect::run(&args).map(success),
        // The order of the options of `run` counts; only the matches know it.
        Action::Run(_) => matches.subcommand().map_or(Ok(ExitCode::SUCCESS), |(_, matches)| run::run(matches)),
        Action::Explore(_) => matches.subcommand().map_or(Ok(ExitCode::SUCCESS), |(_, matches)| explore::run(matches)),
        Action::Sweep { words } => sweep(&words),
        Action::Doc(args) => doc::run(&args).map(success),
        Action::Csdb(args) => csdb::run(&args).map(success),
        Action::Completions { shell } => shell_files::completions(Args::command(), shell).map(success),
        Action::Man { folder } => shell_files::manual(Args::command(), &folder).map(success),
        Action::Readelf(args) => readelf::run(&args).map(success),
        Action::DebugShell(args) => debug_shell::run(&args).map(success),
    };
    match done {
        Ok(status) => status,
        Err(text) => {
            tell(&format!("waferlab: {}\n", printable(text.trim_end())));
            ExitCode::FAILURE
        }
    }
}

fn success((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

/// Runs the Python that this command was installed with, which lies in the same folder.
fn python(arguments: &[&str]) -> Result<(), String> {
    let mut command = own_python()?;
    match command.args(arguments).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("nothing has changed".to_owned()),
        Err(error) => Err(without_python(&command, &error)),
    }
}

/// Sweeps are made by the Python package, to which signals and the status of the process then belong.
fn sweep(words: &[OsString]) -> Result<ExitCode, String> {
    let mut command = own_python()?;
    let error = become_program(command.args(["-m", "waferlab.sweeps"]).args(words));
    Err(without_python(&command, &error))
}

/// Returns only where the program does not start.
#[cfg(unix)]
fn become_program(command: &mut Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

/// Returns only where the program does not start; a system that cannot replace a process waits for the new one.
#[cfg(not(unix))]
fn become_program(command: &mut Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

fn own_python() -> Result<Command, String> {
    let own = std::env::current_exe().map_err(|error| format!("cannot tell where this command is: {error}"))?;
    Ok(Command::new(own.with_file_name("python")))
}

fn without_python(command: &Command, error: &io::Error) -> String {
    format!("{}: {error}; install Waferlab with pip to have it there", Path::new(command.get_program()).display())
}
