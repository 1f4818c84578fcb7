//! Calls: binds their arguments, and runs them at comptime, expands them inline or emits them.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Callee, FnRef, FnTy, Inst, Opnd, Pointer, PtrRoot, Ty, TypeKind, TypedValue, Value};
use csl_syntax::Symbol;
use csl_syntax::ast::{self, Expr, FnDecl, FnKind, Inlining, Param};

use crate::context::{Binding, Frame, Mode, Res, Scope, Sema, Stop, TargetBlocks, Wanted};
use crate::instance::{ParamBinding, addressed_names};
use crate::loops::CALL_STEPS;
use crate::operand::Operand;
use crate::order::Sequence;
use crate::sharing::varies;
use crate::unit::FnInfo;

/// The greatest number of results of comptime calls that are kept.
const MOST_MEMOISED: usize = 1 << 16;

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

/// A call with its arguments bound to the parameters.
struct Bound {
    args: Vec<Operand>,
    params: Vec<ParamBinding>,
    ret: Ty,
}

/// The greatest depth of nested calls, whatever the command line allows: each takes some 10 KB of the compiler's memory.
const MOST_DEPTH: u32 = 10_000;

impl Sema<'_> {
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
                    let message = format!("a value of type `{shown}` cannot be called");
                    let diagnostic = Diagnostic::new(Code::NotCallable, callee_span, message);
                    Err(self.fail(match callee.as_const().map(|value| &value.value) {
                        Some(&Value::Type(ty)) => {
                            diagnostic.help(format!("a value is converted with `@as({}, ...)`", self.show(ty)))
                        }
                        _ => diagnostic,
                    }))
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
        let args = self.without_state(f, &decl, args);
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
            return self.at_comptime(span, |s| s.comptime_call(f, &decl, bound, span));
        }
        self.runtime_call(f, bound, span)
    }

    /// The arguments of a call but for the state of <collectives_2d/common>: up to SDK 0.6 `init` of <collectives_2d/pe> takes
    /// its address, and the library here has none.
    fn without_state<'a>(&self, f: FnRef, decl: &FnDecl, args: Args<'a>) -> Args<'a> {
        let module = self.fn_info(f).module;
        let is_given = args.len() == 1
            && decl.name.name.as_str() == "init"
            && self.unit.modules[module].file.path == "<collectives_2d/pe>";
        if is_given { Args::Exprs(&[]) } else { args }
    }

    /// Checks the depth of nested calls: they nest in frames where the compiler executes or expands them itself.
    fn check_depth(&mut self, span: Span) -> Res<()> {
        let limit = self.options.comptime_func_depth_limit.min(MOST_DEPTH);
        if self.frame.depth <= limit {
            return Ok(());
        }
        let message = format!("comptime and inline calls are nested deeper than {limit}");
        let diagnostic = Diagnostic::new(Code::QuotaExceeded, span, message);
        Err(self.fail(match limit {
            MOST_DEPTH => diagnostic.help("this is the greatest depth that --comptime-func-depth-limit can allow"),
            _ => diagnostic.help("raise the limit with --comptime-func-depth-limit"),
        }))
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
        let mut sequence = match &args {
            Args::Exprs(exprs) => Sequence::of(exprs.iter()),
            Args::Values(_) => Sequence::of(std::iter::empty()),
        };
        for (index, param) in decl.params.iter().enumerate() {
            let ty = match &param.ty {
                Some(ty) => Some(self.type_in(&mut frame, ty)?),
                None => None,
            };
            let (arg, at) = match &args {
                Args::Exprs(exprs) => {
                    let arg = self.eval_arg(&exprs[index], param, ty)?;
                    (self.keep(arg, &mut sequence, index, exprs[index].span)?, exprs[index].span)
                }
                Args::Values(values) => (values[index].clone(), span),
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
            true => self.at_comptime(expr.span, |s| s.eval_expecting(expr, ty)),
            false => self.eval_expecting(expr, ty),
        }
    }

    /// The binding of an argument in the instance, and its value for the types of later parameters.
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
            // Only the type of the value may be used there.
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
        // What follows from the variable of a loop is that of one iteration.
        let is_kept = self.open.is_none() || !key.1.iter().any(|arg| varies(&arg.value));
        if let Some(known) = self.unit.memo.get(&key).filter(|_| is_kept) {
            return Ok(known.clone().into());
        }
        self.count_steps(CALL_STEPS, span)?;
        let effects = self.effects;
        let names = decl.params.iter().filter_map(|p| p.name).zip(args);
        let names: Vec<_> = names.map(|(name, value)| (name, Binding::Const(value.into()))).collect();
        names.iter().for_each(|(name, binding)| self.note_binding(*name, binding));
        let names = names.into_iter().map(|(name, binding)| (name.name, binding)).collect();
        let result = self.traced(span, format!("`{}` called here at comptime", decl.name.name), |s| {
            s.run_comptime(f, names, bound.ret, body, span)
        })?;
        if is_kept
            && self.effects == effects
            && !points_to_cells(&key.1)
            && !points_to_cells(std::slice::from_ref(&result))
        {
            // The limit keeps a loop of calls with ever new arguments from filling the memory.
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
        let (result, frame) = self.in_frame_kept(frame, |s| s.eval_stmts(body));
        self.unit.cells.truncate(first_cell);
        match (result, frame.mode) {
            (Err(Stop::Return), Mode::Comptime { ret: Some(Operand::Const(value)) }) => Ok(value),
            (Ok(()), _) if ret == Ty::VOID => Ok(TypedValue::void()),
            (Ok(()), _) => Err(self.missing_return(f, ret, span)),
            (Err(stop), _) => Err(stop),
        }
    }

    pub fn missing_return(&mut self, f: FnRef, ret: Ty, _span: Span) -> Stop {
        let decl = self.fn_info(f).decl.clone();
        let message = format!("`{}` can end without returning a value of type `{}`", decl.name.name, self.show(ret));
        let diagnostic = Diagnostic::new(Code::MissingReturn, decl.name.span, message);
        self.fail(diagnostic.help("every way through the function needs a `return`"))
    }

    /// Expands the body where it is called; comptime-known arguments stay known inside.
    fn inline_call(&mut self, f: FnRef, decl: &Arc<FnDecl>, bound: Bound, span: Span) -> Res<Operand> {
        let Some(body) = &decl.body else { return Err(self.without_body(f)) };
        self.count_steps(CALL_STEPS, span)?;
        let mut frame = Frame::top_level(self.fn_info(f).module);
        frame.ret_ty = Some(bound.ret);
        frame.addressed = Arc::new(addressed_names(body));
        frame.inline_target = Some(0);
        frame.runtime_depth = self.frame.runtime_depth;
        let mut names = Vec::with_capacity(bound.args.len());
        for (param, arg) in decl.params.iter().zip(bound.args) {
            if let Some(name) = param.name {
                let binding = Binding::Const(self.pin(arg, span)?);
                self.note_binding(name, &binding);
                names.push((name.name, binding));
            }
        }
        frame.scopes = vec![Scope { names, ..Scope::default() }];
        // The expansion goes on with the body of its caller.
        frame.mode = std::mem::replace(&mut self.frame.mode, Mode::Comptime { ret: None });
        let ((result, mut target), frame) = self.in_frame_kept(frame, |s| {
            s.push_target(None, false, Some(TargetBlocks { next: None, exit: None }), Wanted::Any);
            let result = s.traced(span, format!("`{}` expanded here", decl.name.name), |s| s.eval_stmts(body));
            (result, s.pop_target())
        });
        self.frame.mode = frame.mode;
        match result {
            Ok(()) if bound.ret != Ty::VOID => return Err(self.missing_return(f, bound.ret, span)),
            Ok(()) => {
                let end = self.code(span)?.current();
                target.exits.push((end, Operand::void(), span));
            }
            Err(Stop::Diverged) => {}
            Err(stop) => return Err(stop),
        }
        self.join(target.exits, Wanted::Type(bound.ret), span)
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
        self.code(span)?;
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
                let place = self.temporary(ret, "", span)?;
                let addr = self.place_addr(&place, span)?;
                opnds.push(self.emit_lea(addr, span)?);
                Some(place)
            }
            _ => None,
        };
        for arg in args {
            opnds.push(match self.scalar(arg.ty()) {
                Some(_) => self.opnd(&arg, span)?,
                None => {
                    let addr = self.addr(&arg, span)?;
                    self.emit_lea(addr, span)?
                }
            });
        }
        let scalar = self.scalar(ret);
        let code = self.code(span)?;
        let dst = scalar.map(|scalar| code.new_reg(scalar));
        code.emit(Inst::Call { dst, callee, args: opnds }, span);
        match (result, dst) {
            (Some(place), _) => self.load(place, span),
            (None, Some(reg)) => Ok(Operand::Reg(ret, Opnd::Reg(reg))),
            (None, None) => Ok(Operand::void()),
        }
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
