//! `export` and `extern`: which types may have them, and keeping what is exported.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{DsdKind, FnRef, FnTy, IdKind, ModuleRef, Packing, Ty, TypeKind};
use csl_num::FloatKind;
use csl_syntax::Symbol;
use csl_syntax::ast::{FnDecl, Inlining, Storage};

use crate::context::{Res, Sema, Stop};
use crate::unit::{GlobalItem, TopItem};

impl Sema<'_> {
    /// Exported declarations are part of the program whether it uses them or not.
    pub fn declare_exported(&mut self) -> Res<()> {
        let mut result = Ok(());
        for module in 0..self.unit.modules.len() {
            let module = ModuleRef::at(module);
            for name in self.exported_names(module) {
                result = self.declare_export(module, name).and(result);
            }
        }
        result
    }

    /// In the order of the file, so that a program is always numbered the same way.
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
        self.check_exported_fn(f)?;
        let span = self.fn_info(f).decl.name.span;
        self.instance(f, span).map(|_| ())
    }

    /// A function with a storage class has a type that other objects know.
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

    /// "Export-compatible" in the words of the guide.
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
}

/// Whether the parser had nothing to say against exporting it.
fn is_whole(decl: &FnDecl) -> bool {
    decl.body.is_some() && decl.inlining != Inlining::Inline
}
