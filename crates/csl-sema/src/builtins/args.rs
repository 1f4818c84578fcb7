//! Reads the arguments of builtins.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{DsdKind, FnRef, IdKind, Name, Ty, TypeKind, TypedValue, Value};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::Call;
use crate::context::{Res, Sema, Stop};
use crate::operand::Operand;
use crate::repeat::Number;
use crate::suggest::closest;

impl Call<'_> {
    /// The span of argument `index`.
    pub fn arg_span(&self, index: usize) -> Span {
        self.args.get(index).map_or(self.span, |arg| arg.span)
    }

    /// Argument `index`, evaluated.
    pub fn eval(&self, s: &mut Sema<'_>, index: usize) -> Res<Operand> {
        s.eval(&self.args[index])
    }

    /// Argument `index`, which must be comptime-known.
    pub fn constant(&self, s: &mut Sema<'_>, index: usize) -> Res<TypedValue> {
        s.eval_const(&self.args[index])
    }

    /// Argument `index` as a comptime-known integer.
    pub fn int(&self, s: &mut Sema<'_>, index: usize) -> Res<i64> {
        let value = self.constant(s, index)?;
        const_int(s, &value, self.arg_span(index))
    }

    /// Argument `index` as an integer that the variable of a loop may decide.
    pub fn number(&self, s: &mut Sema<'_>, index: usize) -> Res<Number> {
        let value = self.constant(s, index)?;
        match &value.value {
            Value::Varying(varying) => Ok(Number::open(varying)),
            _ => const_int(s, &value, self.arg_span(index)).map(Number::known),
        }
    }

    /// Argument `index` as a comptime-known string.
    pub fn text(&self, s: &mut Sema<'_>, index: usize) -> Res<String> {
        let bytes = self.bytes(s, index)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The bytes of a comptime-known string.
    pub fn bytes(&self, s: &mut Sema<'_>, index: usize) -> Res<std::sync::Arc<[u8]>> {
        let value = self.constant(s, index)?;
        match value.value {
            Value::Str(bytes) => Ok(bytes),
            _ => {
                let message = format!("`@{}` takes a string here, not `{}`", self.name, s.show(value.ty));
                Err(s.error(Code::TypeMismatch, self.arg_span(index), message))
            }
        }
    }

    pub fn ty(&self, s: &mut Sema<'_>, index: usize) -> Res<Ty> {
        s.eval_type(&self.args[index])
    }

    /// Argument `index`, the name of a function or task (or a pointer to it).
    pub fn function(&self, s: &mut Sema<'_>, index: usize) -> Res<FnRef> {
        let value = self.constant(s, index)?;
        match as_function(&value) {
            Some(f) => Ok(f),
            None => {
                let message = format!("`@{}` takes a function or task here, not `{}`", self.name, s.show(value.ty));
                Err(s.error(Code::TypeMismatch, self.arg_span(index), message))
            }
        }
    }

    /// Refuses argument `index` because of its type.
    pub fn refuse(&self, s: &mut Sema<'_>, index: usize, ty: Ty, wanted: &str) -> Stop {
        let message = format!("`@{}` takes {wanted} here, not `{}`", self.name, s.show(ty));
        s.error(Code::BadOperand, self.arg_span(index), message)
    }

    /// The fields of the configuration struct in argument `index`; empty where the argument is absent.
    pub fn fields(&self, s: &mut Sema<'_>, index: usize, what: &'static str) -> Res<Fields> {
        match self.args.get(index) {
            None => Ok(Fields { fields: Vec::new(), asked: Vec::new(), what, span: self.span }),
            Some(arg) => {
                let operand = s.eval(arg)?;
                Fields::of(s, &operand, what, arg.span)
            }
        }
    }
}

/// The function that a value is or points at.
pub(super) fn as_function(value: &TypedValue) -> Option<FnRef> {
    match &value.value {
        Value::Fn(f) => Some(*f),
        Value::Ptr(p) => match p.root {
            csl_ir::PtrRoot::Fn(f) if p.path.is_empty() => Some(f),
            _ => None,
        },
        _ => None,
    }
}

/// The fields of a configuration struct, taken one by one; a field that is left over is an error.
pub(crate) struct Fields {
    fields: Vec<(Name, Operand)>,
    asked: Vec<&'static str>,
    what: &'static str,
    pub span: Span,
}

impl Fields {
    pub fn of(s: &mut Sema<'_>, operand: &Operand, what: &'static str, span: Span) -> Res<Fields> {
        // `.{}` is an empty tuple, which serves as an empty struct.
        let is_empty_tuple = matches!(s.types.kind(operand.ty()), TypeKind::Anon { types, .. } if types.is_empty());
        let fields = if is_empty_tuple { Vec::new() } else { s.fields_of(operand, span)? };
        Ok(Fields { fields, asked: Vec::new(), what, span })
    }

    /// A configuration with one field.
    pub fn single(name: &'static str, operand: Operand, what: &'static str, span: Span) -> Fields {
        Fields { fields: vec![(name, operand)], asked: Vec::new(), what, span }
    }

    pub fn take(&mut self, name: &'static str) -> Option<Operand> {
        self.asked.push(name);
        let at = self.fields.iter().position(|f| f.0 == name)?;
        Some(self.fields.remove(at).1)
    }

    /// A field whose value may be known at run time only.
    pub fn take_runtime(&mut self, name: &'static str) -> Option<Operand> {
        let at = self.fields.iter().position(|f| f.0 == name && !f.1.is_const())?;
        Some(self.fields.remove(at).1)
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|f| f.0 == name)
    }

    /// A field that must be present.
    pub fn need(&mut self, s: &mut Sema<'_>, name: &'static str) -> Res<Operand> {
        self.take(name).ok_or_else(|| self.missing(s, &format!("`.{name}`")))
    }

    /// Reports a missing field; if a field is left whose name is a likely misspelling of it, reports that one.
    pub fn missing(&self, s: &mut Sema<'_>, wanted: &str) -> Stop {
        let misspelt = |(name, _): &&(Name, Operand)| !closest(name, self.asked.iter().copied()).is_empty();
        match self.fields.iter().find(misspelt) {
            Some((name, _)) => self.unknown(s, name),
            None => s.error(Code::BadBuiltinArgument, self.span, format!("{} needs a field {wanted}", self.what)),
        }
    }

    pub fn take_const(&mut self, s: &mut Sema<'_>, name: &'static str) -> Res<Option<TypedValue>> {
        match self.take(name) {
            None => Ok(None),
            Some(Operand::Const(value)) => Ok(Some(value)),
            Some(_) => {
                let message = format!("field `.{name}` of {} must be comptime-known", self.what);
                Err(s.error(Code::NotComptime, self.span, message))
            }
        }
    }

    pub fn take_bool(&mut self, s: &mut Sema<'_>, name: &'static str) -> Res<Option<bool>> {
        match self.take_const(s, name)? {
            None => Ok(None),
            Some(TypedValue { value: Value::Bool(b), .. }) => Ok(Some(b)),
            Some(other) => Err(self.mismatch(s, name, "a bool", other.ty)),
        }
    }

    pub fn take_int(&mut self, s: &mut Sema<'_>, name: &'static str) -> Res<Option<i64>> {
        match self.take_const(s, name)? {
            None => Ok(None),
            Some(value) => const_int(s, &value, self.span).map(Some),
        }
    }

    /// An integer within the range of a `u16`.
    pub fn take_u16(&mut self, s: &mut Sema<'_>, name: &'static str) -> Res<Option<u16>> {
        let Some(value) = self.take_int(s, name)? else { return Ok(None) };
        u16::try_from(value).map(Some).map_err(|_| {
            let message = format!("field `.{name}` of {} is {value}, which a u16 cannot hold", self.what);
            s.error(Code::NotRepresentable, self.span, message)
        })
    }

    /// A struct with exactly one field, which is `true`: the form in which CSL writes a choice among `choices`.
    pub fn take_choice<T: Copy>(
        &mut self,
        s: &mut Sema<'_>,
        name: &'static str,
        choices: &[(&'static str, T)],
    ) -> Res<Option<T>> {
        let Some(operand) = self.take(name) else { return Ok(None) };
        choice(s, &operand, name, choices, self.span).map(Some)
    }

    /// Reports the first field that was not taken.
    pub fn finish(self, s: &mut Sema<'_>) -> Res<()> {
        match self.fields.first() {
            None => Ok(()),
            Some((name, _)) => Err(self.unknown(s, name)),
        }
    }

    fn unknown(&self, s: &mut Sema<'_>, name: &str) -> Stop {
        let message = format!("{} has no field `.{name}`", self.what);
        let span = s.name_within(self.span, name).unwrap_or(self.span);
        let diagnostic = Diagnostic::new(Code::UnknownField, span, message);
        let diagnostic = s.did_you_mean(diagnostic, Some(span), (".", name), self.asked.iter().copied());
        if diagnostic.help.is_some() {
            return s.fail(diagnostic);
        }
        let known: Vec<String> = self.asked.iter().map(|n| format!("`.{n}`")).collect();
        s.fail(diagnostic.note(format!("it has {}", known.join(", "))))
    }

    pub fn mismatch(&self, s: &mut Sema<'_>, name: &str, wanted: &str, ty: Ty) -> Stop {
        let message = format!("field `.{name}` of {} takes {wanted}, not `{}`", self.what, s.show(ty));
        s.error(Code::TypeMismatch, self.span, message)
    }
}

/// See [`Fields::take_choice`].
fn choice<T: Copy>(
    s: &mut Sema<'_>,
    operand: &Operand,
    name: &str,
    choices: &[(&'static str, T)],
    span: Span,
) -> Res<T> {
    let is_struct = matches!(s.types.kind(operand.ty()), TypeKind::Anon { .. } | TypeKind::Struct { .. });
    let fields = if is_struct { s.fields_of(operand, span)? } else { Vec::new() };
    if let [(chosen, value)] = fields.as_slice()
        && value.as_bool() == Some(true)
        && let Some(&(_, result)) = choices.iter().find(|c| c.0 == *chosen)
    {
        return Ok(result);
    }
    let forms: Vec<String> = choices.iter().map(|c| format!("`.{{ .{} = true }}`", c.0)).collect();
    Err(s.error(Code::BadBuiltinArgument, span, format!("`.{name}` must be {}", forms.join(" or "))))
}

/// A comptime-known integer, whatever its type.
pub(super) fn const_int(s: &mut Sema<'_>, value: &TypedValue, span: Span) -> Res<i64> {
    let found = value.value.int().and_then(ToPrimitive::to_i64);
    found.ok_or_else(|| {
        let message = format!("an integer is needed here, not `{}`", s.show(value.ty));
        s.error(Code::TypeMismatch, span, message)
    })
}

/// The constant in an operand that must be one.
pub(super) fn want_const(s: &mut Sema<'_>, operand: Operand, span: Span) -> Res<TypedValue> {
    match operand {
        Operand::Const(value) => Ok(value),
        _ => Err(s.error(Code::NotComptime, span, "this value must be comptime-known")),
    }
}

pub(super) fn id_kind(s: &Sema<'_>, ty: Ty) -> Option<IdKind> {
    match s.types.kind(ty) {
        TypeKind::Id(kind) => Some(*kind),
        _ => None,
    }
}

pub(super) fn dsd_kind(s: &Sema<'_>, ty: Ty) -> Option<DsdKind> {
    match s.types.kind(ty) {
        TypeKind::Dsd(kind) => Some(*kind),
        _ => None,
    }
}

/// Whether the type is an integer type, comptime_int included.
pub(super) fn is_int(s: &Sema<'_>, ty: Ty) -> bool {
    matches!(s.types.kind(ty), TypeKind::Int { .. } | TypeKind::ComptimeInt)
}

pub(super) fn small(value: &TypedValue) -> Option<u32> {
    value.value.int()?.to_u32()
}

pub(super) fn int_value(ty: Ty, value: impl Into<BigInt>) -> Operand {
    Operand::Const(TypedValue::int(ty, value))
}
