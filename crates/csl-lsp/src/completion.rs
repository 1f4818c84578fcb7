//! Completion: builtins behind `@`, members and fields behind `.`, files and exported names in strings, names elsewhere.
//!
//! The text is unfinished where this is asked, so the place is told by the tokens before it; types come from the last analysis.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csl_ir::{Ty, TypeKind, Types};
use csl_machine::{Direction, VecOp};
use csl_syntax::{Lexeme, Symbol, Token};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse, CompletionTextEdit, Documentation,
    MarkupContent, MarkupKind, Range, TextEdit,
};
use serde_json::json;

use crate::describe;
use crate::file::{Def, DefKind, File};
use crate::hover;
use crate::library;
use crate::names::{self, Target};
use crate::scan::{call_around, chain_before, lexemes};
use crate::snapshot::Snapshot;
use crate::world::World;

pub fn completion(world: &World, params: &CompletionParams) -> Option<CompletionResponse> {
    let at = &params.text_document_position;
    let key = world.key(&at.text_document.uri)?;
    let file = world.file(&key)?;
    let offset = file.text.offset(at.position);
    let lexemes = lexemes(file.text.text());
    let here = Here { world, key: &key, file: &file, lexemes: &lexemes, offset };
    here.items().map(CompletionResponse::Array)
}

/// Adds the page of a builtin, which is left out of lists.
pub fn resolve(mut item: CompletionItem) -> CompletionItem {
    let name = item.data.as_ref().and_then(|data| data["builtin"].as_str());
    if let Some(page) = name.and_then(hover::builtin) {
        item.documentation = Some(markdown(page.text.clone()));
    }
    item
}

fn markdown(value: String) -> Documentation {
    Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })
}

/// The place that is to be completed.
struct Here<'w> {
    world: &'w World,
    key: &'w Path,
    file: &'w File,
    lexemes: &'w [Lexeme<'w>],
    offset: usize,
}

impl Here<'_> {
    fn items(&self) -> Option<Vec<CompletionItem>> {
        let text = self.file.text.text();
        if let Some(token) = self.lexemes.iter().find(|l| l.lo < self.offset && self.offset <= l.hi) {
            match token.token {
                Token::Comment(_) => return None,
                Token::Str(_) if self.offset < token.hi || !is_closed(&text[token.lo..token.hi]) => {
                    return Some(self.in_string(*token));
                }
                Token::Int(_) | Token::Float(_) | Token::Char(_) => return None,
                _ => {}
            }
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let start = self.offset - text[..self.offset].chars().rev().take_while(|c| is_part(*c)).count();
        let end = self.offset + text[self.offset..].chars().take_while(|c| is_part(*c)).count();
        let range = self.file.text.range(start..end);
        Some(match text[..start].chars().next_back() {
            Some('@') => self.builtins(self.file.text.range(start - 1..end)),
            Some('.') => self.behind_dot(start - 1, range),
            _ => self.names(range),
        })
    }

    fn builtins(&self, range: Range) -> Vec<CompletionItem> {
        let pages = csl_sema::builtin_pages().iter().flat_map(|group| &group.pages);
        let builtin = |page: &csl_sema::BuiltinPage| CompletionItem {
            detail: page.forms.first().cloned(),
            data: Some(json!({ "builtin": page.name })),
            ..item(&format!("@{}", page.name), CompletionItemKind::FUNCTION, range)
        };
        pages.map(builtin).collect()
    }

    /// Names in scope, types, directions, keywords.
    fn names(&self, range: Range) -> Vec<CompletionItem> {
        let mut seen = BTreeSet::new();
        let mut items = Vec::new();
        for def in self.file.visible(self.offset).filter(|def| seen.insert(def.name.as_str())) {
            items.push(declared(self.file, def, range));
        }
        let known =
            |names: &mut dyn Iterator<Item = &str>, kind| names.map(|name| item(name, kind, range)).collect::<Vec<_>>();
        items.extend(known(&mut Types::primitive_names(), CompletionItemKind::STRUCT));
        items.extend(known(&mut Direction::ALL.iter().map(|d| d.name()), CompletionItemKind::ENUM_MEMBER));
        let mut keywords: Vec<&str> = Token::KEYWORDS.iter().map(|token| token.kind()).collect();
        keywords.retain(|word| *word != "color");
        items.extend(known(&mut keywords.into_iter(), CompletionItemKind::KEYWORD));
        items
    }

    fn behind_dot(&self, dot: usize, range: Range) -> Vec<CompletionItem> {
        let before = self.lexemes.iter().rev().find(|lexeme| lexeme.hi <= dot);
        let follows_value = before.is_some_and(|lexeme| {
            matches!(lexeme.token, Token::Ident(_) | Token::RBracket | Token::Deref | Token::RParen) && lexeme.hi == dot
        });
        if !follows_value {
            return self.fields(range);
        }
        match holder_of(self.world, self.key, self.file, &chain_before(self.lexemes, dot)) {
            Some(Holder::Modules(keys)) => keys.iter().flat_map(|key| self.members(key, range)).collect(),
            Some(Holder::Type(snapshot, ty)) => typed_parts(&snapshot, ty, range),
            None => Vec::new(),
        }
    }

    /// The names that a module gives.
    fn members(&self, key: &Path, range: Range) -> Vec<CompletionItem> {
        let Some(file) = self.world.file(key) else { return Vec::new() };
        let given = library::name(key).map(csl_std::declarations);
        let is_given = |def: &&Def| {
            let name = def.name.as_str();
            given.as_ref().is_none_or(|given| given.iter().any(|declaration| declaration.name == name))
        };
        let members = file.defs.iter().filter(|def| def.is_top && def.kind != DefKind::Param).filter(is_given);
        members.map(|def| declared(&file, def, range)).collect()
    }

    /// The fields of the struct that an argument is.
    fn fields(&self, range: Range) -> Vec<CompletionItem> {
        let Some(call) = call_around(self.lexemes, self.offset).filter(|call| call.is_in_struct) else {
            return Vec::new();
        };
        let Token::Builtin(name) = call.callee else { return Vec::new() };
        if matches!(name, "import_module" | "set_tile_code") {
            return self.params(call.callee_at, range);
        }
        options_of(name).iter().map(|field| item(field, CompletionItemKind::FIELD, range)).collect()
    }

    /// The params of the file that a call names.
    fn params(&self, callee_at: usize, range: Range) -> Vec<CompletionItem> {
        let behind = self.lexemes.iter().filter(|lexeme| lexeme.lo > callee_at && lexeme.lo < self.offset);
        let mut name = behind.filter_map(|lexeme| match lexeme.token {
            Token::Str(text) => Some(text.trim_matches('"')),
            _ => None,
        });
        let Some(key) = name.next_back().and_then(|name| names::resolve(self.world, self.key, name)) else {
            return Vec::new();
        };
        let Some(file) = self.world.file(&key) else { return Vec::new() };
        let params = file.defs.iter().filter(|def| def.kind == DefKind::Param);
        params.map(|def| declared(&file, def, range)).collect()
    }

    /// Files and exported names.
    fn in_string(&self, string: Lexeme<'_>) -> Vec<CompletionItem> {
        let text = &self.file.text.text()[string.lo..string.hi];
        let end = if is_closed(text) { string.hi - 1 } else { string.hi };
        let range = self.file.text.range(string.lo + 1..end);
        let Some(call) = call_around(self.lexemes, string.lo) else { return Vec::new() };
        match (call.callee, call.argument) {
            (Token::Builtin("import_module"), 0) => {
                let library =
                    csl_std::names().map(|name| item(&format!("<{name}>"), CompletionItemKind::MODULE, range));
                library.chain(self.files(range)).collect()
            }
            (Token::Builtin("set_tile_code"), 2) => self.files(range),
            (Token::Builtin("export_symbol"), 1) => {
                let files = names::files_around(self.world, self.key);
                let names: BTreeSet<String> =
                    files.iter().filter_map(|key| self.world.file(key)).flat_map(exported).collect();
                names.iter().map(|name| item(name, CompletionItemKind::CONSTANT, range)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The files beside this one, and in the folders there.
    fn files(&self, range: Range) -> Vec<CompletionItem> {
        let folder = self.key.parent().unwrap_or(Path::new(""));
        let entries = |folder: &Path| -> Vec<PathBuf> {
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
        };
        let beside = entries(folder);
        let within = beside.iter().filter(|path| path.is_dir()).flat_map(|inner| entries(inner));
        let mut files: Vec<PathBuf> = beside.iter().cloned().chain(within).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "csl") && path != self.key);
        files.sort();
        let names = files.iter().filter_map(|path| path.strip_prefix(folder).ok()?.to_str());
        names.map(|name| item(name, CompletionItemKind::FILE, range)).collect()
    }
}

/// Whether a string has its closing quote.
fn is_closed(text: &str) -> bool {
    text.len() > 1 && text.ends_with('"') && !text.ends_with("\\\"")
}

/// The names that a layout exports, by its tokens: it may be unfinished, too.
fn exported(file: Arc<File>) -> Vec<String> {
    let name = |tokens: &[Lexeme<'_>]| match [tokens[0].token, tokens[2].token] {
        [Token::Builtin("export_name"), Token::Str(text)] => Some(text.trim_matches('"').to_owned()),
        _ => None,
    };
    lexemes(file.text.text()).windows(3).filter_map(name).collect()
}

fn item(label: &str, kind: CompletionItemKind, range: Range) -> CompletionItem {
    let edit = TextEdit { range, new_text: label.to_owned() };
    CompletionItem {
        label: label.to_owned(),
        kind: Some(kind),
        text_edit: Some(CompletionTextEdit::Edit(edit)),
        ..CompletionItem::default()
    }
}

fn declared(file: &File, def: &Def, range: Range) -> CompletionItem {
    let kind = match def.kind {
        DefKind::Const if !def.imports.is_empty() => CompletionItemKind::MODULE,
        DefKind::Const => CompletionItemKind::CONSTANT,
        DefKind::Param => CompletionItemKind::PROPERTY,
        DefKind::Var | DefKind::Argument | DefKind::Index => CompletionItemKind::VARIABLE,
        DefKind::Fn | DefKind::Task => CompletionItemKind::FUNCTION,
        DefKind::Field => CompletionItemKind::FIELD,
        DefKind::Member => CompletionItemKind::ENUM_MEMBER,
    };
    let head = describe::head(file, def);
    CompletionItem {
        detail: Some(head.split_whitespace().collect::<Vec<_>>().join(" ")),
        documentation: describe::comment(file, def).map(Documentation::String),
        ..item(def.name.as_str(), kind, range)
    }
}

/// The fields of a builtin's options, as its page tells them; those of vector operations stand on the page of all.
fn options_of(name: &str) -> Vec<&'static str> {
    let is_vector = VecOp::from_name(name).is_some();
    let groups = csl_sema::builtin_pages().iter();
    let pages = groups.flat_map(|group| group.pages.iter().map(move |page| (group, page)));
    let Some((group, page)) = pages.into_iter().find(|(_, page)| page.name == name) else { return Vec::new() };
    let texts = page.forms.iter().map(String::as_str).chain([page.text.split("```").next().unwrap_or_default()]);
    let texts = texts.chain(is_vector.then_some(group.text));
    let mut found: Vec<&'static str> = Vec::new();
    for text in texts {
        for part in text.split('.').skip(1) {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
            let field = &part[..end];
            if field.starts_with(|c: char| c.is_ascii_lowercase()) && !found.contains(&field) {
                found.push(Symbol::new(field).as_str());
            }
        }
    }
    found
}

/// What has members.
enum Holder {
    Modules(Vec<PathBuf>),
    Type(Arc<Snapshot>, Ty),
}

/// What a chain of names stands for.
fn holder_of(world: &World, key: &Path, file: &File, chain: &[(&str, usize)]) -> Option<Holder> {
    let ((first, at), rest) = chain.split_first()?;
    let name = Symbol::new(first);
    let def = file.visible(*at).find(|def| def.name == name)?;
    let id = file.defs.iter().position(|known| known.span == def.span)?;
    let mut target = Target { key: key.to_owned(), id };
    for (index, (name, _)) in rest.iter().enumerate() {
        let modules = names::modules(world, &target);
        if modules.is_empty() {
            let (snapshot, ty) = type_of(world, &target)?;
            let ty = rest[index..].iter().try_fold(ty, |ty, (name, _)| field(&snapshot, ty, name))?;
            return Some(Holder::Type(snapshot, ty));
        }
        target = modules.into_iter().find_map(|key| {
            let id = world.file(&key)?.top(Symbol::new(name))?;
            Some(Target { key, id })
        })?;
    }
    let modules = names::modules(world, &target);
    if !modules.is_empty() {
        return Some(Holder::Modules(modules));
    }
    type_of(world, &target).map(|(snapshot, ty)| Holder::Type(snapshot, ty))
}

fn type_of(world: &World, target: &Target) -> Option<(Arc<Snapshot>, Ty)> {
    let span = target.def(world)?.span;
    let (snapshot, ty) = names::type_of(world, &target.key, span.lo as usize, span.hi as usize)?;
    Some((snapshot.clone(), ty))
}

fn field(snapshot: &Snapshot, of: Ty, name: &str) -> Option<Ty> {
    let found = fields_of(snapshot, of).into_iter().find(|field| field.0 == name)?;
    Some(names::pointed(snapshot, found.1?))
}

/// The fields of a type, each with its type; the members of an enum.
fn fields_of(snapshot: &Snapshot, ty: Ty) -> Vec<(&str, Option<Ty>)> {
    match snapshot.observation.types.kind(ty) {
        TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => {
            fields.iter().map(|field| (field.name, Some(field.ty))).collect()
        }
        TypeKind::Anon { names: Some(names), types } => {
            names.iter().copied().zip(types.iter().copied().map(Some)).collect()
        }
        TypeKind::Enum { members, .. } => members.iter().map(|member| (member.0, None)).collect(),
        _ => Vec::new(),
    }
}

fn typed_parts(snapshot: &Snapshot, ty: Ty, range: Range) -> Vec<CompletionItem> {
    let parts = fields_of(snapshot, ty).into_iter();
    parts
        .map(|(name, ty)| CompletionItem {
            detail: ty.map(|ty| snapshot.observation.types.show(ty)),
            ..item(name, if ty.is_some() { CompletionItemKind::FIELD } else { CompletionItemKind::ENUM_MEMBER }, range)
        })
        .collect()
}

/// The member of what a chain of names stands for, where that is a module.
pub fn member_of(world: &World, key: &Path, file: &File, chain: &[(&str, usize)], name: Symbol) -> Option<Target> {
    let Some(Holder::Modules(keys)) = holder_of(world, key, file, chain) else { return None };
    keys.into_iter().find_map(|key| {
        let id = world.file(&key)?.top(name)?;
        Some(Target { key, id })
    })
}
