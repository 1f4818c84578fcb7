//! Params that no file reads.

use csl_diag::{Code, Diagnostic};
use csl_syntax::ast::{Item, VarKind};

use crate::facts::Facts;

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let params = facts.files().flat_map(|file| &file.ast.items).filter_map(|item| match item {
        Item::Var(decl) if decl.kind == VarKind::Param => Some(decl),
        _ => None,
    });
    let unused = params.filter(|decl| !facts.is_used(decl.name, decl.span));
    let warn = |name, span| {
        let message = format!("the param `{name}` is never read");
        let help = "remove it, and where a value is given to it; a name that begins with `_` is not told of";
        Diagnostic::new(Code::UnusedParam, span, message).help(help)
    };
    unused.map(|decl| warn(decl.name.name, decl.name.span)).collect()
}
