//! The request: a program and the steps of a run.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A program, and the steps of a run of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Texts by path; libraries need not be among them.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The path of the layout.
    pub layout: String,
    /// `wse2` or `wse3`.
    #[serde(default = "wse3")]
    pub arch: String,
    /// As the compiler's option: `NAME:VALUE,NAME:VALUE`.
    #[serde(default)]
    pub params: String,
    /// Whether the host can copy and launch.
    #[serde(default)]
    pub memcpy: bool,
    /// Channels of memcpy.
    #[serde(default = "one")]
    pub channels: u8,
    /// Columns and rows of the fabric; the least that hold the program where there are none.
    pub fabric_dims: Option<(u32, u32)>,
    /// Column and row of the program's first PE.
    pub fabric_offsets: Option<(u32, u32)>,
    /// Steps of the run, in their order; without any the program is only compiled.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// The cycle in which a run ends that has not ended.
    pub max_cycles: Option<u64>,
}

/// A step of a run.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Step {
    /// A copy to the PEs.
    #[serde(rename_all = "snake_case")]
    ToDevice {
        /// The exported symbol.
        h2d: String,
        /// The items of all PEs, row by row.
        values: Values,
        /// The type of an item, such as `float32`.
        #[serde(rename = "type", default = "float32")]
        item: String,
        /// Items of a PE; where there is none, the values are dealt out evenly.
        per_pe: Option<u32>,
        /// Column, row, columns and rows of the PEs; all where there is none.
        rect: Option<(u32, u32, u32, u32)>,
    },
    /// A copy from the PEs.
    ToHost {
        /// The exported symbol.
        d2h: String,
        /// The type of an item; that which the symbol is exported with where there is none.
        #[serde(rename = "type")]
        item: Option<String>,
        /// Items of a PE; those of the symbol's array where there is none.
        per_pe: Option<u32>,
        /// Column, row, columns and rows of the PEs; all where there is none.
        rect: Option<(u32, u32, u32, u32)>,
    },
    /// A call on every PE.
    Launch {
        /// The exported function.
        launch: String,
        /// An argument for each of its parameters.
        #[serde(default)]
        arguments: Vec<serde_json::Value>,
    },
}

/// The items of an array.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// Each item.
    Items(Vec<f64>),
    /// The first item, and the number of items that count up from it.
    Count {
        /// The first item.
        from: f64,
        /// The number of items.
        count: u32,
    },
}

fn wse3() -> String {
    String::from("wse3")
}

fn float32() -> String {
    String::from("float32")
}

fn one() -> u8 {
    1
}
