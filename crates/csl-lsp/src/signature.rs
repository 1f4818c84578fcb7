//! The signature of the function or builtin whose arguments are being written.

use std::path::Path;

use csl_syntax::{Symbol, Token};
use lsp_types::{
    Documentation, MarkupContent, MarkupKind, ParameterInformation, ParameterLabel, SignatureHelp, SignatureHelpParams,
    SignatureInformation,
};

use crate::completion::member_of;
use crate::describe;
use crate::file::File;
use crate::hover;
use crate::names::Target;
use crate::scan::{call_around, chain_before, lexemes};
use crate::world::World;

pub fn signature(world: &World, params: &SignatureHelpParams) -> Option<SignatureHelp> {
    let at = &params.text_document_position_params;
    let key = world.key(&at.text_document.uri)?;
    let file = world.file(&key)?;
    let offset = file.text.offset(at.position);
    let lexemes = lexemes(file.text.text());
    let call = call_around(&lexemes, offset)?;
    let signatures = match call.callee {
        Token::Builtin(name) => of_builtin(name)?,
        Token::Ident(name) => vec![of_function(world, &callee(world, &key, &file, &lexemes, name, call.callee_at)?)?],
        _ => return None,
    };
    let takes = |signature: &SignatureInformation| signature.parameters.as_ref().map_or(0, Vec::len) > call.argument;
    let active = signatures.iter().position(takes).unwrap_or(0);
    Some(SignatureHelp {
        signatures,
        active_signature: Some(active as u32),
        active_parameter: Some(call.argument as u32),
    })
}

fn of_builtin(name: &str) -> Option<Vec<SignatureInformation>> {
    let pages = csl_sema::builtin_pages().iter().flat_map(|group| &group.pages);
    let forms = &pages.into_iter().find(|page| page.name == name)?.forms;
    let text = hover::builtin(name).map(|page| page.text.clone()).unwrap_or_default();
    let documentation = Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value: text });
    Some(forms.iter().map(|form| information(form.clone(), Some(documentation.clone()))).collect())
}

/// The function that is called, where the text around the call may not parse.
fn callee(
    world: &World,
    key: &Path,
    file: &File,
    lexemes: &[csl_syntax::Lexeme<'_>],
    name: &str,
    at: usize,
) -> Option<Target> {
    let index = lexemes.iter().position(|lexeme| lexeme.lo == at)?;
    let dot = index.checked_sub(1).map(|before| lexemes[before]).filter(|before| before.token == Token::Dot);
    match dot {
        Some(dot) => member_of(world, key, file, &chain_before(lexemes, dot.lo), Symbol::new(name)),
        None => Some(Target { key: key.to_owned(), id: file.top(Symbol::new(name))? }),
    }
}

fn of_function(world: &World, target: &Target) -> Option<SignatureInformation> {
    let file = target.file(world)?;
    let def = file.defs.get(target.id)?;
    describe::function(&file, def)?;
    let comment = describe::comment(&file, def).map(Documentation::String);
    let head = describe::head(&file, def).split_whitespace().collect::<Vec<_>>().join(" ");
    Some(information(head, comment))
}

/// The signature with the places of its parameters: commas outside of inner brackets part them.
fn information(label: String, documentation: Option<Documentation>) -> SignatureInformation {
    let mut parameters = Vec::new();
    let units = |to: usize| label[..to].encode_utf16().count() as u32;
    let open = label.find('(').map_or(label.len(), |at| at + 1);
    let (mut start, mut depth) = (open, 0usize);
    let mut add = |start: usize, end: usize| {
        let text = &label[start..end];
        let (lo, hi) = (start + text.len() - text.trim_start().len(), start + text.trim_end().len());
        if lo < hi {
            let label = ParameterLabel::LabelOffsets([units(lo), units(hi)]);
            parameters.push(ParameterInformation { label, documentation: None });
        }
    };
    for (at, character) in label.char_indices().skip_while(|(at, _)| *at < open) {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                add(start, at);
                break;
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                add(start, at);
                start = at + 1;
            }
            _ => {}
        }
    }
    SignatureInformation { label, documentation, parameters: Some(parameters), active_parameter: None }
}
