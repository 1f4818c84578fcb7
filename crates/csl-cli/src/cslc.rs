//! The `cslc` command.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::error::ErrorKind;
use csl_host::{Compilation, Progress, compile, emit, printable};
use signal_hook::consts::SIGXFSZ;

use crate::args::CslcArgs;
use crate::output::{self, tell};

/// Runs the command on the arguments of the process: 0 when the program compiled, 1 otherwise.
pub fn main() -> ExitCode {
    with_words(std::env::args_os().skip(1))
}

/// Runs the command on the words after its name.
pub(crate) fn with_words(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match CslcArgs::from_words(words) {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            tell(&format!("cslc: {}\n", printable(&text)));
            ExitCode::FAILURE
        }
    }
}

/// Prints help, the version or an error of the command line. Help and version end with status 0, every error with 1.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let printed = output::printed(error.print());
    let is_error = !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if let Err(text) = &printed {
        tell(&format!("{text}\n"));
    }
    if is_error || printed.is_err() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Whether the program compiled.
fn run(args: &CslcArgs) -> Result<bool, String> {
    if let Some(code) = args.explain {
        return output::print(code.page()).map(|()| true);
    }
    let options = args.options()?;
    // Writing beyond a limit on the size of files is then an error like a full disk, and does not end the process.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    let progress = Progress::start(&format!("compiling {}", args.file().display()));
    let done = match args.stage() {
        None => compile(&options),
        Some(stage) => emit(&options, stage),
    };
    drop(progress);
    print(args, &done)?;
    if args.verbose && done.succeeded() && args.emit.is_none() {
        tell(&format!("{}\n", done.summary()));
    }
    Ok(done.succeeded())
}

fn print(args: &CslcArgs, done: &Compilation) -> Result<(), String> {
    tell(&done.render(&args.rendering()));
    output::print(done.text())
}
