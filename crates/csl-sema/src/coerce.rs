//! Implicit conversions, and the common type of several values.

use std::borrow::Cow;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{FloatFormat, Opnd, PtrRoot, Ty, TypeKind, TypedValue, Value, Varying};
use csl_num::{FloatKind, IntTy};
use num_bigint::BigInt;

use crate::context::{Res, Sema, Stop};
use crate::operand::Operand;
use crate::value::{field_types, float_value, number_text};

impl Sema<'_> {
    /// The value as one of type `ty`, if the language converts it implicitly.
    pub fn coerce(&mut self, operand: Operand, ty: Ty, span: Span) -> Res<Operand> {
        if operand.ty() == ty {
            return Ok(operand);
        }
        match operand {
            Operand::Const(value) => self.coerce_const(value, ty, span).map(Operand::Const),
            Operand::Agg(from, parts) => self.coerce_parts(from, parts, ty, span),
            Operand::Reg(from, opnd) => self.coerce_reg(from, opnd, ty, span),
            Operand::Mem(from, _) => match self.types.kind(from) {
                TypeKind::Anon { types, .. } => {
                    let count = types.len();
                    let parts = self.parts_of(&operand, count, span)?;
                    self.coerce_parts(from, parts, ty, span)
                }
                TypeKind::Int { .. } if self.widens(from, ty) => self.convert(operand, ty, span),
                _ => Err(self.mismatch(from, ty, span)),
            },
        }
    }

    pub fn mismatch(&mut self, from: Ty, to: Ty, span: Span) -> Stop {
        let help = self.conversion_help(from, to);
        let (from, to) = (self.show(from), self.show(to));
        let diagnostic = Diagnostic::new(Code::TypeMismatch, span, format!("expected type `{to}`, got: `{from}`"));
        self.fail(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        })
    }

    /// What makes a value of one type one of another.
    fn conversion_help(&self, from: Ty, to: Ty) -> Option<String> {
        if to == Ty::BOOL && self.is_number(from) {
            return Some("compare it, as in `n != 0`".to_owned());
        }
        if self.is_castable(from) && self.is_castable(to) && from != Ty::BOOL {
            return Some(format!("convert it with @as({}, ...)", self.show(to)));
        }
        let element = |ty| match self.types.kind(ty) {
            TypeKind::Array { elem, .. } => Some(*elem),
            _ => None,
        };
        let is_array_of_it = element(from).is_some_and(|elem| self.pointed_element(to) == Some(elem));
        if is_array_of_it {
            return Some("an array is no pointer to itself: take its address, as in `&x`".to_owned());
        }
        let is_many = matches!(self.types.kind(to), TypeKind::Ptr { many: true, .. });
        let is_of_one = matches!(self.types.kind(from), TypeKind::Ptr { many: false, elem, .. } if Some(*elem) == self.pointed_element(to));
        (is_many && is_of_one)
            .then(|| format!("declare an array of one element, or write @ptrcast({}, ...)", self.show(to)))
    }

    /// Whether `@as` takes the type.
    fn is_castable(&self, ty: Ty) -> bool {
        let kind = self.types.kind(ty);
        matches!(
            kind,
            TypeKind::Bool
                | TypeKind::Int { .. }
                | TypeKind::Float(_)
                | TypeKind::Enum { .. }
                | TypeKind::ComptimeFloat
        )
    }

    /// A comptime value as one of type `ty`.
    pub fn coerce_const(&mut self, value: TypedValue, ty: Ty, span: Span) -> Res<TypedValue> {
        if value.ty == ty {
            return Ok(value);
        }
        if matches!(value.value, Value::Undef) && value.ty == Ty::VOID {
            return Ok(TypedValue::new(ty, Value::Undef));
        }
        let to = self.types.kind(ty).clone();
        if let Value::Varying(varying) = &value.value {
            if let (Some(format), Ty::COMPTIME_INT) = (self.float_format(ty), value.ty)
                && is_exact(varying, format)
                && let Some(float) = varying.to_float(format)
            {
                return Ok(TypedValue::new(ty, Value::VaryingFloat(float)));
            }
            let stays = self.is_number(value.ty)
                && match to {
                    TypeKind::Int { signed, bits } => varying.fits(IntTy { signed, bits }),
                    TypeKind::ComptimeInt => true,
                    _ => false,
                };
            return match stays {
                true => Ok(TypedValue::new(ty, value.value)),
                false => self.coerce_const(TypedValue::int(value.ty, varying.concretize().clone()), ty, span),
            };
        }
        if let Value::VaryingFloat(varying) = &value.value {
            let formats = self.float_format(value.ty).zip(self.float_format(ty)).filter(|formats| widens(*formats));
            return match formats.and_then(|(from, to)| varying.float_as(from, to)) {
                Some(converted) => Ok(TypedValue::new(ty, Value::VaryingFloat(converted))),
                None => self.coerce_const(TypedValue::new(value.ty, Value::Float(varying.concretize_bits())), ty, span),
            };
        }
        match (&value.value, &to) {
            (Value::Int(number), TypeKind::Int { signed, bits }) if self.is_number(value.ty) => {
                let number = number.clone();
                self.fit_int(value.ty, number, ty, IntTy { signed: *signed, bits: *bits }, span)
            }
            (Value::Int(number), TypeKind::ComptimeInt) if self.is_number(value.ty) => {
                Ok(TypedValue::int(ty, number.clone()))
            }
            (Value::Int(number), TypeKind::Float(kind)) if value.ty == Ty::COMPTIME_INT => {
                self.warn_lost_remainder(span);
                let bits = csl_num::big_to_float(*kind, number);
                self.exact_float(number.clone(), *kind, bits, ty, span)
            }
            (Value::Int(number), TypeKind::ComptimeFloat) if value.ty == Ty::COMPTIME_INT => {
                self.warn_lost_remainder(span);
                Ok(TypedValue::new(ty, Value::Float(csl_num::big_to_f64(number).to_bits())))
            }
            (Value::Float(bits), TypeKind::Float(kind)) => self.coerce_float(&value, *bits, *kind, ty, span),
            (Value::Ptr(_), TypeKind::Ptr { .. }) if self.pointer_fits(value.ty, ty) => {
                Ok(self.retype_pointer(value, ty))
            }
            (Value::Fn(f), TypeKind::Ptr { is_const: true, elem, .. }) if *elem == value.ty => {
                let pointer = csl_ir::Pointer { root: PtrRoot::Fn(*f), root_ty: value.ty, path: Vec::new() };
                Ok(TypedValue::new(ty, Value::Ptr(pointer)))
            }
            (Value::Struct(_), TypeKind::ComptimeStruct) => Ok(value),
            (Value::Struct(_), _) if matches!(self.types.kind(value.ty), TypeKind::Anon { .. }) => {
                let parts = self.const_parts(&value);
                match self.coerce_parts(value.ty, parts, ty, span)? {
                    Operand::Const(value) => Ok(value),
                    _ => Err(self.mismatch(value.ty, ty, span)),
                }
            }
            _ => Err(self.mismatch(value.ty, ty, span)),
        }
    }

    /// Warns of a comptime integer that becomes a float, where the expression at `span` divides integers with a remainder and
    /// calls nothing, which might have taken the quotient as an integer.
    pub fn warn_lost_remainder(&mut self, span: Span) {
        let is_within = |at: &&Span| at.file == span.file && span.lo <= at.lo && at.hi <= span.hi;
        let Some(&at) = self.inexact.iter().filter(is_within).min_by_key(|at| at.lo) else { return };
        let text = &self.map.text(span.file)[span.range()];
        let calls =
            text.as_bytes().windows(2).any(|two| two[1] == b'(' && (two[0].is_ascii_alphanumeric() || two[0] == b'_'));
        if calls || self.is_of_library(at) {
            return;
        }
        let message = "this division of integers leaves a remainder, which the float does not have";
        let help = "write a number with a point, as in `1.0 / 4.0`";
        self.report(Diagnostic::new(Code::LostRemainder, at, message).help(help));
    }

    pub fn is_number(&self, ty: Ty) -> bool {
        matches!(self.types.kind(ty), TypeKind::Int { .. } | TypeKind::ComptimeInt)
    }

    /// A comptime-known integer as one of another type: it converts by value, whatever its width and sign (published
    /// programs bind u16 values to `param: i16`).
    fn fit_int(&mut self, from: Ty, number: BigInt, ty: Ty, int: IntTy, span: Span) -> Res<TypedValue> {
        if int.fits(&number) {
            return Ok(TypedValue::int(ty, number));
        }
        let message = format!("{} does not fit in type `{}`", number_text(&number), self.show(ty));
        let note = format!("`{}` holds {} to {}", self.show(ty), number_text(&int.min()), number_text(&int.max()));
        let from = self.show(from);
        Err(self
            .fail(Diagnostic::new(Code::NotRepresentable, span, message).label(format!("this is {from}")).note(note)))
    }

    fn exact_float(&mut self, number: BigInt, kind: FloatKind, bits: u64, ty: Ty, span: Span) -> Res<TypedValue> {
        if csl_num::float_to_big(kind, bits).as_ref() == Some(&number) {
            return Ok(TypedValue::new(ty, Value::Float(bits)));
        }
        let message = format!("{} has no exact value of type `{}`", number_text(&number), self.show(ty));
        Err(self.fail(Diagnostic::new(Code::NotRepresentable, span, message).help("write it as a float literal")))
    }

    fn coerce_float(&mut self, value: &TypedValue, bits: u64, to: FloatKind, ty: Ty, span: Span) -> Res<TypedValue> {
        match self.types.kind(value.ty) {
            TypeKind::ComptimeFloat => {
                let wide = f64::from_bits(bits);
                let narrow = float_value(to, wide);
                let Value::Float(narrow_bits) = narrow else { return Err(self.mismatch(value.ty, ty, span)) };
                if wide.is_finite() && !csl_num::to_f64(to, narrow_bits).is_finite() {
                    let message = format!("{wide:e} does not fit in type `{}`", self.show(ty));
                    return Err(self.error(Code::NotRepresentable, span, message));
                }
                Ok(TypedValue::new(ty, narrow))
            }
            TypeKind::Float(from) if to == FloatKind::F32 && *from != FloatKind::F32 => {
                Ok(TypedValue::new(ty, Value::Float(csl_num::float_convert(*from, to, bits))))
            }
            _ => Err(self.mismatch(value.ty, ty, span)),
        }
    }

    /// Whether a pointer of type `from` may be used as one of type `to`.
    fn pointer_fits(&self, from: Ty, to: Ty) -> bool {
        let (
            TypeKind::Ptr { many: from_many, is_const: from_const, elem: from_elem },
            TypeKind::Ptr { many, is_const, elem },
        ) = (self.types.kind(from), self.types.kind(to))
        else {
            return false;
        };
        if *from_const && !*is_const {
            return false;
        }
        if *elem == Ty::ANYOPAQUE || (from_many == many && from_elem == elem) {
            return true;
        }
        if *from_many {
            return false;
        }
        match (self.types.kind(*from_elem), self.types.kind(*elem)) {
            // Arrays of any rank give `[*]T`, as published programs use it.
            (TypeKind::Array { elem: inner, .. }, _) if *many => inner == elem,
            (_, TypeKind::Array { dims, elem: inner }) if !*many => dims == &[1] && inner == from_elem,
            _ => false,
        }
    }

    fn retype_pointer(&mut self, mut value: TypedValue, ty: Ty) -> TypedValue {
        value.ty = ty;
        value
    }

    fn coerce_reg(&mut self, from: Ty, opnd: Opnd, ty: Ty, span: Span) -> Res<Operand> {
        if self.pointer_fits(from, ty) {
            return Ok(Operand::Reg(ty, opnd));
        }
        if !self.widens(from, ty) {
            return Err(self.mismatch(from, ty, span));
        }
        self.convert(Operand::Reg(from, opnd), ty, span)
    }

    /// Whether every value of `from` is one of `to`: run-time numbers convert implicitly then.
    fn widens(&self, from: Ty, to: Ty) -> bool {
        match (self.types.kind(from), self.types.kind(to)) {
            (TypeKind::Int { signed: false, bits: from }, TypeKind::Int { signed: true, bits: to }) => from < to,
            (TypeKind::Int { signed: a, bits: from }, TypeKind::Int { signed: b, bits: to }) => a == b && from <= to,
            (TypeKind::Float(from), TypeKind::Float(FloatKind::F32)) => *from != FloatKind::F32,
            _ => false,
        }
    }

    /// The parts of a comptime struct value as operands.
    pub fn const_parts(&self, value: &TypedValue) -> Vec<Operand> {
        let (Some(fields), Value::Struct(parts)) = (field_types(&self.types, value.ty), &value.value) else {
            return Vec::new();
        };
        fields.iter().zip(parts.iter()).map(|(f, v)| Operand::Const(TypedValue::new(f.1, v.clone()))).collect()
    }

    /// An anonymous struct or tuple, given by its parts, as a value of type `ty`.
    fn coerce_parts(&mut self, from: Ty, parts: Vec<Operand>, ty: Ty, span: Span) -> Res<Operand> {
        let TypeKind::Anon { names, .. } = self.types.kind(from).clone() else {
            return Err(self.mismatch(from, ty, span));
        };
        self.note_became(from, ty);
        match self.types.kind(ty).clone() {
            TypeKind::ComptimeStruct => Ok(Operand::Agg(from, parts)),
            TypeKind::Array { elem, dims } if names.is_none() && parts.len() as u64 == dims.iter().product::<u64>() => {
                self.array_from(ty, elem, parts, span)
            }
            TypeKind::Struct { .. } | TypeKind::Anon { .. } => {
                let fields = field_types(&self.types, ty).unwrap_or_default();
                let ordered = self.order_fields(names, parts, &fields, ty, span)?;
                self.make_struct(ty, ordered, span)
            }
            TypeKind::Union { fields, .. } => {
                let (Some(names), 1) = (&names, parts.len()) else { return Err(self.mismatch(from, ty, span)) };
                let Some(active) = fields.iter().position(|f| f.name == names[0]) else {
                    return Err(self.mismatch(from, ty, span));
                };
                let part = parts.into_iter().next().expect("one part was counted");
                self.make_union(ty, active, part, span)
            }
            _ => Err(self.mismatch(from, ty, span)),
        }
    }

    fn array_from(&mut self, ty: Ty, elem: Ty, parts: Vec<Operand>, span: Span) -> Res<Operand> {
        let mut elems = Vec::with_capacity(parts.len());
        for part in parts {
            elems.push(self.coerce(part, elem, span)?);
        }
        self.make_array(ty, elems, span)
    }

    fn order_fields(
        &mut self,
        names: Option<Vec<csl_ir::Name>>,
        parts: Vec<Operand>,
        fields: &[(Option<csl_ir::Name>, Ty)],
        ty: Ty,
        span: Span,
    ) -> Res<Vec<Operand>> {
        if parts.len() != fields.len() {
            let message = format!("expected {} fields, got {}", fields.len(), parts.len());
            let shown = self.show(ty);
            return Err(
                self.fail(Diagnostic::new(Code::TypeMismatch, span, message).note(format!("for type `{shown}`")))
            );
        }
        let mut ordered = Vec::with_capacity(parts.len());
        for (at, field) in fields.iter().enumerate() {
            let index = match (&names, field.0) {
                (Some(names), Some(name)) => names.iter().position(|&n| n == name),
                (None, None) => Some(at),
                _ => None,
            };
            let Some(index) = index else {
                let message = format!("field `{}` not present in source", field.0.unwrap_or("?"));
                return Err(self.error(Code::TypeMismatch, span, message));
            };
            ordered.push(self.coerce(parts[index].clone(), field.1, span)?);
        }
        Ok(ordered)
    }

    /// The type that all of `operands` can be coerced to.
    pub fn peer(&mut self, operands: &[(Operand, Span)]) -> Res<Ty> {
        let (mut common, mut common_at) = (Cow::Borrowed(&operands[0].0), operands[0].1);
        for (other, span) in &operands[1..] {
            let (ty, peer) = (common.ty(), self.peer_of(common, other));
            let Some(peer) = peer else { return Err(self.no_peer((ty, common_at), (other.ty(), *span))) };
            if peer.ty() != ty {
                common_at = *span;
            }
            common = peer;
        }
        Ok(common.ty())
    }

    fn no_peer(&mut self, a: (Ty, Span), b: (Ty, Span)) -> Stop {
        let castable = self.is_castable(a.0) && self.is_castable(b.0);
        let (a_shown, b_shown) = (self.show(a.0), self.show(b.0));
        let message = format!("incompatible types: `{a_shown}` and `{b_shown}`");
        let mut diagnostic = Diagnostic::new(Code::TypeMismatch, b.1, message);
        if a.1 != b.1 {
            diagnostic =
                diagnostic.label(format!("and this `{b_shown}`")).secondary(a.1, format!("this has type `{a_shown}`"));
        }
        self.fail(if castable { diagnostic.help("convert one of them with @as") } else { diagnostic })
    }

    fn peer_of<'o>(&mut self, a: Cow<'o, Operand>, b: &'o Operand) -> Option<Cow<'o, Operand>> {
        let (a_ty, b_ty) = (a.ty(), b.ty());
        if a_ty == b_ty || self.fits_by_type(b, a_ty) {
            return Some(a);
        }
        if self.fits_by_type(&a, b_ty) {
            return Some(Cow::Borrowed(b));
        }
        if self.fits(b, a_ty) {
            return Some(a);
        }
        if self.fits(&a, b_ty) {
            return Some(Cow::Borrowed(b));
        }
        let ty = self.peer_pointer(a_ty, b_ty)?;
        Some(Cow::Owned(Operand::Reg(ty, Opnd::Imm(0))))
    }

    /// The common type of two pointers: both made const, or both made `[*]`.
    fn peer_pointer(&mut self, a: Ty, b: Ty) -> Option<Ty> {
        let TypeKind::Ptr { elem, .. } = *self.types.kind(a) else { return None };
        let inner = match self.types.kind(elem) {
            TypeKind::Array { elem, .. } => *elem,
            _ => elem,
        };
        let candidates = [(false, true, elem), (true, false, inner), (true, true, inner)];
        for (many, is_const, elem) in candidates {
            let ty = self.types.ptr(many, is_const, elem);
            if self.pointer_fits(a, ty) && self.pointer_fits(b, ty) {
                return Some(ty);
            }
        }
        None
    }

    /// Whether [`Sema::coerce`] would succeed; reports nothing.
    pub fn fits(&mut self, operand: &Operand, ty: Ty) -> bool {
        let by_value = operand.as_const().is_some_and(|value| self.known_int_fits(value, ty));
        by_value || self.fits_by_type(operand, ty)
    }

    /// [`Sema::fits`], but a fixed-width integer must fit by its type and not only by its value.
    fn fits_by_type(&self, operand: &Operand, ty: Ty) -> bool {
        if operand.ty() == ty {
            return true;
        }
        match operand {
            Operand::Reg(from, _) => self.widens(*from, ty) || self.pointer_fits(*from, ty),
            Operand::Const(value) => self.const_fits(value, ty),
            _ => false,
        }
    }

    fn const_fits(&self, value: &TypedValue, ty: Ty) -> bool {
        match (&value.value, self.types.kind(ty)) {
            (Value::Int(_) | Value::Varying(_), TypeKind::Int { signed, bits }) if value.ty == Ty::COMPTIME_INT => {
                int_fits(&value.value, IntTy { signed: *signed, bits: *bits })
            }
            (Value::Varying(varying), TypeKind::Float(kind))
                if value.ty == Ty::COMPTIME_INT && is_exact(varying, FloatFormat::Kind(*kind)) =>
            {
                true
            }
            (Value::Int(_) | Value::Varying(_), TypeKind::Float(kind)) if value.ty == Ty::COMPTIME_INT => {
                let number = value.value.int();
                number.and_then(|n| csl_num::float_to_big(*kind, csl_num::big_to_float(*kind, n))).as_ref() == number
            }
            (Value::Int(_) | Value::Varying(_), TypeKind::ComptimeFloat) => value.ty == Ty::COMPTIME_INT,
            (Value::Float(_) | Value::VaryingFloat(_), TypeKind::Float(_)) if value.ty == Ty::COMPTIME_FLOAT => true,
            (Value::Ptr(_), TypeKind::Ptr { .. }) => self.pointer_fits(value.ty, ty),
            (Value::Fn(_), TypeKind::Ptr { is_const: true, elem, .. }) => *elem == value.ty,
            _ => self.widens(value.ty, ty),
        }
    }

    fn known_int_fits(&self, value: &TypedValue, ty: Ty) -> bool {
        match (&value.value, self.types.kind(value.ty), self.types.kind(ty)) {
            (Value::Int(_) | Value::Varying(_), TypeKind::Int { .. }, TypeKind::Int { signed, bits }) => {
                int_fits(&value.value, IntTy { signed: *signed, bits: *bits })
            }
            _ => false,
        }
    }
}

/// Whether an integer is small enough for an exact value in a format, on this and every other tile of the program.
fn is_exact(varying: &Varying, format: FloatFormat) -> bool {
    match format {
        FloatFormat::Kind(kind) => varying.fits(IntTy { signed: true, bits: kind.precision() + 1 }),
        FloatFormat::Double => true,
    }
}

/// Whether a float of the first format is used as one of the second without `@as`.
fn widens((from, to): (FloatFormat, FloatFormat)) -> bool {
    match (from, to) {
        (FloatFormat::Double, _) => true,
        (FloatFormat::Kind(from), FloatFormat::Kind(to)) => to == FloatKind::F32 && from != FloatKind::F32,
        (FloatFormat::Kind(_), FloatFormat::Double) => false,
    }
}

/// Whether an integer type holds the value.
fn int_fits(value: &Value, ty: IntTy) -> bool {
    match value {
        Value::Varying(varying) => varying.fits(ty),
        other => other.int().is_some_and(|number| ty.fits(number)),
    }
}
