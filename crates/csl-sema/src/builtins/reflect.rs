//! Builtins that look at types, structs, the target and the compilation itself.

use csl_diag::{Code, Diagnostic};
use csl_ir::{ArrayValue, Name, Ty, TypeKind, TypedValue, Value};
use csl_machine::{Arch, Size};
use csl_syntax::Symbol;
use num_bigint::BigInt;

use super::Call;
use super::args::int_value;
use super::arrays::array_parts;
use crate::context::{Res, Sema};
use crate::operand::Operand;
use crate::unit::UnitKind;
use crate::value::{find_field, show};

pub(super) fn type_of(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    s.type_of_expr(&call.args[0]).map(Operand::of_type)
}

pub(super) fn is_same_type(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    Ok(Operand::bool(call.ty(s, 0)? == call.ty(s, 1)?))
}

pub(super) fn element_type(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    array_parts(s, call, ty).map(|parts| Operand::of_type(parts.1))
}

pub(super) fn element_count(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    array_parts(s, call, ty).map(|parts| int_value(Ty::U32, parts.0.iter().product::<u64>()))
}

pub(super) fn rank(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    array_parts(s, call, ty).map(|parts| int_value(Ty::U16, parts.0.len()))
}

pub(super) fn dimensions(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let ty = call.ty(s, 0)?;
    let (dims, _) = array_parts(s, call, ty)?;
    let elems = dims.iter().map(|&d| Value::Int(BigInt::from(d))).collect();
    let ty = s.types.array(vec![dims.len() as u64], Ty::U32);
    Ok(TypedValue::new(ty, Value::Array(ArrayValue::Elems(elems).into())).into())
}

/// `@field` as a value; as the target of an assignment it is a place like `base.name`.
pub(super) fn field(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let name = call.text(s, 1)?;
    let place = s.field_place(&call.args[0], &name, call.arg_span(1))?;
    s.load(place, call.span)
}

pub(super) fn has_field(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let name = call.text(s, 1)?;
    let mut ty = s.type_of_expr(&call.args[0])?;
    if ty == Ty::TYPE {
        ty = call.ty(s, 0)?;
    }
    if ty == Ty::MODULE {
        let value = call.constant(s, 0)?;
        let Value::Module(module) = value.value else { return Ok(Operand::bool(false)) };
        return Ok(Operand::bool(s.lookup_item(module, Symbol::new(&name))?.is_some()));
    }
    s.note_part(call.arg_span(1), ty, Symbol::new(&name).as_str());
    Ok(Operand::bool(find_field(&s.types, ty, &name).is_some()))
}

/// A struct with the fields of all its arguments.
pub(super) fn concat_structs(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let mut all: Vec<(Name, Operand)> = Vec::new();
    for index in 0..call.args.len() {
        let operand = call.eval(s, index)?;
        if is_empty(s, &operand) {
            continue;
        }
        for (name, value) in s.fields_of(&operand, call.arg_span(index))? {
            if all.iter().any(|f| f.0 == name) {
                let message = format!("two of the structs have a field `.{name}`");
                return Err(s.error(Code::Redeclared, call.arg_span(index), message));
            }
            all.push((name, value));
        }
    }
    Ok(struct_of(s, all))
}

fn is_empty(s: &Sema<'_>, operand: &Operand) -> bool {
    matches!(s.types.kind(operand.ty()), TypeKind::Anon { types, .. } if types.is_empty())
}

/// An anonymous struct value with these fields.
pub(super) fn struct_of(s: &mut Sema<'_>, fields: Vec<(Name, Operand)>) -> Operand {
    let names = fields.iter().map(|f| f.0).collect();
    let types = fields.iter().map(|f| f.1.ty()).collect();
    let ty = s.types.intern(TypeKind::Anon { names: Some(names), types });
    let values: Option<Vec<Value>> = fields.iter().map(|f| f.1.as_const().map(|v| v.value.clone())).collect();
    match values {
        Some(values) => TypedValue::new(ty, Value::Struct(values.into())).into(),
        None => Operand::Agg(ty, fields.into_iter().map(|f| f.1).collect()),
    }
}

pub(super) fn fp16(s: &mut Sema<'_>, _: &Call<'_>) -> Res<Operand> {
    Ok(Operand::of_type(s.fp16_type()))
}

impl Sema<'_> {
    /// The one 16-bit float type of run-time code.
    pub(crate) fn fp16_type(&mut self) -> Ty {
        self.types.intern(TypeKind::Float(self.options.fp16))
    }
}

pub(super) fn is_arch(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let name = call.text(s, 0)?;
    match Arch::from_name(&name) {
        Some(arch) => Ok(Operand::bool(arch == s.options.arch)),
        // A machine that is not simulated: an earlier or a later one.
        None if name.strip_prefix("wse").is_some_and(|number| number.parse::<u8>().is_ok()) => Ok(Operand::bool(false)),
        None => {
            let known: Vec<String> = Arch::ALL.iter().map(|a| format!("\"{a}\"")).collect();
            let message = format!("there is no architecture \"{name}\"");
            let diagnostic = Diagnostic::new(Code::BadBuiltinArgument, call.arg_span(0), message);
            Err(s.fail(diagnostic.note(format!("known are {}", known.join(" and ")))))
        }
    }
}

pub(super) fn is_comptime(s: &mut Sema<'_>, _: &Call<'_>) -> Res<Operand> {
    Ok(Operand::bool(s.is_comptime()))
}

pub(super) fn comptime_assert(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let cond = s.eval_const_as(&call.args[0], Ty::BOOL)?;
    if cond.value == Value::Bool(true) {
        return Ok(Operand::void());
    }
    let message = match call.args.len() {
        2 => format!("comptime assertion failed: {}", call.text(s, 1)?),
        _ => "comptime assertion failed".to_string(),
    };
    Err(s.fail(Diagnostic::new(Code::AssertFailed, call.arg_span(0), message).label("this is false")))
}

/// `@wl_expect(condition, text)`: a warning where the condition does not hold, at the innermost call by the program.
pub(super) fn wl_expect(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    if s.eval_const_as(&call.args[0], Ty::BOOL)?.value == Value::Bool(true) {
        return Ok(Operand::void());
    }
    let text = call.text(s, 1)?;
    let callers = s.trace.iter().rev().map(|frame| frame.span);
    let place = callers.into_iter().find(|span| !s.is_of_library(*span)).unwrap_or(call.span);
    s.effects += 1;
    s.report(Diagnostic::new(Code::MisusedLibrary, place, text));
    Ok(Operand::void())
}

pub(super) fn comptime_print(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let mut texts = Vec::new();
    for index in 0..call.args.len() {
        let value = call.constant(s, index)?;
        texts.push(show(&s.types, &value));
    }
    s.effects += 1;
    s.report(Diagnostic::new(Code::ComptimePrint, call.span, texts.join(" ")));
    Ok(Operand::void())
}

/// `@import_module(name, bindings)`.
pub(super) fn import_module(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let name = call.text(s, 0)?;
    let mut bindings = Vec::new();
    if let Some(arg) = call.args.get(1) {
        let operand: Operand = s.eval_const(arg)?.into();
        if !is_empty(s, &operand) {
            for (name, value) in s.fields_of(&operand, arg.span)? {
                bindings.push((name, super::args::want_const(s, value, arg.span)?));
            }
        }
    }
    s.unit.is_legacy |= is_legacy_import(&name, &bindings);
    let importer = s.frame.module;
    let module = s.load_module(&name, Some(importer), bindings, Some(call.span))?;
    Ok(TypedValue::new(Ty::MODULE, Value::Module(module)).into())
}

/// Whether an import of memcpy has the form of programs up to SDK 1.4: with colors for streams or for the RPC server.
fn is_legacy_import(name: &str, bindings: &[(Name, TypedValue)]) -> bool {
    name.starts_with("<memcpy_multi/")
        || (name == "<memcpy/get_params>" && bindings.iter().any(|(_, value)| value.ty == Ty::COLOR))
}

/// `@get_rectangle()`: `.{ .width, .height, .fabric, .offsets }`.
pub(super) fn get_rectangle(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let rectangle = match &s.unit.kind {
        UnitKind::Layout(layout) => layout.rectangle(),
        UnitKind::Pe(pe) => Some(pe.rectangle),
    };
    let Some(rectangle) = rectangle else {
        let message = "`@get_rectangle` is only known after `@set_rectangle`";
        return Err(s.error(Code::WrongContext, call.span, message));
    };
    let (fabric, offsets) = (s.options.fabric_around(rectangle), s.options.offsets);
    let mut fields = sizes(rectangle);
    let fabric = struct_of(s, sizes(fabric));
    let offsets = struct_of(s, sizes(Size { width: offsets.x, height: offsets.y }));
    fields.push(("fabric", fabric));
    fields.push(("offsets", offsets));
    Ok(struct_of(s, fields))
}

fn sizes(Size { width, height }: Size) -> Vec<(Name, Operand)> {
    vec![("width", int_value(Ty::U16, width)), ("height", int_value(Ty::U16, height))]
}
