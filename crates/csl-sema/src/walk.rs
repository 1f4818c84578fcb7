//! Visits every expression of a body.

use csl_syntax::ast::{Block, Expr, ExprKind, Stmt, StmtKind};

/// Calls `f` for every expression in `block`, outermost first.
pub fn each_expr(block: &Block, f: &mut dyn FnMut(&Expr)) {
    block.stmts.iter().for_each(|stmt| each_in_stmt(stmt, f));
}

fn each_in_stmt(stmt: &Stmt, f: &mut dyn FnMut(&Expr)) {
    match &stmt.kind {
        StmtKind::Var(decl) => [&decl.ty, &decl.init].into_iter().flatten().for_each(|e| each(e, f)),
        StmtKind::Expr(expr) => each(expr, f),
        StmtKind::Assign { target, value, .. } => {
            each(target, f);
            each(value, f);
        }
        StmtKind::Error => {}
    }
}

fn each(expr: &Expr, f: &mut dyn FnMut(&Expr)) {
    f(expr);
    match &expr.kind {
        ExprKind::Builtin { args, .. } | ExprKind::Tuple(args) => all(args, f),
        ExprKind::Call { callee, args } => {
            each(callee, f);
            all(args, f);
        }
        ExprKind::Field { base, .. } => each(base, f),
        ExprKind::Index { base, indices } => {
            each(base, f);
            all(indices, f);
        }
        ExprKind::Deref(inner) | ExprKind::AddrOf(inner) | ExprKind::Comptime(inner) => each(inner, f),
        ExprKind::Unary { operand, .. } => each(operand, f),
        ExprKind::Binary { lhs, rhs, .. } => {
            each(lhs, f);
            each(rhs, f);
        }
        ExprKind::If(node) => {
            each(&node.cond, f);
            each(&node.then, f);
            node.otherwise.iter().for_each(|e| each(e, f));
        }
        ExprKind::For(node) => {
            each(&node.iter, f);
            each(&node.body, f);
        }
        ExprKind::While(node) => {
            each(&node.cond, f);
            node.step.iter().for_each(|s| each_in_stmt(s, f));
            each(&node.body, f);
        }
        ExprKind::Switch(node) => {
            each(&node.input, f);
            node.arms.iter().for_each(|arm| each(&arm.body, f));
        }
        ExprKind::Block { body, .. } => each_expr(body, f),
        ExprKind::Return(value) | ExprKind::Break { value, .. } => value.iter().for_each(|e| each(e, f)),
        ExprKind::StructInit { fields, .. } => fields.iter().for_each(|field| each(&field.value, f)),
        ExprKind::ArrayInit { elems, .. } => all(elems, f),
        ExprKind::TensorAccess(access) => each(&access.base, f),
        _ => {}
    }
}

fn all(exprs: &[Expr], f: &mut dyn FnMut(&Expr)) {
    exprs.iter().for_each(|e| each(e, f));
}
