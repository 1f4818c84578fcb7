//! Calls: at comptime, expanded inline, or emitted; and the instances of functions.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Callee, FnRef, FnTy, FuncId, Inst, Opnd, Pointer, PtrRoot, Scalar, Ty, TypeKind, TypedValue, Value};
use csl_syntax::Symbol;
use csl_syntax::ast::{self, Expr, ExprKind, FnDecl, FnKind, Inlining, Param};

use crate::context::{Binding, Frame, Mode, Res, Scope, Sema, Stop, TargetBlocks};
use crate::emit::FuncBuilder;
use crate::operand::{Operand, Place, PlaceKind};
use crate::unit::{FnInfo, InstanceKey, PendingFn};

/// Results of comptime calls that are kept.
const MOST_MEMOISED: usize = 1 << 16;

/// Functions of one program, instances of generic ones included.
const MOST_FUNCTIONS: usize = 1 << 14;

/// How a parameter of an instance is bound.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamBinding {
    Comptime(TypedValue),
    Runtime(Ty),
}

/// Arguments of a call, evaluated or not.
pub enum Args<'e> {
    Exprs(&'e [Expr]),
    Values(Vec<Operand>),
}

impl Args<'_> {
    fn len(&self) -> usize {
        match self {
            Args::Exprs(exprs) => exprs.len(),
            Args::Values(values) => values.len(),
        }
    }
}

/// A call whose arguments have met the parameters.
struct Bound {
    args: Vec<Operand>,
    params: Vec<ParamBinding>,
    ret: Ty,
}

impl Sema<'_> {
    pub fn fn_info(&self, f: FnRef) -> &FnInfo {
        &self.unit.fns[f]
    }

    pub fn eval_call(&mut self, callee: &Expr, args: &[Expr], span: Span) -> Res<Operand> {
        let callee_value = self.eval(callee)?;
        self.call_with(callee_value, Args::Exprs(args), span, callee.span)
    }

    pub fn call(&mut self, callee: Operand, args: Vec<Operand>, span: Span) -> Res<Operand> {
        self.call_with(callee, Args::Values(args), span, span)
    }

    fn call_with(&mut self, callee: Operand, args: Args<'_>, span: Span, callee_span: Span) -> Res<Operand> {
        match &callee {
            Operand::Const(TypedValue { value: Value::Fn(f), .. }) => self.call_fn(*f, args, span),
            Operand::Const(TypedValue { value: Value::Ptr(Pointer { root: PtrRoot::Fn(f), .. }), .. }) => {
                self.call_fn(*f, args, span)
            }
            _ => match self.pointed_fn(callee.ty()) {
                Some(ty) => self.call_pointer(callee, ty, args, span),
                None => {
                    let shown = self.show(callee.ty());
                    Err(self.error(
                        Code::NotCallable,
                        callee_span,
                        format!("a value of type `{shown}` cannot be called"),
                    ))
                }
            },
        }
    }

    fn pointed_fn(&self, ty: Ty) -> Option<FnTy> {
        let TypeKind::Ptr { elem, .. } = self.types.kind(ty) else { return None };
        match self.types.kind(*elem) {
            TypeKind::Fn(ty) => Some(ty.clone()),
            _ => None,
        }
    }

    fn call_fn(&mut self, f: FnRef, args: Args<'_>, span: Span) -> Res<Operand> {
        let FnInfo { decl, .. } = self.fn_info(f).clone();
        if decl.kind == FnKind::Task {
            let diagnostic =
                Diagnostic::new(Code::NotCallable, span, format!("task `{}` cannot be called", decl.name.name));
            return Err(self.fail(diagnostic.help("bind it to an id and use @activate")));
        }
        if args.len() != decl.params.len() {
            return Err(self.argument_count(&decl, args.len(), span));
        }
        self.check_depth(span)?;
        let bound = self.bind_args(f, &decl, args, span)?;
        if self.is_comptime() {
            return self.comptime_call(f, &decl, bound, span);
        }
        if decl.inlining == Inlining::Inline {
            return self.inline_call(f, &decl, bound, span);
        }
        // A function whose result only exists at comptime runs there.
        if self.is_comptime_only(bound.ret) {
            return self.at_comptime(|s| s.comptime_call(f, &decl, bound, span));
        }
        self.runtime_call(f, bound, span)
    }

    /// Calls nest in frames where the compiler executes or expands them itself.
    fn check_depth(&mut self, span: Span) -> Res<()> {
        let limit = self.options.comptime_func_depth_limit;
        if self.frames.len() <= limit as usize {
            return Ok(());
        }
        let message = format!("comptime and inline calls are nested deeper than {limit}");
        let diagnostic = Diagnostic::new(Code::QuotaExceeded, span, message);
        Err(self.fail(diagnostic.help("raise the limit with --comptime-func-depth-limit")))
    }

    fn argument_count(&mut self, decl: &FnDecl, got: usize, span: Span) -> Stop {
        let count = decl.params.len();
        let plural = if count == 1 { "" } else { "s" };
        let message = format!("`{}` takes {count} argument{plural}, got {got}", decl.name.name);
        self.fail(Diagnostic::new(Code::ArgumentCount, span, message).secondary(decl.name.span, "declared here"))
    }

    /// Evaluates parameter types and arguments from left to right; later types may name earlier parameters.
    fn bind_args(&mut self, f: FnRef, decl: &Arc<FnDecl>, args: Args<'_>, span: Span) -> Res<Bound> {
        let is_inline = decl.inlining == Inlining::Inline;
        let mut frame = Frame::top_level(self.fn_info(f).module);
        let mut bound = Bound { args: Vec::new(), params: Vec::new(), ret: Ty::VOID };
        let mut values = match &args {
            Args::Values(values) => values.clone().into_iter(),
            Args::Exprs(_) => Vec::new().into_iter(),
        };
        for (index, param) in decl.params.iter().enumerate() {
            let ty = match &param.ty {
                Some(ty) => Some(self.type_in(&mut frame, ty)?),
                None => None,
            };
            let (arg, at) = match &args {
                Args::Exprs(exprs) => (self.eval_arg(&exprs[index], param, ty)?, exprs[index].span),
                Args::Values(_) => (values.next().ok_or(Stop::Error)?, span),
            };
            let arg = match ty {
                Some(ty) => self.labelled(param.span, |_| "for this parameter".into(), |s| s.coerce(arg, ty, at))?,
                None => arg,
            };
            let (binding, visible) = self.bind_param(param, arg.clone(), is_inline, at)?;
            if let (Some(name), Some(scope)) = (param.name, frame.scopes.last_mut()) {
                scope.names.push((name.name, Binding::Const(visible)));
            }
            bound.args.push(arg);
            bound.params.push(binding);
        }
        bound.ret = self.type_in(&mut frame, &decl.ret)?;
        Ok(bound)
    }

    fn eval_arg(&mut self, expr: &Expr, param: &Param, ty: Option<Ty>) -> Res<Operand> {
        match param.is_comptime {
            true => self.at_comptime(|s| s.eval_expecting(expr, ty)),
            false => self.eval_expecting(expr, ty),
        }
    }

    /// A type expression in the scope of the parameters before it.
    fn type_in(&mut self, frame: &mut Frame, expr: &Expr) -> Res<Ty> {
        let inner = std::mem::replace(frame, Frame::top_level(frame.module));
        self.frames.push(inner);
        let ty = self.eval_type(expr);
        if let Some(inner) = self.frames.pop() {
            *frame = inner;
        }
        ty
    }

    /// How the instance sees the argument, and how the types of later parameters see it.
    fn bind_param(&mut self, param: &Param, arg: Operand, is_inline: bool, span: Span) -> Res<(ParamBinding, Operand)> {
        let ty = arg.ty();
        let must_be_known = param.is_comptime || self.is_comptime_only(ty);
        match arg {
            Operand::Const(value) if must_be_known || is_inline || self.is_comptime() => {
                Ok((ParamBinding::Comptime(value.clone()), value.into()))
            }
            Operand::Const(value)
                if param.ty.is_none() && self.scalar(ty).is_none() && csl_ir::size_of(&self.types, ty).is_none() =>
            {
                Ok((ParamBinding::Comptime(value.clone()), value.into()))
            }
            _ if must_be_known && !is_inline => Err(self.not_comptime(span)),
            // Only its type may matter there.
            _ => Ok((ParamBinding::Runtime(ty), Operand::Reg(ty, Opnd::Imm(0)))),
        }
    }

    fn comptime_call(&mut self, f: FnRef, decl: &Arc<FnDecl>, bound: Bound, span: Span) -> Res<Operand> {
        let mut args = Vec::with_capacity(bound.args.len());
        for arg in bound.args {
            match arg {
                Operand::Const(value) => args.push(value),
                _ => return Err(self.not_comptime(span)),
            }
        }
        let Some(body) = decl.body.as_ref() else {
            return Err(self.error(
                Code::RuntimeOnly,
                span,
                format!("extern function `{}` cannot be called at comptime", decl.name.name),
            ));
        };
        let key = (f, args.clone());
        if let Some(known) = self.unit.memo.get(&key) {
            return Ok(known.clone().into());
        }
        self.count_step(span)?;
        let effects = self.effects;
        let names = decl.params.iter().filter_map(|p| p.name.map(|n| n.name));
        let names = names.zip(args).map(|(name, value)| (name, Binding::Const(value.into()))).collect();
        let result = self.traced(span, format!("`{}` called here at comptime", decl.name.name), |s| {
            s.run_comptime(f, names, bound.ret, body, span)
        })?;
        if self.effects == effects && !points_to_cells(&key.1) && !points_to_cells(std::slice::from_ref(&result)) {
            // A loop of calls with ever new arguments must not fill the memory.
            if self.unit.memo.len() >= MOST_MEMOISED {
                self.unit.memo.clear();
            }
            self.unit.memo.insert(key, result.clone());
        }
        Ok(result.into())
    }

    fn run_comptime(
        &mut self,
        f: FnRef,
        names: Vec<(Symbol, Binding)>,
        ret: Ty,
        body: &ast::Block,
        span: Span,
    ) -> Res<TypedValue> {
        let first_cell = self.unit.cells.len();
        let mut frame = Frame::top_level(self.fn_info(f).module);
        frame.scopes = vec![Scope { names, ..Scope::default() }];
        frame.ret_ty = Some(ret);
        self.frames.push(frame);
        let result = self.eval_stmts(body);
        let frame = self.frames.pop();
        self.unit.cells.truncate(first_cell);
        match (result, frame.and_then(|f| f.ret)) {
            (Err(Stop::Return), Some(Operand::Const(value))) => Ok(value),
            (Ok(()), _) if ret == Ty::VOID => Ok(TypedValue::void()),
            (Ok(()), _) => Err(self.missing_return(f, ret, span)),
            (Err(stop), _) => Err(stop),
        }
    }

    fn missing_return(&mut self, f: FnRef, ret: Ty, _span: Span) -> Stop {
        let decl = self.fn_info(f).decl.clone();
        let message = format!("`{}` can end without returning a value of type `{}`", decl.name.name, self.show(ret));
        let diagnostic = Diagnostic::new(Code::MissingReturn, decl.name.span, message);
        self.fail(diagnostic.help("every way through the function needs a `return`"))
    }

    /// Expands the body where it is called; comptime-known arguments stay known inside.
    fn inline_call(&mut self, f: FnRef, decl: &Arc<FnDecl>, bound: Bound, span: Span) -> Res<Operand> {
        let Some(body) = &decl.body else { return Err(Stop::Error) };
        self.count_step(span)?;
        let mut frame = Frame::top_level(self.fn_info(f).module);
        frame.mode = Mode::Runtime;
        frame.ret_ty = Some(bound.ret);
        frame.addressed = Arc::new(addressed_names(body));
        frame.inline_target = Some(0);
        frame.runtime_depth = self.frame().runtime_depth;
        let mut names = Vec::with_capacity(bound.args.len());
        for (param, arg) in decl.params.iter().zip(bound.args) {
            if let Some(name) = param.name {
                names.push((name.name, Binding::Const(self.pin(arg, span))));
            }
        }
        frame.scopes = vec![Scope { names, ..Scope::default() }];
        let (result, mut target) = self.in_frame(frame, |s| {
            s.push_target(None, false, Some(TargetBlocks { next: None, exit: None }), None);
            let result = s.traced(span, format!("`{}` expanded here", decl.name.name), |s| s.eval_stmts(body));
            (result, s.pop_target())
        });
        match result {
            Ok(()) if bound.ret != Ty::VOID => return Err(self.missing_return(f, bound.ret, span)),
            Ok(()) => {
                let end = self.builder().current();
                target.exits.push((end, Operand::void(), span));
            }
            Err(Stop::Diverged) => {}
            Err(stop) => return Err(stop),
        }
        self.join(target.exits, Some(bound.ret), span)
    }

    fn runtime_call(&mut self, f: FnRef, bound: Bound, span: Span) -> Res<Operand> {
        let func = self.instance_with(f, &bound.params, bound.ret, span)?;
        let runtime: Vec<Operand> = bound
            .args
            .into_iter()
            .zip(&bound.params)
            .filter(|(_, p)| matches!(p, ParamBinding::Runtime(ty) if *ty != Ty::VOID))
            .map(|(arg, _)| arg)
            .collect();
        self.emit_call(Callee::Direct(func), runtime, bound.ret, span)
    }

    fn call_pointer(&mut self, callee: Operand, ty: FnTy, args: Args<'_>, span: Span) -> Res<Operand> {
        if args.len() != ty.params.len() {
            let message = format!("the function takes {} argument(s), got {}", ty.params.len(), args.len());
            return Err(self.error(Code::ArgumentCount, span, message));
        }
        if self.is_comptime() {
            return Err(self.not_comptime(span));
        }
        let mut operands = Vec::with_capacity(args.len());
        for (index, &param) in ty.params.iter().enumerate() {
            operands.push(match &args {
                Args::Exprs(exprs) => self.eval_as(&exprs[index], param)?,
                Args::Values(values) => self.coerce(values[index].clone(), param, span)?,
            });
        }
        let pointer = self.opnd(&callee, span)?;
        self.emit_call(Callee::Indirect(pointer), operands, ty.ret, span)
    }

    fn emit_call(&mut self, callee: Callee, args: Vec<Operand>, ret: Ty, span: Span) -> Res<Operand> {
        let mut opnds = Vec::with_capacity(args.len() + 1);
        let result = match self.scalar(ret) {
            None if ret != Ty::VOID => {
                let place = self.temporary(ret, "");
                let addr = self.place_addr(&place, span)?;
                opnds.push(self.emit_lea(addr, span));
                Some(place)
            }
            _ => None,
        };
        for arg in args {
            opnds.push(match self.scalar(arg.ty()) {
                Some(_) => self.opnd(&arg, span)?,
                None => {
                    let addr = self.addr(&arg, span)?;
                    self.emit_lea(addr, span)
                }
            });
        }
        let dst = self.scalar(ret).map(|scalar| self.new_reg(scalar));
        self.emit(Inst::Call { dst, callee, args: opnds }, span);
        match (result, dst) {
            (Some(place), _) => self.load(place, span),
            (None, Some(reg)) => Ok(Operand::Reg(ret, Opnd::Reg(reg))),
            (None, None) => Ok(Operand::void()),
        }
    }

    /// The run-time instance of a function without comptime parameters.
    pub fn instance(&mut self, f: FnRef, span: Span) -> Res<FuncId> {
        self.check_addressable_fn(f, span)?;
        let decl = self.fn_info(f).decl.clone();
        let fn_ty = self.fn_type(f)?;
        let TypeKind::Fn(ty) = self.types.kind(fn_ty).clone() else { return Err(Stop::Error) };
        if ty.is_generic {
            let message = format!("generic function `{}` needs a call to make an instance", decl.name.name);
            return Err(self.error(Code::BadOperand, span, message));
        }
        let params: Vec<ParamBinding> = ty.params.iter().map(|&p| ParamBinding::Runtime(p)).collect();
        self.instance_with(f, &params, ty.ret, span)
    }

    /// Inline functions are only there where they are called.
    pub fn check_addressable_fn(&mut self, f: FnRef, span: Span) -> Res<()> {
        let decl = self.fn_info(f).decl.clone();
        if decl.inlining != Inlining::Inline {
            return Ok(());
        }
        let message = format!("inline function `{}` has no address", decl.name.name);
        Err(self.error(Code::BadOperand, span, message))
    }

    fn instance_with(&mut self, f: FnRef, params: &[ParamBinding], ret: Ty, span: Span) -> Res<FuncId> {
        let key: InstanceKey = (f, params.iter().map(key_of).collect());
        if let Some(&id) = self.unit.instances.get(&key) {
            return Ok(id);
        }
        let decl = self.fn_info(f).decl.clone();
        if decl.body.is_none() {
            // The parser has told of any other function without a body.
            if decl.storage != ast::Storage::Extern {
                return Err(Stop::Error);
            }
            return self.extern_instance(f, &decl, key, span);
        }
        if self.unit.out_funcs.len() >= MOST_FUNCTIONS {
            let message =
                format!("more than {MOST_FUNCTIONS} functions: does `{}` make instances without end?", decl.name.name);
            return Err(self.error(Code::QuotaExceeded, span, message));
        }
        let id = FuncId::at(self.unit.out_funcs.len());
        self.unit.out_funcs.push(None);
        self.unit.instances.insert(key, id);
        self.unit.pending.push_back(PendingFn { id, fn_ref: f, params: params.to_vec(), ret, called_at: span });
        Ok(id)
    }

    /// An `extern fn` is the function of the program that is exported under its name.
    fn extern_instance(&mut self, f: FnRef, decl: &FnDecl, key: InstanceKey, span: Span) -> Res<FuncId> {
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

    fn link_name(&mut self, f: FnRef, decl: &FnDecl) -> Res<String> {
        let Some(expr) = &decl.linkname else { return Ok(decl.name.name.as_str().to_string()) };
        let module = self.fn_info(f).module;
        let value = self.in_frame(Frame::top_level(module), |s| s.eval_const_as(expr, Ty::COMPTIME_STRING))?;
        match value.value {
            Value::Str(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Err(Stop::Error),
        }
    }

    fn exported_fn(&mut self, name: &str) -> Res<Option<FnRef>> {
        if let Some(&f) = self.unit.exported_fns.get(name) {
            return Ok(Some(f));
        }
        let candidates: Vec<(csl_ir::ModuleRef, Arc<FnDecl>)> = self
            .unit
            .modules
            .iter()
            .enumerate()
            .flat_map(|(m, module)| {
                module.items.values().filter_map(move |i| match &i.item {
                    crate::unit::TopItem::Fn(decl) if decl.storage == ast::Storage::Export => {
                        Some((csl_ir::ModuleRef::new(m as u32), decl.clone()))
                    }
                    _ => None,
                })
            })
            .collect();
        for (module, decl) in candidates {
            let Some(crate::unit::GlobalItem::Fn(f)) = self.lookup_item(module, decl.name.name)? else { continue };
            if self.link_name(f, &decl)? == name {
                return Ok(Some(f));
            }
        }
        Ok(None)
    }

    /// The type of a function as a value; `void` in its declaration stands for not yet known.
    pub fn fn_type(&mut self, f: FnRef) -> Res<Ty> {
        let info = self.fn_info(f).clone();
        match info.ty {
            Ty::VOID => {}
            Ty::NORETURN => {
                let message = format!("the type of `{}` depends on itself", info.decl.name.name);
                return Err(self.error(Code::ImportCycle, info.decl.name.span, message));
            }
            known => return Ok(known),
        }
        // No function has this type: it says that the types of the declaration are being evaluated.
        self.unit.fns[f].ty = Ty::NORETURN;
        let ty = self.declared_fn_type(&info);
        self.unit.fns[f].ty = *ty.as_ref().unwrap_or(&Ty::VOID);
        ty
    }

    fn declared_fn_type(&mut self, info: &FnInfo) -> Res<Ty> {
        let decl = &info.decl;
        let is_generic = decl.params.iter().any(|p| p.is_comptime || p.ty.is_none());
        let is_task = decl.kind == FnKind::Task;
        let mut ty = FnTy { is_task, params: vec![Ty::VOID; decl.params.len()], ret: Ty::VOID, is_generic };
        if !is_generic {
            let mut frame = Frame::top_level(info.module);
            for (param, slot) in decl.params.iter().zip(&mut ty.params) {
                if let Some(expr) = &param.ty {
                    *slot = self.type_in(&mut frame, expr)?;
                }
            }
            ty.ret = self.type_in(&mut frame, &decl.ret)?;
            if is_task && ty.ret != Ty::VOID {
                let message = format!("task `{}` cannot return a value", decl.name.name);
                return Err(self.error(Code::BadTaskSignature, decl.ret.span, message));
            }
            ty.is_generic = ty.params.iter().any(|&p| self.is_comptime_only(p));
        }
        Ok(self.types.intern(TypeKind::Fn(ty)))
    }

    /// Analyses the bodies of functions that run-time code uses, and of those that these use.
    pub fn drain_pending(&mut self) -> Res<()> {
        let mut failed = false;
        while let Some(pending) = self.unit.pending.pop_front() {
            let func = self.analyze_body(&pending).ok();
            failed |= func.is_none();
            self.unit.out_funcs[pending.id] = func;
        }
        if failed { Err(Stop::Error) } else { Ok(()) }
    }

    fn analyze_body(&mut self, pending: &PendingFn) -> Res<csl_ir::Func> {
        let info = self.fn_info(pending.fn_ref).clone();
        let Some(body) = info.decl.body.clone() else { return Err(Stop::Error) };
        let section = self.fn_section(&info)?;
        let name = self.symbol_name(info.module, info.decl.name.name.as_str());
        let ret = self.scalar(pending.ret);
        self.builders.push(FuncBuilder::new(name, info.decl.span, ret, section));
        let result = self.body_in_frame(pending, &info, &body);
        let builder = self.builders.pop().ok_or(Stop::Error)?;
        result.map(|()| builder.finish())
    }

    fn fn_section(&mut self, info: &FnInfo) -> Res<Option<String>> {
        let Some(expr) = &info.decl.linksection else { return Ok(None) };
        let value = self.in_frame(Frame::top_level(info.module), |s| s.eval_const_as(expr, Ty::COMPTIME_STRING))?;
        match value.value {
            Value::Str(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            _ => Ok(None),
        }
    }

    fn body_in_frame(&mut self, pending: &PendingFn, info: &FnInfo, body: &ast::Block) -> Res<()> {
        let mut frame = Frame::top_level(info.module);
        frame.mode = Mode::Runtime;
        frame.ret_ty = Some(pending.ret);
        frame.addressed = Arc::new(addressed_names(body));
        frame.scopes = vec![Scope::default()];
        self.check_return_type(pending.ret, &info.decl)?;
        let generic = info.decl.params.iter().any(|p| p.is_comptime || p.ty.is_none());
        let step = generic
            .then(|| (pending.called_at, format!("in the instance of `{}` that is needed here", info.decl.name.name)));
        self.in_frame(frame, |s| {
            let run = |s: &mut Self| {
                s.bind_instance_params(pending, &info.decl)?;
                s.eval_body(pending, body)
            };
            match step {
                Some((span, text)) => s.traced(span, text, run),
                None => run(s),
            }
        })
    }

    fn check_return_type(&mut self, ret: Ty, decl: &FnDecl) -> Res<()> {
        if ret != Ty::VOID && self.scalar(ret).is_none() && csl_ir::size_of(&self.types, ret).is_none() {
            return Err(self.comptime_only(ret, decl.ret.span));
        }
        Ok(())
    }

    fn eval_body(&mut self, pending: &PendingFn, body: &ast::Block) -> Res<()> {
        match self.eval_stmts(body) {
            Ok(()) if pending.ret == Ty::VOID => self.emit_return(Operand::void(), body.span),
            Ok(()) if self.builder().is_terminated() => Ok(()),
            Ok(()) => Err(self.missing_return(pending.fn_ref, pending.ret, body.span)),
            Err(Stop::Diverged) => Ok(()),
            Err(stop) => Err(stop),
        }
    }

    fn bind_instance_params(&mut self, pending: &PendingFn, decl: &FnDecl) -> Res<()> {
        if pending.ret != Ty::VOID && self.scalar(pending.ret).is_none() {
            self.builder().new_param(Scalar::PTR);
        }
        // Registers of all parameters come before any other.
        let mut bindings = Vec::with_capacity(decl.params.len());
        for (param, binding) in decl.params.iter().zip(&pending.params) {
            let operand = match binding {
                ParamBinding::Comptime(value) => Operand::Const(value.clone()),
                ParamBinding::Runtime(Ty::VOID) => Operand::void(),
                ParamBinding::Runtime(ty) => match self.scalar(*ty) {
                    Some(scalar) => Operand::Reg(*ty, Opnd::Reg(self.builder().new_param(scalar))),
                    None if csl_ir::size_of(&self.types, *ty).is_some() => {
                        let reg = self.builder().new_param(Scalar::PTR);
                        Operand::Mem(*ty, csl_ir::Addr { base: csl_ir::AddrBase::Reg(reg), offset: 0 })
                    }
                    None => return Err(self.comptime_only(*ty, param.span)),
                },
            };
            bindings.push(operand);
        }
        for (param, operand) in decl.params.iter().zip(bindings) {
            let Some(name) = param.name else { continue };
            let binding = self.param_binding(name.name, operand, param.span)?;
            self.bind(name.name, binding);
        }
        Ok(())
    }

    /// A parameter whose address is taken is copied to memory.
    fn param_binding(&mut self, name: Symbol, operand: Operand, span: Span) -> Res<Binding> {
        if !matches!(operand, Operand::Reg(..)) || !self.frame().addressed.contains(&name) {
            return Ok(Binding::Const(operand));
        }
        let ty = operand.ty();
        let slot = self.new_slot(ty, name.as_str());
        let addr = csl_ir::Addr { base: csl_ir::AddrBase::Slot(slot), offset: 0 };
        self.store(&Place { ty, is_const: false, kind: PlaceKind::Mem(addr) }, operand, span)?;
        Ok(Binding::Slot { ty, slot, is_const: true })
    }
}

fn key_of(binding: &ParamBinding) -> TypedValue {
    match binding {
        ParamBinding::Comptime(value) => value.clone(),
        // No comptime value has type `noreturn`, so the two cannot be taken for each other.
        ParamBinding::Runtime(ty) => TypedValue::new(Ty::NORETURN, Value::Type(*ty)),
    }
}

fn points_to_cells(args: &[TypedValue]) -> bool {
    fn value_points(value: &Value) -> bool {
        match value {
            Value::Ptr(pointer) => matches!(pointer.root, PtrRoot::Cell(_)),
            Value::Struct(fields) => fields.iter().any(value_points),
            Value::Array(array) => match &**array {
                csl_ir::ArrayValue::Splat { value, .. } => value_points(value),
                csl_ir::ArrayValue::Elems(elems) => elems.iter().any(value_points),
            },
            Value::Union { value, .. } => value_points(value),
            Value::Dsd(dsd) => dsd.base.as_ref().is_some_and(|p| matches!(p.root, PtrRoot::Cell(_))),
            _ => false,
        }
    }
    args.iter().any(|arg| value_points(&arg.value))
}

/// Names of variables whose address a body takes, or may take: those variables live in memory.
pub fn addressed_names(body: &ast::Block) -> Vec<Symbol> {
    let mut names = Vec::new();
    crate::walk::each_expr(body, &mut |expr| {
        let pointed = match &expr.kind {
            ExprKind::AddrOf(inner) => Some(&**inner),
            ExprKind::TensorAccess(access) => Some(&access.base),
            _ => None,
        };
        if let Some(name) = pointed.and_then(root_name) {
            names.push(name);
        }
    });
    names
}

fn root_name(expr: &Expr) -> Option<Symbol> {
    match &expr.kind {
        ExprKind::Name(name) => Some(*name),
        ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => root_name(base),
        _ => None,
    }
}
