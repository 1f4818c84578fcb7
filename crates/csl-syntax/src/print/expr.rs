//! Prints expressions and types, with no more parentheses than they need.

use std::fmt::Write as _;

use super::Printer;
use super::decl::fn_kind;
use crate::ast::*;

// Binding strengths, as the tiers of the grammar have them.
pub(super) const ANY: u8 = 0;
const PREFIX: u8 = 8;
const OPERAND: u8 = 9;
pub(super) const TYPE: u8 = 10;
pub(super) const POSTFIX: u8 = 11;

pub(super) fn level(kind: &ExprKind) -> u8 {
    use ExprKind::*;
    match kind {
        If(_) | For(_) | While(_) | Return(_) | Break { .. } | Continue { .. } | Comptime(_) => ANY,
        Binary { op, .. } => binary_level(*op),
        Unary { .. } | AddrOf(_) => PREFIX,
        StructInit { ty: Some(_), .. } | ArrayInit { .. } | Block { .. } | Switch(_) | TensorAccess(_) => OPERAND,
        ArrayType { .. } | PtrType { .. } | FnType { .. } => TYPE,
        _ => POSTFIX,
    }
}

fn binary_level(op: BinOp) -> u8 {
    use BinOp::*;
    match op {
        Or => 1,
        And => 2,
        Eq | Ne | Lt | Le | Gt | Ge => 3,
        BitAnd | BitOr | BitXor => 4,
        Shl | Shr => 5,
        Add | Sub => 6,
        Mul | Div | Rem => 7,
    }
}

pub(crate) fn binary_op(op: BinOp) -> &'static str {
    use BinOp::*;
    match op {
        Or => "or",
        And => "and",
        Eq => "==",
        Ne => "!=",
        Lt => "<",
        Le => "<=",
        Gt => ">",
        Ge => ">=",
        BitAnd => "&",
        BitOr => "|",
        BitXor => "^",
        Shl => "<<",
        Shr => ">>",
        Add => "+",
        Sub => "-",
        Mul => "*",
        Div => "/",
        Rem => "%",
    }
}

impl Printer {
    /// Prints `expr` where an expression of tier `least` or above can stand.
    pub(super) fn expr(&mut self, expr: &Expr, least: u8) {
        if level(&expr.kind) >= least {
            return self.bare(&expr.kind);
        }
        self.put("(");
        self.bare(&expr.kind);
        self.put(")");
    }

    fn bare(&mut self, kind: &ExprKind) {
        use ExprKind::*;
        match kind {
            Int(_) | Float(_) | Char(_) | Str(_) | Bool(_) | Name(_) | Error => self.literal(kind),
            If(_) | For(_) | While(_) | Switch(_) | Block { .. } => self.control(kind),
            Return(_) | Break { .. } | Continue { .. } => self.jump(kind),
            Unary { .. } | AddrOf(_) | Binary { .. } | Comptime(_) => self.operator(kind),
            Builtin { .. } | Call { .. } | Field { .. } | Index { .. } | Deref(_) => self.postfix(kind),
            StructInit { .. } | Tuple(_) | ArrayInit { .. } => self.init(kind),
            ArrayType { .. } | PtrType { .. } | FnType { .. } | Aggregate(_) | Enum(_) => self.ty(kind),
            TensorAccess(access) => self.tensor_access(access),
            Asm(asm) => self.asm(asm),
        }
    }

    fn literal(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Int(value) => self.put(&value.to_string()),
            // The literal was too large for the type; this one is too.
            ExprKind::Float(value) if value.is_infinite() => self.put("1e999"),
            ExprKind::Float(value) => self.put(&format!("{value:?}")),
            ExprKind::Char(code) => self.put(&format!("'\\u{{{code:x}}}'")),
            ExprKind::Str(bytes) => self.string(bytes),
            ExprKind::Bool(value) => self.put(if *value { "true" } else { "false" }),
            ExprKind::Name(name) => self.put(name.as_str()),
            _ => self.put("/* a stretch that did not parse */"),
        }
    }

    fn string(&mut self, bytes: &[u8]) {
        self.put("\"");
        for &byte in bytes {
            match byte {
                b'"' | b'\\' => write!(self.out, "\\{}", byte as char),
                b' '..=b'~' => write!(self.out, "{}", byte as char),
                _ => write!(self.out, "\\x{byte:02x}"),
            }
            .expect("writing to a string succeeds");
        }
        self.put("\"");
    }

    fn control(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::If(node) => self.if_expr(node),
            ExprKind::For(node) => {
                self.for_head(node);
                self.expr(&node.body, ANY);
            }
            ExprKind::While(node) => {
                self.while_head(node);
                self.expr(&node.body, ANY);
            }
            ExprKind::Switch(node) => self.switch(node),
            ExprKind::Block { label, body } => {
                self.label(*label);
                self.block(body);
            }
            _ => {}
        }
    }

    fn if_expr(&mut self, node: &If) {
        self.if_head(node);
        match &node.otherwise {
            None => self.expr(&node.then, ANY),
            Some(otherwise) => {
                self.before_else(&node.then);
                self.put(" else ");
                self.expr(otherwise, ANY);
            }
        }
    }

    fn switch(&mut self, node: &Switch) {
        self.put("switch (");
        self.expr(&node.input, ANY);
        self.put(") {");
        self.indent += 1;
        for arm in &node.arms {
            self.newline();
            match arm.values.as_slice() {
                [] => self.put("else"),
                values => self.exprs(values),
            }
            self.put(" => ");
            self.expr(&arm.body, ANY);
            self.put(",");
        }
        self.indent -= 1;
        self.newline();
        self.put("}");
    }

    fn jump(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Return(value) => self.jump_to("return", None, value.as_deref()),
            ExprKind::Break { label, value } => self.jump_to("break", *label, value.as_deref()),
            ExprKind::Continue { label } => self.jump_to("continue", *label, None),
            _ => {}
        }
    }

    fn jump_to(&mut self, keyword: &str, label: Option<Ident>, value: Option<&Expr>) {
        self.put(keyword);
        if let Some(label) = label {
            self.put(" :");
            self.put(label.name.as_str());
        }
        if let Some(value) = value {
            self.put(" ");
            self.expr(value, ANY);
        }
    }

    fn operator(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Unary { op, operand } => {
                self.put(match op {
                    UnOp::Neg => "-",
                    UnOp::BitNot => "~",
                    UnOp::Not => "!",
                });
                self.expr(operand, PREFIX);
            }
            ExprKind::AddrOf(place) => {
                // Two `&` side by side would be one token.
                self.put(if self.out.ends_with('&') { " &" } else { "&" });
                self.expr(place, PREFIX);
            }
            ExprKind::Binary { op, lhs, rhs } => {
                let tier = binary_level(*op);
                self.expr(lhs, tier);
                self.put(&format!(" {} ", binary_op(*op)));
                self.expr(rhs, tier + 1);
            }
            ExprKind::Comptime(inner) => {
                self.put("comptime ");
                self.expr(inner, ANY);
            }
            _ => {}
        }
    }

    fn postfix(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Builtin { name, args } => {
                self.put("@");
                self.put(name.name.as_str());
                self.bracketed("(", args, ")");
            }
            ExprKind::Call { callee, args } => {
                self.expr(callee, POSTFIX);
                self.bracketed("(", args, ")");
            }
            ExprKind::Field { base, name } => {
                self.expr(base, POSTFIX);
                self.put(".");
                self.put(name.name.as_str());
            }
            ExprKind::Index { base, indices } => {
                self.expr(base, POSTFIX);
                self.bracketed("[", indices, "]");
            }
            ExprKind::Deref(base) => {
                self.expr(base, POSTFIX);
                self.put(".*");
            }
            _ => {}
        }
    }

    fn init(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::StructInit { ty, fields } => {
                match ty {
                    Some(ty) => self.expr(ty, TYPE),
                    None => self.put("."),
                }
                self.put("{ ");
                self.list(fields, |p, field| {
                    p.put(&format!(".{} = ", field.name.name));
                    p.expr(&field.value, ANY);
                });
                self.put(" }");
            }
            ExprKind::Tuple(elems) => self.bracketed(".{ ", elems, " }"),
            ExprKind::ArrayInit { ty, elems } => {
                self.expr(ty, TYPE);
                self.bracketed("{ ", elems, " }");
            }
            _ => {}
        }
    }

    fn exprs(&mut self, exprs: &[Expr]) {
        self.list(exprs, |p, e| p.expr(e, ANY));
    }

    fn bracketed(&mut self, open: &str, exprs: &[Expr], close: &str) {
        self.put(open);
        self.exprs(exprs);
        self.put(close);
    }

    fn ty(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::ArrayType { dims, elem } => {
                self.bracketed("[", dims, "]");
                self.expr(elem, TYPE);
            }
            ExprKind::PtrType { many, is_const, elem } => {
                self.put(if *many { "[*]" } else { "*" });
                self.put(if *is_const { "const " } else { "" });
                self.expr(elem, TYPE);
            }
            ExprKind::FnType { kind, params, ret } => {
                self.put(fn_kind(*kind));
                self.params(params);
                self.put(" ");
                self.expr(ret, TYPE);
            }
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate),
            ExprKind::Enum(node) => self.enum_type(node),
            _ => {}
        }
    }

    fn aggregate(&mut self, node: &Aggregate) {
        self.put(match node.packing {
            Packing::Default => "",
            Packing::Extern => "extern ",
            Packing::Packed => "packed ",
        });
        self.put(match node.kind {
            AggregateKind::Struct => "struct { ",
            AggregateKind::Union => "union { ",
        });
        self.list(&node.fields, |p, field| {
            p.put(&format!("{}: ", field.name.name));
            p.expr(&field.ty, TYPE);
        });
        self.put(" }");
    }

    fn enum_type(&mut self, node: &EnumType) {
        self.put("enum");
        if let Some(base) = &node.base {
            self.put("(");
            self.expr(base, ANY);
            self.put(")");
        }
        self.put(" { ");
        self.list(&node.members, |p, member| {
            p.put(member.name.name.as_str());
            if let Some(value) = &member.value {
                p.put(" = ");
                p.expr(value, ANY);
            }
        });
        self.put(" }");
    }

    fn tensor_access(&mut self, access: &TensorAccess) {
        self.put("|");
        self.list(&access.vars, |p, var| p.put(var.name.as_str()));
        self.bracketed("|{", &access.extents, "} -> ");
        self.expr(&access.base, POSTFIX);
        self.bracketed("[", &access.indices, "]");
    }

    fn asm(&mut self, asm: &Asm) {
        self.put(if asm.is_volatile { "asm volatile (" } else { "asm (" });
        self.expr(&asm.template, POSTFIX);
        let parts = [asm.outputs.len(), asm.inputs.len(), asm.clobbers.len()];
        let last = parts.iter().rposition(|&len| len > 0).map_or(0, |at| at + 1);
        if last >= 1 {
            self.operands(&asm.outputs);
        }
        if last >= 2 {
            self.operands(&asm.inputs);
        }
        if last >= 3 {
            self.put(" : ");
            self.exprs(&asm.clobbers);
        }
        self.put(")");
    }

    fn operands(&mut self, operands: &[AsmOperand]) {
        self.put(" : ");
        self.list(operands, |p, operand| {
            p.put(&format!("[{}] ", operand.name.name));
            p.expr(&operand.constraint, POSTFIX);
            p.put(" (");
            p.expr(&operand.value, ANY);
            p.put(")");
        });
    }
}
