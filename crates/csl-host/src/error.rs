//! The error of a request of a host program, with its cause by layer.

#![expect(missing_docs, reason = "the message of a variant says what its fields are")]

use std::io;
use std::path::{Path, PathBuf};

use csl_diag::printable;
use csl_image::ImageError;
use csl_machine::{Color, Coord, Size};
use csl_sim::{Names, NoSuchPe, PortError, RequestError};

use crate::arguments::{Argument, Signature};
use crate::layout::LayoutError;
use crate::npy::{ItemType, NpyError};
use crate::outdir::IMAGE_FILE;

/// The reason why a request of a host program was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The folder does not hold a compiled program.
    #[error("{}: {cause}", .folder.display())]
    NoProgram { folder: PathBuf, cause: FolderError },
    /// An image that was made in memory and is damaged.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A call out of order, such as a copy before `run()`.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// A request that the machine does not take; nothing has moved.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A name or coordinates that the program does not have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A value that cannot be taken.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// A place around the program where nothing can enter or leave.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A description of a layout that has no meaning.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A file that cannot be read.
    #[error("{}: {cause}", .path.display())]
    Unreadable { path: PathBuf, cause: FileError },
    /// A file that cannot be written.
    #[error("{}: {cause}", .path.display())]
    Unwritable { path: PathBuf, cause: io::Error },
    /// The run has ended in `cause`, as the rendered report explains. `event` says in a line what has happened, without
    /// PE and cycle.
    #[error("{report}")]
    Failed { cause: Failure, event: String, report: String },
    /// The run was interrupted in this cycle, with a rendered report of its state. It can go on.
    #[error("interrupted at cycle {cycle}\n{report}")]
    Interrupted { cycle: u64, report: String },
}

/// The kind of error that the host API raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A wrong argument; nothing has moved.
    Argument,
    /// A fault of a PE, or a run that can make no more progress.
    Simulation,
    /// Ctrl-C.
    Interrupted,
    /// Any other error: no program, calls out of order, files that cannot be written.
    Other,
}

impl HostError {
    /// The message for a terminal: text that comes from files has pictures in place of control characters. A report, which
    /// may have colours, is made so already.
    pub fn printable(&self) -> String {
        let text = self.to_string();
        match self {
            HostError::Failed { .. } | HostError::Interrupted { .. } => text,
            _ => printable(&text).into_owned(),
        }
    }

    /// The kind of error that the host API raises for this one.
    pub fn kind(&self) -> ErrorKind {
        match self {
            HostError::Request(RequestError::Stopped) => ErrorKind::Other,
            HostError::Request(_)
            | HostError::Name(_)
            | HostError::Argument(_)
            | HostError::Port(_)
            | HostError::Layout(_)
            | HostError::Unreadable { .. } => ErrorKind::Argument,
            HostError::Failed { .. } => ErrorKind::Simulation,
            HostError::Interrupted { .. } => ErrorKind::Interrupted,
            HostError::NoProgram { .. }
            | HostError::Image(_)
            | HostError::Sequence(_)
            | HostError::Unwritable { .. } => ErrorKind::Other,
        }
    }
}

impl From<NoSuchPe> for HostError {
    fn from(place: NoSuchPe) -> HostError {
        HostError::Name(NameError::Tile(place))
    }
}

/// The way in which a run has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A PE or a router has stopped with a fault.
    Fault,
    /// Nothing can move any more, and the host still waits.
    Deadlock,
    /// The run has taken as many cycles as it may.
    OutOfCycles,
}

/// The reason why a folder does not hold a compiled program.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("a file; give the folder that cslc has written, such as `out`")]
    IsFile,
    #[error("there is no such folder; compile the program with `cslc ... -o FOLDER` first")]
    Missing,
    #[error("not an output folder of cslc: it has no {IMAGE_FILE}")]
    NotCompiled,
    #[error("its {IMAGE_FILE} is no regular file")]
    NotAFile,
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// A call out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    #[error("load() can be called once, first of all")]
    LoadedTwice,
    #[error("run() can be called once, after load()")]
    RunTwice,
    #[error("{method} comes before load(): now that the program is loaded it has no effect")]
    Loaded { method: &'static str },
    #[error("{method} needs load() first")]
    NotLoaded { method: &'static str },
    #[error("{method}: call load() and run() first")]
    NotRunning { method: &'static str },
    #[error("{method}: the run has been stopped")]
    Stopped { method: &'static str },
}

/// A name or coordinates that the program does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the program exports no symbol {name:?}; it exports {exports}")]
    Export { name: String, exports: Names },
    #[error("the program exports no function {name:?}; it exports {functions}")]
    Function { name: String, functions: Names },
    #[error("no exported function has the number {number}; the functions that the program exports are {functions}")]
    FunctionNumber { number: u32, functions: Names },
    #[error(
        "{name} is data, not a function that can be called; the functions that the program exports are {functions}"
    )]
    NotAFunction { name: String, functions: Names },
    #[error("the task is not one of this runtime")]
    Task,
    #[error("there is no PE of the program at ({x}, {y}) of the fabric: the program begins at ({}, {})", .begins.x, .begins.y)]
    Pe { x: u32, y: u32, begins: Coord },
    #[error(transparent)]
    Tile(NoSuchPe),
    #[error("the PE at ({x}, {y}) has no symbol {name}")]
    Symbol { x: u32, y: u32, name: String },
    #[error("the program has no stream {name:?}; it has {}", if .streams.is_empty() { "none" } else { .streams })]
    Stream { name: String, streams: String },
    #[error("{method}: the program has no port with the number {port}")]
    Port { method: &'static str, port: usize },
    /// Coordinates outside the program's rectangle, which has the size `program`.
    #[error("there is no program at ({x}, {y}) of the program's {} x {} PEs", .program.width, .program.height)]
    ProgramAt { x: u32, y: u32, program: Size },
    #[error("there is no program {name}; there are {known}")]
    Program { name: String, known: String },
    #[error("there is no function {name}; there are {known}")]
    Code { name: String, known: String },
    #[error("color {color} is routed nowhere in the program; {}", list_of(.routed))]
    Color { color: u8, routed: Vec<Color> },
}

/// What can be done with items of a wrong type but to convert them.
fn other_way(item: ItemType, symbol: &str, file: &Path) -> String {
    if ItemType::from_name(&item.to_string()).is_some() {
        format!(", or copy the bits as they are with {symbol}={}:{item}", file.display())
    } else {
        ", as numpy's astype() does; items of other sizes than 16 and 32 bits cannot be moved as they are".to_owned()
    }
}

fn list_of(colors: &[Color]) -> String {
    let colors: Vec<String> = colors.iter().map(Color::to_string).collect();
    if colors.is_empty() { "none is".to_owned() } else { format!("routed are {}", colors.join(", ")) }
}

/// A value that cannot be taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ArgumentError {
    #[error(
        "PE[{column}, {row}] is no place beside the program, whose PEs are PE[0, 0] to PE[{}, {}]: words enter and leave by \
         the places around them, such as PE[-1, 0]",
        width - 1, height - 1
    )]
    NoPort { column: i64, row: i64, width: u32, height: u32 },
    #[error("sentinel {number}: the numbers of tasks that a control wavelet can start end at {last}")]
    NoSentinel { number: u32, last: u8 },
    #[error("color {color}: there is none of this number")]
    NoPortColor { color: u32 },
    /// A file for results that is another's; `what` says whose.
    #[error("{}: it is {what}; choose another file", .file.display())]
    Taken { file: PathBuf, what: &'static str },
    #[error("set_symbol: {name} has {size} bytes, and {given} are given")]
    TooLong { name: String, size: u32, given: usize },
    #[error("launch: {function}{params} takes {} given", params.takes(*.given))]
    Count { function: String, params: Signature, given: usize },
    /// Argument `at`, from 0, has another type than the parameter, or does not fit it.
    #[error(
        "launch: argument {} of {function}{params} must be a value of type {}, not {given}",
        .at + 1, .params.0[*.at]
    )]
    Type { function: String, params: Signature, at: usize, given: Argument },
    /// The type of parameter `at`, from 0, is no number, or one of more than 64 bits.
    #[error(
        "launch: parameter {} of {function}{params} is a {}: the host has values for numbers of up to 64 bits and bool; pass \
         others by memcpy_h2d",
        .at + 1, .params.0[*.at]
    )]
    NoNumber { function: String, params: Signature, at: usize },
    #[error("call: {function} takes {expected} words, {given} given")]
    Words { function: String, expected: usize, given: usize },
    #[error("{variable}={text}: a number of cycles, 1 or more, is wanted")]
    Cycles { variable: &'static str, text: String },
    #[error("{variable}={text}: 1, 0 or stop is wanted")]
    Check { variable: &'static str, text: String },
    #[error("{variable}={text}: 1, 0 or own-time is wanted")]
    UntimedValue { variable: &'static str, text: String },
    #[error("a run without a clock (--untimed, WAFERLAB_UNTIMED) has no {what}")]
    Untimed { what: &'static str },
    #[error("{variable}={text}: the number of a schedule is wanted")]
    Schedule { variable: &'static str, text: String },
    #[error("{variable}={text}: 0 or a number of jumps and calls is wanted")]
    Jit { variable: &'static str, text: String },
    #[error("{method}: {stream} does not lead to the device; it is no stream to send to")]
    NotToDevice { method: &'static str, stream: String },
    #[error("{method}: {stream} does not lead from the device; it is no stream to receive from")]
    NotFromDevice { method: &'static str, stream: String },
    #[error("{method}: {count} wavelets are too many for one call")]
    Wavelets { method: &'static str, count: usize },
    #[error(
        "{}: its items are {item}, and {symbol} takes {wanted}: convert the file{}",
        .file.display(), other_way(*.item, .symbol, .file)
    )]
    ItemType { file: PathBuf, item: ItemType, symbol: String, wanted: ItemType },
    #[error(
        "{}: {items} items cannot be dealt out to {w} x {h} PEs{}",
        .file.display(), .per_pe.map_or(String::new(), |count| format!(" with {count} each"))
    )]
    Share { file: PathBuf, items: usize, w: u32, h: u32, per_pe: Option<u32> },
    #[error("{}: items of {bytes} bytes cannot be moved", .file.display())]
    FileItems { file: PathBuf, bytes: u8 },
    #[error("items of {bytes} bytes cannot be moved")]
    Items { bytes: u8 },
    #[error("{elements} elements of {bytes} bytes do not fit the {memory} bytes of a PE's memory")]
    TooManyElements { elements: usize, bytes: u8, memory: u32 },
    #[error("a function cannot be copied")]
    CopiedFunction,
    #[error("the number of elements cannot be told from the program; say SYMBOL=FILE:N")]
    UnknownExtent,
}

/// The reason why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Npy(#[from] NpyError),
    #[error(transparent)]
    Core(#[from] CoreError),
}

/// The reason why a file is no core file of the program.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    #[error("not a core file of Waferlab")]
    NotACore,
    #[error("longer than a core file of the program can be, which is {most} bytes")]
    TooLong { most: u64 },
    #[error(
        "a damaged core file: some of its bytes have changed since it was written, or its end is missing; write it again"
    )]
    Changed,
    #[error("a damaged core file")]
    Damaged,
    #[error("a core file of another version of Waferlab")]
    Version,
    #[error("a core file of another program, or of another compilation of this one")]
    OtherProgram,
    #[error(transparent)]
    Image(#[from] ImageError),
}
