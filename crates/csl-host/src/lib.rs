//! The whole of Waferlab in plain Rust: compile, load, run, copy, launch, stop.
//!
//! [`compile`] is the pipeline on one page; [`Runtime`] is a program on the simulated wafer. Only this crate reads
//! files and the environment; faults and deadlocks of the machine become texts here.

mod arguments;
pub mod batch;
mod check;
mod compile;
pub mod core;
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
mod transfer;

pub use arguments::Argument;
pub use compile::{Compilation, Stage, build, compile, emit, output_folder};
pub use csl_diag::{ErrorFormat, Style};
pub use csl_image::{Export, ExportKind, Image};
pub use csl_machine::Arch;
pub use csl_machine::Sdk;
pub use csl_sim::Ending;
pub use error::HostError;
pub use options::Options;
pub use outdir::IMAGE_FILE;
pub use placement::{Placement, place};
pub use progress::Progress;
pub use runtime::{Copy, Rect, Runtime, Settings, Spread, Task, Width, read_image};
pub use simlog::LogKinds;
pub use sources::FileSources;
pub use transfer::Order;
