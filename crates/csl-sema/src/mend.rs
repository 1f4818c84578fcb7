//! Declarations that a program lacks, as edits: where each goes.

use csl_diag::{Diagnostic, FileId, Span};
use csl_ir::ExportName;
use csl_syntax::ast::{Block, ExprKind, File, Item, VarDecl};

use crate::context::Sema;

impl Sema<'_> {
    /// Adds a statement to the end of the layout block.
    pub fn mend_layout(&self, diagnostic: Diagnostic, statement: &str) -> Diagnostic {
        let blocks = self.files.values().filter(|file| !file.is_library).flat_map(|file| &file.ast.items);
        let block = blocks.filter_map(|item| if let Item::Layout(block) = item { Some(block) } else { None }).next();
        match block {
            Some(block) => self.statement_at_the_end(diagnostic, block, statement),
            None => diagnostic,
        }
    }

    /// Help and edits for a name of the layout that no PE exports: an `@export_symbol` in each file that declares it.
    pub fn mend_export(&self, diagnostic: Diagnostic, export: &ExportName) -> Diagnostic {
        let name = &export.name;
        let mut found: Vec<(&str, &File, String)> = Vec::new();
        for file in self.files.values().filter(|file| !file.is_library) {
            if let Some(statement) = exporting(&file.ast, name, export.mutable.is_none()) {
                found.push((&file.path, &file.ast, statement));
            }
        }
        found.sort_by_key(|(path, ..)| *path);
        let of_program = || self.files.values().filter(|file| !file.is_library);
        let help = match found.first() {
            Some((path, _, statement)) => format!("add `{statement}` to a `comptime` block of {path}"),
            None if export.mutable.is_some() && of_program().any(|file| variable(&file.ast, name).is_some()) => {
                through_a_pointer(name, &self.show(export.ty))
            }
            None => format!("add an `@export_symbol` of `{name}` to the program of the PEs that have it"),
        };
        found.into_iter().fold(diagnostic.help(help), |diagnostic, (_, file, statement)| {
            self.statement_at_comptime(diagnostic, file, &statement)
        })
    }

    /// Adds a statement to the last `comptime` block of a file, or a block with it to a file that has none.
    pub fn mend_by_comptime(&self, diagnostic: Diagnostic, file: FileId, statement: &str) -> Diagnostic {
        match self.files.values().find(|source| source.ast.id == file && !source.is_library) {
            Some(source) => self.statement_at_comptime(diagnostic, &source.ast, statement),
            None => diagnostic,
        }
    }

    fn statement_at_comptime(&self, diagnostic: Diagnostic, file: &File, statement: &str) -> Diagnostic {
        let last = file.items.iter().rev().find_map(|item| match item {
            Item::Comptime(block) => Some(block),
            _ => None,
        });
        if let Some(block) = last {
            return self.statement_at_the_end(diagnostic, block, statement);
        }
        let text = self.map.text(file.id);
        let before = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let end = Span::new(file.id, text.len(), text.len());
        diagnostic.edit(end, format!("{before}comptime {{\n  {statement}\n}}\n"))
    }

    /// A line of its own where the block's `}` has one.
    fn statement_at_the_end(&self, diagnostic: Diagnostic, block: &Block, statement: &str) -> Diagnostic {
        let end = block.span.hi as usize - 1;
        let text = &self.map.text(block.span.file)[..end];
        let indent = text.rsplit_once('\n').map(|(_, line)| line).filter(|line| line.trim().is_empty());
        let (at, text) = match indent {
            Some(indent) => (end - indent.len(), format!("{indent}  {statement}\n")),
            None => (end, format!("{statement} ")),
        };
        diagnostic.edit(Span::new(block.span.file, at, at), text)
    }
}

/// Help to export a variable, which the host reaches by a pointer of type `ty`.
pub fn through_a_pointer(name: &str, ty: &str) -> String {
    format!("export a pointer to it: `var {name}_ptr: {ty} = &{name};` and `@export_symbol({name}_ptr, \"{name}\");`")
}

/// The declaration of a global variable.
fn variable<'f>(file: &'f File, name: &str) -> Option<&'f VarDecl> {
    let declared = file.items.iter().filter_map(|item| if let Item::Var(decl) = item { Some(&**decl) } else { None });
    declared.into_iter().find(|decl| decl.name.name.as_str() == name)
}

/// The `@export_symbol` for a name in a file: of the function or pointer of this name, or of a pointer named `name_ptr`.
fn exporting(file: &File, name: &str, is_function: bool) -> Option<String> {
    let declares = |wanted: &str| {
        if is_function {
            return file.items.iter().any(|item| matches!(item, Item::Fn(decl) if decl.name.name.as_str() == wanted));
        }
        let ty = variable(file, wanted).and_then(|decl| decl.ty.as_ref());
        ty.is_some_and(|ty| matches!(ty.kind, ExprKind::PtrType { .. }))
    };
    let pointer = format!("{name}_ptr");
    match name {
        _ if declares(name) => Some(format!("@export_symbol({name});")),
        _ if declares(&pointer) => Some(format!("@export_symbol({pointer}, \"{name}\");")),
        _ => None,
    }
}
