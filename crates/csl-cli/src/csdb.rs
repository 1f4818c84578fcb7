//! `waferlab csdb`, also installed as `csdb`: looks into core files of runs. Addresses and lengths are in 16-bit words,
//! as in the vendor's debugger; coordinates are those of the whole fabric.

mod rectangles;
mod session;

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use crate::output::{print, tell};
use session::{After, Session};

#[derive(Debug, Args)]
pub struct CsdbArgs {
    /// Folder to start in: compiled programs are looked for below it
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// Reads commands until `exit` or the end of the input. A wrong command gives a message, and the next one is read.
pub fn run(args: &CsdbArgs) -> Result<(), String> {
    let mut session = Session::start(&args.folder)?;
    let is_terminal = std::io::stdin().is_terminal();
    print(&session.greeting())?;
    let mut lines = std::io::stdin().lock().lines();
    loop {
        if is_terminal {
            print("(csdb) ")?;
        }
        let Some(line) = lines.next() else { return print(if is_terminal { "\n" } else { "" }) };
        let line = line.map_err(|error| format!("cannot read commands: {error}"))?;
        match session.command(&line) {
            Ok(After::Print(text)) => print(&text)?,
            Ok(After::Exit) => return Ok(()),
            Err(text) => {
                // Flushed, so that the message follows the earlier output.
                let _ = std::io::stdout().flush();
                tell(&format!("ERROR:csdb: {text}\n"));
            }
        }
    }
}
