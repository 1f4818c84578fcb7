//! `cslc` and `waferlab`: arguments and printing. The work itself is done by `csl-host`.

pub mod args;
mod csdb;
pub mod cslc;
mod debug_shell;
pub mod doc;
mod fmt;
mod inspect;
mod output;
mod readelf;
mod run;
mod signals;
pub mod waferlab;
mod words;

use csl_host::Options;

/// The compilation that `cslc` with these arguments (without its own name) would do, or why it would refuse.
pub fn parse(arguments: Vec<String>) -> Result<Options, String> {
    args::CslcArgs::from_words(arguments.into_iter().map(Into::into)).map_err(|error| error.to_string())?.options()
}
