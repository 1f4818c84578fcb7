//! Run-time instances of functions: one for each set of comptime arguments, with its body.
//!
//! A call, an address or a binding asks for an instance, which waits until [`Sema::drain_pending`] analyses its body.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span, TraceFrame};
use csl_ir::{FnRef, FuncId, Opnd, Scalar, Ty, TypeKind, TypedValue, Value};
use csl_syntax::Symbol;
use csl_syntax::ast::{self, Expr, ExprKind, FnDecl, FnKind, Inlining};

use crate::builtins::tasks::WAVELET_BITS;
use crate::context::{Binding, Frame, Mode, Res, Sema, Stop};
use crate::emit::FuncBuilder;
use crate::operand::{Operand, Place, PlaceKind};
use crate::unit::{FnInfo, InstanceKey, PendingFn};

/// The greatest number of functions of one program, instances of generic ones included.
const MOST_FUNCTIONS: usize = 1 << 14;

/// The binding of a parameter in an instance.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamBinding {
    Comptime(TypedValue),
    Runtime(Ty),
}

impl Sema<'_> {
    /// The run-time instance of a function without comptime parameters.
    pub fn instance(&mut self, f: FnRef, span: Span) -> Res<FuncId> {
        self.check_addressable_fn(f, span)?;
        let decl = self.fn_info(f).decl.clone();
        let fn_ty = self.fn_type(f)?;
        let TypeKind::Fn(ty) = self.types.kind(fn_ty).clone() else {
            return Err(self.internal(span, "a function has the type of no function").into());
        };
        if ty.is_generic {
            let message = format!("generic function `{}` needs a call to make an instance", decl.name.name);
            return Err(self.error(Code::BadOperand, span, message));
        }
        let params: Vec<ParamBinding> = ty.params.iter().map(|&p| ParamBinding::Runtime(p)).collect();
        self.instance_with(f, &params, ty.ret, span)
    }

    /// Refuses the address of an inline function: it exists only where it is called.
    pub fn check_addressable_fn(&mut self, f: FnRef, span: Span) -> Res<()> {
        let decl = self.fn_info(f).decl.clone();
        if decl.inlining != Inlining::Inline {
            return Ok(());
        }
        let message = format!("inline function `{}` has no address", decl.name.name);
        Err(self.error(Code::BadOperand, span, message))
    }

    pub fn instance_with(&mut self, f: FnRef, params: &[ParamBinding], ret: Ty, span: Span) -> Res<FuncId> {
        let key: InstanceKey = (f, params.iter().map(key_of).collect());
        if let Some(&id) = self.unit.instances.get(&key) {
            return Ok(id);
        }
        let decl = self.fn_info(f).decl.clone();
        if decl.body.is_none() {
            return match decl.storage {
                ast::Storage::Extern => self.extern_instance(f, &decl, key, span),
                _ => Err(self.without_body(f)),
            };
        }
        if self.unit.out_funcs.len() >= MOST_FUNCTIONS {
            let message =
                format!("more than {MOST_FUNCTIONS} functions: does `{}` make instances without end?", decl.name.name);
            return Err(self.error(Code::QuotaExceeded, span, message));
        }
        let id = FuncId::at(self.unit.out_funcs.len());
        self.unit.out_funcs.push(None);
        self.unit.instances.insert(key, id);
        let steps = self.unit.steps.clone();
        self.unit.pending.push_back(PendingFn { id, fn_ref: f, params: params.to_vec(), ret, called_at: span, steps });
        Ok(id)
    }

    /// Analyses the bodies of functions that run-time code uses, and of the functions that these use.
    pub fn drain_pending(&mut self) -> Res<()> {
        let mut result = Ok(());
        while let Some(pending) = self.unit.pending.pop_front() {
            result = self.analyze_pending(&pending).and(result);
        }
        result
    }

    /// Analyses the body of a function that waited for it.
    pub fn analyze_pending(&mut self, pending: &PendingFn) -> Res<()> {
        let body = self.analyze_body(pending);
        self.unit.out_funcs[pending.id] = Some(self.whole(body, pending.called_at)?);
        Ok(())
    }

    fn analyze_body(&mut self, pending: &PendingFn) -> Res<csl_ir::Func> {
        let info = self.fn_info(pending.fn_ref).clone();
        let Some(body) = &info.decl.body else { return Err(self.without_body(pending.fn_ref)) };
        let section = self.fn_section(&info)?;
        let name = self.symbol_name(info.module, info.decl.name.name.as_str());
        let ret = self.scalar(pending.ret);
        self.check_return_type(pending.ret, &info.decl)?;
        let code = FuncBuilder::new(name, info.decl.span, ret, section);
        let mut frame = Frame::top_level(info.module);
        frame.mode = Mode::Runtime(Box::new(code));
        frame.ret_ty = Some(pending.ret);
        frame.addressed = Arc::new(addressed_names(body));
        let (result, frame) = self.in_frame_kept(frame, |s| s.instance_body(pending, &info, body));
        match (result, frame.mode) {
            (Ok(()), Mode::Runtime(code)) => {
                self.warn_undefined(&code);
                self.warn_shared_threads(&code);
                Ok(code.finish())
            }
            (Ok(()), Mode::Comptime { .. }) => Err(self.internal(body.span, "a body was lost").into()),
            (Err(stop), _) => Err(stop),
        }
    }

    fn warn_undefined(&mut self, code: &FuncBuilder) {
        for (name, declared, read) in code.read_before_written() {
            let message = format!("`{name}` may be read here before it has a value");
            let diagnostic = Diagnostic::new(Code::MaybeUndefined, read, message);
            let help = "give it a value where it is declared";
            self.report(diagnostic.secondary(declared, "declared without a value").help(help));
        }
    }

    /// Warns of an input and an output queue of one number, where asynchronous operations of both have the microthread of
    /// that number.
    fn warn_shared_threads(&mut self, code: &FuncBuilder) {
        for (queue, first, second) in code.shared_threads() {
            let message =
                format!("operations of input queue {queue} and output queue {queue} share microthread {queue}");
            let diagnostic = Diagnostic::new(Code::SharedMicrothread, second, message);
            let note = "an operation has the microthread of its queue's number, and only one at a time may have it";
            let help = "take queues of different numbers, or give one operation another `.ut_id` (WSE-3)";
            self.report(diagnostic.secondary(first, "the other is here").note(note).help(help));
        }
    }

    fn fn_section(&mut self, info: &FnInfo) -> Res<Option<String>> {
        let Some(expr) = &info.decl.linksection else { return Ok(None) };
        self.in_frame(Frame::top_level(info.module), |s| s.eval_string(expr)).map(Some)
    }

    fn instance_body(&mut self, pending: &PendingFn, info: &FnInfo, body: &ast::Block) -> Res<()> {
        let is_generic = info.decl.params.iter().any(|p| p.is_comptime || p.ty.is_none());
        let run = |s: &mut Self| {
            s.bind_instance_params(pending, &info.decl)?;
            s.eval_body(pending, body)
        };
        if !is_generic {
            return run(self);
        }
        let text = format!("in the instance of `{}` that is needed here", info.decl.name.name);
        let own = TraceFrame { span: pending.called_at, text };
        self.unit.steps = pending.steps.iter().cloned().chain([own]).take(MOST_STEPS).collect();
        let outside = self.trace.len();
        self.trace.extend(self.unit.steps.iter().cloned());
        let result = run(self);
        self.trace.truncate(outside);
        self.unit.steps.clear();
        result
    }

    pub fn check_return_type(&mut self, ret: Ty, decl: &FnDecl) -> Res<()> {
        if ret != Ty::VOID && self.scalar(ret).is_none() && csl_ir::size_of(&self.types, ret).is_none() {
            return Err(self.comptime_only(ret, decl.ret.span));
        }
        Ok(())
    }

    fn bind_instance_params(&mut self, pending: &PendingFn, decl: &FnDecl) -> Res<()> {
        if pending.ret != Ty::VOID && self.scalar(pending.ret).is_none() {
            self.code(decl.span)?.new_param(Scalar::PTR);
        }
        let is_task = matches!(decl.kind, FnKind::Task);
        // Registers of all parameters come before any other.
        let mut bindings = Vec::with_capacity(decl.params.len());
        for (param, binding) in decl.params.iter().zip(&pending.params) {
            let operand = match binding {
                ParamBinding::Comptime(value) => Operand::Const(value.clone()),
                ParamBinding::Runtime(Ty::VOID) => Operand::void(),
                ParamBinding::Runtime(ty) => match self.scalar(*ty) {
                    Some(scalar) => Operand::Reg(*ty, Opnd::Reg(self.code(param.span)?.new_param(scalar))),
                    // A wavelet carries the bits of a packed struct or union.
                    None if is_task && let Some((backing, scalar)) = self.backing(*ty) => {
                        Operand::Reg(backing, Opnd::Reg(self.code(param.span)?.new_param(scalar)))
                    }
                    None if csl_ir::size_of(&self.types, *ty).is_some() => {
                        let reg = self.code(param.span)?.new_param(Scalar::PTR);
                        Operand::Mem(*ty, csl_ir::Addr { base: csl_ir::AddrBase::Reg(reg), offset: 0 })
                    }
                    None => return Err(self.comptime_only(*ty, param.span)),
                },
            };
            bindings.push(operand);
        }
        for ((param, operand), binding) in decl.params.iter().zip(bindings).zip(&pending.params) {
            let Some(name) = param.name else { continue };
            let operand = match binding {
                ParamBinding::Runtime(ty) if operand.ty() != *ty => self.bitcast(operand, *ty, param.span)?,
                _ => operand,
            };
            let binding = self.param_binding(name.name, operand, param.span)?;
            self.note_binding(name, &binding);
            self.bind(name.name, binding);
        }
        Ok(())
    }

    /// The backing integer of a packed struct or union, where a wavelet holds it, and its register.
    fn backing(&mut self, ty: Ty) -> Option<(Ty, Scalar)> {
        let bits = csl_ir::bits_of(&self.types, ty).filter(|bits| (1..=WAVELET_BITS).contains(bits))?;
        let backing = self.types.int(false, bits);
        Some((backing, self.scalar(backing)?))
    }

    /// The binding of a parameter in the body; one whose address is taken is copied to memory.
    fn param_binding(&mut self, name: Symbol, operand: Operand, span: Span) -> Res<Binding> {
        if !matches!(operand, Operand::Reg(..)) || !self.frame.addressed.contains(&name) {
            return Ok(Binding::Const(operand));
        }
        let ty = operand.ty();
        let slot = self.new_slot(ty, name.as_str(), span)?;
        let addr = csl_ir::Addr { base: csl_ir::AddrBase::Slot(slot), offset: 0 };
        self.store(&Place { ty, is_const: false, kind: PlaceKind::Mem(addr) }, operand, span)?;
        Ok(Binding::Slot { ty, slot, is_const: true })
    }

    fn eval_body(&mut self, pending: &PendingFn, body: &ast::Block) -> Res<()> {
        match self.eval_stmts(body) {
            Ok(()) if pending.ret == Ty::VOID => self.emit_return(Operand::void(), body.span),
            Ok(()) if self.code(body.span)?.is_terminated() => Ok(()),
            Ok(()) => Err(self.missing_return(pending.fn_ref, pending.ret, body.span)),
            Err(Stop::Diverged) => Ok(()),
            Err(stop) => Err(stop),
        }
    }
}

/// The greatest number of instances, each needed by the one before, that a diagnostic names.
const MOST_STEPS: usize = 8;

fn key_of(binding: &ParamBinding) -> TypedValue {
    match binding {
        ParamBinding::Comptime(value) => value.clone(),
        // No comptime value has type `noreturn`, so the two cannot be taken for each other.
        ParamBinding::Runtime(ty) => TypedValue::new(Ty::NORETURN, Value::Type(*ty)),
    }
}

/// Names of variables whose address a body takes, or may take; such variables live in memory.
pub fn addressed_names(body: &ast::Block) -> Vec<Symbol> {
    let mut names = Vec::new();
    csl_syntax::walk::each_in_block(body, &mut |expr| {
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
