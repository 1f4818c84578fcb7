//! What is known of a name: its declaration, type and value; a color's routes, a queue's depth, what a descriptor describes; the
//! page of a builtin, with the cycles that a vector operation takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use csl_host::reference::{Page, chapters};
use csl_ir::{DsdValue, IdKind, TypeKind, Value};
use csl_machine::{DirSet, QueueId, VecOp, chip};
use csl_sema::Fact;
use lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind, Range};
use num_traits::ToPrimitive;

use crate::describe;
use crate::file::{BuiltinCall, File, UseKind};
use crate::names::{self, Target};
use crate::snapshot::Snapshot;
use crate::world::World;

/// The places at which a color's routes are listed.
const MOST_ROUTES: usize = 8;

pub fn hover(world: &World, params: &HoverParams) -> Option<Hover> {
    let at = &params.text_document_position_params;
    let key = world.key(&at.text_document.uri)?;
    let file = world.file(&key)?;
    let offset = file.text.offset(at.position);
    if let Some(link) = file.link_at(offset) {
        let to = names::linked(world, &key, link)?;
        return Some(shown(format!("`{}`", to.display()), file.text.span(link.span)));
    }
    if let Some(id) = file.use_at(offset).filter(|&id| file.uses[id].kind == UseKind::Builtin) {
        let used = &file.uses[id];
        let page = builtin(used.name.as_str())?;
        let around = file.builtins.iter().filter(|call| call.name == used.name && call.span.to(used.span) == call.span);
        let call = around.max_by_key(|call| call.span.lo);
        let cycles = call
            .and_then(|call| cycles(world, &key, &file, call))
            .map(|text| format!("{text}\n\n"))
            .unwrap_or_default();
        return Some(shown(format!("{cycles}{}", page.text), file.text.span(used.span)));
    }
    let span = match file.use_at(offset) {
        Some(id) => file.uses[id].span,
        None => file.defs[file.def_at(offset)?].span,
    };
    let declared = names::at(world, &key, &file, offset);
    let fact = world.fact(&key, span.lo as usize, span.hi as usize).or_else(|| {
        let target = declared.as_ref()?;
        let span = target.def(world)?.span;
        world.fact(&target.key, span.lo as usize, span.hi as usize)
    });
    let mut parts = Vec::new();
    parts.extend(declared.as_ref().and_then(|target| declaration(world, &key, target)));
    if let Some((snapshot, fact)) = fact {
        // The declaration of a function says all of its type.
        if !matches!(snapshot.observation.types.kind(fact.ty), TypeKind::Fn(_)) {
            parts.push(type_and_value(snapshot, fact));
        }
        parts.extend(of_machine(snapshot, fact));
    }
    (!parts.is_empty()).then(|| shown(parts.join("\n\n"), file.text.span(span)))
}

fn shown(value: String, range: Range) -> Hover {
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value });
    Hover { contents, range: Some(range) }
}

/// The page of a builtin.
pub fn builtin(name: &str) -> Option<&'static Page> {
    static PAGES: OnceLock<BTreeMap<String, Page>> = OnceLock::new();
    let pages = PAGES.get_or_init(|| {
        let builtins = chapters().into_iter().filter(|chapter| chapter.file.starts_with("builtins/"));
        builtins.flat_map(|chapter| chapter.pages).map(|page| (page.name.clone(), page)).collect()
    });
    pages.get(&format!("@{name}"))
}

/// A declaration, where it is, and the comment on it.
fn declaration(world: &World, here: &Path, target: &Target) -> Option<String> {
    let file = target.file(world)?;
    let def = file.defs.get(target.id)?;
    let mut text = format!("```csl\n{}\n```", describe::head(&file, def));
    if target.key != here {
        let name = target.key.file_name().unwrap_or(target.key.as_os_str()).to_string_lossy();
        text =
            format!("{text}\n*{}*", if name.starts_with('<') { name.replace('<', "\\<") } else { name.into_owned() });
    }
    if let Some(comment) = describe::comment(&file, def) {
        text = format!("{text}\n\n{comment}");
    }
    Some(text)
}

fn type_and_value(snapshot: &Snapshot, fact: &Fact) -> String {
    let ty = snapshot.observation.types.show(fact.ty);
    let value = match fact.value.as_ref().map(|value| &value.value) {
        // The type of a type says nothing.
        Some(Value::Type(ty)) if !fact.varies => return format!("= `{}`", snapshot.observation.types.show(*ty)),
        Some(Value::Dsd(_)) | None => String::new(),
        Some(Value::Varying(_) | Value::VaryingFloat(_)) => ", another value on each PE".to_owned(),
        Some(_) if fact.varies => ", with several values".to_owned(),
        Some(_) => snapshot.value(fact).map(|value| format!(" = `{}`", short(&value))).unwrap_or_default(),
    };
    format!("`{ty}`{value}")
}

/// A value on one line.
pub fn short(value: &str) -> String {
    const LONGEST: usize = 80;
    let line = value.replace('\n', "\\n").replace('`', "'");
    if line.chars().count() <= LONGEST { line } else { line.chars().take(LONGEST).chain("...".chars()).collect() }
}

/// What the machine has to do with a value.
fn of_machine(snapshot: &Snapshot, fact: &Fact) -> Option<String> {
    let value = fact.value.as_ref().filter(|_| !fact.varies)?;
    if let Value::Dsd(dsd) = &value.value {
        return Some(descriptor(dsd));
    }
    let TypeKind::Id(kind) = snapshot.observation.types.kind(fact.ty) else { return None };
    let number = match &value.value {
        Value::Int(number) => number.to_u8()?,
        _ => return None,
    };
    let machine = chip(snapshot.program.options.arch);
    match kind {
        IdKind::Color => routes(snapshot, number),
        IdKind::InputQueue => {
            let depth = machine.input_queue_depth(QueueId::new(number)?)?;
            Some(format!("Input queue {number} holds {depth} wavelets.{}", colors(snapshot, number, true)))
        }
        IdKind::OutputQueue => {
            let depth = machine.output_queue_depth(QueueId::new(number)?)?;
            Some(format!("Output queue {number} holds {depth} wavelets.{}", colors(snapshot, number, false)))
        }
        _ => None,
    }
}

/// The colors to which programs bind a queue.
fn colors(snapshot: &Snapshot, number: u8, is_input: bool) -> String {
    let Some(wafer) = snapshot.wafer() else { return String::new() };
    let queues = wafer.programs.iter().flat_map(|program| &program.queues);
    let bound =
        queues.filter(|queue| queue.id.number() == number && (queue.dir == csl_machine::QueueDir::In) == is_input);
    let mut colors: Vec<u8> = bound.filter_map(|queue| queue.color).map(|color| color.number()).collect();
    colors.sort_unstable();
    colors.dedup();
    match colors.as_slice() {
        [] => String::new(),
        [color] => format!(" It is bound to color {color}."),
        colors => format!(" Programs bind it to colors {}.", listed(colors.iter())),
    }
}

fn listed(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// The routes of a color, those of one form together.
fn routes(snapshot: &Snapshot, color: u8) -> Option<String> {
    let wafer = snapshot.wafer()?;
    let mut forms: Vec<(String, u32, (u32, u32))> = Vec::new();
    for route in wafer.routes.iter().filter(|route| route.color.number() == color) {
        let config = &route.config;
        let more = if config.positions.iter().any(|position| *position != Default::default()) {
            ", with switches"
        } else {
            ""
        };
        let form = format!("{} → {}{more}", sides(config.rx), sides(config.tx));
        match forms.iter_mut().find(|known| known.0 == form) {
            Some(known) => known.1 += 1,
            None => forms.push((form, 1, (route.x, route.y))),
        }
    }
    if forms.is_empty() {
        return Some(format!("Color {color} has no route."));
    }
    let line = |(form, count, (x, y)): &(String, u32, (u32, u32))| match count {
        1 => format!("- {form} at PE ({x}, {y})"),
        _ => format!("- {form} at {count} PEs, first ({x}, {y})"),
    };
    let more = if forms.len() > MOST_ROUTES {
        format!("\n- and {} more forms", forms.len() - MOST_ROUTES)
    } else {
        String::new()
    };
    let lines: Vec<String> = forms.iter().take(MOST_ROUTES).map(line).collect();
    Some(format!("Routes of color {color}:\n{}{more}", lines.join("\n")))
}

fn sides(of: DirSet) -> String {
    let names: Vec<&str> = of.iter().map(csl_machine::Direction::name).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(" and ") }
}

fn descriptor(dsd: &DsdValue) -> String {
    let count: u64 = dsd.extents.iter().map(|&extent| u64::from(extent)).product();
    match &dsd.fabric {
        Some(fabric) => {
            let color = fabric.color.map(|color| format!(", color {}", color.number())).unwrap_or_default();
            let queue = fabric.queue.map(|queue| format!(", queue {}", queue.number())).unwrap_or_default();
            format!("{count} wavelets{color}{queue}")
        }
        None => {
            let extents = listed(dsd.extents.iter());
            format!("{count} elements (extents {extents}; strides {})", listed(dsd.strides.iter()))
        }
    }
}

/// The cycles that the elements of a vector operation take at least.
fn cycles(world: &World, key: &Path, file: &File, call: &BuiltinCall) -> Option<String> {
    let op = VecOp::from_name(call.name.as_str())?;
    let facts = call.args.iter().flatten().filter_map(|&id| {
        let span = file.uses[id].span;
        world.fact(key, span.lo as usize, span.hi as usize)
    });
    let known = facts.filter(|(_, fact)| !fact.varies).find_map(|(snapshot, fact)| match &fact.value.as_ref()?.value {
        Value::Dsd(dsd) => Some((snapshot, dsd.extents.iter().map(|&extent| u64::from(extent)).product::<u64>())),
        _ => None,
    });
    let (snapshot, count) = known?;
    let arch = snapshot.program.options.arch;
    let width = op.simd_width(arch);
    let cycles = count.div_ceil(u64::from(width.max(1)));
    Some(format!("{count} elements, at most {width} a cycle on {arch}: at least {cycles} cycles."))
}
