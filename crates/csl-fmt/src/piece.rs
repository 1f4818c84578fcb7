//! A token or comment, where it stood and where it is to stand.

use csl_syntax::Token;

use crate::lexemes;
use crate::roles::{Bracket, Role};

/// Columns from one tab stop to the next.
const TAB: usize = 8;

/// A token or comment.
#[derive(Clone, Debug)]
pub struct Piece<'a> {
    pub token: Token<'a>,
    /// As written; a comment without white space at its end.
    pub text: &'a str,
    /// Characters of the text.
    pub width: usize,
    /// The column at which it began.
    pub old_column: usize,
    /// The white space before it, in columns; of the line's beginning where it was the first of its line.
    pub old_gap: usize,
    /// Line breaks before it.
    pub breaks: usize,
    pub role: Role,
    /// No space may stand before it, or behind.
    pub tight: (bool, bool),
    /// The kind of a bracket.
    pub bracket: Bracket,
    /// Spaces before it, behind the line breaks if there are any.
    pub gap: usize,
    /// The column at which it begins now.
    pub column: usize,
}

impl Piece<'_> {
    pub fn is_comment(&self) -> bool {
        matches!(self.token, Token::Comment(_))
    }

    pub fn opens(&self) -> bool {
        matches!(self.token, Token::LParen | Token::LBracket | Token::LBrace)
    }

    pub fn closes(&self) -> bool {
        matches!(self.token, Token::RParen | Token::RBracket | Token::RBrace)
    }

    pub fn begins_line(&self) -> bool {
        self.breaks > 0
    }

    /// The column behind it.
    pub fn end(&self) -> usize {
        self.column + self.width
    }
}

/// The pieces of a text. Of several blank lines one is left, and none at the beginning.
pub fn cut(text: &str) -> Vec<Piece<'_>> {
    let lexemes = lexemes(text);
    let mut pieces: Vec<Piece<'_>> = Vec::with_capacity(lexemes.len());
    let (mut at, mut column) = (0, 0);
    for lexeme in &lexemes {
        let (mut breaks, start) = (0, column);
        let mut line_start = start;
        for c in text[at..lexeme.lo].chars() {
            match c {
                '\n' => (breaks, column, line_start) = (breaks + 1, 0, 0),
                '\t' => column = (column / TAB + 1) * TAB,
                '\r' | '\u{feff}' => {}
                _ => column += 1,
            }
        }
        let written = text[lexeme.lo..lexeme.hi].trim_end();
        let width = written.chars().count();
        pieces.push(Piece {
            token: lexeme.token,
            text: written,
            width,
            old_column: column,
            old_gap: column - line_start,
            breaks: if pieces.is_empty() { 0 } else { breaks.min(2) },
            role: Role::Plain,
            tight: (false, false),
            bracket: Bracket::None,
            gap: 0,
            column: 0,
        });
        column += width;
        at = lexeme.hi;
    }
    pieces
}
