//! Comptime values.

use std::sync::Arc;

use csl_machine::{Color, MicrothreadId, Priority, QueueId, SimdMode, index_types};
use num_bigint::BigInt;

use crate::types::{DsdKind, Ty};
use crate::varying::Varying;

index_types! {
    /// A function instance of the program under analysis.
    pub struct FnRef;
    /// A module instance (a file with its params bound).
    pub struct ModuleRef;
    /// A cell of comptime memory: a `comptime var`, or any variable while a function runs at comptime.
    pub struct CellRef;
    /// A global of the program under analysis.
    pub struct GlobalRef;
    /// A FIFO that `@allocate_fifo` made.
    pub struct FifoRef;
}

/// A value known at compile time. Its type is kept beside it ([`TypedValue`]).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// An uninitialised value: `var x: [4]i16;`.
    Undef,
    Void,
    Bool(bool),
    /// An integer of any type, an enum (by its number), a color, id, queue, direction or DSR.
    Int(BigInt),
    /// An integer that may differ between the tiles of the program.
    Varying(Varying),
    /// The raw bits of the type's format; of an `f64` for `comptime_float`.
    Float(u64),
    /// A float that may differ between the tiles of the program.
    VaryingFloat(Varying),
    Type(Ty),
    Str(Arc<[u8]>),
    /// An array, its elements in row-major order.
    Array(Arc<ArrayValue>),
    /// A struct or tuple, its fields in the order of the type.
    Struct(Arc<Vec<Value>>),
    Union {
        active: u32,
        value: Arc<Value>,
    },
    Ptr(Pointer),
    Fn(FnRef),
    Module(ModuleRef),
    /// A range: start, stop, step.
    Range(Arc<[BigInt; 3]>),
    Dsd(Arc<DsdValue>),
    Fifo(FifoRef),
    /// A part of a whole that is declared as `comptime_struct`: a struct with its own type.
    Typed(Arc<TypedValue>),
}

impl Value {
    /// The number of an integer. A varying one becomes the same on every tile of the program.
    pub fn int(&self) -> Option<&BigInt> {
        match self {
            Value::Int(number) => Some(number),
            Value::Varying(varying) => Some(varying.concretize()),
            _ => None,
        }
    }

    /// The raw bits of a float. Those of a varying one become the same on every tile of the program.
    pub fn float_bits(&self) -> Option<u64> {
        match self {
            Value::Float(bits) => Some(*bits),
            Value::VaryingFloat(varying) => Some(varying.concretize_bits()),
            _ => None,
        }
    }
}

/// The elements of an array value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ArrayValue {
    /// `len` times the same value, as `@zeros` and `@constants` make it.
    Splat {
        value: Value,
        len: u64,
    },
    Elems(Vec<Value>),
}

impl ArrayValue {
    pub fn len(&self) -> u64 {
        match self {
            ArrayValue::Splat { len, .. } => *len,
            ArrayValue::Elems(elems) => elems.len() as u64,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at a flat index that is in range.
    pub fn get(&self, index: u64) -> &Value {
        match self {
            ArrayValue::Splat { value, .. } => value,
            ArrayValue::Elems(elems) => &elems[index as usize],
        }
    }

    /// The elements as a vector that can be written to.
    pub fn elems_mut(&mut self) -> &mut Vec<Value> {
        if let ArrayValue::Splat { value, len } = self {
            *self = ArrayValue::Elems(vec![value.clone(); *len as usize]);
        }
        match self {
            ArrayValue::Elems(elems) => elems,
            ArrayValue::Splat { .. } => unreachable!("turned into elements above"),
        }
    }
}

/// The start of a comptime-known pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PtrRoot {
    Global(GlobalRef),
    Cell(CellRef),
    Fn(FnRef),
    /// A byte address given as a number (`@bitcast(*u16, 0xfe00)`).
    Absolute(u16),
}

/// A comptime-known pointer: a root, and a path from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pointer {
    pub root: PtrRoot,
    /// Type of the whole root object.
    pub root_ty: Ty,
    /// Field numbers and flat element indices, outermost first. The last one may leave its array: a pointer
    /// of kind `[*]T` is only checked where it is used.
    pub path: Vec<i64>,
}

/// A DSD with all properties comptime-known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DsdValue {
    pub kind: DsdKind,
    /// The base address, for memory and circular-buffer DSDs.
    pub base: Option<Pointer>,
    /// The offset added to `base`, in elements of `elem_words` words.
    pub offset: i32,
    /// Size of an element in 16-bit words, from the type of the tensor that it was made on; used to
    /// turn offsets into addresses. Operations bring their own element type.
    pub elem_words: u16,
    /// The extents, innermost last, as the guide lists them. One for all kinds but `Mem4d`.
    pub extents: Vec<u16>,
    /// The strides, innermost first, as the guide lists them, each with the reset of the inner loops included.
    pub strides: Vec<i16>,
    /// The number of elements after which a circular buffer starts over.
    pub wraparound: u16,
    pub wavelet_index_offset: bool,
    pub fabric: Option<FabricDsd>,
}

/// The fabric side of a `fabin_dsd` or `fabout_dsd`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FabricDsd {
    pub color: Option<Color>,
    pub queue: Option<QueueId>,
    pub control: bool,
    pub simd: Option<SimdMode>,
    pub priority: Option<Priority>,
    pub advance_switch: bool,
    pub control_transform: bool,
    pub zero: Option<ZeroSource>,
    /// The WSE-3 microthread given with `.ut_id`.
    pub ut: Option<MicrothreadId>,
    /// Whether the library sends and receives this as messages.
    pub message: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ZeroSource {
    First,
    Second,
}

/// A value with its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypedValue {
    pub ty: Ty,
    pub value: Value,
}

impl TypedValue {
    pub fn new(ty: Ty, value: Value) -> TypedValue {
        TypedValue { ty, value }
    }

    /// The value as a part that is declared with type `ty`.
    pub fn as_part(self, ty: Ty) -> Value {
        match self.value {
            Value::Undef | Value::Typed(_) => self.value,
            _ if ty == Ty::COMPTIME_STRUCT => Value::Typed(Arc::new(self)),
            value => value,
        }
    }

    /// The value with its own type, whatever type its place was declared with.
    pub fn unwrapped(self) -> TypedValue {
        match self.value {
            Value::Typed(inner) => Arc::unwrap_or_clone(inner),
            _ => self,
        }
    }

    pub fn void() -> TypedValue {
        TypedValue::new(Ty::VOID, Value::Void)
    }

    pub fn bool(value: bool) -> TypedValue {
        TypedValue::new(Ty::BOOL, Value::Bool(value))
    }

    pub fn int(ty: Ty, value: impl Into<BigInt>) -> TypedValue {
        TypedValue::new(ty, Value::Int(value.into()))
    }

    pub fn of_type(ty: Ty) -> TypedValue {
        TypedValue::new(Ty::TYPE, Value::Type(ty))
    }

    pub fn str(bytes: &[u8]) -> TypedValue {
        TypedValue::new(Ty::COMPTIME_STRING, Value::Str(bytes.into()))
    }
}
