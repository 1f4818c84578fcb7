//! Prints declarations.

use super::Printer;
use super::expr::{ANY, TYPE};
use crate::ast::*;

impl Printer {
    pub(super) fn item(&mut self, item: &Item) {
        match item {
            Item::Var(var) => self.var(var),
            Item::Fn(function) => self.function(function),
            Item::Comptime(block) => self.headed("comptime ", block),
            Item::Layout(block) => self.headed("layout ", block),
            Item::Error(_) => self.put("// a stretch that did not parse"),
        }
    }

    fn headed(&mut self, head: &str, block: &Block) {
        self.put(head);
        self.block(block);
    }

    pub(super) fn var(&mut self, var: &VarDecl) {
        self.put(storage(var.storage));
        self.put(if var.is_comptime { "comptime " } else { "" });
        self.put(match var.kind {
            VarKind::Const => "const ",
            VarKind::Var => "var ",
            VarKind::Param => "param ",
        });
        self.put(var.name.name.as_str());
        if let Some(ty) = &var.ty {
            self.put(": ");
            self.expr(ty, TYPE);
        }
        self.attribute("align", &var.align);
        self.attribute("linksection", &var.linksection);
        self.attribute("linkname", &var.linkname);
        if let Some(init) = &var.init {
            self.put(" = ");
            self.expr(init, ANY);
        }
        self.put(";");
    }

    fn attribute(&mut self, name: &str, value: &Option<Expr>) {
        if let Some(value) = value {
            self.put(" ");
            self.put(name);
            self.put("(");
            self.expr(value, ANY);
            self.put(")");
        }
    }

    fn function(&mut self, function: &FnDecl) {
        self.put(storage(function.storage));
        self.put(match function.inlining {
            Inlining::Default => "",
            Inlining::Inline => "inline ",
            Inlining::NoInline => "noinline ",
        });
        self.put(fn_kind(function.kind));
        self.put(" ");
        self.put(function.name.name.as_str());
        self.params(&function.params);
        self.put(" ");
        self.expr(&function.ret, TYPE);
        self.attribute("linksection", &function.linksection);
        self.attribute("linkname", &function.linkname);
        match &function.body {
            Some(body) => self.headed(" ", body),
            None => self.put(";"),
        }
    }

    pub(super) fn params(&mut self, params: &[Param]) {
        self.put("(");
        self.list(params, Printer::param);
        self.put(")");
    }

    fn param(&mut self, param: &Param) {
        self.put(if param.is_comptime { "comptime " } else { "" });
        if let Some(name) = param.name {
            self.put(name.name.as_str());
            self.put(": ");
        }
        match &param.ty {
            Some(ty) => self.expr(ty, TYPE),
            None => self.put("anytype"),
        }
    }
}

fn storage(storage: Storage) -> &'static str {
    match storage {
        Storage::Default => "",
        Storage::Export => "export ",
        Storage::Extern => "extern ",
    }
}

pub(super) fn fn_kind(kind: FnKind) -> &'static str {
    match kind {
        FnKind::Fn => "fn",
        FnKind::Task => "task",
    }
}
