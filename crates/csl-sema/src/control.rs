//! `if`, blocks, `return`, `break`, `continue`, and the join of values from several branches.

use csl_diag::{Code, Diagnostic, Reported, Span};
use csl_ir::{BlockId, Inst, Opnd, Term, Ty};
use csl_syntax::Symbol;
use csl_syntax::ast::{Block, Expr, Ident, If};

use crate::context::{Mode, Res, Sema, Stop, Target, TargetBlocks, Wanted};
use crate::operand::{Operand, Place, PlaceKind};

/// A value at the end of a block that is still open.
pub type Exit = (BlockId, Operand, Span);

impl Sema<'_> {
    pub fn eval_if(&mut self, node: &If, wanted: Wanted, span: Span) -> Res<Operand> {
        let cond = self.eval_as(&node.cond, Ty::BOOL)?;
        if let Some(known) = cond.as_bool() {
            return match (known, &node.otherwise) {
                (true, _) => self.eval_branch(&node.then, wanted),
                (false, Some(otherwise)) => self.eval_branch(otherwise, wanted),
                (false, None) => Ok(Operand::void()),
            };
        }
        let cond = self.opnd(&cond, node.cond.span)?;
        let code = self.code(span)?;
        let [then, otherwise] = code.new_blocks();
        code.terminate(Term::Branch { cond, then, otherwise }, span);
        let mut exits = Vec::new();
        let then = self.eval_arm(then, Some(&node.then), wanted, span, &mut exits)?;
        let otherwise = self.eval_arm(otherwise, node.otherwise.as_ref(), wanted, span, &mut exits)?;
        let joined = self.join(exits, wanted, span);
        then.and(otherwise)?;
        joined
    }

    fn eval_branch(&mut self, branch: &Expr, wanted: Wanted) -> Res<Operand> {
        self.scoped(|s| s.eval_wanted(branch, wanted))
    }

    /// Evaluates a branch that may not be taken. An error in it does not keep the other branches from being evaluated.
    pub fn eval_arm(
        &mut self,
        block: BlockId,
        body: Option<&Expr>,
        wanted: Wanted,
        span: Span,
        exits: &mut Vec<Exit>,
    ) -> Res<Result<(), Reported>> {
        self.code(span)?.switch_to(block);
        let Some(body) = body else {
            exits.push((block, Operand::void(), span));
            return Ok(Ok(()));
        };
        match self.under_runtime_control(|s| s.eval_branch(body, wanted)) {
            Ok(value) => {
                let end = self.code(span)?.current();
                exits.push((end, value, body.span));
                Ok(Ok(()))
            }
            Err(Stop::Diverged) => Ok(Ok(())),
            Err(Stop::Error(reported)) => Ok(Err(reported)),
            Err(stop) => Err(stop),
        }
    }

    /// Evaluates code that run-time control flow may skip or repeat.
    pub fn under_runtime_control<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        self.frame.runtime_depth += 1;
        let result = f(self);
        self.frame.runtime_depth -= 1;
        result
    }

    /// Joins several branches: their common value, in a block where emission continues.
    pub fn join(&mut self, exits: Vec<Exit>, wanted: Wanted, span: Span) -> Res<Operand> {
        if exits.is_empty() {
            return Err(Stop::Diverged);
        }
        if let [(block, value, _)] = &exits[..] {
            self.code(span)?.switch_to(*block);
            return Ok(value.clone());
        }
        let ty = self.join_type(&exits, wanted)?;
        let join = self.code(span)?.new_block();
        let result = self.join_result(ty, span)?;
        for (block, value, at) in exits {
            self.code(span)?.switch_to(block);
            if let Some(place) = &result {
                self.store(place, value, at)?;
            }
            self.code(at)?.terminate(Term::Jump(join), at);
        }
        self.code(span)?.switch_to(join);
        match result {
            Some(place) => self.load(place, span),
            None => Ok(Operand::void()),
        }
    }

    /// The type of a join. As a statement, an `if` or `switch` drops the values of its branches, each of its own type.
    fn join_type(&mut self, exits: &[Exit], wanted: Wanted) -> Res<Ty> {
        let values: Vec<(Operand, Span)> = exits.iter().map(|e| (e.1.clone(), e.2)).collect();
        let is_untyped = |value: &Operand| matches!(value.ty(), Ty::COMPTIME_INT | Ty::COMPTIME_FLOAT);
        match wanted {
            Wanted::Type(Ty::VOID) => Ok(Ty::VOID),
            Wanted::Type(ty) if values.iter().all(|v| v.0.ty() != Ty::VOID) => Ok(ty),
            Wanted::Near(ty) if values.iter().all(|v| is_untyped(&v.0)) => Ok(ty),
            _ => self.peer(&values),
        }
    }

    /// A variable that holds the common value; `None` for `void`.
    fn join_result(&mut self, ty: Ty, span: Span) -> Res<Option<Place>> {
        if ty == Ty::VOID {
            return Ok(None);
        }
        if self.is_comptime_only(ty) {
            return Err(self.comptime_only(ty, span));
        }
        Ok(Some(match self.scalar(ty) {
            Some(scalar) => {
                let reg = self.code(span)?.new_reg(scalar);
                Place { ty, is_const: false, kind: PlaceKind::Reg(reg) }
            }
            None => self.temporary(ty, "", span)?,
        }))
    }

    pub fn eval_block(&mut self, label: Option<Ident>, body: &Block, wanted: Wanted) -> Res<Operand> {
        let Some(label) = label else {
            return self.eval_stmts(body).map(|()| Operand::void());
        };
        self.check_label(label)?;
        let blocks = self.runtime().map(|_| TargetBlocks { next: None, exit: None });
        let index = self.push_target(Some(label.name), false, blocks, wanted);
        let result = self.eval_stmts(body);
        let target = self.pop_target();
        self.finish_block(result, target, index, body.span)
    }

    fn finish_block(&mut self, result: Res<()>, mut target: Target, index: usize, span: Span) -> Res<Operand> {
        match result {
            Err(Stop::Break(to)) if to == index => return Ok(target.value.unwrap_or_else(Operand::void)),
            Err(Stop::Diverged) | Ok(()) => {}
            Err(stop) => return Err(stop),
        }
        if target.blocks.is_none() {
            return Ok(Operand::void());
        }
        if result.is_ok() {
            if let Some((_, value, at)) = target.exits.iter().find(|e| e.1.ty() != Ty::VOID) {
                return Err(self.value_of_open_block(value.ty(), *at, span));
            }
            let end = self.code(span)?.current();
            target.exits.push((end, Operand::void(), span));
        }
        self.join(target.exits, target.wanted, span)
    }

    fn value_of_open_block(&mut self, ty: Ty, at: Span, block: Span) -> Stop {
        let message = format!("expected type `void`, got: `{}`", self.show(ty));
        let diagnostic =
            Diagnostic::new(Code::TypeMismatch, at, message).secondary(block, "this block has type `void`");
        self.fail(diagnostic.note("control flow may reach the end of the block without a break"))
    }

    pub fn check_label(&mut self, label: Ident) -> Res<()> {
        if self.frame.targets.iter().any(|t| t.label == Some(label.name)) {
            return Err(self.error(Code::Redeclared, label.span, format!("redefinition of label `{}`", label.name)));
        }
        Ok(())
    }

    pub fn push_target(
        &mut self,
        label: Option<Symbol>,
        is_loop: bool,
        blocks: Option<TargetBlocks>,
        wanted: Wanted,
    ) -> usize {
        let targets = &mut self.frame.targets;
        targets.push(Target { label, is_loop, blocks, exits: Vec::new(), value: None, wanted, continued: false });
        targets.len() - 1
    }

    pub fn pop_target(&mut self) -> Target {
        self.frame.targets.pop().expect("every pop follows its push")
    }

    /// `return value`
    pub fn eval_return(&mut self, value: Option<&Expr>, span: Span) -> Res<Operand> {
        let Some(ret_ty) = self.frame.ret_ty else {
            return Err(self.error(Code::WrongContext, span, "`return` outside of a function"));
        };
        let operand = match value {
            Some(expr) => self.eval_as(expr, ret_ty)?,
            None if ret_ty == Ty::VOID => Operand::void(),
            None => {
                let shown = self.show(ret_ty);
                return Err(self.error(Code::TypeMismatch, span, format!("expected a return value of type `{shown}`")));
            }
        };
        if let Some(index) = self.frame.inline_target {
            return self.leave(index, operand, span);
        }
        if let Mode::Comptime { ret } = &mut self.frame.mode {
            if !operand.is_const() {
                return Err(self.not_comptime(span));
            }
            *ret = Some(operand);
            return Err(Stop::Return);
        }
        self.emit_return(operand, span)?;
        Err(Stop::Diverged)
    }

    pub fn emit_return(&mut self, operand: Operand, span: Span) -> Res<()> {
        let ty = operand.ty();
        let value = match self.scalar(ty) {
            Some(_) => Some(self.opnd(&operand, span)?),
            None if ty == Ty::VOID => None,
            None => {
                // The first parameter is the address at which the caller wants an aggregate.
                let addr = csl_ir::Addr { base: csl_ir::AddrBase::Reg(csl_ir::Reg::new(0)), offset: 0 };
                let place = Place { ty, is_const: false, kind: PlaceKind::Mem(addr) };
                self.store(&place, operand, span)?;
                None
            }
        };
        self.code(span)?.terminate(Term::Return(value), span);
        Ok(())
    }

    pub fn eval_break(&mut self, label: Option<Ident>, value: Option<&Expr>, span: Span) -> Res<Operand> {
        let index = self.find_target(label, "break", span)?;
        let wanted = self.frame.targets[index].wanted;
        let operand = match value {
            Some(expr) => self.eval_wanted(expr, wanted)?,
            None => Operand::void(),
        };
        let target = &self.frame.targets[index];
        if target.is_loop && operand.ty() != Ty::VOID {
            return Err(self.error(Code::BadLabel, span, "a loop has no value to break with"));
        }
        self.leave(index, operand, value.map_or(span, |v| v.span))
    }

    /// Leaves the target with a value: at once, or in emitted code.
    fn leave(&mut self, index: usize, operand: Operand, span: Span) -> Res<Operand> {
        let Some(blocks) = self.frame.targets[index].blocks else {
            self.frame.targets[index].value = Some(operand);
            return Err(Stop::Break(index));
        };
        let Some(code) = self.runtime() else {
            return Err(self.error(Code::WrongContext, span, "comptime control flow cannot leave a run-time block"));
        };
        match blocks.exit {
            Some(exit) => code.terminate(Term::Jump(exit), span),
            None => {
                let from = code.current();
                let operand = self.pin(operand, span)?;
                self.frame.targets[index].exits.push((from, operand, span));
            }
        }
        Err(Stop::Diverged)
    }

    pub fn eval_continue(&mut self, label: Option<Ident>, span: Span) -> Res<Operand> {
        let index = self.find_target(label, "continue", span)?;
        let target = &mut self.frame.targets[index];
        if !target.is_loop {
            return Err(self.error(Code::BadLabel, span, "`continue` needs a loop; this label names a block"));
        }
        target.continued = true;
        match target.blocks.and_then(|b| b.next) {
            None => Err(Stop::Continue(index)),
            Some(next) => {
                self.code(span)?.terminate(Term::Jump(next), span);
                Err(Stop::Diverged)
            }
        }
    }

    fn find_target(&mut self, label: Option<Ident>, what: &str, span: Span) -> Res<usize> {
        let targets = &self.frame.targets;
        let found = match label {
            Some(label) => targets.iter().rposition(|t| t.label == Some(label.name)),
            None => targets.iter().rposition(|t| t.is_loop),
        };
        let diagnostic = match (found, label) {
            (Some(index), _) => return Ok(index),
            (None, Some(label)) => Diagnostic::new(
                Code::BadLabel,
                label.span,
                format!("no enclosing block or loop is labelled `{}`", label.name),
            ),
            (None, None) => Diagnostic::new(Code::BadLabel, span, format!("`{what}` outside of a loop")),
        };
        Err(self.fail(diagnostic))
    }

    /// A register that starts as `value`.
    pub fn emit_copy(&mut self, ty: Ty, value: Opnd, span: Span) -> Res<csl_ir::Reg> {
        let Some(scalar) = self.scalar(ty) else { return Err(self.comptime_only(ty, span)) };
        let dst = self.code(span)?.new_reg(scalar);
        self.emit(Inst::Copy { dst, src: value }, span)?;
        Ok(dst)
    }
}
