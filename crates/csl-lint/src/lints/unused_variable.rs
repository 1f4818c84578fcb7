//! Variables and constants that nothing names: of functions and blocks, and at the top of a layout or a tile's program.

use csl_diag::{Code, Diagnostic};
use csl_syntax::ast::{Block, ExprKind, Item, Stmt, StmtKind, Storage, VarDecl, VarKind};
use csl_syntax::walk;

use crate::facts::{Facts, is_pure, is_silent};

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let top = facts.roots().flat_map(|file| &file.ast.items).filter_map(|item| match item {
        Item::Var(decl) if is_for_names(decl) && !facts.is_used(decl.name, decl.span) => Some(&**decl),
        _ => None,
    });
    // Nothing evaluates a declaration at the top that nothing uses.
    let mut found: Vec<Diagnostic> = top.map(|decl| facts.offer_removal(warning(decl), decl.span)).collect();
    for item in facts.files().flat_map(|file| &file.ast.items) {
        match item {
            Item::Fn(decl) => decl.body.iter().for_each(|body| block(facts, body, &mut found)),
            Item::Comptime(body) | Item::Layout(body) => block(facts, body, &mut found),
            Item::Var(_) | Item::Error(_) => {}
        }
    }
    found
}

fn warning(decl: &VarDecl) -> Diagnostic {
    Diagnostic::new(Code::UnusedVariable, decl.name.span, format!("`{}` is never used", decl.name.name))
}

/// Whether a declaration at the top can only be used by its name, and has no effect by itself.
fn is_for_names(decl: &VarDecl) -> bool {
    let mut acts = decl.kind == VarKind::Param || decl.storage != Storage::Default;
    // Memory may be asked for at a place.
    acts |= decl.align.is_some() || decl.linksection.is_some() || decl.linkname.is_some();
    decl.init.iter().for_each(|init| {
        walk::each(init, &mut |expr| {
            let ExprKind::Builtin { name, .. } = &expr.kind else { return };
            acts |= matches!(name.name.as_str(), "import_module" | "allocate_fifo");
        });
    });
    !acts
}

/// Looks into a block and the blocks in it.
fn block(facts: &Facts<'_>, block: &Block, found: &mut Vec<Diagnostic>) {
    own(facts, &block.stmts, found);
    walk::each_in_block(block, &mut |expr| {
        if let ExprKind::Block { body, .. } = &expr.kind {
            own(facts, &body.stmts, found);
        }
    });
}

/// Looks at the declarations of a block itself.
fn own(facts: &Facts<'_>, stmts: &[Stmt], found: &mut Vec<Diagnostic>) {
    for (at, stmt) in stmts.iter().enumerate() {
        let StmtKind::Var(decl) = &stmt.kind else { continue };
        let mut is_used = is_silent(decl.name);
        stmts[at + 1..].iter().for_each(|stmt| {
            walk::each_in_stmt(stmt, &mut |expr| {
                is_used |= matches!(&expr.kind, ExprKind::Name(name) if *name == decl.name.name);
            });
        });
        if !is_used {
            let warning = warning(decl);
            found.push(match &decl.init {
                Some(init) if !is_pure(init) => {
                    warning.help("where its value is computed for an effect alone, assign it to `_`")
                }
                _ => facts.offer_removal(warning, decl.span),
            });
        }
    }
}
