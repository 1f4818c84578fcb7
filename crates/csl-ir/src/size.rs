//! Sizes and offsets of values in a PE's memory, in bytes.
//!
//! Memory is an array of little-endian 16-bit words. Integers of up to 8 bits take one byte, wider ones
//! the next power of two, and those of more than 64 bits whole limbs of 64; 32-bit and 64-bit scalars are aligned to 4, which the vendor guide's
//! appendix recommends for vector operands. Structs are laid out in field order, as in C. A packed
//! struct or union is its backing integer.

use crate::types::{DsdKind, Packing, Ty, TypeKind, Types};

/// The place of a field in its struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldPlace {
    /// Offset from the start in bytes; for packed types that of the backing integer.
    pub offset: u32,
    /// The first bit in the backing integer of a packed type.
    pub bit: u32,
}

/// Size of a descriptor in memory, in bytes.
pub fn descriptor_bytes(kind: DsdKind) -> u32 {
    if kind == DsdKind::Mem4d { 20 } else { 8 }
}

/// Size of a value in memory, in bytes; `None` for types without one.
pub fn size_of(types: &Types, ty: Ty) -> Option<u32> {
    match types.kind(ty) {
        TypeKind::Void => Some(0),
        TypeKind::Bool => Some(1),
        TypeKind::Int { bits, .. } => Some(int_bytes(*bits)),
        TypeKind::Float(kind) => Some(kind.bits() / 8),
        TypeKind::Id(_) | TypeKind::Ptr { .. } => Some(2),
        TypeKind::Dsd(DsdKind::Fifo) | TypeKind::Dsr(_) => None,
        TypeKind::Dsd(kind) => Some(descriptor_bytes(*kind)),
        TypeKind::Enum { base, .. } => size_of(types, *base),
        TypeKind::Array { dims, elem } => {
            let count = dims.iter().try_fold(1u64, |n, &d| n.checked_mul(d))?;
            u32::try_from(u64::from(stride_of(types, *elem)?).checked_mul(count)?).ok()
        }
        TypeKind::Anon { types: fields, .. } => struct_size(types, &mut fields.iter().copied()),
        TypeKind::Struct { packing: Packing::Packed, .. } | TypeKind::Union { packing: Packing::Packed, .. } => {
            Some(int_bytes(bits_of(types, ty)?))
        }
        TypeKind::Struct { fields, .. } => struct_size(types, &mut fields.iter().map(|f| f.ty)),
        TypeKind::Union { fields, .. } => {
            let mut size = 0;
            for field in fields {
                size = size.max(size_of(types, field.ty)?);
            }
            size.checked_next_multiple_of(align_of(types, ty))
        }
        TypeKind::Range(elem) => size_of(types, *elem)?.checked_mul(3),
        _ => None,
    }
}

/// Alignment in bytes; 1 for types that have no place in memory.
pub fn align_of(types: &Types, ty: Ty) -> u32 {
    match types.kind(ty) {
        TypeKind::Array { elem, .. } => align_of(types, *elem),
        TypeKind::Dsd(_) => 2,
        TypeKind::Anon { types: fields, .. } => fields.iter().map(|&f| align_of(types, f)).max().unwrap_or(1),
        TypeKind::Struct { packing, fields, .. } | TypeKind::Union { packing, fields, .. }
            if *packing != Packing::Packed =>
        {
            fields.iter().map(|f| align_of(types, f.ty)).max().unwrap_or(1)
        }
        _ => size_of(types, ty).unwrap_or(1).clamp(1, 4).next_power_of_two(),
    }
}

/// Distance between elements of an array, in bytes.
pub fn stride_of(types: &Types, elem: Ty) -> Option<u32> {
    size_of(types, elem)?.checked_next_multiple_of(align_of(types, elem))
}

/// The place of field `index` of a struct, union, anonymous struct or tuple.
pub fn field_place(types: &Types, ty: Ty, index: usize) -> Option<FieldPlace> {
    let field_types: Vec<Ty> = match types.kind(ty) {
        TypeKind::Anon { types, .. } => types.clone(),
        TypeKind::Range(elem) => vec![*elem; 3],
        TypeKind::Struct { packing, fields, .. } => {
            let field_types: Vec<Ty> = fields.iter().map(|f| f.ty).collect();
            if *packing == Packing::Packed {
                let mut bit = 0;
                for &field in &field_types[..index] {
                    bit = u32::checked_add(bit, bits_of(types, field)?)?;
                }
                return Some(FieldPlace { offset: 0, bit });
            }
            field_types
        }
        TypeKind::Union { .. } => return Some(FieldPlace { offset: 0, bit: 0 }),
        _ => return None,
    };
    let mut offset = 0u32;
    for (at, &field) in field_types.iter().enumerate() {
        offset = offset.checked_next_multiple_of(align_of(types, field))?;
        if at == index {
            return Some(FieldPlace { offset, bit: 0 });
        }
        offset = offset.checked_add(size_of(types, field)?)?;
    }
    None
}

/// Width of a value in a packed struct, in bits; `None` for types that may not stand there.
pub fn bits_of(types: &Types, ty: Ty) -> Option<u32> {
    match types.kind(ty) {
        TypeKind::Bool => Some(1),
        TypeKind::Int { bits, .. } => Some(*bits),
        TypeKind::Float(kind) => Some(kind.bits()),
        TypeKind::Ptr { .. } | TypeKind::Id(_) => Some(16),
        TypeKind::Enum { base, .. } => bits_of(types, *base),
        TypeKind::Struct { packing: Packing::Packed, fields, .. } => {
            fields.iter().try_fold(0u32, |sum, f| sum.checked_add(bits_of(types, f.ty)?))
        }
        TypeKind::Union { packing: Packing::Packed, fields, .. } => {
            fields.iter().try_fold(0u32, |most, f| Some(most.max(bits_of(types, f.ty)?)))
        }
        _ => None,
    }
}

fn struct_size(types: &Types, fields: &mut dyn Iterator<Item = Ty>) -> Option<u32> {
    let mut end = 0u32;
    let mut align = 1;
    for field in fields {
        let field_align = align_of(types, field);
        end = end.checked_next_multiple_of(field_align)?.checked_add(size_of(types, field)?)?;
        align = align.max(field_align);
    }
    end.checked_next_multiple_of(align)
}

fn int_bytes(bits: u32) -> u32 {
    match bits {
        0 => 0,
        1..=64 => bits.div_ceil(8).next_power_of_two(),
        _ => bits.div_ceil(64) * 8,
    }
}
