//! Loops over whole arrays, an element a turn, which one operation on DSDs would do.

use std::collections::HashMap;

use csl_diag::{Code, Diagnostic};
use csl_syntax::Symbol;
use csl_syntax::ast::{BinOp, Expr, ExprKind, File, For, Item, Stmt, StmtKind, VarDecl, VarKind};
use csl_syntax::walk;

use crate::facts::Facts;

/// The arrays with one dimension of a file, with the types of their elements.
type Arrays = HashMap<Symbol, Symbol>;

pub(crate) fn run(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for file in facts.files() {
        let arrays = arrays(&file.ast);
        for item in &file.ast.items {
            let Item::Fn(_) = item else { continue };
            walk::each_in_item(item, &mut |expr| {
                let ExprKind::For(node) = &expr.kind else { return };
                if let Some(operation) = operation(node, &arrays) {
                    let message = format!("one `@{operation}` does all turns of this loop");
                    let note = "an operation on DSDs works an element a cycle or faster; a loop takes several instructions for each";
                    let help = "make a `mem1d_dsd` of each array with `@get_dsd`";
                    found.push(Diagnostic::new(Code::ScalarLoop, expr.span, message).note(note).help(help));
                }
            });
        }
    }
    found
}

/// The arrays at the top of a file.
fn arrays(file: &File) -> Arrays {
    let declared = file.items.iter().filter_map(|item| match item {
        Item::Var(decl) if decl.kind == VarKind::Var => Some(decl),
        _ => None,
    });
    declared.filter_map(|decl| Some((decl.name.name, element(decl)?))).collect()
}

/// The name of the element type of an array with one dimension.
fn element(decl: &VarDecl) -> Option<Symbol> {
    let made = decl.init.as_ref().and_then(|init| match &init.kind {
        ExprKind::Builtin { name, args } if matches!(name.name.as_str(), "zeros" | "constants") => args.first(),
        ExprKind::ArrayInit { ty, .. } => Some(&**ty),
        _ => None,
    });
    match &decl.ty.as_ref().or(made)?.kind {
        ExprKind::ArrayType { dims, elem } if dims.len() == 1 => match elem.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// What an expression is in a turn.
enum Part {
    /// The element at the loop's index, of an array of this type.
    Element(Symbol),
    /// A value that is the same in every turn.
    Scalar,
}

/// The operation that does what a loop does.
fn operation(node: &For, arrays: &Arrays) -> Option<&'static str> {
    let is_range =
        matches!(&node.iter.kind, ExprKind::Builtin { name, args } if name.name.as_str() == "range" && args.len() == 2);
    if !is_range || node.is_inline || node.index.is_some() {
        return None;
    }
    let ExprKind::Block { label: None, body } = &node.body.kind else { return None };
    let [Stmt { kind: StmtKind::Assign { target, op, value }, .. }] = &body.stmts[..] else { return None };
    let part = |expr: &Expr| part(expr, node.elem.name, arrays);
    let Part::Element(ty) = part(target)? else { return None };
    let same = |part: &Part| match part {
        Part::Element(other) => *other == ty,
        Part::Scalar => true,
    };
    let binary = |op, a: &Part, b: &Part| {
        let is_vector = matches!((a, b), (Part::Element(_), _) | (_, Part::Element(_)));
        (is_vector && same(a) && same(b)).then(|| arithmetic(op, ty)).flatten()
    };
    match (op, &value.kind) {
        (None, ExprKind::Binary { op, lhs, rhs }) => binary(*op, &part(lhs)?, &part(rhs)?),
        (Some(BinOp::Add), ExprKind::Binary { op: BinOp::Mul, lhs, rhs }) => match (part(lhs)?, part(rhs)?) {
            (Part::Element(other), Part::Scalar) | (Part::Scalar, Part::Element(other)) if other == ty => {
                multiply_add(ty)
            }
            _ => None,
        },
        (Some(op), _) => binary(*op, &Part::Element(ty), &part(value)?),
        (None, _) => part(value).filter(same).and_then(|_| moves(ty)),
    }
}

fn part(expr: &Expr, index: Symbol, arrays: &Arrays) -> Option<Part> {
    match &expr.kind {
        ExprKind::Index { base, indices } => match (&base.kind, &indices[..]) {
            (ExprKind::Name(array), [Expr { kind: ExprKind::Name(at), .. }]) if *at == index => {
                arrays.get(array).map(|ty| Part::Element(*ty))
            }
            _ => None,
        },
        ExprKind::Int(_) | ExprKind::Float(_) => Some(Part::Scalar),
        ExprKind::Name(name) if *name != index && !arrays.contains_key(name) => Some(Part::Scalar),
        _ => None,
    }
}

fn arithmetic(op: BinOp, ty: Symbol) -> Option<&'static str> {
    Some(match (ty.as_str(), op) {
        ("f32", BinOp::Add) => "fadds",
        ("f32", BinOp::Sub) => "fsubs",
        ("f32", BinOp::Mul) => "fmuls",
        ("f16", BinOp::Add) => "faddh",
        ("f16", BinOp::Sub) => "fsubh",
        ("f16", BinOp::Mul) => "fmulh",
        ("i16" | "u16", BinOp::Add) => "add16",
        ("i16" | "u16", BinOp::Sub) => "sub16",
        ("i16" | "u16", BinOp::BitAnd) => "and16",
        ("i16" | "u16", BinOp::BitOr) => "or16",
        ("i16" | "u16", BinOp::BitXor) => "xor16",
        _ => return None,
    })
}

fn multiply_add(ty: Symbol) -> Option<&'static str> {
    match ty.as_str() {
        "f32" => Some("fmacs"),
        "f16" => Some("fmach"),
        _ => None,
    }
}

fn moves(ty: Symbol) -> Option<&'static str> {
    match ty.as_str() {
        "f32" => Some("fmovs"),
        "f16" => Some("fmovh"),
        "i16" | "u16" => Some("mov16"),
        "i32" | "u32" => Some("mov32"),
        _ => None,
    }
}
