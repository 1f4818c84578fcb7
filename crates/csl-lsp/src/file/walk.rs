//! Walks the tree of a file, and notes what it declares, uses, names and calls.

use std::ops::Range;
use std::sync::Arc;

use csl_diag::Span;
use csl_syntax::Symbol;
use csl_syntax::ast::{self, Block, Expr, ExprKind, FnDecl, FnKind, Item, Stmt, StmtKind, VarDecl, VarKind};
use rustc_hash::FxHashMap;

use super::entries::{BuiltinCall, Call, Def, DefId, DefKind, Link, Named, Use, UseId, UseKind};

/// A block with the names that it has declared so far.
struct Scope {
    end: usize,
    names: Vec<(Symbol, DefId)>,
}

/// What has been found so far, and where the walk is.
pub struct Walk {
    end: usize,
    top: FxHashMap<Symbol, DefId>,
    scopes: Vec<Scope>,
    function: Option<DefId>,
    pub defs: Vec<Def>,
    pub uses: Vec<Use>,
    pub links: Vec<Link>,
    pub calls: Vec<Call>,
    pub strings: Vec<Named>,
    pub builtins: Vec<BuiltinCall>,
}

impl Walk {
    pub fn new(end: usize) -> Walk {
        Walk {
            end,
            top: FxHashMap::default(),
            scopes: Vec::new(),
            function: None,
            defs: Vec::new(),
            uses: Vec::new(),
            links: Vec::new(),
            calls: Vec::new(),
            strings: Vec::new(),
            builtins: Vec::new(),
        }
    }

    pub fn file(&mut self, tree: &ast::File) {
        let ids: Vec<Option<DefId>> = tree.items.iter().map(|item| self.declare_item(item)).collect();
        for (item, id) in tree.items.iter().zip(ids) {
            match (item, id) {
                (Item::Var(decl), Some(id)) => self.variable(decl, id),
                (Item::Fn(decl), Some(id)) => self.function(decl, id),
                (Item::Comptime(block) | Item::Layout(block), _) => self.block(block),
                _ => {}
            }
        }
        self.sort_uses();
    }

    /// Uses in the order of their places; what names a use by its number follows.
    fn sort_uses(&mut self) {
        let mut order: Vec<UseId> = (0..self.uses.len()).collect();
        order.sort_by_key(|&id| self.uses[id].span.lo);
        let mut moved = vec![0; order.len()];
        order.iter().enumerate().for_each(|(to, &from)| moved[from] = to);
        for used in &mut self.uses {
            match &mut used.kind {
                UseKind::Member { base: Some(base) } => *base = moved[*base],
                UseKind::Init { ty: Some(ty) } => *ty = moved[*ty],
                _ => {}
            }
        }
        self.calls.iter_mut().for_each(|call| call.callee = moved[call.callee]);
        self.builtins.iter_mut().flat_map(|call| &mut call.args).flatten().for_each(|id| *id = moved[*id]);
        self.uses.sort_by_key(|used| used.span.lo);
    }

    fn declare_item(&mut self, item: &Item) -> Option<DefId> {
        let id = match item {
            Item::Var(decl) => self.declare_variable(decl, 0..self.end),
            Item::Fn(decl) => {
                let kind = if decl.kind == FnKind::Task { DefKind::Task } else { DefKind::Fn };
                let id = self.declare(decl.name, decl.span, kind, 0..self.end);
                self.defs[id].is_linked = decl.storage != ast::Storage::Default;
                self.defs[id].is_typed = true;
                id
            }
            Item::Comptime(_) | Item::Layout(_) | Item::Error(_) => return None,
        };
        self.defs[id].is_top = true;
        self.top.entry(self.defs[id].name).or_insert(id);
        Some(id)
    }

    fn declare(&mut self, name: ast::Ident, whole: Span, kind: DefKind, visible: Range<usize>) -> DefId {
        self.defs.push(Def {
            name: name.name,
            span: name.span,
            whole,
            kind,
            visible,
            is_top: false,
            is_linked: false,
            is_typed: false,
            function: self.function,
            imports: Vec::new(),
            site: None,
        });
        self.defs.len() - 1
    }

    fn declare_variable(&mut self, decl: &VarDecl, visible: Range<usize>) -> DefId {
        let kind = match decl.kind {
            VarKind::Const => DefKind::Const,
            VarKind::Var => DefKind::Var,
            VarKind::Param => DefKind::Param,
        };
        let id = self.declare(decl.name, decl.span, kind, visible);
        self.defs[id].is_linked = decl.storage != ast::Storage::Default;
        self.defs[id].is_typed = decl.ty.is_some();
        id
    }

    /// Declares a name in the innermost block.
    fn bind(&mut self, id: DefId) {
        let name = self.defs[id].name;
        if let Some(scope) = self.scopes.last_mut() {
            scope.names.push((name, id));
        }
    }

    fn scoped(&mut self, end: usize, walk: impl FnOnce(&mut Self)) {
        self.scopes.push(Scope { end, names: Vec::new() });
        walk(self);
        self.scopes.pop();
    }

    fn scope_end(&self) -> usize {
        self.scopes.last().map_or(self.end, |scope| scope.end)
    }

    /// The parts of a declared variable.
    fn variable(&mut self, decl: &VarDecl, id: DefId) {
        let parts = [&decl.ty, &decl.align, &decl.linksection, &decl.linkname];
        self.exprs(parts.into_iter().flatten());
        let first = self.links.len();
        if let Some(init) = &decl.init {
            self.expr(init);
            if is_import(init) {
                self.defs[id].imports = (first..self.links.len()).collect();
            }
        }
    }

    fn function(&mut self, decl: &Arc<FnDecl>, id: DefId) {
        let outer = self.function.replace(id);
        self.exprs([&decl.linksection, &decl.linkname].into_iter().flatten());
        let end = decl.span.hi as usize;
        self.scoped(end, |walk| {
            for param in &decl.params {
                if let Some(ty) = &param.ty {
                    walk.expr(ty);
                }
                if let Some(name) = param.name {
                    let id = walk.declare(name, param.span, DefKind::Argument, param.span.hi as usize..end);
                    walk.defs[id].is_typed = param.ty.is_some();
                    walk.bind(id);
                }
            }
            walk.expr(&decl.ret);
            if let Some(body) = &decl.body {
                walk.block(body);
            }
        });
        self.function = outer;
    }

    fn block(&mut self, block: &Block) {
        self.scoped(block.span.hi as usize, |walk| block.stmts.iter().for_each(|stmt| walk.stmt(stmt)));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Var(decl) => {
                let id = self.declare_variable(decl, decl.span.hi as usize..self.scope_end());
                self.variable(decl, id);
                self.bind(id);
            }
            StmtKind::Expr(expr) => self.exprs([expr]),
            StmtKind::Assign { target, value, .. } => {
                if let Some(id) = self.expr(target) {
                    self.uses[id].is_written = true;
                }
                self.expr(value);
            }
            StmtKind::Error => {}
        }
    }

    fn find(&self, name: Symbol) -> UseKind {
        let local = self.scopes.iter().rev().flat_map(|scope| scope.names.iter().rev()).find(|known| known.0 == name);
        match local.map(|known| known.1).or_else(|| self.top.get(&name).copied()) {
            Some(id) => UseKind::Def(id),
            None => UseKind::Other,
        }
    }

    fn used(&mut self, name: Symbol, span: Span, kind: UseKind) -> UseId {
        self.uses.push(Use { name, span, kind, is_written: false });
        self.uses.len() - 1
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    /// Walks an expression; the use of its last name, where it is a name or a member of something.
    fn expr(&mut self, expr: &Expr) -> Option<UseId> {
        match &expr.kind {
            ExprKind::Name(name) => return Some(self.used(*name, expr.span, self.find(*name))),
            ExprKind::Field { base, name } => {
                let base = self.expr(base);
                return Some(self.used(name.name, name.span, UseKind::Member { base }));
            }
            ExprKind::Builtin { name, args } => self.builtin(*name, args, expr.span),
            ExprKind::Call { callee, args } => {
                if let Some(callee) = self.expr(callee) {
                    self.calls.push(Call { callee, within: self.function });
                }
                self.exprs(args);
            }
            ExprKind::Index { base, indices } => {
                let base = self.expr(base);
                self.exprs(indices);
                return base;
            }
            ExprKind::Deref(inner) => return self.expr(inner),
            ExprKind::AddrOf(inner) | ExprKind::Comptime(inner) => self.exprs([&**inner]),
            ExprKind::Unary { operand, .. } => self.exprs([&**operand]),
            ExprKind::Binary { lhs, rhs, .. } => self.exprs([&**lhs, rhs]),
            ExprKind::If(node) => {
                let parts = [Some(&node.cond), Some(&node.then), node.otherwise.as_ref()];
                self.exprs(parts.into_iter().flatten());
            }
            ExprKind::For(node) => {
                self.expr(&node.iter);
                self.indexed(&[Some(node.elem), node.index], node.body.span, |walk| walk.exprs([&node.body]));
            }
            ExprKind::While(node) => {
                self.expr(&node.cond);
                self.expr(&node.body);
                node.step.iter().for_each(|step| self.stmt(step));
            }
            ExprKind::Switch(node) => {
                self.expr(&node.input);
                for arm in &node.arms {
                    self.exprs(&arm.values);
                    self.expr(&arm.body);
                }
            }
            ExprKind::Block { body, .. } => self.block(body),
            ExprKind::Return(value) | ExprKind::Break { value, .. } => {
                self.exprs(value.as_deref());
            }
            ExprKind::StructInit { ty, fields } => {
                let kind = UseKind::Init { ty: ty.as_ref().and_then(|ty| self.expr(ty)) };
                for field in fields {
                    self.used(field.name.name, field.name.span, kind.clone());
                    self.expr(&field.value);
                }
            }
            ExprKind::Tuple(elems) => self.exprs(elems),
            ExprKind::ArrayInit { ty, elems } => {
                self.expr(ty);
                self.exprs(elems);
            }
            ExprKind::ArrayType { dims, elem } => {
                self.exprs(dims);
                self.expr(elem);
            }
            ExprKind::PtrType { elem, .. } => self.exprs([&**elem]),
            ExprKind::FnType { params, ret, .. } => {
                self.exprs(params.iter().flat_map(|param| &param.ty));
                self.expr(ret);
            }
            ExprKind::Aggregate(node) => {
                for field in &node.fields {
                    self.part(field.name, field.span, DefKind::Field, expr.span);
                    self.expr(&field.ty);
                }
            }
            ExprKind::Enum(node) => {
                self.exprs(node.base.as_ref());
                for member in &node.members {
                    self.part(member.name, member.name.span, DefKind::Member, expr.span);
                    self.exprs(&member.value);
                }
            }
            ExprKind::TensorAccess(node) => {
                self.exprs(&node.extents);
                self.expr(&node.base);
                let names: Vec<_> = node.vars.iter().copied().map(Some).collect();
                self.indexed(&names, expr.span, |walk| {
                    walk.exprs(&node.indices);
                });
            }
            ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Char(_) | ExprKind::Str(_) | ExprKind::Bool(_) => {}
            ExprKind::Continue { .. } | ExprKind::Asm(_) | ExprKind::Error => {}
        }
        None
    }

    /// Walks what stands in `span` with the variables of a loop or of a tensor access.
    fn indexed(&mut self, names: &[Option<ast::Ident>], span: Span, walk: impl FnOnce(&mut Self)) {
        self.scoped(span.hi as usize, |this| {
            for name in names.iter().flatten() {
                let id = this.declare(*name, name.span, DefKind::Index, span.range());
                this.bind(id);
            }
            walk(this);
        });
    }

    fn part(&mut self, name: ast::Ident, whole: Span, kind: DefKind, site: Span) {
        let id = self.declare(name, whole, kind, 0..0);
        self.defs[id].site = Some(site);
        self.defs[id].is_typed = true;
    }

    /// The name of a builtin with its `@`, where the call begins.
    fn builtin_name(&mut self, name: ast::Ident, call: Span) {
        self.used(name.name, Span { lo: call.lo, ..name.span }, UseKind::Builtin);
    }

    fn builtin(&mut self, name: ast::Ident, args: &[Expr], span: Span) {
        self.builtin_name(name, span);
        let linked = match name.name.as_str() {
            "import_module" => Some(0),
            "set_tile_code" => Some(2),
            _ => None,
        };
        let mut link = None;
        let mut names = Vec::with_capacity(args.len());
        for (argument, arg) in args.iter().enumerate() {
            if let ExprKind::Str(bytes) = &arg.kind {
                let text = String::from_utf8_lossy(bytes).into_owned();
                if linked == Some(argument) {
                    link = Some(self.links.len());
                    self.links.push(Link { name: text.clone(), span: arg.span, is_open: true });
                }
                self.strings.push(Named { builtin: name.name, text, span: arg.span });
            }
            names.push(match link {
                Some(link) if linked.is_some_and(|at| argument == at + 1) => {
                    self.bindings(arg, link);
                    None
                }
                _ if CONVERTING.contains(&name.name.as_str()) => self.expr(arg),
                _ => self.option(arg),
            });
        }
        self.builtins.push(BuiltinCall { name: name.name, span, args: names });
    }

    /// Walks an argument of a builtin: a struct without a type holds options there.
    fn option(&mut self, expr: &Expr) -> Option<UseId> {
        let ExprKind::StructInit { ty: None, fields } = &expr.kind else { return self.expr(expr) };
        for field in fields {
            self.used(field.name.name, field.name.span, UseKind::Option);
            self.option(&field.value);
        }
        None
    }

    /// Walks the params that a link is given.
    fn bindings(&mut self, expr: &Expr, link: usize) {
        match &expr.kind {
            ExprKind::StructInit { ty: None, fields } => {
                for field in fields {
                    self.used(field.name.name, field.name.span, UseKind::Binding { link });
                    self.expr(&field.value);
                }
            }
            ExprKind::Builtin { name, args } if name.name.as_str() == "concat_structs" => {
                self.builtin_name(*name, expr.span);
                args.iter().for_each(|arg| self.bindings(arg, link));
            }
            ExprKind::Tuple(elems) if elems.is_empty() => {}
            _ => {
                self.links[link].is_open = false;
                self.expr(expr);
            }
        }
    }
}

/// Builtins that make values of structs that are given to them.
const CONVERTING: &[&str] = &["as", "bitcast", "concat_structs", "constants", "comptime_print", "type_of"];

/// Whether a value is an import, or a choice among some.
fn is_import(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Builtin { name, .. } => name.name.as_str() == "import_module",
        ExprKind::If(node) => is_import(&node.then) || node.otherwise.as_ref().is_some_and(is_import),
        ExprKind::Switch(node) => node.arms.iter().any(|arm| is_import(&arm.body)),
        ExprKind::Comptime(inner) => is_import(inner),
        _ => false,
    }
}
