//! What the host side reports.

use std::path::PathBuf;

/// Why a request of a host program was not carried out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum HostError {
    /// The folder does not hold a compiled program.
    #[error("{folder}: {reason}", folder = .folder.display())]
    NoProgram { folder: PathBuf, reason: String },
    /// A wrong argument; nothing has moved.
    #[error("{0}")]
    Argument(String),
    /// Something out of order, such as a copy before `run()`.
    #[error("{0}")]
    Order(String),
    /// A fault or a deadlock, as rendered text.
    #[error("{0}")]
    Simulation(String),
    /// The run was interrupted at this cycle: what it was doing, as rendered text.
    #[error("interrupted at cycle {cycle}\n{report}")]
    Interrupted { cycle: u64, report: String },
}

impl HostError {
    pub fn argument(text: impl Into<String>) -> HostError {
        HostError::Argument(text.into())
    }
}
