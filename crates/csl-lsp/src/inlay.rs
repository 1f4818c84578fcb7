//! Hints in the text: the types of constants and variables that are not written, and the values of constants.

use csl_ir::{Ty, TypeKind, Value};
use csl_syntax::Token;
use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel, InlayHintParams};

use crate::file::{Def, DefKind, File};
use crate::hover::short;
use crate::scan::lexemes;
use crate::snapshot::Snapshot;
use crate::world::World;

/// The longest type, and the longest value, that a hint shows.
const LONGEST_TYPE: usize = 32;
const LONGEST_VALUE: usize = 24;

pub fn hints(world: &World, params: &InlayHintParams) -> Option<Vec<InlayHint>> {
    let key = world.key(&params.text_document.uri)?;
    let file = world.file(&key)?;
    let bytes = file.text.offset(params.range.start)..=file.text.offset(params.range.end);
    let shown = file.defs.iter().filter(|def| bytes.contains(&(def.span.hi as usize)) && has_hint(def));
    let hint = |def: &Def| {
        let (snapshot, fact) = world.fact(&key, def.span.lo as usize, def.span.hi as usize)?;
        let ty = if def.is_typed { None } else { type_hint(snapshot, fact.ty) };
        let value = match fact.value.as_ref().map(|value| &value.value) {
            Some(Value::Int(_) | Value::Float(_) | Value::Bool(_)) if !is_plain(&file, def) => snapshot.value(fact),
            _ => None,
        };
        let value = value.filter(|value| value.len() <= LONGEST_VALUE && def.kind != DefKind::Var);
        // `input_queue(2)` says its type.
        let ty = ty.filter(|ty| !value.as_ref().is_some_and(|value| value.starts_with(&format!("{ty}("))));
        let label = match (ty, value) {
            (None, None) => return None,
            (Some(ty), None) => format!(": {ty}"),
            (None, Some(value)) => format!(" = {}", short(&value)),
            (Some(ty), Some(value)) => format!(": {ty} = {}", short(&value)),
        };
        Some(InlayHint {
            position: file.text.position(def.span.hi as usize),
            label: InlayHintLabel::String(label),
            kind: Some(InlayHintKind::TYPE),
            text_edits: None,
            tooltip: None,
            padding_left: None,
            padding_right: None,
            data: None,
        })
    };
    Some(shown.filter_map(hint).collect())
}

fn has_hint(def: &Def) -> bool {
    let is_value = matches!(def.kind, DefKind::Const | DefKind::Var | DefKind::Param);
    def.site.is_none() && (is_value || def.kind == DefKind::Argument && !def.is_typed)
}

/// Whether the value is a literal, which says all itself.
fn is_plain(file: &File, def: &Def) -> bool {
    let whole = file.snippet(def.whole);
    let Some((_, value)) = whole.split_once('=') else { return false };
    let value = value.trim_end_matches(';').trim();
    let tokens = lexemes(value);
    match tokens.as_slice() {
        [only] => matches!(
            only.token,
            Token::Int(_) | Token::Float(_) | Token::Char(_) | Token::Str(_) | Token::True | Token::False
        ),
        [sign, number] => sign.token == Token::Minus && matches!(number.token, Token::Int(_) | Token::Float(_)),
        _ => false,
    }
}

/// The type as a hint; none where it says less than the text.
fn type_hint(snapshot: &Snapshot, ty: Ty) -> Option<String> {
    let types = &snapshot.observation.types;
    if [Ty::MODULE, Ty::TYPE, Ty::COMPTIME_STRING, Ty::COMPTIME_INT, Ty::COMPTIME_FLOAT].contains(&ty) {
        return None;
    }
    let text = match types.kind(ty) {
        TypeKind::Fn(_) => return None,
        TypeKind::Anon { .. } => "struct".to_owned(),
        _ => types.show(ty),
    };
    (text.chars().count() <= LONGEST_TYPE).then_some(text)
}
