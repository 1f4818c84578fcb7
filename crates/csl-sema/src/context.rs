//! The state of an analysis: what is shared by all programs of a layout, and the frames being evaluated.

use std::collections::HashMap;
use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Diagnostics, FileId, SourceMap, Span, TraceFrame};
use csl_ir::{BlockId, CellRef, ModuleRef, Reg, SlotId, Ty, Types, Wafer};
use csl_machine::Chip;
use csl_syntax::{Symbol, ast};

use crate::emit::FuncBuilder;
use crate::operand::Operand;
use crate::options::{Analysis, Options, Sources};
use crate::unit::Unit;

/// Steps of a long trace that diagnostics show, at either end.
const SHOWN_STEPS: usize = 6;

/// Why an evaluation did not yield a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A diagnostic has been given.
    Error,
    /// Emitted code does not come past this point (`return`, `break` at run time).
    Diverged,
    /// At comptime: leave the function; the value is in the frame.
    Return,
    /// At comptime: leave or continue the target with this index in the frame's list.
    Break(usize),
    Continue(usize),
}

pub type Res<T> = Result<T, Stop>;

/// Whether code is executed now or emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Comptime,
    Runtime,
}

/// What a name in a block stands for.
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
    /// Its declaration failed; using it is no news.
    Poison,
}

/// Names declared in one block.
#[derive(Debug, Default)]
pub struct Scope {
    pub names: Vec<(Symbol, Binding)>,
    /// Where variables and constants among the names are declared.
    pub declared: Vec<(Symbol, Span)>,
}

/// Something that `break` or `continue` can name.
#[derive(Debug)]
pub struct Target {
    pub label: Option<Symbol>,
    pub is_loop: bool,
    /// `None` when it runs at comptime.
    pub blocks: Option<TargetBlocks>,
    /// Values broken at run time, with the block that each came from, still open.
    pub exits: Vec<(BlockId, Operand, Span)>,
    /// The value broken at comptime.
    pub value: Option<Operand>,
    pub expected: Option<Ty>,
    /// Some `continue` went to `blocks.next`.
    pub continued: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct TargetBlocks {
    /// Where `continue` goes, for loops.
    pub next: Option<BlockId>,
    /// Where `break` goes, for loops (they have no value).
    pub exit: Option<BlockId>,
}

/// A function body, or a top-level evaluation, in progress.
#[derive(Debug)]
pub struct Frame {
    pub module: ModuleRef,
    pub mode: Mode,
    pub scopes: Vec<Scope>,
    pub targets: Vec<Target>,
    /// `None` outside functions.
    pub ret_ty: Option<Ty>,
    pub ret: Option<Operand>,
    /// For an inline expansion: the index of the target that `return` leaves.
    pub inline_target: Option<usize>,
    /// Names whose address the body takes; such variables live in memory.
    pub addressed: Arc<Vec<Symbol>>,
    /// Nesting of run-time control flow, which comptime variables of outer nesting may not change under.
    pub runtime_depth: u32,
}

/// One analysis.
pub struct Sema<'a> {
    pub sources: &'a mut dyn Sources,
    pub options: &'a Options,
    pub chip: &'static Chip,
    pub map: SourceMap,
    pub diagnostics: Diagnostics,
    pub types: Types,
    /// Parsed files by path.
    pub files: HashMap<String, Arc<SourceFile>>,
    /// Files read as values, by path.
    pub data_files: HashMap<String, FileId>,
    /// What is analysed now: the layout, or one PE program.
    pub unit: Unit,
    pub frames: Vec<Frame>,
    pub builders: Vec<FuncBuilder>,
    /// How evaluation came here, outermost first.
    pub trace: Vec<TraceFrame>,
    /// Iterations and calls that were executed or expanded since a tile or route was set or a program begun.
    pub steps: u64,
    /// A quota was exceeded: what follows an error is not looked at any more.
    pub exhausted: bool,
    /// Paths of the modules whose imports are being evaluated, outermost first.
    pub importing: Vec<String>,
    /// Counts what a comptime call may do besides returning a value; a call that did is not memoised.
    pub effects: u64,
}

#[derive(Debug)]
pub struct SourceFile {
    pub path: String,
    pub ast: ast::File,
    pub is_library: bool,
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
            files: HashMap::new(),
            data_files: HashMap::new(),
            unit: Unit::default(),
            frames: Vec::new(),
            builders: Vec::new(),
            trace: Vec::new(),
            steps: 0,
            exhausted: false,
            importing: Vec::new(),
            effects: 0,
        }
    }

    pub fn finish(self, wafer: Option<Wafer>) -> Analysis {
        let wafer = wafer.filter(|_| !self.diagnostics.has_errors());
        Analysis { wafer, sources: self.map, diagnostics: self.diagnostics }
    }

    /// Reports a finding with the trace of how evaluation came here.
    pub fn report(&mut self, mut diagnostic: Diagnostic) {
        diagnostic.trace.extend(shortened(&self.trace));
        self.diagnostics.push(diagnostic);
    }

    /// Reports an error and gives the value that stops evaluation.
    pub fn fail(&mut self, diagnostic: Diagnostic) -> Stop {
        self.exhausted |= diagnostic.code == Code::QuotaExceeded;
        self.report(diagnostic);
        Stop::Error
    }

    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> Stop {
        self.fail(Diagnostic::new(code, span, message))
    }

    /// Evaluates with one more label in whatever is found.
    pub fn labelled<T>(&mut self, span: Span, text: impl FnOnce(&Self) -> String, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::take(&mut self.diagnostics);
        let result = f(self);
        let found = std::mem::replace(&mut self.diagnostics, before);
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

    pub fn frame(&self) -> &Frame {
        self.frames.last().expect("evaluation happens inside a frame")
    }

    pub fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("evaluation happens inside a frame")
    }

    pub fn is_comptime(&self) -> bool {
        self.frame().mode == Mode::Comptime
    }

    /// Evaluates at comptime whatever the frame's mode is.
    pub fn at_comptime<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        let mode = std::mem::replace(&mut self.frame_mut().mode, Mode::Comptime);
        let result = f(self);
        self.frame_mut().mode = mode;
        result
    }

    /// Evaluates in a fresh frame.
    pub fn in_frame<T>(&mut self, frame: Frame, f: impl FnOnce(&mut Self) -> T) -> T {
        self.frames.push(frame);
        let result = f(self);
        self.frames.pop();
        result
    }

    /// Evaluates in a scope of its own.
    pub fn scoped<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        self.frame_mut().scopes.push(Scope::default());
        let result = f(self);
        self.frame_mut().scopes.pop();
        result
    }

    /// Whether the code being evaluated stands in a file of the standard library.
    pub fn in_library(&self) -> bool {
        let module = self.frame().module;
        self.unit.modules[module].file.is_library
    }

    pub fn show(&self, ty: Ty) -> String {
        self.types.show(ty)
    }
}

/// The steps innermost first, with equal neighbours as one and the middle of a long trace left out.
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
            mode: Mode::Comptime,
            scopes: vec![Scope::default()],
            targets: Vec::new(),
            ret_ty: None,
            ret: None,
            inline_target: None,
            addressed: Arc::default(),
            runtime_depth: 0,
        }
    }
}
