//! The syntax tree as S-expressions, spans left out.

use super::node::Node;
use crate::ast::*;

/// The text of a tree, one S-expression an item. Equal texts mean equal trees, spans aside.
pub fn dump_ast(file: &File) -> String {
    let mut out = String::new();
    file.items.iter().for_each(|i| item(i).write(0, &mut out));
    out
}

fn item(item: &Item) -> Node {
    match item {
        Item::Var(v) => var(v),
        Item::Fn(f) => function(f),
        Item::Comptime(b) => Node::list("comptime").all(stmts(b)),
        Item::Layout(b) => Node::list("layout").all(stmts(b)),
        Item::Error(_) => Node::word("error"),
    }
}

fn name(ident: &Ident) -> Node {
    Node::word(ident.name.as_str())
}

/// `(head expr)`, or nothing.
fn optional(head: &str, value: &Option<Expr>) -> Option<Node> {
    value.as_ref().map(|e| Node::list(head).with(expr(e)))
}

fn flag(set: bool, word: &str) -> Option<Node> {
    set.then(|| Node::word(word))
}

fn storage(storage: Storage) -> Option<Node> {
    match storage {
        Storage::Default => None,
        Storage::Export => Some(Node::word("export")),
        Storage::Extern => Some(Node::word("extern")),
    }
}

fn var(v: &VarDecl) -> Node {
    let kind = match v.kind {
        VarKind::Const => "const",
        VarKind::Var => "var",
        VarKind::Param => "param",
    };
    let attributes = [("align", &v.align), ("linksection", &v.linksection), ("linkname", &v.linkname)];
    Node::list(kind)
        .with(name(&v.name))
        .all(storage(v.storage))
        .all(flag(v.is_comptime, "comptime"))
        .all(optional("type", &v.ty))
        .all(attributes.into_iter().filter_map(|(head, value)| optional(head, value)))
        .all(optional("=", &v.init))
}

fn fn_kind(kind: FnKind) -> &'static str {
    match kind {
        FnKind::Fn => "fn",
        FnKind::Task => "task",
    }
}

fn function(f: &FnDecl) -> Node {
    let inlining = match f.inlining {
        Inlining::Default => None,
        Inlining::Inline => Some(Node::word("inline")),
        Inlining::NoInline => Some(Node::word("noinline")),
    };
    Node::list(fn_kind(f.kind))
        .with(name(&f.name))
        .all(storage(f.storage))
        .all(inlining)
        .with(Node::list("params").all(f.params.iter().map(param)))
        .with(Node::list("return").with(expr(&f.ret)))
        .all(optional("linksection", &f.linksection))
        .all(optional("linkname", &f.linkname))
        .all(f.body.as_ref().map(|body| Node::list("body").all(stmts(body))))
}

fn param(p: &Param) -> Node {
    let ty = p.ty.as_ref().map_or_else(|| Node::word("anytype"), expr);
    let named = p.name.as_ref().map_or_else(|| "_".to_string(), |n| n.name.to_string());
    Node::list(named).all(flag(p.is_comptime, "comptime")).with(ty)
}

fn stmts(block: &Block) -> impl Iterator<Item = Node> {
    block.stmts.iter().map(stmt)
}

fn stmt(s: &Stmt) -> Node {
    match &s.kind {
        StmtKind::Var(v) => var(v),
        StmtKind::Expr(e) => expr(e),
        StmtKind::Assign { target, op, value } => {
            let op = op.map_or("", binary_op);
            Node::list(format!("{op}=")).with(expr(target)).with(expr(value))
        }
        StmtKind::Error => Node::word("error"),
    }
}

fn binary_op(op: BinOp) -> &'static str {
    crate::print::binary_op(op)
}

fn expr(e: &Expr) -> Node {
    use ExprKind::*;
    match &e.kind {
        Int(_) | Float(_) | Char(_) | Str(_) | Bool(_) | Name(_) | Error => literal(&e.kind),
        Builtin { name, args } => Node::list(format!("@{}", name.name)).all(exprs(args)),
        Call { callee, args } => Node::list("call").with(expr(callee)).all(exprs(args)),
        Field { base, name: n } => Node::list("field").with(expr(base)).with(name(n)),
        Index { base, indices } => Node::list("index").with(expr(base)).all(exprs(indices)),
        Deref(base) => Node::list("deref").with(expr(base)),
        AddrOf(place) => Node::list("address-of").with(expr(place)),
        Unary { op, operand } => Node::list(unary_op(*op)).with(expr(operand)),
        Binary { op, lhs, rhs } => Node::list(binary_op(*op)).with(expr(lhs)).with(expr(rhs)),
        Comptime(inner) => Node::list("comptime").with(expr(inner)),
        If(_) | For(_) | While(_) | Switch(_) | Block { .. } => control(&e.kind),
        Return(_) | Break { .. } | Continue { .. } => jump(&e.kind),
        StructInit { ty, fields } => struct_init(ty.as_deref(), fields),
        Tuple(elems) => Node::list("tuple").all(exprs(elems)),
        ArrayInit { ty, elems } => Node::list("array-init").with(expr(ty)).all(exprs(elems)),
        ArrayType { dims, elem } => Node::list("array").with(group(dims)).with(expr(elem)),
        PtrType { many, is_const, elem } => pointer(*many, *is_const, elem),
        FnType { kind, params, ret } => fn_type(*kind, params, ret),
        Aggregate(a) => aggregate(a),
        Enum(e) => enum_type(e),
        TensorAccess(a) => tensor_access(a),
        Asm(a) => asm(a),
    }
}

fn exprs(list: &[Expr]) -> impl Iterator<Item = Node> {
    list.iter().map(expr)
}

/// Several expressions as one child.
fn group(list: &[Expr]) -> Node {
    Node::list("dims").all(exprs(list))
}

fn literal(kind: &ExprKind) -> Node {
    Node::word(match kind {
        ExprKind::Int(value) => value.to_string(),
        ExprKind::Float(value) => format!("{value:?}"),
        ExprKind::Char(code) => format!("'{code}'"),
        ExprKind::Str(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Name(name) => name.to_string(),
        _ => "error".to_string(),
    })
}

fn unary_op(op: UnOp) -> &'static str {
    match op {
        UnOp::Neg => "negate",
        UnOp::BitNot => "~",
        UnOp::Not => "!",
    }
}

fn label(label: &Option<Ident>) -> Option<Node> {
    label.as_ref().map(|l| Node::word(format!(":{}", l.name)))
}

fn control(kind: &ExprKind) -> Node {
    match kind {
        ExprKind::If(node) => {
            Node::list("if").with(expr(&node.cond)).with(expr(&node.then)).all(node.otherwise.as_ref().map(expr))
        }
        ExprKind::For(node) => for_loop(node),
        ExprKind::While(node) => while_loop(node),
        ExprKind::Switch(node) => Node::list("switch").with(expr(&node.input)).all(node.arms.iter().map(arm)),
        ExprKind::Block { label: l, body } => Node::list("block").all(label(l)).all(stmts(body)),
        _ => Node::word("error"),
    }
}

fn for_loop(node: &For) -> Node {
    Node::list("for")
        .all(label(&node.label))
        .all(flag(node.is_inline, "inline"))
        .with(name(&node.elem))
        .all(node.index.as_ref().map(name))
        .with(Node::list("in").with(expr(&node.iter)))
        .with(expr(&node.body))
}

fn while_loop(node: &While) -> Node {
    Node::list("while")
        .all(label(&node.label))
        .all(flag(node.is_inline, "inline"))
        .with(expr(&node.cond))
        .all(node.step.as_ref().map(|s| Node::list("step").with(stmt(s))))
        .with(expr(&node.body))
}

fn arm(arm: &SwitchArm) -> Node {
    let head = if arm.values.is_empty() { "else" } else { "case" };
    Node::list(head).all(exprs(&arm.values)).with(Node::list("=>").with(expr(&arm.body)))
}

fn jump(kind: &ExprKind) -> Node {
    match kind {
        ExprKind::Return(value) => Node::list("return").all(value.iter().map(|v| expr(v))),
        ExprKind::Break { label: l, value } => Node::list("break").all(label(l)).all(value.iter().map(|v| expr(v))),
        ExprKind::Continue { label: l } => Node::list("continue").all(label(l)),
        _ => Node::word("error"),
    }
}

fn struct_init(ty: Option<&Expr>, fields: &[FieldInit]) -> Node {
    let fields = fields.iter().map(|f| Node::list(format!(".{}", f.name.name)).with(expr(&f.value)));
    let ty = ty.map(|t| Node::list("type").with(expr(t)));
    Node::list("struct-init").all(ty).all(fields)
}

fn pointer(many: bool, is_const: bool, elem: &Expr) -> Node {
    let head = if many { "many-pointer" } else { "pointer" };
    Node::list(head).all(flag(is_const, "const")).with(expr(elem))
}

fn fn_type(kind: FnKind, params: &[Param], ret: &Expr) -> Node {
    Node::list(format!("{}-type", fn_kind(kind)))
        .with(Node::list("params").all(params.iter().map(param)))
        .with(Node::list("return").with(expr(ret)))
}

fn aggregate(node: &Aggregate) -> Node {
    let kind = match node.kind {
        AggregateKind::Struct => "struct",
        AggregateKind::Union => "union",
    };
    let packing = match node.packing {
        Packing::Default => None,
        Packing::Extern => Some(Node::word("extern")),
        Packing::Packed => Some(Node::word("packed")),
    };
    let fields = node.fields.iter().map(|f| Node::list(format!(".{}", f.name.name)).with(expr(&f.ty)));
    Node::list(kind).all(packing).all(fields)
}

fn enum_type(node: &EnumType) -> Node {
    let members = node.members.iter().map(|m| Node::list(format!(".{}", m.name.name)).all(m.value.as_ref().map(expr)));
    Node::list("enum").all(optional("type", &node.base)).all(members)
}

fn tensor_access(access: &TensorAccess) -> Node {
    Node::list("tensor-access")
        .with(Node::list("vars").all(access.vars.iter().map(name)))
        .with(Node::list("extents").all(exprs(&access.extents)))
        .with(Node::list("index").with(expr(&access.base)).all(exprs(&access.indices)))
}

fn asm(asm: &Asm) -> Node {
    let operands = |head: &str, list: &[AsmOperand]| {
        let all = list.iter().map(|o| Node::list(o.name.name.as_str()).with(expr(&o.constraint)).with(expr(&o.value)));
        Node::list(head).all(all)
    };
    Node::list("asm")
        .all(flag(asm.is_volatile, "volatile"))
        .with(expr(&asm.template))
        .with(operands("outputs", &asm.outputs))
        .with(operands("inputs", &asm.inputs))
        .with(Node::list("clobbers").all(exprs(&asm.clobbers)))
}
