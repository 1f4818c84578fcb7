//! Tensor access expressions, `|i, j|{M, N} -> A[i, j]`.

use std::sync::Arc;

use csl_diag::{Code, Span};
use csl_ir::{Ty, TypeKind, TypedValue, Value};
use csl_syntax::Symbol;
use csl_syntax::ast::{BinOp, Expr, ExprKind, TensorAccess, UnOp};
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};

use crate::context::{Res, Sema, Stop};
use crate::operand::Operand;
use crate::value::int_of;

impl Sema<'_> {
    /// Evaluates `|i, j|{M, N} -> A[i, j]` to the struct that it stands for in the guide.
    pub fn eval_tensor_access(&mut self, access: &TensorAccess, span: Span) -> Res<Operand> {
        if access.vars.len() != access.extents.len() {
            let message = format!("{} induction variables but {} lengths", access.vars.len(), access.extents.len());
            return Err(self.error(Code::ArgumentCount, span, message));
        }
        let mut extents = Vec::with_capacity(access.extents.len());
        for extent in &access.extents {
            extents.push(self.eval_const_as(extent, Ty::U16)?);
        }
        let (base, dims) = self.tensor_base(&access.base)?;
        if dims.len() != access.indices.len() {
            let message = format!("the tensor has {} dimensions, got {} indices", dims.len(), access.indices.len());
            return Err(self.error(Code::ArgumentCount, span, message));
        }
        let vars: Vec<Symbol> = access.vars.iter().map(|v| v.name).collect();
        let mut flat = Affine::constant(BigInt::zero(), vars.len());
        for (index, dim) in access.indices.iter().zip(&dims) {
            let index = self.affine(index, &vars)?;
            flat = flat.scaled(&BigInt::from(*dim)).plus(&index);
        }
        self.access_struct(base, flat, extents, span)
    }

    fn tensor_base(&mut self, base: &Expr) -> Res<(Operand, Vec<u64>)> {
        let place = self.eval_place(base)?;
        match self.types.kind(place.ty).clone() {
            TypeKind::Array { dims, .. } => Ok((self.address_of_expr(place, base)?, dims)),
            TypeKind::Ptr { many, elem, .. } => {
                let pointer = self.load(place, base.span)?;
                let dims = match self.types.kind(elem).clone() {
                    TypeKind::Array { dims, .. } if !many => dims,
                    _ => vec![0],
                };
                Ok((pointer, dims))
            }
            _ => {
                let shown = self.show(place.ty);
                Err(self.error(
                    Code::BadOperand,
                    base.span,
                    format!("a tensor access needs an array or a pointer to one, got: `{shown}`"),
                ))
            }
        }
    }

    /// The struct of an access: strides innermost first, each with the reset of the loops inside it.
    fn access_struct(&mut self, base: Operand, flat: Affine, extents: Vec<TypedValue>, span: Span) -> Res<Operand> {
        let lengths: Vec<BigInt> = extents.iter().map(|e| int_of(e).cloned().unwrap_or_default()).collect();
        let mut strides = Vec::with_capacity(lengths.len());
        let mut reset = BigInt::zero();
        for (coefficient, length) in flat.coefficients.iter().zip(&lengths).rev() {
            strides.push(coefficient - &reset);
            reset += coefficient * (length - 1u8);
        }
        let stride_ty = if lengths.len() == 1 { Ty::I8 } else { Ty::I16 };
        let mut stride_values = Vec::with_capacity(strides.len());
        for stride in strides {
            // A one-dimensional stride is an i8 in the guide; published programs go beyond, as the register does.
            let ty = if stride_ty == Ty::I8 && stride.to_i8().is_none() { Ty::I16 } else { stride_ty };
            stride_values.push(self.coerce_const(TypedValue::int(Ty::COMPTIME_INT, stride), ty, span)?);
        }
        let offset = self.coerce_const(TypedValue::int(Ty::COMPTIME_INT, flat.constant), Ty::I16, span)?;
        let strides = self.tuple_value(stride_values);
        let extents = self.tuple_value(extents);
        let parts = vec![base, offset.into(), strides.into(), extents.into()];
        let names = Some(vec!["base_address", "offset", "stride", "extent"]);
        let ty = TypeKind::Anon { names, types: parts.iter().map(Operand::ty).collect() };
        let ty = self.types.intern(ty);
        self.make_struct(ty, parts, span)
    }

    fn tuple_value(&mut self, values: Vec<TypedValue>) -> TypedValue {
        let ty = self.types.tuple(values.iter().map(|v| v.ty).collect());
        TypedValue::new(ty, Value::Struct(Arc::new(values.into_iter().map(|v| v.value).collect())))
    }

    /// An index of a tensor access: a sum of multiples of the induction variables and a comptime number.
    fn affine(&mut self, expr: &Expr, vars: &[Symbol]) -> Res<Affine> {
        match &expr.kind {
            ExprKind::Name(name) if vars.contains(name) => {
                let at = vars.iter().position(|v| v == name).expect("it is contained");
                Ok(Affine::variable(at, vars.len()))
            }
            _ if !mentions(expr, vars) => {
                let value = self.eval_const(expr)?;
                match int_of(&value) {
                    Some(number) => Ok(Affine::constant(number.clone(), vars.len())),
                    None => Err(self.mismatch(value.ty, Ty::COMPTIME_INT, expr.span)),
                }
            }
            ExprKind::Unary { op: UnOp::Neg, operand } => Ok(self.affine(operand, vars)?.scaled(&BigInt::from(-1))),
            ExprKind::Binary { op: BinOp::Add, lhs, rhs } => {
                let (lhs, rhs) = (self.affine(lhs, vars)?, self.affine(rhs, vars)?);
                Ok(lhs.plus(&rhs))
            }
            ExprKind::Binary { op: BinOp::Sub, lhs, rhs } => {
                let (lhs, rhs) = (self.affine(lhs, vars)?, self.affine(rhs, vars)?);
                Ok(lhs.plus(&rhs.scaled(&BigInt::from(-1))))
            }
            ExprKind::Binary { op: BinOp::Mul, lhs, rhs } => {
                let (lhs, rhs) = (self.affine(lhs, vars)?, self.affine(rhs, vars)?);
                match (lhs.as_constant(), rhs.as_constant()) {
                    (Some(factor), _) => Ok(rhs.scaled(factor)),
                    (_, Some(factor)) => Ok(lhs.scaled(factor)),
                    _ => Err(self.not_affine(expr.span)),
                }
            }
            _ => Err(self.not_affine(expr.span)),
        }
    }

    fn not_affine(&mut self, span: Span) -> Stop {
        self.error(
            Code::BadOperand,
            span,
            "an index of a tensor access must be an affine expression of the induction variables",
        )
    }
}

/// Whether an affine expression names one of `vars`.
fn mentions(expr: &Expr, vars: &[Symbol]) -> bool {
    match &expr.kind {
        ExprKind::Name(name) => vars.contains(name),
        ExprKind::Unary { operand, .. } => mentions(operand, vars),
        ExprKind::Binary { lhs, rhs, .. } => mentions(lhs, vars) || mentions(rhs, vars),
        ExprKind::Builtin { args, .. } => args.iter().any(|a| mentions(a, vars)),
        ExprKind::Call { args, .. } => args.iter().any(|a| mentions(a, vars)),
        _ => false,
    }
}

/// `constant + sum of coefficients[i] * variable[i]`
#[derive(Clone, Debug)]
struct Affine {
    constant: BigInt,
    coefficients: Vec<BigInt>,
}

impl Affine {
    fn constant(constant: BigInt, vars: usize) -> Affine {
        Affine { constant, coefficients: vec![BigInt::zero(); vars] }
    }

    fn variable(at: usize, vars: usize) -> Affine {
        let mut affine = Affine::constant(BigInt::zero(), vars);
        affine.coefficients[at] = BigInt::from(1);
        affine
    }

    fn as_constant(&self) -> Option<&BigInt> {
        self.coefficients.iter().all(Zero::is_zero).then_some(&self.constant)
    }

    fn scaled(mut self, factor: &BigInt) -> Affine {
        self.constant *= factor;
        self.coefficients.iter_mut().for_each(|c| *c *= factor);
        self
    }

    fn plus(mut self, other: &Affine) -> Affine {
        self.constant += &other.constant;
        self.coefficients.iter_mut().zip(&other.coefficients).for_each(|(a, b)| *a += b);
        self
    }
}
