//! Quick fixes: the changes that diagnostics carry, and the comment that allows a warning.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse, DiagnosticSeverity,
    NumberOrString, Position, Range, TextEdit, WorkspaceEdit,
};

use crate::diagnostics::{self, Change, Finding};
use crate::text::Text;
use crate::world::World;

pub fn actions(world: &World, params: &CodeActionParams) -> Option<CodeActionResponse> {
    let key = world.key(&params.text_document.uri)?;
    let is_wanted = |kind: &CodeActionKind| {
        let wanted = params.context.only.as_ref();
        wanted.is_none_or(|wanted| wanted.iter().any(|only| kind.as_str().starts_with(only.as_str())))
    };
    if !is_wanted(&CodeActionKind::QUICKFIX) {
        return None;
    }
    let file = world.file(&key)?;
    let found = diagnostics::all(world).remove(&key).unwrap_or_default();
    let here = found.iter().filter(|finding| touch(finding.diagnostic.range, params.range));
    let mut actions = Vec::new();
    for finding in here {
        let is_only = finding.edits.len() == 1;
        actions.extend(finding.edits.iter().filter_map(|change| fix(world, finding, change, is_only)));
        actions.extend(allow(world, finding, &file.text, params));
    }
    Some(actions.into_iter().map(CodeActionOrCommand::CodeAction).collect())
}

fn touch(a: Range, b: Range) -> bool {
    a.start <= b.end && b.start <= a.end
}

fn fix(world: &World, finding: &Finding, change: &Change, is_only: bool) -> Option<CodeAction> {
    let (old, new) = (shown(&change.old), shown(&change.edit.new_text));
    let title = match (change.old.is_empty(), change.edit.new_text.is_empty()) {
        (true, _) => format!("Insert `{new}`"),
        (false, true) => format!("Remove `{old}`"),
        (false, false) => format!("Replace `{old}` by `{new}`"),
    };
    let uri = world.uri(&change.key)?;
    Some(action(title, finding, uri, change.edit.clone(), is_only))
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
