//! Struct, tuple, array and union values: made from initialisers and from parts, and taken apart.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{ArrayValue, Name, Ty, TypeKind, TypedValue, Value};
use csl_syntax::ast::{Expr, FieldInit};

use crate::context::{Res, Sema};
use crate::operand::Operand;
use crate::order::Sequence;
use crate::value::{field_types, find_field};

/// The greatest number of fields in a type and in the types of its fields.
const MOST_PARTS: u64 = 1 << 20;

impl Sema<'_> {
    pub fn eval_struct_init(
        &mut self,
        ty: Option<&Expr>,
        inits: &[FieldInit],
        expected: Option<Ty>,
        span: Span,
    ) -> Res<Operand> {
        self.check_unique(inits)?;
        let Some(ty) = ty else { return self.eval_anonymous(inits, expected, span) };
        let ty = self.eval_type(ty)?;
        match self.types.kind(ty).clone() {
            TypeKind::Struct { .. } => self.eval_named_struct(ty, inits, span),
            TypeKind::Union { fields, .. } => {
                let [init] = inits else {
                    return Err(self.error(
                        Code::TypeMismatch,
                        span,
                        format!("a union is initialised by one field, got {}", inits.len()),
                    ));
                };
                let Some(active) = fields.iter().position(|f| f.name == init.name.name.as_str()) else {
                    return self.reject_field(ty, init);
                };
                self.note_part(init.name.span, ty, fields[active].name);
                let value = self.eval_as(&init.value, fields[active].ty)?;
                self.make_union(ty, active, value, span)
            }
            _ => {
                let shown = self.show(ty);
                Err(self.error(Code::BadType, span, format!("type `{shown}` has no fields to initialise")))
            }
        }
    }

    fn check_unique(&mut self, inits: &[FieldInit]) -> Res<()> {
        for (at, init) in inits.iter().enumerate() {
            if inits[..at].iter().any(|other| other.name.name == init.name.name) {
                let message = format!("field `{}` is given twice", init.name.name);
                return Err(self.error(Code::Redeclared, init.name.span, message));
            }
        }
        Ok(())
    }

    fn reject_field(&mut self, ty: Ty, init: &FieldInit) -> Res<Operand> {
        Err(self.no_field(ty, init.name.name.as_str(), init.name.span))
    }

    fn eval_named_struct(&mut self, ty: Ty, inits: &[FieldInit], span: Span) -> Res<Operand> {
        let fields = field_types(&self.types, ty).unwrap_or_default();
        let mut parts: Vec<Option<Operand>> = vec![None; fields.len()];
        let mut sequence = Sequence::of(inits.iter().map(|init| &init.value));
        for (at, init) in inits.iter().enumerate() {
            let Some((index, field_ty)) = find_field(&self.types, ty, init.name.name.as_str()) else {
                return self.reject_field(ty, init);
            };
            self.note_part(init.name.span, ty, init.name.name.as_str());
            let value = self.eval_as(&init.value, field_ty)?;
            parts[index] = Some(self.keep(value, &mut sequence, at, init.value.span)?);
        }
        let missing: Vec<&str> =
            fields.iter().zip(&parts).filter(|(_, p)| p.is_none()).filter_map(|(f, _)| f.0).collect();
        if !missing.is_empty() {
            let message = format!("expected {} fields, got {}", fields.len(), inits.len());
            let note = format!("missing: {}", missing.join(", "));
            return Err(self.fail(Diagnostic::new(Code::TypeMismatch, span, message).note(note)));
        }
        self.make_struct(ty, parts.into_iter().flatten().collect(), span)
    }

    fn eval_anonymous(&mut self, inits: &[FieldInit], expected: Option<Ty>, span: Span) -> Res<Operand> {
        let is_struct = expected.is_some_and(|ty| matches!(self.types.kind(ty), TypeKind::Struct { .. }));
        let mut names: Vec<Name> = Vec::with_capacity(inits.len());
        let mut parts = Vec::with_capacity(inits.len());
        let mut sequence = Sequence::of(inits.iter().map(|init| &init.value));
        for (at, init) in inits.iter().enumerate() {
            let name = init.name.name.as_str();
            let hint = expected.and_then(|ty| find_field(&self.types, ty, name)).map(|f| f.1);
            let value = match hint.filter(|_| is_struct) {
                Some(ty) => self.eval_as(&init.value, ty)?,
                None => self.eval_expecting(&init.value, hint)?,
            };
            names.push(name);
            let value = self.keep(value, &mut sequence, at, init.value.span)?;
            parts.push(self.pin(value, init.value.span)?);
        }
        let types = parts.iter().map(Operand::ty).collect();
        let ty = self.aggregate_of(TypeKind::Anon { names: Some(names), types }, span)?;
        for init in inits {
            // The value becomes one of the expected type.
            let name = init.name.name.as_str();
            let known = expected.filter(|&ty| find_field(&self.types, ty, name).is_some());
            self.note_part(init.name.span, known.unwrap_or(ty), name);
        }
        self.make_struct(ty, parts, span)
    }

    /// The type of structs, unions or tuples, unless it has more fields than the compiler could ever go through: a few
    /// dozen types, each of which has two fields of the one before, would have billions.
    pub fn aggregate_of(&mut self, kind: TypeKind, span: Span) -> Res<Ty> {
        let ty = self.types.intern(kind);
        self.bounded(ty, span)
    }

    fn bounded(&mut self, ty: Ty, span: Span) -> Res<Ty> {
        if self.types.parts(ty) <= MOST_PARTS {
            return Ok(ty);
        }
        let message = format!("a type can have {MOST_PARTS} fields at most, those of its fields included");
        Err(self.error(Code::QuotaExceeded, span, message))
    }

    pub fn eval_tuple(&mut self, elems: &[Expr], expected: Option<Ty>, span: Span) -> Res<Operand> {
        let hint = expected.and_then(|ty| match self.types.kind(ty) {
            TypeKind::Array { elem, .. } => Some(*elem),
            _ => None,
        });
        let mut parts = Vec::with_capacity(elems.len());
        let mut sequence = Sequence::of(elems.iter());
        for (at, elem) in elems.iter().enumerate() {
            let value = self.eval_expecting(elem, hint)?;
            let value = self.keep(value, &mut sequence, at, elem.span)?;
            parts.push(self.pin(value, elem.span)?);
        }
        let types = parts.iter().map(Operand::ty).collect();
        let ty = self.types.tuple(types);
        let ty = self.bounded(ty, span)?;
        self.make_struct(ty, parts, span)
    }

    /// `[3]i16 { 1, 2, 3 }`
    pub fn eval_array_init(&mut self, ty: &Expr, elems: &[Expr], span: Span) -> Res<Operand> {
        let ty = self.eval_type(ty)?;
        let TypeKind::Array { dims, elem } = self.types.kind(ty).clone() else {
            let shown = self.show(ty);
            return Err(self.error(Code::BadType, span, format!("type `{shown}` is not an array")));
        };
        let count: u64 = dims.iter().product();
        if elems.len() as u64 != count {
            let message = format!("expected {count} elements for type `{}`, got {}", self.show(ty), elems.len());
            return Err(self.error(Code::TypeMismatch, span, message));
        }
        let mut parts = Vec::with_capacity(elems.len());
        let mut sequence = Sequence::of(elems.iter());
        for (at, e) in elems.iter().enumerate() {
            let value = self.eval_as(e, elem)?;
            parts.push(self.keep(value, &mut sequence, at, e.span)?);
        }
        self.make_array(ty, parts, span)
    }

    /// The fields of a struct value, in order.
    pub fn fields_of(&mut self, operand: &Operand, span: Span) -> Res<Vec<(Name, Operand)>> {
        let fields = field_types(&self.types, operand.ty());
        // `.{}` is a tuple and a struct without fields.
        let Some(fields) = fields.filter(|f| f.iter().all(|f| f.0.is_some())) else {
            let shown = self.show(operand.ty());
            let diagnostic = Diagnostic::new(Code::TypeMismatch, span, format!("expected a struct, got: `{shown}`"));
            return Err(self.fail(match self.types.kind(operand.ty()) {
                TypeKind::Dsd(_) => diagnostic
                    .help("settings stand here, as in `.{ .async = true }`: the operation takes fewer operands"),
                _ => diagnostic,
            }));
        };
        let parts = self.parts_of(operand, fields.len(), span)?;
        Ok(fields.into_iter().map(|f| f.0.unwrap_or("")).zip(parts).collect())
    }

    /// The elements of a tuple.
    pub fn tuple_of(&mut self, operand: &Operand, span: Span) -> Res<Vec<Operand>> {
        let count = match self.types.kind(operand.ty()) {
            TypeKind::Anon { names: None, types } => types.len(),
            TypeKind::Array { dims, .. } => dims.iter().product::<u64>() as usize,
            _ => {
                let shown = self.show(operand.ty());
                return Err(self.error(Code::TypeMismatch, span, format!("expected a tuple, got: `{shown}`")));
            }
        };
        self.parts_of(operand, count, span)
    }

    pub fn parts_of(&mut self, operand: &Operand, count: usize, span: Span) -> Res<Vec<Operand>> {
        (0..count).map(|index| self.part_of(operand, index, span)).collect()
    }

    /// The part number `index` of an aggregate value.
    pub fn part_of(&mut self, operand: &Operand, index: usize, span: Span) -> Res<Operand> {
        let index = index as i64;
        match crate::value::child_ty(&self.types, operand.ty(), index) {
            Some(ty) => self.part_value(operand, index, ty, span),
            None => Err(self.no_part(operand.ty(), index, span)),
        }
    }

    /// An array of `elems`, which have the element type already.
    pub fn make_array(&mut self, ty: Ty, elems: Vec<Operand>, span: Span) -> Res<Operand> {
        if elems.iter().all(Operand::is_const) {
            let part = crate::value::child_ty(&self.types, ty, 0).unwrap_or(Ty::VOID);
            let values = elems.into_iter().filter_map(|e| Some(e.as_const()?.clone().as_part(part))).collect();
            return Ok(TypedValue::new(ty, Value::Array(Arc::new(ArrayValue::Elems(values)))).into());
        }
        self.build_in_memory(ty, elems, span)
    }

    /// A struct of `parts`, in field order and of the field types.
    pub fn make_struct(&mut self, ty: Ty, parts: Vec<Operand>, span: Span) -> Res<Operand> {
        if parts.iter().all(Operand::is_const) {
            let types = crate::value::field_types(&self.types, ty).unwrap_or_default();
            let parts = parts.iter().filter_map(Operand::as_const).zip(&types);
            let values = parts.map(|(part, field)| part.clone().as_part(field.1)).collect();
            return Ok(TypedValue::new(ty, Value::Struct(Arc::new(values))).into());
        }
        if matches!(self.types.kind(ty), TypeKind::Anon { .. }) {
            return Ok(Operand::Agg(ty, parts));
        }
        self.build_in_memory(ty, parts, span)
    }

    pub fn make_union(&mut self, ty: Ty, active: usize, part: Operand, span: Span) -> Res<Operand> {
        let Some(field) = crate::value::child_ty(&self.types, ty, active as i64) else {
            return Err(self.mismatch(part.ty(), ty, span));
        };
        match self.coerce(part, field, span)? {
            Operand::Const(value) => {
                let value = Value::Union { active: active as u32, value: Arc::new(value.as_part(field)) };
                Ok(TypedValue::new(ty, value).into())
            }
            part => self.build_field(ty, active, part, span),
        }
    }

    /// Stores `parts` one by one into a new stack slot.
    fn build_in_memory(&mut self, ty: Ty, parts: Vec<Operand>, span: Span) -> Res<Operand> {
        if csl_ir::size_of(&self.types, ty).is_none() {
            let shown = self.show(ty);
            return Err(self.error(
                Code::ComptimeOnly,
                span,
                format!("a value of type `{shown}` must be comptime-known"),
            ));
        }
        let place = self.temporary(ty, "", span)?;
        for (index, part) in parts.into_iter().enumerate() {
            let field = self.part_place(place.clone(), index as i64, span)?;
            self.store(&field, part, span)?;
        }
        self.load(place, span)
    }

    fn build_field(&mut self, ty: Ty, index: usize, part: Operand, span: Span) -> Res<Operand> {
        let place = self.temporary(ty, "", span)?;
        let field = self.part_place(place.clone(), index as i64, span)?;
        self.store(&field, part, span)?;
        self.load(place, span)
    }
}
