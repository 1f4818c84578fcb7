//! The state of an analysis: the parts that all programs of a layout share, and the frames being evaluated.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Diagnostics, FileId, Reported, SourceMap, Span, TraceFrame};
use csl_ir::{BlockId, CellRef, Expr, ModuleRef, Reg, SlotId, Ty, Types, Wafer};
use csl_machine::Chip;
use csl_num::IntTy;
use csl_syntax::Symbol;
use indexmap::{IndexMap, IndexSet};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::emit::FuncBuilder;
use crate::layout::Layout;
use crate::operand::Operand;
use crate::options::{Analysis, Import, Options, Resolved, SourceFile, Sources};
use crate::pe::{BareQueue, Pe};
use crate::record::Record;
use crate::repeat::Open;
use crate::unit::{Unit, UnitKind};

/// The number of steps at either end of a long trace that diagnostics show.
const SHOWN_STEPS: usize = 6;

/// The reason why an evaluation did not yield a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Error(Reported),
    /// Control flow of the emitted code does not pass this point (`return`, `break` at run time).
    Diverged,
    /// At comptime: leave the function; the value is in the frame.
    Return,
    /// At comptime: leave or continue the target with this index in the frame's list.
    Break(usize),
    Continue(usize),
}

pub type Res<T> = Result<T, Stop>;

impl From<Reported> for Stop {
    fn from(reported: Reported) -> Stop {
        Stop::Error(reported)
    }
}

/// Whether code runs now or is emitted. Only a run-time frame has a body to emit into, so that nothing is emitted, and
/// no register made, at comptime. [`Sema::at_comptime`] demotes the frame for a while. Run-time frames are made by a
/// function's instance, an inline expansion (with its caller's body) and the type of an expression.
#[derive(Debug)]
pub enum Mode {
    Comptime {
        /// The value of a `return`.
        ret: Option<Operand>,
    },
    Runtime(Box<FuncBuilder>),
}

/// The meaning of a name in a block.
#[derive(Clone, Debug)]
pub enum Binding {
    /// A constant, a parameter, a loop variable.
    Const(Operand),
    /// Comptime memory.
    Cell(CellRef),
    /// A run-time variable in a register.
    Reg(Ty, Reg),
    /// A run-time variable in memory.
    Slot { ty: Ty, slot: SlotId, is_const: bool },
    /// A declaration that failed; a use of it is not reported again.
    Poison(Reported),
}

/// Names declared in one block.
#[derive(Debug, Default)]
pub struct Scope {
    pub names: Vec<(Symbol, Binding)>,
    /// The names of variables and constants, with the places of their declarations.
    pub declared: Vec<(Symbol, Span)>,
}

/// What is known of the type that an expression's value goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Any,
    /// The value becomes one of the type, and so do those of all branches.
    Type(Ty),
    /// An operand or a conversion stands between: numbers without a type of their own take this one, typed values keep theirs.
    Near(Ty),
}

impl Wanted {
    pub fn ty(self) -> Option<Ty> {
        match self {
            Wanted::Any => None,
            Wanted::Type(ty) | Wanted::Near(ty) => Some(ty),
        }
    }

    /// The same for an operand of the expression.
    pub fn of_operand(self) -> Wanted {
        self.ty().map_or(Wanted::Any, Wanted::Near)
    }
}

impl From<Option<Ty>> for Wanted {
    fn from(ty: Option<Ty>) -> Wanted {
        ty.map_or(Wanted::Any, Wanted::Type)
    }
}

/// A block or loop that `break` or `continue` can name.
#[derive(Debug)]
pub struct Target {
    pub label: Option<Symbol>,
    pub is_loop: bool,
    /// `None` when it runs at comptime.
    pub blocks: Option<TargetBlocks>,
    /// Values that `break` gives at run time, with the block that each comes from, still open.
    pub exits: Vec<(BlockId, Operand, Span)>,
    /// The value that `break` gives at comptime.
    pub value: Option<Operand>,
    pub wanted: Wanted,
    /// Whether some `continue` goes to `blocks.next`.
    pub continued: bool,
}

/// The blocks that `continue` and `break` go to.
#[derive(Clone, Copy, Debug)]
pub struct TargetBlocks {
    /// The block that `continue` goes to, for loops.
    pub next: Option<BlockId>,
    /// The block that `break` goes to, for loops (they have no value).
    pub exit: Option<BlockId>,
}

/// A function body, or a top-level evaluation, in progress.
#[derive(Debug)]
pub struct Frame {
    pub module: ModuleRef,
    pub mode: Mode,
    /// The number of frames around it.
    pub depth: u32,
    pub scopes: Vec<Scope>,
    pub targets: Vec<Target>,
    /// The return type; `None` outside functions.
    pub ret_ty: Option<Ty>,
    /// The index of the target that `return` leaves, in an inline expansion.
    pub inline_target: Option<usize>,
    /// Names whose address the body takes; such variables live in memory.
    pub addressed: Arc<Vec<Symbol>>,
    /// The depth of run-time control flow. Under it, comptime variables of outer depths may not change.
    pub runtime_depth: u32,
}

/// The state of one analysis.
pub struct Sema<'a> {
    pub sources: &'a mut dyn Sources,
    pub options: &'a Options,
    pub chip: &'static Chip,
    pub map: SourceMap,
    pub diagnostics: Diagnostics,
    pub types: Types,
    /// The files of imports: by the name, and the path of the file that imports it.
    pub resolved: FxHashMap<(String, Option<String>), Resolved>,
    /// Parsed files by path.
    pub files: FxHashMap<String, Arc<SourceFile>>,
    /// Data files, by path.
    pub data_files: FxHashMap<String, FileId>,
    /// The constants of tiles that the PE programs so far use, by number.
    pub tile_consts: IndexSet<(Arc<Expr>, IntTy), FxBuildHasher>,
    /// The unit under analysis: the layout, or one PE program.
    pub unit: Unit,
    /// The frame under evaluation; between evaluations, a frame of no module in particular.
    pub frame: Frame,
    /// The steps that led to this evaluation, outermost first.
    pub trace: Vec<TraceFrame>,
    /// Iterations and calls executed or expanded since a tile or route was set or a program begun.
    pub steps: u64,
    /// Elements of arrays that were written one by one since those that live were counted.
    pub written: u64,
    /// Whether a quota was exceeded: after an error nothing more is evaluated then.
    pub exhausted: bool,
    /// Paths of the modules whose imports are being evaluated, outermost first.
    pub importing: Vec<String>,
    /// The places of the source at which operations use queues, each with the queue where no program that comes there
    /// initialises it.
    pub queue_ops: IndexMap<Span, Option<BareQueue>>,
    /// The places of divisions of comptime integers that have left a remainder.
    pub inexact: FxHashSet<Span>,
    pub imports: IndexSet<Import, FxBuildHasher>,
    /// The places of the wafer's routes, in their order.
    pub routes: Vec<Span>,
    /// The names of the declarations that a program uses; kept where the others are to be checked.
    pub used: FxHashSet<Span>,
    /// The record of names, where an editor asks for one.
    pub record: Option<Box<Record>>,
    /// The iteration of a layout's loop that is evaluated for others too.
    pub open: Option<Box<Open>>,
    /// The number of effects of comptime calls beside their results; a call with an effect is not memoised.
    pub effects: u64,
}

impl<'a> Sema<'a> {
    pub fn new(sources: &'a mut dyn Sources, options: &'a Options) -> Sema<'a> {
        Sema {
            sources,
            options,
            chip: csl_machine::chip(options.arch),
            map: SourceMap::new(),
            diagnostics: Diagnostics::new(),
            types: Types::new(),
            resolved: FxHashMap::default(),
            files: FxHashMap::default(),
            data_files: FxHashMap::default(),
            tile_consts: IndexSet::default(),
            unit: Unit::default(),
            frame: Frame::top_level(ModuleRef::new(0)),
            trace: Vec::new(),
            steps: 0,
            written: 0,
            exhausted: false,
            importing: Vec::new(),
            queue_ops: IndexMap::new(),
            inexact: FxHashSet::default(),
            imports: IndexSet::default(),
            routes: Vec::new(),
            used: FxHashSet::default(),
            record: None,
            open: None,
            effects: 0,
        }
    }

    /// Ends an analysis, with a wafer or an error: a failure without an error among the findings is a fault of this
    /// crate.
    pub fn finish(mut self, wafer: Result<Wafer, Reported>) -> Analysis {
        if wafer.is_err() && !self.diagnostics.has_errors() {
            self.internal(None, "the analysis failed, and says nothing of it");
        }
        let wafer = self.diagnostics.check().and(wafer);
        let mut files: Vec<Arc<SourceFile>> = self.files.into_values().collect();
        files.sort_by_key(|file| file.ast.id);
        Analysis {
            wafer,
            sources: self.map,
            diagnostics: self.diagnostics,
            files,
            imports: self.imports.into_iter().collect(),
            routes: self.routes,
        }
    }

    /// Reports a finding with the trace that led to this evaluation.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.note_unlike();
        let diagnostic = self.with_trace(diagnostic);
        self.diagnostics.push(diagnostic);
    }

    pub fn with_trace(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.trace.extend(self.import_of_library(&diagnostic));
        diagnostic.trace.extend(shortened(&self.trace));
        diagnostic
    }

    /// The place in the program at which it imports the file of the library that a finding is about, unless a step of the
    /// trace leads there.
    fn import_of_library(&self, diagnostic: &Diagnostic) -> Option<TraceFrame> {
        let at = diagnostic.primary.as_ref()?.span;
        // The first step of a PE's program is its `@set_tile_code`.
        let steps = self.trace.iter().skip(usize::from(matches!(self.unit.kind, UnitKind::Pe(_))));
        let is_led_to = steps.into_iter().any(|frame| !self.is_of_library(frame.span));
        if is_led_to || !self.is_of_library(at) {
            return None;
        }
        let own = self.unit.modules.iter().skip(self.frame.module.index()).take(1);
        let modules = own.chain(&self.unit.modules);
        let imported = modules.filter(|module| module.file.ast.id == at.file).find_map(|module| module.asked_at);
        let span = imported.filter(|span| !self.is_of_library(*span))?;
        Some(TraceFrame { span, text: "imported here".to_owned() })
    }

    /// Reports an error and gives the value that stops evaluation.
    pub fn fail(&mut self, diagnostic: Diagnostic) -> Stop {
        self.exhausted |= diagnostic.code == Code::QuotaExceeded;
        let diagnostic = self.with_trace(diagnostic);
        self.diagnostics.fail(diagnostic).into()
    }

    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> Stop {
        self.fail(Diagnostic::new(code, span, message))
    }

    /// Reports a contradiction within this crate.
    pub fn internal(&mut self, span: impl Into<Option<Span>>, message: &str) -> Reported {
        let diagnostic = match span.into() {
            Some(span) => Diagnostic::new(Code::Internal, span, message),
            None => Diagnostic::unplaced(Code::Internal, message),
        };
        let diagnostic = self.with_trace(diagnostic.note("this is a fault of Waferlab, not of the program"));
        self.diagnostics.fail(diagnostic)
    }

    /// The result of an evaluation that control flow cannot leave: a declaration, a program.
    pub fn whole<T>(&mut self, result: Res<T>, span: impl Into<Option<Span>>) -> Result<T, Reported> {
        result.map_err(|stop| match stop {
            Stop::Error(reported) => reported,
            _ => self.internal(span, "a `return`, `break` or `continue` has left a declaration or program"),
        })
    }

    /// The state of a PE's program. Builtins that ask for it stand nowhere else.
    pub fn pe(&mut self) -> Res<&mut Pe> {
        match self.unit.kind {
            UnitKind::Layout(_) => Err(self.internal(None, "a layout has no state of a PE program").into()),
            UnitKind::Pe(ref mut pe) => Ok(pe),
        }
    }

    /// The state of a layout.
    pub fn layout(&mut self) -> Res<&mut Layout> {
        match self.unit.kind {
            UnitKind::Layout(ref mut layout) => Ok(layout),
            UnitKind::Pe(_) => Err(self.internal(None, "a PE program has no state of a layout").into()),
        }
    }

    /// Evaluates with findings of its own, which the caller keeps or drops.
    pub fn apart<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> (T, Diagnostics) {
        let before = std::mem::take(&mut self.diagnostics);
        let result = f(self);
        (result, std::mem::replace(&mut self.diagnostics, before))
    }

    /// Evaluates with one more label in every finding.
    pub fn labelled<T>(&mut self, span: Span, text: impl FnOnce(&Self) -> String, f: impl FnOnce(&mut Self) -> T) -> T {
        let (result, found) = self.apart(f);
        if !found.is_empty() {
            let text = text(self);
            found.iter().for_each(|d| self.diagnostics.push(d.clone().secondary(span, text.clone())));
        }
        result
    }

    /// Evaluates with one more step in the trace of diagnostics.
    pub fn traced<T>(&mut self, span: Span, text: impl Into<String>, f: impl FnOnce(&mut Self) -> T) -> T {
        self.trace.push(TraceFrame { span, text: text.into() });
        let result = f(self);
        self.trace.pop();
        result
    }

    pub fn is_comptime(&self) -> bool {
        matches!(self.frame.mode, Mode::Comptime { .. })
    }

    /// Evaluates at comptime. Control flow of the emitted code around it is out of reach.
    pub fn at_comptime<T>(&mut self, span: Span, f: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        if self.is_comptime() {
            return f(self);
        }
        let result = self.in_mode(Mode::Comptime { ret: None }, f);
        match result {
            Err(Stop::Return | Stop::Break(_) | Stop::Continue(_)) => {
                Err(self.error(Code::WrongContext, span, "control flow cannot leave a comptime expression"))
            }
            result => result,
        }
    }

    /// Evaluates in the same frame, in another mode.
    pub fn in_mode<T>(&mut self, mode: Mode, f: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.frame.mode, mode);
        let result = f(self);
        self.frame.mode = outer;
        result
    }

    /// Evaluates in a fresh frame.
    pub fn in_frame<T>(&mut self, frame: Frame, f: impl FnOnce(&mut Self) -> T) -> T {
        self.in_frame_kept(frame, f).0
    }

    /// Evaluates in a fresh frame, and returns the frame too.
    pub fn in_frame_kept<T>(&mut self, frame: Frame, f: impl FnOnce(&mut Self) -> T) -> (T, Frame) {
        let frame = Frame { depth: self.frame.depth + 1, ..frame };
        let outer = std::mem::replace(&mut self.frame, frame);
        let result = f(self);
        (result, std::mem::replace(&mut self.frame, outer))
    }

    /// Evaluates in a scope of its own.
    pub fn scoped<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        self.frame.scopes.push(Scope::default());
        let result = f(self);
        self.frame.scopes.pop();
        result
    }

    /// Whether the code being evaluated stands in a file of the standard library.
    pub fn in_library(&self) -> bool {
        let module = self.frame.module;
        self.unit.modules[module].file.is_library
    }

    /// Whether a place of the source is in the standard library, which no program can mend.
    pub fn is_of_library(&self, span: Span) -> bool {
        self.files.values().any(|file| file.is_library && file.ast.id == span.file)
    }

    pub fn show(&self, ty: Ty) -> String {
        self.types.show(ty)
    }
}

/// The steps, innermost first. Equal neighbours are merged, and the middle of a long trace is left out.
fn shortened(trace: &[TraceFrame]) -> Vec<TraceFrame> {
    let mut steps: Vec<(TraceFrame, usize)> = Vec::new();
    for step in trace.iter().rev() {
        match steps.last_mut() {
            Some((last, count)) if last == step => *count += 1,
            _ => steps.push((step.clone(), 1)),
        }
    }
    if steps.len() > 2 * SHOWN_STEPS {
        let left_out = steps.len() - 2 * SHOWN_STEPS;
        let span = steps[SHOWN_STEPS].0.span;
        let gap = TraceFrame { span, text: format!("... and {left_out} more steps") };
        steps.splice(SHOWN_STEPS..SHOWN_STEPS + left_out, [(gap, 1)]);
    }
    let text = |step: TraceFrame, count: usize| match count {
        1 => step,
        _ => TraceFrame { text: format!("{} ({count} times)", step.text), ..step },
    };
    steps.into_iter().map(|(step, count)| text(step, count)).collect()
}

impl Frame {
    /// A frame outside any function.
    pub fn top_level(module: ModuleRef) -> Frame {
        Frame {
            module,
            mode: Mode::Comptime { ret: None },
            depth: 0,
            scopes: vec![Scope::default()],
            targets: Vec::new(),
            ret_ty: None,
            inline_target: None,
            addressed: Arc::default(),
            runtime_depth: 0,
        }
    }
}
