//! Blocks, declarations and assignments.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Inst, PtrRoot, Ty, TypedValue, Value};
use csl_syntax::Symbol;
use csl_syntax::ast::{Block, Expr, ExprKind, Stmt, StmtKind, VarDecl, VarKind};

use crate::context::{Binding, Res, Sema, Stop, Wanted};
use crate::operand::{Operand, Place, PlaceKind};
use crate::unit::Cell;

impl Sema<'_> {
    /// Evaluates the statements of a block, in a scope of its own. At run time evaluation continues after a statement
    /// with an error, so that all errors of a function are reported at once.
    pub fn eval_stmts(&mut self, block: &Block) -> Res<()> {
        self.scoped(|s| {
            let mut result = Ok(());
            for stmt in &block.stmts {
                match s.eval_stmt(stmt) {
                    Ok(()) => {}
                    error @ Err(Stop::Error(_)) if !s.is_comptime() && !s.exhausted => result = error,
                    Err(stop) => return Err(stop),
                }
            }
            result
        })
    }

    pub fn eval_stmt(&mut self, stmt: &Stmt) -> Res<()> {
        match &stmt.kind {
            StmtKind::Var(decl) => self.eval_local(decl),
            StmtKind::Expr(expr) => self.eval_expecting(expr, is_branching(expr).then_some(Ty::VOID)).map(|_| ()),
            StmtKind::Assign { target, op, value } => self.eval_assign(target, *op, value, stmt.span),
            StmtKind::Error => Err(self.syntax_error(self.frame.module, stmt.span)),
        }
    }

    fn eval_assign(&mut self, target: &Expr, op: Option<csl_syntax::ast::BinOp>, value: &Expr, span: Span) -> Res<()> {
        if matches!(&target.kind, ExprKind::Name(name) if name.as_str() == "_") && op.is_none() {
            return self.eval(value).map(|_| ());
        }
        let place = self.eval_place(target)?;
        if place.is_const {
            // What is wrong with the value comes first: an operator on constant DSDs is no assignment that a `var` would mend.
            self.eval_expecting(value, Some(place.ty))?;
            return Err(self.not_assignable(target));
        }
        if let (None, Some(cell)) = (op, self.struct_variable(&place)) {
            let mut value = self.eval_const_as(value, Ty::COMPTIME_STRUCT)?;
            self.settle_if_outlives(cell, &mut value);
            self.check_changeable(cell, span)?;
            self.unit.cells[cell].value = value;
            return Ok(());
        }
        let Some(op) = op else {
            let (ty, at, address) = (place.ty, value.span, value);
            let value = self.eval_expecting(value, Some(ty))?;
            let text = |s: &Self| format!("this has type `{}`", s.show(ty));
            let value = self.labelled(target.span, text, |s| s.coerce(value, ty, at))?;
            self.warn_kept(&place, address, at);
            return self.store(&place, value, span);
        };
        let rhs = self.eval_wanted(value, Wanted::Near(place.ty))?;
        let rhs = self.known_as_target(op, rhs, place.ty, value.span)?;
        let old = self.load(place.clone(), target.span)?;
        let new = self.binary(op, (old, target.span), (rhs, value.span), span)?;
        self.store(&place, new, span)
    }

    /// The whole of a variable that is declared as `comptime_struct`.
    fn struct_variable(&self, place: &Place) -> Option<csl_ir::CellRef> {
        let PlaceKind::Ptr(pointer) = &place.kind else { return None };
        match pointer.root {
            PtrRoot::Cell(cell) if pointer.path.is_empty() => {
                self.unit.cells.get(cell.index()).is_some_and(|cell| cell.takes_any_struct).then_some(cell)
            }
            _ => None,
        }
    }

    /// Warns of the address of a local variable that is stored in a global one.
    fn warn_kept(&mut self, place: &Place, value: &Expr, span: Span) {
        let is_global = matches!(&place.kind, PlaceKind::Ptr(pointer) if matches!(pointer.root, PtrRoot::Global(_)));
        let ExprKind::AddrOf(inner) = &value.kind else { return };
        let ExprKind::Name(name) = inner.kind else { return };
        if is_global && matches!(self.find_local(name), Some(Binding::Slot { .. })) {
            let message = format!("`{name}` is gone when its function ends, and its address stays here");
            let help = "point to a global variable: the memory of local ones is used again";
            self.report(Diagnostic::new(Code::KeptLocal, span, message).help(help));
        }
    }

    /// Gives a comptime-known integer on the right the type of an integer target, by its value.
    fn known_as_target(&mut self, op: csl_syntax::ast::BinOp, rhs: Operand, target: Ty, span: Span) -> Res<Operand> {
        use csl_syntax::ast::BinOp::{Shl, Shr};
        let is_known = matches!(rhs, Operand::Const(_)) && self.is_number(rhs.ty()) && self.is_number(target);
        if is_known && !matches!(op, Shl | Shr) { self.coerce(rhs, target, span) } else { Ok(rhs) }
    }

    fn not_assignable(&mut self, target: &Expr) -> Stop {
        let (message, help) = match &target.kind {
            ExprKind::Name(name) => (
                format!("cannot assign to constant `{name}`"),
                "only a `var` can change: copy parameters and loop variables into one",
            ),
            ExprKind::Deref(_) => (
                "cannot assign through a pointer to const".to_string(),
                "a `*const T` cannot change the value that it points at; a `*T` is needed",
            ),
            ExprKind::Field { .. } | ExprKind::Index { .. } => (
                "cannot assign to a part of a constant".to_string(),
                "only a `var`, or the value that a `*T` points at, can change",
            ),
            _ => (
                "cannot assign to this expression".to_string(),
                "assign to a variable, a field, an element or `pointer.*`",
            ),
        };
        self.fail(Diagnostic::new(Code::NotAssignable, target.span, message).help(help))
    }

    /// Adds a name to the innermost scope.
    pub fn bind(&mut self, name: Symbol, binding: Binding) {
        let scope = self.frame.scopes.last_mut().expect("a frame has a scope while it evaluates");
        scope.names.push((name, binding));
    }

    fn eval_local(&mut self, decl: &VarDecl) -> Res<()> {
        self.check_redeclared(decl)?;
        self.declare(decl);
        match self.local_binding(decl) {
            Ok(binding) => {
                self.note_binding(decl.name, &binding);
                self.bind(decl.name.name, binding);
                Ok(())
            }
            Err(stop) => {
                if let Stop::Error(reported) = stop {
                    self.bind(decl.name.name, Binding::Poison(reported));
                }
                Err(stop)
            }
        }
    }

    fn declare(&mut self, decl: &VarDecl) {
        if let Some(scope) = self.frame.scopes.last_mut() {
            scope.declared.push((decl.name.name, decl.name.span));
        }
    }

    fn check_redeclared(&mut self, decl: &VarDecl) -> Res<()> {
        let name = decl.name.name;
        let Some(scope) = self.frame.scopes.last().filter(|s| s.names.iter().any(|n| n.0 == name)) else {
            return Ok(());
        };
        let first = scope.declared.iter().find(|d| d.0 == name).map(|d| d.1);
        let diagnostic = Diagnostic::new(Code::Redeclared, decl.name.span, format!("redeclaration of `{name}`"));
        Err(self.fail(match first {
            Some(first) => diagnostic.secondary(first, "first declared here"),
            None => diagnostic,
        }))
    }

    fn local_binding(&mut self, decl: &VarDecl) -> Res<Binding> {
        if decl.kind == VarKind::Param {
            return Err(self.error(
                Code::WrongContext,
                decl.span,
                "a param can only be declared at the top level of a file",
            ));
        }
        let ty = decl.ty.as_ref().map(|ty| self.eval_type(ty)).transpose()?;
        let align = decl.align.as_ref().map(|align| self.eval_align(align)).transpose()?;
        let help = "declare it at the top level of the file, or leave the attribute out";
        self.warn_no_symbol(decl, "a variable inside of a function or block", help);
        if self.is_comptime() || decl.is_comptime {
            return self.comptime_local(decl, ty);
        }
        let binding = match decl.kind {
            VarKind::Const => self.const_local(decl, ty),
            _ => self.var_local(decl, ty),
        }?;
        if let (Some(align), Binding::Slot { slot, .. }) = (align, &binding) {
            self.code(decl.span)?.align_slot(*slot, align);
        }
        Ok(binding)
    }

    fn comptime_local(&mut self, decl: &VarDecl, ty: Option<Ty>) -> Res<Binding> {
        let value = match (&decl.init, ty) {
            (Some(init), Some(ty)) => self.eval_const_as(init, ty)?,
            (Some(init), None) => self.eval_const(init)?,
            (None, Some(ty)) => TypedValue::new(ty, Value::Undef),
            (None, None) => return Err(self.no_type(decl)),
        };
        if decl.kind == VarKind::Const && matches!(value.value, Value::Module(_) | Value::Type(_) | Value::Fn(_)) {
            self.name_type(decl, &value);
            return Ok(Binding::Const(value.into()));
        }
        // A constant is a cell too, because its address may be taken.
        let cell = self.new_cell(value, decl.kind == VarKind::Const);
        self.unit.cells[cell].takes_any_struct = ty == Some(Ty::COMPTIME_STRUCT);
        Ok(Binding::Cell(cell))
    }

    fn name_type(&mut self, decl: &VarDecl, value: &TypedValue) {
        if let Value::Type(ty) = value.value {
            self.types.name_aggregate(ty, decl.name.name.as_str());
        }
    }

    pub fn new_cell(&mut self, value: TypedValue, is_const: bool) -> csl_ir::CellRef {
        let runtime_depth = self.frame.runtime_depth;
        self.unit.cells.push(Cell { value, runtime_depth, is_const, takes_any_struct: false });
        csl_ir::CellRef::new(self.unit.cells.len() as u32 - 1)
    }

    fn no_type(&mut self, decl: &VarDecl) -> Stop {
        let message = format!("`{}` needs a type or an initial value", decl.name.name);
        self.error(Code::BadType, decl.name.span, message)
    }

    fn const_local(&mut self, decl: &VarDecl, ty: Option<Ty>) -> Res<Binding> {
        let Some(init) = &decl.init else {
            return Err(self.error(
                Code::BadType,
                decl.name.span,
                format!("constant `{}` needs an initial value", decl.name.name),
            ));
        };
        let mut value = self.eval_expecting(init, ty)?;
        if let Some(ty) = ty {
            value = self.coerce(value, ty, init.span)?;
        }
        match value {
            Operand::Const(value) => {
                self.name_type(decl, &value);
                Ok(Binding::Const(value.into()))
            }
            value if self.is_addressed(decl.name.name) || matches!(value, Operand::Mem(..)) => {
                self.slot_local(decl, value.ty(), Some(value), true)
            }
            value => Ok(Binding::Const(self.pin_deep(value, decl.span)?)),
        }
    }

    fn is_addressed(&self, name: Symbol) -> bool {
        self.frame.addressed.contains(&name)
    }

    fn var_local(&mut self, decl: &VarDecl, ty: Option<Ty>) -> Res<Binding> {
        let value = match &decl.init {
            Some(init) => {
                let value = self.eval_expecting(init, ty)?;
                let value = match ty {
                    Some(ty) => self.coerce(value, ty, init.span)?,
                    None => value,
                };
                Some((value, init.span))
            }
            None => None,
        };
        let Some(ty) = ty.or(value.as_ref().map(|v| v.0.ty())) else { return Err(self.no_type(decl)) };
        if self.is_comptime_only(ty) {
            return Err(self.comptime_only(ty, decl.name.span));
        }
        match self.scalar(ty) {
            Some(scalar) if !self.is_addressed(decl.name.name) => {
                let reg = self.code(decl.span)?.new_reg(scalar);
                match value {
                    Some((value, span)) => {
                        let src = self.opnd(&value, span)?;
                        self.emit(Inst::Copy { dst: reg, src }, decl.span)?;
                    }
                    None => self.code(decl.span)?.note_undefined(reg, decl.name.name, decl.name.span),
                }
                Ok(Binding::Reg(ty, reg))
            }
            _ => self.slot_local(decl, ty, value.map(|v| v.0), false),
        }
    }

    fn slot_local(&mut self, decl: &VarDecl, ty: Ty, value: Option<Operand>, is_const: bool) -> Res<Binding> {
        if csl_ir::size_of(&self.types, ty).is_none() {
            return Err(self.comptime_only(ty, decl.name.span));
        }
        let slot = self.new_slot(ty, decl.name.name.as_str(), decl.span)?;
        if let Some(value) = value {
            let addr = csl_ir::Addr { base: csl_ir::AddrBase::Slot(slot), offset: 0 };
            let place = Place { ty, is_const: false, kind: PlaceKind::Mem(addr) };
            self.store(&place, value, decl.span)?;
        }
        Ok(Binding::Slot { ty, slot, is_const })
    }
}

fn is_branching(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::If(_) | ExprKind::Switch(_))
}
