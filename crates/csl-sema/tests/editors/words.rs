//! The words of CSL by what they are, for every editor alike.

use csl_ir::Types;
use csl_machine::registers::DIRECTION_BITS;
use csl_syntax::Token;

/// What a keyword is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Where control goes.
    Control,
    /// Begins a declaration or a type.
    Declares,
    /// Says more of a declaration.
    Modifies,
    /// An operator.
    Operator,
    Constant,
    Type,
}

impl Class {
    pub const ALL: [Class; 6] =
        [Class::Control, Class::Declares, Class::Modifies, Class::Operator, Class::Constant, Class::Type];
}

fn class(keyword: Token<'_>) -> Class {
    use Token::*;
    match keyword {
        Break | Continue | Else | For | If | Return | Switch | While => Class::Control,
        ColorDecl | Const | Enum | Fn | Layout | Param | Struct | Task | Union | Var => Class::Declares,
        Align | Asm | Comptime | Export | Extern | Inline | Linkname | Linksection | Noinline | Packed | Volatile => {
            Class::Modifies
        }
        And | Or => Class::Operator,
        True | False => Class::Constant,
        Anytype => Class::Type,
        other => panic!("{other} is a keyword of no class"),
    }
}

/// The keywords of a class, sorted. `color` is left out: it is the name of a type nearly everywhere.
pub fn keywords(of: Class) -> Vec<&'static str> {
    let keywords = Token::KEYWORDS.iter().filter(|&&token| token != Token::ColorDecl && class(token) == of);
    sorted(keywords.map(|token| token.kind()))
}

/// The names of types, but for integers of other widths than the usual ones.
pub fn types() -> Vec<&'static str> {
    sorted(Types::primitive_names())
}

/// Names that mean something in every program.
pub fn constants() -> Vec<&'static str> {
    sorted(DIRECTION_BITS.iter().map(|&(name, _)| name))
}

/// The names of builtins that programs may call, without the `@`.
pub fn builtins() -> Vec<&'static str> {
    sorted(csl_sema::builtin_names().filter(|name| !name.starts_with("wl_")))
}

/// Keywords that can begin a file.
pub fn first_words() -> Vec<&'static str> {
    use Token::*;
    sorted(
        [ColorDecl, Comptime, Const, Export, Extern, Fn, Inline, Layout, Noinline, Param, Task, Var].map(Token::kind),
    )
}

/// The operators, those of assignments included, the longest first.
pub fn operators() -> Vec<&'static str> {
    let punctuation = Token::PUNCTUATION.iter().filter(|token| token.is_operator() || token.kind().ends_with('='));
    let mut found: Vec<&str> = punctuation.map(|token| token.kind()).collect();
    found.sort_by_key(|text| (std::cmp::Reverse(text.len()), *text));
    found
}

fn sorted<T: Ord>(words: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut words: Vec<T> = words.into_iter().collect();
    words.sort_unstable();
    words
}
