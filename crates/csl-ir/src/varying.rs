//! Numbers that differ between tiles which share a program, and the questions of comptime code about them.
//!
//! A layout gives most tiles params of their own: coordinates above all. An analysis for each tile would take time and
//! memory that grow with the wafer. So one tile is analysed with its params as [`Varying`] values: each has its value
//! for that tile and an [`Expr`] that computes it from any tile's params. Where comptime code depends on one (a branch,
//! a length, a color) the question and its answer go into a [`Trace`]. Every tile whose params give the same answers
//! has the same program, up to the values that only reach run-time code or data.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use csl_num::{FloatKind, FloatOp, IntOp, IntTy};
use indexmap::IndexMap;
use num_bigint::BigInt;

use crate::func::CmpOp;

/// The format of a float: that of a type, or the double that stands for `comptime_float`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FloatFormat {
    Kind(FloatKind),
    Double,
}

/// The computation of a value from the params of a tile. Floats are their raw bits.
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A param that differs between the tiles, by its number.
    Input(u32),
    Known(i64),
    /// An exact operation.
    Bin(IntOp, Arc<Expr>, Arc<Expr>),
    /// A value wrapped to a type of fixed width.
    Wrap(IntTy, Arc<Expr>),
    /// The float of an integer.
    FloatOf(FloatFormat, Arc<Expr>),
    FloatBin(FloatOp, FloatFormat, Arc<Expr>, Arc<Expr>),
    /// A float of the first format in the second.
    FloatAs(FloatFormat, FloatFormat, Arc<Expr>),
}

impl Expr {
    /// The value for a tile; `None` where it does not fit in 64 bits, or is no number at comptime.
    pub fn eval(&self, inputs: &[i64]) -> Option<i64> {
        match self {
            Expr::Input(number) => inputs.get(*number as usize).copied(),
            Expr::Known(value) => Some(*value),
            Expr::Bin(op, a, b) => binary(*op, a.eval(inputs)?, b.eval(inputs)?),
            Expr::Wrap(ty, a) => wrap(*ty, a.eval(inputs)?),
            Expr::FloatOf(format, a) => Some(float_of(*format, a.eval(inputs)?)),
            Expr::FloatBin(op, format, a, b) => float_binary(*op, *format, a.eval(inputs)?, b.eval(inputs)?),
            Expr::FloatAs(from, to, a) => float_as(*from, *to, a.eval(inputs)?),
        }
    }
}

/// Exact arithmetic as [`csl_num::big_binop`] does it, where 64 bits hold the result.
fn binary(op: IntOp, a: i64, b: i64) -> Option<i64> {
    match op {
        IntOp::Add => a.checked_add(b),
        IntOp::Sub => a.checked_sub(b),
        IntOp::Mul => a.checked_mul(b),
        IntOp::Div => a.checked_div(b),
        IntOp::Rem => a.checked_rem(b),
        IntOp::And => Some(a & b),
        IntOp::Or => Some(a | b),
        IntOp::Xor => Some(a ^ b),
        IntOp::Shl => {
            let shifted = a.checked_mul(1i64.checked_shl(u32::try_from(b).ok()?).filter(|power| *power > 0)?)?;
            Some(shifted)
        }
        IntOp::Shr => Some(a >> u32::try_from(b).ok()?.min(63)),
    }
}

fn wrap(ty: IntTy, value: i64) -> Option<i64> {
    match ty.bits {
        0..=63 => Some(csl_num::wrap64(ty, value as u64) as i64),
        _ if ty.signed || value >= 0 => Some(value),
        _ => None,
    }
}

fn float_of(format: FloatFormat, value: i64) -> i64 {
    let value = BigInt::from(value);
    let bits = match format {
        FloatFormat::Kind(kind) => csl_num::big_to_float(kind, &value),
        FloatFormat::Double => csl_num::big_to_f64(&value).to_bits(),
    };
    bits as i64
}

/// Float arithmetic as comptime code does it; `None` where that is an error.
fn float_binary(op: FloatOp, format: FloatFormat, a: i64, b: i64) -> Option<i64> {
    let kind = match format {
        FloatFormat::Kind(kind) => kind,
        FloatFormat::Double => {
            let (x, y) = (f64::from_bits(a as u64), f64::from_bits(b as u64));
            let result = match op {
                FloatOp::Add => x + y,
                FloatOp::Sub => x - y,
                FloatOp::Mul => x * y,
                FloatOp::Div if y != 0.0 => x / y,
                FloatOp::Div | FloatOp::Max => return None,
            };
            return (!result.is_nan()).then_some(result.to_bits() as i64);
        }
    };
    Some(csl_num::float_binop(op, kind, a as u64, b as u64) as i64)
}

/// A float in another format; `None` where a finite one gets too great for it.
fn float_as(from: FloatFormat, to: FloatFormat, bits: i64) -> Option<i64> {
    let wide = match from {
        FloatFormat::Kind(kind) => csl_num::to_f64(kind, bits as u64),
        FloatFormat::Double => f64::from_bits(bits as u64),
    };
    match to {
        FloatFormat::Double => Some(wide.to_bits() as i64),
        FloatFormat::Kind(kind) => {
            let narrow = csl_num::from_f64(kind, wide);
            let fits = !wide.is_finite() || csl_num::to_f64(kind, narrow).is_finite();
            fits.then_some(narrow as i64)
        }
    }
}

/// A question of comptime code about a tile's values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// The value itself.
    Value(Arc<Expr>),
    /// 1 where the two are equal, else 0.
    Equal(Arc<Expr>, Arc<Expr>),
    /// 1 where the first is less than the second, else 0.
    Less(Arc<Expr>, Arc<Expr>),
    /// 1 where the type holds the value, else 0.
    Fits(IntTy, Arc<Expr>),
    /// 1 where the computation has a result of 64 bits, else 0.
    Defined(Arc<Expr>),
}

impl Question {
    /// The answer for a tile; `None` where a value has none.
    pub fn answer(&self, inputs: &[i64]) -> Option<i64> {
        match self {
            Question::Value(expr) => expr.eval(inputs),
            Question::Equal(a, b) => Some(i64::from(a.eval(inputs)? == b.eval(inputs)?)),
            Question::Less(a, b) => Some(i64::from(a.eval(inputs)? < b.eval(inputs)?)),
            Question::Fits(ty, expr) => Some(fits(*ty, expr.eval(inputs)?)),
            Question::Defined(expr) => Some(i64::from(expr.eval(inputs).is_some())),
        }
    }
}

fn fits(ty: IntTy, value: i64) -> i64 {
    i64::from(ty.fits(&BigInt::from(value)))
}

/// The questions that an analysis has asked so far, with their answers for its tile, each once.
#[derive(Debug, Default)]
pub struct Trace(Mutex<IndexMap<Question, i64>>);

impl Trace {
    fn record(&self, question: Question, answer: i64) -> i64 {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *asked.entry(question).or_insert(answer)
    }

    /// The questions in the order in which they were asked.
    pub fn asked(&self) -> Vec<(Question, i64)> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().map(|(question, answer)| (question.clone(), *answer)).collect()
    }
}

/// A number that may differ between tiles: an integer, or a float by its raw bits.
#[derive(Clone, Debug)]
pub struct Varying {
    expr: Arc<Expr>,
    /// The number of nodes of `expr`.
    size: u32,
    /// The value on the tile that is analysed.
    known: i64,
    big: BigInt,
    trace: Arc<Trace>,
}

/// The greatest number of nodes of a value; one computed from more becomes known to comptime code.
const MOST_NODES: u32 = 64;

impl Varying {
    /// The param with this number.
    pub fn input(number: u32, known: i64, trace: &Arc<Trace>) -> Varying {
        Varying::new(Expr::Input(number), 1, known, trace)
    }

    fn new(expr: Expr, size: u32, known: i64, trace: &Arc<Trace>) -> Varying {
        Varying { expr: Arc::new(expr), size, known, big: BigInt::from(known), trace: trace.clone() }
    }

    pub fn expr(&self) -> &Arc<Expr> {
        &self.expr
    }

    /// The value on the tile that is analysed, or the bits of a float; nothing is asked about the others.
    pub fn known(&self) -> i64 {
        self.known
    }

    /// The value itself, which becomes the same on every tile of the program.
    pub fn concretize(&self) -> &BigInt {
        self.trace.record(Question::Value(self.expr.clone()), self.known);
        &self.big
    }

    /// The raw bits of a float, which become the same on every tile of the program.
    pub fn concretize_bits(&self) -> u64 {
        self.trace.record(Question::Value(self.expr.clone()), self.known);
        self.known as u64
    }

    /// The float of an integer.
    pub fn to_float(&self, format: FloatFormat) -> Option<Varying> {
        let size = self.size + 1;
        let known = float_of(format, self.known);
        (size <= MOST_NODES).then(|| Varying::new(Expr::FloatOf(format, self.expr.clone()), size, known, &self.trace))
    }

    /// A float of format `from` in the format `to`.
    pub fn float_as(&self, from: FloatFormat, to: FloatFormat) -> Option<Varying> {
        let size = self.size + 1;
        let expr = Expr::FloatAs(from, to, self.expr.clone());
        Varying::where_defined(expr, size, float_as(from, to, self.known), &self.trace)
    }

    /// A float with the other sign.
    pub fn float_neg(&self, format: FloatFormat) -> Option<Varying> {
        let sign = match format {
            FloatFormat::Kind(kind) => kind.sign_bit() as i64,
            FloatFormat::Double => i64::MIN,
        };
        let (size, known) = (self.size + 2, self.known ^ sign);
        let expr = Expr::Bin(IntOp::Xor, self.expr.clone(), Arc::new(Expr::Known(sign)));
        (size <= MOST_NODES).then(|| Varying::new(expr, size, known, &self.trace))
    }

    /// `a op b` of floats of one format; `None` where neither varies, or they must be settled first.
    pub fn float_binary(op: FloatOp, format: FloatFormat, a: &crate::Value, b: &crate::Value) -> Option<Varying> {
        let trace = [a, b].into_iter().find_map(|value| match value {
            crate::Value::VaryingFloat(varying) => Some(varying.trace.clone()),
            _ => None,
        })?;
        let (a, b) = (float_part(a)?, float_part(b)?);
        let size = a.1 + b.1 + 1;
        let known = float_binary(op, format, a.2, b.2);
        Varying::where_defined(Expr::FloatBin(op, format, a.0, b.0), size, known, &trace)
    }

    /// `a op b`, wrapped to `ty` if that is given; `None` where at least one must be settled first.
    pub fn binary(op: IntOp, a: &crate::Value, b: &crate::Value, ty: Option<IntTy>) -> Option<Varying> {
        let trace = [a, b].into_iter().find_map(|value| match value {
            crate::Value::Varying(varying) => Some(varying.trace.clone()),
            _ => None,
        })?;
        let (a, b) = (part(a)?, part(b)?);
        let size = a.1 + b.1 + 2;
        let exact = binary(op, a.2, b.2);
        let expr = Expr::Bin(op, a.0, b.0);
        let exact = match op {
            // These are errors with some operands.
            IntOp::Div | IntOp::Rem | IntOp::Shl | IntOp::Shr => Varying::where_defined(expr, size, exact, &trace)?,
            _ => Varying::new(expr, size, exact.filter(|_| size <= MOST_NODES)?, &trace),
        };
        match ty {
            None => Some(exact),
            Some(ty) => Some(Varying::new(Expr::Wrap(ty, exact.expr), size, wrap(ty, exact.known)?, &trace)),
        }
    }

    /// The result of a computation that is an error on some tiles; `None` where it is.
    fn where_defined(expr: Expr, size: u32, known: Option<i64>, trace: &Arc<Trace>) -> Option<Varying> {
        if size > MOST_NODES {
            return None;
        }
        let expr = Arc::new(expr);
        trace.record(Question::Defined(expr.clone()), i64::from(known.is_some()));
        let known = known?;
        Some(Varying { expr, size, known, big: BigInt::from(known), trace: trace.clone() })
    }

    /// The value wrapped to a type of fixed width.
    pub fn wrapped(&self, ty: IntTy) -> Option<Varying> {
        let known = wrap(ty, self.known).filter(|_| self.size < MOST_NODES)?;
        Some(Varying::new(Expr::Wrap(ty, self.expr.clone()), self.size + 1, known, &self.trace))
    }

    /// Whether the type holds the value, on this and every other tile of the program.
    pub fn fits(&self, ty: IntTy) -> bool {
        self.trace.record(Question::Fits(ty, self.expr.clone()), fits(ty, self.known)) == 1
    }

    /// Whether the comparison of two values, of which one varies, holds on this and every other tile of the program.
    pub fn compare(op: CmpOp, a: &crate::Value, b: &crate::Value) -> Option<bool> {
        let trace = match (a, b) {
            (crate::Value::Varying(varying), _) | (_, crate::Value::Varying(varying)) => varying.trace.clone(),
            _ => return None,
        };
        let (a, b) = (part(a)?, part(b)?);
        // Two questions serve all six comparisons, so that none is asked in several forms.
        let (question, answer, wanted) = match op {
            CmpOp::Eq => (Question::Equal(a.0, b.0), a.2 == b.2, true),
            CmpOp::Ne => (Question::Equal(a.0, b.0), a.2 == b.2, false),
            CmpOp::Lt => (Question::Less(a.0, b.0), a.2 < b.2, true),
            CmpOp::Ge => (Question::Less(a.0, b.0), a.2 < b.2, false),
            CmpOp::Gt => (Question::Less(b.0, a.0), b.2 < a.2, true),
            CmpOp::Le => (Question::Less(b.0, a.0), b.2 < a.2, false),
        };
        Some((trace.record(question, i64::from(answer)) == 1) == wanted)
    }
}

/// An operand: its expression, the number of nodes, and its value on this tile.
fn part(value: &crate::Value) -> Option<(Arc<Expr>, u32, i64)> {
    match value {
        crate::Value::Varying(varying) => Some((varying.expr.clone(), varying.size, varying.known)),
        crate::Value::Int(number) => {
            let number = i64::try_from(number).ok()?;
            Some((Arc::new(Expr::Known(number)), 1, number))
        }
        _ => None,
    }
}

/// A float operand, likewise.
fn float_part(value: &crate::Value) -> Option<(Arc<Expr>, u32, i64)> {
    match value {
        crate::Value::VaryingFloat(varying) => Some((varying.expr.clone(), varying.size, varying.known)),
        crate::Value::Float(bits) => Some((Arc::new(Expr::Known(*bits as i64)), 1, *bits as i64)),
        _ => None,
    }
}

/// As keys of tables, two values are equal when they follow from the params in the same way.
impl PartialEq for Varying {
    fn eq(&self, other: &Varying) -> bool {
        self.expr == other.expr
    }
}

impl Eq for Varying {}

impl Hash for Varying {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expr.hash(state);
    }
}
