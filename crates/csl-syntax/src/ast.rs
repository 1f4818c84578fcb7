//! The syntax tree: the program as written, before any name or type is looked up.
//!
//! Every node carries its [`Span`]. The span of a type expression is the identity of the type that it
//! defines: two types of the same text at different places differ. Types are expressions: `i16`, `[M, N]f32`
//! and `fn(i16) void` are values of type `type`.

use std::sync::Arc;

use csl_diag::{FileId, Span};
use num_bigint::BigInt;

use crate::symbol::Symbol;

/// A name as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ident {
    pub name: Symbol,
    pub span: Span,
}

/// One source file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub id: FileId,
    pub items: Vec<Item>,
}

/// A declaration at the top level of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Var(Arc<VarDecl>),
    Fn(Arc<FnDecl>),
    /// `comptime { ... }`
    Comptime(Arc<Block>),
    /// `layout { ... }`
    Layout(Arc<Block>),
    /// A stretch that did not parse; its diagnostic has been given.
    Error(Span),
}

/// The keyword of a declaration of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VarKind {
    Const,
    Var,
    /// `param`, and the legacy top-level `color name;`, which is a param of type `color`.
    Param,
}

/// The storage class of a declaration: none, `export`, `extern`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    Default,
    Export,
    Extern,
}

/// `const`, `var` or `param`, at the top level or in a block.
#[derive(Clone, Debug, PartialEq)]
pub struct VarDecl {
    pub kind: VarKind,
    pub storage: Storage,
    /// `comptime var`, `comptime const`
    pub is_comptime: bool,
    pub name: Ident,
    pub ty: Option<Expr>,
    pub align: Option<Expr>,
    pub linksection: Option<Expr>,
    pub linkname: Option<Expr>,
    pub init: Option<Expr>,
    pub span: Span,
}

impl VarDecl {
    /// Whether the declaration says `: color`.
    pub fn is_of_color(&self) -> bool {
        matches!(self.ty.as_ref().map(|ty| &ty.kind), Some(ExprKind::Name(ty)) if ty.as_str() == "color")
    }
}

/// The keyword of a declaration of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FnKind {
    Fn,
    Task,
}

/// The inlining that a function asks for: none, `inline`, `noinline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Inlining {
    Default,
    Inline,
    NoInline,
}

/// A declaration of a function or task.
#[derive(Clone, Debug, PartialEq)]
pub struct FnDecl {
    pub kind: FnKind,
    pub storage: Storage,
    pub inlining: Inlining,
    pub name: Ident,
    pub params: Vec<Param>,
    pub ret: Expr,
    pub linksection: Option<Expr>,
    pub linkname: Option<Expr>,
    /// `None` for `extern fn`.
    pub body: Option<Block>,
    pub span: Span,
}

/// A parameter of a function. `extern fn g(f16) f16` has nameless ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub is_comptime: bool,
    pub name: Option<Ident>,
    /// `None` for `anytype`.
    pub ty: Option<Expr>,
    pub span: Span,
}

/// Statements in braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub stmts: Vec<Stmt>,
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    Var(Arc<VarDecl>),
    /// Any expression statement: calls, and `if`, `for`, `while`, `switch`, blocks, `comptime ...`.
    Expr(Expr),
    /// `target op= value`; `op` is `None` for plain `=`.
    Assign {
        target: Expr,
        op: Option<BinOp>,
        value: Expr,
    },
    /// A declaration of a function inside a block is not CSL; a stretch that did not parse.
    Error,
}

/// An expression. Types are expressions, too.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

/// Operators before one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnOp {
    /// `-`
    Neg,
    /// `~`
    BitNot,
    /// `!`
    Not,
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Shl,
    Shr,
    BitAnd,
    BitOr,
    BitXor,
    /// `and`: when the left side is comptime-known `false`, the right side is not even checked.
    And,
    /// `or`
    Or,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Int(BigInt),
    /// The value of a decimal or hexadecimal floating-point literal.
    Float(f64),
    /// `'a'`, a comptime_int
    Char(u32),
    /// The bytes of a string literal, escapes resolved.
    Str(Arc<[u8]>),
    Bool(bool),
    /// A name, primitive types included (`i16`, `comptime_int`, `mem1d_dsd`, `WEST`, ...).
    Name(Symbol),
    /// `@name(args)`; `name` is without the `@`.
    Builtin {
        name: Ident,
        args: Vec<Expr>,
    },
    Call {
        callee: Box<Expr>,
        args: Vec<Expr>,
    },
    /// `base.name`
    Field {
        base: Box<Expr>,
        name: Ident,
    },
    /// `base[i, j]`
    Index {
        base: Box<Expr>,
        indices: Vec<Expr>,
    },
    /// `base.*`
    Deref(Box<Expr>),
    /// `&place`
    AddrOf(Box<Expr>),
    Unary {
        op: UnOp,
        operand: Box<Expr>,
    },
    Binary {
        op: BinOp,
        lhs: Box<Expr>,
        rhs: Box<Expr>,
    },
    /// `comptime expr`
    Comptime(Box<Expr>),
    If(Box<If>),
    For(Box<For>),
    While(Box<While>),
    Switch(Box<Switch>),
    /// `label: { ... }`
    Block {
        label: Option<Ident>,
        body: Block,
    },
    Return(Option<Box<Expr>>),
    Break {
        label: Option<Ident>,
        value: Option<Box<Expr>>,
    },
    Continue {
        label: Option<Ident>,
    },
    /// `.{ .a = x, .b = y }` when `ty` is `None`, else `T { .a = x }`.
    StructInit {
        ty: Option<Box<Expr>>,
        fields: Vec<FieldInit>,
    },
    /// `.{ x, y }`; `.{}` is this with no elements.
    Tuple(Vec<Expr>),
    /// `[3]i16 { 1, 2, 3 }`: any type expression followed by values in braces.
    ArrayInit {
        ty: Box<Expr>,
        elems: Vec<Expr>,
    },
    /// `[M, N]T`
    ArrayType {
        dims: Vec<Expr>,
        elem: Box<Expr>,
    },
    /// `*T`, `*const T`, `[*]T`, `[*]const T`
    PtrType {
        many: bool,
        is_const: bool,
        elem: Box<Expr>,
    },
    /// `fn(i16, f32) void`, `task(u32) void`
    FnType {
        kind: FnKind,
        params: Vec<Param>,
        ret: Box<Expr>,
    },
    /// `struct { ... }`, `packed struct`, `extern struct`, and the same with `union`.
    Aggregate(Box<Aggregate>),
    Enum(Box<EnumType>),
    /// `|i, j|{M, N} -> A[i, j]`
    TensorAccess(Box<TensorAccess>),
    Asm(Box<Asm>),
    /// A stretch that did not parse; its diagnostic has been given.
    Error,
}

/// `if (cond) then else otherwise`, as a statement or an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct If {
    pub cond: Expr,
    pub then: Expr,
    pub otherwise: Option<Expr>,
}

/// `for (iter) |elem, index| body`.
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    pub label: Option<Ident>,
    pub is_inline: bool,
    /// An array, a range, or a pointer to an array.
    pub iter: Expr,
    pub elem: Ident,
    pub index: Option<Ident>,
    pub body: Expr,
}

/// `while (cond) : (step) body`.
#[derive(Clone, Debug, PartialEq)]
pub struct While {
    pub label: Option<Ident>,
    pub is_inline: bool,
    pub cond: Expr,
    /// The statement after `:`, run at the end of each iteration.
    pub step: Option<Box<Stmt>>,
    pub body: Expr,
}

/// `switch (input) { arms }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Switch {
    pub input: Expr,
    pub arms: Vec<SwitchArm>,
}

/// An arm of a `switch`: `values => body`.
#[derive(Clone, Debug, PartialEq)]
pub struct SwitchArm {
    /// Empty for `else`.
    pub values: Vec<Expr>,
    pub body: Expr,
    pub span: Span,
}

/// A field in a struct literal: `.name = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldInit {
    pub name: Ident,
    pub value: Expr,
}

/// The keyword of a type with fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AggregateKind {
    Struct,
    Union,
}

/// The layout rule of a type with fields: none, `extern`, `packed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    Default,
    Extern,
    Packed,
}

/// A struct or union type.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    pub kind: AggregateKind,
    pub packing: Packing,
    pub fields: Vec<FieldDecl>,
}

/// A field of a struct or union type.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDecl {
    pub name: Ident,
    pub ty: Expr,
    pub span: Span,
}

/// An enum type.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumType {
    /// The type in `enum(u16)`.
    pub base: Option<Expr>,
    pub members: Vec<EnumMember>,
}

/// A member of an enum type.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumMember {
    pub name: Ident,
    pub value: Option<Expr>,
}

/// An affine map of a tensor for `@get_dsd`: `|vars|{extents} -> base[indices]`.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorAccess {
    pub vars: Vec<Ident>,
    pub extents: Vec<Expr>,
    /// The tensor's name or a pointer expression.
    pub base: Expr,
    pub indices: Vec<Expr>,
}

/// Inline assembly: kept so that it can be refused by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Asm {
    pub is_volatile: bool,
    pub template: Expr,
    pub outputs: Vec<AsmOperand>,
    pub inputs: Vec<AsmOperand>,
    pub clobbers: Vec<Expr>,
}

/// An operand of inline assembly.
#[derive(Clone, Debug, PartialEq)]
pub struct AsmOperand {
    pub name: Ident,
    pub constraint: Expr,
    pub value: Expr,
}
