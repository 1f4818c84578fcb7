//! The outline of a file.

use csl_diag::Span;
use csl_syntax::ast::{Expr, ExprKind, Item, VarDecl};
use lsp_types::{DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, SymbolKind};

use crate::file::{Def, DefKind, File};
use crate::world::World;

pub fn symbols(world: &World, params: &DocumentSymbolParams) -> Option<DocumentSymbolResponse> {
    let file = world.file(&world.key(&params.text_document.uri)?)?;
    let symbols = file.source.ast.items.iter().filter_map(|item| of_item(&file, item)).collect();
    Some(DocumentSymbolResponse::Nested(symbols))
}

fn of_item(file: &File, item: &Item) -> Option<DocumentSymbol> {
    match item {
        Item::Var(decl) => {
            let mut found = symbol(file, decl.name.name.as_str(), variable(decl), decl.span, decl.name.span);
            found.detail = decl.ty.as_ref().map(|ty| file.snippet(ty.span).to_owned());
            found.children = decl.init.as_ref().map(|init| parts(file, init)).filter(|parts| !parts.is_empty());
            Some(found)
        }
        Item::Fn(decl) => {
            let head = Span { lo: decl.name.span.hi, hi: decl.ret.span.hi, ..decl.span };
            let kind = SymbolKind::FUNCTION;
            let mut found = symbol(file, decl.name.name.as_str(), kind, decl.span, decl.name.span);
            found.detail = Some(file.snippet(head).split_whitespace().collect::<Vec<_>>().join(" "));
            Some(found)
        }
        Item::Comptime(block) => Some(symbol(file, "comptime", SymbolKind::NAMESPACE, block.span, block.span)),
        Item::Layout(block) => Some(symbol(file, "layout", SymbolKind::NAMESPACE, block.span, block.span)),
        Item::Error(_) => None,
    }
}

fn variable(decl: &VarDecl) -> SymbolKind {
    use csl_syntax::ast::VarKind;
    match (decl.kind, decl.init.as_ref().map(|init| &init.kind)) {
        (_, Some(ExprKind::Builtin { name, .. })) if name.name.as_str() == "import_module" => SymbolKind::MODULE,
        (_, Some(ExprKind::Aggregate(_))) => SymbolKind::STRUCT,
        (_, Some(ExprKind::Enum(_))) => SymbolKind::ENUM,
        (VarKind::Const, _) => SymbolKind::CONSTANT,
        (VarKind::Var, _) => SymbolKind::VARIABLE,
        (VarKind::Param, _) => SymbolKind::PROPERTY,
    }
}

/// The fields or members of a type.
fn parts(file: &File, init: &Expr) -> Vec<DocumentSymbol> {
    let is_part = |def: &&Def| def.site == Some(init.span);
    let kind = |def: &Def| if def.kind == DefKind::Member { SymbolKind::ENUM_MEMBER } else { SymbolKind::FIELD };
    let symbols = file.defs.iter().filter(is_part);
    symbols.map(|def| symbol(file, def.name.as_str(), kind(def), def.whole, def.span)).collect()
}

#[expect(deprecated, reason = "the struct of the protocol has a field of old")]
fn symbol(file: &File, name: &str, kind: SymbolKind, whole: Span, selected: Span) -> DocumentSymbol {
    DocumentSymbol {
        name: name.to_owned(),
        detail: None,
        kind,
        tags: None,
        deprecated: None,
        range: file.text.span(whole.to(selected)),
        selection_range: file.text.span(selected),
        children: None,
    }
}
