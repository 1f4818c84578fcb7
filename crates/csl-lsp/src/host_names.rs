//! The names of symbols in host programs (`run.py`), checked against the exports of the programs in their folder.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use lsp_types::{Diagnostic, DiagnosticSeverity, TextEdit};

use crate::diagnostics::{Change, Finding, SOURCE};
use crate::programs::Found;
use crate::text::Text;
use crate::world::World;

/// The methods of the runtime whose first argument is the name of a symbol.
const METHODS: [&str; 4] = [".get_id(", ".get_symbol(", ".launch(", ".call("];

/// The class of the runtime: other files of Python are no host programs.
const RUNTIME: &str = "SdkRuntime";

/// The findings in the host programs of all folders whose programs were analysed without an error.
pub fn findings(world: &World) -> Vec<(PathBuf, Finding)> {
    let mut exports: BTreeMap<&Path, Option<BTreeSet<&str>>> = BTreeMap::new();
    // A file on its own does not say what the program exports.
    for snapshot in world.snapshots.iter().filter(|snapshot| snapshot.program.found != Found::Alone) {
        let known = exports.entry(&snapshot.program.options.folder).or_insert_with(|| Some(BTreeSet::new()));
        match (snapshot.wafer(), known.as_mut()) {
            (Some(wafer), Some(known)) => known.extend(wafer.exports.iter().map(|export| export.name)),
            // What the program exports is not known as long as it has errors.
            _ => *known = None,
        }
    }
    let known = exports.into_iter().filter_map(|(folder, names)| Some((folder, names?)));
    known.flat_map(|(folder, names)| in_folder(world, folder, &names)).collect()
}

fn in_folder(world: &World, folder: &Path, names: &BTreeSet<&str>) -> Vec<(PathBuf, Finding)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let held = world.documents.keys().filter(|key| key.parent() == Some(folder)).cloned();
    let files: BTreeSet<PathBuf> =
        entries.chain(held).filter(|path| path.extension().is_some_and(|e| e == "py")).collect();
    let mut found = Vec::new();
    for key in files {
        let text = match world.documents.get(&key) {
            Some(document) => document.text.clone(),
            None => Text::new(std::fs::read_to_string(&key).unwrap_or_default()),
        };
        if !text.text().contains(RUNTIME) {
            continue;
        }
        let unknown = uses(text.text()).into_iter().filter(|(_, name)| !names.contains(name));
        found.extend(unknown.map(|(bytes, name)| (key.clone(), finding(&key, &text, bytes, name, names))));
    }
    found
}

fn finding(key: &Path, text: &Text, bytes: Range<usize>, name: &str, names: &BTreeSet<&str>) -> Finding {
    let close = csl_sema::closest(name, names.iter().copied());
    let mut message = format!("the program exports no `{name}`");
    if let [first, ..] = close.as_slice() {
        message = format!("{message}\nhelp: did you mean `{first}`?");
    }
    let range = text.range(bytes);
    let change = |new: &&str| Change {
        key: key.to_owned(),
        edit: TextEdit { range, new_text: (*new).to_owned() },
        old: name.to_owned(),
        is_safe: false,
    };
    let diagnostic = Diagnostic {
        range,
        severity: Some(DiagnosticSeverity::WARNING),
        source: Some(SOURCE.to_owned()),
        message,
        ..Diagnostic::default()
    };
    Finding { diagnostic, edits: close.iter().map(change).collect() }
}

/// The names that a host program gives to the runtime, with their places.
fn uses(text: &str) -> Vec<(Range<usize>, &str)> {
    let mut found = Vec::new();
    for method in METHODS {
        for (at, _) in text.match_indices(method) {
            let start = at + method.len();
            let rest = &text[start..];
            let quoted = rest.trim_start();
            let Some(quote) = quoted.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
            let start = start + rest.len() - quoted.len() + 1;
            let Some(length) = text[start..].find(quote) else { continue };
            let name = &text[start..start + length];
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            let line = text[..at].rfind('\n').map_or(0, |at| at + 1);
            if is_name && !text[line..at].contains('#') {
                found.push((start..start + length, name));
            }
        }
    }
    found.sort_by_key(|(bytes, _)| bytes.start);
    found
}

/// The name of a symbol at a byte of a host program.
pub fn name_at(text: &Text, offset: usize) -> Option<String> {
    let found = uses(text.text()).into_iter().find(|(bytes, _)| bytes.contains(&offset) || bytes.end == offset);
    found.map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_symbols_are_found() {
        let text = "a = r.get_id('A')\nr.launch(\n  \"f\", x)\n# r.launch(\"g\")\nr.launch(name)\nr.call('h', [])\nr.get_id('')\nr.get_symbol('g')\n";
        assert_eq!(uses(text).iter().map(|found| found.1).collect::<Vec<_>>(), ["A", "f", "h", "g"]);
    }
}
