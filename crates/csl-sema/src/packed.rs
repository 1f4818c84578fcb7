//! Comptime values as integers: packed structs in memory, and the values that `@bitcast` takes.

use std::sync::Arc;

use csl_ir::{Packing, Pointer, PtrRoot, Ty, TypeKind, TypedValue, Types, Value};
use csl_num::IntTy;
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};

use crate::value::field_types;

/// The bits of a value; `None` for a value without known bits, such as an address.
pub fn bits_of_value(types: &Types, value: &TypedValue) -> Option<BigInt> {
    match &value.value {
        Value::Int(_) | Value::Varying(_) => {
            let bits = raw_width(types, value.ty)?;
            Some(IntTy { signed: false, bits }.wrap(value.value.int()?))
        }
        Value::Float(_) | Value::VaryingFloat(_) => value.value.float_bits().map(BigInt::from),
        Value::Bool(b) => Some(BigInt::from(u8::from(*b))),
        Value::Undef => Some(BigInt::zero()),
        Value::Ptr(Pointer { root: PtrRoot::Absolute(addr), path, .. }) if path.is_empty() => Some(BigInt::from(*addr)),
        Value::Struct(parts) if is_packed(types, value.ty) => {
            let fields = field_types(types, value.ty)?;
            let mut raw = BigInt::zero();
            for (index, (field, part)) in fields.iter().zip(parts.iter()).enumerate() {
                let place = csl_ir::field_place(types, value.ty, index)?;
                raw += bits_of_value(types, &TypedValue::new(field.1, part.clone()))? << place.bit;
            }
            Some(raw)
        }
        Value::Union { active, value: inner } if is_packed(types, value.ty) => {
            let field = crate::value::child_ty(types, value.ty, i64::from(*active))?;
            bits_of_value(types, &TypedValue::new(field, (**inner).clone()))
        }
        _ => None,
    }
}

/// The only value of a type of no bits (`u0`, a packed struct without fields).
pub fn value_without_bits(types: &Types, ty: Ty) -> Option<TypedValue> {
    value_of_bits(types, ty, &BigInt::zero()).map(|value| TypedValue::new(ty, value))
}

/// The value of type `ty` that has these bits.
pub fn value_of_bits(types: &Types, ty: Ty, raw: &BigInt) -> Option<Value> {
    Some(match types.kind(ty) {
        TypeKind::Float(_) => Value::Float(raw.to_u64()?),
        TypeKind::Bool => Value::Bool(!raw.is_zero()),
        TypeKind::Int { signed, bits } => Value::Int(IntTy { signed: *signed, bits: *bits }.wrap(raw)),
        TypeKind::Enum { base, .. } => value_of_bits(types, *base, raw)?,
        TypeKind::Id(_) => Value::Int(raw.clone()),
        TypeKind::Ptr { elem, .. } => {
            Value::Ptr(Pointer { root: PtrRoot::Absolute(raw.to_u16()?), root_ty: *elem, path: Vec::new() })
        }
        TypeKind::Struct { packing: Packing::Packed, fields, .. } => {
            let mut parts = Vec::with_capacity(fields.len());
            for (index, field) in fields.iter().enumerate() {
                let place = csl_ir::field_place(types, ty, index)?;
                let bits = csl_ir::bits_of(types, field.ty)?;
                let part = IntTy { signed: false, bits }.wrap(&(raw >> place.bit));
                parts.push(value_of_bits(types, field.ty, &part)?);
            }
            Value::Struct(Arc::new(parts))
        }
        TypeKind::Union { packing: Packing::Packed, fields, .. } => {
            let value = value_of_bits(types, fields.first()?.ty, raw)?;
            Value::Union { active: 0, value: Arc::new(value) }
        }
        _ => return None,
    })
}

/// Width in bits that `@bitcast` sees.
pub fn raw_width(types: &Types, ty: Ty) -> Option<u32> {
    match types.kind(ty) {
        TypeKind::Ptr { .. } | TypeKind::Id(_) => Some(16),
        _ => csl_ir::bits_of(types, ty),
    }
}

fn is_packed(types: &Types, ty: Ty) -> bool {
    matches!(
        types.kind(ty),
        TypeKind::Struct { packing: Packing::Packed, .. } | TypeKind::Union { packing: Packing::Packed, .. }
    )
}
