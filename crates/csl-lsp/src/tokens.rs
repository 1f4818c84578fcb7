//! Semantic tokens: names by what they stand for.

use csl_diag::Span;
use csl_ir::Types;
use csl_machine::Direction;
use csl_syntax::Token;
use lsp_types::{
    SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokens, SemanticTokensLegend,
    SemanticTokensParams, SemanticTokensRangeParams, SemanticTokensRangeResult, SemanticTokensResult,
};

use crate::file::{DefKind, File, UseKind};
use crate::names::{self, Target};
use crate::scan::lexemes;
use crate::world::World;

/// The types, in the order of their numbers.
const TYPES: [SemanticTokenType; 13] = [
    SemanticTokenType::KEYWORD,
    SemanticTokenType::COMMENT,
    SemanticTokenType::STRING,
    SemanticTokenType::NUMBER,
    SemanticTokenType::TYPE,
    SemanticTokenType::FUNCTION,
    SemanticTokenType::MACRO,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::PARAMETER,
    SemanticTokenType::PROPERTY,
    SemanticTokenType::ENUM_MEMBER,
    SemanticTokenType::NAMESPACE,
    SemanticTokenType::EVENT,
];

const MODIFIERS: [SemanticTokenModifier; 4] = [
    SemanticTokenModifier::DECLARATION,
    SemanticTokenModifier::READONLY,
    SemanticTokenModifier::DEFAULT_LIBRARY,
    SemanticTokenModifier::MODIFICATION,
];

const DECLARATION: u32 = 1;
const READONLY: u32 = 2;
const LIBRARY: u32 = 4;
const MODIFICATION: u32 = 8;

pub fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend { token_types: TYPES.to_vec(), token_modifiers: MODIFIERS.to_vec() }
}

/// A token: its bytes, type and modifiers.
struct Part {
    lo: usize,
    hi: usize,
    ty: SemanticTokenType,
    modifiers: u32,
}

pub fn whole(world: &World, params: &SemanticTokensParams) -> Option<SemanticTokensResult> {
    let key = world.key(&params.text_document.uri)?;
    let file = world.file(&key)?;
    Some(SemanticTokensResult::Tokens(encoded(&file, parts(world, &key, &file))))
}

pub fn range(world: &World, params: &SemanticTokensRangeParams) -> Option<SemanticTokensRangeResult> {
    let key = world.key(&params.text_document.uri)?;
    let file = world.file(&key)?;
    let bytes = file.text.offset(params.range.start)..file.text.offset(params.range.end);
    let mut parts = parts(world, &key, &file);
    parts.retain(|part| part.lo < bytes.end && part.hi > bytes.start);
    Some(SemanticTokensRangeResult::Tokens(encoded(&file, parts)))
}

fn parts(world: &World, key: &std::path::Path, file: &File) -> Vec<Part> {
    let mut parts: Vec<Part> = lexemes(file.text.text())
        .iter()
        .filter_map(|lexeme| {
            let ty = match lexeme.token {
                Token::Comment(_) => SemanticTokenType::COMMENT,
                Token::Str(_) | Token::Char(_) => SemanticTokenType::STRING,
                Token::Int(_) | Token::Float(_) => SemanticTokenType::NUMBER,
                // A keyword that stands as a name is a name.
                token if token.is_keyword() => SemanticTokenType::KEYWORD,
                _ => return None,
            };
            Some(Part { lo: lexeme.lo, hi: lexeme.hi, ty, modifiers: 0 })
        })
        .collect();
    parts.extend(file.defs.iter().map(|def| {
        let (ty, modifiers) = of_kind(def.kind, !def.imports.is_empty());
        part(def.span, ty, modifiers | DECLARATION)
    }));
    for (id, used) in file.uses.iter().enumerate() {
        let written = if used.is_written { MODIFICATION } else { 0 };
        let (ty, modifiers) = match &used.kind {
            UseKind::Builtin => (SemanticTokenType::MACRO, LIBRARY),
            UseKind::Other if is_type(used.name.as_str()) => (SemanticTokenType::TYPE, LIBRARY),
            UseKind::Other if is_direction(used.name.as_str()) => (SemanticTokenType::ENUM_MEMBER, LIBRARY | READONLY),
            UseKind::Other => continue,
            _ => match names::target(world, key, file, id) {
                Some(Target { key, id }) => {
                    let library = if crate::library::name(&key).is_some() { LIBRARY } else { 0 };
                    let Some(def) = world.file(&key).and_then(|file| file.defs.get(id).cloned()) else { continue };
                    let (ty, modifiers) = of_kind(def.kind, !def.imports.is_empty());
                    (ty, modifiers | library)
                }
                None => (SemanticTokenType::PROPERTY, 0),
            },
        };
        parts.push(part(used.span, ty, modifiers | written));
    }
    parts.retain(|part| part.hi > part.lo);
    // Of a keyword and a name at one place the name, which comes later, counts.
    parts.sort_by_key(|part| part.lo);
    parts.dedup_by(|later, earlier| {
        let is_same = later.lo < earlier.hi;
        if is_same {
            std::mem::swap(later, earlier);
        }
        is_same
    });
    parts
}

fn part(span: Span, ty: SemanticTokenType, modifiers: u32) -> Part {
    Part { lo: span.lo as usize, hi: span.hi as usize, ty, modifiers }
}

fn is_type(name: &str) -> bool {
    let is_wide =
        || name.len() > 1 && name.starts_with(['i', 'u']) && name[1..].bytes().all(|byte| byte.is_ascii_digit());
    Types::primitive_names().any(|known| known == name) || is_wide()
}

fn is_direction(name: &str) -> bool {
    Direction::ALL.iter().any(|direction| direction.name() == name)
}

fn of_kind(kind: DefKind, is_module: bool) -> (SemanticTokenType, u32) {
    match kind {
        DefKind::Const if is_module => (SemanticTokenType::NAMESPACE, READONLY),
        DefKind::Const | DefKind::Param => (SemanticTokenType::VARIABLE, READONLY),
        DefKind::Var => (SemanticTokenType::VARIABLE, 0),
        DefKind::Fn => (SemanticTokenType::FUNCTION, 0),
        DefKind::Task => (SemanticTokenType::EVENT, 0),
        DefKind::Argument | DefKind::Index => (SemanticTokenType::PARAMETER, READONLY),
        DefKind::Field => (SemanticTokenType::PROPERTY, 0),
        DefKind::Member => (SemanticTokenType::ENUM_MEMBER, READONLY),
    }
}

/// The tokens as the protocol has them: each relative to the one before.
fn encoded(file: &File, parts: Vec<Part>) -> SemanticTokens {
    let (mut line, mut start) = (0, 0);
    let mut data = Vec::with_capacity(parts.len());
    for part in parts {
        let range = file.text.range(part.lo..part.hi);
        if range.start.line != range.end.line {
            continue;
        }
        let delta_line = range.start.line - line;
        let delta_start = if delta_line == 0 { range.start.character - start } else { range.start.character };
        (line, start) = (range.start.line, range.start.character);
        let length = range.end.character - range.start.character;
        let token_type = TYPES.iter().position(|ty| *ty == part.ty).unwrap_or(0) as u32;
        data.push(SemanticToken {
            delta_line,
            delta_start,
            length,
            token_type,
            token_modifiers_bitset: part.modifiers,
        });
    }
    SemanticTokens { result_id: None, data }
}
