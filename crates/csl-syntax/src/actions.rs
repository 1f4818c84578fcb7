//! The actions of the grammar: plain functions that build the nodes of the tree.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Diagnostics, FileId, Span};

use crate::ast::*;
use crate::literal;
use crate::symbol::Symbol;

/// The state of one run of the parser: the inputs of the actions and the lists that they fill beside the tree.
pub struct Builder {
    file: FileId,
    pub diagnostics: Diagnostics,
    /// The ends, in bytes, of all statements and items that were completed: recovery starts there.
    pub ends: Vec<usize>,
}

/// `align(...)`, `linksection(...)` or `linkname(...)`.
pub enum Attribute {
    Align(Expr),
    Linksection(Expr),
    Linkname(Expr),
}

/// The attributes of a declaration: `align(...)`, `linksection(...)`, `linkname(...)`.
#[derive(Default)]
pub struct Attributes {
    align: Option<Expr>,
    linksection: Option<Expr>,
    linkname: Option<Expr>,
}

impl Builder {
    pub fn new(file: FileId) -> Builder {
        Builder { file, diagnostics: Diagnostics::new(), ends: Vec::new() }
    }

    pub fn span(&self, lo: usize, hi: usize) -> Span {
        Span::new(self.file, lo, hi)
    }

    fn expr(&self, lo: usize, kind: ExprKind, hi: usize) -> Expr {
        Expr { kind, span: self.span(lo, hi) }
    }

    /// An expression from `lo` to the end of its last part.
    fn prefixed(&self, lo: usize, kind: ExprKind, last: Span) -> Expr {
        self.expr(lo, kind, last.hi as usize)
    }

    fn complain(&mut self, span: Span, message: &str) {
        self.diagnostics.push(Diagnostic::new(Code::SyntaxError, span, message));
    }

    pub fn ident(&self, lo: usize, name: &str, hi: usize) -> Ident {
        Ident { name: Symbol::new(name), span: self.span(lo, hi) }
    }

    // ------------------------------------------------------------ declarations

    pub fn item(&mut self, hi: usize, item: Item) -> Option<Item> {
        self.ends.push(hi);
        Some(item)
    }

    pub fn global(&mut self, storage: Option<(Storage, Span)>, mut var: VarDecl) -> Option<Item> {
        if let Some((storage, span)) = storage {
            var.storage = storage;
            var.span = span.to(var.span);
        }
        if var.is_comptime {
            self.complain(var.name.span, "a `comptime` variable is declared inside a function or block: use `const`");
        }
        if let (Storage::Extern, Some(init)) = (var.storage, &var.init) {
            self.complain(init.span, "an `extern` variable has its value elsewhere");
        }
        self.item(var.span.hi as usize, Item::Var(Arc::new(var)))
    }

    pub fn function(&mut self, storage: Option<(Storage, Span)>, mut function: FnDecl) -> Option<Item> {
        if let Some((storage, span)) = storage {
            function.storage = storage;
            function.span = span.to(function.span);
        }
        match (&function.body, function.storage) {
            (None, Storage::Extern) | (Some(_), Storage::Default | Storage::Export) => {}
            (None, _) => self.complain(function.name.span, "only an `extern` function can do without a body"),
            (Some(_), _) => self.complain(function.name.span, "an `extern` function has its body elsewhere"),
        }
        if let Some(complaint) = clash(&function) {
            self.complain(function.name.span, complaint);
        }
        self.item(function.span.hi as usize, Item::Fn(Arc::new(function)))
    }

    /// The legacy `color name;` declares a param of that type.
    pub fn color(&mut self, keyword: Span, name: Ident) -> Option<Item> {
        let ty = Expr { kind: ExprKind::Name(Symbol::new("color")), span: keyword };
        let span = keyword.to(name.span);
        let var = var_decl(span, (false, VarKind::Param, name), Some(ty), Attributes::default(), None);
        self.global(None, var)
    }

    pub fn skipped_item(&mut self, span: Span) -> Option<Item> {
        self.item(span.hi as usize, Item::Error(span))
    }

    pub fn attributes(&mut self, list: impl Iterator<Item = Attribute>) -> Attributes {
        let mut all = Attributes::default();
        for attribute in list {
            let (slot, value) = match attribute {
                Attribute::Align(e) => (&mut all.align, e),
                Attribute::Linksection(e) => (&mut all.linksection, e),
                Attribute::Linkname(e) => (&mut all.linkname, e),
            };
            if slot.is_some() {
                self.complain(value.span, "this attribute is given twice");
            }
            *slot = Some(value);
        }
        all
    }

    pub fn fn_attributes(&mut self, list: impl Iterator<Item = Attribute>) -> Attributes {
        let mut attributes = self.attributes(list);
        if let Some(align) = attributes.align.take() {
            self.complain(align.span, "functions cannot be aligned");
        }
        attributes
    }

    pub fn param(&self, lo: usize, is_comptime: bool, name: Option<Ident>, ty: Option<Expr>, hi: usize) -> Param {
        Param { is_comptime, name, ty, span: self.span(lo, hi) }
    }

    // ------------------------------------------------------------ statements

    pub fn block(&self, lo: usize, stmts: Vec<Option<Stmt>>, hi: usize) -> Block {
        Block { stmts: stmts.into_iter().flatten().collect(), span: self.span(lo, hi) }
    }

    pub fn stmt(&mut self, stmt: Stmt) -> Option<Stmt> {
        self.ends.push(stmt.span.hi as usize);
        Some(stmt)
    }

    pub fn local(&mut self, var: VarDecl) -> Option<Stmt> {
        let span = var.span;
        self.stmt(Stmt { kind: StmtKind::Var(Arc::new(var)), span })
    }

    pub fn skipped_stmt(&mut self, span: Span) -> Option<Stmt> {
        self.stmt(Stmt { kind: StmtKind::Error, span })
    }

    pub fn expr_stmt(&mut self, lo: usize, expr: Expr, hi: usize) -> Stmt {
        if !has_effect(&expr) {
            let diagnostic = Diagnostic::new(Code::UnusedValue, expr.span, "the value of this expression is not used");
            let is_change = matches!(&expr.kind, ExprKind::Builtin { .. });
            self.diagnostics.push(diagnostic.help(match is_change {
                true => "the DSD in the argument stays as it is: assign the result, `d = @..(d, ..);`",
                false => "write `_ = ` before it to drop it on purpose",
            }));
        }
        Stmt { kind: StmtKind::Expr(expr), span: self.span(lo, hi) }
    }

    pub fn assign(&self, lo: usize, target: Expr, op: Option<BinOp>, value: Expr, hi: usize) -> Stmt {
        Stmt { kind: StmtKind::Assign { target, op, value }, span: self.span(lo, hi) }
    }

    /// `comptime` before a statement.
    pub fn comptime_stmt(&mut self, lo: usize, stmt: Stmt, hi: usize) -> Stmt {
        let expr = self.comptime(lo, body(stmt), hi);
        self.expr_stmt(lo, expr, hi)
    }

    pub fn if_stmt(&mut self, lo: usize, cond: Expr, then: Expr, otherwise: Option<Stmt>, hi: usize) -> Stmt {
        let expr = self.if_(lo, cond, then, otherwise.map(body), hi);
        self.expr_stmt(lo, expr, hi)
    }

    pub fn for_stmt(&mut self, lo: usize, head: For, stmt: Stmt, hi: usize) -> Stmt {
        let expr = self.for_(lo, head, body(stmt), hi);
        self.expr_stmt(lo, expr, hi)
    }

    pub fn while_stmt(&mut self, lo: usize, head: While, stmt: Stmt, hi: usize) -> Stmt {
        let expr = self.while_(lo, head, body(stmt), hi);
        self.expr_stmt(lo, expr, hi)
    }

    // ------------------------------------------------------------ control flow

    pub fn if_(&self, lo: usize, cond: Expr, then: Expr, otherwise: Option<Expr>, hi: usize) -> Expr {
        self.expr(lo, ExprKind::If(Box::new(If { cond, then, otherwise })), hi)
    }

    pub fn for_(&self, lo: usize, head: For, body: Expr, hi: usize) -> Expr {
        self.expr(lo, ExprKind::For(Box::new(For { body, ..head })), hi)
    }

    pub fn while_(&self, lo: usize, head: While, body: Expr, hi: usize) -> Expr {
        self.expr(lo, ExprKind::While(Box::new(While { body, ..head })), hi)
    }

    /// A loop whose body is still to come.
    pub fn for_head(
        &self,
        label: Option<Ident>,
        is_inline: bool,
        iter: Expr,
        elem: Ident,
        index: Option<Ident>,
    ) -> For {
        let body = Expr { kind: ExprKind::Error, span: iter.span };
        For { label, is_inline, iter, elem, index, body }
    }

    pub fn while_head(&self, label: Option<Ident>, is_inline: bool, cond: Expr, step: Option<Stmt>) -> While {
        let body = Expr { kind: ExprKind::Error, span: cond.span };
        While { label, is_inline, cond, step: step.map(Box::new), body }
    }

    pub fn switch(&self, lo: usize, input: Expr, arms: Vec<SwitchArm>, hi: usize) -> Expr {
        self.expr(lo, ExprKind::Switch(Box::new(Switch { input, arms })), hi)
    }

    pub fn arm(&self, lo: usize, values: Vec<Expr>, body: Expr, hi: usize) -> SwitchArm {
        SwitchArm { values, body, span: self.span(lo, hi) }
    }

    pub fn block_expr(&self, lo: usize, label: Option<Ident>, body: Block, hi: usize) -> Expr {
        self.expr(lo, ExprKind::Block { label, body }, hi)
    }

    pub fn return_(&self, lo: usize, value: Option<Expr>, hi: usize) -> Expr {
        self.expr(lo, ExprKind::Return(value.map(Box::new)), hi)
    }

    pub fn break_(&self, lo: usize, label: Option<Ident>, value: Option<Expr>, hi: usize) -> Expr {
        self.expr(lo, ExprKind::Break { label, value: value.map(Box::new) }, hi)
    }

    pub fn continue_(&self, lo: usize, label: Option<Ident>, hi: usize) -> Expr {
        self.expr(lo, ExprKind::Continue { label }, hi)
    }

    pub fn comptime(&self, lo: usize, expr: Expr, hi: usize) -> Expr {
        self.expr(lo, ExprKind::Comptime(Box::new(expr)), hi)
    }

    // ------------------------------------------------------------ operators

    pub fn binary(&self, op: BinOp, lhs: Expr, rhs: Expr) -> Expr {
        let span = lhs.span.to(rhs.span);
        Expr { kind: ExprKind::Binary { op, lhs: Box::new(lhs), rhs: Box::new(rhs) }, span }
    }

    pub fn unary(&self, lo: usize, op: UnOp, operand: Expr) -> Expr {
        let last = operand.span;
        self.prefixed(lo, ExprKind::Unary { op, operand: Box::new(operand) }, last)
    }

    pub fn address_of(&self, lo: usize, operand: Expr) -> Expr {
        let last = operand.span;
        self.prefixed(lo, ExprKind::AddrOf(Box::new(operand)), last)
    }

    pub fn field(&self, base: Expr, name: Ident) -> Expr {
        let span = base.span.to(name.span);
        Expr { kind: ExprKind::Field { base: Box::new(base), name }, span }
    }

    pub fn deref(&self, base: Expr, hi: usize) -> Expr {
        let lo = base.span.lo as usize;
        self.expr(lo, ExprKind::Deref(Box::new(base)), hi)
    }

    pub fn index(&self, base: Expr, indices: Vec<Expr>, hi: usize) -> Expr {
        let lo = base.span.lo as usize;
        self.expr(lo, ExprKind::Index { base: Box::new(base), indices }, hi)
    }

    pub fn call(&self, callee: Expr, args: Vec<Expr>, hi: usize) -> Expr {
        let lo = callee.span.lo as usize;
        self.expr(lo, ExprKind::Call { callee: Box::new(callee), args }, hi)
    }

    /// A call of a builtin. The span of its name leaves out the `@`.
    pub fn builtin(&self, lo: usize, name: &str, args: Vec<Expr>, hi: usize) -> Expr {
        let name = self.ident(lo + 1, name, lo + 1 + name.len());
        self.expr(lo, ExprKind::Builtin { name, args }, hi)
    }

    /// An expression in parentheses: they leave no node, but they widen its span.
    pub fn parens(&self, lo: usize, inner: Expr, hi: usize) -> Expr {
        self.expr(lo, inner.kind, hi)
    }

    // ------------------------------------------------------------ literals and initialisers

    // The lexer has reported a malformed literal: nothing more is said of it.

    pub fn int(&self, lo: usize, text: &str, hi: usize) -> Expr {
        self.expr(lo, literal::int(text).map_or(ExprKind::Error, ExprKind::Int), hi)
    }

    pub fn float(&self, lo: usize, text: &str, hi: usize) -> Expr {
        self.expr(lo, literal::float(text).map_or(ExprKind::Error, ExprKind::Float), hi)
    }

    pub fn character(&self, lo: usize, text: &str, hi: usize) -> Expr {
        self.expr(lo, literal::character(text).map_or(ExprKind::Error, ExprKind::Char), hi)
    }

    pub fn string(&self, lo: usize, text: &str, hi: usize) -> Expr {
        self.expr(lo, literal::string(text).map_or(ExprKind::Error, |text| ExprKind::Str(text.into())), hi)
    }

    pub fn bool(&self, lo: usize, value: bool, hi: usize) -> Expr {
        self.expr(lo, ExprKind::Bool(value), hi)
    }

    pub fn struct_init(&self, lo: usize, ty: Option<Expr>, fields: Vec<FieldInit>, hi: usize) -> Expr {
        self.expr(lo, ExprKind::StructInit { ty: ty.map(Box::new), fields }, hi)
    }

    pub fn tuple(&self, lo: usize, elems: Vec<Expr>, hi: usize) -> Expr {
        self.expr(lo, ExprKind::Tuple(elems), hi)
    }

    /// `T{...}`. `T{}` has neither fields nor elements: the type `T` decides between a struct and an array.
    pub fn array_init(&self, lo: usize, ty: Expr, elems: Vec<Expr>, hi: usize) -> Expr {
        let ty = Box::new(ty);
        if elems.is_empty() && !matches!(ty.kind, ExprKind::ArrayType { .. }) {
            return self.expr(lo, ExprKind::StructInit { ty: Some(ty), fields: Vec::new() }, hi);
        }
        self.expr(lo, ExprKind::ArrayInit { ty, elems }, hi)
    }

    /// A tensor access; `place` is the text after the arrow, its indices included.
    pub fn tensor_access(&mut self, lo: usize, vars: Vec<Ident>, extents: Vec<Expr>, place: Expr, hi: usize) -> Expr {
        let span = place.span;
        let (base, indices) = match place.kind {
            ExprKind::Index { base, indices } => (*base, indices),
            kind => {
                self.complain(span, "expected indices in brackets at the end of this tensor access");
                (Expr { kind, span }, Vec::new())
            }
        };
        self.expr(lo, ExprKind::TensorAccess(Box::new(TensorAccess { vars, extents, base, indices })), hi)
    }

    pub fn asm(
        &self,
        lo: usize,
        is_volatile: bool,
        template: Expr,
        parts: (Vec<AsmOperand>, Vec<AsmOperand>, Vec<Expr>),
        hi: usize,
    ) -> Expr {
        let (outputs, inputs, clobbers) = parts;
        self.expr(lo, ExprKind::Asm(Box::new(Asm { is_volatile, template, outputs, inputs, clobbers })), hi)
    }

    // ------------------------------------------------------------ types

    pub fn array_type(&self, lo: usize, dims: Vec<Expr>, elem: Expr, hi: usize) -> Expr {
        self.expr(lo, ExprKind::ArrayType { dims, elem: Box::new(elem) }, hi)
    }

    pub fn pointer(&self, lo: usize, many: bool, is_const: bool, elem: Expr, hi: usize) -> Expr {
        self.expr(lo, ExprKind::PtrType { many, is_const, elem: Box::new(elem) }, hi)
    }

    pub fn fn_type(&self, lo: usize, kind: FnKind, params: Vec<Param>, ret: Expr, hi: usize) -> Expr {
        self.expr(lo, ExprKind::FnType { kind, params, ret: Box::new(ret) }, hi)
    }

    pub fn aggregate(
        &self,
        lo: usize,
        packing: Packing,
        kind: AggregateKind,
        fields: Vec<FieldDecl>,
        hi: usize,
    ) -> Expr {
        self.expr(lo, ExprKind::Aggregate(Box::new(Aggregate { kind, packing, fields })), hi)
    }

    pub fn enum_(&self, lo: usize, base: Option<Expr>, members: Vec<EnumMember>, hi: usize) -> Expr {
        self.expr(lo, ExprKind::Enum(Box::new(EnumType { base, members })), hi)
    }
}

/// A statement with its `;`, which belongs to its span.
pub fn ended(stmt: Stmt, semicolon: Span) -> Stmt {
    let span = stmt.span.to(semicolon);
    Stmt { span, ..stmt }
}

/// A statement as the body of an `if`, loop or switch arm: an assignment becomes a block of its own.
pub fn body(stmt: Stmt) -> Expr {
    let span = stmt.span;
    match stmt.kind {
        StmtKind::Expr(expr) => expr,
        _ => Expr { kind: ExprKind::Block { label: None, body: Block { stmts: vec![stmt], span } }, span },
    }
}

pub fn var_decl(
    span: Span,
    (is_comptime, kind, name): (bool, VarKind, Ident),
    ty: Option<Expr>,
    attributes: Attributes,
    init: Option<Expr>,
) -> VarDecl {
    let Attributes { align, linksection, linkname } = attributes;
    VarDecl { kind, storage: Storage::Default, is_comptime, name, ty, align, linksection, linkname, init, span }
}

pub fn fn_decl(
    span: Span,
    (inlining, kind, name): (Inlining, FnKind, Ident),
    params: Vec<Param>,
    ret: Expr,
    attributes: Attributes,
    body: Option<Block>,
) -> FnDecl {
    let Attributes { linksection, linkname, .. } = attributes;
    FnDecl { kind, storage: Storage::Default, inlining, name, params, ret, linksection, linkname, body, span }
}

pub fn name(ident: Ident) -> Expr {
    Expr { kind: ExprKind::Name(ident.name), span: ident.span }
}

pub fn field_decl(name: Ident, ty: Expr) -> FieldDecl {
    let span = name.span.to(ty.span);
    FieldDecl { name, ty, span }
}

pub fn pushed<T>(mut list: Vec<T>, element: T) -> Vec<T> {
    list.push(element);
    list
}

/// Two attributes of a function that exclude each other, after the guide's pages on functions.
fn clash(function: &FnDecl) -> Option<&'static str> {
    let has_storage = function.storage != Storage::Default;
    match function.inlining {
        _ if function.kind == FnKind::Task && function.linksection.is_some() => {
            Some("a task cannot have a link section")
        }
        Inlining::Inline if function.linkname.is_some() => Some("an `inline` function cannot have a link name"),
        Inlining::Inline if has_storage => Some("an `inline` function cannot have a storage class"),
        Inlining::NoInline if has_storage => Some("a `noinline` function cannot have a storage class"),
        _ => None,
    }
}

/// Whether a builtin returns a changed DSD and leaves its argument as it is.
fn changes_a_copy(builtin: &Ident) -> bool {
    let names = ["set_dsd_base_addr", "increment_dsd_offset", "set_dsd_length", "set_dsd_stride"];
    names.contains(&builtin.name.as_str())
}

/// Whether a statement made of this expression may have an effect: a call, control flow, or an expression that ends
/// with one.
fn has_effect(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Builtin { name, .. } => !changes_a_copy(name),
        ExprKind::Binary { op: BinOp::And | BinOp::Or, rhs, .. } => has_effect(rhs),
        ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Char(_)
        | ExprKind::Str(_)
        | ExprKind::Bool(_)
        | ExprKind::Name(_)
        | ExprKind::Field { .. }
        | ExprKind::Index { .. }
        | ExprKind::Deref(_)
        | ExprKind::AddrOf(_)
        | ExprKind::Unary { .. }
        | ExprKind::Binary { .. } => false,
        _ => true,
    }
}
