//! Places of expressions: a variable, a field, an element, the target of a pointer.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Addr, AddrBase, Inst, Opnd, Pointer, PtrRoot, Scalar, Ty, TypeKind, TypedValue, Value};
use csl_syntax::ast::{Expr, ExprKind};

use crate::context::{Binding, Res, Sema, Stop};
use crate::operand::{Operand, Place, PlaceKind};
use crate::value::{child_ty, find_field, number_text};

impl Sema<'_> {
    /// The place that an expression names; any other expression is a place that holds its value.
    pub fn eval_place(&mut self, expr: &Expr) -> Res<Place> {
        let place = self.find_place(expr)?;
        self.note_place(expr, &place);
        Ok(place)
    }

    fn find_place(&mut self, expr: &Expr) -> Res<Place> {
        match &expr.kind {
            ExprKind::Name(name) => self.name_place(*name, expr.span),
            ExprKind::Field { base, name } => self.field_place(base, name.name.as_str(), name.span),
            ExprKind::Index { base, indices } => self.index_place(base, indices, expr.span),
            ExprKind::Deref(pointer) => {
                let pointer = self.eval(pointer)?;
                self.deref(pointer, expr.span)
            }
            ExprKind::Builtin { name, args } if name.name.as_str() == "field" && args.len() == 2 => {
                let field = self.eval_string(&args[1])?;
                self.field_place(&args[0], &field, args[1].span)
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
            Some(Binding::Poison(reported)) => Err(reported.into()),
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

    /// The target of a pointer.
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
                // A pointer that was cast reinterprets memory: only its address counts.
                if self.pointee_ty(&pointer) == Some(elem) {
                    return Ok(Place { ty: elem, is_const, kind: PlaceKind::Ptr(pointer) });
                }
                let addr = self.pointer_addr(&pointer, span)?;
                Ok(Place { ty: elem, is_const, kind: PlaceKind::Mem(addr) })
            }
            other => {
                let pointer = self.opnd(&other, span)?;
                let addr = self.addr_from(pointer, span)?;
                Ok(Place { ty: elem, is_const, kind: PlaceKind::Mem(addr) })
            }
        }
    }

    /// The type of the part that a comptime pointer points at.
    pub fn pointee_ty(&self, pointer: &Pointer) -> Option<Ty> {
        pointer.path.iter().try_fold(pointer.root_ty, |ty, &index| child_ty(&self.types, ty, index))
    }

    pub fn field_place(&mut self, base: &Expr, name: &str, span: Span) -> Res<Place> {
        let mut place = self.eval_place(base)?;
        if let TypeKind::Ptr { many: false, elem, .. } = *self.types.kind(place.ty)
            && crate::value::field_count(&self.types, elem).is_some()
        {
            self.warn_implied(base, span);
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
        self.note_part(span, place.ty, csl_syntax::Symbol::new(name).as_str());
        self.part_place(place, index as i64, span)
    }

    /// Warns of `p.field` or `p[i]` where `p` is a pointer to one value. The guide (types): the only operation on such pointers is
    /// `.*`.
    fn warn_implied(&mut self, base: &Expr, span: Span) {
        if self.is_of_library(span) {
            return;
        }
        let end = Span { lo: base.span.hi, ..base.span };
        let diagnostic = Diagnostic::new(Code::ImpliedDereference, span, "a pointer is followed without `.*`")
            .note(
                "the guide allows nothing but `.*` on a pointer to one value, so the vendor's compiler may refuse this",
            )
            .help("write `.*` behind the pointer")
            .edit(end, ".*");
        self.report(diagnostic);
    }

    /// The value of a place that is declared as `comptime_struct`, with its own type.
    fn struct_at(&mut self, place: Place, span: Span) -> Res<Place> {
        let value = self.load(place, span)?;
        Ok(Place { ty: value.ty(), is_const: true, kind: PlaceKind::Value(value) })
    }

    pub fn no_field(&mut self, ty: Ty, name: &str, span: Span) -> Stop {
        let shown = self.show(ty);
        let mut diagnostic = Diagnostic::new(Code::UnknownField, span, format!("no field `{name}` in type `{shown}`"));
        if let Some(fields) = crate::value::field_types(&self.types, ty) {
            let names: Vec<&str> = fields.iter().filter_map(|f| f.0).collect();
            if !names.is_empty() {
                diagnostic = diagnostic.note(format!("it has: {}", names.join(", ")));
            }
            diagnostic = self.did_you_mean(diagnostic, Some(span), ("", name), names.into_iter());
        }
        self.fail(diagnostic)
    }

    /// A member that is not a field: of a module or an enum type.
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
                    Some(&(member, ref number)) => {
                        let value = Operand::Const(TypedValue::int(ty, number.clone()));
                        self.note_part(span, ty, member);
                        Ok(Some(Place { ty, is_const: true, kind: PlaceKind::Value(value) }))
                    }
                    None => {
                        let message = format!("no member `{name}` in enum `{}`", self.show(ty));
                        let diagnostic = Diagnostic::new(Code::UnknownField, span, message);
                        let names = members.iter().map(|member| member.0);
                        let diagnostic = self.did_you_mean(diagnostic, Some(span), ("", name), names);
                        Err(self.fail(diagnostic))
                    }
                }
            }
            _ => Ok(None),
        }
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
            self.warn_implied(base, span);
            place = self.pointee(pointer, elem, is_const, span)?;
        }
        if place.ty == Ty::COMPTIME_STRUCT {
            place = self.struct_at(place, base.span)?;
        }
        let rank = match self.types.kind(place.ty) {
            TypeKind::Array { dims, .. } => dims.len(),
            TypeKind::Anon { names: None, .. } => 1,
            _ => {
                let message = format!("a value of type `{}` cannot be indexed", self.show(place.ty));
                let diagnostic = Diagnostic::new(Code::BadOperand, span, message);
                return Err(self.fail(match self.types.kind(place.ty) {
                    TypeKind::Type => {
                        diagnostic.help("in the type of an array the length stands first, as in `[4]f32`")
                    }
                    TypeKind::Dsd(_) => diagnostic.help("index the array that it stands for"),
                    _ => diagnostic,
                }));
            }
        };
        if rank != indices.len() {
            return Err(self.index_count(rank, indices.len(), span));
        }
        let indices = indices.iter().map(|i| Ok((self.eval_index(i)?, i.span))).collect::<Res<Vec<_>>>()?;
        match self.flat_index(place.ty, &indices) {
            Ok(Some(flat)) => self.part_place(place, flat, span),
            Ok(None) => self.runtime_index(place, indices, span),
            Err(diagnostic) => Err(self.fail(diagnostic)),
        }
    }

    fn index_count(&mut self, expected: usize, got: usize, span: Span) -> Stop {
        let message = format!("expected {expected} index expression(s), got {got}");
        let diagnostic = Diagnostic::new(Code::ArgumentCount, span, message);
        self.fail(match (expected, got) {
            (2.., 1) => diagnostic.help("the indices stand in one pair of brackets, as in `x[i, j]`"),
            _ => diagnostic,
        })
    }

    /// The value of an index, which may be any integer.
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

    /// The number of the element with these indices, where they are known.
    fn flat_index(&self, ty: Ty, indices: &[(Operand, Span)]) -> Result<Option<i64>, Diagnostic> {
        let count;
        let dims: &[u64] = match self.types.kind(ty) {
            TypeKind::Array { dims, .. } => dims,
            TypeKind::Anon { types, .. } => {
                count = [types.len() as u64];
                &count
            }
            _ => &[],
        };
        let mut known = Some(0i64);
        for ((index, at), &dim) in indices.iter().zip(dims) {
            match index.as_const().and_then(crate::value::int_of) {
                Some(number) => {
                    let inside = num_traits::ToPrimitive::to_u64(number).filter(|&n| n < dim);
                    let Some(inside) = inside else {
                        let message =
                            format!("index {} is out of bounds for a dimension of {dim}", number_text(number));
                        return Err(Diagnostic::new(Code::IndexOutOfBounds, *at, message));
                    };
                    known = known.map(|k| k * dim as i64 + inside as i64);
                }
                None => known = None,
            }
        }
        Ok(known)
    }

    fn runtime_index(&mut self, place: Place, indices: Vec<(Operand, Span)>, span: Span) -> Res<Place> {
        let TypeKind::Array { elem, dims } = self.types.kind(place.ty).clone() else {
            return Err(self.error(Code::NotComptime, span, "the index of a tuple must be comptime-known"));
        };
        self.code(span)?;
        let scale = self.elem_stride(elem, span)?;
        let base = self.place_addr(&place, span)?;
        let mut pointer = self.emit_lea(base, span)?;
        let mut offset = 0u64;
        let mut weight: u64 = dims.iter().product();
        for ((index, at), &dim) in indices.iter().zip(&dims) {
            weight /= dim.max(1);
            match index.as_const().and_then(crate::value::u64_of) {
                Some(known) => offset = offset.wrapping_add(known.wrapping_mul(weight * u64::from(scale))),
                None => {
                    let index = self.opnd(index, *at)?;
                    let values = if dims.len() > 1 { u16::try_from(dim).unwrap_or(0) } else { 0 };
                    pointer = self.emit_index(pointer, index, scale.wrapping_mul(weight as u32), values, span)?;
                }
            }
        }
        let mut addr = self.addr_from(pointer, span)?;
        addr.offset = addr.offset.wrapping_add(offset as i32);
        Ok(Place { ty: elem, is_const: place.is_const, kind: PlaceKind::Mem(addr) })
    }

    fn emit_index(&mut self, base: Opnd, index: Opnd, scale: u32, values: u16, span: Span) -> Res<Opnd> {
        let dst = self.code(span)?.new_reg(Scalar::PTR);
        self.emit(Inst::Index { dst, base, index, scale, values }, span)?;
        Ok(Opnd::Reg(dst))
    }

    /// `pointer[index]` for `[*]T`.
    fn many_index(&mut self, pointer: Operand, elem: Ty, is_const: bool, index: Operand, span: Span) -> Res<Place> {
        let known = index.as_const().and_then(crate::value::int_of).and_then(num_traits::ToPrimitive::to_i64);
        if let (Operand::Const(TypedValue { value: Value::Ptr(p), .. }), Some(at)) = (&pointer, known)
            && let Some(place) = self.known_many_index(p, elem, is_const, at)
        {
            return Ok(place);
        }
        self.code(span)?;
        let scale = self.elem_stride(elem, span)?;
        let base = self.opnd(&pointer, span)?;
        let addr = match known {
            Some(at) => {
                let addr = self.addr_from(base, span)?;
                Addr { offset: addr.offset.wrapping_add(at.wrapping_mul(i64::from(scale)) as i32), base: addr.base }
            }
            None => {
                let index = self.opnd(&index, span)?;
                let pointer = self.emit_index(base, index, scale, 0, span)?;
                self.addr_from(pointer, span)?
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
}
