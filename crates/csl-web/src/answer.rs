//! The answer: the compiler's findings, the routes, and the outcome of the run.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The answer to a [`Request`](crate::request::Request).
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    /// Whether the program compiled and, where there are steps, the run came to its end.
    pub done: bool,
    /// The compiler's errors and warnings as people read them.
    pub diagnostics: String,
    /// The same as objects, one a finding, as `cslc --error-format=json` prints them.
    pub findings: Vec<Value>,
    /// Columns and rows of the program; absent where it did not compile.
    pub size: Option<(u32, u32)>,
    /// The name of the program of each PE that has one, as runs of PEs.
    pub tiles: Vec<Tiles>,
    /// Routes by color, as `waferlab inspect out routes --color N --json` prints them.
    pub routes: BTreeMap<u8, Value>,
    /// A line on each step, and warnings of the run.
    pub log: Vec<String>,
    /// Lines that the program has printed.
    pub prints: String,
    /// The report of a run that did not come to its end, or the fault of the request.
    pub error: Option<String>,
    /// The cycle at the end of each step.
    pub step_cycles: Vec<u64>,
    /// The cycle at the end of the run.
    pub cycles: u64,
    /// The arrays that were copied to the host, in their order.
    pub arrays: Vec<Fetched>,
}

/// PEs of one program, side by side.
#[derive(Debug, Serialize)]
pub struct Tiles {
    /// Column of the first.
    pub x: u32,
    /// Row.
    pub y: u32,
    /// The number of PEs.
    pub width: u32,
    /// The file of the program.
    pub program: String,
}

/// An array that was copied to the host.
#[derive(Debug, Serialize)]
pub struct Fetched {
    /// The exported symbol.
    pub symbol: String,
    /// Rows, columns and items of a PE.
    pub shape: Vec<usize>,
    /// The items; what JSON has no number for is a text.
    pub values: Vec<Value>,
}
