//! Waferlab for Rust programs: compile CSL, load it on a simulated wafer, copy arrays, launch functions, read cycles.
//!
//! [`compile`] makes an output folder of a program, as `cslc` does; [`Runtime`] runs what such a folder holds. Copies are
//! typed: an element is `f32`, `i32` or `u32`, or `i16` or `u16` where the program's is of 16 bits.
//!
//! The clock of the wafer advances only inside calls that wait: [`Runtime::memcpy_d2h`], [`Runtime::wait`],
//! [`Runtime::is_done`], [`Runtime::stop`]. Other requests are queued, and carried out in their order.
//!
//! # Example
//! Two PEs, each of which multiplies its four numbers by a factor:
//! ```
//! use waferlab::{Area, Options, Runtime, compile};
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
//!       @export_name("v", [*]f32, true);
//!       @export_name("scale", fn(f32)void);
//!     }"#)?;
//! std::fs::write(folder.join("pe.csl"), r#"
//!     param memcpy_params;
//!     const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
//!     var v = @zeros([4]f32);
//!     var v_ptr: [*]f32 = &v;
//!     const v_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> v[i] });
//!     fn scale(factor: f32) void {
//!       @fmuls(v_dsd, v_dsd, factor);
//!       sys_mod.unblock_cmd_stream();
//!     }
//!     comptime {
//!       @export_symbol(v_ptr, "v");
//!       @export_symbol(scale);
//!     }"#)?;
//!
//! let program = compile(&Options { folder: folder.to_owned(), memcpy: true, ..Options::new("layout.csl") })?;
//! let mut runtime = Runtime::open(&program.folder)?;
//! runtime.load()?;
//! runtime.run()?;
//! let v = runtime.symbol("v")?;
//! let both = Area::new(0, 0, 2, 1);
//! runtime.memcpy_h2d(v, &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], both, 4)?;
//! runtime.launch("scale", &[2.5f32.into()])?;
//! let scaled: Vec<f32> = runtime.memcpy_d2h(v, both, 4)?;
//! runtime.stop()?;
//! assert_eq!(scaled, [2.5, 5.0, 7.5, 10.0, 12.5, 15.0, 17.5, 20.0]);
//! assert!(runtime.cycles() > 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A program in `crates/waferlab/examples` computes a dot product on a row of PEs. Programs in C and C++ use the same
//! runtime by `crates/csl-c`.

#![deny(missing_docs, unreachable_pub, clippy::missing_errors_doc)]

mod area;
mod element;
mod program;
mod runtime;

pub use area::{Area, Order};
pub use csl_host::{
    Arch, Argument, ArgumentError, Check, Code, Coord, Ending, Endpoint, ErrorKind, Failure, FloatKind, FolderError,
    HostError, NameError, Options, Request, RequestError, RequestKind, Sdk, SequenceError, Size, Spread, Task,
};
pub use element::Element;
pub use program::{CompileError, Program, compile};
pub use runtime::Runtime;

/// The version of Waferlab.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The program in the book's page on this crate compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/book/src/howto/rust-and-c.md")]
pub struct PageOfTheBook;
