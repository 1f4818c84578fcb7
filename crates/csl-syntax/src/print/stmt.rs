//! Prints statements.

use super::Printer;
use super::binary_op;
use super::expr::{ANY, POSTFIX, level};
use crate::ast::*;

impl Printer {
    pub(super) fn block(&mut self, block: &Block) {
        if block.stmts.is_empty() {
            return self.put("{}");
        }
        self.put("{");
        self.indent += 1;
        for stmt in &block.stmts {
            self.newline();
            self.stmt(stmt);
        }
        self.indent -= 1;
        self.newline();
        self.put("}");
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Var(var) => self.var(var),
            StmtKind::Expr(expr) => self.clause(expr),
            StmtKind::Assign { .. } => {
                self.simple(stmt);
                self.put(";");
            }
            StmtKind::Error => self.put("// a stretch that did not parse"),
        }
    }

    /// An assignment or expression without a `;`.
    pub(super) fn simple(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Assign { target, op, value } => {
                self.expr(target, POSTFIX);
                self.put(" ");
                self.put(op.map_or("", binary_op));
                self.put("= ");
                self.expr(value, ANY);
            }
            StmtKind::Expr(expr) => self.expr(expr, ANY),
            _ => self.stmt(stmt),
        }
    }

    /// An expression where a statement stands, with the `;` that it needs.
    fn clause(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Block { .. } | ExprKind::Switch(_) => self.expr(expr, ANY),
            ExprKind::If(node) => self.if_clause(node),
            ExprKind::For(node) => {
                self.for_head(node);
                self.clause(&node.body);
            }
            ExprKind::While(node) => {
                self.while_head(node);
                self.clause(&node.body);
            }
            ExprKind::Comptime(inner) => {
                self.put("comptime ");
                self.clause(inner);
            }
            ExprKind::Return(_) | ExprKind::Break { .. } | ExprKind::Continue { .. } => self.ended(expr, ANY),
            _ => self.ended(expr, POSTFIX),
        }
    }

    fn ended(&mut self, expr: &Expr, least: u8) {
        self.expr(expr, least);
        self.put(";");
    }

    fn if_clause(&mut self, node: &If) {
        self.if_head(node);
        match &node.otherwise {
            None => self.clause(&node.then),
            Some(otherwise) => {
                self.before_else(&node.then);
                self.put(" else ");
                self.clause(otherwise);
            }
        }
    }

    pub(super) fn if_head(&mut self, node: &If) {
        self.put("if (");
        self.expr(&node.cond, ANY);
        self.put(") ");
    }

    /// Prints the branch before an `else`; an expression that could take the `else` for its own goes in parentheses.
    pub(super) fn before_else(&mut self, then: &Expr) {
        let least = if level(&then.kind) == ANY { POSTFIX } else { ANY };
        self.expr(then, least);
    }

    pub(super) fn for_head(&mut self, node: &For) {
        self.label(node.label);
        self.put(if node.is_inline { "inline for (" } else { "for (" });
        self.expr(&node.iter, ANY);
        self.put(") |");
        self.put(node.elem.name.as_str());
        if let Some(index) = node.index {
            self.put(", ");
            self.put(index.name.as_str());
        }
        self.put("| ");
    }

    pub(super) fn while_head(&mut self, node: &While) {
        self.label(node.label);
        self.put(if node.is_inline { "inline while (" } else { "while (" });
        self.expr(&node.cond, ANY);
        self.put(") ");
        if let Some(step) = &node.step {
            self.put(": (");
            self.simple(step);
            self.put(") ");
        }
    }

    pub(super) fn label(&mut self, label: Option<Ident>) {
        if let Some(label) = label {
            self.put(label.name.as_str());
            self.put(": ");
        }
    }
}
