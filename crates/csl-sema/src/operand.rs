//! The results of expressions: operands and places.

use csl_ir::{Addr, Opnd, Reg, Ty, TypedValue, Value};

/// The result of an expression.
#[derive(Clone, Debug)]
pub enum Operand {
    /// Known at compile time.
    Const(TypedValue),
    /// A scalar at run time.
    Reg(Ty, Opnd),
    /// An aggregate at run time: the value at an address, which must not be changed there.
    Mem(Ty, Addr),
    /// An anonymous struct or tuple of which some part is a run-time value.
    Agg(Ty, Vec<Operand>),
}

impl Operand {
    pub fn ty(&self) -> Ty {
        match self {
            Operand::Const(value) => value.ty,
            Operand::Reg(ty, _) | Operand::Mem(ty, _) | Operand::Agg(ty, _) => *ty,
        }
    }

    pub fn void() -> Operand {
        Operand::Const(TypedValue::void())
    }

    pub fn bool(value: bool) -> Operand {
        Operand::Const(TypedValue::bool(value))
    }

    pub fn of_type(ty: Ty) -> Operand {
        Operand::Const(TypedValue::of_type(ty))
    }

    pub fn as_const(&self) -> Option<&TypedValue> {
        match self {
            Operand::Const(value) => Some(value),
            _ => None,
        }
    }

    pub fn is_const(&self) -> bool {
        self.as_const().is_some()
    }

    /// The value of a comptime-known bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self.as_const()?.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }
}

impl From<TypedValue> for Operand {
    fn from(value: TypedValue) -> Operand {
        Operand::Const(value)
    }
}

/// A place: a value that can be read, and perhaps written or pointed at.
#[derive(Clone, Debug)]
pub struct Place {
    pub ty: Ty,
    pub is_const: bool,
    pub kind: PlaceKind,
}

/// The kinds of places.
#[derive(Clone, Debug)]
pub enum PlaceKind {
    /// A scalar variable without an address.
    Reg(Reg),
    /// Run-time memory.
    Mem(Addr),
    /// A field of a packed struct or union: `bits` bits from `bit` on in the integer at `addr`.
    Bits { addr: Addr, container_bits: u32, bit: u32, bits: u32 },
    /// The target of a comptime-known pointer: a global, or comptime memory.
    Ptr(csl_ir::Pointer),
    /// A value that has no address.
    Value(Operand),
}
