//! The record that an editor asks for: the type and the value of each name of the source, as the analysis came to know them.
//!
//! An analysis without a record pays a branch where it would note something. The record changes nothing: it holds no values whose
//! owners count their users (arrays, structs).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use csl_diag::Span;
use csl_ir::{PtrRoot, Ty, TypedValue, Types, Value};
use csl_syntax::ast::{Expr, ExprKind, Ident};
use rustc_hash::FxHashMap;

use crate::context::{Binding, Sema};
use crate::operand::{Operand, Place, PlaceKind};
use crate::options::Analysis;
use crate::unit::GlobalItem;

/// What is known of a name at its place in the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub ty: Ty,
    /// Its value, where one is known and not an array or a struct.
    pub value: Option<TypedValue>,
    /// Whether the name has another value or type in another PE's program, call or iteration.
    pub varies: bool,
}

/// The names of an analysis that were evaluated.
#[derive(Debug, Default)]
pub struct Record {
    facts: FxHashMap<Span, Fact>,
    /// Set by the one who asked, when the answer is no longer wanted.
    stop: Arc<AtomicBool>,
}

/// An analysis with its record.
#[derive(Debug)]
pub struct Observation {
    pub analysis: Analysis,
    /// The pool of all types of the record.
    pub types: Types,
    facts: FxHashMap<Span, Fact>,
}

impl Record {
    pub fn new(stop: Arc<AtomicBool>) -> Record {
        Record { facts: FxHashMap::default(), stop }
    }

    fn note(&mut self, span: Span, ty: Ty, value: Option<&TypedValue>) {
        let value = value.filter(|value| is_kept(&value.value));
        match self.facts.get_mut(&span) {
            Some(known) if known.varies => {}
            Some(known) => known.varies = known.ty != ty || known.value.as_ref() != value,
            None => drop(self.facts.insert(span, Fact { ty, value: value.cloned(), varies: false })),
        }
    }
}

impl Observation {
    pub(crate) fn new(analysis: Analysis, types: Types, record: Record) -> Observation {
        Observation { analysis, types, facts: record.facts }
    }

    /// What is known of the name that stands in `span`.
    pub fn fact(&self, span: Span) -> Option<&Fact> {
        self.facts.get(&span)
    }

    /// All facts, in no order.
    pub fn facts(&self) -> impl Iterator<Item = (Span, &Fact)> {
        self.facts.iter().map(|(span, fact)| (*span, fact))
    }

    /// A value as `@comptime_print` would show it.
    pub fn show(&self, value: &TypedValue) -> String {
        crate::value::show(&self.types, value)
    }
}

/// Whether a record may hold a value: it has no elements or fields, and does not depend on its unit.
fn is_kept(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Varying(_) | Value::Float(_) | Value::VaryingFloat(_) => true,
        Value::Type(_) | Value::Str(_) | Value::Range(_) | Value::Dsd(_) => true,
        Value::Undef | Value::Void | Value::Array(_) | Value::Struct(_) | Value::Union { .. } => false,
        Value::Ptr(_) | Value::Fn(_) | Value::Module(_) | Value::Fifo(_) | Value::Typed(_) => false,
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
        let value = match &place.kind {
            PlaceKind::Value(Operand::Const(value)) => Some(value),
            PlaceKind::Ptr(pointer) if pointer.path.is_empty() => match pointer.root {
                PtrRoot::Cell(cell) => self.unit.cells.get(cell.index()).map(|cell| &cell.value),
                PtrRoot::Global(global) => self
                    .unit
                    .globals
                    .get(global.index())
                    .and_then(|global| global.init.as_ref().filter(|_| global.is_const)),
                _ => None,
            },
            _ => None,
        };
        if let Some(record) = &mut self.record {
            record.note(span, place.ty, value);
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
