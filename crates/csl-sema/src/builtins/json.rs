//! `@import_comptime_value(T, "file.json")`: the contents of a JSON file as a comptime value.
//!
//! The type directs the reading of a value, so that the reader stops at the very place that does not fit. An object is
//! a struct; its keys may carry the type of their value (`"width:u16"`), else numbers, strings and truth values have
//! the types that literals in CSL have.

use std::fmt::Display;

use csl_diag::{Code, Diagnostic, FileId, Span};
use csl_ir::{ArrayValue, IdKind, Name, Ty, TypeKind, TypedValue, Value};
use csl_num::IntTy;
use csl_syntax::Symbol;
use csl_syntax::ast::{Expr, Item};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::Call;
use super::reflect::struct_of;
use crate::context::{Res, Sema, Stop};
use crate::operand::Operand;
use crate::value::{field_types, find_field, float_value};

pub(super) fn import_comptime_value(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let name = call.text(s, 1)?;
    let importer = s.frame.module;
    let importer = s.unit.modules[importer].file.path.clone();
    let resolved = match s.resolve(&name, Some(importer)) {
        Ok(resolved) => resolved,
        Err(why) => return Err(s.error(Code::FileNotFound, call.arg_span(1), why)),
    };
    let known = s.data_files.get(&resolved.path).copied();
    let file = known.unwrap_or_else(|| s.map.add(resolved.path.clone(), resolved.text.clone()));
    s.data_files.insert(resolved.path, file);

    let mut stopped = None;
    let mut reader = serde_json::Deserializer::from_str(&resolved.text);
    let seed = Wanted { s, ty: Some(ty), file, stopped: &mut stopped };
    let read = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    let value = match read {
        Ok(value) => value,
        Err(error) => return Err(stopped.unwrap_or_else(|| refuse(s, call, file, &error))),
    };
    // A struct with a name of its own takes the fields by their names.
    s.coerce_const(value, ty, call.span).map(Operand::Const)
}

/// Reports an error in a file, at its place there.
fn refuse(s: &mut Sema<'_>, call: &Call<'_>, file: FileId, error: &serde_json::Error) -> Stop {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let message = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let code = match error.classify() {
        Category::Data => Code::TypeMismatch,
        _ => Code::SyntaxError,
    };
    let message = match code {
        Code::SyntaxError => format!("this is not JSON: {message}"),
        _ => message.to_owned(),
    };
    let at = s.map.offset(file, line, column);
    let diagnostic = Diagnostic::new(code, Span::new(file, at, at), message);
    s.fail(diagnostic.secondary(call.span, "the file is read here"))
}

/// The type that the next value of a file must have; `None` for any type.
struct Wanted<'w, 'a> {
    s: &'w mut Sema<'a>,
    ty: Option<Ty>,
    file: FileId,
    /// The error in the type of a key.
    stopped: &'w mut Option<Stop>,
}

impl<'de> DeserializeSeed<'de> for Wanted<'_, '_> {
    type Value = TypedValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<TypedValue, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Wanted<'_, '_> {
    fn kind(&self) -> Option<TypeKind> {
        self.ty.map(|ty| self.s.types.kind(ty).clone())
    }

    fn unfit<E: Error>(&self, found: impl Display) -> E {
        match self.ty {
            Some(ty) => E::custom(format!("{found} is no value of type `{}`", self.s.show(ty))),
            None => E::custom(format!("{found} needs a type: write it behind the key, as in \"name:[3]i16\"")),
        }
    }

    fn integer<E: Error>(&self, number: BigInt) -> Result<TypedValue, E> {
        let ty = self.ty.unwrap_or(Ty::COMPTIME_INT);
        let fits = match self.s.types.kind(ty) {
            TypeKind::ComptimeInt => true,
            TypeKind::Int { signed, bits } => IntTy { signed: *signed, bits: *bits }.fits(&number),
            TypeKind::Id(IdKind::Color) => number.to_u32().is_some_and(super::ids::is_color),
            TypeKind::Float(_) | TypeKind::ComptimeFloat => {
                return self.float(number.to_f64().unwrap_or(f64::INFINITY));
            }
            _ => false,
        };
        if fits { Ok(TypedValue::int(ty, number)) } else { Err(self.unfit(number)) }
    }

    fn float<E: Error>(&self, number: f64) -> Result<TypedValue, E> {
        let ty = self.ty.unwrap_or(Ty::COMPTIME_FLOAT);
        match self.s.types.kind(ty) {
            TypeKind::ComptimeFloat => Ok(TypedValue::new(ty, Value::Float(number.to_bits()))),
            TypeKind::Float(kind) => match float_value(*kind, number) {
                Value::Float(bits) if csl_num::to_f64(*kind, bits).is_finite() => {
                    Ok(TypedValue::new(ty, Value::Float(bits)))
                }
                _ => Err(self.unfit(format!("{number:e}"))),
            },
            _ => Err(self.unfit(number)),
        }
    }

    /// The name and the type of a field, by its key and by the wanted struct.
    fn field<E: Error>(&mut self, key: &str) -> Result<(Name, Option<Ty>), E> {
        let (name, ty) = match key.split_once(':') {
            Some((name, text)) => (name.trim(), Some(self.type_of_key(key, text)?)),
            None => (key, self.ty.and_then(|ty| find_field(&self.s.types, ty, key)).map(|field| field.1)),
        };
        let name = Symbol::new(name).as_str();
        if let Some(wanted) = self.ty {
            self.s.note_part(Span::new(self.file, 0, 0), wanted, name);
        }
        Ok((name, ty))
    }

    fn type_of_key<E: Error>(&mut self, key: &str, text: &str) -> Result<Ty, E> {
        let source = format!("const field: {text};");
        let id = self.s.map.add(format!("the key \"{key}\" of {}", self.s.map.name(self.file)), source.clone());
        let (tree, found) = csl_syntax::parse(id, &source);
        let ty = match tree.items.as_slice() {
            [Item::Var(decl)] if found.is_empty() => decl.ty.clone(),
            _ => None,
        };
        let Some(ty) = ty else { return Err(E::custom(format!("`{text}` in the key \"{key}\" is no type"))) };
        self.evaluated(&ty)
    }

    fn evaluated<E: Error>(&mut self, ty: &Expr) -> Result<Ty, E> {
        self.s.eval_type(ty).map_err(|stop| {
            *self.stopped = Some(stop);
            E::custom("the type of a key")
        })
    }
}

impl<'de> Visitor<'de> for Wanted<'_, '_> {
    type Value = TypedValue;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.ty {
            Some(ty) => write!(f, "a value of type `{}`", self.s.show(ty)),
            None => f.write_str("a value"),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<TypedValue, E> {
        Err(E::custom("`null` is no comptime value"))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<TypedValue, E> {
        match self.ty {
            None | Some(Ty::BOOL) => Ok(TypedValue::bool(value)),
            Some(_) => Err(self.unfit(value)),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<TypedValue, E> {
        self.integer(BigInt::from(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<TypedValue, E> {
        self.integer(BigInt::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<TypedValue, E> {
        self.float(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TypedValue, E> {
        match self.ty {
            None | Some(Ty::COMPTIME_STRING) => Ok(TypedValue::str(text.as_bytes())),
            Some(_) => Err(self.unfit(format!("the string \"{text}\""))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<TypedValue, A::Error> {
        let (Some(TypeKind::Array { dims, elem }), Some(ty)) = (self.kind(), self.ty) else {
            return Err(self.unfit("an array"));
        };
        let count: u64 = dims.iter().product();
        let mut elems = Vec::new();
        let Wanted { s, file, stopped, .. } = self;
        while let Some(value) =
            list.next_element_seed(Wanted { s: &mut *s, ty: Some(elem), file, stopped: &mut *stopped })?
        {
            elems.push(value.as_part(elem));
        }
        if elems.len() as u64 != count {
            let message = format!("expected {count} elements for type `{}`, got {}", s.show(ty), elems.len());
            return Err(A::Error::custom(message));
        }
        Ok(TypedValue::new(ty, Value::Array(ArrayValue::Elems(elems).into())))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<TypedValue, A::Error> {
        if !matches!(self.kind(), None | Some(TypeKind::ComptimeStruct | TypeKind::Struct { .. })) {
            return Err(self.unfit("an object"));
        }
        let mut fields: Vec<(Name, Operand)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let (name, ty) = self.field(&key)?;
            if fields.iter().any(|field| field.0 == name) {
                return Err(A::Error::custom(format!("the object has two fields `{name}`")));
            }
            let Wanted { s, file, stopped, .. } = &mut self;
            let seed = Wanted { s, ty, file: *file, stopped };
            fields.push((name, map.next_value_seed(seed)?.into()));
        }
        let named = self.ty.and_then(|ty| field_types(&self.s.types, ty));
        if let Some(missing) = named.iter().flatten().find(|field| !fields.iter().any(|f| Some(f.0) == field.0)) {
            let name = missing.0.unwrap_or_default();
            return Err(self.unfit(format!("an object without `{name}`")));
        }
        match struct_of(self.s, fields) {
            Operand::Const(value) => Ok(value),
            _ => Err(self.unfit("an object")),
        }
    }
}
