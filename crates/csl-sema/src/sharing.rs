//! Decides which tiles share a program.
//!
//! Tiles with the same file and params of the same form ([`Shape`]) differ in numbers alone, coordinates above all. The
//! first tile is analysed with those numbers open ([`csl_ir::Varying`]); the questions of the analysis about them form
//! a tree ([`Answers`]). A tile whose numbers give the same answers has the same program, with other constants.

use std::collections::HashMap;
use std::sync::Arc;

use csl_diag::{Diagnostic, Diagnostics, Reported, Severity};
use csl_ir::{ArrayValue, Expr, Name, Program, Question, Trace, TypedValue, Value, Varying};
use csl_machine::Size;
use csl_num::{IntTy, wrap64};
use indexmap::IndexMap;
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};
use rustc_hash::FxBuildHasher;

use crate::ahead::Ahead;
use crate::answers::{Answers, Known};
use crate::context::Sema;
use crate::layout::{Instance, Layout};
use crate::program::Analyzed;
use crate::repeat::OpenNumbers;
use crate::unit::Unit;

/// A file with its params, without the numbers in them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    pub file: Arc<str>,
    pub params: Vec<(Name, TypedValue)>,
}

/// The key of a tile's code: the number of its shape, and the numbers that the shape leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TileKey {
    pub shape: u32,
    pub numbers: Box<[i64]>,
}

/// The numbers in a tile's params, in order.
#[derive(Debug, Default)]
pub struct Numbers {
    pub values: Vec<i64>,
    /// Those that the variable of a loop decides.
    pub open: OpenNumbers,
}

impl Numbers {
    /// Appends a number, if the value is one that fits in 64 bits.
    fn push(&mut self, value: &Value) -> bool {
        let number = match value {
            Value::Int(number) => number.to_i64(),
            Value::Float(bits) => Some(*bits as i64),
            Value::Varying(varying) | Value::VaryingFloat(varying) => {
                self.open.push((self.values.len(), varying.expr().clone()));
                Some(varying.known())
            }
            _ => None,
        };
        self.values.extend(number);
        number.is_some()
    }
}

/// Splits params into their form and the numbers in them.
pub fn split(params: Vec<(Name, TypedValue)>) -> (Vec<(Name, TypedValue)>, Numbers) {
    let mut numbers = Numbers::default();
    let mut params = params;
    for (_, value) in &mut params {
        for_each_number(&mut value.value, &mut |value| {
            if numbers.push(value) {
                *value = match value {
                    Value::Float(_) | Value::VaryingFloat(_) => Value::Float(0),
                    _ => Value::Int(BigInt::ZERO),
                };
            }
        });
        settle(&mut value.value);
    }
    (params, numbers)
}

/// Whether a number in a value may be another one on other tiles, or in other iterations.
pub fn varies(value: &Value) -> bool {
    match value {
        Value::Varying(_) | Value::VaryingFloat(_) => true,
        Value::Array(array) => match &**array {
            ArrayValue::Splat { value, .. } => varies(value),
            ArrayValue::Elems(elems) => elems.iter().any(varies),
        },
        Value::Struct(fields) => fields.iter().any(varies),
        Value::Union { value, .. } => varies(value),
        Value::Typed(inner) => varies(&inner.value),
        _ => false,
    }
}

/// Makes every number in a value the same on all tiles, or in all iterations.
pub fn settle(value: &mut Value) {
    match value {
        Value::Varying(varying) => *value = Value::Int(varying.concretize().clone()),
        Value::VaryingFloat(varying) => *value = Value::Float(varying.concretize_bits()),
        value if !varies(value) => {}
        Value::Array(array) => match Arc::make_mut(array) {
            ArrayValue::Splat { value, .. } => settle(value),
            ArrayValue::Elems(elems) => elems.iter_mut().for_each(settle),
        },
        Value::Struct(fields) => Arc::make_mut(fields).iter_mut().for_each(settle),
        Value::Union { value, .. } => settle(Arc::make_mut(value)),
        Value::Typed(inner) => settle(&mut Arc::make_mut(inner).value),
        _ => {}
    }
}

/// Appends the numbers of a value that [`split`] would take out; false where the value has another form.
fn numbers_of(form: &Value, value: &Value, numbers: &mut Numbers) -> bool {
    let all = |forms: &[Value], values: &[Value], numbers: &mut Numbers| {
        forms.len() == values.len() && forms.iter().zip(values).all(|(form, value)| numbers_of(form, value, numbers))
    };
    match (form, value) {
        (Value::Int(form), Value::Int(_) | Value::Varying(_)) if numbers.push(value) => form.is_zero(),
        (Value::Float(_), Value::Float(_) | Value::VaryingFloat(_)) => numbers.push(value),
        (Value::Array(form), Value::Array(array)) => match (&**form, &**array) {
            (ArrayValue::Elems(form), ArrayValue::Elems(elems)) if elems.len() <= MOST_ELEMENTS => {
                all(form, elems, numbers)
            }
            (form, array) => form == array,
        },
        (Value::Struct(form), Value::Struct(fields)) => all(form, fields, numbers),
        (Value::Union { active: form, value: inner }, Value::Union { active, value }) => {
            form == active && numbers_of(inner, value, numbers)
        }
        (form, value) => form == value,
    }
}

/// The greatest number of elements of an array that count as numbers of their own; longer arrays are part of the form.
const MOST_ELEMENTS: usize = 256;

/// Visits the floats, and the integers that fit in 64 bits, in a fixed order. One that is replaced by 0 is still visited.
fn for_each_number(value: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Int(number) if number.to_i64().is_some() => visit(value),
        Value::Float(_) | Value::Varying(_) | Value::VaryingFloat(_) => visit(value),
        Value::Array(array) => {
            if let ArrayValue::Elems(elems) = Arc::make_mut(array)
                && elems.len() <= MOST_ELEMENTS
            {
                elems.iter_mut().for_each(|elem| for_each_number(elem, visit));
            }
        }
        Value::Struct(fields) => Arc::make_mut(fields).iter_mut().for_each(|field| for_each_number(field, visit)),
        Value::Union { value, .. } => for_each_number(Arc::make_mut(value), visit),
        _ => {}
    }
}

impl Shape {
    /// The numbers of a struct of params, where it has this form; its fields have the types of the params.
    pub fn numbers_of(&self, file: &str, params: &Value) -> Option<Numbers> {
        let Value::Struct(fields) = params else { return None };
        let mut numbers = Numbers::default();
        let mut fits = |(form, field): (&(Name, TypedValue), &Value)| match field {
            Value::Typed(inner) => form.1.ty == inner.ty && numbers_of(&form.1.value, &inner.value, &mut numbers),
            value => numbers_of(&form.1.value, value, &mut numbers),
        };
        let is_alike = &*self.file == file && self.params.len() == fields.len();
        (is_alike && self.params.iter().zip(&**fields).all(&mut fits)).then_some(numbers)
    }

    /// The params with the numbers put back: `varying` gives those that are open, by position, `numbers` the others.
    pub fn params(&self, numbers: &[i64], varying: impl Fn(usize) -> Option<Varying>) -> Vec<(Name, TypedValue)> {
        let mut params = self.params.clone();
        let mut place = 0;
        for (_, value) in &mut params {
            for_each_number(&mut value.value, &mut |value| {
                *value = match (&*value, varying(place)) {
                    (Value::Float(_), Some(varying)) => Value::VaryingFloat(varying),
                    (Value::Float(_), None) => Value::Float(numbers[place] as u64),
                    (_, Some(varying)) => Value::Varying(varying),
                    (_, None) => Value::Int(numbers[place].into()),
                };
                place += 1;
            });
        }
        params
    }
}

/// The programs of the tiles of one shape, by the answers that their numbers give.
#[derive(Debug, Default)]
struct Shared {
    /// The positions of the numbers that differ between tiles.
    open: Vec<usize>,
    outcomes: Answers<Outcome>,
}

#[derive(Clone, Debug)]
enum Outcome {
    /// The number of a program, and its tiles' constants.
    Program(u32, Arc<Vec<(Arc<Expr>, IntTy)>>),
    /// The program has errors, which have been reported once for all these tiles.
    Failed,
    /// The tile has to be analysed with its own numbers.
    Alone,
}

impl Shared {
    /// The outcome for a tile; `None` when no earlier tile gave the same answers.
    fn find(&self, inputs: &[i64]) -> Option<Outcome> {
        match self.outcomes.find(inputs) {
            Known::Outcome(outcome) => Some(outcome.clone()),
            Known::Nothing => None,
            Known::Unanswered => Some(Outcome::Alone),
        }
    }

    fn inputs(&self, key: &TileKey) -> Vec<i64> {
        self.open.iter().map(|&place| key.numbers[place]).collect()
    }
}

/// The programs of a layout, and the program and constants of each kind of tile.
#[derive(Debug, Default)]
pub struct Sharing {
    pub programs: Vec<Result<Program, Reported>>,
    /// The states of the analyses of the first of them, by the number of the program, where code that no program uses is to be
    /// looked into.
    pub kept: HashMap<u32, Kept>,
    /// The number of the program and the constants of each kind of tile.
    pub kinds: Vec<(u32, Vec<u64>)>,
}

/// The state of a program's analysis behind its end.
#[derive(Debug)]
pub struct Kept {
    pub unit: Box<Unit>,
    /// Whether it has numbers open that differ between tiles.
    pub is_open: bool,
}

/// The number of programs whose states are kept.
const MOST_KEPT: usize = 256;

impl Sharing {
    /// Adds a program; `is_kept` keeps the state of its analysis.
    fn add(&mut self, analyzed: Result<Analyzed, Reported>, is_open: bool, is_kept: bool) -> u32 {
        let number = self.programs.len() as u32;
        self.programs.push(analyzed.map(|Analyzed { program, unit, .. }| {
            if is_kept && self.kept.len() < MOST_KEPT {
                self.kept.insert(number, Kept { unit: Box::new(unit), is_open });
            }
            program
        }));
        number
    }
}

/// The tiles of an evaluated layout.
#[derive(Clone, Copy)]
struct Tiles<'l> {
    layout: &'l Layout,
    /// Size in PEs.
    rectangle: Size,
}

/// The analysis of an instance's program.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Job<'l> {
    key: &'l TileKey,
    instance: Instance,
    /// Whether the numbers that differ between tiles of its shape are open; else they are those of its own tiles.
    is_open: bool,
}

/// The outcome of a [`Job`].
#[derive(Debug)]
struct Attempt {
    analyzed: Result<Analyzed, Reported>,
    found: Diagnostics,
    /// The questions about open numbers, with the answers.
    asked: Vec<(Question, i64)>,
}

/// The number of instances that are looked at for each job that is likely to follow.
const LOOKED_AT: usize = 64;

impl<'l> Tiles<'l> {
    /// The jobs after another that are to be done as far as is known now, at most `most`.
    fn likely(self, shapes: &[Shared], job: Job<'l>, most: usize) -> Vec<Job<'l>> {
        let instances = &self.layout.instances;
        let after = instances.get_index_of(job.key).map_or(0, |at| at + 1);
        let job = |(key, instance): (&'l TileKey, &Instance)| {
            let shared = &shapes[key.shape as usize];
            let is_open = match shared.find(&shared.inputs(key)) {
                None => !shared.open.is_empty(),
                Some(Outcome::Alone) => false,
                Some(Outcome::Program(..) | Outcome::Failed) => return None,
            };
            Some(Job { key, instance: *instance, is_open })
        };
        instances.iter().skip(after).take(LOOKED_AT * most).filter_map(job).take(most).collect()
    }
}

/// The analysis of all instances.
struct Course<'l> {
    tiles: Tiles<'l>,
    /// By the number of the shape.
    shapes: Vec<Shared>,
    sharing: Sharing,
    ahead: Ahead<Job<'l>, Attempt>,
}

impl Sema<'_> {
    /// Analyses as few programs as the tiles need.
    pub(crate) fn analyze_instances(&mut self, layout: &Layout, rectangle: Size) -> Sharing {
        let shapes = open_numbers(&layout.instances, layout.shapes.len(), self.options.share_programs);
        // Neither an editor's record nor the names that programs use are kept in copies.
        let is_alone = self.record.is_some() || self.options.check_all;
        let ahead = Ahead::new(if is_alone { 1 } else { self.options.threads });
        let mut course = Course { tiles: Tiles { layout, rectangle }, shapes, sharing: Sharing::default(), ahead };
        for (key, instance) in &layout.instances {
            let kind = self.kind_of(key, *instance, &mut course);
            course.sharing.kinds.push(kind);
        }
        course.sharing
    }

    fn kind_of<'l>(&mut self, key: &'l TileKey, instance: Instance, course: &mut Course<'l>) -> (u32, Vec<u64>) {
        let shape = key.shape as usize;
        let alone = Job { key, instance, is_open: false };
        let inputs = course.shapes[shape].inputs(key);
        if inputs.is_empty() {
            return (self.analyze_alone(alone, course), Vec::new());
        }
        let mut outcome = course.shapes[shape].find(&inputs);
        if outcome.is_none() {
            match self.analyze_open(Job { is_open: true, ..alone }, course) {
                (asked, Some(found)) => {
                    course.shapes[shape].outcomes.insert(asked, found);
                    outcome = course.shapes[shape].find(&inputs);
                }
                (asked, None) => {
                    let tiles = alike(key, &course.tiles.layout.instances, &course.shapes[shape], &asked);
                    let number = self.analyze_alone(Job { instance: Instance { tiles, ..instance }, ..alone }, course);
                    let is_made = course.sharing.programs[number as usize].is_ok();
                    let found = if is_made { Outcome::Alone } else { Outcome::Failed };
                    course.shapes[shape].outcomes.insert(asked, found);
                    return (number, Vec::new());
                }
            }
        }
        match outcome {
            Some(Outcome::Program(number, exprs)) if let Some(consts) = values(&exprs, &inputs) => (number, consts),
            Some(Outcome::Failed) => (course.sharing.programs.len() as u32 - 1, Vec::new()),
            _ => (self.analyze_alone(alone, course), Vec::new()),
        }
    }

    /// Analyses a tile's program with the numbers open that differ between tiles of its shape. `None` when that fails:
    /// its findings are dropped, and the tile's own numbers are to be tried.
    fn analyze_open<'l>(&mut self, job: Job<'l>, course: &mut Course<'l>) -> (Vec<(Question, i64)>, Option<Outcome>) {
        let Attempt { analyzed, found, asked } = self.attempt(job, course);
        match analyzed {
            Ok(mut analyzed) if !found.has_errors() => {
                self.diagnostics.extend(found);
                let consts = Arc::new(std::mem::take(&mut analyzed.consts));
                let number = course.sharing.add(Ok(analyzed), true, self.options.check_all);
                (asked, Some(Outcome::Program(number, consts)))
            }
            _ => {
                // Errors that a tile with numbers of its own has are no fault of the open numbers.
                let is_new =
                    |finding: &Diagnostic| finding.severity == Severity::Error && !self.diagnostics.knows(finding);
                let Err(reported) = found.check() else { return (asked, None) };
                if found.iter().any(is_new) {
                    return (asked, None);
                }
                self.diagnostics.extend(found);
                course.sharing.programs.push(Err(reported));
                (asked, Some(Outcome::Failed))
            }
        }
    }

    /// Analyses a tile's program with its own numbers; returns the program's number.
    fn analyze_alone<'l>(&mut self, job: Job<'l>, course: &mut Course<'l>) -> u32 {
        let Attempt { analyzed, found, .. } = self.attempt(job, course);
        self.diagnostics.extend(found);
        course.sharing.add(analyzed, false, self.options.check_all)
    }

    fn attempt<'l>(&mut self, job: Job<'l>, course: &mut Course<'l>) -> Attempt {
        let Course { tiles, shapes, ahead, .. } = course;
        let (tiles, shapes) = (*tiles, &*shapes);
        let next = |most| tiles.likely(shapes, job, most);
        ahead.run(self, job, next, |sema, job| sema.do_job(job, tiles, &shapes[job.key.shape as usize]))
    }

    fn do_job(&mut self, job: Job<'_>, tiles: Tiles<'_>, shared: &Shared) -> Attempt {
        let Job { key, instance, is_open } = job;
        let trace = Arc::new(Trace::default());
        let mut inputs: Vec<Option<u32>> = vec![None; key.numbers.len()];
        if is_open {
            (0..).zip(&shared.open).for_each(|(number, &place)| inputs[place] = Some(number));
        }
        let Tiles { layout, rectangle } = tiles;
        let shape = &layout.shapes[key.shape as usize];
        let params = shape
            .params(&key.numbers, |place| inputs[place].map(|input| Varying::input(input, key.numbers[place], &trace)));
        let before = (self.steps, self.exhausted);
        let (analyzed, found) = self.apart(|s| s.analyze_program(layout, rectangle, &shape.file, params, &instance));
        if is_open && (analyzed.is_err() || found.has_errors()) {
            (self.steps, self.exhausted) = before;
        }
        Attempt { analyzed, found, asked: trace.asked() }
    }
}

/// The constants of a tile.
fn values(consts: &[(Arc<Expr>, IntTy)], inputs: &[i64]) -> Option<Vec<u64>> {
    consts.iter().map(|(expr, ty)| Some(wrap64(*ty, expr.eval(inputs)? as u64))).collect()
}

/// The number of tiles that answer these questions as `key` does.
fn alike(
    key: &TileKey,
    instances: &IndexMap<TileKey, Instance, FxBuildHasher>,
    shared: &Shared,
    asked: &[(Question, i64)],
) -> u32 {
    let is_alike = |other: &TileKey| {
        let inputs = shared.inputs(other);
        asked.iter().all(|(question, answer)| question.answer(&inputs) == Some(*answer))
    };
    let of_shape = instances.iter().filter(|(other, _)| other.shape == key.shape);
    of_shape.filter(|(other, _)| is_alike(other)).map(|(_, instance)| instance.tiles).sum()
}

/// The numbers of each shape that differ between tiles.
fn open_numbers(instances: &IndexMap<TileKey, Instance, FxBuildHasher>, shapes: usize, share: bool) -> Vec<Shared> {
    let mut firsts: Vec<Option<&TileKey>> = vec![None; shapes];
    let mut differ: Vec<Vec<bool>> = vec![Vec::new(); shapes];
    for key in instances.keys() {
        let shape = key.shape as usize;
        let first = firsts[shape].get_or_insert(key);
        differ[shape].resize(key.numbers.len(), false);
        for (differs, (a, b)) in differ[shape].iter_mut().zip(first.numbers.iter().zip(&key.numbers)) {
            *differs |= a != b;
        }
    }
    let open = |differs: Vec<bool>| (0..differs.len()).filter(|&place| differs[place] && share).collect();
    differ.into_iter().map(|differs| Shared { open: open(differs), outcomes: Answers::default() }).collect()
}
