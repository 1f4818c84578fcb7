//! Follows names from file to file: to their declarations, and from a declaration to all of its uses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csl_diag::Span;
use csl_host::FileSources;
use csl_ir::{Ty, TypeKind, Value};
use csl_sema::Sources;
use csl_syntax::Symbol;

use crate::file::{Def, DefId, File, Link, Use, UseId, UseKind};
use crate::snapshot::Snapshot;
use crate::world::World;

/// A declaration: the key of its file and its number there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    pub key: PathBuf,
    pub id: DefId,
}

/// A place at which a name stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub key: PathBuf,
    pub lo: usize,
    pub hi: usize,
    pub is_written: bool,
    pub is_declaration: bool,
}

/// The most files through which a member is followed.
const MOST_STEPS: usize = 32;

impl Target {
    pub fn file(&self, world: &World) -> Option<Arc<File>> {
        world.file(&self.key)
    }

    pub fn def(&self, world: &World) -> Option<Def> {
        self.file(world)?.defs.get(self.id).cloned()
    }
}

/// The file that a link in the file `key` names.
pub fn linked(world: &World, key: &Path, link: &Link) -> Option<PathBuf> {
    resolve(world, key, &link.name)
}

/// The file that a name in the file `key` leads to.
pub fn resolve(world: &World, key: &Path, name: &str) -> Option<PathBuf> {
    world.led(key, name, || found(world, key, name))
}

fn found(world: &World, key: &Path, name: &str) -> Option<PathBuf> {
    let programs: Vec<_> = match world.snapshots_of(key).next() {
        Some(snapshot) => vec![snapshot.program.clone()],
        None => world.programs_of(key).into_iter().map(Arc::new).collect(),
    };
    programs.iter().find_map(|program| {
        let mut sources = FileSources::with(&program.options, world.unsaved());
        let folder = program.options.locate(Path::new(""));
        let importer = key.strip_prefix(&folder).unwrap_or(key).to_string_lossy().into_owned();
        let found = sources.resolve(name, Some(&importer)).ok()?;
        Some(program.key(&found.path))
    })
}

/// The declaration that a use stands for.
pub fn target(world: &World, key: &Path, file: &File, id: UseId) -> Option<Target> {
    followed(world, key, file, id, MOST_STEPS)
}

fn followed(world: &World, key: &Path, file: &File, id: UseId, steps: usize) -> Option<Target> {
    let steps = steps.checked_sub(1)?;
    let used = &file.uses[id];
    let part = || parts(world, key, file, id).into_iter().next().or_else(|| part_by_name(world, key, file, used));
    match &used.kind {
        UseKind::Def(id) => Some(Target { key: key.to_owned(), id: *id }),
        UseKind::Binding { link } => {
            let key = linked(world, key, &file.links[*link])?;
            let id = world.file(&key)?.top(used.name)?;
            Some(Target { key, id })
        }
        UseKind::Member { base } => {
            let module = base.and_then(|base| followed(world, key, file, base, steps));
            module.and_then(|module| member(world, &module, used.name)).or_else(part)
        }
        UseKind::Init { .. } | UseKind::Option => part(),
        UseKind::Other | UseKind::Builtin => None,
    }
}

/// The modules that a declaration imports.
pub fn modules(world: &World, of: &Target) -> Vec<PathBuf> {
    let Some(file) = of.file(world) else { return Vec::new() };
    let links = file.defs[of.id].imports.iter().filter_map(|&link| file.links.get(link));
    links.filter_map(|link| linked(world, &of.key, link)).collect()
}

/// A member of the module that a declaration imports.
fn member(world: &World, of: &Target, name: Symbol) -> Option<Target> {
    modules(world, of).into_iter().find_map(|key| {
        let id = world.file(&key)?.top(name)?;
        Some(Target { key, id })
    })
}

/// The fields and members that a use stands for, by the analyses: several where its code is evaluated with several types.
pub fn parts(world: &World, key: &Path, file: &File, id: UseId) -> Vec<Target> {
    let span = file.uses[id].span;
    let mut found: Vec<Target> = Vec::new();
    for (snapshot, (ty, name)) in world.parts(key, span.lo as usize, span.hi as usize) {
        let target = declared_part(world, snapshot, ty, Symbol::new(name));
        found.extend(target.filter(|target| !found.contains(target)));
    }
    found
}

/// The declaration of a field or member of a type.
pub fn declared_part(world: &World, snapshot: &Snapshot, ty: Ty, name: Symbol) -> Option<Target> {
    let (key, lo, hi) = world.place_now(snapshot, site(snapshot, ty)?)?;
    let is_there = |site: Span| site.range() == (lo..hi);
    let id = world.file(&key)?.defs.iter().position(|def| def.name == name && def.site.is_some_and(is_there))?;
    Some(Target { key, id })
}

/// The field or member of the type that the name before it has or is: where the code itself has not been evaluated.
fn part_by_name(world: &World, key: &Path, file: &File, used: &Use) -> Option<Target> {
    let base = match used.kind {
        UseKind::Member { base } => base?,
        UseKind::Init { ty } => ty?,
        _ => return None,
    };
    let span = file.uses[base].span;
    let (snapshot, ty) = type_of(world, key, span.range().start, span.range().end).or_else(|| {
        let target = target(world, key, file, base)?;
        let span = target.def(world)?.span;
        type_of(world, &target.key, span.range().start, span.range().end)
    })?;
    declared_part(world, snapshot, ty, used.name)
}

/// The type that a name has, or that it is; of a pointer, the type that it points at.
pub fn type_of<'w>(world: &'w World, key: &Path, lo: usize, hi: usize) -> Option<(&'w Arc<Snapshot>, Ty)> {
    let (snapshot, fact) = world.fact(key, lo, hi)?;
    let ty = match fact.value.as_ref().map(|value| &value.value) {
        Some(Value::Type(ty)) => *ty,
        _ => fact.ty,
    };
    Some((snapshot, pointed(snapshot, ty)))
}

/// The type behind pointers and arrays.
pub fn pointed(snapshot: &Snapshot, ty: Ty) -> Ty {
    match snapshot.observation.types.kind(ty) {
        TypeKind::Ptr { elem, .. } | TypeKind::Array { elem, .. } => pointed(snapshot, *elem),
        _ => ty,
    }
}

/// The place of a type expression that defines a type.
pub fn site(snapshot: &Snapshot, ty: Ty) -> Option<Span> {
    match snapshot.observation.types.kind(ty) {
        TypeKind::Struct { site, .. } | TypeKind::Union { site, .. } | TypeKind::Enum { site, .. } => Some(*site),
        _ => None,
    }
}

/// The declaration of the name at a byte, whether it is declared or used there.
pub fn at(world: &World, key: &Path, file: &File, offset: usize) -> Option<Target> {
    match file.use_at(offset) {
        Some(id) => target(world, key, file, id),
        None => file.def_at(offset).map(|id| Target { key: key.to_owned(), id }),
    }
}

/// The files in which a declaration may be used: those of all programs with its file.
pub fn files_around(world: &World, key: &Path) -> BTreeSet<PathBuf> {
    let mut files: BTreeSet<PathBuf> = [key.to_owned()].into();
    for snapshot in &world.snapshots {
        let of = world.files_of(&snapshot.program);
        if of.contains(key) {
            files.extend(of);
        }
    }
    files
}

/// Every place at which a declaration's name stands, in the order of files and places.
pub fn places(world: &World, of: &Target) -> Vec<Place> {
    let Some(def) = of.def(world) else { return Vec::new() };
    let is_local = !def.is_top && def.site.is_none();
    let files = if is_local { [of.key.clone()].into() } else { files_around(world, &of.key) };
    let mut found = Vec::new();
    for key in files {
        let Some(file) = world.file(&key) else { continue };
        if key == of.key {
            found.push(place(&key, def.span, false, true));
        }
        let named = file.uses.iter().enumerate().filter(|(_, used)| used.name == def.name);
        for (id, used) in named {
            let has_it = || def.site.is_some() && parts(world, &key, &file, id).contains(of);
            if target(world, &key, &file, id).as_ref() == Some(of) || has_it() {
                found.push(place(&key, used.span, used.is_written, false));
            }
        }
    }
    found.sort();
    found
}

fn place(key: &Path, span: Span, is_written: bool, is_declaration: bool) -> Place {
    Place { key: key.to_owned(), lo: span.lo as usize, hi: span.hi as usize, is_written, is_declaration }
}
