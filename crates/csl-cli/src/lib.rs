//! `cslc` and `waferlab`: arguments and printing. The work itself is done by `csl-host`.

pub mod args;
mod csdb;
pub mod cslc;
mod debug_shell;
pub mod doc;
mod explore;
mod files;
mod fmt;
mod inspect;
mod lint;
mod number;
mod output;
mod readelf;
mod run;
mod shell_files;
mod signals;
pub mod waferlab;
mod words;

use csl_host::Options;

/// A compilation makes and drops small pieces by the hundred thousand, on two threads that wait for each other in the
/// allocator of the C library: a fifth of the time of a large one. The second version starts sooner than the third.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The compilation that `cslc` with these arguments (without its own name) would do, or why it would refuse.
pub fn parse(arguments: Vec<String>) -> Result<Options, String> {
    args::CslcArgs::from_words(arguments.into_iter().map(Into::into)).map_err(|error| error.to_string())?.options()
}
