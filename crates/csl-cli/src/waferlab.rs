//! The `waferlab` command.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use csl_host::{ExportKind, Image, read_image};

use crate::cslc::usage;

#[derive(Debug, Parser)]
#[command(name = "waferlab", version, about = "Tools around compiled CSL programs")]
struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Put the drop-in `cerebras` packages on the path of this virtual environment
    Enable,
    /// Take the drop-in packages off the path of this virtual environment
    Disable,
    /// Print the version
    Version,
    /// Show what a compiled program holds
    Inspect {
        /// Output folder of cslc
        folder: PathBuf,
    },
}

/// Runs the command on the arguments of the process.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let done = match args.action {
        Action::Enable => python(&["-m", "waferlab.enable", "enable"]),
        Action::Disable => python(&["-m", "waferlab.enable", "disable"]),
        Action::Version => Ok(println!("waferlab {}", env!("CARGO_PKG_VERSION"))),
        Action::Inspect { folder } => inspect(&folder),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("waferlab: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the Python that this command was installed with; it stands next to it.
fn python(arguments: &[&str]) -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| format!("cannot tell where this command is: {error}"))?;
    let program = own.with_file_name("python");
    let status = Command::new(&program).args(arguments).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("nothing has changed".to_owned()),
        Err(error) => Err(format!("{}: {error}; install Waferlab with pip to have it there", program.display())),
    }
}

fn inspect(folder: &Path) -> Result<(), String> {
    let image = read_image(folder).map_err(|error| error.to_string())?;
    print!("{}", describe(&image));
    Ok(())
}

fn describe(image: &Image) -> String {
    let mut lines = vec![
        format!("arch     {}", csl_host::Arch::from(image.arch)),
        format!("fabric   {} x {} PEs", image.fabric.width, image.fabric.height),
        format!(
            "program  {} x {} PEs at ({}, {})",
            image.rect.width, image.rect.height, image.offset.x, image.offset.y
        ),
    ];
    for program in &image.programs {
        let instructions = program.code.len();
        lines.push(format!(
            "code     {}: {instructions} instructions, {} bytes of data",
            program.name, program.data_end
        ));
    }
    for export in &image.exports {
        let what = match &export.kind {
            ExportKind::Data { mutable: true, .. } => "data, writable",
            ExportKind::Data { mutable: false, .. } => "data, read-only",
            ExportKind::Function { .. } => "function",
        };
        lines.push(format!("export   {:3} {}: {} ({what})", export.id, export.name, export.ty));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}
