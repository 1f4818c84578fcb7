//! Declarations at the top level of a module: params, constants and variables.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic};
use csl_ir::{GlobalRef, ModuleRef, Ty, TypeKind, TypedValue, Value};
use csl_syntax::ast::{Expr, Storage, VarDecl, VarKind};

use crate::context::{Frame, Res, Sema, Stop};
use crate::unit::{GlobalInfo, GlobalItem, ItemState, State, TopItem};

/// The number that published programs write as the color of an absent stream; no chip has such a color.
pub(crate) const UNUSED_COLOR: u32 = 32;

impl Sema<'_> {
    /// Evaluates a declaration at the top level of a module.
    pub fn declare_global(&mut self, module: ModuleRef, decl: &VarDecl) -> Res<GlobalItem> {
        let ty = decl.ty.as_ref().map(|ty| self.eval_type(ty)).transpose()?;
        match decl.kind {
            VarKind::Param => self.declare_param(module, decl, ty),
            VarKind::Const if decl.storage == Storage::Default && !has_attributes(decl) => {
                self.make_addressable(module, decl, ty);
                let value = self.initial_value(decl, ty)?;
                self.name_module(module, decl, &value);
                let global = self.placed(module, decl);
                if let Some(global) = global {
                    self.end_initial(global, Some(value.clone()));
                }
                Ok(GlobalItem::Const { value, global })
            }
            _ => self.declare_variable(module, decl, ty),
        }
    }

    /// Names a module: symbols of an imported module are called after the constant that it was first bound to.
    fn name_module(&mut self, importer: ModuleRef, decl: &VarDecl, value: &TypedValue) {
        if let Value::Module(module) = value.value
            && self.unit.modules[module].prefix.is_empty()
        {
            let prefix = format!("{}.", self.symbol_name(importer, decl.name.name.as_str()));
            self.unit.modules[module].prefix = prefix;
        }
    }

    fn declare_param(&mut self, module: ModuleRef, decl: &VarDecl, ty: Option<Ty>) -> Res<GlobalItem> {
        let bound = self.unit.modules[module].params.get(&decl.name.name).cloned();
        let value = match (bound, ty) {
            (Some(value), Some(ty)) => self.param_value(module, value, ty, decl)?,
            (Some(value), None) => value,
            (None, _) if decl.init.is_some() => self.initial_value(decl, ty)?,
            (None, _) => return Err(self.unbound_param(module, decl)),
        };
        Ok(GlobalItem::Const { value, global: None })
    }

    fn unbound_param(&mut self, module: ModuleRef, decl: &VarDecl) -> Stop {
        let message = format!("param `{}` has no value", decl.name.name);
        let diagnostic = Diagnostic::new(Code::UnboundParam, decl.name.span, message);
        self.fail(match self.unit.modules[module].asked_at {
            Some(span) => diagnostic
                .secondary(span, "nothing is bound to it here")
                .help(format!("add `.{} = ...` to the struct of params", decl.name.name)),
            None => {
                let (option, value) = if decl.is_of_color() { ("--colors", "ID") } else { ("--params", "VALUE") };
                diagnostic.help(format!("give it on the command line: {option}={}:{value}", decl.name.name))
            }
        })
    }

    fn param_value(&mut self, module: ModuleRef, value: TypedValue, ty: Ty, decl: &VarDecl) -> Res<TypedValue> {
        // Colors and their numbers: tile params of published programs bind one to the other.
        let both_ids = |a: Ty, b: Ty| a == Ty::COLOR && matches!(self.types.kind(b), TypeKind::Int { .. });
        if both_ids(ty, value.ty) || both_ids(value.ty, ty) {
            return Ok(TypedValue::new(ty, value.value));
        }
        // An unused stream of memcpy is void; programs up to SDK 1.2 pass it on as a color and test its number.
        if ty == Ty::COLOR && value.ty == Ty::VOID {
            return Ok(TypedValue::int(ty, UNUSED_COLOR));
        }
        let (result, why) = self.apart(|s| s.coerce_const(value.clone(), ty, decl.name.span));
        result.map_err(|_| {
            let given = crate::value::show(&self.types, &value);
            let message = format!("param `{}` cannot have the value {given}", decl.name.name);
            let label = format!("declared with type `{}`", self.show(ty));
            let mut diagnostic = Diagnostic::new(Code::BadParamValue, decl.name.span, message).label(label);
            if let Some(span) = self.unit.modules[module].asked_at {
                let text = format!("given a value of type `{}` here", self.show(value.ty));
                diagnostic = diagnostic.secondary(span, text);
            }
            diagnostic.notes.extend(why.iter().map(|d| d.message.clone()));
            self.fail(diagnostic)
        })
    }

    /// Checks the values that are bound to params which nothing has read, as far as the declared types can be evaluated.
    pub fn check_unread_params(&mut self) -> Res<()> {
        let mut unread: Vec<(ModuleRef, Arc<VarDecl>, TypedValue)> = Vec::new();
        for (number, module) in self.unit.modules.iter().enumerate().filter(|(_, module)| !module.file.is_library) {
            for (name, value) in &module.params {
                let item = module.items.get(name);
                if let Some(ItemState { item: TopItem::Var(decl), state: State::Pending }) = item {
                    unread.push((ModuleRef::at(number), decl.clone(), value.clone()));
                }
            }
        }
        unread.sort_by_key(|(module, decl, _)| (*module, decl.span.lo));
        let mut result = Ok(());
        for (module, decl, value) in unread {
            let Some(ty) = &decl.ty else { continue };
            let kept = self.unit.failed.len();
            let frame = Frame::top_level(module);
            let (ty, _) = self.apart(|s| s.in_frame(frame, |s| s.eval_type(ty)));
            self.forget_failed(kept);
            if let Ok(ty) = ty {
                let value = self.in_frame(Frame::top_level(module), |s| s.param_value(module, value, ty, &decl));
                result = result.and(value.map(|_| ()));
            }
        }
        result
    }

    fn initial_value(&mut self, decl: &VarDecl, ty: Option<Ty>) -> Res<TypedValue> {
        let Some(init) = &decl.init else {
            let message = format!("constant `{}` needs an initial value", decl.name.name);
            return Err(self.error(Code::BadType, decl.name.span, message));
        };
        let value = match ty {
            Some(ty) => self.eval_const_as(init, ty)?,
            None => self.eval_const(init)?,
        };
        if let Value::Type(ty) = value.value {
            self.types.name_aggregate(ty, decl.name.name.as_str());
        }
        Ok(value)
    }

    fn declare_variable(&mut self, module: ModuleRef, decl: &VarDecl, ty: Option<Ty>) -> Res<GlobalItem> {
        if decl.storage == Storage::Extern && decl.init.is_some() {
            return Err(self.error(
                Code::BadExport,
                decl.span,
                "an extern declaration must not initialise the variable",
            ));
        }
        let value = match &decl.init {
            Some(_) => {
                self.make_addressable(module, decl, ty);
                Some(self.initial_value(decl, ty)?)
            }
            None => None,
        };
        let Some(ty) = ty.or(value.as_ref().map(|v| v.ty)) else {
            return Err(self.error(
                Code::BadType,
                decl.name.span,
                format!("`{}` needs a type or an initial value", decl.name.name),
            ));
        };
        // A value without memory can only be a comptime-known variable that nothing changes.
        if self.is_comptime_only(ty) || csl_ir::size_of(&self.types, ty).is_none() {
            return self.comptime_global(decl, ty, value);
        }
        if decl.storage != Storage::Default && !self.is_exportable(ty) {
            return Err(self.not_exportable(ty, decl.name.span));
        }
        if let Some(global) = self.placed(module, decl) {
            self.end_initial(global, value);
            return Ok(GlobalItem::Var(global));
        }
        let info = self.global_info(module, decl, ty, value)?;
        let global = self.link(info, decl)?;
        Ok(GlobalItem::Var(global))
    }

    /// Before the initial value of a declaration is evaluated: from here on its address can be taken, if its type is declared. So
    /// two variables may point at each other, and one at itself.
    fn make_addressable(&mut self, module: ModuleRef, decl: &VarDecl, ty: Option<Ty>) {
        if let Some(ty) = ty.filter(|&ty| self.has_memory(ty)) {
            self.set_state(module, decl.name.name, State::Typed(ty));
        }
    }

    /// The memory of a declaration whose initial value is still under evaluation.
    pub fn place_early(&mut self, module: ModuleRef, decl: &VarDecl, ty: Ty) -> Res<GlobalRef> {
        // Its link name and alignment are looked at now, and may lead back here.
        self.set_state(module, decl.name.name, State::Busy);
        let info = self.in_frame(Frame::top_level(module), |s| s.global_info(module, decl, ty, None))?;
        let global = self.link(GlobalInfo { init: None, is_busy: true, ..info }, decl)?;
        self.set_state(module, decl.name.name, State::Placed(global));
        Ok(global)
    }

    fn placed(&self, module: ModuleRef, decl: &VarDecl) -> Option<GlobalRef> {
        match self.unit.modules[module].items.get(&decl.name.name)?.state {
            State::Placed(global) => Some(global),
            _ => None,
        }
    }

    fn end_initial(&mut self, global: GlobalRef, value: Option<TypedValue>) {
        let info = &mut self.unit.globals[global];
        (info.init, info.is_busy) = (value, false);
    }

    fn comptime_global(&mut self, decl: &VarDecl, ty: Ty, value: Option<TypedValue>) -> Res<GlobalItem> {
        self.warn_no_symbol(decl, "a value that has no place in memory", "leave the attribute out");
        match value {
            Some(value) if decl.kind == VarKind::Const => Ok(GlobalItem::Const { value, global: None }),
            _ => Err(self.comptime_only(ty, decl.name.span)),
        }
    }

    fn global_info(&mut self, module: ModuleRef, decl: &VarDecl, ty: Ty, init: Option<TypedValue>) -> Res<GlobalInfo> {
        let name = match &decl.linkname {
            Some(expr) => self.eval_string(expr)?,
            None if decl.storage != Storage::Default => decl.name.name.as_str().to_string(),
            None => self.symbol_name(module, decl.name.name.as_str()),
        };
        let align = decl.align.as_ref().map(|e| self.eval_align(e)).transpose()?;
        let linksection = decl.linksection.as_ref().map(|e| self.eval_string(e)).transpose()?;
        let init = init.or_else(|| (decl.storage != Storage::Extern).then(|| TypedValue::new(ty, Value::Undef)));
        Ok(GlobalInfo {
            name,
            ty,
            init,
            is_busy: false,
            is_const: decl.kind == VarKind::Const,
            storage: decl.storage,
            has_link_name: decl.linkname.is_some(),
            align,
            linksection,
            span: decl.name.span,
            is_hidden: false,
            id: None,
        })
    }

    /// The text of a comptime-known string.
    pub fn eval_string(&mut self, expr: &Expr) -> Res<String> {
        let value = self.eval_const_as(expr, Ty::COMPTIME_STRING)?;
        match value.value {
            Value::Str(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Err(self.error(Code::BadOperand, expr.span, "this string has no value")),
        }
    }

    pub fn eval_align(&mut self, expr: &Expr) -> Res<u32> {
        let value = self.eval_const(expr)?;
        match crate::value::u64_of(&value).and_then(|n| u32::try_from(n).ok()) {
            Some(align) if align.is_power_of_two() && align <= 32768 => Ok(align),
            _ => Err(self.error(Code::BadType, expr.span, "an alignment is a power of two, in bytes")),
        }
    }
}

fn has_attributes(decl: &VarDecl) -> bool {
    decl.align.is_some() || decl.linksection.is_some() || decl.linkname.is_some()
}
