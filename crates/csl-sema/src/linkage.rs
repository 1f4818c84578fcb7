//! `export` and `extern`: the types that may have them, the declarations of one symbol, and the exports that a program
//! keeps.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{DsdKind, FnRef, FnTy, FuncId, GlobalRef, IdKind, ModuleRef, Packing, Ty, TypeKind};
use csl_num::FloatKind;
use csl_syntax::Symbol;
use csl_syntax::ast::{FnDecl, Inlining, Storage, VarDecl};
use rustc_hash::FxHashMap;

use crate::context::{Frame, Res, Sema, Stop};
use crate::unit::{GlobalInfo, GlobalItem, InstanceKey, TopItem};

impl Sema<'_> {
    /// Declares exports: they are part of the program whether it uses them or not.
    pub fn declare_exported(&mut self) -> Res<()> {
        let mut result = Ok(());
        for module in 0..self.unit.modules.len() {
            let module = ModuleRef::at(module);
            for name in self.exported_names(module) {
                result = self.declare_export(module, name).and(result);
            }
        }
        let mut by_builtin: Vec<FnRef> = self.unit.exported_fns.values().copied().collect();
        by_builtin.sort_unstable_by_key(|&f| self.fn_info(f).decl.name.span);
        for f in by_builtin {
            result = self.declare_exported_fn(f).and(result);
        }
        result
    }

    /// The exported names in the order of the file, so that a program is always numbered the same way.
    fn exported_names(&self, module: ModuleRef) -> Vec<Symbol> {
        let items = self.unit.modules[module].items.values();
        let mut names: Vec<(Span, Symbol)> = items
            .filter_map(|state| match &state.item {
                TopItem::Var(decl) if decl.storage == Storage::Export => Some((decl.span, decl.name.name)),
                TopItem::Fn(decl) if decl.storage == Storage::Export && is_whole(decl) => {
                    Some((decl.span, decl.name.name))
                }
                _ => None,
            })
            .collect();
        names.sort_by_key(|(span, _)| span.lo);
        names.into_iter().map(|n| n.1).collect()
    }

    fn declare_export(&mut self, module: ModuleRef, name: Symbol) -> Res<()> {
        let Some(GlobalItem::Fn(f)) = self.lookup_item(module, name)? else { return Ok(()) };
        self.declare_exported_fn(f)
    }

    fn declare_exported_fn(&mut self, f: FnRef) -> Res<()> {
        self.check_exported_fn(f)?;
        let span = self.fn_info(f).decl.name.span;
        self.instance(f, span).map(|_| ())
    }

    /// Checks a function with a storage class: other objects must know its type.
    pub fn check_exported_fn(&mut self, f: FnRef) -> Res<()> {
        let decl: Arc<FnDecl> = self.fn_info(f).decl.clone();
        let ty = self.fn_type(f)?;
        if self.is_exportable_fn(ty) {
            return Ok(());
        }
        Err(self.not_exportable(ty, decl.name.span))
    }

    pub fn not_exportable(&mut self, ty: Ty, span: Span) -> Stop {
        let message = format!("a declaration of type `{}` cannot be exported", self.show(ty));
        let note = "exported are 16-bit and 32-bit numbers, bool, color, DSDs, enums on such integers, extern structs, \
                    packed structs of 16 or 32 bits, and arrays of and pointers to these";
        self.fail(Diagnostic::new(Code::BadExport, span, message).note(note))
    }

    fn is_exportable_fn(&self, ty: Ty) -> bool {
        let TypeKind::Fn(FnTy { params, ret, is_generic, .. }) = self.types.kind(ty) else { return false };
        let fits = |&ty: &Ty| self.is_exportable(ty);
        !is_generic && params.iter().all(fits) && (*ret == Ty::VOID || fits(ret))
    }

    /// Whether a type is "export-compatible", in the words of the guide.
    pub fn is_exportable(&self, ty: Ty) -> bool {
        match self.types.kind(ty) {
            TypeKind::Int { bits, .. } => matches!(bits, 16 | 32),
            TypeKind::Float(kind) => *kind == FloatKind::F32 || *kind == self.options.fp16,
            TypeKind::Bool | TypeKind::Id(IdKind::Color) => true,
            TypeKind::Dsd(kind) => *kind != DsdKind::Fifo,
            TypeKind::Enum { base, .. } => self.is_exportable(*base),
            TypeKind::Array { elem, .. } => self.is_exportable(*elem),
            TypeKind::Ptr { is_const, elem, .. } => match self.types.kind(*elem) {
                TypeKind::Fn(_) => *is_const && self.is_exportable_fn(*elem),
                _ => self.is_exportable(*elem),
            },
            TypeKind::Struct { packing, .. } | TypeKind::Union { packing, .. } => match packing {
                Packing::Default => false,
                Packing::Extern => true,
                Packing::Packed => matches!(csl_ir::bits_of(&self.types, ty), Some(16 | 32)),
            },
            _ => false,
        }
    }

    /// The instance of an `extern fn`: the function of the program that is exported under its name.
    pub fn extern_instance(&mut self, f: FnRef, decl: &FnDecl, key: InstanceKey, span: Span) -> Res<FuncId> {
        let name = self.link_name(f, decl)?;
        let found = self.exported_fn(&name)?;
        let Some(target) = found else {
            let diagnostic = Diagnostic::new(Code::BadSection, span, format!("no function is exported as `{name}`"));
            return Err(self.fail(diagnostic.secondary(decl.name.span, "declared extern here")));
        };
        let id = self.instance(target, span)?;
        self.unit.instances.insert(key, id);
        Ok(id)
    }

    pub fn link_name(&mut self, f: FnRef, decl: &FnDecl) -> Res<String> {
        let Some(expr) = &decl.linkname else { return Ok(decl.name.name.as_str().to_string()) };
        let module = self.fn_info(f).module;
        self.in_frame(Frame::top_level(module), |s| s.eval_string(expr))
    }

    pub fn exported_fn(&mut self, name: &str) -> Res<Option<FnRef>> {
        if let Some(&f) = self.unit.exported_fns.get(name) {
            return Ok(Some(f));
        }
        let candidates: Vec<(ModuleRef, Arc<FnDecl>)> = self
            .unit
            .modules
            .iter()
            .enumerate()
            .flat_map(|(m, module)| {
                module.items.values().filter_map(move |i| match &i.item {
                    TopItem::Fn(decl) if decl.storage == Storage::Export => Some((ModuleRef::at(m), decl.clone())),
                    _ => None,
                })
            })
            .collect();
        for (module, decl) in candidates {
            let Some(GlobalItem::Fn(f)) = self.lookup_item(module, decl.name.name)? else { continue };
            if self.link_name(f, &decl)? == name {
                return Ok(Some(f));
            }
        }
        Ok(None)
    }

    /// Joins `export` and `extern` declarations of one symbol.
    pub fn link(&mut self, info: GlobalInfo, decl: &VarDecl) -> Res<GlobalRef> {
        self.check_plain_name(&info, decl)?;
        if info.storage == Storage::Default {
            return Ok(self.new_global(info));
        }
        let Some(&known) = self.unit.linked.get(&info.name) else {
            let name = info.name.clone();
            let global = self.new_global(info);
            self.unit.linked.insert(name, global);
            return Ok(global);
        };
        let other = &mut self.unit.globals[known];
        let (both_export, other_span) =
            (other.storage == Storage::Export && info.storage == Storage::Export, other.span);
        if other.ty != info.ty || other.is_const != info.is_const || both_export {
            let what = if both_export { "exported twice" } else { "declared with different types" };
            let diagnostic =
                Diagnostic::new(Code::BadExport, decl.name.span, format!("symbol `{}` is {what}", info.name));
            return Err(self.fail(diagnostic.secondary(other_span, "also here")));
        }
        if info.storage == Storage::Export {
            let id = other.id;
            *other = GlobalInfo { id, ..info };
        }
        Ok(known)
    }

    /// Warns of variables that share a symbol by a link name, and of functions that are exported under one. The rest of `export`
    /// and `extern` variables is an error where they are linked.
    pub fn warn_shared_symbols(&mut self) -> Res<Vec<Diagnostic>> {
        // Each with its place, and whether it is named by the program: names of the others are the compiler's.
        let globals = self.unit.globals.iter().filter(|info| !info.is_hidden);
        let variables = globals.map(|info| {
            let is_named = info.has_link_name || info.storage != Storage::Default;
            (info.span, info.name.clone(), is_named)
        });
        let mut warnings = shared(variables.collect(), Kind::Variable);
        let mut fns: Vec<FnRef> = self.unit.instances.keys().map(|(f, _)| *f).collect();
        fns.sort_unstable();
        fns.dedup();
        // Tools show functions by the names of the source: only exports are joined by their symbols.
        let mut exported = Vec::new();
        for f in fns {
            let decl = self.fn_info(f).decl.clone();
            if decl.storage == Storage::Export {
                exported.push((decl.name.span, self.link_name(f, &decl)?, true));
            }
        }
        warnings.extend(shared(exported, Kind::Function));
        Ok(warnings)
    }

    /// Warns of a link name or section of something without a symbol.
    pub fn warn_no_symbol(&mut self, decl: &VarDecl, what: &str, help: &str) {
        let named = [("linkname", &decl.linkname), ("linksection", &decl.linksection)];
        for (attribute, expr) in named.iter().filter_map(|(attribute, expr)| Some((attribute, expr.as_ref()?))) {
            // A generic function is analysed for each of its types.
            if !self.unit.told_attributes.insert(expr.span) {
                continue;
            }
            let message = format!("this {attribute} has no effect: `{}` is {what}", decl.name.name);
            self.report(Diagnostic::new(Code::NoSymbol, expr.span, message).help(help));
        }
    }

    /// Checks that a declaration with a storage class does not share its symbol with one that has a link name only.
    fn check_plain_name(&mut self, info: &GlobalInfo, decl: &VarDecl) -> Res<()> {
        let other = if info.storage != Storage::Default {
            self.unit.plain_names.get(&info.name).copied()
        } else if decl.linkname.is_some() {
            self.unit.plain_names.insert(info.name.clone(), info.span);
            self.unit.linked.get(&info.name).map(|&other| self.unit.globals[other].span)
        } else {
            None
        };
        let Some(other) = other else { return Ok(()) };
        let message = format!("symbol `{}` is declared both with and without a storage class", info.name);
        Err(self.fail(Diagnostic::new(Code::BadExport, info.span, message).secondary(other, "also here")))
    }
}

/// What shares a symbol.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Variable,
    Function,
}

/// The warnings of symbols that two declarations have, of which the program has named one at least.
fn shared(mut symbols: Vec<(Span, String, bool)>, kind: Kind) -> Vec<Diagnostic> {
    symbols.sort();
    let mut known: FxHashMap<String, (Span, bool)> = FxHashMap::default();
    let mut warnings = Vec::new();
    for (span, name, is_named) in symbols {
        match known.get(&name) {
            Some(&(first, was_named)) if is_named || was_named => {
                warnings.push(shared_symbol(&name, kind, first, span));
            }
            Some(_) => {}
            None => drop(known.insert(name, (span, is_named))),
        }
    }
    warnings
}

fn shared_symbol(name: &str, kind: Kind, first: Span, second: Span) -> Diagnostic {
    let (message, note) = match kind {
        Kind::Variable => (
            format!("`{name}` is the symbol of two variables"),
            "a tool that looks for the symbol finds one of the two",
        ),
        Kind::Function => (
            format!("two functions are exported as `{name}`"),
            "the guide allows one export of a name; a function that is declared extern is joined with one of the two",
        ),
    };
    let diagnostic = Diagnostic::new(Code::SharedSymbol, second, message).note(note);
    match first == second {
        true => diagnostic
            .note("the file is imported more than once, and each import has its own")
            .help("make the name a param, and pass a different one to each import: `linkname(name)`"),
        false => diagnostic.secondary(first, "the other is here").help("give one of them another link name"),
    }
}

/// Whether the parser has reported no error in a function.
fn is_whole(decl: &FnDecl) -> bool {
    decl.body.is_some() && decl.inlining != Inlining::Inline
}
