//! Imports that nothing uses, of modules that do nothing by being imported.

use csl_diag::{Code, Diagnostic, FileId};
use csl_syntax::ast::{ExprKind, Item, Storage};
use csl_syntax::walk;

use crate::facts::Facts;

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for item in facts.files().flat_map(|file| &file.ast.items) {
        let Item::Var(decl) = item else { continue };
        let Some(init) = decl.init.as_ref().filter(|_| !facts.is_used(decl.name, decl.span)) else { continue };
        let mut files = facts.analysis.imports.iter().filter(|import| import.place == init.span).peekable();
        // A module of the library that takes params may be there for what the compiler does with it, as memcpy is.
        let takes_params = |file: FileId| {
            let mut library = facts.analysis.files.iter().filter(|source| source.ast.id == file && source.is_library);
            library.any(|_| matches!(&init.kind, ExprKind::Builtin { args, .. } if args.len() > 1))
        };
        if files.peek().is_some_and(|import| !takes_params(import.file))
            && files.all(|import| !has_effects(facts, import.file, &mut Vec::new()))
        {
            let message = format!("the import `{}` is never used", decl.name.name);
            let note = "importing its file has no effect of its own";
            let diagnostic = Diagnostic::new(Code::UnusedImport, decl.name.span, message).note(note);
            found.push(facts.offer_removal(diagnostic, decl.span));
        }
    }
    found
}

/// Whether importing a file does something: it, or a file that it imports, binds, exports or allocates.
fn has_effects(facts: &Facts<'_>, file: FileId, seen: &mut Vec<FileId>) -> bool {
    if seen.contains(&file) {
        return false;
    }
    seen.push(file);
    let Some(source) = facts.analysis.files.iter().find(|source| source.ast.id == file) else { return true };
    let mut acts = source.ast.items.iter().any(|item| match item {
        Item::Comptime(_) | Item::Layout(_) | Item::Error(_) => true,
        Item::Var(decl) => decl.storage != Storage::Default,
        Item::Fn(decl) => decl.storage != Storage::Default,
    });
    walk::each_in_file(&source.ast, &mut |expr| {
        acts |= matches!(&expr.kind, ExprKind::Builtin { name, .. } if name.name.as_str() == "allocate_fifo");
    });
    let inner = facts.analysis.imports.iter().filter(|import| import.place.file == file);
    acts || inner.map(|import| import.file).any(|file| has_effects(facts, file, seen))
}
