//! `waferlab lint`: warnings of what works and is unwise, and the edits that are safe.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser};
use csl_host::lint::{Fixed, FixedFile, fixed, lint};
use csl_host::options::parse_warning;
use csl_host::project::{CslcLine, Level, PROJECT_FILE, Project, Script, scripts_in};
use csl_host::{Code, Compilation, Options, Rendering, Severity};

use crate::args::{CslcArgs, Format, rendering};
use crate::cslc::usage;
use crate::files::{difference, replace};
use crate::number::whole;
use crate::output::{Color, print, tell};

/// The text after the options in `--help`.
const HELP: &str = "\
Without arguments the programs are those of waferlab.toml in this folder or above it, or without any there those of commands*.sh. \
Programs that are given together are looked at together: that something is not used is told where none of them uses it. The \
warnings and errors of cslc are told too, those of --check-all and of code generation included. A comment `// waferlab: allow(CODE)` allows a warning \
on a line; levels of the command line go before those under [lint] of waferlab.toml. Status 0: nothing was found; 1: warnings; \
2: errors.";

#[derive(Clone, Debug, Default, Args)]
#[command(after_help = HELP)]
pub struct LintArgs {
    /// Make the edits of findings that leave the program what it is, and say so
    #[arg(long, conflicts_with = "diff")]
    fix: bool,
    /// Write nothing; print what --fix would change
    #[arg(long)]
    diff: bool,
    /// Do not give this warning; may be repeated
    #[arg(long, value_name = "CODE", value_parser = parse_warning)]
    allow: Vec<Code>,
    /// Give this warning, whatever waferlab.toml says; may be repeated
    #[arg(long, value_name = "CODE", value_parser = parse_warning)]
    warn: Vec<Code>,
    /// Treat this warning as an error; may be repeated
    #[arg(long, value_name = "CODE", value_parser = parse_warning)]
    deny: Vec<Code>,
    /// Treat all warnings as errors, those of lints too
    #[arg(long)]
    warnings_as_errors: bool,
    /// How to print findings, as for cslc [default: human]
    #[arg(long, value_enum, value_name = "human|short|json|sarif", hide_possible_values = true)]
    error_format: Option<Format>,
    /// Print at most so many errors, and so many warnings; 0 for all [default: 100, or all with json and sarif]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(0, None))]
    error_limit: Option<usize>,
    /// Colour findings; auto looks at the terminal and at NO_COLOR, CLICOLOR_FORCE and TERM [default: auto]
    #[arg(long, value_enum, value_name = "auto|always|never", hide_possible_values = true)]
    color: Option<Color>,
    /// A CSL file with the options that cslc would take, but for those that say what it writes, or scripts whose cslc lines are
    /// read; options of this command may stand anywhere
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    words: Vec<OsString>,
}

/// The options alone, to parse those that stand behind the file.
#[derive(Parser)]
#[command(name = "waferlab lint")]
struct Behind {
    #[command(flatten)]
    args: LintArgs,
}

/// Status 0 when nothing is found, 1 with warnings, 2 with errors.
pub fn main(args: LintArgs) -> ExitCode {
    let args = match args.with_those_behind() {
        Ok(args) => args,
        Err(error) => {
            usage(&error);
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(status) => ExitCode::from(status),
        Err(text) => {
            tell(&format!("waferlab: {}\n", text.trim_end()));
            ExitCode::from(2)
        }
    }
}

fn run(args: &LintArgs) -> Result<u8, String> {
    let how = args.rendering();
    let Selected { programs, levels, is_whole, is_strict } = select(args, &how)?;
    let mut done = if args.fix || args.diff { mended(args, &programs, &levels)? } else { lint(&programs, &levels) };
    if is_strict {
        done.promote_warnings();
    }
    tell(&done.render(&how));
    let status =
        match (done.succeeded() && is_whole, done.diagnostics().iter().all(|found| found.severity == Severity::Note)) {
            (false, _) => 2,
            (true, false) => 1,
            (true, true) => 0,
        };
    Ok(status)
}

/// Makes or shows the safe edits; gives the findings that are left, with `--diff` all.
fn mended(args: &LintArgs, programs: &[Options], levels: &[(Code, Level)]) -> Result<Compilation, String> {
    let Fixed { left, files, foreign } = fixed(programs, levels)?;
    for path in foreign {
        tell(&format!("waferlab: {}: left as it is, since it lies outside of the program's folder\n", path.display()));
    }
    if args.diff {
        for file in files {
            print(&difference(&file.path.display().to_string(), &file.old, &file.new, "fixed"))?;
        }
        return Ok(lint(programs, levels));
    }
    let mut left_alone = Vec::new();
    for FixedFile { path, old, new, count } in files {
        match replace(&path, &old, &new) {
            Ok(()) => {
                let findings = csl_host::counted(count as u64, "finding");
                tell(&format!("waferlab: {}: {findings} fixed\n", path.display()));
            }
            Err(error) => left_alone.push(format!("{}: {error}", path.display())),
        }
    }
    if left_alone.is_empty() { Ok(left) } else { Err(left_alone.join("\nwaferlab: ")) }
}

/// The programs and levels that the arguments and `waferlab.toml` ask for.
struct Selected {
    programs: Vec<Options>,
    levels: Vec<(Code, Level)>,
    /// Whether no line that was asked for is wrong.
    is_whole: bool,
    /// Whether this command is to treat warnings as errors, those of lints too.
    is_strict: bool,
}

fn select(args: &LintArgs, how: &Rendering) -> Result<Selected, String> {
    let words: Vec<String> = args.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let is_script = |word: &String| word.ends_with(".sh");
    let found = |folder: &Path| Project::find(folder).map_err(|wrong| wrong.render(how));
    let (mut lines, mut is_strict) = (Vec::new(), args.warnings_as_errors);
    let project = if words.is_empty() {
        let project = found(Path::new(""))?;
        let folder = project.as_ref().map_or(PathBuf::new(), |project| project.folder.clone());
        let mut scripts = Vec::new();
        if let Some(project) = &project {
            lines.extend(project.programs.iter().cloned());
            scripts.clone_from(&project.commands);
        }
        if lines.is_empty() && scripts.is_empty() {
            scripts = scripts_in(&folder);
        }
        read_scripts(&scripts, &mut lines)?;
        if lines.is_empty() {
            return Err(format!("no program: name a layout or a script, or write a {PROJECT_FILE}"));
        }
        project
    } else if words.iter().all(is_script) {
        let scripts: Vec<PathBuf> = words.iter().map(PathBuf::from).collect();
        read_scripts(&scripts, &mut lines)?;
        if lines.is_empty() {
            return Err(format!("{}: no line that calls cslc can be read", words.join(", ")));
        }
        found(scripts[0].parent().unwrap_or(Path::new("")))?
    } else {
        refuse_output(&args.words)?;
        let options = crate::parse(words.clone())?;
        // Such as `-warnings-as-errors`, which cslc takes, too.
        is_strict |= options.warnings_as_errors;
        let folder = options.root.parent().unwrap_or(Path::new("")).to_owned();
        lines.push(CslcLine { words, folder: PathBuf::new(), script: None });
        found(&folder)?
    };
    let mut is_whole = true;
    let mut programs: Vec<Options> = Vec::new();
    for line in lines {
        match crate::parse(line.words) {
            Ok(options) => programs.push(Options { folder: line.folder, ..options }),
            Err(error) => {
                let place = line.script.map(|(path, line)| format!("{}:{line}: ", path.display())).unwrap_or_default();
                tell(&format!("waferlab: {place}{}\n", error.trim_end()));
                is_whole = false;
            }
        }
    }
    let mut levels = project.map(|project| project.levels).unwrap_or_default();
    for (codes, level) in [(&args.allow, Level::Allow), (&args.warn, Level::Warn), (&args.deny, Level::Deny)] {
        levels.extend(codes.iter().map(|code| (*code, level)));
    }
    Ok(Selected { programs, levels, is_whole, is_strict })
}

/// The options of `cslc` that say what it writes and prints.
const OF_OUTPUT: [&str; 7] = ["output", "emit", "output_json", "out_routes", "verbose", "explain", "no_line_tables"];

/// Refuses options that change nothing for this command. The lines of scripts may have them: they are written for `cslc`.
fn refuse_output(words: &[OsString]) -> Result<(), String> {
    let given = CslcArgs::given(words.iter().cloned(), &OF_OUTPUT).map_err(|error| error.to_string())?;
    let (have, them) = match given.len() {
        0 => return Ok(()),
        1 => ("has", "it"),
        _ => ("have", "them"),
    };
    let given = given.join(" and ");
    Err(format!(
        "{given} {have} no effect here: lint makes no output folder and prints only findings; leave {them} out, or call cslc"
    ))
}

/// Adds the `cslc` lines of scripts, and tells of those that cannot be read.
fn read_scripts(scripts: &[PathBuf], lines: &mut Vec<CslcLine>) -> Result<(), String> {
    for path in scripts {
        let script = Script::read(path)?;
        for (line, reason) in script.left_out {
            tell(&format!("waferlab: {}:{line}: this call of cslc is left out: {reason}\n", path.display()));
        }
        lines.extend(script.lines);
    }
    Ok(())
}

impl LintArgs {
    /// The arguments with the options of this command that stand behind the file.
    fn with_those_behind(mut self) -> Result<LintArgs, clap::Error> {
        let command = Behind::command();
        let own: Vec<(String, bool)> = command
            .get_arguments()
            .filter_map(|arg| Some((format!("--{}", arg.get_long()?), arg.get_action().takes_values())))
            .collect();
        let (mut behind, mut rest) = (vec![OsString::from("waferlab lint")], Vec::new());
        let mut words = std::mem::take(&mut self.words).into_iter();
        while let Some(word) = words.next() {
            let text = word.to_string_lossy();
            let name = text.split('=').next().unwrap_or_default();
            match own.iter().find(|(own, _)| own == name) {
                None => rest.push(word),
                Some((_, takes_value)) => {
                    let value = if *takes_value && !text.contains('=') { words.next() } else { None };
                    behind.push(word);
                    behind.extend(value);
                }
            }
        }
        let LintArgs { fix, diff, allow, warn, deny, warnings_as_errors, error_format, error_limit, color, .. } =
            Behind::try_parse_from(behind)?.args;
        self.fix |= fix;
        self.diff |= diff;
        self.allow.extend(allow);
        self.warn.extend(warn);
        self.deny.extend(deny);
        self.warnings_as_errors |= warnings_as_errors;
        self.error_format = error_format.or(self.error_format);
        self.error_limit = error_limit.or(self.error_limit);
        self.color = color.or(self.color);
        self.words = rest;
        if self.fix && self.diff {
            let message = "the argument '--fix' cannot be used with '--diff'";
            return Err(Behind::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(self)
    }

    fn rendering(&self) -> Rendering {
        rendering(self.error_format.unwrap_or(Format::Human), self.error_limit, self.color.unwrap_or_default())
    }
}
