//! Evaluates type expressions.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{FieldTy, FnTy, Packing, Ty, TypeKind, TypedValue, Value};
use csl_syntax::ast::{self, Aggregate, AggregateKind, EnumType, Expr, ExprKind, FnKind};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::context::{Res, Sema};
use crate::value::int_of;

/// Types whose values exist at comptime alone.
const NEVER_IN_MEMORY: [Ty; 5] = [Ty::COMPTIME_INT, Ty::COMPTIME_FLOAT, Ty::TYPE, Ty::COMPTIME_STRING, Ty::MODULE];

/// The greatest number of elements of an array: far above any memory of a PE, and no danger to ours.
const MOST_ELEMENTS: u64 = 1 << 28;

impl Sema<'_> {
    /// The type that an expression of type `type` yields.
    pub fn eval_type(&mut self, expr: &Expr) -> Res<Ty> {
        let value = self.at_comptime(expr.span, |s| s.eval(expr))?;
        match value.as_const().map(|v| &v.value) {
            Some(Value::Type(ty)) => Ok(*ty),
            // `{}` never stands where a type is wanted; a `void` value comes from a builtin that failed.
            _ => {
                let shown = self.show(value.ty());
                let message = format!("expected a type, got a value of type `{shown}`");
                let diagnostic = Diagnostic::new(Code::NotAType, expr.span, message);
                // `x ** 2` is `x` times a pointer type.
                let before = self.map.text(expr.span.file).get(..expr.span.lo as usize).unwrap_or_default();
                let is_power = before.trim_end().ends_with("**");
                let help = "there is no operator for powers; `<math>` has `pow`";
                Err(self.fail(if is_power { diagnostic.help(help) } else { diagnostic }))
            }
        }
    }

    pub fn eval_type_expr(&mut self, expr: &Expr) -> Res<Ty> {
        match &expr.kind {
            ExprKind::ArrayType { dims, elem } => self.array_type(dims, elem, expr.span),
            ExprKind::PtrType { many, is_const, elem } => {
                let pointee = self.eval_type(elem)?;
                if NEVER_IN_MEMORY.contains(&pointee) {
                    let message = format!("no pointer can point at a value of type `{}`", self.show(pointee));
                    return Err(self.error(Code::BadType, elem.span, message));
                }
                Ok(self.types.ptr(*many, *is_const, pointee))
            }
            ExprKind::FnType { kind, params, ret } => self.fn_type_expr(*kind, params, ret),
            ExprKind::Aggregate(node) => self.aggregate_type(node, expr.span),
            ExprKind::Enum(node) => self.enum_type(node, expr.span),
            _ => self.eval_type(expr),
        }
    }

    fn array_type(&mut self, dims: &[Expr], elem: &Expr, span: Span) -> Res<Ty> {
        let mut sizes = Vec::with_capacity(dims.len());
        for dim in dims {
            sizes.push(self.dimension(dim)?);
        }
        let count = sizes.iter().try_fold(1u64, |n, &size| n.checked_mul(size));
        if count.is_none_or(|n| n > MOST_ELEMENTS) {
            return Err(self.error(Code::BadType, span, format!("an array can have {MOST_ELEMENTS} elements at most")));
        }
        let elem = self.eval_type(elem)?;
        if matches!(self.types.kind(elem), TypeKind::Array { .. }) {
            let diagnostic =
                Diagnostic::new(Code::BadType, span, "the element type of an array cannot be another array");
            return Err(self.fail(diagnostic.help("write all sizes in one pair of brackets: [rows, columns]T")));
        }
        if elem == Ty::ANYOPAQUE {
            return Err(self.error(Code::BadType, span, "anyopaque can only be used behind a pointer"));
        }
        Ok(self.types.array(sizes, elem))
    }

    fn dimension(&mut self, dim: &Expr) -> Res<u64> {
        let value = self.eval_const(dim)?;
        match int_of(&value).map(|n| n.to_u64()) {
            Some(Some(size)) if size <= MOST_ELEMENTS => Ok(size),
            Some(_) => {
                let shown = crate::value::show(&self.types, &value);
                Err(self.error(Code::BadType, dim.span, format!("{shown} is not a possible array size")))
            }
            None => {
                let shown = self.show(value.ty);
                Err(self.error(
                    Code::TypeMismatch,
                    dim.span,
                    format!("an array size must be an integer, got: `{shown}`"),
                ))
            }
        }
    }

    fn fn_type_expr(&mut self, kind: FnKind, params: &[ast::Param], ret: &Expr) -> Res<Ty> {
        let mut types = Vec::with_capacity(params.len());
        for param in params {
            match &param.ty {
                Some(ty) => types.push(self.eval_type(ty)?),
                None => {
                    return Err(self.error(
                        Code::BadType,
                        param.span,
                        "a function type cannot have anytype parameters",
                    ));
                }
            }
        }
        let ret = self.eval_type(ret)?;
        let is_generic = params.iter().any(|p| p.is_comptime);
        Ok(self.types.intern(TypeKind::Fn(FnTy { is_task: kind == FnKind::Task, params: types, ret, is_generic })))
    }

    fn aggregate_type(&mut self, node: &Aggregate, site: Span) -> Res<Ty> {
        let mut fields: Vec<FieldTy> = Vec::with_capacity(node.fields.len());
        for field in &node.fields {
            let name = field.name.name.as_str();
            if fields.iter().any(|f| f.name == name) {
                return Err(self.error(Code::Redeclared, field.name.span, format!("field `{name}` is declared twice")));
            }
            let ty = self.eval_type(&field.ty)?;
            if ty == Ty::ANYOPAQUE {
                return Err(self.error(Code::BadType, field.span, "anyopaque can only be used behind a pointer"));
            }
            self.check_field(node, ty, &fields, field.span)?;
            fields.push(FieldTy { name, ty });
        }
        let packing = match node.packing {
            ast::Packing::Default => Packing::Default,
            ast::Packing::Extern => Packing::Extern,
            ast::Packing::Packed => Packing::Packed,
        };
        let kind = match node.kind {
            AggregateKind::Struct => TypeKind::Struct { site, packing, fields },
            AggregateKind::Union => TypeKind::Union { site, packing, fields },
        };
        self.aggregate_of(kind, site)
    }

    /// Checks a field of a packed or extern type.
    fn check_field(&mut self, node: &Aggregate, ty: Ty, before: &[FieldTy], span: Span) -> Res<()> {
        let shown = self.show(ty);
        let message = match node.packing {
            ast::Packing::Default => return Ok(()),
            ast::Packing::Extern if self.is_exportable(ty) => return Ok(()),
            ast::Packing::Extern => format!("a field of type `{shown}` cannot stand in an extern struct or union"),
            ast::Packing::Packed => match (csl_ir::bits_of(&self.types, ty), before.first()) {
                (None, _) => format!("a field of type `{shown}` cannot be packed"),
                (bits, Some(first)) if node.kind == AggregateKind::Union => {
                    if bits == csl_ir::bits_of(&self.types, first.ty) {
                        return Ok(());
                    }
                    "all fields of a packed union have the same number of bits".to_string()
                }
                _ => return Ok(()),
            },
        };
        Err(self.error(Code::BadType, span, message))
    }

    fn enum_type(&mut self, node: &EnumType, site: Span) -> Res<Ty> {
        let base = match &node.base {
            Some(base) => self.eval_type(base)?,
            // The guide's enums without a type hold small numbers.
            None => Ty::I16,
        };
        if !matches!(self.types.kind(base), TypeKind::Int { .. }) {
            let shown = self.show(base);
            return Err(self.error(
                Code::BadType,
                site,
                format!("the base of an enum must be an integer type, got: `{shown}`"),
            ));
        }
        let members = self.enum_members(node, base)?;
        Ok(self.types.intern(TypeKind::Enum { site, base, members }))
    }

    /// The members of an enum. Those without a number take the free ones from zero on, in order.
    fn enum_members(&mut self, node: &EnumType, base: Ty) -> Res<Vec<(csl_ir::Name, BigInt)>> {
        let given = self.given_numbers(node, base)?;
        let mut members: Vec<(csl_ir::Name, BigInt)> = Vec::with_capacity(node.members.len());
        let mut next = BigInt::from(0);
        for (member, number) in node.members.iter().zip(&given) {
            let name = member.name.name.as_str();
            if let Some(first) = node.members[..members.len()].iter().find(|m| m.name.name == member.name.name) {
                let message = format!("enum member `{name}` is declared twice");
                let diagnostic = Diagnostic::new(Code::Redeclared, member.name.span, message);
                return Err(self.fail(diagnostic.secondary(first.name.span, "first declared here")));
            }
            let number = match number {
                Some(number) => number.clone(),
                None => {
                    while given.iter().flatten().any(|g| *g == next) {
                        next += 1;
                    }
                    let free = TypedValue::int(Ty::COMPTIME_INT, next.clone());
                    self.coerce_const(free, base, member.name.span)?;
                    next += 1;
                    &next - 1
                }
            };
            members.push((name, number));
        }
        Ok(members)
    }

    fn given_numbers(&mut self, node: &EnumType, base: Ty) -> Res<Vec<Option<BigInt>>> {
        let mut given: Vec<Option<BigInt>> = Vec::with_capacity(node.members.len());
        for member in &node.members {
            let Some(expr) = &member.value else {
                given.push(None);
                continue;
            };
            let value = self.eval_const_as(expr, base)?;
            let number = int_of(&value).cloned();
            if let Some(at) = given.iter().position(|g| g.is_some() && *g == number) {
                let first = node.members[at].name;
                let message = format!("enum member `{}` has the number of `{}`", member.name.name, first.name);
                let diagnostic = Diagnostic::new(Code::Redeclared, expr.span, message);
                return Err(self.fail(diagnostic.secondary(first.span, "declared here")));
            }
            given.push(number);
        }
        Ok(given)
    }

    /// Whether values of the type exist at comptime only.
    pub fn is_comptime_only(&self, ty: Ty) -> bool {
        match self.types.kind(ty) {
            TypeKind::ComptimeInt
            | TypeKind::ComptimeFloat
            | TypeKind::Type
            | TypeKind::ComptimeString
            | TypeKind::ComptimeStruct
            | TypeKind::Module
            | TypeKind::Dsr(_)
            | TypeKind::Fn(_) => true,
            TypeKind::Dsd(kind) => *kind == csl_ir::DsdKind::Fifo,
            TypeKind::Float(kind) => *kind != csl_num::FloatKind::F32 && *kind != self.options.fp16,
            TypeKind::Array { elem, .. } => self.is_comptime_only(*elem),
            TypeKind::Anon { types, .. } => types.iter().any(|&t| self.is_comptime_only(t)),
            TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => {
                fields.iter().any(|f| self.is_comptime_only(f.ty))
            }
            _ => false,
        }
    }
}
