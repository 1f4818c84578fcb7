//! The builtins: one table, and a function for each of them in a file by topic.

mod args;
mod arrays;
mod casts;
mod color;
pub(crate) mod config;
mod dsd;
mod dsd_change;
mod dsr;
mod fifo;
mod ids;
mod json;
mod layout;
mod machine;
mod map;
pub(crate) mod operands;
mod pages;
mod print;
mod queues;
mod reflect;
mod rpc;
mod strings;
mod table;
pub(crate) mod tasks;
mod typeinfo;
mod vecop;

use csl_diag::{Code, Diagnostic, Span};
use csl_machine::Arch;
use csl_syntax::ast::{Expr, Ident};

use crate::context::{Res, Sema, Stop};
use crate::operand::Operand;
use crate::unit::UnitKind;

pub use pages::{BuiltinGroup, BuiltinPage, pages};
pub use table::names;
pub(crate) use tasks::names_task;

/// The contexts in which a builtin may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    Anywhere,
    /// While the `layout` block is evaluated.
    Layout,
    /// While a top-level `comptime` block of a PE program is evaluated.
    TopComptime,
    /// In a top-level `comptime` block of a PE program, or in run-time code.
    TopOrRuntime,
    /// In run-time code only.
    Runtime,
    /// In the code of a PE, not in the layout.
    Pe,
    /// As the value of a global `const`, so that the result exists once for the whole run.
    Global,
    /// As the value of a global `const` in the code of a PE.
    PeGlobal,
    /// In files of the standard library only.
    Library,
}

/// One use of a builtin.
pub(crate) struct Call<'c> {
    /// The name without the `@`.
    pub name: &'static str,
    pub args: &'c [Expr],
    pub span: Span,
}

pub(crate) type Handler = fn(&mut Sema<'_>, &Call<'_>) -> Res<Operand>;

/// One row of the table.
pub(crate) struct Builtin {
    pub name: &'static str,
    /// The least and the greatest number of arguments.
    pub args: (usize, usize),
    pub context: Context,
    pub handler: Handler,
}

impl Sema<'_> {
    /// Evaluates `@name(args)`.
    ///
    /// # Errors
    /// An unknown name, a wrong number of arguments, a context in which the builtin may not stand, or an error of the
    /// builtin itself.
    pub fn builtin(&mut self, name: &Ident, args: &[Expr], span: Span) -> Res<Operand> {
        let Some(builtin) = table::find(name.name.as_str()) else {
            return Err(self.unknown_builtin(name));
        };
        if self.options.arch != Arch::Wse3 && table::is_of_wse3(builtin.name) {
            return Err(self.error(Code::WrongArch, span, format!("`@{}` is only there on WSE-3", builtin.name)));
        }
        self.check_count(builtin, args, span)?;
        self.check_context(builtin, span)?;
        (builtin.handler)(self, &Call { name: builtin.name, args, span })
    }

    fn unknown_builtin(&mut self, name: &Ident) -> Stop {
        let text = name.name.as_str();
        let diagnostic = Diagnostic::new(Code::UnknownBuiltin, name.span, format!("CSL has no builtin `@{text}`"));
        let diagnostic = match csl_syntax::habit(text) {
            Some(help) => diagnostic.help(help),
            None => self.did_you_mean(diagnostic, Some(name.span), ("@", text), names()),
        };
        self.fail(diagnostic)
    }

    fn check_count(&mut self, builtin: &Builtin, args: &[Expr], span: Span) -> Res<()> {
        let given = args.len();
        let (least, most) = builtin.args;
        if (least..=most).contains(&given) {
            return Ok(());
        }
        let wanted = match (least, most) {
            (a, usize::MAX) => format!("at least {a}"),
            (a, b) if a == b => a.to_string(),
            (a, b) => format!("{a} to {b}"),
        };
        let plural = if wanted == "1" { "" } else { "s" };
        let message = format!("`@{}` takes {wanted} argument{plural}, not {given}", builtin.name);
        let diagnostic = Diagnostic::new(Code::ArgumentCount, span, message);
        Err(self.fail(match args {
            [end] if builtin.name == "range" => {
                let text = self.map.snippet(end.span);
                let help = format!("the type of the index comes first: `@range(i16, {text})`");
                diagnostic.help(help).edit(Span { hi: end.span.lo, ..end.span }, "i16, ")
            }
            _ => diagnostic,
        }))
    }

    fn check_context(&mut self, builtin: &Builtin, span: Span) -> Res<()> {
        let runtime = !self.is_comptime();
        let (in_layout, in_block) = match &self.unit.kind {
            UnitKind::Layout(layout) => (true, layout.in_block),
            UnitKind::Pe(pe) => (false, pe.in_comptime_block),
        };
        let top = !in_layout && in_block && !runtime;
        let (fits, wanted) = match builtin.context {
            Context::Anywhere => (true, ""),
            Context::Layout => (in_layout && in_block, "in a `layout` block"),
            Context::TopComptime => (top, "in a top-level `comptime` block of a PE program"),
            Context::TopOrRuntime => (top || runtime, "in a top-level `comptime` block or in run-time code"),
            Context::Runtime => (runtime, "in run-time code"),
            Context::Pe => (!in_layout, "in the code of a PE"),
            Context::Global => (!runtime, "in the value of a global `const`"),
            Context::PeGlobal => (!in_layout && !runtime, "in the value of a global `const` of a PE program"),
            Context::Library if !self.in_library() => {
                let message = format!("`@{}` is internal to the standard library", builtin.name);
                return Err(self.error(Code::UnknownBuiltin, span, message));
            }
            Context::Library => (true, ""),
        };
        if fits {
            return Ok(());
        }
        Err(self.error(Code::WrongContext, span, format!("`@{}` may only stand {wanted}", builtin.name)))
    }
}
