//! Addresses: `&x`, the place of a value in memory, and the offsets of its parts.

use csl_diag::{Code, Span};
use csl_ir::{Addr, AddrBase, Pointer, PtrRoot, Ty, TypeKind, TypedValue, Value};

use crate::context::{Res, Sema, Stop};
use crate::operand::{Operand, Place, PlaceKind};

impl Sema<'_> {
    /// `&place`
    pub fn address_of(&mut self, place: Place, span: Span) -> Res<Operand> {
        let ty = self.types.ptr(false, place.is_const, place.ty);
        match place.kind {
            PlaceKind::Ptr(pointer) if self.packed_at(&pointer).is_some() => Err(self.packed_address(span)),
            PlaceKind::Ptr(Pointer { root: PtrRoot::Cell(_), .. }) if !self.is_comptime() => {
                Err(self.error(Code::BadOperand, span, "a comptime variable has no address"))
            }
            PlaceKind::Ptr(pointer) => Ok(TypedValue::new(ty, Value::Ptr(pointer)).into()),
            PlaceKind::Mem(addr) => {
                let pointer = self.emit_lea(addr, span)?;
                Ok(Operand::Reg(ty, pointer))
            }
            PlaceKind::Value(Operand::Mem(_, addr)) => {
                let pointer = self.emit_lea(addr, span)?;
                Ok(Operand::Reg(ty, pointer))
            }
            PlaceKind::Value(Operand::Const(TypedValue { ty: fn_ty, value: Value::Fn(f) })) => {
                self.check_addressable_fn(f, span)?;
                let ty = self.types.ptr(false, true, fn_ty);
                let pointer = Pointer { root: PtrRoot::Fn(f), root_ty: fn_ty, path: Vec::new() };
                Ok(TypedValue::new(ty, Value::Ptr(pointer)).into())
            }
            PlaceKind::Bits { .. } => Err(self.packed_address(span)),
            PlaceKind::Value(_) if self.is_comptime_only(place.ty) => Err(self.no_memory(place.ty, span)),
            PlaceKind::Value(_) | PlaceKind::Reg(_) => {
                Err(self.error(Code::BadOperand, span, "only variables are addressable: this is a temporary value"))
            }
        }
    }

    fn no_memory(&mut self, ty: Ty, span: Span) -> Stop {
        let message = format!("a value of type `{}` is comptime-known and has no address", self.show(ty));
        self.error(Code::ComptimeOnly, span, message)
    }

    /// The run-time address of a place.
    pub fn place_addr(&mut self, place: &Place, span: Span) -> Res<Addr> {
        match &place.kind {
            PlaceKind::Mem(addr) => Ok(addr.clone()),
            PlaceKind::Ptr(pointer) => self.pointer_addr(&pointer.clone(), span),
            PlaceKind::Value(value) => self.addr(&value.clone(), span),
            PlaceKind::Bits { .. } => Err(self.packed_address(span)),
            PlaceKind::Reg(_) => Err(self.error(Code::BadOperand, span, "this variable has no address")),
        }
    }

    /// New run-time memory for a value, as a place.
    pub fn temporary(&mut self, ty: Ty, name: &str, span: Span) -> Res<Place> {
        let slot = self.new_slot(ty, name, span)?;
        Ok(Place { ty, is_const: false, kind: PlaceKind::Mem(Addr { base: AddrBase::Slot(slot), offset: 0 }) })
    }

    /// The address of an aggregate value in memory; a constant is put there.
    pub fn addr(&mut self, operand: &Operand, span: Span) -> Res<Addr> {
        match operand {
            Operand::Mem(_, addr) => Ok(addr.clone()),
            Operand::Const(value) => {
                let global = self.materialize(value.clone(), span);
                Ok(Addr { base: AddrBase::Global(self.global_id(global)), offset: 0 })
            }
            Operand::Reg(ty, _) | Operand::Agg(ty, _) => {
                let place = self.temporary(*ty, "", span)?;
                self.store(&place, operand.clone(), span)?;
                self.place_addr(&place, span)
            }
        }
    }

    /// The run-time address that a comptime-known pointer holds.
    pub fn pointer_addr(&mut self, pointer: &Pointer, span: Span) -> Res<Addr> {
        let offset = self.path_offset(pointer.root_ty, &pointer.path, span)?;
        match pointer.root {
            PtrRoot::Global(global) => Ok(Addr { base: AddrBase::Global(self.global_id(global)), offset }),
            PtrRoot::Absolute(addr) => {
                Ok(Addr { base: AddrBase::Absolute, offset: i32::from(addr).wrapping_add(offset) })
            }
            PtrRoot::Cell(_) => {
                Err(self.error(Code::ComptimeOnly, span, "a comptime variable has no address at run time"))
            }
            PtrRoot::Fn(_) => Err(self.error(Code::BadOperand, span, "a function cannot be read as data")),
        }
    }

    /// The offset in bytes, in a value of type `ty`, of the part that `path` names.
    pub fn path_offset(&mut self, ty: Ty, path: &[i64], span: Span) -> Res<i32> {
        let Some((&first, rest)) = path.split_first() else { return Ok(0) };
        let (part, offset) = self.part_offset(ty, first, span)?;
        Ok(offset.wrapping_add(self.path_offset(part, rest, span)?))
    }

    fn part_offset(&mut self, ty: Ty, index: i64, span: Span) -> Res<(Ty, i32)> {
        let (part, offset) = match self.types.kind(ty).clone() {
            TypeKind::Array { elem, .. } => (elem, i64::from(self.elem_stride(elem, span)?).wrapping_mul(index)),
            _ => match (crate::value::child_ty(&self.types, ty, index), usize::try_from(index)) {
                (Some(part), Ok(at)) => {
                    let place = csl_ir::field_place(&self.types, ty, at);
                    (part, place.map_or(0, |p| i64::from(p.offset)))
                }
                // One past a lone object: `[*]T` arithmetic on a pointer to a scalar.
                _ => (ty, i64::from(self.elem_stride(ty, span)?).wrapping_mul(index)),
            },
        };
        Ok((part, offset as i32))
    }

    /// Bytes between neighbouring elements of an array of `elem`.
    pub fn elem_stride(&mut self, elem: Ty, span: Span) -> Res<u32> {
        match csl_ir::size_of(&self.types, elem) {
            Some(size) => Ok(size.next_multiple_of(csl_ir::align_of(&self.types, elem))),
            None => Err(self.comptime_only(elem, span)),
        }
    }
}
