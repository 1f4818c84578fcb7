//! The record that an editor asks for: the type and the value of each name of the source, as the analysis came to know them.
//!
//! An analysis without a record pays a branch where it would note something. The record changes nothing: what it holds of values
//! whose owners count their users (arrays, structs) are copies, of small ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use csl_diag::Span;
use csl_ir::{ArrayValue, Name, PtrRoot, Ty, TypedValue, Types, Value};
use csl_syntax::ast::{Expr, ExprKind, Ident};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::context::{Binding, Sema};
use crate::operand::{Operand, Place, PlaceKind};
use crate::options::Analysis;
use crate::unit::GlobalItem;
use crate::value::child;

/// What is known of a name at its place in the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub ty: Ty,
    /// Its value, where one is known and not large.
    pub value: Option<TypedValue>,
    /// Whether the name has another value or type in another PE's program, call or iteration.
    pub varies: bool,
}

/// A field or member: the type that has it, and its name.
pub type Part = (Ty, Name);

/// The most parts that are noted of one place.
const MOST_PARTS: usize = 8;

/// The greatest number of parts of a value that is kept.
const MOST_KEPT: u32 = 32;

/// The names of an analysis that were evaluated.
#[derive(Debug, Default)]
pub struct Record {
    facts: FxHashMap<Span, Fact>,
    /// The fields and members that stand at a place: of several types where the code is evaluated several times.
    parts: FxHashMap<Span, Vec<Part>>,
    /// Types of anonymous structs, each with a type that a value of it became.
    became: FxHashSet<(Ty, Ty)>,
    /// Set by the one who asked, when the answer is no longer wanted.
    stop: Arc<AtomicBool>,
}

/// An analysis with its record.
#[derive(Debug)]
pub struct Observation {
    pub analysis: Analysis,
    /// The pool of all types of the record.
    pub types: Types,
    record: Record,
}

impl Record {
    pub fn new(stop: Arc<AtomicBool>) -> Record {
        Record { stop, ..Record::default() }
    }

    fn note(&mut self, span: Span, ty: Ty, value: Option<&TypedValue>) {
        let value = value.filter(|value| is_kept(&value.value, &mut MOST_KEPT.clone()));
        match self.facts.get_mut(&span) {
            Some(known) if known.varies => {}
            Some(known) => known.varies = known.ty != ty || known.value.as_ref() != value,
            None => drop(self.facts.insert(span, Fact { ty, value: value.map(copied), varies: false })),
        }
    }
}

impl Observation {
    pub(crate) fn new(analysis: Analysis, types: Types, record: Record) -> Observation {
        Observation { analysis, types, record }
    }

    /// What is known of the name that stands in `span`.
    pub fn fact(&self, span: Span) -> Option<&Fact> {
        self.record.facts.get(&span)
    }

    /// All facts, in no order.
    pub fn facts(&self) -> impl Iterator<Item = (Span, &Fact)> {
        self.record.facts.iter().map(|(span, fact)| (*span, fact))
    }

    /// The fields and members that stand in `span`.
    pub fn parts(&self, span: Span) -> &[Part] {
        self.record.parts.get(&span).map(Vec::as_slice).unwrap_or_default()
    }

    /// All places at which fields and members stand, in no order. Those in strings and data files are among them.
    pub fn all_parts(&self) -> impl Iterator<Item = (Span, &[Part])> {
        self.record.parts.iter().map(|(span, parts)| (*span, parts.as_slice()))
    }

    /// Types of anonymous structs, each with a type that a value of it became, field by field.
    pub fn became(&self) -> impl Iterator<Item = (Ty, Ty)> {
        self.record.became.iter().copied()
    }

    /// A value as `@comptime_print` would show it.
    pub fn show(&self, value: &TypedValue) -> String {
        crate::value::show(&self.types, value)
    }
}

/// Whether a record may hold a value: it is small, and does not depend on its unit.
fn is_kept(value: &Value, left: &mut u32) -> bool {
    let Some(less) = left.checked_sub(1) else { return false };
    *left = less;
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Varying(_) | Value::Float(_) | Value::VaryingFloat(_) => true,
        Value::Type(_) | Value::Str(_) | Value::Range(_) | Value::Dsd(_) => true,
        Value::Struct(fields) => fields.iter().all(|field| is_kept(field, left)),
        Value::Array(array) => match &**array {
            ArrayValue::Splat { value, .. } => is_kept(value, left),
            ArrayValue::Elems(elems) => elems.iter().all(|elem| is_kept(elem, left)),
        },
        Value::Union { value, .. } => is_kept(value, left),
        Value::Typed(inner) => is_kept(&inner.value, left),
        Value::Undef | Value::Void => false,
        Value::Ptr(_) | Value::Fn(_) | Value::Module(_) | Value::Fifo(_) => false,
    }
}

/// A copy that has its parts for itself.
fn copied(value: &TypedValue) -> TypedValue {
    TypedValue::new(value.ty, apart(&value.value))
}

fn apart(value: &Value) -> Value {
    match value {
        Value::Struct(fields) => Value::Struct(Arc::new(fields.iter().map(apart).collect())),
        Value::Array(array) => Value::Array(Arc::new(match &**array {
            ArrayValue::Splat { value, len } => ArrayValue::Splat { value: apart(value), len: *len },
            ArrayValue::Elems(elems) => ArrayValue::Elems(elems.iter().map(apart).collect()),
        })),
        Value::Union { active, value } => Value::Union { active: *active, value: Arc::new(apart(value)) },
        Value::Typed(inner) => Value::Typed(Arc::new(copied(inner))),
        other => other.clone(),
    }
}

impl Sema<'_> {
    /// Whether the one who asked for the record no longer wants it.
    pub fn is_called_off(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.stop.load(Ordering::Relaxed))
    }

    /// Notes the place that an expression names.
    pub fn note_place(&mut self, expr: &Expr, place: &Place) {
        if self.record.is_none() {
            return;
        }
        let span = match &expr.kind {
            ExprKind::Name(_) => expr.span,
            ExprKind::Field { name, .. } => name.span,
            _ => return,
        };
        let within;
        let value = match &place.kind {
            PlaceKind::Value(Operand::Const(value)) => Some(value),
            PlaceKind::Ptr(pointer) => {
                let root = match pointer.root {
                    PtrRoot::Cell(cell) => self.unit.cells.get(cell.index()).map(|cell| &cell.value),
                    PtrRoot::Global(global) => self
                        .unit
                        .globals
                        .get(global.index())
                        .and_then(|global| global.init.as_ref().filter(|_| global.is_const)),
                    _ => None,
                };
                match pointer.path.split_first() {
                    None => root,
                    Some((first, rest)) => {
                        let part = |whole: &TypedValue, at: i64| child(&self.types, whole.ty, &whole.value, at);
                        within = root
                            .and_then(|root| rest.iter().try_fold(part(root, *first)?, |whole, &at| part(&whole, at)));
                        within.as_ref()
                    }
                }
            }
            _ => None,
        };
        if let Some(record) = &mut self.record {
            record.note(span, place.ty, value);
        }
    }

    /// Notes the field or member that stands in `span`.
    pub fn note_part(&mut self, span: Span, ty: Ty, name: Name) {
        let Some(record) = &mut self.record else { return };
        let known = record.parts.entry(span).or_default();
        if known.len() < MOST_PARTS && !known.contains(&(ty, name)) {
            known.push((ty, name));
        }
    }

    /// Notes that a value of the type of an anonymous struct becomes one of another type.
    pub fn note_became(&mut self, from: Ty, to: Ty) {
        if let Some(record) = &mut self.record {
            record.became.insert((from, to));
        }
    }

    /// Notes what a declaration at the top level is.
    pub fn note_item(&mut self, span: Span, item: &GlobalItem) {
        let Some(record) = &mut self.record else { return };
        match item {
            GlobalItem::Const { value, .. } => record.note(span, value.ty, Some(value)),
            GlobalItem::Var(global) => {
                let info = &self.unit.globals[*global];
                record.note(span, info.ty, info.init.as_ref().filter(|_| info.is_const));
            }
            GlobalItem::Fn(_) => {}
        }
    }

    /// Notes what a name of a block, or a parameter, is bound to.
    pub fn note_binding(&mut self, name: Ident, binding: &Binding) {
        let Some(record) = &mut self.record else { return };
        match binding {
            Binding::Const(operand) => record.note(name.span, operand.ty(), operand.as_const()),
            Binding::Cell(cell) => {
                let cell = &self.unit.cells[*cell];
                record.note(name.span, cell.value.ty, Some(&cell.value).filter(|_| cell.is_const));
            }
            Binding::Reg(ty, _) | Binding::Slot { ty, .. } => record.note(name.span, *ty, None),
            Binding::Poison(_) => {}
        }
    }
}
