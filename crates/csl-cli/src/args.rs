//! The command line of `cslc`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgAction, CommandFactory, Parser, ValueEnum};
use csl_host::options::{
    Options, PRINTED, Passes, parse_bindings, parse_fp16, parse_pair, parse_sdk, parse_sections, parse_warning,
};
use csl_host::{Arch, Code, Coord, ErrorFormat, Rendering, Sdk, Size, Stage, USUAL_LIMIT};

use crate::number::whole;
use crate::output::Color;
use crate::words::Words;

/// The text after the options in `--help`.
const HELP: &str = "\
The output folder may hold other files: they stay as they are. Long options may be written with one dash. An option that is \
given twice counts as given last, but for --params, --colors, --import-path, --allow and link sections, which add up.";

/// Compile a CSL program for the Cerebras Wafer-Scale Engine.
#[derive(Debug, Parser)]
#[command(name = "cslc", version, disable_help_subcommand = true, args_override_self = true, after_help = HELP)]
pub struct CslcArgs {
    /// Input CSL file, the one with the layout block
    #[arg(value_name = "CSL_FILE", required_unless_present = "explain")]
    file: Option<PathBuf>,
    /// Output folder
    #[arg(short = 'o', value_name = "FOLDER", default_value = "out")]
    pub output: PathBuf,
    /// Values of top-level params, as NAME:VALUE,NAME:VALUE; may be repeated
    #[arg(long, value_name = "PARAMS", allow_hyphen_values = true)]
    pub params: Vec<String>,
    /// Values of top-level params of type color, as NAME:ID,NAME:ID; may be repeated
    #[arg(long, value_name = "COLORS")]
    pub colors: Vec<String>,
    /// Architecture to compile for
    #[arg(long, value_parser = parse_arch, default_value = "wse2", value_name = "wse2|wse3")]
    pub arch: Arch,
    /// Columns and rows of the fabric
    #[arg(long, value_parser = parse_pair::<Size>, value_name = "W,H")]
    pub fabric_dims: Option<Size>,
    /// Column and row of the program's first PE in the fabric
    #[arg(long, value_parser = parse_pair::<Coord>, value_name = "X,Y")]
    pub fabric_offsets: Option<Coord>,
    /// Add memcpy support to this program
    #[arg(long)]
    pub memcpy: bool,
    /// Number of memcpy I/O channels
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u8>(0, u64::from(u8::MAX)))]
    pub channels: u8,
    /// Columns of buffer PEs for input, west of the program
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u32>(0, u64::from(u16::MAX)))]
    pub width_west_buf: u32,
    /// Columns of buffer PEs for output, east of the program
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u32>(0, u64::from(u16::MAX)))]
    pub width_east_buf: u32,
    /// Folder to search for <...> in @import_module and @set_tile_code; may be repeated
    #[arg(long, value_name = "FOLDER")]
    pub import_path: Vec<PathBuf>,
    /// The FP16 format of run-time code
    #[arg(long, value_parser = fp16_name, default_value = "f16", value_name = "f16|bf16|cb16")]
    pub fp16_format: String,
    /// Iterations that each `inline` loop may take [default: as many as a PE can hold]
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0, None))]
    pub max_inlined_iterations: Option<u64>,
    /// Depth that comptime and inline calls may reach [default: 100]
    #[arg(long, value_name = "N", value_parser = whole::<u32>(0, None))]
    pub comptime_func_depth_limit: Option<u32>,
    /// Threads to compile with, at most [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1, None))]
    pub max_parallelism: Option<u32>,
    /// First address of link sections, as .NAME:BYTES,.NAME:BYTES
    #[arg(long, value_name = "SECTIONS", alias = "link-section-address-bytes")]
    pub link_section_start_address_bytes: Vec<String>,
    /// Treat warnings as errors
    #[arg(long)]
    pub warnings_as_errors: bool,
    /// Analyse functions, tasks and declarations that nothing uses, too; errors in them are errors. Left out is what cannot be
    /// analysed alone: functions with comptime or anytype parameters, `inline` functions with any, and those of the layout; in
    /// functions with parameters, which may be meant for calls at comptime, errors of what only such a call knows are left out, too
    #[arg(long)]
    pub check_all: bool,
    /// Do not give this warning, by its code; may be repeated. A comment `// waferlab: allow(CODE)` allows it on a line
    #[arg(long, value_name = "CODE", value_parser = parse_warning)]
    pub allow: Vec<Code>,
    /// Also write out.json of the output folder, the values of params, to this file
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub output_json: Option<Option<PathBuf>>,
    /// Write the routes of every tile to this file; without one, print them
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = PRINTED)]
    pub out_routes: Option<PathBuf>,
    /// Accepted for scripts; debug information is always complete
    #[arg(short = 'g', value_name = "LEVEL", value_parser = whole::<u8>(0, u64::from(u8::MAX)))]
    pub debug_info: Option<u8>,
    /// Follow this SDK release where two releases disagree
    #[arg(long, value_parser = parse_sdk, value_name = "VERSION")]
    pub sdk: Option<Sdk>,
    /// Passes of the optimiser that run: all, none, or names with commas between them; for tests that compare
    #[arg(long, hide = true, value_name = "PASSES", value_parser = Passes::parse, default_value = "all")]
    pub opt_passes: Passes,
    /// Leave the source lines of instructions out of the image; for tests that compare
    #[arg(long, hide = true)]
    pub no_line_tables: bool,
    /// Print a stage of the compilation instead of writing the output folder and other files
    #[arg(long, value_enum, value_name = "STAGE", conflicts_with_all = ["output_json", "out_routes"])]
    pub emit: Option<Emit>,
    /// How to print diagnostics: for people, a line each, a JSON object each, or as one SARIF document
    #[arg(long, value_enum, default_value = "human", value_name = "human|short|json|sarif")]
    pub error_format: Format,
    /// Print at most so many errors, and so many warnings; 0 for all [default: 100, or all with json and sarif]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(0, None))]
    pub error_limit: Option<usize>,
    /// Colour diagnostics; auto looks at the terminal and at NO_COLOR, CLICOLOR_FORCE and TERM
    #[arg(long, value_enum, default_value = "auto", value_name = "auto|always|never")]
    pub color: Color,
    /// Print what a diagnostic's code means, with a program that has it and one that does not
    #[arg(long, value_name = "CODE", value_parser = parse_code, exclusive = true)]
    pub explain: Option<Code>,
    /// Say what is done
    #[arg(long, action = ArgAction::SetTrue)]
    pub verbose: bool,
    /// Options of the vendor's compiler that have no meaning here.
    #[arg(skip)]
    pub ignored: Vec<String>,
}

/// The stages that `--emit` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    Tokens,
    Ast,
    Ir0,
    Ir,
    Bytecode,
    Layout,
}

/// The forms of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    Short,
    Json,
    Sarif,
}

impl CslcArgs {
    /// Parses the words behind the command's name.
    pub fn from_words(given: impl IntoIterator<Item = OsString>) -> Result<CslcArgs, clap::Error> {
        let Words { words, ignored } = Words::of(given);
        let parsed = CslcArgs::try_parse_from(std::iter::once("cslc".into()).chain(words)).map_err(without_idle_tip)?;
        Ok(CslcArgs { ignored, ..parsed })
    }

    /// The options among those with these ids that stand in the words of a command line, as they are written there.
    pub fn given(words: impl IntoIterator<Item = OsString>, ids: &[&str]) -> Result<Vec<String>, clap::Error> {
        let Words { words, ignored } = Words::of(words);
        let command = CslcArgs::command();
        let names: Vec<(String, String)> = command
            .get_arguments()
            .filter_map(|arg| {
                let short = arg.get_short().map(|short| format!("-{short}"));
                Some((arg.get_id().to_string(), arg.get_long().map(|long| format!("--{long}")).or(short)?))
            })
            .collect();
        let matches =
            command.try_get_matches_from(std::iter::once("cslc".into()).chain(words)).map_err(without_idle_tip)?;
        let is_given = |id: &str| ids.contains(&id) && matches.value_source(id) == Some(ValueSource::CommandLine);
        let known = names.into_iter().filter(|(id, _)| is_given(id)).map(|(_, name)| name);
        Ok(known.chain(ignored).collect())
    }

    /// The compilation that these arguments ask for, or what is wrong with one of them.
    pub fn options(&self) -> Result<Options, String> {
        let most = self.arch.chip().memcpy.max_channels;
        if self.memcpy && !(1..=most).contains(&self.channels) {
            return Err(format!("--channels={}: memcpy takes 1 to {most} channels", self.channels));
        }
        Ok(Options {
            output: self.output.clone(),
            params: flatten("--params", &self.params, parse_bindings)?,
            colors: flatten("--colors", &self.colors, parse_bindings)?,
            arch: self.arch,
            fabric_dims: self.fabric_dims,
            fabric_offsets: self.fabric_offsets,
            memcpy: self.memcpy,
            channels: self.channels,
            west_buffer: self.width_west_buf,
            east_buffer: self.width_east_buf,
            import_paths: self.import_path.clone(),
            fp16: parse_fp16(&self.fp16_format)?,
            max_inlined_iterations: self.max_inlined_iterations,
            comptime_func_depth_limit: self.comptime_func_depth_limit,
            threads: self.max_parallelism.map(|most| most as usize),
            link_sections: flatten(
                "--link-section-start-address-bytes",
                &self.link_section_start_address_bytes,
                parse_sections,
            )?,
            warnings_as_errors: self.warnings_as_errors,
            check_all: self.check_all,
            allow: self.allow.clone(),
            sdk: self.sdk,
            passes: self.opt_passes,
            line_tables: !self.no_line_tables,
            output_json: self.output_json.clone().flatten(),
            out_routes: self.out_routes.clone(),
            ignored: self.ignored.clone(),
            ..Options::new(self.file())
        })
    }

    pub fn stage(&self) -> Option<Stage> {
        self.emit.map(|emit| match emit {
            Emit::Tokens => Stage::Tokens,
            Emit::Ast => Stage::Ast,
            Emit::Ir0 => Stage::Ir0,
            Emit::Ir => Stage::Ir,
            Emit::Bytecode => Stage::Bytecode,
            Emit::Layout => Stage::Layout,
        })
    }

    /// The CSL file; none is named only where a code is to be explained.
    pub fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new(""))
    }

    pub fn rendering(&self) -> Rendering {
        rendering(self.error_format, self.error_limit, self.color)
    }
}

/// An error without clap's tip to write `--` before an unknown option: only the name of the CSL file could stand behind it.
fn without_idle_tip(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument {
        error.remove(ContextKind::Suggested);
    }
    error
}

/// How diagnostics are printed; a limit of 0 is none.
pub(crate) fn rendering(format: Format, limit: Option<usize>, color: Color) -> Rendering {
    let (format, usual) = match format {
        Format::Human => (ErrorFormat::Human, USUAL_LIMIT),
        Format::Short => (ErrorFormat::Short, USUAL_LIMIT),
        Format::Json => (ErrorFormat::Json, 0),
        Format::Sarif => (ErrorFormat::Sarif, 0),
    };
    let limit = Some(limit.unwrap_or(usual)).filter(|limit| *limit > 0);
    Rendering { format, limit, ..color.rendering() }
}

/// One flag given several times: all its lists in order.
fn flatten<T>(flag: &str, texts: &[String], parse: fn(&str) -> Result<Vec<T>, String>) -> Result<Vec<T>, String> {
    let lists: Result<Vec<Vec<T>>, String> =
        texts.iter().map(|text| parse(text).map_err(|error| format!("{flag}: {error}"))).collect();
    Ok(lists?.into_iter().flatten().collect())
}

fn parse_arch(text: &str) -> Result<Arch, String> {
    Arch::from_name(text).ok_or_else(|| format!("`{text}` is not one of wse2, wse3"))
}

fn fp16_name(text: &str) -> Result<String, String> {
    parse_fp16(text).map(|_| text.to_owned())
}

fn parse_code(text: &str) -> Result<Code, String> {
    Code::from_text(&text.to_uppercase()).ok_or_else(|| "there is no such code".to_owned())
}
