//! Parts of aggregates: fields, and elements by their flat index, of values and of places.

use csl_diag::{Code, Span};
use csl_ir::{Addr, Packing, Ty, TypeKind, TypedValue, Value};

use crate::context::{Res, Sema, Stop};
use crate::operand::{Operand, Place, PlaceKind};
use crate::value::{child, child_ty};

impl Sema<'_> {
    /// The part number `index` of an aggregate place: a field, or an element by its flat index.
    pub fn part_place(&mut self, place: Place, index: i64, span: Span) -> Res<Place> {
        let Some(ty) = child_ty(&self.types, place.ty, index) else {
            return Err(self.no_part(place.ty, index, span));
        };
        let is_const = place.is_const;
        let kind = match place.kind {
            PlaceKind::Value(value) => PlaceKind::Value(self.part_value(&value, index, ty, span)?),
            PlaceKind::Ptr(mut pointer) => {
                pointer.path.push(index);
                PlaceKind::Ptr(pointer)
            }
            PlaceKind::Mem(addr) => self.part_memory(place.ty, addr, index, ty, span)?,
            PlaceKind::Bits { addr, container_bits, bit, .. } => {
                let inner = csl_ir::field_place(&self.types, place.ty, index as usize).map_or(0, |p| p.bit);
                let bits = csl_ir::bits_of(&self.types, ty).unwrap_or(0);
                PlaceKind::Bits { addr, container_bits, bit: bit + inner, bits }
            }
            PlaceKind::Reg(_) => return Err(self.no_field(place.ty, &index.to_string(), span)),
        };
        Ok(Place { ty, is_const, kind })
    }

    /// The part number `index`, of type `ty`, of an aggregate value.
    pub fn part_value(&mut self, value: &Operand, index: i64, ty: Ty, span: Span) -> Res<Operand> {
        match value {
            Operand::Const(value) => match child(&self.types, value.ty, &value.value, index) {
                Some(part) => Ok(part.into()),
                None => self.inactive_part(value, index, ty, span),
            },
            Operand::Agg(_, parts) => Ok(parts[index as usize].clone()),
            Operand::Mem(aggregate, addr) => {
                let kind = self.part_memory(*aggregate, addr.clone(), index, ty, span)?;
                self.load(Place { ty, is_const: true, kind }, span)
            }
            Operand::Reg(aggregate, _) => Err(self.no_field(*aggregate, &index.to_string(), span)),
        }
    }

    /// Reads an inactive variant of a union: extern and packed unions are reinterpreted, others refused.
    fn inactive_part(&mut self, value: &TypedValue, index: i64, ty: Ty, span: Span) -> Res<Operand> {
        match (&value.value, self.types.kind(value.ty)) {
            (Value::Union { active, value: inner }, TypeKind::Union { packing, fields, .. })
                if *packing != Packing::Default =>
            {
                let active = TypedValue::new(fields[*active as usize].ty, (**inner).clone());
                self.bitcast(active.into(), ty, span)
            }
            (Value::Union { .. }, _) => {
                Err(self.error(Code::BadOperand, span, "access to a variant that is not active"))
            }
            _ => Err(self.no_part(value.ty, index, span)),
        }
    }

    fn part_memory(&mut self, aggregate: Ty, addr: Addr, index: i64, ty: Ty, span: Span) -> Res<PlaceKind> {
        let packed = match self.types.kind(aggregate) {
            TypeKind::Struct { packing, .. } | TypeKind::Union { packing, .. } => *packing == Packing::Packed,
            _ => false,
        };
        if packed {
            let place = csl_ir::field_place(&self.types, aggregate, index as usize);
            let (Some(place), Some(bits), Some(container_bits)) =
                (place, csl_ir::bits_of(&self.types, ty), csl_ir::bits_of(&self.types, aggregate))
            else {
                let shown = self.show(aggregate);
                return Err(self.error(Code::BadType, span, format!("`{shown}` has a field that cannot be packed")));
            };
            return Ok(PlaceKind::Bits { addr, container_bits, bit: place.bit, bits });
        }
        let offset = self.path_offset(aggregate, &[index], span)?;
        Ok(PlaceKind::Mem(Addr { base: addr.base, offset: addr.offset.wrapping_add(offset) }))
    }

    /// The part at the end of a path, step by step; inactive variants of unions are reinterpreted or refused.
    pub fn walk(&mut self, root: TypedValue, path: &[i64], span: Span) -> Res<Operand> {
        let mut value = Operand::Const(root);
        for &index in path {
            let Some(ty) = child_ty(&self.types, value.ty(), index) else {
                return Err(self.no_part(value.ty(), index, span));
            };
            value = self.part_value(&value, index, ty, span)?;
        }
        Ok(value)
    }

    pub fn no_part(&mut self, ty: Ty, index: i64, span: Span) -> Stop {
        let message = format!("index {index} is out of bounds for type `{}`", self.show(ty));
        self.error(Code::IndexOutOfBounds, span, message)
    }
}
