//! Comptime values: reads parts of them, changes them in place, prints them.

use std::sync::Arc;

use csl_ir::{ArrayValue, IdKind, Name, Pointer, PtrRoot, Ty, TypeKind, TypedValue, Types, Value};
use csl_machine::Direction;
use csl_num::FloatKind;
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use rustc_hash::FxHashSet;

/// The integer of a value of any type with a number underneath.
pub fn int_of(value: &TypedValue) -> Option<&BigInt> {
    value.value.int()
}

pub fn u64_of(value: &TypedValue) -> Option<u64> {
    int_of(value)?.to_u64()
}

/// A float value as the double it is exactly.
pub fn f64_of(types: &Types, value: &TypedValue) -> Option<f64> {
    let bits = value.value.float_bits()?;
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

/// The number of fields of a struct-like type.
pub fn field_count(types: &Types, ty: Ty) -> Option<usize> {
    match types.kind(ty) {
        TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => Some(fields.len()),
        TypeKind::Anon { types, .. } => Some(types.len()),
        _ => None,
    }
}

/// A field of a struct-like type. Those of tuples have no names.
pub fn field(types: &Types, ty: Ty, index: usize) -> Option<(Option<Name>, Ty)> {
    match types.kind(ty) {
        TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => {
            fields.get(index).map(|field| (Some(field.name), field.ty))
        }
        TypeKind::Anon { names, types } => Some((names.as_ref().map(|names| names[index]), *types.get(index)?)),
        _ => None,
    }
}

/// Fields of a struct-like type, in order.
pub fn field_types(types: &Types, ty: Ty) -> Option<Vec<(Option<Name>, Ty)>> {
    (0..field_count(types, ty)?).map(|index| field(types, ty, index)).collect()
}

/// Index and type of a field by name.
pub fn find_field(types: &Types, ty: Ty, name: &str) -> Option<(usize, Ty)> {
    (0..field_count(types, ty)?).find_map(|index| match field(types, ty, index)? {
        (Some(found), ty) if found == name => Some((index, ty)),
        _ => None,
    })
}

/// Type of the part number `index` of an aggregate: an element or a field.
pub fn child_ty(types: &Types, ty: Ty, index: i64) -> Option<Ty> {
    match types.kind(ty) {
        TypeKind::Array { elem, .. } => Some(*elem),
        // start, stop, step
        TypeKind::Range(elem) => (0..3).contains(&index).then_some(*elem),
        _ => Some(field(types, ty, usize::try_from(index).ok()?)?.1),
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
/// have been kept as one value so far, or as none.
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
        Value::Undef => {
            let here = if let TypeKind::Array { dims, .. } = types.kind(ty) { element_count(dims) } else { 0 };
            here + copied(types, child_ty, value, rest)
        }
        _ => 0,
    }
}

/// The elements of arrays in values that are kept one by one. Values that share an array have it once.
pub fn elements<'v>(values: impl Iterator<Item = &'v Value>) -> u64 {
    let mut seen: FxHashSet<*const ArrayValue> = FxHashSet::default();
    let mut pending: Vec<&Value> = values.collect();
    let mut sum = 0;
    while let Some(value) = pending.pop() {
        match value {
            Value::Array(array) if seen.insert(Arc::as_ptr(array)) => match &**array {
                ArrayValue::Splat { value, .. } => pending.push(value),
                ArrayValue::Elems(elems) => {
                    sum += elems.len() as u64;
                    // Elements of an array are all of one type: none holds another array where the first is a number.
                    if elems.first().is_some_and(|first| !matches!(first, Value::Int(_) | Value::Float(_))) {
                        pending.extend(elems.iter());
                    }
                }
            },
            Value::Struct(fields) => pending.extend(fields.iter()),
            Value::Union { value, .. } => pending.push(value),
            Value::Typed(typed) => pending.push(&typed.value),
            _ => {}
        }
    }
    sum
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
        _ => Some(Value::Struct(Arc::new(vec![Value::Undef; field_count(types, ty)?]))),
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
    let mut text = String::new();
    put(types, value.ty, &value.value, &mut text);
    text
}

/// The bytes of a shown value, about: parts of parts multiply.
const MOST_TEXT: usize = 1 << 20;

/// Appends a value, as long as the text is not too long.
fn put(types: &Types, ty: Ty, value: &Value, text: &mut String) {
    match value {
        Value::Undef => text.push_str("undefined"),
        Value::Void => text.push_str("{}"),
        Value::Bool(b) => text.push_str(if *b { "true" } else { "false" }),
        Value::Int(number) => text.push_str(&show_int(types, ty, number)),
        Value::Varying(varying) => text.push_str(&show_int(types, ty, varying.concretize())),
        Value::Float(bits) => text.push_str(&show_float(types, ty, *bits)),
        Value::VaryingFloat(varying) => text.push_str(&show_float(types, ty, varying.concretize_bits())),
        Value::Type(ty) => text.push_str(&types.show(*ty)),
        Value::Str(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
        Value::Array(array) => put_array(types, ty, array, text),
        Value::Struct(fields) => match field_types(types, ty) {
            Some(names) => {
                let parts = names.iter().zip(&**fields).map(|((name, ty), value)| (*name, *ty, value));
                put_parts(types, parts, ["{", "}"], text);
            }
            None => text.push_str("{?}"),
        },
        Value::Union { active, value: inner } => match field(types, ty, *active as usize) {
            Some((name, ty)) => put_parts(types, [(name.or(Some("?")), ty, &**inner)].into_iter(), ["{", "}"], text),
            None => text.push_str("undefined"),
        },
        Value::Ptr(pointer) => text.push_str(&show_pointer(types, ty, pointer)),
        Value::Fn(_) | Value::Module(_) | Value::Dsd(_) | Value::Fifo(_) => {
            text.push_str(&format!("<{}>", types.show(ty)));
        }
        Value::Typed(inner) => put(types, inner.ty, &inner.value, text),
        Value::Range(range) => text.push_str(&format!("@range({}, {}, {})", range[0], range[1], range[2])),
    }
}

fn show_float(types: &Types, ty: Ty, bits: u64) -> String {
    match types.kind(ty) {
        TypeKind::Float(kind) => csl_num::format_float(*kind, bits),
        _ => csl_num::format_f64(f64::from_bits(bits)),
    }
}

/// Appends parts, each with its name if it has one, between brackets.
fn put_parts<'v>(
    types: &Types,
    parts: impl Iterator<Item = (Option<Name>, Ty, &'v Value)>,
    [open, close]: [&str; 2],
    text: &mut String,
) {
    text.push_str(open);
    for (index, (name, ty, value)) in parts.enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        if text.len() > MOST_TEXT {
            text.push_str("...");
            break;
        }
        name.into_iter().for_each(|name| text.push_str(&format!("{name} = ")));
        put(types, ty, value, text);
    }
    text.push_str(close);
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

fn put_array(types: &Types, ty: Ty, array: &ArrayValue, text: &mut String) {
    // Long arrays are cut: the text is for people.
    const SHOWN: u64 = 64;
    let TypeKind::Array { elem, .. } = types.kind(ty) else { return text.push_str("[?]") };
    let more = array.len().saturating_sub(SHOWN);
    let end = if more > 0 { format!(", ... {more} more]") } else { "]".to_owned() };
    let parts = (0..array.len().min(SHOWN)).map(|i| (None, *elem, array.get(i)));
    put_parts(types, parts, ["[", &end], text);
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
