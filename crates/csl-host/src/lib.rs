//! Waferlab as a Rust library: compile, load, run, copy, launch, stop.
//!
//! [`compile`] is the pipeline on one page; [`Runtime`] is a program on the simulated wafer. Only this crate reads
//! files and the environment; faults and deadlocks of the machine become texts here.
//!
//! # Example
//! Two PEs, each of which doubles its four numbers:
//! ```
//! use csl_host::{Copy, Endpoint, Options, Rect, Rendering, Runtime, Settings, Spread, compile};
//!
//! # let temporary = tempfile::tempdir()?;
//! # let folder = temporary.path();
//! std::fs::write(folder.join("layout.csl"), r#"
//!     const memcpy = @import_module("<memcpy/get_params>", .{ .width = 2, .height = 1 });
//!     layout {
//!       @set_rectangle(2, 1);
//!       for (@range(u16, 2)) |x| {
//!         @set_tile_code(x, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(x) });
//!       }
//!       @export_name("v", [*]u32, true);
//!       @export_name("double", fn()void);
//!     }"#)?;
//! std::fs::write(folder.join("pe.csl"), r#"
//!     param memcpy_params;
//!     const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
//!     var v = @zeros([4]u32);
//!     var v_ptr: [*]u32 = &v;
//!     fn double() void {
//!       for (@range(i16, 4)) |i| { v[i] *= 2; }
//!       sys_mod.unblock_cmd_stream();
//!     }
//!     comptime {
//!       @export_symbol(v_ptr, "v");
//!       @export_symbol(double);
//!     }"#)?;
//!
//! let options = Options { folder: folder.to_owned(), memcpy: true, ..Options::new("layout.csl") };
//! let done = compile(&options);
//! assert!(done.succeeded(), "{}", done.render(&Rendering::default()));
//!
//! let mut runtime = Runtime::open(&folder.join("out"), Settings::new(1))?;
//! runtime.load()?;
//! runtime.run()?;
//! let v = Endpoint::Symbol(runtime.id("v")?);
//! let copy = Copy::of(Rect::new(0, 0, 2, 1), 4);
//! runtime.h2d(v, [1, 2, 3, 4, 5, 6, 7, 8], &copy, Spread::Each)?;
//! runtime.launch("double", &[])?;
//! let task = runtime.d2h(v, 8, &copy)?;
//! runtime.stop()?;
//! assert_eq!(runtime.take_arrived(), [(task, vec![2, 4, 6, 8, 10, 12, 14, 16])]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(missing_docs, unreachable_pub, clippy::missing_errors_doc)]

mod advice;
mod arguments;
pub mod batch;
mod compile;
pub mod core_file;
mod edges;
pub mod environment;
mod error;
pub mod explore;
mod image_file;
pub mod inspect;
pub mod layout;
pub mod lint;
pub mod npy;
pub mod options;
mod outdir;
mod placement;
mod progress;
pub mod project;
pub mod reference;
mod report;
mod requests;
mod runtime;
mod simlog;
mod sources;
mod stopwatch;

use std::sync::OnceLock;

pub use arguments::{Argument, Signature};
pub use compile::{Compilation, Editing, Stage, build, build_from, compile, emit, observe, output_folder};
pub use csl_diag::{Code, ErrorFormat, Rendering, Severity, USUAL_LIMIT, printable};
pub use csl_image::{Export, ExportKind, Image, ImageError, is_library};
pub use csl_machine::{Arch, Coord, Sdk, Size};
pub use csl_num::FloatKind;

pub use csl_sim::{Check, TimeReads};
pub use csl_sim::{Copy, Ending, Endpoint, Names, NoSuchPe, Order, Rect, RequestError, Shape, Spread, Width};
pub use error::{
    ArgumentError, CoreError, ErrorKind, Failure, FileError, FolderError, HostError, NameError, SequenceError,
};
pub use image_file::read_image;
pub use npy::NpyError;
pub use options::Options;
pub use outdir::IMAGE_FILE;
pub use placement::{Placement, place};
pub use progress::Progress;
pub use requests::{Request, RequestKind};
pub use runtime::{Runtime, STATISTICS_FILE, Settings, Task, Untimed, folder_of_run, parse_check, parse_untimed};
pub use simlog::{LOG_FILE, LogKinds};
pub use sources::{FileSources, TextSources, Trees, Unsaved, has_layout, library_name, tidy};

/// `1 thing` or `2 things`.
pub fn counted(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The number of threads that the machine runs at once: more would only wait for one another.
pub(crate) fn available_threads() -> usize {
    // To ask takes five system calls and more.
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}
