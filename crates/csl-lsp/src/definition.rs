//! The declaration of a name, the file that a string names, the export that a symbol's name stands for.

use std::path::{Path, PathBuf};

use csl_diag::Span;
use lsp_types::{GotoDefinitionParams, GotoDefinitionResponse, Location, Range};

use crate::file::{File, Named};
use crate::host_names;
use crate::names::{self, Target};
use crate::world::World;

pub fn definition(world: &World, params: &GotoDefinitionParams) -> Option<GotoDefinitionResponse> {
    let at = &params.text_document_position_params;
    let key = world.key(&at.text_document.uri)?;
    if key.extension().is_some_and(|extension| extension == "py") {
        let text = &world.documents.get(&key)?.text;
        let name = host_names::name_at(text, text.offset(at.position))?;
        let folder = key.parent()?.to_owned();
        return answer(exports(world, |program| program == folder, &name));
    }
    let file = world.file(&key)?;
    let offset = file.text.offset(at.position);
    if let Some(link) = file.link_at(offset) {
        let range = Range::default();
        return answer(vec![Location { uri: world.uri(&names::linked(world, &key, link)?)?, range }]);
    }
    if let Some(string) = string_at(&file, offset) {
        return answer(exported_in(world, names::files_around(world, &key), &string.text));
    }
    let target = names::at(world, &key, &file, offset)?;
    answer(vec![location(world, &target)?])
}

fn answer(locations: Vec<Location>) -> Option<GotoDefinitionResponse> {
    (!locations.is_empty()).then_some(GotoDefinitionResponse::Array(locations))
}

pub fn location(world: &World, target: &Target) -> Option<Location> {
    let file = target.file(world)?;
    Some(Location { uri: world.uri(&target.key)?, range: file.text.span(file.defs.get(target.id)?.span) })
}

/// The name of a symbol at a byte.
fn string_at(file: &File, offset: usize) -> Option<&Named> {
    const OF_SYMBOLS: [&str; 5] =
        ["export_symbol", "export_name", "get_symbol_id", "get_symbol_value", "get_tensor_ptr"];
    let is_here = |span: Span| span.range().contains(&offset);
    file.strings.iter().find(|string| is_here(string.span) && OF_SYMBOLS.contains(&string.builtin.as_str()))
}

/// The exports of a name in the programs of folders.
fn exports(world: &World, is_wanted: impl Fn(&Path) -> bool, name: &str) -> Vec<Location> {
    let programs = world.snapshots.iter().filter(|snapshot| is_wanted(&snapshot.program.options.folder));
    let files = programs.flat_map(|snapshot| world.files_of(&snapshot.program));
    exported_in(world, files, name)
}

/// The places in files at which a name is exported: by the PE's program, and where none does by the layout.
fn exported_in(world: &World, files: impl IntoIterator<Item = PathBuf>, name: &str) -> Vec<Location> {
    let files: std::collections::BTreeSet<PathBuf> = files.into_iter().collect();
    let (mut symbols, mut names) = (Vec::new(), Vec::new());
    for key in files {
        let (Some(file), Some(uri)) = (world.file(&key), world.uri(&key)) else { continue };
        let location = |span: Span| Location { uri: uri.clone(), range: file.text.span(span) };
        for string in file.strings.iter().filter(|string| string.text == name) {
            match string.builtin.as_str() {
                "export_symbol" => symbols.push(location(string.span)),
                "export_name" => names.push(location(string.span)),
                _ => {}
            }
        }
        // `@export_symbol(f)` exports `f` by its own name.
        let own = file.builtins.iter().filter(|call| call.name.as_str() == "export_symbol" && call.args.len() == 1);
        for id in own.filter_map(|call| call.args[0]).filter(|&id| file.uses[id].name.as_str() == name) {
            let target = names::target(world, &key, &file, id);
            symbols.extend(target.and_then(|target| self::location(world, &target)));
        }
    }
    symbols.extend(names);
    symbols
}
