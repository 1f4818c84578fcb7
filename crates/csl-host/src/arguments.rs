//! Arguments of exported functions: checks values of the host against the types of the kernel and makes words of them.

use std::fmt;

use csl_image::ParamType;
use csl_num::FloatKind;

use crate::error::{ArgumentError, HostError};

/// A value that the host passes to `launch`.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// A truth value.
    Bool(bool),
    /// A number of the host language without a width of its own.
    Int(i128),
    /// A float of the host language.
    Float(f64),
    /// A number whose type the host names, such as numpy's `int16`.
    TypedInt {
        /// Width in bits.
        bits: u8,
        /// Whether the type has negative values.
        signed: bool,
        /// The number.
        value: i128,
    },
    /// A float whose type the host names, such as numpy's `float16`.
    TypedFloat {
        /// Width in bits.
        bits: u8,
        /// The number.
        value: f64,
    },
}

macro_rules! typed {
    ($($type:ty: $signed:literal),*) => {$(
        impl From<$type> for Argument {
            fn from(value: $type) -> Argument {
                Argument::TypedInt { bits: <$type>::BITS as u8, signed: $signed, value: value.into() }
            }
        }
    )*};
}

typed!(i8: true, i16: true, i32: true, i64: true, u8: false, u16: false, u32: false, u64: false);

impl From<f32> for Argument {
    fn from(value: f32) -> Argument {
        Argument::TypedFloat { bits: 32, value: value.into() }
    }
}

impl From<bool> for Argument {
    fn from(value: bool) -> Argument {
        Argument::Bool(value)
    }
}

/// The bits of the arguments, each from the lowest on.
pub(crate) fn bits(
    function: &str,
    params: &[ParamType],
    arguments: &[Argument],
    half: FloatKind,
) -> Result<Vec<u64>, HostError> {
    let (name, given) = (|| function.to_owned(), arguments.len());
    if params.len() != given {
        return Err(ArgumentError::Count { function: name(), params: Signature::of(params), given }.into());
    }
    let one = |(at, (param, argument)): (usize, (&ParamType, &Argument))| {
        let params = || Signature::of(params);
        if param.bytes == 0 || param.bytes > MAX_BYTES {
            return Err(ArgumentError::NoNumber { function: name(), params: params(), at }.into());
        }
        bits_of(param, argument, half).ok_or_else(|| {
            ArgumentError::Type { function: name(), params: params(), at, given: argument.clone() }.into()
        })
    };
    params.iter().zip(arguments).enumerate().map(one).collect()
}

/// The 32-bit words of a parameter: one, or two of 64 bits.
fn words_of_one(param: &ParamType) -> usize {
    if param.bytes > 4 { 2 } else { 1 }
}

/// The 32-bit words that a function takes.
pub(crate) fn words_of(params: &[ParamType]) -> usize {
    params.iter().map(words_of_one).sum()
}

/// The bits of the arguments from 32-bit words: one of each, of a 64-bit parameter two, the low one first.
pub(crate) fn of_words(function: &str, params: &[ParamType], words: &[u32]) -> Result<Vec<u64>, HostError> {
    let (expected, given) = (words_of(params), words.len());
    if given < expected {
        return Err(ArgumentError::Words { function: function.to_owned(), expected, given }.into());
    }
    let mut left = words;
    let one = |param| {
        let (own, rest) = left.split_at(words_of_one(param));
        left = rest;
        own.iter().rev().fold(0, |bits, word| bits << 32 | u64::from(*word))
    };
    Ok(params.iter().map(one).collect())
}

/// The types of a function's parameters, as CSL writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(pub Vec<String>);

impl Signature {
    fn of(params: &[ParamType]) -> Signature {
        Signature(params.iter().map(|param| param.name.clone()).collect())
    }

    /// `2 arguments, 3`
    pub(crate) fn takes(&self, given: usize) -> String {
        format!("{}, {given}", crate::counted(self.0.len() as u64, "argument"))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.0.join(", "))
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Bool(value) => write!(f, "{value}"),
            Argument::Int(value) => write!(f, "{value}"),
            Argument::Float(value) => write!(f, "{value:?}"),
            Argument::TypedInt { bits, signed: true, value } => write!(f, "{value} (int{bits})"),
            Argument::TypedInt { bits, signed: false, value } => write!(f, "{value} (uint{bits})"),
            Argument::TypedFloat { bits, value } => write!(f, "{value:?} (float{bits})"),
        }
    }
}

/// The size of the widest parameter that the host has values for.
const MAX_BYTES: u8 = 8;

/// The argument in the parameter's type; `None` when it does not fit.
fn bits_of(param: &ParamType, argument: &Argument, half: FloatKind) -> Option<u64> {
    match *argument {
        Argument::Bool(value) => (param.name == "bool").then_some(u64::from(value)),
        Argument::Int(value) if param.is_float => float(param, value as f64, half),
        Argument::Int(value) => integer(param, value),
        Argument::Float(value) => float(param, value, half),
        Argument::TypedInt { value, .. } => integer(param, value),
        Argument::TypedFloat { bits, value } => {
            (u32::from(bits) <= 8 * u32::from(param.bytes)).then(|| float(param, value, half))?
        }
    }
}

fn integer(param: &ParamType, value: i128) -> Option<u64> {
    if param.is_float {
        return None;
    }
    let bits = if param.name == "bool" { 1 } else { 8 * u32::from(param.bytes) };
    let (low, high) = match param.is_signed {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    (low..=high).contains(&value).then_some(value as u64 & u64::MAX >> (u64::BITS - bits))
}

fn float(param: &ParamType, value: f64, half: FloatKind) -> Option<u64> {
    let kind = if param.bytes == 2 { half } else { FloatKind::F32 };
    let bits = csl_num::from_f64(kind, value);
    let overflows = value.is_finite() && !csl_num::to_f64(kind, bits).is_finite();
    (param.is_float && !overflows).then_some(bits)
}
