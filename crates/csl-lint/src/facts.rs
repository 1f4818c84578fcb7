//! What several lints ask of a program.

use std::collections::{HashMap, HashSet};

use csl_diag::{Diagnostic, FileId, Span};
use csl_ir::{Inst, Program, Wafer};
use csl_machine::SysOp;
use csl_sema::{Analysis, SourceFile};
use csl_syntax::ast::{Expr, ExprKind, Ident, Item};
use csl_syntax::{Symbol, walk};

/// A program with what its files name.
pub(crate) struct Facts<'a> {
    pub(crate) analysis: &'a Analysis,
    pub(crate) wafer: &'a Wafer,
    /// The places of every name in the files of the user: names of values and of members, not of fields that are set.
    names: HashMap<Symbol, Vec<Span>>,
    own: HashSet<FileId>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(analysis: &'a Analysis, wafer: &'a Wafer) -> Facts<'a> {
        let own = analysis.files.iter().filter(|file| !file.is_library);
        let mut names: HashMap<Symbol, Vec<Span>> = HashMap::new();
        for file in own.clone() {
            walk::each_in_file(&file.ast, &mut |expr| match &expr.kind {
                ExprKind::Name(name) => names.entry(*name).or_default().push(expr.span),
                ExprKind::Field { name, .. } => names.entry(name.name).or_default().push(name.span),
                _ => {}
            });
        }
        Facts { analysis, wafer, names, own: own.map(|file| file.ast.id).collect() }
    }

    /// The files of the user.
    pub(crate) fn files(&self) -> impl Iterator<Item = &'a SourceFile> {
        self.analysis.files.iter().filter(|file| !file.is_library).map(|file| &**file)
    }

    /// The files whose declarations are for themselves: the layout and the programs of tiles, but for those that are
    /// imported too.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &'a SourceFile> {
        let imports = &self.analysis.imports;
        self.files().filter(|file| {
            let is_layout = file.ast.items.iter().any(|item| matches!(item, Item::Layout(_)));
            let mut named = imports.iter().filter(|import| import.file == file.ast.id).peekable();
            (is_layout || named.peek().is_some()) && named.all(|import| import.is_program)
        })
    }

    /// Whether a place stands in a file of the user.
    pub(crate) fn is_own(&self, place: Span) -> bool {
        self.own.contains(&place.file)
    }

    /// Whether a name stands anywhere but within `declaration`. Names with a `_` in front are used by the author's word.
    pub(crate) fn is_used(&self, name: Ident, declaration: Span) -> bool {
        let is_outside =
            |place: &Span| place.file != declaration.file || place.hi <= declaration.lo || place.lo >= declaration.hi;
        is_silent(name) || self.names.get(&name.name).is_some_and(|places| places.iter().any(is_outside))
    }

    pub(crate) fn text(&self, file: FileId) -> &str {
        self.analysis.sources.text(file)
    }

    /// Offers to take a declaration away, where that leaves nothing behind: it has its lines for itself, and no comment
    /// above that may belong to it.
    pub(crate) fn offer_removal(&self, diagnostic: Diagnostic, declaration: Span) -> Diagnostic {
        match removal(self.text(declaration.file), declaration) {
            Some(lines) => diagnostic.help("remove it").safe_edit(lines, ""),
            None => diagnostic,
        }
    }
}

/// Whether a name says itself that it may be unused.
pub(crate) fn is_silent(name: Ident) -> bool {
    name.name.as_str().starts_with('_')
}

/// The lines of a declaration.
fn removal(text: &str, declaration: Span) -> Option<Span> {
    let (before, behind) = (&text[..declaration.lo as usize], &text[declaration.hi as usize..]);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = behind.find('\n').map_or(behind.len(), |at| at + 1);
    let is_alone = before[start..].trim().is_empty() && behind[..end].trim().is_empty();
    let above = before[..start].trim_end_matches('\n').lines().next_back().unwrap_or_default();
    // A file that is nothing else would be left empty.
    let is_all = text.len() == end + declaration.hi as usize - start;
    let is_safe = is_alone && !above.trim_start().starts_with("//") && !is_all;
    is_safe.then(|| Span::new(declaration.file, start, declaration.hi as usize + end))
}

/// Whether a program writes registers of configuration, with which it may change routes and queues.
pub(crate) fn writes_registers(program: &Program) -> bool {
    let is_write = |inst: &Inst| matches!(inst, Inst::Sys { op: SysOp::SetConfig, .. });
    !program.configs.is_empty() || program.insts().any(|(inst, _)| is_write(inst))
}

/// Whether an expression only computes.
pub(crate) fn is_pure(expr: &Expr) -> bool {
    let mut is_pure = true;
    walk::each(expr, &mut |expr| {
        is_pure &= match &expr.kind {
            ExprKind::Builtin { name, .. } => matches!(name.name.as_str(), "as" | "zeros" | "constants" | "bitcast"),
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Char(_)
            | ExprKind::Str(_)
            | ExprKind::Bool(_)
            | ExprKind::Name(_)
            | ExprKind::Field { .. }
            | ExprKind::Index { .. }
            | ExprKind::Unary { .. }
            | ExprKind::Binary { .. }
            | ExprKind::ArrayType { .. }
            | ExprKind::ArrayInit { .. } => true,
            _ => false,
        };
    });
    is_pure
}
