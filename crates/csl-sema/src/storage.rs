//! Gives memory to values of a program: variables, and constants whose address is taken.

use csl_diag::Span;
use csl_ir::{GlobalId, GlobalRef, ModuleRef, Pointer, PtrRoot, Ty, TypedValue, Value};
use csl_syntax::ast::{Expr, ExprKind, Storage};

use crate::context::{Binding, Res, Sema};
use crate::operand::{Operand, Place, PlaceKind};
use crate::unit::{GlobalInfo, GlobalItem, State};

impl Sema<'_> {
    pub fn new_global(&mut self, info: GlobalInfo) -> GlobalRef {
        self.unit.globals.push(info);
        GlobalRef::at(self.unit.globals.len() - 1)
    }

    /// The global's number in the program; its first use adds it there.
    pub fn global_id(&mut self, global: GlobalRef) -> GlobalId {
        let info = &mut self.unit.globals[global];
        if let Some(id) = info.id {
            return id;
        }
        let id = GlobalId::at(self.unit.out_globals.len());
        info.id = Some(id);
        self.unit.out_globals.push(None);
        id
    }

    /// A constant in memory; equal constants are stored once.
    pub fn materialize(&mut self, value: TypedValue, span: Span) -> GlobalRef {
        if let Some(&global) = self.unit.materialized.get(&value) {
            return global;
        }
        let name = format!("const.{}", self.unit.materialized.len());
        let global = self.new_global(GlobalInfo {
            name,
            ty: value.ty,
            init: Some(value.clone()),
            is_busy: false,
            is_const: true,
            storage: Storage::Default,
            align: None,
            has_link_name: false,
            linksection: None,
            span,
            is_hidden: true,
            id: None,
        });
        self.unit.materialized.insert(value, global);
        global
    }

    /// The place of a named constant whose address is taken for the first time.
    pub fn stored_const(&mut self, expr: &Expr) -> Res<Option<Place>> {
        match &expr.kind {
            ExprKind::Name(name) => match self.find_local(*name) {
                Some(Binding::Const(Operand::Const(value))) if self.has_memory(value.ty) => {
                    let ty = value.ty;
                    let global = self.materialize(value, expr.span);
                    Ok(Some(global_place(global, ty)))
                }
                Some(_) => Ok(None),
                None => {
                    let module = self.frame.module;
                    self.stored_item(module, *name, expr.span)
                }
            },
            ExprKind::Field { base, name } => match self.eval_place(base)?.kind {
                PlaceKind::Value(Operand::Const(TypedValue { value: Value::Module(module), .. })) => {
                    self.stored_item(module, name.name, expr.span)
                }
                _ => self.stored_part(expr),
            },
            ExprKind::Index { .. } => self.stored_part(expr),
            _ => Ok(None),
        }
    }

    /// A field or element of a named constant.
    fn stored_part(&mut self, expr: &Expr) -> Res<Option<Place>> {
        let (ExprKind::Field { base, .. } | ExprKind::Index { base, .. }) = &expr.kind else { return Ok(None) };
        if self.stored_const(base)?.is_none() {
            return Ok(None);
        }
        // The constant has memory now, so that a second evaluation yields its place.
        self.eval_place(expr).map(Some)
    }

    fn stored_item(&mut self, module: ModuleRef, name: csl_syntax::Symbol, span: Span) -> Res<Option<Place>> {
        match self.lookup_item(module, name)? {
            Some(GlobalItem::Const { value, global: None }) if self.has_memory(value.ty) => {
                let info = GlobalInfo {
                    name: self.symbol_name(module, name.as_str()),
                    ty: value.ty,
                    init: Some(value.clone()),
                    is_busy: false,
                    is_const: true,
                    storage: Storage::Default,
                    align: None,
                    has_link_name: false,
                    linksection: None,
                    span,
                    is_hidden: false,
                    id: None,
                };
                let ty = value.ty;
                let global = self.new_global(info);
                self.set_state(module, name, State::Done(GlobalItem::Const { value, global: Some(global) }));
                Ok(Some(global_place(global, ty)))
            }
            Some(item @ (GlobalItem::Const { global: Some(_), .. } | GlobalItem::Var(_))) => {
                self.item_place(item, span).map(Some)
            }
            _ => Ok(None),
        }
    }

    pub fn has_memory(&self, ty: Ty) -> bool {
        !self.is_comptime_only(ty) && csl_ir::size_of(&self.types, ty).is_some()
    }
}

fn global_place(global: GlobalRef, ty: Ty) -> Place {
    let pointer = Pointer { root: PtrRoot::Global(global), root_ty: ty, path: Vec::new() };
    Place { ty, is_const: true, kind: PlaceKind::Ptr(pointer) }
}
