//! Arguments of exported functions: values of the host checked against the types of the kernel, as words.

use csl_image::ParamType;
use csl_num::FloatKind;

use crate::error::HostError;

/// A value that the host passes to `launch`.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    Bool(bool),
    /// A number of the host language without a width of its own.
    Int(i128),
    Float(f64),
    /// A number whose type the host names, such as numpy's `int16`.
    TypedInt {
        bits: u8,
        signed: bool,
        value: i128,
    },
    TypedFloat {
        bits: u8,
        value: f64,
    },
}

/// One word an argument, 16-bit values in the low half.
pub fn words(
    function: &str,
    params: &[ParamType],
    arguments: &[Argument],
    half: FloatKind,
) -> Result<Vec<u32>, HostError> {
    if params.len() != arguments.len() {
        let plural = if params.len() == 1 { "" } else { "s" };
        return Err(HostError::argument(format!(
            "launch: {function}{} takes {} argument{plural}, {} given",
            signature(params),
            params.len(),
            arguments.len()
        )));
    }
    let one = |(at, (param, argument)): (usize, (&ParamType, &Argument))| {
        word(param, argument, half).ok_or_else(|| HostError::argument(mismatch(function, at, params, argument)))
    };
    params.iter().zip(arguments).enumerate().map(one).collect()
}

fn mismatch(function: &str, at: usize, params: &[ParamType], argument: &Argument) -> String {
    format!(
        "launch: argument {} of {function}{} must be a value of type {}, not {}",
        at + 1,
        signature(params),
        params[at].name,
        show(argument)
    )
}

fn signature(params: &[ParamType]) -> String {
    format!("({})", params.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", "))
}

fn show(argument: &Argument) -> String {
    match argument {
        Argument::Bool(value) => format!("{value}"),
        Argument::Int(value) => format!("{value}"),
        Argument::Float(value) => format!("{value:?}"),
        Argument::TypedInt { bits, signed, value } => {
            format!("{value} ({}{bits})", if *signed { "int" } else { "uint" })
        }
        Argument::TypedFloat { bits, value } => format!("{value:?} (float{bits})"),
    }
}

/// The argument in the parameter's type; `None` when it does not fit.
fn word(param: &ParamType, argument: &Argument, half: FloatKind) -> Option<u32> {
    match *argument {
        _ if param.bytes == 0 || param.bytes > 4 => None,
        Argument::Bool(value) => (param.name == "bool").then_some(u32::from(value)),
        Argument::Int(value) if param.is_float => float(param, value as f64, half),
        Argument::Int(value) => integer(param, value),
        Argument::Float(value) => float(param, value, half),
        Argument::TypedInt { value, .. } => integer(param, value),
        Argument::TypedFloat { bits, value } => {
            (u32::from(bits) <= 8 * u32::from(param.bytes)).then(|| float(param, value, half))?
        }
    }
}

fn integer(param: &ParamType, value: i128) -> Option<u32> {
    if param.is_float {
        return None;
    }
    let bits = if param.name == "bool" { 1 } else { 8 * u32::from(param.bytes) };
    let (low, high) = match param.is_signed {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    let mask = if bits < 32 { (1u32 << bits) - 1 } else { u32::MAX };
    (low..=high).contains(&value).then_some(value as u32 & mask)
}

fn float(param: &ParamType, value: f64, half: FloatKind) -> Option<u32> {
    let kind = if param.bytes == 2 { half } else { FloatKind::F32 };
    let bits = csl_num::from_f64(kind, value);
    let overflows = value.is_finite() && !csl_num::to_f64(kind, bits).is_finite();
    (param.is_float && !overflows).then_some(bits as u32)
}
