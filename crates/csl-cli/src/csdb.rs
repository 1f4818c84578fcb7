//! `waferlab csdb`, also installed as `csdb`: looks into core files of runs. Addresses and lengths are in 16-bit words,
//! as in the vendor's debugger; coordinates are those of the whole fabric.

mod lines;
mod rectangles;
mod session;
mod words;

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;
use csl_host::{counted, printable};

use crate::output::{print, tell};
use lines::Input;
use session::{After, COMMANDS_HELP, Session};

/// The text after the options in `--help`.
fn help() -> String {
    format!(
        "Commands, in a session or one on the command line:\n\n{COMMANDS_HELP}\nAddresses and lengths are in 16-bit words, coordinates those of the \
         whole fabric. FOLDER and FILE may be [N] of a list. A command on the command line looks at the only core file of the folder, or \
         of the working directory, and its `memory read` prints instead of writing a log file. Status 1: a command failed (a session in \
         a terminal ends with 0)."
    )
}

#[derive(Debug, Args)]
#[command(after_help = help())]
pub struct CsdbArgs {
    /// Folder to start in: compiled programs are looked for below it
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// One command to carry out, such as `memory read --name x` (see `help`); left out, commands are read
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Carries out the command of the command line, or reads commands until `exit` or the end of the input: a wrong one gives a
/// message, and the next one is read. Where commands come from a pipe or a file, one that failed is an error in the end.
pub fn run(args: &CsdbArgs) -> Result<(), String> {
    let mut session = Session::start(&args.folder)?;
    if !args.command.is_empty() {
        session.look_at_only_core();
        return match session.command(&args.command, true)? {
            After::Print(text) => print(&printable(&text)),
            After::Exit => Ok(()),
        };
    }
    print(&session.greeting())?;
    let session = Rc::new(RefCell::new(session));
    let mut input = Input::of(&session)?;
    let is_terminal = std::io::stdin().is_terminal();
    let mut failed = 0;
    loop {
        let Some(line) = input.next()? else {
            print(if is_terminal { "\n" } else { "" })?;
            break;
        };
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let done = session.borrow_mut().command(&words, false);
        match done {
            Ok(After::Print(text)) => print(&printable(&text))?,
            Ok(After::Exit) => break,
            Err(text) => {
                failed += 1;
                // Flushed, so that the message follows the earlier output.
                let _ = std::io::stdout().flush();
                tell(&format!("ERROR:csdb: {}\n", printable(&text)));
            }
        }
    }
    // Who types sees each message, as with gdb and lldb.
    match failed {
        _ if is_terminal => Ok(()),
        0 => Ok(()),
        count => Err(format!("{} of csdb failed", counted(count, "command"))),
    }
}
