//! Evaluates expressions: dispatch, names and literals.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Ty, TypedValue, Value};
use csl_machine::Direction;
use csl_syntax::Symbol;
use csl_syntax::ast::{Expr, ExprKind, UnOp};

use crate::context::{Binding, Mode, Res, Sema, Stop, Wanted};
use crate::emit::FuncBuilder;
use crate::operand::{Operand, Place, PlaceKind};
use crate::unit::GlobalItem;

impl Sema<'_> {
    /// The value of an expression.
    pub fn eval(&mut self, expr: &Expr) -> Res<Operand> {
        self.eval_expecting(expr, None)
    }

    /// The value of an expression in a context that expects a type; the result may still need coercion.
    pub fn eval_expecting(&mut self, expr: &Expr, expected: Option<Ty>) -> Res<Operand> {
        self.eval_wanted(expr, expected.into())
    }

    pub fn eval_wanted(&mut self, expr: &Expr, wanted: Wanted) -> Res<Operand> {
        // Expressions nest as deeply as the parser allows, and each level takes several stack frames.
        stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || self.eval_kind(expr, wanted))
    }

    fn eval_kind(&mut self, expr: &Expr, wanted: Wanted) -> Res<Operand> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Int(number) => Ok(TypedValue::int(Ty::COMPTIME_INT, number.clone()).into()),
            ExprKind::Float(number) => Ok(TypedValue::new(Ty::COMPTIME_FLOAT, Value::Float(number.to_bits())).into()),
            ExprKind::Char(code) => Ok(TypedValue::int(Ty::COMPTIME_INT, *code).into()),
            ExprKind::Str(bytes) => Ok(TypedValue::str(bytes).into()),
            ExprKind::Bool(value) => Ok(Operand::bool(*value)),
            ExprKind::Name(_) | ExprKind::Field { .. } | ExprKind::Index { .. } | ExprKind::Deref(_) => {
                let place = self.eval_place(expr)?;
                self.load(place, span)
            }
            ExprKind::Builtin { name, args } => self.builtin(name, args, span),
            ExprKind::Call { callee, args } => self.eval_call(callee, args, span),
            ExprKind::AddrOf(inner) => {
                let place = self.eval_place(inner)?;
                self.address_of_expr(place, inner)
            }
            ExprKind::Unary { op, operand } => self.eval_unary(*op, operand, wanted, span),
            ExprKind::Binary { op, lhs, rhs } => self.eval_binary(*op, lhs, rhs, wanted, span),
            ExprKind::Comptime(inner) => self.eval_forced(inner, wanted),
            ExprKind::If(node) => self.eval_if(node, wanted, span),
            ExprKind::For(node) => self.eval_for(node, span),
            ExprKind::While(node) => self.eval_while(node, span),
            ExprKind::Switch(node) => self.eval_switch(node, wanted, span),
            ExprKind::Block { label, body } => self.eval_block(*label, body, wanted),
            ExprKind::Return(value) => self.eval_return(value.as_deref(), span),
            ExprKind::Break { label, value } => self.eval_break(*label, value.as_deref(), span),
            ExprKind::Continue { label } => self.eval_continue(*label, span),
            ExprKind::StructInit { ty, fields } => {
                let expected = wanted.ty();
                self.once(expr, expected, |s| s.eval_struct_init(ty.as_deref(), fields, expected, span))
            }
            ExprKind::Tuple(elems) => self.once(expr, wanted.ty(), |s| s.eval_tuple(elems, wanted.ty(), span)),
            ExprKind::ArrayInit { ty, elems } => self.eval_array_init(ty, elems, span),
            ExprKind::TensorAccess(access) => self.eval_tensor_access(access, span),
            ExprKind::ArrayType { .. }
            | ExprKind::PtrType { .. }
            | ExprKind::FnType { .. }
            | ExprKind::Aggregate(_)
            | ExprKind::Enum(_) => self.eval_type_expr(expr).map(Operand::of_type),
            ExprKind::Asm(_) => Err(self.error(
                Code::NotImplemented,
                span,
                "inline assembly is not supported: Waferlab runs CSL, not machine code",
            )),
            ExprKind::Error => Err(self.syntax_error(self.frame.module, span)),
        }
    }

    /// Evaluates a struct or tuple. One of literals alone has the same value whenever it is met again.
    fn once(
        &mut self,
        expr: &Expr,
        expected: Option<Ty>,
        eval: impl FnOnce(&mut Self) -> Res<Operand>,
    ) -> Res<Operand> {
        let key = (self.frame.module, expr.span, expected);
        if let Some(known) = self.unit.literals.get(&key) {
            return Ok(known.clone().into());
        }
        let value = eval(self)?;
        if let Operand::Const(known) = &value
            && self.is_literal(expr)
        {
            self.unit.literals.insert(key, known.clone());
        }
        Ok(value)
    }

    /// Whether an expression consists of literals and names of the language.
    fn is_literal(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Char(_) | ExprKind::Str(_) | ExprKind::Bool(_) => true,
            ExprKind::Name(name) => {
                let declared = &self.unit.modules[self.frame.module].items;
                self.find_local(*name).is_none() && !declared.contains_key(name)
            }
            ExprKind::Unary { operand, .. } => self.is_literal(operand),
            ExprKind::StructInit { ty: None, fields } => fields.iter().all(|field| self.is_literal(&field.value)),
            ExprKind::Tuple(elems) => elems.iter().all(|elem| self.is_literal(elem)),
            _ => false,
        }
    }

    /// The value of an expression as one of type `ty`.
    pub fn eval_as(&mut self, expr: &Expr, ty: Ty) -> Res<Operand> {
        let value = self.eval_expecting(expr, Some(ty))?;
        self.coerce(value, ty, expr.span)
    }

    /// The comptime-known value of an expression. It is evaluated in the frame's mode, so that a name may be a run-time
    /// variable of which only the type or address matters; the result must be known.
    pub fn eval_const(&mut self, expr: &Expr) -> Res<TypedValue> {
        let value = self.at_comptime(expr.span, |s| s.eval(expr))?;
        self.known(value, expr.span)
    }

    pub fn eval_const_as(&mut self, expr: &Expr, ty: Ty) -> Res<TypedValue> {
        let value = self.at_comptime(expr.span, |s| s.eval_expecting(expr, Some(ty)))?;
        let value = self.known(value, expr.span)?;
        self.coerce_const(value, ty, expr.span)
    }

    fn known(&mut self, value: Operand, span: Span) -> Res<TypedValue> {
        match value {
            Operand::Const(value) => Ok(value),
            _ => Err(self.not_comptime(span)),
        }
    }

    /// The type of an expression, without its effects.
    pub fn type_of_expr(&mut self, expr: &Expr) -> Res<Ty> {
        if !self.is_comptime() {
            return self.emitted_type(expr);
        }
        // The value may be known at run time only; its type is known all the same.
        let failed_before = self.unit.failed.len();
        let (result, found) = self.apart(|s| s.eval(expr));
        match result {
            Err(Stop::Error(_)) => {
                self.forget_failed(failed_before);
                self.emitted_type(expr)
            }
            result => {
                self.diagnostics.extend(found);
                result.map(|v| v.ty())
            }
        }
    }

    /// The type of the expression at run time. Its code, and the functions that only it needs, are dropped.
    fn emitted_type(&mut self, expr: &Expr) -> Res<Ty> {
        let (funcs, pending) = (self.unit.out_funcs.len(), self.unit.pending.len());
        let code = FuncBuilder::new(String::new(), expr.span, None, None);
        let result = self.in_mode(Mode::Runtime(Box::new(code)), |s| s.eval(expr));
        self.unit.instances.retain(|_, id| (id.index()) < funcs);
        self.unit.pending.truncate(pending);
        self.unit.out_funcs.truncate(funcs);
        result.map(|v| v.ty())
    }

    /// `comptime expr`: evaluated now, in any mode.
    fn eval_forced(&mut self, inner: &Expr, wanted: Wanted) -> Res<Operand> {
        if self.is_comptime() {
            return self.eval_wanted(inner, wanted);
        }
        let value = self.at_comptime(inner.span, |s| s.eval_wanted(inner, wanted))?;
        self.known(value, inner.span).map(Operand::Const)
    }

    pub fn find_local(&self, name: Symbol) -> Option<Binding> {
        let frame = &self.frame;
        let found = frame.scopes.iter().rev().flat_map(|s| s.names.iter().rev()).find(|n| n.0 == name);
        found.map(|n| n.1.clone())
    }

    /// A name that no block declares: a global, a primitive type, a direction.
    pub fn global_place(&mut self, name: Symbol, span: Span) -> Res<Place> {
        let module = self.frame.module;
        if let Some(item) = self.lookup_item(module, name)? {
            return self.item_place(item, span);
        }
        match self.primitive_value(name.as_str()) {
            Some(value) => Ok(Place { ty: value.ty, is_const: true, kind: PlaceKind::Value(value.into()) }),
            None => Err(self.unknown_name(name, span)),
        }
    }

    pub fn item_place(&mut self, item: GlobalItem, _span: Span) -> Res<Place> {
        Ok(match item {
            GlobalItem::Const { value, global: None } => {
                Place { ty: value.ty, is_const: true, kind: PlaceKind::Value(value.into()) }
            }
            GlobalItem::Const { value: TypedValue { ty, .. }, global: Some(global) } => {
                let pointer = csl_ir::Pointer { root: csl_ir::PtrRoot::Global(global), root_ty: ty, path: Vec::new() };
                Place { ty, is_const: true, kind: PlaceKind::Ptr(pointer) }
            }
            GlobalItem::Var(global) => {
                let info = &self.unit.globals[global];
                let (ty, is_const) = (info.ty, info.is_const);
                let pointer = csl_ir::Pointer { root: csl_ir::PtrRoot::Global(global), root_ty: ty, path: Vec::new() };
                Place { ty, is_const, kind: PlaceKind::Ptr(pointer) }
            }
            GlobalItem::Fn(f) => {
                let ty = self.fn_type(f)?;
                let value = TypedValue::new(ty, Value::Fn(f));
                Place { ty, is_const: true, kind: PlaceKind::Value(value.into()) }
            }
        })
    }

    fn primitive_value(&mut self, name: &str) -> Option<TypedValue> {
        if let Some(d) = Direction::ALL.iter().find(|d| d.name() == name) {
            return Some(TypedValue::int(Ty::DIRECTION, *d as u8));
        }
        self.types.primitive(name).map(TypedValue::of_type)
    }

    fn unknown_name(&mut self, name: Symbol, span: Span) -> Stop {
        if let Some(lost) = self.lost_by_syntax_error(self.frame.module, name.as_str()) {
            return lost;
        }
        let diagnostic = Diagnostic::new(Code::UnknownName, span, format!("use of undeclared identifier `{name}`"));
        let locals = self.frame.scopes.iter().flat_map(|scope| scope.names.iter().map(|known| known.0));
        let globals = self.unit.modules[self.frame.module].items.keys().copied();
        // Short names are near to `i8` and `u8` by chance.
        let types = csl_ir::Types::primitive_names().filter(|_| name.as_str().len() > 3);
        let names = locals.chain(globals).map(Symbol::as_str).chain(types);
        let diagnostic = match csl_syntax::habit(name.as_str()) {
            Some(help) => diagnostic.help(help),
            None => self.did_you_mean(diagnostic, Some(span), ("", name.as_str()), names),
        };
        self.fail(diagnostic)
    }

    /// `&inner`, where `inner` names `place`.
    pub fn address_of_expr(&mut self, place: Place, inner: &Expr) -> Res<Operand> {
        // `&x` of a constant global gives it an address.
        if let PlaceKind::Value(Operand::Const(_)) = &place.kind
            && let Some(place) = self.stored_const(inner)?
        {
            return self.address_of(place, inner.span);
        }
        self.address_of(place, inner.span)
    }

    fn eval_unary(&mut self, op: UnOp, operand: &Expr, wanted: Wanted, span: Span) -> Res<Operand> {
        let value = self.eval_wanted(operand, wanted.of_operand())?;
        self.unary(op, value, span)
    }
}
