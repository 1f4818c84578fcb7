//! Quick fixes: the changes that diagnostics carry, and the comment that allows a warning.

use std::collections::HashMap;
use std::path::Path;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse, DiagnosticSeverity,
    NumberOrString, Position, Range, TextEdit, WorkspaceEdit,
};

use crate::diagnostics::{self, Change, Finding};
use crate::text::Text;
use crate::world::World;

/// All safe edits of a file at once, as editors ask for when they save it.
pub const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.waferlab");

pub fn actions(world: &World, params: &CodeActionParams) -> Option<CodeActionResponse> {
    let key = world.key(&params.text_document.uri)?;
    let is_wanted = |kind: &CodeActionKind| {
        let wanted = params.context.only.as_ref();
        wanted.is_none_or(|wanted| wanted.iter().any(|only| kind.as_str().starts_with(only.as_str())))
    };
    let file = world.file(&key)?;
    let found = diagnostics::all(world).remove(&key).unwrap_or_default();
    if !is_wanted(&CodeActionKind::QUICKFIX) {
        let all = is_wanted(&FIX_ALL).then(|| fix_all(world, &key, &found)).flatten();
        return Some(all.into_iter().map(CodeActionOrCommand::CodeAction).collect());
    }
    let here = found.iter().filter(|finding| touch(finding.diagnostic.range, params.range));
    let mut actions = Vec::new();
    for finding in here {
        // Several edits are alternatives, among which the author chooses.
        let is_only = finding.edits.len() == 1;
        let fix = |change: &Change| fix(world, finding, change, is_only && change.is_safe);
        actions.extend(finding.edits.iter().filter_map(fix));
        actions.extend(allow(world, finding, &file.text, params));
    }
    Some(actions.into_iter().map(CodeActionOrCommand::CodeAction).collect())
}

/// The safe edits of a file, of those that overlap the first.
#[expect(clippy::mutable_key_type, reason = "the type of the protocol: changes by URI")]
fn fix_all(world: &World, key: &Path, found: &[Finding]) -> Option<CodeAction> {
    let only = |finding: &Finding| match finding.edits.as_slice() {
        [only] if only.is_safe && only.key == key => Some(only.edit.clone()),
        _ => None,
    };
    let mut edits: Vec<TextEdit> = found.iter().filter_map(only).collect();
    edits.sort_by_key(|edit| edit.range.start);
    let mut end = Position::default();
    edits.retain(|edit| {
        let is_apart = edit.range.start >= end;
        end = if is_apart { edit.range.end } else { end };
        is_apart
    });
    let changes = HashMap::from([(world.uri(key)?, edits.clone())]);
    (!edits.is_empty()).then(|| CodeAction {
        title: "Make all safe edits".to_owned(),
        kind: Some(FIX_ALL),
        edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
        ..CodeAction::default()
    })
}

fn touch(a: Range, b: Range) -> bool {
    a.start <= b.end && b.start <= a.end
}

fn fix(world: &World, finding: &Finding, change: &Change, is_preferred: bool) -> Option<CodeAction> {
    let (old, new) = (shown(&change.old), shown(&change.edit.new_text));
    let title = match (change.old.is_empty(), change.edit.new_text.is_empty()) {
        (true, _) => format!("Insert `{new}`"),
        (false, true) => format!("Remove `{old}`"),
        (false, false) => format!("Replace `{old}` by `{new}`"),
    };
    let uri = world.uri(&change.key)?;
    Some(action(title, finding, uri, change.edit.clone(), is_preferred))
}

fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= LONGEST { words } else { words.chars().take(LONGEST).chain("...".chars()).collect() }
}

#[expect(clippy::mutable_key_type, reason = "the type of the protocol: changes by URI")]
fn action(title: String, finding: &Finding, uri: lsp_types::Uri, edit: TextEdit, is_preferred: bool) -> CodeAction {
    let changes = HashMap::from([(uri, vec![edit])]);
    CodeAction {
        title,
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![finding.diagnostic.clone()]),
        edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
        is_preferred: Some(is_preferred),
        ..CodeAction::default()
    }
}

/// Allows a warning on its line.
fn allow(world: &World, finding: &Finding, text: &Text, params: &CodeActionParams) -> Option<CodeAction> {
    let diagnostic = &finding.diagnostic;
    let Some(NumberOrString::String(code)) = &diagnostic.code else { return None };
    if diagnostic.severity != Some(DiagnosticSeverity::WARNING) {
        return None;
    }
    let line = diagnostic.range.start.line;
    let indent: String = text.line_text(line as usize).chars().take_while(|c| c.is_whitespace()).collect();
    let start = Position { line, character: 0 };
    let comment = format!("{indent}// waferlab: allow({code})\n");
    let edit = TextEdit { range: Range { start, end: start }, new_text: comment };
    let uri = world.uri(&world.key(&params.text_document.uri)?)?;
    Some(action(format!("Allow {code} here"), finding, uri, edit, false))
}
