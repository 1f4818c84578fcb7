//! Loops of a layout: an iteration that comptime code cannot tell from an earlier one is not evaluated.
//!
//! A loop over tiles does the same for most of them. So its body is evaluated with the loop's variable open, as the program
//! of a PE is with the params of its tile ([`crate::sharing`]), and what it does to the layout is noted ([`Effect`]). Where the
//! variable later gives the same answers to the questions of the body, the effects follow, with the numbers in them
//! that depend on the variable. An iteration that does anything else which outlives it, such as a change of a variable of the
//! block around the loop, is evaluated on its own, and so is the next one.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Span, TraceFrame};
use csl_ir::{CmpOp, Expr, Route, Trace, Ty, TypedValue, Value, Varying};
use csl_machine::{Color, ColorConfig, Coord};
use csl_syntax::ast::{ExprKind, For};
use csl_syntax::walk;
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::answers::{Answers, Known};
use crate::context::{Res, Sema};
use crate::sharing::TileKey;
use crate::unit::UnitKind;

/// The least number of iterations with which a loop is worth it.
const LEAST_ITERATIONS: u64 = 16;

/// The number of iterations in a row, each unlike all before, after which a loop is taken to have no others.
const MOST_MISSES: u32 = 24;

/// The element and the index of an iteration.
pub type Inputs = [i64; 2];

/// The iterations of a loop so far, by the answers of their variables.
#[derive(Debug, Default)]
pub struct Repeats {
    known: Answers<Done>,
    misses: u32,
}

/// What an iteration did.
#[derive(Debug)]
struct Done {
    effects: Vec<Effect>,
    /// The steps that it counted: behind the last effect, or all without one.
    steps: u64,
}

/// An iteration that is evaluated with its variables open.
#[derive(Debug)]
pub struct Open {
    trace: Arc<Trace>,
    /// Where the iteration's own cells begin.
    first_cell: usize,
    effects: Vec<Effect>,
    /// The counts of effects and steps before it.
    effects_before: u64,
    steps_before: u64,
    /// Whether it did something that is not noted.
    is_unlike: bool,
}

/// A number that the variables of an iteration may decide.
#[derive(Clone, Debug)]
pub struct Number {
    /// Its value in the iteration that was evaluated.
    pub known: i64,
    varying: Option<Varying>,
}

/// Numbers by their positions, as the variables of an iteration decide them.
pub type OpenNumbers = Vec<(usize, Arc<Expr>)>;

/// A change of the layout.
#[derive(Debug)]
pub struct Effect {
    pub x: Number,
    pub y: Number,
    pub change: Change,
    pub span: Span,
    /// The steps that led to it.
    trace: Vec<TraceFrame>,
}

#[derive(Debug)]
pub enum Change {
    Code(TileKey, OpenNumbers),
    Route(Color, Arc<ColorConfig>),
}

impl Number {
    pub fn known(known: i64) -> Number {
        Number { known, varying: None }
    }

    pub fn open(varying: &Varying) -> Number {
        Number { known: varying.known(), varying: Some(varying.clone()) }
    }

    /// Its value in another iteration that gives the same answers.
    fn in_iteration(&self, inputs: &Inputs) -> Option<i64> {
        self.varying.as_ref().map_or(Some(self.known), |varying| varying.expr().eval(inputs))
    }

    /// Whether the value is this number, in this and every other iteration.
    pub fn is(&self, value: &Value) -> bool {
        let own = self.varying.clone().map_or(Value::Int(self.known.into()), Value::Varying);
        own == *value || Varying::compare(CmpOp::Eq, &own, value) == Some(true)
    }
}

/// The tile of an effect in one iteration, and the numbers of its params that are open, by their positions.
struct Numbers {
    x: i64,
    y: i64,
    open: Vec<(usize, i64)>,
}

impl Effect {
    /// Its numbers in another iteration; `None` where one has no value.
    fn in_iteration(&self, inputs: &Inputs) -> Option<Numbers> {
        let open: &[_] = match &self.change {
            Change::Code(_, open) => open,
            Change::Route(..) => &[],
        };
        let open = open.iter().map(|(place, expr)| Some((*place, expr.eval(inputs)?))).collect::<Option<_>>()?;
        Some(Numbers { x: self.x.in_iteration(inputs)?, y: self.y.in_iteration(inputs)?, open })
    }
}

impl Sema<'_> {
    /// The record of a loop over a range, where its iterations may be alike.
    pub fn repeats(&self, node: &For, [start, stop, step]: &[BigInt; 3]) -> Option<Repeats> {
        let in_layout = matches!(&self.unit.kind, UnitKind::Layout(layout) if layout.in_block) && self.is_comptime();
        // An editor wants the facts of every iteration.
        let is_free = self.open.is_none() && self.record.is_none() && self.options.share_programs;
        if !in_layout || !is_free || start.to_i64().is_none() {
            return None;
        }
        let count = (stop - start).to_i64()?.unsigned_abs() / step.to_i64()?.unsigned_abs().max(1);
        if count < LEAST_ITERATIONS {
            return None;
        }
        let mut is_straight = true;
        walk::each(&node.body, &mut |expr| {
            let turns = matches!(
                expr.kind,
                ExprKind::For(_) | ExprKind::While(_) | ExprKind::Break { .. } | ExprKind::Return(_)
            );
            is_straight &= !turns;
        });
        is_straight.then(Repeats::default)
    }

    /// Repeats what an earlier iteration did with the same answers. False where none did; the iteration is open then, if
    /// that may serve later ones.
    pub fn repeat(&mut self, repeats: &mut Repeats, inputs: Inputs) -> Res<bool> {
        let done = match repeats.known.find(&inputs) {
            Known::Outcome(done) => done,
            Known::Nothing => {
                self.open = Some(Box::new(Open {
                    trace: Arc::default(),
                    first_cell: self.unit.cells.len(),
                    effects: Vec::new(),
                    effects_before: self.effects,
                    steps_before: self.steps,
                    is_unlike: false,
                }));
                return Ok(false);
            }
            Known::Unanswered => return Ok(false),
        };
        let Some(numbers) = done.effects.iter().map(|effect| effect.in_iteration(&inputs)).collect::<Option<Vec<_>>>()
        else {
            return Ok(false);
        };
        repeats.misses = 0;
        for (effect, numbers) in done.effects.iter().zip(numbers) {
            if let Err(diagnostic) = self.apply(effect, &numbers)? {
                let outer = std::mem::replace(&mut self.trace, effect.trace.clone());
                let stop = self.fail(diagnostic);
                self.trace = outer;
                return Err(stop);
            }
        }
        self.effects += done.effects.len() as u64;
        self.steps = if done.effects.is_empty() { self.steps.saturating_add(done.steps) } else { done.steps };
        Ok(true)
    }

    fn apply(&mut self, effect: &Effect, numbers: &Numbers) -> Res<Result<(), Diagnostic>> {
        let Numbers { x, y, open } = numbers;
        let layout = self.layout()?;
        Ok(match &effect.change {
            Change::Code(key, _) => layout.tile(*x, *y, Code::TileCode, effect.span).and_then(|at| {
                let mut key = key.clone();
                open.iter().for_each(|(place, number)| key.numbers[*place] = *number);
                layout.add_code(at, key, effect.span)
            }),
            Change::Route(color, config) => {
                layout.tile(*x, *y, Code::BadRoute, effect.span).and_then(|Coord { x, y }| {
                    layout.add_route(Route { x, y, color: *color, config: config.clone() }, effect.span)
                })
            }
        })
    }

    /// The element or the index of the iteration, open if the iteration is.
    pub fn opened(&self, ty: Ty, inputs: Inputs, which: usize) -> TypedValue {
        match &self.open {
            Some(open) => TypedValue::new(ty, Value::Varying(Varying::input(which as u32, inputs[which], &open.trace))),
            None => TypedValue::int(ty, inputs[which]),
        }
    }

    /// Ends an iteration; `is_whole` says that it came to its end. The record is dropped where it is of no use.
    pub fn close(&mut self, repeats: &mut Option<Repeats>, is_whole: bool) {
        let Some(known) = repeats.as_mut() else { return };
        known.misses += 1;
        let all_noted = |open: &Open| self.effects - open.effects_before == open.effects.len() as u64;
        match self.open.take().filter(|open| is_whole && !open.is_unlike && all_noted(open)) {
            Some(open) => {
                let steps = if open.effects.is_empty() { self.steps - open.steps_before } else { self.steps };
                known.known.insert(open.trace.asked(), Done { effects: open.effects, steps });
            }
            // What it changed may count for those to come.
            None => known.known = Answers::default(),
        }
        if known.misses > MOST_MISSES {
            *repeats = None;
        }
    }

    /// Notes a change of the layout, where the iteration is open.
    pub fn note_effect(&mut self, [x, y]: [Number; 2], span: Span, change: impl FnOnce() -> Change) {
        if let Some(open) = &mut self.open {
            open.effects.push(Effect { x, y, change: change(), span, trace: self.trace.clone() });
        }
    }

    /// Says that the iteration does something that no other one repeats.
    pub fn note_unlike(&mut self) {
        if let Some(open) = &mut self.open {
            open.is_unlike = true;
        }
    }

    /// Whether the iteration is open, and a cell lives longer.
    pub fn outlives_iteration(&self, cell: csl_ir::CellRef) -> bool {
        self.open.as_ref().is_some_and(|open| cell.index() < open.first_cell)
    }
}
