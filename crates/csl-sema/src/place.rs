//! Places: variables, fields, elements and what pointers point at; reading, writing and pointing.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Addr, AddrBase, Inst, Opnd, Packing, Pointer, PtrRoot, Scalar, Ty, TypeKind, TypedValue, Value};
use csl_syntax::ast::{Expr, ExprKind};

use crate::context::{Binding, Res, Sema};
use crate::operand::{Operand, Place, PlaceKind};
use crate::value::{child, child_ty, find_field, number_text, read_path, write_path};

impl Sema<'_> {
    /// The place that an expression names; any other expression is a place that holds its value.
    pub fn eval_place(&mut self, expr: &Expr) -> Res<Place> {
        match &expr.kind {
            ExprKind::Name(name) => self.name_place(*name, expr.span),
            ExprKind::Field { base, name } => self.field_place(base, name.name.as_str(), name.span),
            ExprKind::Index { base, indices } => self.index_place(base, indices, expr.span),
            ExprKind::Deref(pointer) => {
                let pointer = self.eval(pointer)?;
                self.deref(pointer, expr.span)
            }
            ExprKind::Builtin { name, args } if name.name.as_str() == "field" && args.len() == 2 => {
                let field = self.eval_const_as(&args[1], Ty::COMPTIME_STRING)?;
                let Value::Str(bytes) = field.value else { return Err(crate::context::Stop::Error) };
                self.field_place(&args[0], &String::from_utf8_lossy(&bytes), args[1].span)
            }
            _ => Ok(self.value_place(expr)?),
        }
    }

    fn value_place(&mut self, expr: &Expr) -> Res<Place> {
        let value = self.eval(expr)?;
        Ok(Place { ty: value.ty(), is_const: true, kind: PlaceKind::Value(value) })
    }

    fn name_place(&mut self, name: csl_syntax::Symbol, span: Span) -> Res<Place> {
        match self.find_local(name) {
            Some(Binding::Poison) => Err(crate::context::Stop::Error),
            Some(Binding::Const(value)) => Ok(Place { ty: value.ty(), is_const: true, kind: PlaceKind::Value(value) }),
            Some(Binding::Cell(cell)) => {
                let root_ty = self.unit.cells[cell].value.ty;
                let is_const = self.unit.cells[cell].is_const;
                let pointer = Pointer { root: PtrRoot::Cell(cell), root_ty, path: Vec::new() };
                Ok(Place { ty: root_ty, is_const, kind: PlaceKind::Ptr(pointer) })
            }
            Some(Binding::Reg(ty, reg)) => Ok(Place { ty, is_const: false, kind: PlaceKind::Reg(reg) }),
            Some(Binding::Slot { ty, slot, is_const }) => {
                let addr = Addr { base: AddrBase::Slot(slot), offset: 0 };
                Ok(Place { ty, is_const, kind: PlaceKind::Mem(addr) })
            }
            None => self.global_place(name, span),
        }
    }

    /// What a pointer points at.
    pub fn deref(&mut self, pointer: Operand, span: Span) -> Res<Place> {
        let TypeKind::Ptr { many, is_const, elem } = *self.types.kind(pointer.ty()) else {
            let shown = self.show(pointer.ty());
            return Err(self.error(Code::BadOperand, span, format!("cannot dereference a value of type `{shown}`")));
        };
        if many {
            let diagnostic = Diagnostic::new(
                Code::BadOperand,
                span,
                "a pointer to an unknown number of elements cannot be dereferenced",
            );
            return Err(self.fail(diagnostic.help("use the access operator `[]`")));
        }
        self.pointee(pointer, elem, is_const, span)
    }

    fn pointee(&mut self, pointer: Operand, elem: Ty, is_const: bool, span: Span) -> Res<Place> {
        match pointer {
            Operand::Const(TypedValue { value: Value::Ptr(pointer), .. }) => {
                // A pointer that was cast sees memory with other eyes: only its address counts.
                if self.pointee_ty(&pointer) == Some(elem) {
                    return Ok(Place { ty: elem, is_const, kind: PlaceKind::Ptr(pointer) });
                }
                let addr = self.pointer_addr(&pointer, span)?;
                Ok(Place { ty: elem, is_const, kind: PlaceKind::Mem(addr) })
            }
            other => {
                let pointer = self.opnd(&other, span)?;
                let addr = self.addr_from(pointer, span);
                Ok(Place { ty: elem, is_const, kind: PlaceKind::Mem(addr) })
            }
        }
    }

    /// Type of the part that a comptime pointer points at.
    pub fn pointee_ty(&self, pointer: &Pointer) -> Option<Ty> {
        pointer.path.iter().try_fold(pointer.root_ty, |ty, &index| child_ty(&self.types, ty, index))
    }

    pub fn field_place(&mut self, base: &Expr, name: &str, span: Span) -> Res<Place> {
        let mut place = self.eval_place(base)?;
        // `p.field` looks through a pointer to a struct.
        if let TypeKind::Ptr { many: false, elem, .. } = *self.types.kind(place.ty)
            && crate::value::field_types(&self.types, elem).is_some()
        {
            let pointer = self.load(place, base.span)?;
            place = self.deref(pointer, base.span)?;
        }
        if place.ty == Ty::COMPTIME_STRUCT {
            place = self.struct_at(place, base.span)?;
        }
        if let Some(place) = self.member_place(&place, name, span)? {
            return Ok(place);
        }
        let Some((index, _)) = find_field(&self.types, place.ty, name) else {
            return Err(self.no_field(place.ty, name, span));
        };
        self.part_place(place, index as i64, span)
    }

    /// What stands at a place that is declared as `comptime_struct`, with the type that it has.
    fn struct_at(&mut self, place: Place, span: Span) -> Res<Place> {
        let value = self.load(place, span)?;
        Ok(Place { ty: value.ty(), is_const: true, kind: PlaceKind::Value(value) })
    }

    fn no_field(&mut self, ty: Ty, name: &str, span: Span) -> crate::context::Stop {
        let shown = self.show(ty);
        let mut diagnostic = Diagnostic::new(Code::UnknownField, span, format!("no field `{name}` in type `{shown}`"));
        if let Some(fields) = crate::value::field_types(&self.types, ty) {
            let names: Vec<&str> = fields.iter().filter_map(|f| f.0).collect();
            if !names.is_empty() {
                diagnostic = diagnostic.note(format!("it has: {}", names.join(", ")));
            }
        }
        self.fail(diagnostic)
    }

    /// Members that are not fields: of modules and of enum types.
    fn member_place(&mut self, place: &Place, name: &str, span: Span) -> Res<Option<Place>> {
        let PlaceKind::Value(Operand::Const(value)) = &place.kind else {
            // A module bound to a `const` global or param.
            return match (&place.kind, place.ty) {
                (PlaceKind::Ptr(_), Ty::MODULE | Ty::TYPE) => {
                    let value = self.load(place.clone(), span)?;
                    let place = Place { ty: value.ty(), is_const: true, kind: PlaceKind::Value(value) };
                    self.member_place(&place, name, span)
                }
                _ => Ok(None),
            };
        };
        match &value.value {
            Value::Module(module) => {
                let module = *module;
                self.module_member(module, name, span).map(Some)
            }
            Value::Type(ty) => {
                let ty = *ty;
                let TypeKind::Enum { members, .. } = self.types.kind(ty) else {
                    return Err(self.no_field(ty, name, span));
                };
                match members.iter().find(|m| m.0 == name) {
                    Some((_, number)) => {
                        let value = Operand::Const(TypedValue::int(ty, number.clone()));
                        Ok(Some(Place { ty, is_const: true, kind: PlaceKind::Value(value) }))
                    }
                    None => {
                        let shown = self.show(ty);
                        Err(self.error(Code::UnknownField, span, format!("no member `{name}` in enum `{shown}`")))
                    }
                }
            }
            _ => Ok(None),
        }
    }

    /// The part number `index` of an aggregate place: a field, or an element by its flat index.
    pub fn part_place(&mut self, place: Place, index: i64, span: Span) -> Res<Place> {
        let Some(ty) = child_ty(&self.types, place.ty, index) else {
            let shown = self.show(place.ty);
            return Err(self.error(
                Code::IndexOutOfBounds,
                span,
                format!("index {index} is out of bounds for type `{shown}`"),
            ));
        };
        let is_const = place.is_const;
        let kind = match place.kind {
            PlaceKind::Value(value) => PlaceKind::Value(self.part_value(value, index, ty, span)?),
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

    fn part_value(&mut self, value: Operand, index: i64, ty: Ty, span: Span) -> Res<Operand> {
        match value {
            Operand::Const(value) => match child(&self.types, value.ty, &value.value, index) {
                Some(part) => Ok(part.into()),
                None => self.inactive_part(value, index, ty, span),
            },
            Operand::Agg(_, parts) => Ok(parts[index as usize].clone()),
            Operand::Mem(aggregate, addr) => {
                let kind = self.part_memory(aggregate, addr, index, ty, span)?;
                self.load(Place { ty, is_const: true, kind }, span)
            }
            Operand::Reg(aggregate, _) => Err(self.no_field(aggregate, &index.to_string(), span)),
        }
    }

    /// Another variant of a union: extern and packed unions are reinterpreted, others refused.
    fn inactive_part(&mut self, value: TypedValue, index: i64, ty: Ty, span: Span) -> Res<Operand> {
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
            _ => {
                let shown = self.show(value.ty);
                Err(self.error(
                    Code::IndexOutOfBounds,
                    span,
                    format!("index {index} is out of bounds for type `{shown}`"),
                ))
            }
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

    fn index_place(&mut self, base: &Expr, indices: &[Expr], span: Span) -> Res<Place> {
        let mut place = self.eval_place(base)?;
        if let TypeKind::Ptr { many, is_const, elem } = *self.types.kind(place.ty) {
            let pointer = self.load(place, base.span)?;
            if many {
                let [index] = indices else { return Err(self.index_count(1, indices.len(), span)) };
                let index = self.eval_index(index)?;
                return self.many_index(pointer, elem, is_const, index, span);
            }
            place = self.pointee(pointer, elem, is_const, span)?;
        }
        if place.ty == Ty::COMPTIME_STRUCT {
            place = self.struct_at(place, base.span)?;
        }
        let dims = match self.types.kind(place.ty).clone() {
            TypeKind::Array { dims, .. } => dims,
            TypeKind::Anon { names: None, types } => vec![types.len() as u64],
            _ => {
                let shown = self.show(place.ty);
                return Err(self.error(Code::BadOperand, span, format!("a value of type `{shown}` cannot be indexed")));
            }
        };
        if dims.len() != indices.len() {
            return Err(self.index_count(dims.len(), indices.len(), span));
        }
        let indices = indices.iter().map(|i| Ok((self.eval_index(i)?, i.span))).collect::<Res<Vec<_>>>()?;
        self.array_index(place, &dims, indices, span)
    }

    fn index_count(&mut self, expected: usize, got: usize, span: Span) -> crate::context::Stop {
        self.error(Code::ArgumentCount, span, format!("expected {expected} index expression(s), got {got}"))
    }

    /// An index: any integer.
    fn eval_index(&mut self, expr: &Expr) -> Res<Operand> {
        let index = self.eval(expr)?;
        match self.types.kind(index.ty()) {
            TypeKind::Int { .. } | TypeKind::ComptimeInt => Ok(index),
            _ => {
                let shown = self.show(index.ty());
                Err(self.error(Code::TypeMismatch, expr.span, format!("an index must be an integer, got: `{shown}`")))
            }
        }
    }

    fn array_index(&mut self, place: Place, dims: &[u64], indices: Vec<(Operand, Span)>, span: Span) -> Res<Place> {
        let mut known = Some(0i64);
        for ((index, at), &dim) in indices.iter().zip(dims) {
            match index.as_const().and_then(crate::value::int_of) {
                Some(number) => {
                    let inside = num_traits::ToPrimitive::to_u64(number).filter(|&n| n < dim);
                    let Some(inside) = inside else {
                        let message =
                            format!("index {} is out of bounds for a dimension of {dim}", number_text(number));
                        return Err(self.error(Code::IndexOutOfBounds, *at, message));
                    };
                    known = known.map(|k| k * dim as i64 + inside as i64);
                }
                None => known = None,
            }
        }
        match known {
            Some(flat) => self.part_place(place, flat, span),
            None => self.runtime_index(place, dims, indices, span),
        }
    }

    fn runtime_index(&mut self, place: Place, dims: &[u64], indices: Vec<(Operand, Span)>, span: Span) -> Res<Place> {
        let TypeKind::Array { elem, .. } = *self.types.kind(place.ty) else {
            return Err(self.error(Code::NotComptime, span, "the index of a tuple must be comptime-known"));
        };
        if self.is_comptime() {
            return Err(self.not_comptime(span));
        }
        let scale = self.elem_stride(elem, span)?;
        let base = self.place_addr(&place, span)?;
        let mut pointer = self.emit_lea(base, span);
        let mut offset = 0u64;
        let mut weight: u64 = dims.iter().product();
        for ((index, at), &dim) in indices.iter().zip(dims) {
            weight /= dim.max(1);
            match index.as_const().and_then(crate::value::u64_of) {
                Some(known) => offset = offset.wrapping_add(known.wrapping_mul(weight * u64::from(scale))),
                None => {
                    let index = self.opnd(index, *at)?;
                    pointer = self.emit_index(pointer, index, scale.wrapping_mul(weight as u32), span);
                }
            }
        }
        let mut addr = self.addr_from(pointer, span);
        addr.offset = addr.offset.wrapping_add(offset as i32);
        Ok(Place { ty: elem, is_const: place.is_const, kind: PlaceKind::Mem(addr) })
    }

    fn emit_index(&mut self, base: Opnd, index: Opnd, scale: u32, span: Span) -> Opnd {
        let dst = self.new_reg(Scalar::PTR);
        self.emit(Inst::Index { dst, base, index, scale }, span);
        Opnd::Reg(dst)
    }

    /// `pointer[index]` for `[*]T`.
    fn many_index(&mut self, pointer: Operand, elem: Ty, is_const: bool, index: Operand, span: Span) -> Res<Place> {
        let known = index.as_const().and_then(crate::value::int_of).and_then(num_traits::ToPrimitive::to_i64);
        if let (Operand::Const(TypedValue { value: Value::Ptr(p), .. }), Some(at)) = (&pointer, known)
            && let Some(place) = self.known_many_index(p, elem, is_const, at)
        {
            return Ok(place);
        }
        if self.is_comptime() {
            return Err(self.not_comptime(span));
        }
        let scale = self.elem_stride(elem, span)?;
        let base = self.opnd(&pointer, span)?;
        let addr = match known {
            Some(at) => {
                let addr = self.addr_from(base, span);
                Addr { offset: addr.offset.wrapping_add(at.wrapping_mul(i64::from(scale)) as i32), base: addr.base }
            }
            None => {
                let index = self.opnd(&index, span)?;
                let pointer = self.emit_index(base, index, scale, span);
                self.addr_from(pointer, span)
            }
        };
        Ok(Place { ty: elem, is_const, kind: PlaceKind::Mem(addr) })
    }

    fn known_many_index(&self, pointer: &Pointer, elem: Ty, is_const: bool, at: i64) -> Option<Place> {
        let pointee = self.pointee_ty(pointer)?;
        let TypeKind::Array { elem: inner, dims } = self.types.kind(pointee) else { return None };
        let inside = u64::try_from(at).is_ok_and(|at| at < dims.iter().product());
        (*inner == elem && inside).then(|| {
            let mut pointer = pointer.clone();
            pointer.path.push(at);
            Place { ty: elem, is_const, kind: PlaceKind::Ptr(pointer) }
        })
    }

    /// The value at a place.
    pub fn load(&mut self, place: Place, span: Span) -> Res<Operand> {
        match place.kind {
            PlaceKind::Value(value) => Ok(value),
            PlaceKind::Reg(_) | PlaceKind::Mem(_) | PlaceKind::Bits { .. } if self.is_comptime() => {
                Err(self.not_comptime(span))
            }
            PlaceKind::Reg(reg) => Ok(Operand::Reg(place.ty, Opnd::Reg(reg))),
            PlaceKind::Mem(addr) => self.load_memory(place.ty, addr, span),
            PlaceKind::Bits { addr, container_bits, bit, bits } => {
                self.load_bits(place.ty, addr, container_bits, bit, bits, span)
            }
            PlaceKind::Ptr(pointer) => self.load_pointer(place.ty, &pointer, span),
        }
    }

    fn load_memory(&mut self, ty: Ty, addr: Addr, span: Span) -> Res<Operand> {
        if ty == Ty::VOID {
            return Ok(Operand::void());
        }
        match self.scalar(ty) {
            Some(scalar) => {
                let (ty, opnd) = self.emit_load(ty, scalar, addr, span);
                Ok(Operand::Reg(ty, opnd))
            }
            None if csl_ir::size_of(&self.types, ty).is_some() => Ok(Operand::Mem(ty, addr)),
            None => Err(self.comptime_only(ty, span)),
        }
    }

    fn load_pointer(&mut self, ty: Ty, pointer: &Pointer, span: Span) -> Res<Operand> {
        let known = match self.known_root(ty, pointer, span)? {
            Some(root) => match read_path(&self.types, &root, &pointer.path) {
                Some(value) => Some(value),
                None => return self.walk(root, &pointer.path, span),
            },
            None => None,
        };
        match known {
            Some(value) => Ok(value.unwrapped().into()),
            None if self.is_comptime() => Err(self.runtime_variable(pointer, span)),
            None => match self.packed_place(pointer, span)? {
                Some(kind) => self.load(Place { ty, is_const: true, kind }, span),
                None => {
                    let addr = self.pointer_addr(pointer, span)?;
                    self.load_memory(ty, addr, span)
                }
            },
        }
    }

    /// The comptime-known value of the object that a pointer starts from.
    fn known_root(&mut self, ty: Ty, pointer: &Pointer, span: Span) -> Res<Option<TypedValue>> {
        Ok(match pointer.root {
            PtrRoot::Cell(cell) => match self.unit.cells.get(cell.index()) {
                Some(root) => Some(root.value.clone()),
                None => return Err(self.gone(span)),
            },
            PtrRoot::Global(global) => {
                let info = &self.unit.globals[global];
                info.init.clone().filter(|init| info.is_const && init.value != Value::Undef)
            }
            PtrRoot::Fn(f) => Some(TypedValue::new(ty, Value::Fn(f))),
            PtrRoot::Absolute(_) => None,
        })
    }

    fn gone(&mut self, span: Span) -> crate::context::Stop {
        self.error(Code::BadOperand, span, "the variable that this points at no longer exists")
    }

    /// The part at the end of a path, step by step: other variants of unions are seen or refused.
    fn walk(&mut self, root: TypedValue, path: &[i64], span: Span) -> Res<Operand> {
        let mut value = Operand::Const(root);
        for &index in path {
            let Some(ty) = child_ty(&self.types, value.ty(), index) else {
                let shown = self.show(value.ty());
                let message = format!("index {index} is out of bounds for type `{shown}`");
                return Err(self.error(Code::IndexOutOfBounds, span, message));
            };
            value = self.part_value(value, index, ty, span)?;
        }
        Ok(value)
    }

    fn runtime_variable(&mut self, pointer: &Pointer, span: Span) -> crate::context::Stop {
        match pointer.root {
            PtrRoot::Global(global) => {
                let (name, at) = (self.unit.globals[global].name.clone(), self.unit.globals[global].span);
                let diagnostic = Diagnostic::new(
                    Code::NotComptime,
                    span,
                    format!("`{name}` is a variable, its value is not comptime-known"),
                );
                self.fail(diagnostic.secondary(at, "declared here"))
            }
            _ => self.not_comptime(span),
        }
    }

    /// Writes a value, coerced to the place's type.
    pub fn store(&mut self, place: &Place, value: Operand, span: Span) -> Res<()> {
        if place.is_const {
            return Err(self.error(Code::NotAssignable, span, "cannot assign to a constant"));
        }
        let value = self.coerce(value, place.ty, span)?;
        match &place.kind {
            PlaceKind::Value(_) => Err(self.error(Code::NotAssignable, span, "cannot assign to this expression")),
            PlaceKind::Ptr(pointer) => self.store_pointer(pointer, place.ty, value, span),
            _ if self.is_comptime() => Err(self.not_comptime(span)),
            PlaceKind::Reg(reg) => {
                let src = self.opnd(&value, span)?;
                self.emit(Inst::Copy { dst: *reg, src }, span);
                Ok(())
            }
            PlaceKind::Mem(addr) => self.store_memory(addr.clone(), value, span),
            PlaceKind::Bits { addr, container_bits, bit, bits } => {
                self.store_bits(addr.clone(), *container_bits, *bit, *bits, value, span)
            }
        }
    }

    fn store_pointer(&mut self, pointer: &Pointer, ty: Ty, value: Operand, span: Span) -> Res<()> {
        let PtrRoot::Cell(cell) = pointer.root else {
            if self.is_comptime() {
                return Err(self.error(Code::RuntimeOnly, span, "comptime code cannot assign to a run-time variable"));
            }
            if let Some(kind) = self.packed_place(pointer, span)? {
                return self.store(&Place { ty: value.ty(), is_const: false, kind }, value, span);
            }
            let addr = self.pointer_addr(pointer, span)?;
            return self.store_memory(addr, value, span);
        };
        let Operand::Const(value) = value else { return Err(self.not_comptime(span)) };
        let depth = self.frame().runtime_depth;
        let Some(root) = self.unit.cells.get(cell.index()) else {
            return Err(self.gone(span));
        };
        if root.runtime_depth < depth {
            let message = "a comptime variable cannot be changed under run-time control flow";
            return Err(self.error(Code::NotComptime, span, message));
        }
        if goes_through_large(&self.types, pointer) {
            let message = format!("an array of more than {MOST_WRITTEN} elements cannot be changed at comptime");
            return Err(self.error(Code::QuotaExceeded, span, message));
        }
        // Taken out so that the write does not copy the whole value.
        let mut whole = std::mem::replace(&mut self.unit.cells[cell].value.value, Value::Undef);
        let written = write_path(&self.types, pointer.root_ty, &mut whole, &pointer.path, value.as_part(ty));
        self.unit.cells[cell].value.value = whole;
        match written {
            true => Ok(()),
            false => Err(self.error(Code::IndexOutOfBounds, span, "this part does not exist")),
        }
    }

    fn store_memory(&mut self, addr: Addr, value: Operand, span: Span) -> Res<()> {
        let ty = value.ty();
        if let Some(scalar) = self.scalar(ty) {
            let src = self.opnd(&value, span)?;
            self.emit(Inst::Store { ty: scalar, addr, src }, span);
            return Ok(());
        }
        match value {
            Operand::Const(TypedValue { value: Value::Undef | Value::Void, .. }) => Ok(()),
            Operand::Const(ref typed) if self.fill(&addr, typed, span)? => Ok(()),
            Operand::Agg(ty, parts) => {
                let place = Place { ty, is_const: false, kind: PlaceKind::Mem(addr) };
                for (index, part) in parts.into_iter().enumerate() {
                    let field = self.part_place(place.clone(), index as i64, span)?;
                    self.store(&field, part, span)?;
                }
                Ok(())
            }
            value => {
                let Some(bytes) = csl_ir::size_of(&self.types, ty) else { return Err(self.comptime_only(ty, span)) };
                let src = self.addr(&value, span)?;
                self.emit(Inst::MemCopy { dst: addr, src, bytes }, span);
                Ok(())
            }
        }
    }

    /// Stores an array of equal scalars without a copy of it in memory.
    fn fill(&mut self, addr: &Addr, value: &TypedValue, span: Span) -> Res<bool> {
        let (Value::Array(array), TypeKind::Array { elem, .. }) = (&value.value, self.types.kind(value.ty).clone())
        else {
            return Ok(false);
        };
        let csl_ir::ArrayValue::Splat { value: each, len } = &**array else { return Ok(false) };
        let Some(scalar) = self.scalar(elem) else { return Ok(false) };
        if !matches!(each, Value::Undef) {
            let src = self.opnd(&TypedValue::new(elem, each.clone()).into(), span)?;
            self.emit(Inst::MemFill { ty: scalar, dst: addr.clone(), src, count: *len as u32 }, span);
        }
        Ok(true)
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
                let pointer = self.emit_lea(addr, span);
                Ok(Operand::Reg(ty, pointer))
            }
            PlaceKind::Value(Operand::Mem(_, addr)) => {
                let pointer = self.emit_lea(addr, span);
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

    fn no_memory(&mut self, ty: Ty, span: Span) -> crate::context::Stop {
        let message = format!("a value of type `{}` is comptime-known and has no address", self.show(ty));
        self.error(Code::ComptimeOnly, span, message)
    }

    /// New run-time memory for a value.
    pub fn temporary(&mut self, ty: Ty, name: &str) -> Place {
        let slot = self.new_slot(ty, name);
        Place { ty, is_const: false, kind: PlaceKind::Mem(Addr { base: AddrBase::Slot(slot), offset: 0 }) }
    }
}

/// Elements of an array whose parts are written one by one at comptime.
const MOST_WRITTEN: u64 = 1 << 22;

fn goes_through_large(types: &csl_ir::Types, pointer: &Pointer) -> bool {
    let mut ty = Some(pointer.root_ty);
    pointer.path.iter().any(|&index| {
        let is_large = ty.is_some_and(|ty| match types.kind(ty) {
            TypeKind::Array { dims, .. } => dims.iter().product::<u64>() > MOST_WRITTEN,
            _ => false,
        });
        ty = ty.and_then(|ty| child_ty(types, ty, index));
        is_large
    })
}
