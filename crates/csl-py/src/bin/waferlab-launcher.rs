//! Installed as `cslc`, `csdb`, `cs_readelf` and `sdk_debug_shell`: starts `waferlab`, which does their work. It uses no other
//! crate: it is in the wheel four times.

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Names of commands, with the words that they have in `waferlab`.
const NAMES: [(&str, &str); 4] =
    [("cslc", "cslc"), ("csdb", "csdb"), ("cs_readelf", "readelf"), ("sdk_debug_shell", "debug-shell")];

/// Runs the part of `waferlab` that this program is named for. `waferlab` stands in the folder of this program's file, to
/// which links may lead.
fn main() -> ExitCode {
    match forward() {
        Ok(status) => status,
        Err(text) => {
            // A closed or full stream changes no status.
            let _ = writeln!(std::io::stderr(), "{text}; install Waferlab with pip to have it there");
            ExitCode::FAILURE
        }
    }
}

fn forward() -> Result<ExitCode, String> {
    let own = env::current_exe().map_err(|error| format!("cannot tell where this command is: {error}"))?;
    let word = word(&own).ok_or_else(|| format!("{}: no command has this name", own.display()))?;
    let program = own.with_file_name(format!("waferlab{}", env::consts::EXE_SUFFIX));
    let mut command = Command::new(&program);
    command.arg(word).args(env::args_os().skip(1));
    run(&mut command).map_err(|error| format!("{}: {error}", program.display()))
}

/// Takes the place of this process.
#[cfg(unix)]
fn run(command: &mut Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn run(command: &mut Command) -> std::io::Result<ExitCode> {
    let status = command.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn word(program: &Path) -> Option<&'static str> {
    let name = program.file_stem()?;
    NAMES.iter().find(|(command, _)| name == *command).map(|(_, word)| *word)
}
