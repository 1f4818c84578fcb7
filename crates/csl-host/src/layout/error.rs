//! Errors in descriptions of layouts.

#![expect(missing_docs, reason = "the message of a variant says what its fields are")]

use super::Flow;
use super::grid::Cell;

/// A part of a layout's description without meaning: refused at once, or when the layout is compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    // ---- colors ----
    /// Routers have colors 0 up to `colors`, not included.
    #[error("color {name} cannot be {number}: colors are 0 to {}", .colors - 1)]
    ColorNumber { name: String, number: u8, colors: u8 },
    #[error("color {name} is given the values {a} and {b}")]
    TwoValues { name: String, a: u8, b: u8 },
    #[error("colors {a} and {b} are connected, but have the fixed values {x} and {y}; paths do not change colors")]
    ConnectedValues { a: String, b: String, x: u8, y: u8 },
    #[error("colors {a} and {b} have the fixed value {number} on the same PE")]
    SharedValue { a: String, b: String, number: u8 },
    #[error("no color is left for {name}: all {colors} are in use on its PEs")]
    NoColorLeft { name: String, colors: u8 },
    #[error("colors {a} and {b} are connected, and both are painted on PE {pe:?}")]
    PaintedTwice { a: String, b: String, pe: Cell },

    // ---- regions ----
    #[error("code region {name} of {width} x {height} PEs holds nothing")]
    EmptyRegion { name: String, width: u32, height: u32 },
    #[error("code region {name} of {width} x {height} PEs is too large: a fabric has up to {most} x {most}")]
    LargeRegion { name: String, width: u32, height: u32, most: u32 },
    #[error("there are two code regions with the name {name}")]
    TwoRegions { name: String },
    #[error("({x}, {y}) to ({end_x}, {end_y}) is no part of {region}, which has {width} x {height} PEs")]
    NotInRegion { x: i32, y: i32, end_x: i32, end_y: i32, region: String, width: u32, height: u32 },
    #[error("{region}: a color has 1 to {most} routing positions")]
    Positions { region: String, most: usize },
    #[error("{region}: the first routing position needs an input and an output")]
    FirstPosition { region: String },
    #[error(
        "{region} of {width} x {height} PEs cannot be placed at {at:?}: it has to lie in a fabric of up to {most} x {most} PEs"
    )]
    Place { region: String, at: Cell, width: u32, height: u32, most: u32 },
    #[error("there is nothing to stack")]
    EmptyStack,
    #[error("code regions {a} and {b} overlap; place() them apart")]
    Overlap { a: String, b: String },
    /// Items of a matrix of `shape`, columns and rows, for the PEs of a region.
    #[error("{symbol}: {} x {} items cannot be dealt out to the {width} x {height} PEs of {region}", .shape.0, .shape.1)]
    Deal { symbol: String, shape: (u32, u32), region: String, width: u32, height: u32 },
    #[error("{symbol}: {items} items given for a shape of {} x {}", .shape.0, .shape.1)]
    Items { symbol: String, items: usize, shape: (u32, u32) },

    // ---- ports ----
    #[error("there are two ports {name}; give one of them a prefix")]
    TwoPorts { name: String },
    #[error(
        "{side} port {name}: a position of `routes` has {side}s, but an {side} port's come from the path that compile() finds",
        side = if *.flow == Flow::In { "input" } else { "output" }
    )]
    OuterRoute { name: String, flow: Flow },
    #[error("{from} and {to} cannot be connected: a connection leads from an output port to an input port")]
    ConnectedFlows { from: String, to: String },
    #[error("{from} and {to} cannot be connected: their data sizes are {a} and {b}")]
    ConnectedSizes { from: String, to: String, a: u64, b: u64 },
    #[error("{from} and {to} cannot be connected: they are {a} and {b} PEs wide")]
    ConnectedWidths { from: String, to: String, a: u32, b: u32 },
    #[error("port {name} is connected twice")]
    ConnectedTwice { name: String },
    #[error(
        "no path leads from port {from} at PE {from_pe:?} to port {to} at PE {to_pe:?}: the fabric's edge, or what uses the \
         same color, is in the way"
    )]
    NoPath { from: String, from_pe: Cell, to: String, to_pe: Cell },

    // ---- streams ----
    #[error("there are two streams {name}; give one of them a prefix")]
    TwoStreams { name: String },
    #[error("{port}: an input stream needs an input port, an output stream an output port")]
    StreamFlow { port: String },
    #[error("{port} is {pes} PEs wide; a stream needs a port of one PE")]
    StreamWidth { port: String, pes: u32 },
    #[error("{port}: io_buffer_size must be 1 or more")]
    NoBuffer { port: String },
    #[error("stream {name}: io_loc {place:?} is taken or outside of the fabric")]
    Taken { name: String, place: Cell },
    #[error(
        "no path leads between the host's stream and port {name} at PE {pe:?}: the fabric's edge, or what uses the same color, \
         is in the way"
    )]
    NoPathToHost { name: String, pe: Cell },
    #[error("stream {name}: there is no code region at {at:?}")]
    NoRegion { name: String, at: Cell },
    #[error(
        "stream {name}: color {color} goes on to other PEs from {at:?}, which streams from a location do not support; \
         use a port"
    )]
    GoesOn { name: String, color: String, at: Cell },
}
