//! The tokens of CSL.

use std::fmt;

use logos::Logos;

/// A token with its text, where the text matters.
///
/// No text holds the last variants: the token adapter makes them (`adapter.rs`).
#[derive(Logos, Clone, Copy, Debug, PartialEq)]
#[logos(skip r"[ \t\r\n\x0c\u{feff}]+")]
pub enum Token<'a> {
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Ident(&'a str),
    /// The name after the `@`.
    #[regex(r"@[A-Za-z_][A-Za-z0-9_]*", |lex| &lex.slice()[1..])]
    Builtin(&'a str),
    #[regex(r"[0-9][0-9A-Za-z_]*", priority = 3)]
    Int(&'a str),
    #[regex(r"[0-9][0-9_]*\.[0-9][0-9A-Za-z_]*", priority = 5)]
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?[eE][+-]?[0-9][0-9A-Za-z_]*", priority = 6)]
    #[regex(r"0x[0-9A-Fa-f_]+\.[0-9A-Fa-f][0-9A-Za-z_]*", priority = 7)]
    #[regex(r"0x[0-9A-Fa-f_]+(\.[0-9A-Fa-f_]+)?[pP][+-]?[0-9][0-9A-Za-z_]*", priority = 8)]
    Float(&'a str),
    /// A character literal with its quotes; the closing one is missing where the text has none, which a diagnostic
    /// says.
    #[regex(r"'([^'\\\n]|\\[^\n])*'?")]
    Char(&'a str),
    /// A string literal, with quotes as for `Char`.
    #[regex(r#""([^"\\\n]|\\[^\n])*"?"#)]
    Str(&'a str),
    #[regex(r"//[^\n]*", allow_greedy = true)]
    Comment(&'a str),

    #[token("align")]
    Align,
    #[token("and")]
    And,
    #[token("anytype")]
    Anytype,
    #[token("asm")]
    Asm,
    #[token("break")]
    Break,
    #[token("comptime")]
    Comptime,
    #[token("const")]
    Const,
    #[token("continue")]
    Continue,
    #[token("else")]
    Else,
    #[token("enum")]
    Enum,
    #[token("export")]
    Export,
    #[token("extern")]
    Extern,
    #[token("false")]
    False,
    #[token("fn")]
    Fn,
    #[token("for")]
    For,
    /// An `if` that no `else` belongs to.
    #[token("if")]
    If,
    #[token("inline")]
    Inline,
    #[token("layout")]
    Layout,
    #[token("linkname")]
    Linkname,
    #[token("linksection")]
    Linksection,
    #[token("noinline")]
    Noinline,
    #[token("or")]
    Or,
    #[token("packed")]
    Packed,
    #[token("param")]
    Param,
    #[token("return")]
    Return,
    #[token("struct")]
    Struct,
    #[token("switch")]
    Switch,
    #[token("task")]
    Task,
    #[token("true")]
    True,
    #[token("union")]
    Union,
    #[token("var")]
    Var,
    #[token("volatile")]
    Volatile,
    #[token("while")]
    While,

    #[token("(")]
    LParen,
    #[token(")")]
    RParen,
    #[token("[")]
    LBracket,
    #[token("]")]
    RBracket,
    #[token("{")]
    LBrace,
    #[token("}")]
    RBrace,
    #[token(",")]
    Comma,
    #[token(";")]
    Semicolon,
    #[token(":")]
    Colon,
    #[token(".")]
    Dot,
    #[token(".*")]
    Deref,
    #[token("->")]
    Arrow,
    #[token("=>")]
    FatArrow,
    #[token("=")]
    Assign,
    #[token("+=")]
    AddAssign,
    #[token("-=")]
    SubAssign,
    #[token("*=")]
    MulAssign,
    #[token("/=")]
    DivAssign,
    #[token("%=")]
    RemAssign,
    #[token("<<=")]
    ShlAssign,
    #[token(">>=")]
    ShrAssign,
    #[token("&=")]
    AndAssign,
    #[token("|=")]
    OrAssign,
    #[token("^=")]
    XorAssign,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    #[token("<<")]
    Shl,
    #[token(">>")]
    Shr,
    #[token("&")]
    Amp,
    #[token("|")]
    Pipe,
    #[token("^")]
    Caret,
    #[token("~")]
    Tilde,
    #[token("!")]
    Bang,
    #[token("==")]
    EqEq,
    #[token("!=")]
    NotEq,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEq,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEq,

    // Operators of other languages, kept whole so that the error can name them.
    #[token("&&")]
    AmpAmp,
    #[token("||")]
    PipePipe,
    /// `...`: stands in unfinished programs for text that is still to be written.
    #[token("...")]
    Ellipsis,

    /// Text that is no token; its diagnostic has been given.
    Bad,
    /// `name :` before a block or loop; holds the name.
    Label(&'a str),
    /// An `if` that has an `else`.
    IfElse,
    /// `color` where it begins a legacy top-level `color name;`.
    ColorDecl,
    /// A stretch that did not parse, standing where a declaration or statement would.
    Skipped,
}

impl Token<'static> {
    /// Every keyword.
    #[rustfmt::skip]
    pub const KEYWORDS: [Token<'static>; 34] = {
        use Token::*;
        [
            Align, And, Anytype, Asm, Break, Comptime, Const, Continue, Else, Enum, Export, Extern, False, Fn, For, If, Inline,
            Layout, Linkname, Linksection, Noinline, Or, Packed, Param, Return, Struct, Switch, Task, True, Union, Var, Volatile,
            While, ColorDecl,
        ]
    };

    /// Every token of punctuation that stands in a program.
    #[rustfmt::skip]
    pub const PUNCTUATION: [Token<'static>; 42] = {
        use Token::*;
        [
            LParen, RParen, LBracket, RBracket, LBrace, RBrace, Comma, Semicolon, Colon, Dot, Deref, Arrow, FatArrow, Assign,
            AddAssign, SubAssign, MulAssign, DivAssign, RemAssign, ShlAssign, ShrAssign, AndAssign, OrAssign, XorAssign, Plus,
            Minus, Star, Slash, Percent, Shl, Shr, Amp, Pipe, Caret, Tilde, Bang, EqEq, NotEq, Less, LessEq, Greater, GreaterEq,
        ]
    };
}

impl Token<'_> {
    pub fn is_keyword(self) -> bool {
        (self.kind().chars().all(|c| c.is_ascii_alphabetic()) && !self.is_class()) || self == Token::ColorDecl
    }

    /// Whether the token stands between two operands, or before one.
    pub fn is_operator(self) -> bool {
        use Token::*;
        matches!(self, Plus | Minus | Star | Slash | Percent | Shl | Shr | Amp | Pipe | Caret | Tilde | Bang)
            || matches!(self, EqEq | NotEq | Less | LessEq | Greater | GreaterEq | And | Or)
    }

    /// Whether the token is one of a class with many spellings, or made by the adapter.
    fn is_class(self) -> bool {
        use Token::*;
        matches!(
            self,
            Ident(_) | Builtin(_) | Int(_) | Float(_) | Char(_) | Str(_) | Comment(_) | Bad | Label(_) | Skipped
        )
    }

    /// The class of a token with many spellings, the spelling of any other.
    pub fn kind(self) -> &'static str {
        use Token::*;
        match self {
            Ident(_) => "identifier",
            Builtin(_) => "builtin",
            Int(_) => "integer",
            Float(_) => "float",
            Char(_) => "character",
            Str(_) => "string",
            Comment(_) => "comment",
            Bad => "bad",
            Label(_) => "label",
            Skipped => "skipped",
            ColorDecl => "color",
            If | IfElse => "if",
            Align => "align",
            And => "and",
            Anytype => "anytype",
            Asm => "asm",
            Break => "break",
            Comptime => "comptime",
            Const => "const",
            Continue => "continue",
            Else => "else",
            Enum => "enum",
            Export => "export",
            Extern => "extern",
            False => "false",
            Fn => "fn",
            For => "for",
            Inline => "inline",
            Layout => "layout",
            Linkname => "linkname",
            Linksection => "linksection",
            Noinline => "noinline",
            Or => "or",
            Packed => "packed",
            Param => "param",
            Return => "return",
            Struct => "struct",
            Switch => "switch",
            Task => "task",
            True => "true",
            Union => "union",
            Var => "var",
            Volatile => "volatile",
            While => "while",
            _ => self.punctuation(),
        }
    }

    fn punctuation(self) -> &'static str {
        use Token::*;
        match self {
            LParen => "(",
            RParen => ")",
            LBracket => "[",
            RBracket => "]",
            LBrace => "{",
            RBrace => "}",
            Comma => ",",
            Semicolon => ";",
            Colon => ":",
            Dot => ".",
            Deref => ".*",
            Arrow => "->",
            FatArrow => "=>",
            Assign => "=",
            AddAssign => "+=",
            SubAssign => "-=",
            MulAssign => "*=",
            DivAssign => "/=",
            RemAssign => "%=",
            ShlAssign => "<<=",
            ShrAssign => ">>=",
            AndAssign => "&=",
            OrAssign => "|=",
            XorAssign => "^=",
            Plus => "+",
            Minus => "-",
            Star => "*",
            Slash => "/",
            Percent => "%",
            Shl => "<<",
            Shr => ">>",
            Amp => "&",
            Pipe => "|",
            Caret => "^",
            Tilde => "~",
            Bang => "!",
            EqEq => "==",
            NotEq => "!=",
            Less => "<",
            LessEq => "<=",
            Greater => ">",
            GreaterEq => ">=",
            AmpAmp => "&&",
            PipePipe => "||",
            Ellipsis => "...",
            _ => "",
        }
    }
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// A token and the bytes `lo..hi` that it covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lexeme<'a> {
    pub token: Token<'a>,
    pub lo: usize,
    pub hi: usize,
}
