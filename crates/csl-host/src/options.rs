//! Options of a compilation, and parsers for the words of a command line.

use std::path::{Path, PathBuf};

use csl_diag::Code;
use csl_machine::{Arch, Coord, MOST_FABRIC_SIDE, Sdk, Size};
use csl_num::FloatKind;
pub use csl_opt::Passes;

use crate::available_threads;

/// All options of `cslc`. One value is one compilation.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The folder that relative paths are relative to: the working directory of the caller.
    pub folder: PathBuf,
    /// The file that holds the `layout` block, as named on the command line.
    pub root: PathBuf,
    /// The output folder.
    pub output: PathBuf,
    /// Top-level params by name; values are CSL literals.
    pub params: Vec<(String, String)>,
    /// Top-level params of type `color` by name.
    pub colors: Vec<(String, String)>,
    /// The generation of the wafer.
    pub arch: Arch,
    /// Columns and rows of the simulated fabric; `None` takes the smallest fabric that holds the program.
    pub fabric_dims: Option<Size>,
    /// Column and row of the program's north-west PE in the fabric; `None` takes the least that is allowed.
    pub fabric_offsets: Option<Coord>,
    /// Whether memcpy's own PEs stand beside the program.
    pub memcpy: bool,
    /// I/O channels of memcpy, 1 to 16.
    pub channels: u8,
    /// Columns of buffer PEs between memcpy's own and the program, in the west.
    pub west_buffer: u32,
    /// Columns of buffer PEs between the program and memcpy's own, in the east.
    pub east_buffer: u32,
    /// Folders searched for `<...>` before the embedded library, in order.
    pub import_paths: Vec<PathBuf>,
    /// The program's 16-bit float format.
    pub fp16: FloatKind,
    /// Iterations that one `inline` loop may have; `None` takes the number that a PE can hold.
    pub max_inlined_iterations: Option<u64>,
    /// Depth of nested calls of comptime code; `None` takes the default.
    pub comptime_func_depth_limit: Option<u32>,
    /// The number of threads, at most; `None` takes one for each core.
    pub threads: Option<usize>,
    /// First address of a link section, in bytes.
    pub link_sections: Vec<(String, u16)>,
    /// Whether a warning fails the compilation.
    pub warnings_as_errors: bool,
    /// Whether code that no program calls is analysed too.
    pub check_all: bool,
    /// Warnings that are not given.
    pub allow: Vec<Code>,
    /// The SDK release to follow where two releases disagree; `None` guesses from the program.
    pub sdk: Option<Sdk>,
    /// The passes that run over the IR; tests that compare use fewer than all.
    pub passes: Passes,
    /// Whether the image says which line an instruction comes from; tests that compare programs of different texts do without.
    pub line_tables: bool,
    /// The path of a copy of `out.json`.
    pub output_json: Option<PathBuf>,
    /// The path for the routes of every tile as text; [`PRINTED`] shows them.
    pub out_routes: Option<PathBuf>,
    /// Options of the vendor's compiler that have no meaning here, as they were given.
    pub ignored: Vec<String>,
}

/// The name that stands for standard output in place of a file.
pub const PRINTED: &str = "-";

impl Options {
    /// The defaults of `cslc` for one file.
    pub fn new(root: impl Into<PathBuf>) -> Options {
        Options {
            folder: PathBuf::new(),
            root: root.into(),
            output: PathBuf::from("out"),
            params: Vec::new(),
            colors: Vec::new(),
            arch: Arch::Wse2,
            fabric_dims: None,
            fabric_offsets: None,
            memcpy: false,
            channels: 1,
            west_buffer: 0,
            east_buffer: 0,
            import_paths: Vec::new(),
            fp16: FloatKind::F16,
            max_inlined_iterations: None,
            comptime_func_depth_limit: None,
            threads: None,
            link_sections: Vec::new(),
            warnings_as_errors: false,
            check_all: false,
            allow: Vec::new(),
            sdk: None,
            passes: Passes::ALL,
            line_tables: true,
            output_json: None,
            out_routes: None,
            ignored: Vec::new(),
        }
    }
}

impl Options {
    /// The number of threads to use.
    pub(crate) fn threads(&self) -> usize {
        self.threads.map_or(available_threads(), |most| most.clamp(1, available_threads()))
    }

    /// `path` as the process of the compiler has to open it.
    pub fn locate(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

/// Parses a release of the vendor's SDK, such as `1.4` or `2.10.0`.
///
/// # Errors
/// The fault in the text.
pub fn parse_sdk(text: &str) -> Result<Sdk, String> {
    let numbers: Option<Vec<u16>> = text.split('.').map(|part| part.parse().ok()).collect();
    let sdk = match numbers.as_deref() {
        Some(&[major]) => Sdk { major, minor: 0 },
        Some(&[major, minor] | &[major, minor, _]) => Sdk { major, minor },
        _ => return Err(format!("`{text}` is not an SDK release such as 1.4 or 2.10.0")),
    };
    if sdk > Sdk::CURRENT {
        let Sdk { major, minor } = Sdk::CURRENT;
        return Err(format!("the newest release of the SDK that Waferlab knows is {major}.{minor}"));
    }
    Ok(sdk)
}

/// What becomes of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It is not told.
    Allow,
    /// It is told.
    Warn,
    /// It is an error.
    Deny,
}

impl Level {
    const ALL: [(&str, Level); 3] = [("allow", Level::Allow), ("warn", Level::Warn), ("deny", Level::Deny)];

    /// The level of this name.
    pub fn from_name(name: &str) -> Option<Level> {
        Level::ALL.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }
}

/// Parses the code of a warning.
///
/// # Errors
/// There is no such code, or it is not that of a warning.
pub fn parse_warning(text: &str) -> Result<Code, String> {
    match Code::from_text(&text.to_uppercase()) {
        None => Err("there is no such code".to_owned()),
        Some(code) if code.severity() != csl_diag::Severity::Warning => Err("only warnings can be allowed".to_owned()),
        Some(code) => Ok(code),
    }
}

/// Parses `name:value,name:value` as it stands after `--params` and `--colors`.
///
/// # Errors
/// The fault in the text.
pub fn parse_bindings(text: &str) -> Result<Vec<(String, String)>, String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(parse_binding).collect()
}

fn parse_binding(item: &str) -> Result<(String, String), String> {
    match item.split_once(':') {
        Some((name, value)) if is_name(name.trim()) && !value.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("`{item}` is not of the form NAME:VALUE")),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Parses `W,H` to a [`Size`] or `X,Y` to a [`Coord`]: two whole numbers from 0 to
/// [`MOST_FABRIC_SIDE`].
///
/// # Errors
/// The fault in the text.
pub fn parse_pair<T: From<(u32, u32)>>(text: &str) -> Result<T, String> {
    let number = |part: &str| part.trim().parse().ok().filter(|number| *number <= MOST_FABRIC_SIDE);
    text.split_once(',')
        .and_then(|(a, b)| Some((number(a)?, number(b)?).into()))
        .ok_or_else(|| format!("`{text}` is not two whole numbers up to {MOST_FABRIC_SIDE}, such as 8,3"))
}

/// Parses `.section:ADDRESS,...`, addresses in bytes, decimal or 0x-hexadecimal.
///
/// # Errors
/// The fault in the text.
pub fn parse_sections(text: &str) -> Result<Vec<(String, u16)>, String> {
    text.trim_matches('"').split(',').filter(|item| !item.trim().is_empty()).map(parse_section).collect()
}

fn parse_section(item: &str) -> Result<(String, u16), String> {
    item.rsplit_once(':')
        .and_then(|(name, address)| Some((name.trim().to_owned(), parse_number(address.trim())?)))
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("`{item}` is not of the form SECTION:ADDRESS"))
}

/// Parses a 16-bit number, such as an address: decimal, or hexadecimal after 0x.
pub fn parse_number(text: &str) -> Option<u16> {
    match text.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Parses `f16`, `bf16` or `cb16`.
///
/// # Errors
/// The fault in the text.
pub fn parse_fp16(text: &str) -> Result<FloatKind, String> {
    match text {
        "f16" => Ok(FloatKind::F16),
        "bf16" => Ok(FloatKind::Bf16),
        "cb16" => Ok(FloatKind::Cb16),
        _ => Err(format!("`{text}` is not one of f16, bf16, cb16")),
    }
}
