//! Types of declared functions, evaluated in the scope of the parameters before them.

use csl_diag::Code;
use csl_ir::{FnRef, FnTy, Ty, TypeKind};
use csl_syntax::ast::{Expr, FnKind};

use crate::context::{Frame, Res, Sema, Stop};
use crate::unit::FnInfo;

impl Sema<'_> {
    pub fn fn_info(&self, f: FnRef) -> &FnInfo {
        &self.unit.fns[f]
    }

    /// The type of a function as a value; `void` in its declaration stands for a type that is not known yet.
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
        // No function has this type: it marks a declaration whose types are being evaluated.
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

    /// A type expression in the scope of the parameters before it.
    pub fn type_in(&mut self, frame: &mut Frame, expr: &Expr) -> Res<Ty> {
        frame.depth = self.frame.depth + 1;
        std::mem::swap(&mut self.frame, frame);
        let ty = self.eval_type(expr);
        std::mem::swap(&mut self.frame, frame);
        ty
    }

    /// The stop for a function without a body: the parser has reported any that is not `extern`.
    pub fn without_body(&mut self, f: FnRef) -> Stop {
        let FnInfo { module, decl, .. } = self.fn_info(f);
        let (module, span) = (*module, decl.name.span);
        self.syntax_error(module, span)
    }
}
