//! The host in plain Rust: from files on disk to results of a run.

mod agreement;
mod batch;
mod collectives;
mod control_flow;
mod coverage;
mod explore;
mod inspect;
mod kernels;
mod layout;
mod library;
mod outdir;
mod placement;
mod printed;
mod program;
mod rectangle_streams;
mod refusals;
mod runtime;
mod scenes;
mod simlog;
mod sources;
mod stops;
mod streams;
mod timing;
mod vectors;
mod verdict;
