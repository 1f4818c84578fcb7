//! Renames a declaration and all its uses, where that leaves the program as it is.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use csl_ir::{Ty, Types};
use csl_machine::Direction;
use csl_syntax::{Lexeme, Token};
use lsp_types::{PrepareRenameResponse, RenameParams, TextDocumentPositionParams, TextEdit, Uri, WorkspaceEdit};

use crate::file::{Def, DefKind, File, Use, UseKind};
use crate::library;
use crate::names::{self, Target};
use crate::requests::Refusal;
use crate::scan::lexemes;
use crate::snapshot::Snapshot;
use crate::world::World;

fn refused<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

pub fn prepare(world: &World, params: &TextDocumentPositionParams) -> Result<Option<PrepareRenameResponse>, Refusal> {
    let Some(key) = world.key(&params.text_document.uri) else { return Ok(None) };
    let Some(file) = world.file(&key) else { return Ok(None) };
    let offset = file.text.offset(params.position);
    let (target, def) = declared(world, params)?;
    check(world, &target, &def)?;
    let here = names::places(world, &target)
        .into_iter()
        .find(|place| place.key == key && (place.lo..=place.hi).contains(&offset));
    let range = here.map(|place| file.text.range(place.lo..place.hi));
    let placeholder = def.name.as_str().to_owned();
    Ok(range.map(|range| PrepareRenameResponse::RangeWithPlaceholder { range, placeholder }))
}

#[expect(clippy::mutable_key_type, reason = "the type of the protocol: changes by URI")]
pub fn rename(world: &World, params: &RenameParams) -> Result<Option<WorkspaceEdit>, Refusal> {
    let (target, def) = declared(world, &params.text_document_position)?;
    check(world, &target, &def)?;
    let new = params.new_name.trim();
    check_name(new)?;
    let places = names::places(world, &target);
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    for place in &places {
        let Some(file) = world.file(&place.key) else { return refused("a file is gone") };
        check_free(&file, &def, new)?;
        let Some(uri) = world.uri(&place.key) else { return refused("a file has no URI") };
        let edit = TextEdit { range: file.text.range(place.lo..place.hi), new_text: new.to_owned() };
        changes.entry(uri).or_default().push(edit);
    }
    Ok(Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }))
}

fn declared(world: &World, at: &TextDocumentPositionParams) -> Result<(Target, Def), Refusal> {
    let found = world.key(&at.text_document.uri).and_then(|key| {
        let file = world.file(&key)?;
        let target = names::at(world, &key, &file, file.text.offset(at.position))?;
        let def = target.def(world)?;
        Some((target, def))
    });
    found.ok_or_else(|| Refusal("there is no name here whose declaration is known".to_owned()))
}

/// Whether all uses of a declaration are known, and nothing outside of the program knows it by its name.
fn check(world: &World, target: &Target, def: &Def) -> Result<(), Refusal> {
    let name = def.name.as_str();
    if library::name(&target.key).is_some() {
        return refused(format!("`{name}` is a name of the library"));
    }
    if def.is_linked {
        return refused(format!("`{name}` is exported or extern: others know it by its name"));
    }
    if def.site.is_some() {
        return check_part(world, target, def);
    }
    if !def.is_top {
        return Ok(());
    }
    for key in names::files_around(world, &target.key) {
        let Some(file) = world.file(&key) else { continue };
        check_texts(&key, &file, name)?;
        for call in file.builtins.iter().filter(|call| call.name.as_str() == "export_symbol" && call.args.len() == 1) {
            let exported = call.args[0].and_then(|id| names::target(world, &key, &file, id));
            if exported.as_ref() == Some(target) {
                return refused(format!(
                    "the host knows `{name}` by its name: write `@export_symbol({name}, \"{name}\")` first"
                ));
            }
        }
        // Members of something that is not known to be another module may be the name.
        let is_unknown = |id: usize| {
            let used = &file.uses[id];
            used.name == def.name
                && matches!(used.kind, UseKind::Member { .. })
                && names::target(world, &key, &file, id).is_none()
                && world.fact(&key, used.span.lo as usize, used.span.hi as usize).is_none()
        };
        if (0..file.uses.len()).any(is_unknown) {
            return refused(format!("{} has a `.{name}` of which it is not known whose it is", key.display()));
        }
        if def.kind == DefKind::Param {
            let leads_here = |link: &&crate::file::Link| names::linked(world, &key, link).as_ref() == Some(&target.key);
            if file.links.iter().filter(leads_here).any(|link| !link.is_open) {
                return refused(format!(
                    "params of this file are given by a value, not by their names, in {}",
                    key.display()
                ));
            }
        }
    }
    let is_root = |program: &crate::programs::Program| {
        let given = program.options.params.iter().chain(&program.options.colors);
        program.root() == target.key && given.into_iter().any(|(given, _)| given == name)
    };
    if def.kind == DefKind::Param && world.snapshots.iter().any(|snapshot| is_root(&snapshot.program)) {
        return refused(format!("the command line gives `{name}` its value"));
    }
    Ok(())
}

/// Whether a file parses and does not name the name by a text.
fn check_texts(key: &Path, file: &File, name: &str) -> Result<(), Refusal> {
    if file.source.findings.has_errors() {
        return refused(format!("{} does not parse: not all uses of `{name}` can be seen", key.display()));
    }
    let by_text = |builtin: &str| matches!(builtin, "field" | "has_field");
    if file.strings.iter().any(|string| by_text(string.builtin.as_str()) && string.text == name) {
        return refused(format!("`{name}` is also named by a string in {}", key.display()));
    }
    Ok(())
}

/// Whether all uses of a field or member are known: the analyses have evaluated whatever has its name.
fn check_part(world: &World, target: &Target, def: &Def) -> Result<(), Refusal> {
    let name = def.name.as_str();
    let is_ours =
        |snapshot: &Snapshot, ty: Ty| names::declared_part(world, snapshot, ty, def.name).as_ref() == Some(target);
    for key in names::files_around(world, &target.key) {
        let Some(file) = world.file(&key) else { continue };
        check_texts(&key, &file, name)?;
        for (id, used) in file.uses.iter().enumerate().filter(|(_, used)| used.name == def.name) {
            let may_be = matches!(used.kind, UseKind::Member { .. } | UseKind::Init { .. } | UseKind::Option);
            if !may_be {
                continue;
            }
            let place = || format!("{}:{}", key.display(), file.text.position(used.span.lo as usize).line + 1);
            let (lo, hi) = (used.span.lo as usize, used.span.hi as usize);
            let found: Vec<_> = world.parts(&key, lo, hi).collect();
            let ours = found.iter().filter(|(snapshot, (ty, _))| is_ours(snapshot, *ty)).count();
            if ours > 0 && ours < found.len() {
                return refused(format!("at {} `{name}` is also a field of another type", place()));
            }
            // A struct without a type becomes one of this type where it is used as such: its field has the name then.
            let becomes = |(snapshot, (ty, _)): &(&Arc<Snapshot>, csl_sema::Part)| {
                snapshot.observation.became().any(|(from, to)| from == *ty && is_ours(snapshot, to))
            };
            if ours == 0 && found.iter().any(becomes) {
                return refused(format!("the struct at {} has no type and becomes one with `{name}`", place()));
            }
            let is_other = used.kind == UseKind::Option
                || names::target(world, &key, &file, id).is_some()
                || world.fact(&key, lo, hi).is_some();
            if found.is_empty() && !is_other {
                return refused(format!("it is not known whose `{name}` is at {}: nothing has evaluated it", place()));
            }
        }
    }
    // Names that are computed, and those in data files.
    for snapshot in &world.snapshots {
        let named = snapshot
            .observation
            .all_parts()
            .filter(|(_, parts)| parts.iter().any(|(ty, known)| *known == name && is_ours(snapshot, *ty)));
        let sources = snapshot.sources();
        if let Some((span, _)) = named.into_iter().find(|(span, _)| sources.snippet(*span) != name) {
            let (line, _) = sources.line_col(span.file, span.lo);
            return refused(format!("`{name}` is named in another way at {}:{line}", sources.name(span.file)));
        }
    }
    Ok(())
}

/// Whether a text may be the name of a declaration.
fn check_name(new: &str) -> Result<(), Refusal> {
    let is_name =
        matches!(lexemes(new).as_slice(), [Lexeme { token: Token::Ident(name), .. }] if name.len() == new.len());
    if !is_name {
        return refused(format!("`{new}` is not a name"));
    }
    let is_wide = new.starts_with(['i', 'u']) && new.len() > 1 && new[1..].bytes().all(|byte| byte.is_ascii_digit());
    let is_type = is_wide || Types::primitive_names().any(|known| known == new);
    if is_type || new == "_" || Direction::ALL.iter().any(|direction| direction.name() == new) {
        return refused(format!("`{new}` has a meaning of its own"));
    }
    Ok(())
}

/// Whether nothing in a file with uses has the new name: neither could hide the other then.
fn check_free(file: &File, def: &Def, new: &str) -> Result<(), Refusal> {
    let is_taken = match def.site {
        Some(site) => file.defs.iter().any(|known| known.site == Some(site) && known.name.as_str() == new),
        None => {
            let around = if def.is_top { None } else { def.function.map(|id| file.defs[id].whole.range()) };
            let is_near = |lo: u32| around.as_ref().is_none_or(|around| around.contains(&(lo as usize)));
            let is_field = |used: &Use| matches!(used.kind, UseKind::Init { .. } | UseKind::Option | UseKind::Builtin);
            let defs = file.defs.iter().filter(|known| known.site.is_none());
            defs.filter(|known| known.is_top || is_near(known.span.lo)).any(|known| known.name.as_str() == new)
                || file.uses.iter().any(|used| used.name.as_str() == new && is_near(used.span.lo) && !is_field(used))
        }
    };
    if is_taken { refused(format!("there is a `{new}` already")) } else { Ok(()) }
}
