//! Roots of collective operations that are not there, for reports.

/// The root of a collective operation of the library that is no PE of its row or column, so that all PEs there wait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AstrayRoot {
    pub root: u16,
    /// The number of PEs of the row or column.
    pub size: u16,
    /// The instruction and the calls that led to it, innermost first.
    pub stack: Vec<u32>,
}
