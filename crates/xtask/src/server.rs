//! The language server on programs of any folder: how long its answers take, and whether random edits leave anything stale.

use std::path::PathBuf;

use crate::shell::{cargo, run};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Print the times of diagnostics and completion while the largest file of each program is typed in
    Latency(Programs),
    /// Edit programs at random; after each edit a new server has to say the same of all files, and give the same answers
    Edits(Programs),
}

#[derive(clap::Args)]
struct Programs {
    /// The number of changes: for each program, or of all edits together
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// The number that the random changes begin with
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: usize,
    /// Folders with programs and their commands*.sh, or with such folders; some examples if there are none
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
}

/// Runs the test that does it, with all that it prints.
pub fn all(args: &Args) -> Result<(), String> {
    let (test, programs) = match &args.what {
        What::Latency(programs) => ("lsp::latency::latency", programs),
        What::Edits(programs) => ("lsp::edits::edits_leave_nothing_stale", programs),
    };
    let mut command = cargo();
    command.args(["test", "--release", "--quiet", "-p", "waferlab-cli", "--test", "csl_cli", "--", "--exact", test]);
    command.args(["--include-ignored", "--nocapture"]).env("WAFERLAB_SEED", programs.seed.to_string());
    if let Some(count) = programs.count {
        command.env("WAFERLAB_CASES", count.to_string());
    }
    if !programs.folders.is_empty() {
        let whole = |folder: &PathBuf| folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()));
        let folders: Vec<PathBuf> = programs.folders.iter().map(whole).collect::<Result<_, _>>()?;
        let list = std::env::join_paths(folders).map_err(|error| error.to_string())?;
        command.env("WAFERLAB_LSP_PROGRAMS", list);
    }
    run(&mut command)
}
