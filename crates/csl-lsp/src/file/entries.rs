//! What is known of a file: the names that it declares and uses, the files that it names, its calls.

use std::ops::Range;

use csl_diag::Span;
use csl_syntax::Symbol;

/// The number of a declaration among those of its file.
pub type DefId = usize;

/// The number of a use of a name among those of its file.
pub type UseId = usize;

/// The kinds of declared names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefKind {
    Const,
    Var,
    /// A `param` of the file.
    Param,
    Fn,
    Task,
    /// A parameter of a function.
    Argument,
    /// A variable of a loop or of a tensor access.
    Index,
    /// A field of a struct or union.
    Field,
    /// A member of an enum.
    Member,
}

/// A declaration.
#[derive(Clone, Debug)]
pub struct Def {
    pub name: Symbol,
    /// Its name's place.
    pub span: Span,
    /// All of it.
    pub whole: Span,
    pub kind: DefKind,
    /// The bytes in which its name stands for it.
    pub visible: Range<usize>,
    pub is_top: bool,
    /// Whether other programs or the host know it by its name: `export`, `extern`.
    pub is_linked: bool,
    /// Whether a type stands at it.
    pub is_typed: bool,
    /// The function in which it stands.
    pub function: Option<DefId>,
    /// The links of which one is its value, where it is an imported module.
    pub imports: Vec<usize>,
    /// The type expression whose field or member it is.
    pub site: Option<Span>,
}

/// What a name that is used stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UseKind {
    /// A declaration of this file.
    Def(DefId),
    /// A name that the file does not declare: a primitive type, a direction, a mistake.
    Other,
    /// `base.name`
    Member { base: Option<UseId> },
    /// A field in `T { .name = value }`, where `T` is a name, or in `.{ .name = value }`.
    Init { ty: Option<UseId> },
    /// An option of a builtin: a field in `@builtin(.{ .name = value })`.
    Option,
    /// A field in the struct of params that a link is given.
    Binding { link: usize },
    /// `@name`
    Builtin,
}

/// A name that is used.
#[derive(Clone, Debug)]
pub struct Use {
    pub name: Symbol,
    pub span: Span,
    pub kind: UseKind,
    /// Whether something is assigned to it.
    pub is_written: bool,
}

/// A file that is named: by `@import_module` or `@set_tile_code`.
#[derive(Clone, Debug)]
pub struct Link {
    pub name: String,
    /// The string that names it.
    pub span: Span,
    /// Whether the names of all params that are given to it can be seen.
    pub is_open: bool,
}

/// A call of a named function.
#[derive(Clone, Debug)]
pub struct Call {
    pub callee: UseId,
    /// The function that calls.
    pub within: Option<DefId>,
}

/// A string that is an argument of a builtin.
#[derive(Clone, Debug)]
pub struct Named {
    pub builtin: Symbol,
    pub text: String,
    pub span: Span,
}

/// A call of a builtin with names among its arguments.
#[derive(Clone, Debug)]
pub struct BuiltinCall {
    pub name: Symbol,
    pub span: Span,
    /// The last name of each argument that is a name.
    pub args: Vec<Option<UseId>>,
}
