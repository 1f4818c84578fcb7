//! Comptime values: reads parts of them, changes them in place, prints them.

use std::sync::Arc;

use csl_ir::{ArrayValue, FieldTy, IdKind, Name, Pointer, PtrRoot, Ty, TypeKind, TypedValue, Types, Value};
use csl_machine::Direction;
use csl_num::FloatKind;
use num_bigint::BigInt;
use num_traits::ToPrimitive;

/// The integer of a value of any type with a number underneath.
pub fn int_of(value: &TypedValue) -> Option<&BigInt> {
    value.value.int()
}

pub fn u64_of(value: &TypedValue) -> Option<u64> {
    int_of(value)?.to_u64()
}

/// A float value as the double it is exactly.
pub fn f64_of(types: &Types, value: &TypedValue) -> Option<f64> {
    let Value::Float(bits) = value.value else { return None };
    match types.kind(value.ty) {
        TypeKind::ComptimeFloat => Some(f64::from_bits(bits)),
        TypeKind::Float(kind) => Some(csl_num::to_f64(*kind, bits)),
        _ => None,
    }
}

/// Number of elements of an array type.
pub fn element_count(dims: &[u64]) -> u64 {
    dims.iter().product()
}

/// Fields of a struct-like type, in order; tuples have the names `0`, `1`, ...
pub fn field_types(types: &Types, ty: Ty) -> Option<Vec<(Option<Name>, Ty)>> {
    let named = |fields: &[FieldTy]| fields.iter().map(|f| (Some(f.name), f.ty)).collect();
    match types.kind(ty) {
        TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => Some(named(fields)),
        TypeKind::Anon { names: Some(names), types } => {
            Some(names.iter().map(|&n| Some(n)).zip(types.iter().copied()).collect())
        }
        TypeKind::Anon { names: None, types } => Some(types.iter().map(|&t| (None, t)).collect()),
        _ => None,
    }
}

/// Index and type of a field by name.
pub fn find_field(types: &Types, ty: Ty, name: &str) -> Option<(usize, Ty)> {
    let fields = field_types(types, ty)?;
    let index = fields.iter().position(|f| f.0 == Some(name))?;
    Some((index, fields[index].1))
}

/// Type of the part number `index` of an aggregate: an element or a field.
pub fn child_ty(types: &Types, ty: Ty, index: i64) -> Option<Ty> {
    match types.kind(ty) {
        TypeKind::Array { elem, .. } => Some(*elem),
        // start, stop, step
        TypeKind::Range(elem) => (0..3).contains(&index).then_some(*elem),
        _ => Some(field_types(types, ty)?.get(usize::try_from(index).ok()?)?.1),
    }
}

/// The part number `index` of a comptime aggregate; `None` when it has none, or a union holds another.
pub fn child(types: &Types, ty: Ty, value: &Value, index: i64) -> Option<TypedValue> {
    let child_ty = child_ty(types, ty, index)?;
    let at = u64::try_from(index).ok()?;
    let value = match value {
        Value::Array(array) if at < array.len() => array.get(at).clone(),
        Value::Struct(fields) => fields.get(at as usize)?.clone(),
        Value::Range(parts) => Value::Int(parts.get(at as usize)?.clone()),
        Value::Union { active, value } if u64::from(*active) == at => (**value).clone(),
        Value::Undef if in_bounds(types, ty, at) => Value::Undef,
        _ => return None,
    };
    Some(TypedValue::new(child_ty, value).unwrapped())
}

fn in_bounds(types: &Types, ty: Ty, index: u64) -> bool {
    match types.kind(ty) {
        TypeKind::Array { dims, .. } => index < element_count(dims),
        _ => true,
    }
}

/// The value at the end of a path of part numbers.
pub fn read_path(types: &Types, root: &TypedValue, path: &[i64]) -> Option<TypedValue> {
    let Some((&first, rest)) = path.split_first() else { return Some(root.clone()) };
    read_path(types, &child(types, root.ty, &root.value, first)?, rest)
}

/// Replaces the value at the end of a path; false when the path leads nowhere.
pub fn write_path(types: &Types, ty: Ty, root: &mut Value, path: &[i64], new: Value) -> bool {
    let Some((&first, rest)) = path.split_first() else {
        *root = new;
        return true;
    };
    let Some(child_ty) = child_ty(types, ty, first) else { return false };
    match part_mut(types, ty, root, first) {
        Some(part) => write_path(types, child_ty, part, rest, new),
        None => false,
    }
}

/// The elements that a write through the path copies: those of arrays that other values share, and those of arrays that
/// have been kept as one value so far.
pub fn copied(types: &Types, ty: Ty, value: &Value, path: &[i64]) -> u64 {
    let Some((&first, rest)) = path.split_first() else { return 0 };
    let Some(child_ty) = child_ty(types, ty, first) else { return 0 };
    let at = usize::try_from(first).unwrap_or(usize::MAX);
    match value {
        Value::Array(array) => {
            let is_copied = Arc::strong_count(array) > 1 || matches!(**array, ArrayValue::Splat { .. });
            let here = if is_copied { array.len() } else { 0 };
            let part = (first as u64) < array.len();
            here + if part { copied(types, child_ty, array.get(first as u64), rest) } else { 0 }
        }
        Value::Struct(fields) => fields.get(at).map_or(0, |part| copied(types, child_ty, part, rest)),
        _ => 0,
    }
}

fn part_mut<'v>(types: &Types, ty: Ty, value: &'v mut Value, index: i64) -> Option<&'v mut Value> {
    let at = usize::try_from(index).ok()?;
    if matches!(value, Value::Undef) {
        *value = undefined_parts(types, ty)?;
    }
    match value {
        Value::Array(array) => Arc::make_mut(array).elems_mut().get_mut(at),
        Value::Struct(fields) => Arc::make_mut(fields).get_mut(at),
        Value::Union { active, value } => {
            if *active as usize != at {
                *active = at as u32;
                *value = Arc::new(Value::Undef);
            }
            Some(Arc::make_mut(value))
        }
        _ => None,
    }
}

/// An uninitialised aggregate whose parts can be set one by one.
fn undefined_parts(types: &Types, ty: Ty) -> Option<Value> {
    match types.kind(ty) {
        TypeKind::Array { dims, .. } => {
            Some(Value::Array(Arc::new(ArrayValue::Splat { value: Value::Undef, len: element_count(dims) })))
        }
        TypeKind::Union { .. } => Some(Value::Union { active: u32::MAX, value: Arc::new(Value::Undef) }),
        _ => Some(Value::Struct(Arc::new(vec![Value::Undef; field_types(types, ty)?.len()]))),
    }
}

/// A number as text for people; one with thousands of digits only by its size.
pub fn number_text(number: &BigInt) -> String {
    const SHOWN_BITS: u64 = 1024;
    match number.bits() {
        bits if bits > SHOWN_BITS => format!("(a number of {bits} bits)"),
        _ => number.to_string(),
    }
}

/// The value as `@comptime_print` shows it.
pub fn show(types: &Types, value: &TypedValue) -> String {
    match &value.value {
        Value::Undef => "undefined".to_string(),
        Value::Void => "{}".to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Int(number) => show_int(types, value.ty, number),
        Value::Varying(varying) => show_int(types, value.ty, varying.concretize()),
        Value::Float(bits) => match types.kind(value.ty) {
            TypeKind::Float(kind) => csl_num::format_float(*kind, *bits),
            _ => csl_num::format_f64(f64::from_bits(*bits)),
        },
        Value::Type(ty) => types.show(*ty),
        Value::Str(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Array(array) => show_array(types, value.ty, array),
        Value::Struct(fields) => show_struct(types, value.ty, fields),
        Value::Union { active, value: inner } => {
            let field = field_types(types, value.ty).and_then(|f| f.get(*active as usize).copied());
            match field {
                Some((name, ty)) => {
                    let inner = show(types, &TypedValue::new(ty, (**inner).clone()));
                    format!("{{{} = {inner}}}", name.unwrap_or("?"))
                }
                None => "undefined".to_string(),
            }
        }
        Value::Ptr(pointer) => show_pointer(types, value.ty, pointer),
        Value::Fn(_) | Value::Module(_) | Value::Dsd(_) | Value::Fifo(_) => format!("<{}>", types.show(value.ty)),
        Value::Typed(inner) => show(types, inner),
        Value::Range(range) => format!("@range({}, {}, {})", range[0], range[1], range[2]),
    }
}

fn show_int(types: &Types, ty: Ty, number: &BigInt) -> String {
    match types.kind(ty) {
        TypeKind::Enum { members, .. } => members
            .iter()
            .find(|m| m.1 == *number)
            .map_or_else(|| number_text(number), |m| format!("{}.{}", types.show(ty), m.0)),
        TypeKind::Id(IdKind::Direction) => {
            number.to_u32().and_then(Direction::from_bit).map_or_else(|| number_text(number), |d| d.name().to_string())
        }
        TypeKind::Id(_) => format!("{}({})", types.show(ty), number_text(number)),
        TypeKind::Dsr(file) => format!("{}({})", file.name(), number_text(number)),
        _ => number_text(number),
    }
}

fn show_array(types: &Types, ty: Ty, array: &ArrayValue) -> String {
    // Long arrays are cut: the text is for people.
    const SHOWN: u64 = 64;
    let TypeKind::Array { elem, .. } = types.kind(ty) else { return "[?]".to_string() };
    let mut parts: Vec<String> =
        (0..array.len().min(SHOWN)).map(|i| show(types, &TypedValue::new(*elem, array.get(i).clone()))).collect();
    if array.len() > SHOWN {
        parts.push(format!("... {} more", array.len() - SHOWN));
    }
    format!("[{}]", parts.join(", "))
}

fn show_struct(types: &Types, ty: Ty, fields: &[Value]) -> String {
    let Some(field_types) = field_types(types, ty) else { return "{?}".to_string() };
    let parts: Vec<String> = field_types
        .iter()
        .zip(fields)
        .map(|((name, ty), value)| {
            let text = show(types, &TypedValue::new(*ty, value.clone()));
            name.map_or(text.clone(), |name| format!("{name} = {text}"))
        })
        .collect();
    format!("{{{}}}", parts.join(", "))
}

fn show_pointer(types: &Types, ty: Ty, pointer: &Pointer) -> String {
    match pointer.root {
        PtrRoot::Absolute(addr) => format!("@bitcast({}, 0x{addr:x})", types.show(ty)),
        _ => format!("<{}>", types.show(ty)),
    }
}

/// The float value `value` of format `kind`, as a [`Value`].
pub fn float_value(kind: FloatKind, value: f64) -> Value {
    Value::Float(csl_num::from_f64(kind, value))
}
