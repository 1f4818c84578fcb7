//! The builtins of a layout block: the rectangle, the code of tiles, routes, exported names.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{ExportName, IdKind, Name, Route, Ty, TypeKind, TypedValue, Types, Value};
use csl_machine::{Color, ColorConfig, Coord, MOST_FABRIC_SIDE, Size};
use csl_syntax::Symbol;
use csl_syntax::ast::{Expr, ExprKind};

use super::Call;
use super::args::{id_kind, small, want_const};
use super::color::color_config;
use crate::context::{Res, Sema, Stop};
use crate::layout::exported_name;
use crate::operand::Operand;
use crate::program::is_portable;
use crate::repeat::{Change, Number, OpenNumbers};
use crate::sharing::{TileKey, varies};
use crate::value::field_types;

/// The number of tiles in a rectangle above which it is certainly a mistake; no machine has as many.
const MOST_TILES: i64 = 1 << 24;

pub(super) fn set_rectangle(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let result = set_size(s, call);
    if let Err(Stop::Error(reported)) = result {
        s.layout()?.refused = Some(reported);
    }
    result
}

fn set_size(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let (width, height) = (call.int(s, 0)?, call.int(s, 1)?);
    if let Some((_, before)) = s.layout()?.size {
        let diagnostic = Diagnostic::new(Code::BadRectangle, call.span, "the rectangle is set twice");
        return Err(s.fail(diagnostic.secondary(before, "first set here")));
    }
    check_size(s, call, width, height)?;
    let layout = s.layout()?;
    layout.set_rectangle(Size { width: width as u32, height: height as u32 }, call.span);
    s.effects += 1;
    // The rest of the layout is checked on its own.
    check_place(s, call, width, height)?;
    Ok(Operand::void())
}

fn check_size(s: &mut Sema<'_>, call: &Call<'_>, width: i64, height: i64) -> Res<()> {
    let sides = 1..=i64::from(MOST_FABRIC_SIDE);
    if sides.contains(&width) && sides.contains(&height) && width * height <= MOST_TILES {
        return Ok(());
    }
    let message = format!("a rectangle of {width} by {height} PEs is not possible");
    let note = format!("a side has 1 to {MOST_FABRIC_SIDE} PEs, and a rectangle at most {MOST_TILES}");
    Err(s.fail(Diagnostic::new(Code::BadRectangle, call.span, message).note(note)))
}

fn check_place(s: &mut Sema<'_>, call: &Call<'_>, width: i64, height: i64) -> Res<()> {
    let Some(fabric) = s.options.fabric else { return Ok(()) };
    let offsets = s.options.offsets;
    let room = (i64::from(fabric.width) - i64::from(offsets.x), i64::from(fabric.height) - i64::from(offsets.y));
    if width <= room.0 && height <= room.1 {
        return Ok(());
    }
    let message = format!("a rectangle of {width} by {height} PEs does not fit the fabric");
    let note = format!(
        "the fabric has {} by {} PEs, and the rectangle begins at ({}, {})",
        fabric.width, fabric.height, offsets.x, offsets.y
    );
    let help = "give other values with --fabric-dims and --fabric-offsets";
    Err(s.fail(Diagnostic::new(Code::BadRectangle, call.span, message).note(note).help(help)))
}

/// The tile that the first two arguments name, inside the rectangle.
fn tile(s: &mut Sema<'_>, call: &Call<'_>, code: Code) -> Res<(Coord, [Number; 2])> {
    let (x, y) = (call.number(s, 0)?, call.number(s, 1)?);
    if s.layout()?.rectangle().is_none() {
        if let Some(reported) = s.layout()?.refused {
            return Err(reported.into());
        }
        let message = format!("`@{}` stands before `@set_rectangle`", call.name);
        let help = "begin the layout with `@set_rectangle(width, height);`";
        return Err(s.fail(Diagnostic::new(Code::WrongContext, call.span, message).help(help)));
    }
    let at = s.layout()?.tile(x.known, y.known, code, call.span).map_err(|diagnostic| s.fail(diagnostic))?;
    Ok((at, [x, y]))
}

/// `@set_tile_code(x, y)`, with a file, with params.
pub(super) fn set_tile_code(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let (at, numbers) = tile(s, call, Code::TileCode)?;
    let file = match call.args.len() {
        2 => importer_path(s).into(),
        _ => {
            let name = call.bytes(s, 2)?;
            named_file(s, name, call.arg_span(2))?
        }
    };
    let given = call.args.get(3).map(|arg| s.eval_const(arg)).transpose()?;
    if let Some(given) = &given {
        warn_column(s, call, &numbers[0])?;
        warn_position(s, call, given, &numbers);
    }
    let (key, open) = key(s, call, file, given)?;
    s.effects += 1;
    s.note_effect(numbers, call.span, || Change::Code(key.clone(), open));
    s.layout()?.add_code(at, key, call.span).map_err(|diagnostic| s.fail(diagnostic))?;
    s.steps = 0;
    Ok(Operand::void())
}

/// Warns of a tile that is given `get_params(..)` of another column.
fn warn_column(s: &mut Sema<'_>, call: &Call<'_>, x: &Number) -> Res<()> {
    let Some(Expr { kind: ExprKind::StructInit { fields, .. }, .. }) = call.args.get(3) else { return Ok(()) };
    for field in fields {
        let ExprKind::Call { callee, args } = &field.value.kind else { continue };
        let ExprKind::Field { name, .. } = &callee.kind else { continue };
        let [column] = args.as_slice() else { continue };
        if name.name.as_str() != "get_params" {
            continue;
        }
        let given = s.eval_const(column)?;
        if x.is(&given.value) {
            continue;
        }
        let (x, Some(given)) = (x.known, small(&given)) else { continue };
        let message = format!("tile column {x} is given memcpy's params of column {given}");
        let help = "the argument of `get_params` is the column of the tile";
        s.report(Diagnostic::new(Code::OtherColumn, column.span, message).help(help));
    }
    Ok(())
}

/// The module whose `get_params` makes the params of an axis.
const COLLECTIVES: &str = "<collectives_2d/params>";

/// Warns of a tile that is given the params of <collectives_2d> of another place.
fn warn_position(s: &mut Sema<'_>, call: &Call<'_>, given: &TypedValue, [x, y]: &[Number; 2]) {
    if !s.files.contains_key(COLLECTIVES) {
        return;
    }
    let mut axes = Vec::new();
    axes_in(&s.types, given.ty, &given.value, &mut axes);
    for (is_x, place) in axes {
        let (own, line) = if is_x { (x, "column") } else { (y, "row") };
        if own.is(&place) {
            continue;
        }
        let (Some(place), own) = (place.int(), own.known) else { continue };
        let message = format!("the tile in {line} {own} is given the params of <collectives_2d> of {line} {place}");
        let help = "the first arguments of `get_params` are column and row of the tile";
        s.report(Diagnostic::new(Code::OtherColumn, call.arg_span(3), message).help(help));
    }
}

/// The params of axes of <collectives_2d> in a value: whether the axis is that of columns, and the place on it.
fn axes_in(types: &Types, ty: Ty, value: &Value, found: &mut Vec<(bool, Value)>) {
    if let Value::Typed(whole) = value {
        return axes_in(types, whole.ty, &whole.value, found);
    }
    let (Value::Struct(parts), Some(fields)) = (value, field_types(types, ty)) else { return };
    let field = |name| fields.iter().position(|field| field.0 == Some(name)).and_then(|at| parts.get(at));
    match (field("is_x"), field("pe_id"), field("entrypoints")) {
        (Some(Value::Bool(is_x)), Some(place), Some(_)) => found.push((*is_x, place.clone())),
        _ => fields.iter().zip(parts.iter()).for_each(|((_, ty), part)| axes_in(types, *ty, part, found)),
    }
}

/// The file that holds the layout block.
fn importer_path(s: &Sema<'_>) -> String {
    let module = s.frame.module;
    s.unit.modules[module].file.path.clone()
}

/// The file that the layout names. A name is looked for once: layouts give it again for each tile.
fn named_file(s: &mut Sema<'_>, name: Arc<[u8]>, span: Span) -> Res<Arc<str>> {
    let key = (s.frame.module, name);
    if let Some(path) = s.layout()?.named_files.get(&key) {
        return Ok(path.clone());
    }
    let (name, importer) = (String::from_utf8_lossy(&key.1), importer_path(s));
    let path: Arc<str> = match s.resolve(&name, Some(importer)) {
        Ok(found) => found.path.into(),
        Err(why) => return Err(s.error(Code::FileNotFound, span, format!("cannot find `{name}`: {why}"))),
    };
    s.layout()?.named_files.insert(key, path.clone());
    Ok(path)
}

/// The key of a tile with this file and the params of the call, and the numbers in it that a loop decides.
fn key(s: &mut Sema<'_>, call: &Call<'_>, file: Arc<str>, given: Option<TypedValue>) -> Res<(TileKey, OpenNumbers)> {
    let Some((arg, given)) = call.args.get(3).zip(given) else { return Ok(s.layout()?.key(file, Vec::new())) };
    if let Some(key) = s.layout()?.key_like_last(&file, &given) {
        return Ok(key);
    }
    let ty = given.ty;
    let params = params(s, given.into(), arg)?;
    let layout = s.layout()?;
    let (key, open) = layout.key(file, params);
    layout.last = Some((ty, key.shape));
    Ok((key, open))
}

fn params(s: &mut Sema<'_>, given: Operand, arg: &Expr) -> Res<Vec<(Name, TypedValue)>> {
    if matches!(s.types.kind(given.ty()), TypeKind::Anon { types, .. } if types.is_empty()) {
        return Ok(Vec::new());
    }
    let mut params = Vec::new();
    for (name, value) in s.fields_of(&given, arg.span)? {
        let value = want_const(s, value, arg.span)?;
        if !is_portable(&value.value) {
            let message = format!("param `{name}` refers to memory or code of the layout, which a PE does not have");
            return Err(s.error(Code::BadBuiltinArgument, arg.span, message));
        }
        params.push((name, value));
    }
    Ok(params)
}

/// A color that the router of every PE has.
fn routable(s: &mut Sema<'_>, call: &Call<'_>, index: usize) -> Res<Color> {
    let value = call.constant(s, index)?;
    if id_kind(s, value.ty) != Some(IdKind::Color) {
        return Err(call.refuse(s, index, value.ty, "a color"));
    }
    match small(&value).and_then(|c| s.chip.routable_color(c)) {
        Some(color) => Ok(color),
        None => {
            let shown = crate::value::show(&s.types, &value);
            let message = format!("{shown} cannot be routed");
            let note = format!("routable colors go from 0 to {}", s.chip.fabric.colors - 1);
            Err(s.fail(Diagnostic::new(Code::BadRoute, call.arg_span(index), message).note(note)))
        }
    }
}

pub(super) fn set_color_config(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let (Coord { x, y }, numbers) = tile(s, call, Code::BadRoute)?;
    let color = routable(s, call, 2)?;
    let config = shared_config(s, call, color)?;
    s.effects += 1;
    s.note_effect(numbers, call.span, || Change::Route(color, config.clone()));
    s.layout()?.add_route(Route { x, y, color, config }, call.span).map_err(|diagnostic| s.fail(diagnostic))?;
    s.steps = 0;
    Ok(Operand::void())
}

/// The configuration that the last argument gives. One that has been read before is shared.
fn shared_config(s: &mut Sema<'_>, call: &Call<'_>, color: Color) -> Res<Arc<ColorConfig>> {
    let given = call.eval(s, 3)?;
    let key = given.as_const().filter(|value| !varies(&value.value)).map(|value| (value.clone(), color));
    if let Some(config) = key.as_ref().and_then(|key| s.layout().ok()?.configs.get(key)) {
        return Ok(config.clone());
    }
    let config = Arc::new(color_config(s, &given, call.arg_span(3), color)?);
    if let Some(key) = key {
        s.layout()?.configs.insert(key, config.clone());
    }
    Ok(config)
}

pub(super) fn set_local_color_config(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let color = routable(s, call, 0)?;
    let given = call.eval(s, 1)?;
    let config = color_config(s, &given, call.arg_span(1), color)?;
    add_local_config(s, call, color, config)
}

/// `@wl_message_route(color, config, first)`: a color of the message network.
pub(super) fn wl_message_route(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let color = routable(s, call, 0)?;
    let given = call.eval(s, 1)?;
    let config = color_config(s, &given, call.arg_span(1), color)?;
    let first = routable(s, call, 2)?;
    add_local_config(s, call, color, ColorConfig { messages: Some(first), ..config })
}

fn add_local_config(s: &mut Sema<'_>, call: &Call<'_>, color: Color, config: ColorConfig) -> Res<Operand> {
    if let Some(&(_, _, before)) = s.pe()?.colors.iter().find(|c| c.0 == color) {
        let message = format!("color {color} is configured twice");
        let diagnostic = Diagnostic::new(Code::BadRoute, call.span, message).secondary(before, "first configured here");
        return Err(s.fail(diagnostic));
    }
    s.pe()?.colors.push((color, config, call.span));
    Ok(Operand::void())
}

/// `@export_name(name, type, mutable)`.
pub(super) fn export_name(s: &mut Sema<'_>, call: &Call<'_>) -> Res<Operand> {
    let name = call.text(s, 0)?;
    let ty = call.ty(s, 1)?;
    let mutable = match call.args.get(2) {
        None => None,
        Some(arg) => Some(s.eval_const_as(arg, Ty::BOOL)?.value == Value::Bool(true)),
    };
    check_export_type(s, call, ty)?;
    let is_function = matches!(s.types.kind(ty), TypeKind::Fn(_));
    if !is_function && mutable.is_none() {
        let message = format!("`@export_name` of the variable `{name}` must say whether it is mutable");
        return Err(s.error(Code::BadExport, call.span, message));
    }
    if let Some(before) = exported_name(&s.layout()?.exports, &name) {
        let before = before.span;
        let diagnostic = Diagnostic::new(Code::BadExport, call.span, format!("the name `{name}` is exported twice"));
        return Err(s.fail(diagnostic.secondary(before, "first exported here")));
    }
    s.effects += 1;
    // Ids begin at 1, as in the vendor's files: hosts take 0 for none.
    let id = s.layout()?.exports.len() as u16 + 1;
    let mutable = mutable.filter(|_| !is_function);
    let name = Symbol::new(&name).as_str();
    s.layout()?.exports.push(ExportName { name, ty, mutable, id, span: call.span });
    Ok(Operand::void())
}

/// Checks that an export is a scalar, a pointer, or a function of these with no more parameters than the host can pass.
fn check_export_type(s: &mut Sema<'_>, call: &Call<'_>, ty: Ty) -> Res<()> {
    if let TypeKind::Fn(function) = s.types.kind(ty).clone() {
        let most = usize::from(s.chip.memcpy.max_rpc_params);
        if function.params.len() > most {
            let message = format!("a function that the host calls has at most {most} parameters");
            return Err(s.error(Code::BadExport, call.arg_span(1), message));
        }
        for param in function.params {
            check_export_scalar(s, call, param)?;
        }
        return match function.ret {
            Ty::VOID => Ok(()),
            ret => check_export_scalar(s, call, ret),
        };
    }
    check_export_scalar(s, call, ty)
}

fn check_export_scalar(s: &mut Sema<'_>, call: &Call<'_>, ty: Ty) -> Res<()> {
    match s.types.kind(ty) {
        TypeKind::Bool | TypeKind::Int { .. } | TypeKind::Float(_) | TypeKind::Ptr { .. } | TypeKind::Id(_) => Ok(()),
        _ => {
            let message = format!("a value of type `{}` cannot be exported to the host", s.show(ty));
            let note = "numbers, pointers and functions of these can";
            Err(s.fail(Diagnostic::new(Code::BadExport, call.arg_span(1), message).note(note)))
        }
    }
}
