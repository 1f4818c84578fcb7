//! Explicit conversions: `@as`, `@bitcast`, `@ptrcast`.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{
    Addr, CmpOp, FloatFormat, Inst, Opnd, Pointer, PtrRoot, Scalar, Ty, TypeKind, TypedValue, Value, Varying,
};
use csl_num::{FloatKind, IntTy};
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};

use crate::context::{Res, Sema, Stop};
use crate::operand::Operand;
use crate::packed;
use crate::value::{f64_of, number_text};

impl Sema<'_> {
    /// `@as(ty, operand)`.
    pub fn convert(&mut self, operand: Operand, ty: Ty, span: Span) -> Res<Operand> {
        if operand.ty() == ty {
            return Ok(operand);
        }
        match operand {
            Operand::Const(value) => self.convert_const(value, ty, span).map(Operand::Const),
            other if self.wide_int(other.ty()).is_some() => self.wide_convert(&other, ty, span),
            other @ Operand::Reg(..) if self.wide_int(ty).is_some() => self.wide_convert(&other, ty, span),
            Operand::Reg(_, _) if is_empty_int(self.types.kind(ty)) => Ok(TypedValue::int(ty, 0).into()),
            Operand::Mem(from, _) if is_empty_int(self.types.kind(from)) => {
                self.convert_const(TypedValue::int(from, 0), ty, span).map(Operand::Const)
            }
            Operand::Reg(from, opnd) => self.convert_reg(from, opnd, ty, span),
            other => self.coerce(other, ty, span),
        }
    }

    fn convert_const(&mut self, value: TypedValue, ty: Ty, span: Span) -> Res<TypedValue> {
        let to = self.types.kind(ty).clone();
        if let TypeKind::Enum { base, members, .. } = to {
            if matches!(self.types.kind(value.ty), TypeKind::Enum { .. }) {
                return Err(self.other_enum(value.ty, ty, span));
            }
            let number = self.convert_const(value, base, span)?;
            if !members.iter().any(|m| Some(&m.1) == number.value.int()) {
                let shown = crate::value::show(&self.types, &number);
                let message = format!("{shown} is the number of no member of `{}`", self.show(ty));
                return Err(self.error(Code::NotRepresentable, span, message));
            }
            return Ok(TypedValue::new(ty, number.value));
        }
        if let Value::Bool(b) = value.value
            && !matches!(to, TypeKind::Bool)
        {
            return self.convert_const(TypedValue::int(Ty::COMPTIME_INT, u8::from(b)), ty, span);
        }
        if let Value::Varying(varying) = &value.value {
            return self.convert_varying(&value, varying, ty, span);
        }
        if let Value::VaryingFloat(varying) = &value.value {
            let formats = self.float_format(value.ty).zip(self.float_format(ty));
            return match formats.and_then(|(from, to)| varying.float_as(from, to)) {
                Some(converted) => Ok(TypedValue::new(ty, Value::VaryingFloat(converted))),
                None => {
                    self.convert_const(TypedValue::new(value.ty, Value::Float(varying.concretize_bits())), ty, span)
                }
            };
        }
        match (&value.value, to) {
            (Value::Int(n), TypeKind::Bool) => Ok(TypedValue::bool(!n.is_zero())),
            (Value::Float(_), TypeKind::Bool) => {
                Ok(TypedValue::bool(f64_of(&self.types, &value).is_some_and(|f| f != 0.0)))
            }
            (Value::Int(n), TypeKind::Int { signed, bits }) => self.int_as(&value, n, ty, IntTy { signed, bits }, span),
            (Value::Int(n), TypeKind::ComptimeInt) => Ok(TypedValue::int(ty, n.clone())),
            (Value::Int(n), TypeKind::Float(kind)) => {
                Ok(TypedValue::new(ty, Value::Float(csl_num::big_to_float(kind, n))))
            }
            (Value::Int(n), TypeKind::ComptimeFloat) => {
                Ok(TypedValue::new(ty, Value::Float(csl_num::big_to_f64(n).to_bits())))
            }
            (Value::Float(_), TypeKind::Int { .. } | TypeKind::ComptimeInt) => self.float_as_int(&value, ty, span),
            (Value::Float(_), TypeKind::Float(kind)) => {
                let wide = f64_of(&self.types, &value).unwrap_or(f64::NAN);
                Ok(TypedValue::new(ty, crate::value::float_value(kind, wide)))
            }
            (Value::Float(_), TypeKind::ComptimeFloat) => {
                let wide = f64_of(&self.types, &value).unwrap_or(f64::NAN);
                Ok(TypedValue::new(ty, Value::Float(wide.to_bits())))
            }
            _ => self.coerce_const(value, ty, span),
        }
    }

    /// `@as` of an integer that varies between tiles, which stays varying where it becomes another one or a float.
    fn convert_varying(&mut self, value: &TypedValue, varying: &Varying, ty: Ty, span: Span) -> Res<TypedValue> {
        let zero = Value::Int(BigInt::zero());
        let converted = match *self.types.kind(ty) {
            TypeKind::Bool => Varying::compare(CmpOp::Ne, &value.value, &zero).map(Value::Bool),
            TypeKind::Int { signed, bits } if value.ty != Ty::COMPTIME_INT || varying.fits(IntTy { signed, bits }) => {
                varying.wrapped(IntTy { signed, bits }).map(Value::Varying)
            }
            TypeKind::ComptimeInt => Some(value.value.clone()),
            TypeKind::Float(_) | TypeKind::ComptimeFloat => {
                let format = self.float_format(ty);
                format.and_then(|format| varying.to_float(format)).map(Value::VaryingFloat)
            }
            _ => None,
        };
        match converted {
            Some(converted) => Ok(TypedValue::new(ty, converted)),
            None => self.convert_const(TypedValue::int(value.ty, varying.concretize().clone()), ty, span),
        }
    }

    /// The format of a float type.
    pub(crate) fn float_format(&self, ty: Ty) -> Option<FloatFormat> {
        match *self.types.kind(ty) {
            TypeKind::Float(kind) => Some(FloatFormat::Kind(kind)),
            TypeKind::ComptimeFloat => Some(FloatFormat::Double),
            _ => None,
        }
    }

    fn other_enum(&mut self, from: Ty, ty: Ty, span: Span) -> Stop {
        let (from, to) = (self.show(from), self.show(ty));
        let diagnostic = Diagnostic::new(Code::TypeMismatch, span, format!("expected type `{to}`, got: `{from}`"));
        self.fail(diagnostic.help(format!("convert it by way of its number: @as({to}, @as(u16, ...))")))
    }

    /// `@as` of an integer: literals must fit; values of a fixed width wrap, as at run time.
    fn int_as(&mut self, value: &TypedValue, number: &BigInt, ty: Ty, int: IntTy, span: Span) -> Res<TypedValue> {
        if value.ty == Ty::COMPTIME_INT && !int.fits(number) {
            let message = format!("{} does not fit in type `{}`", number_text(number), self.show(ty));
            return Err(self.error(Code::NotRepresentable, span, message));
        }
        Ok(TypedValue::int(ty, int.wrap(number)))
    }

    fn float_as_int(&mut self, value: &TypedValue, ty: Ty, span: Span) -> Res<TypedValue> {
        let wide = f64_of(&self.types, value).unwrap_or(f64::NAN);
        let fits = csl_num::f64_to_big(wide).filter(|n| match *self.types.kind(ty) {
            TypeKind::Int { signed, bits } => IntTy { signed, bits }.fits(n),
            _ => true,
        });
        match fits {
            Some(number) => Ok(TypedValue::int(ty, number)),
            None => {
                let message = format!("{wide} does not fit in type `{}`", self.show(ty));
                Err(self.error(Code::NotRepresentable, span, message))
            }
        }
    }

    fn convert_reg(&mut self, from: Ty, opnd: Opnd, ty: Ty, span: Span) -> Res<Operand> {
        let castable = |kind: &TypeKind| {
            matches!(kind, TypeKind::Bool | TypeKind::Int { .. } | TypeKind::Float(_) | TypeKind::Enum { .. })
        };
        let is_enum = |s: &Self, ty| matches!(s.types.kind(ty), TypeKind::Enum { .. });
        if is_enum(self, from) && is_enum(self, ty) {
            return Err(self.other_enum(from, ty, span));
        }
        let both = castable(self.types.kind(from)) && castable(self.types.kind(ty));
        let (Some(from_scalar), Some(to), true) = (self.scalar(from), self.scalar(ty), both) else {
            return self.refuse_conversion(from, ty, span);
        };
        let dst = self.code(span)?.new_reg(to);
        self.emit(Inst::Cast { from: from_scalar, to, to_bool: ty == Ty::BOOL, dst, a: opnd }, span)?;
        Ok(Operand::Reg(ty, Opnd::Reg(dst)))
    }

    fn refuse_conversion(&mut self, from: Ty, ty: Ty, span: Span) -> Res<Operand> {
        if let TypeKind::Float(kind) = *self.types.kind(ty)
            && kind != FloatKind::F32
            && kind != self.options.fp16
        {
            return Err(self.other_fp16(ty, span));
        }
        if matches!(self.types.kind(ty), TypeKind::ComptimeInt | TypeKind::ComptimeFloat) {
            return Err(self.not_comptime(span));
        }
        if self.types.kind(from) == self.types.kind(ty) {
            return Err(self.error(Code::BadType, span, format!("`{}` has no run-time form", self.show(ty))));
        }
        Err(self.mismatch(from, ty, span))
    }

    pub fn other_fp16(&mut self, ty: Ty, span: Span) -> Stop {
        let message = format!("variable of type `{}` must be comptime-known", self.show(ty));
        let format = TypeKind::Float(self.options.fp16);
        let selected = self.types.intern(format);
        let note = format!("the 16-bit float of run-time code is `{}` (--fp16-format)", self.show(selected));
        let help = format!("`--fp16-format={}` selects this one", self.show(ty));
        self.fail(Diagnostic::new(Code::ComptimeOnly, span, message).note(note).help(help))
    }

    pub fn not_comptime(&mut self, span: Span) -> Stop {
        let diagnostic = Diagnostic::new(Code::NotComptime, span, "expected a comptime-known value");
        self.fail(diagnostic.label("only known at run time"))
    }

    /// `@bitcast(ty, operand)`.
    pub fn bitcast(&mut self, operand: Operand, ty: Ty, span: Span) -> Res<Operand> {
        if let TypeKind::Ptr { elem, .. } = *self.types.kind(ty) {
            return self.int_to_pointer(operand, ty, elem, span);
        }
        let (Some(from_bits), Some(to_bits)) =
            (packed::raw_width(&self.types, operand.ty()), packed::raw_width(&self.types, ty))
        else {
            let (from, to) = (self.show(operand.ty()), self.show(ty));
            return Err(self.error(Code::BadOperand, span, format!("cannot bitcast `{from}` to `{to}`")));
        };
        if from_bits != to_bits {
            let message = format!(
                "bit widths differ: `{}` has {from_bits} bits, `{}` has {to_bits}",
                self.show(operand.ty()),
                self.show(ty)
            );
            return Err(self.error(Code::BadOperand, span, message));
        }
        match operand {
            Operand::Const(value) => self.bitcast_const(value, ty, span),
            other if from_bits == 0 => match packed::value_without_bits(&self.types, ty) {
                Some(value) => Ok(value.into()),
                None => Err(self.mismatch(other.ty(), ty, span)),
            },
            other if from_bits > 64 => self.wide_bitcast(&other, ty, from_bits, span),
            Operand::Reg(from, opnd) if self.scalar(ty).is_none() => self.bitcast_to_mem(from, opnd, ty, to_bits, span),
            Operand::Reg(from, opnd) => self.bitcast_reg(from, opnd, ty, span),
            Operand::Mem(from, addr) => self.bitcast_mem(from, addr, from_bits, ty, span),
            other => Err(self.mismatch(other.ty(), ty, span)),
        }
    }

    fn bitcast_const(&mut self, value: TypedValue, ty: Ty, span: Span) -> Res<Operand> {
        let Some(raw) = packed::bits_of_value(&self.types, &value) else {
            if !matches!(value.value, Value::Ptr(_)) {
                return Err(self.mismatch(value.ty, ty, span));
            }
            self.code_or(span, "an address is only known at run time")?;
            // Run-time code takes the address that code generation assigns to the variable.
            let from = value.ty;
            let address = self.opnd(&value.into(), span)?;
            return self.bitcast_reg(from, address, ty, span);
        };
        match packed::value_of_bits(&self.types, ty, &raw) {
            Some(value) => Ok(TypedValue::new(ty, value).into()),
            None => Err(self.mismatch(value.ty, ty, span)),
        }
    }

    /// A packed struct or union in memory, seen as its backing integer.
    fn bitcast_mem(&mut self, from: Ty, addr: Addr, bits: u32, ty: Ty, span: Span) -> Res<Operand> {
        let backing = self.types.int(false, bits);
        let Some(scalar) = self.scalar(backing) else { return Err(self.mismatch(from, ty, span)) };
        let raw = self.emit_load(scalar, addr, span)?;
        self.bitcast(Operand::Reg(backing, raw), ty, span)
    }

    /// An integer in a register, seen as the packed struct or union that it is the backing integer of.
    fn bitcast_to_mem(&mut self, from: Ty, opnd: Opnd, ty: Ty, bits: u32, span: Span) -> Res<Operand> {
        let backing = self.types.int(false, bits);
        let raw = self.bitcast(Operand::Reg(from, opnd), backing, span)?;
        let Some(scalar) = self.scalar(backing) else { return Err(self.mismatch(from, ty, span)) };
        let place = self.temporary(ty, "", span)?;
        let (addr, src) = (self.place_addr(&place, span)?, self.opnd(&raw, span)?);
        self.emit(Inst::Store { ty: scalar, addr, src }, span)?;
        self.load(place, span)
    }

    fn bitcast_reg(&mut self, from: Ty, opnd: Opnd, ty: Ty, span: Span) -> Res<Operand> {
        let (Some(from), Some(to)) = (self.scalar(from), self.scalar(ty)) else {
            return Err(self.mismatch(from, ty, span));
        };
        // Floats are held as their raw bits, zero-extended; only a sign extension needs code.
        let raw = |scalar: Scalar| match scalar {
            Scalar::Half => Scalar::U16,
            Scalar::F32 => Scalar::U32,
            other => other,
        };
        let dst = self.code(span)?.new_reg(to);
        self.emit(Inst::Cast { from: raw(from), to: raw(to), to_bool: false, dst, a: opnd }, span)?;
        Ok(Operand::Reg(ty, Opnd::Reg(dst)))
    }

    fn int_to_pointer(&mut self, operand: Operand, ty: Ty, elem: Ty, span: Span) -> Res<Operand> {
        match operand {
            Operand::Const(TypedValue { value: value @ (Value::Int(_) | Value::Varying(_)), .. }) => {
                let number = value.int().cloned().unwrap_or_default();
                let Some(addr) = number.to_u16() else {
                    return Err(self.error(
                        Code::NotRepresentable,
                        span,
                        format!("{} is not a 16-bit address", number_text(&number)),
                    ));
                };
                let pointer = Pointer { root: PtrRoot::Absolute(addr), root_ty: elem, path: Vec::new() };
                Ok(TypedValue::new(ty, Value::Ptr(pointer)).into())
            }
            Operand::Reg(from, opnd) => {
                let opnd = self.convert(Operand::Reg(from, opnd), Ty::U16, span)?;
                Ok(Operand::Reg(ty, self.opnd(&opnd, span)?))
            }
            other => self.ptrcast(other, ty, span),
        }
    }

    /// `@ptrcast(ty, operand)`.
    pub fn ptrcast(&mut self, operand: Operand, ty: Ty, span: Span) -> Res<Operand> {
        let is_ptr = |s: &Self, ty: Ty| matches!(s.types.kind(ty), TypeKind::Ptr { .. });
        if !is_ptr(self, ty) || !is_ptr(self, operand.ty()) {
            let (from, to) = (self.show(operand.ty()), self.show(ty));
            return Err(self.error(
                Code::BadOperand,
                span,
                format!("cannot cast `{from}` to `{to}`: both must be pointers"),
            ));
        }
        match operand {
            // A pointer into a global stays comptime-known; its target is reinterpreted at run time.
            Operand::Const(mut value) => {
                value.ty = ty;
                Ok(value.into())
            }
            Operand::Reg(_, opnd) => Ok(Operand::Reg(ty, opnd)),
            other => Err(self.mismatch(other.ty(), ty, span)),
        }
    }
}

/// Whether the type is an integer without bits, which is 0.
pub fn is_empty_int(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Int { bits: 0, .. })
}
