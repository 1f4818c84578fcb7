//! The whole of Waferlab in plain Rust: compile, load, run, copy, launch, stop.
//!
//! [`compile`] is the pipeline on one page; [`Runtime`] is a program on the simulated wafer. Only this crate reads
//! files and the environment; faults and deadlocks of the machine become texts here.

mod advice;
mod arguments;
pub mod batch;
mod compile;
pub mod core_file;
mod error;
pub mod inspect;
pub mod layout;
mod npy;
pub mod options;
mod outdir;
mod placement;
mod progress;
mod report;
mod runtime;
mod simlog;
mod sources;

pub use arguments::{Argument, Signature};
pub use compile::{Compilation, Stage, build, compile, emit, output_folder};
pub use csl_chip::Arch;
pub use csl_diag::{ErrorFormat, Style};
pub use csl_image::{Export, ExportKind, Image, ImageError, Size};
pub use csl_num::FloatKind;
pub use csl_sema::Sdk;
pub use csl_sim::{Copy, Ending, Endpoint, Names, NoSuchPe, Order, Rect, RequestError, Shape, Spread, Width};
pub use error::{
    ArgumentError, CoreError, ErrorKind, Failure, FileError, FolderError, HostError, NameError, SequenceError,
};
pub use npy::NpyError;
pub use options::Options;
pub use outdir::IMAGE_FILE;
pub use placement::{Placement, place};
pub use progress::Progress;
pub use runtime::{Runtime, Settings, Task, read_image};
pub use simlog::LogKinds;
pub use sources::FileSources;
