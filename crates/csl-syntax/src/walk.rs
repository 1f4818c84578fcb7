//! Visits every expression of a file, types included.

use crate::ast::{Block, Expr, ExprKind, File, FnDecl, Item, Param, Stmt, StmtKind, VarDecl};

/// Calls `f` for every expression of a declaration, outermost first.
pub fn each_in_item<'a>(item: &'a Item, f: &mut dyn FnMut(&'a Expr)) {
    match item {
        Item::Var(decl) => each_in_var(decl, f),
        Item::Fn(decl) => each_in_fn(decl, f),
        Item::Comptime(block) | Item::Layout(block) => each_in_block(block, f),
        Item::Error(_) => {}
    }
}

/// Calls `f` for every expression of a file.
pub fn each_in_file<'a>(file: &'a File, f: &mut dyn FnMut(&'a Expr)) {
    file.items.iter().for_each(|item| each_in_item(item, f));
}

/// Calls `f` for every expression in `block`.
pub fn each_in_block<'a>(block: &'a Block, f: &mut dyn FnMut(&'a Expr)) {
    block.stmts.iter().for_each(|stmt| each_in_stmt(stmt, f));
}

/// Calls `f` for every expression of a statement.
pub fn each_in_stmt<'a>(stmt: &'a Stmt, f: &mut dyn FnMut(&'a Expr)) {
    match &stmt.kind {
        StmtKind::Var(decl) => each_in_var(decl, f),
        StmtKind::Expr(expr) => each(expr, f),
        StmtKind::Assign { target, value, .. } => {
            each(target, f);
            each(value, f);
        }
        StmtKind::Error => {}
    }
}

fn each_in_var<'a>(decl: &'a VarDecl, f: &mut dyn FnMut(&'a Expr)) {
    let parts = [&decl.ty, &decl.align, &decl.linksection, &decl.linkname, &decl.init];
    parts.into_iter().flatten().for_each(|expr| each(expr, f));
}

fn each_in_fn<'a>(decl: &'a FnDecl, f: &mut dyn FnMut(&'a Expr)) {
    types(&decl.params, f);
    each(&decl.ret, f);
    [&decl.linksection, &decl.linkname].into_iter().flatten().for_each(|expr| each(expr, f));
    decl.body.iter().for_each(|body| each_in_block(body, f));
}

fn types<'a>(params: &'a [Param], f: &mut dyn FnMut(&'a Expr)) {
    params.iter().filter_map(|param| param.ty.as_ref()).for_each(|ty| each(ty, f));
}

/// Calls `f` for an expression and every one in it.
pub fn each<'a>(expr: &'a Expr, f: &mut dyn FnMut(&'a Expr)) {
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
            node.arms.iter().for_each(|arm| {
                all(&arm.values, f);
                each(&arm.body, f);
            });
        }
        ExprKind::Block { body, .. } => each_in_block(body, f),
        ExprKind::Return(value) | ExprKind::Break { value, .. } => value.iter().for_each(|e| each(e, f)),
        ExprKind::StructInit { ty, fields } => {
            ty.iter().for_each(|ty| each(ty, f));
            fields.iter().for_each(|field| each(&field.value, f));
        }
        ExprKind::ArrayInit { ty, elems } => {
            each(ty, f);
            all(elems, f);
        }
        ExprKind::ArrayType { dims, elem } => {
            all(dims, f);
            each(elem, f);
        }
        ExprKind::PtrType { elem, .. } => each(elem, f),
        ExprKind::FnType { params, ret, .. } => {
            types(params, f);
            each(ret, f);
        }
        ExprKind::Aggregate(node) => node.fields.iter().for_each(|field| each(&field.ty, f)),
        ExprKind::Enum(node) => {
            node.base.iter().for_each(|base| each(base, f));
            node.members.iter().filter_map(|member| member.value.as_ref()).for_each(|value| each(value, f));
        }
        ExprKind::TensorAccess(access) => {
            all(&access.extents, f);
            each(&access.base, f);
            all(&access.indices, f);
        }
        ExprKind::Asm(node) => {
            each(&node.template, f);
            node.outputs.iter().chain(&node.inputs).for_each(|operand| {
                each(&operand.constraint, f);
                each(&operand.value, f);
            });
            all(&node.clobbers, f);
        }
        ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Char(_)
        | ExprKind::Str(_)
        | ExprKind::Bool(_)
        | ExprKind::Name(_)
        | ExprKind::Continue { .. }
        | ExprKind::Error => {}
    }
}

fn all<'a>(exprs: &'a [Expr], f: &mut dyn FnMut(&'a Expr)) {
    exprs.iter().for_each(|e| each(e, f));
}
