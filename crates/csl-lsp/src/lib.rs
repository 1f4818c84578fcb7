//! `waferlab lsp`: the language server of CSL.
//!
//! ```text
//! editor ──messages──▶ server ──▶ world: documents, files, programs ──▶ a file a request ──▶ answers
//!                         │  ▲
//!                  texts  ▼  │  snapshots of programs, diagnostics
//!                       worker: csl-sema, with a record of names
//! ```
//!
//! [`server`] owns the [`world::World`] and takes messages one by one. A change of a text starts an analysis of the programs that
//! it belongs to on the thread of [`worker`]; a newer change calls it off. Requests that ask about types and values wait for the
//! analysis of the latest text; the others, completion among them, are answered at once, from the text and the last analysis.
//!
//! - [`text`], [`uri`]: positions and names of files as editors have them.
//! - [`file`]: the names of one file, by its tree. [`names`]: names from file to file. [`programs`]: which files are a program.
//! - [`snapshot`]: an analysed program: its findings, and the types and values of names ([`csl_sema::Observation`]).
//! - Each of the other modules answers one request, by functions that change nothing.

mod actions;
mod activations;
mod calls;
mod capabilities;
mod completion;
mod definition;
mod describe;
mod diagnostics;
mod file;
mod folding;
mod format;
mod highlights;
mod host_names;
mod hover;
mod inlay;
mod library;
mod names;
mod programs;
mod references;
mod rename;
mod requests;
mod scan;
mod server;
mod signature;
mod snapshot;
mod symbols;
mod text;
mod tokens;
mod uri;
mod worker;
mod world;

use csl_host::Options;
use lsp_server::Connection;

/// Makes the options of a compilation of the words after `cslc`.
pub type Parse = fn(Vec<String>) -> Result<Options, String>;

/// Trees are as deep as the parser allows.
const STACK: usize = 256 << 20;

/// Serves an editor on standard input and output, until it says `exit` or is gone.
///
/// # Errors
/// The editor does not follow the protocol, or it went without a request to shut down.
pub fn stdio(parse: Parse) -> Result<(), String> {
    let (connection, threads) = Connection::stdio();
    let served = serve(connection, parse);
    threads.join().map_err(|error| format!("standard input or output: {error}"))?;
    served
}

/// Serves an editor on a connection.
///
/// # Errors
/// As [`stdio`].
pub fn serve(connection: Connection, parse: Parse) -> Result<(), String> {
    let thread = std::thread::Builder::new().name("lsp".to_owned()).stack_size(STACK);
    let thread = thread.spawn(move || server::run(&connection, parse));
    let thread = thread.map_err(|error| format!("a thread: {error}"))?;
    thread.join().map_err(|_| "the server has ended with a fault of its own".to_owned())?
}
