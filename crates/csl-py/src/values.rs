//! Enums and classes in which requests cross from Python. The members have the names of the host API.

use csl_host::{FloatKind, layout};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Declares a Python enum for one of the host's, member by member.
macro_rules! border {
    ($(#[$doc:meta])* $name:ident => $host:ty { $($member:ident => $value:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[pyclass(eq, frozen, from_py_object, rename_all = "SCREAMING_SNAKE_CASE", module = "waferlab._waferlab")]
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($member),+ }

        impl From<$name> for $host {
            fn from(value: $name) -> $host {
                match value { $($name::$member => $value),+ }
            }
        }
    };
}

border! {
    /// The generation of the wafer.
    Arch => csl_host::Arch { Wse2 => csl_host::Arch::Wse2, Wse3 => csl_host::Arch::Wse3 }
}

border! {
    /// How a tensor lies in the host's array.
    Order => csl_host::Order { RowMajor => csl_host::Order::RowMajor, ColMajor => csl_host::Order::ColMajor }
}

border! {
    /// Size of an element on the device.
    Width => csl_host::Width { Bits16 => csl_host::Width::Bits16, Bits32 => csl_host::Width::Bits32 }
}

border! {
    /// How the host's array is dealt out.
    Spread => csl_host::Spread {
        Each => csl_host::Spread::Each, Rows => csl_host::Spread::Rows, Columns => csl_host::Spread::Columns,
    }
}

border! {
    /// Whether a port or stream leads to the device.
    Flow => layout::Flow { In => layout::Flow::In, Out => layout::Flow::Out }
}

border! {
    /// A side of a code region.
    Edge => layout::Edge {
        Top => layout::Edge::Top, Bottom => layout::Edge::Bottom,
        Left => layout::Edge::Left, Right => layout::Edge::Right,
    }
}

border! {
    /// A side of a router.
    Route => layout::Direction {
        Ramp => layout::Direction::Ramp, East => layout::Direction::East, West => layout::Direction::West,
        North => layout::Direction::North, South => layout::Direction::South,
    }
}

border! {
    /// The 16-bit float format of a program.
    Fp16 => FloatKind { F16 => FloatKind::F16, Bf16 => FloatKind::Bf16, Cb16 => FloatKind::Cb16 }
}

/// The meaning of the number that a copy is given: a symbol or a color.
#[pyclass(eq, frozen, from_py_object, rename_all = "SCREAMING_SNAKE_CASE", module = "waferlab._waferlab")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An exported symbol.
    Copy,
    /// A color.
    Stream,
}

/// A rectangle: every `step_x`-th column and `step_y`-th row of `w` columns and `h` rows from `(x, y)` on, in PEs of
/// the program.
#[pyclass(frozen, from_py_object, module = "waferlab._waferlab")]
#[derive(Clone, Copy)]
pub struct Rect(pub csl_host::Rect);

#[pymethods]
impl Rect {
    #[new]
    #[pyo3(signature = (x, y, w, h, *, step_x=1, step_y=1))]
    fn new(x: u32, y: u32, w: u32, h: u32, step_x: u32, step_y: u32) -> Rect {
        Rect(csl_host::Rect { x, y, w, h, step_x, step_y })
    }
}

/// The options of a copy: its PEs, the elements of each, their width, and the order in the host's array.
#[pyclass(frozen, from_py_object, module = "waferlab._waferlab")]
#[derive(Clone, Copy)]
pub struct Copy {
    pub copy: csl_host::Copy,
    pub mode: Mode,
    pub spread: csl_host::Spread,
}

#[pymethods]
impl Copy {
    /// `per_pe`: elements of each PE.
    #[new]
    #[pyo3(signature = (rect, per_pe, *, mode, width, order, spread=Spread::Each))]
    fn new(rect: Rect, per_pe: u32, mode: Mode, width: Width, order: Order, spread: Spread) -> Copy {
        let copy = csl_host::Copy { rect: rect.0, per_pe, width: width.into(), order: order.into() };
        Copy { copy, mode, spread: spread.into() }
    }
}

/// An argument of a launched function.
#[pyclass(frozen, from_py_object, module = "waferlab._waferlab")]
#[derive(Clone)]
pub struct Argument(pub csl_host::Argument);

#[pymethods]
impl Argument {
    #[staticmethod]
    fn bool(value: bool) -> Argument {
        Argument(csl_host::Argument::Bool(value))
    }

    /// An argument from a Python int.
    #[staticmethod]
    fn int(value: i128) -> Argument {
        Argument(csl_host::Argument::Int(value))
    }

    /// An argument from a Python float.
    #[staticmethod]
    fn float(value: f64) -> Argument {
        Argument(csl_host::Argument::Float(value))
    }

    /// An argument from a numpy integer of the type named `kind`.
    #[staticmethod]
    fn typed_int(kind: &str, value: i128) -> PyResult<Argument> {
        let (signed, unsigned) = (bits(kind, "int"), bits(kind, "uint"));
        let bits = signed.or(unsigned).ok_or_else(|| no_argument(kind))?;
        Ok(Argument(csl_host::Argument::TypedInt { bits, signed: signed.is_some(), value }))
    }

    /// An argument from a numpy float of the type named `kind`.
    #[staticmethod]
    fn typed_float(kind: &str, value: f64) -> PyResult<Argument> {
        let bits = bits(kind, "float").ok_or_else(|| no_argument(kind))?;
        Ok(Argument(csl_host::Argument::TypedFloat { bits, value }))
    }
}

/// The width in bits that follows `prefix` in a type's name.
fn bits(kind: &str, prefix: &str) -> Option<u8> {
    kind.strip_prefix(prefix)?.parse().ok()
}

fn no_argument(kind: &str) -> PyErr {
    PyValueError::new_err(format!("launch: arguments of type {kind} cannot be passed"))
}

/// A stream between the host and a program made with `SdkLayout`.
#[pyclass(frozen, get_all, module = "waferlab._waferlab")]
pub struct Stream {
    pub name: String,
    pub flow: Flow,
    /// Coordinates of the stream's PE in the program's rectangle.
    pub x: u32,
    pub y: u32,
    pub color: u8,
}

impl From<&layout::StreamInfo> for Stream {
    fn from(stream: &layout::StreamInfo) -> Stream {
        let flow = match stream.flow {
            layout::Flow::In => Flow::In,
            layout::Flow::Out => Flow::Out,
        };
        Stream { name: stream.name.clone(), flow, x: stream.x, y: stream.y, color: stream.color.into() }
    }
}

/// A request of the host, with the cycles that it took.
#[pyclass(frozen, get_all, module = "waferlab._waferlab")]
pub struct Request {
    /// `launch`, `h2d` or `d2h`.
    pub kind: String,
    pub name: String,
    pub first: Option<u64>,
    pub last: Option<u64>,
}

impl From<&csl_host::Request> for Request {
    fn from(request: &csl_host::Request) -> Request {
        let csl_host::Request { kind, name, first, last } = request;
        Request { kind: kind.name().to_owned(), name: name.clone(), first: *first, last: *last }
    }
}

/// The outcome of a compilation.
#[pyclass(frozen, get_all, module = "waferlab._waferlab")]
pub struct Compiled {
    pub succeeded: bool,
    /// The output folder.
    pub folder: std::path::PathBuf,
    /// The diagnostics as text.
    pub messages: String,
    /// The standard output of `cslc`.
    pub text: String,
}

/// The PEs of a code region from `(x, y)`, included, to `(end_x, end_y)`, excluded.
#[pyclass(frozen, from_py_object, module = "waferlab._waferlab")]
#[derive(Clone, Copy)]
pub struct Area(pub layout::Area);

#[pymethods]
impl Area {
    #[new]
    fn new(x: i32, y: i32, end_x: i32, end_y: i32) -> Area {
        Area(layout::Area { x, y, end_x, end_y })
    }
}

/// One position of a color's switch.
#[pyclass(frozen, from_py_object, module = "waferlab._waferlab")]
#[derive(Clone, Copy)]
pub struct Position(pub layout::Position);

#[pymethods]
impl Position {
    #[new]
    fn new(inputs: Vec<Route>, outputs: Vec<Route>) -> Position {
        Position(layout::Position::between(inputs.into_iter().map(Into::into), outputs.into_iter().map(Into::into)))
    }
}
