//! Functions and tasks of a layout or a tile's program that nothing names. Those of imported files are for others.

use csl_diag::{Code, Diagnostic};
use csl_syntax::ast::{FnKind, Item, Storage};

use crate::facts::Facts;

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let decls = facts.roots().flat_map(|file| &file.ast.items).filter_map(|item| match item {
        Item::Fn(decl) if decl.storage == Storage::Default && decl.linkname.is_none() => Some(decl),
        _ => None,
    });
    let unused = decls.filter(|decl| !facts.is_used(decl.name, decl.span));
    let warn = |name, span, kind| {
        let (message, help) = match kind {
            FnKind::Task => {
                (format!("the task `{name}` is never bound"), "bind it in a `comptime` block, or remove it")
            }
            FnKind::Fn => (format!("the function `{name}` is never used"), "remove it, or begin its name with `_`"),
        };
        Diagnostic::new(Code::UnusedFunction, span, message).help(help)
    };
    unused.map(|decl| warn(decl.name.name, decl.name.span, decl.kind)).collect()
}
