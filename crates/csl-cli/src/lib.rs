//! `cslc` and `waferlab`: arguments and printing. The work itself is done by `csl-host`.

pub mod args;
mod csdb;
pub mod cslc;
mod debug_shell;
mod inspect;
mod output;
mod readelf;
mod run;
mod signals;
pub mod waferlab;
mod words;

use csl_host::Options;

/// The allocator of the commands: a compilation makes and drops small pieces by the million, which takes a tenth of its
/// time with the allocator of the C library. The Python extension, a library in another program's process, keeps that
/// program's allocator.
pub use mimalloc::MiMalloc as Allocator;

/// The compilation that `cslc` with these arguments (without its own name) would do, or why it would refuse.
pub fn parse(arguments: Vec<String>) -> Result<Options, String> {
    args::CslcArgs::from_words(arguments.into_iter().map(Into::into)).map_err(|error| error.to_string())?.options()
}
