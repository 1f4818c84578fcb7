//! `waferlab fmt`: formats CSL files.

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use csl_fmt::Refusal;

use crate::files::{difference, replace};
use crate::output::{Color, print, tell};

/// The text after the options in `--help`.
const HELP: &str = "\
Only white space and line breaks change; comments and tokens stay, and so does the compiled program. A file that does not \
parse is left as it is, with an error; one that is formatted already is not written. Where the published programs do not \
agree on a style, the author decides: line breaks, single blank lines, spaces around arithmetic operators, spaces inside the \
braces of an initialiser, columns.";

/// Names of the standard input in messages.
const STDIN: &str = "<stdin>";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct FmtArgs {
    /// Files, and folders whose *.csl are formatted, those of folders within included
    #[arg(required_unless_present = "stdin", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write nothing; name the files that would change and end with status 1 if there are any
    #[arg(long)]
    check: bool,
    /// Write nothing; print what would change. Alone it ends with status 0
    #[arg(long)]
    diff: bool,
    /// Format the standard input and print the result
    #[arg(long, conflicts_with = "paths")]
    stdin: bool,
    /// Format these lines alone, counted from 1
    #[arg(long, value_name = "FIRST:LAST", value_parser = parse_range)]
    range: Option<Lines>,
}

#[derive(Clone, Debug)]
struct Lines(RangeInclusive<usize>);

fn parse_range(text: &str) -> Result<Lines, String> {
    let wrong = || format!("`{text}` is not of the form FIRST:LAST, two lines counted from 1");
    let (first, last) = text.split_once(':').ok_or_else(wrong)?;
    let lines = first.parse().map_err(|_| wrong())?..=last.parse().map_err(|_| wrong())?;
    if *lines.start() == 0 || lines.is_empty() { Err(wrong()) } else { Ok(Lines(lines)) }
}

/// Status 1 if a file could not be formatted, or with `--check` if one is not formatted.
pub fn run(args: &FmtArgs) -> Result<ExitCode, String> {
    if args.stdin {
        return stdin(args);
    }
    let mut files = Vec::new();
    let mut fine = true;
    for path in &args.paths {
        match find(path, &mut files) {
            Ok(()) => {}
            Err(error) => {
                tell(&format!("waferlab: {error}\n"));
                fine = false;
            }
        }
    }
    if args.range.is_some() && files.len() > 1 {
        return Err("--range goes with one file".to_owned());
    }
    for file in &files {
        match one(args, file) {
            Ok(unchanged) => fine &= unchanged || !args.check,
            Err(error) => {
                tell(&error);
                fine = false;
            }
        }
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A file to format.
struct File {
    path: PathBuf,
    /// It was found in a folder, not named.
    found: bool,
}

/// Adds a file, or the `*.csl` of a folder and of the folders within. Hidden folders and links to folders are left out.
fn find(path: &Path, files: &mut Vec<File>) -> Result<(), String> {
    let told = |error| format!("{}: {error}", path.display());
    if !fs::metadata(path).map_err(told)?.is_dir() {
        files.push(File { path: path.to_owned(), found: false });
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)
        .map_err(told)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()
        .map_err(told)?;
    entries.sort();
    for entry in entries {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if entry.is_dir() {
            if !hidden && !entry.is_symlink() {
                find(&entry, files)?;
            }
        } else if !hidden && entry.extension().is_some_and(|ending| ending == "csl") && entry.is_file() {
            files.push(File { path: entry, found: true });
        }
    }
    Ok(())
}

/// Formats a file; whether it was formatted already.
fn one(args: &FmtArgs, file: &File) -> Result<bool, String> {
    let name = file.path.display().to_string();
    let told = |error: String| format!("waferlab: {name}: {error}\n");
    let bytes = fs::read(&file.path).map_err(|error| told(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| told("this is not text in UTF-8".to_owned()))?;
    if csl_fmt::is_citation_style(&text) {
        return if file.found { Ok(true) } else { Err(told("this is XML (Citation Style Language)".to_owned())) };
    }
    let formatted = format(args, &name, &text)?;
    if formatted == text {
        return Ok(true);
    }
    if args.diff {
        print(&difference(&name, &text, &formatted, "formatted")).map_err(told)?;
    }
    if args.check {
        print(&format!("{name}\n")).map_err(told)?;
    }
    if !args.check && !args.diff {
        replace(&file.path, &text, &formatted).map_err(told)?;
    }
    Ok(false)
}

fn stdin(args: &FmtArgs) -> Result<ExitCode, String> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| format!("{STDIN}: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{STDIN}: this is not text in UTF-8"))?;
    let formatted = match format(args, STDIN, &text) {
        Ok(formatted) => formatted,
        Err(error) => {
            tell(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    if args.diff {
        print(&difference(STDIN, &text, &formatted, "formatted"))?;
    }
    if args.check && formatted != text {
        print(&format!("{STDIN}\n"))?;
        return Ok(ExitCode::FAILURE);
    }
    if !args.check && !args.diff {
        print(&formatted)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn format(args: &FmtArgs, name: &str, text: &str) -> Result<String, String> {
    let done = match &args.range {
        None => csl_fmt::format(name, text),
        Some(Lines(lines)) => csl_fmt::format_lines(name, text, lines.clone()),
    };
    done.map_err(|refusal| refusal_text(name, &refusal))
}

fn refusal_text(name: &str, refusal: &Refusal) -> String {
    let mut text = refusal.render(&Color::Auto.rendering());
    match refusal {
        Refusal::Syntax(..) => writeln!(text, "waferlab: {name}: not formatted, since it does not parse"),
        Refusal::Bug => {
            writeln!(text, "waferlab: {name}: not formatted: the result would be another program; this is a bug")
        }
    }
    .expect("writing to a string succeeds");
    text
}
