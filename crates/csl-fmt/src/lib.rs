//! Formats CSL text: white space and line breaks change, tokens and comments never do.
//!
//! `text ──csl-syntax──▶ tokens ──roles──▶ what each token is there ──layout──▶ gaps ──▶ text`
//!
//! The style is that of the published programs where they agree: two spaces a level, `if (c) {`, `} else {`, `x: u16`,
//! `a, b`, `x = y`, no space inside parentheses, `fn(u16)void` for the type of a function. Where they do not agree the author
//! decides: line breaks and single blank lines, spaces around an arithmetic operator (on both sides or on none), spaces inside
//! the braces of an initialiser, the indentation of a line that goes on, columns of several lines (`columns.rs`).
//!
//! No function here touches a file or panics, whatever the text.

mod columns;
mod indent;
mod piece;
mod range;
mod roles;

use std::ops::RangeInclusive;

use csl_diag::{Diagnostics, Rendering, SourceMap};
use csl_syntax::{Lexeme, Token};

use crate::piece::Piece;

/// A formatted text is formatted again until nothing changes, at most so often. Nearly all texts change once.
const MOST_ROUNDS: usize = 10;

/// Why a text is left alone.
#[derive(Debug)]
pub enum Refusal {
    /// It does not parse; the diagnostics say where.
    Syntax(SourceMap, Diagnostics),
    /// The formatter would have made another program of it, which is a bug of the formatter.
    Bug,
}

impl Refusal {
    /// The diagnostics as text; none for a bug.
    pub fn render(&self, how: &Rendering) -> String {
        match self {
            Refusal::Syntax(sources, found) => csl_diag::render(sources, found, how),
            Refusal::Bug => String::new(),
        }
    }
}

/// The formatted text. `name` is that of the file, for diagnostics.
pub fn format(name: &str, text: &str) -> Result<String, Refusal> {
    check(name, text)?;
    formatted(text)
}

/// The text with those of its lines formatted, counted from 1, that lie in `lines`. They get the place that they would have
/// if all lines were formatted.
pub fn format_lines(name: &str, text: &str, lines: RangeInclusive<usize>) -> Result<String, Refusal> {
    check(name, text)?;
    let whole = formatted(text)?;
    let some = range::merge(text, &whole, lines);
    if is_same_program(text, &some) { Ok(some) } else { Err(Refusal::Bug) }
}

/// Whether a text that is named `*.csl` is one of the other language of that name, the Citation Style Language, which is XML.
pub fn is_citation_style(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

/// Whether two texts have the same tokens and comments, white space at the end of comments aside.
fn is_same_program(one: &str, other: &str) -> bool {
    let (one, other) = (lexemes(one), lexemes(other));
    one.len() == other.len()
        && one.iter().zip(&other).all(|(a, b)| match (a.token, b.token) {
            (Token::Comment(a), Token::Comment(b)) => a.trim_end() == b.trim_end(),
            (a, b) => a == b,
        })
}

fn check(name: &str, text: &str) -> Result<(), Refusal> {
    let mut sources = SourceMap::new();
    let file = sources.add(name, text);
    let (_, diagnostics) = csl_syntax::parse(file, text);
    if diagnostics.has_errors() { Err(Refusal::Syntax(sources, diagnostics)) } else { Ok(()) }
}

fn lexemes(text: &str) -> Vec<Lexeme<'_>> {
    csl_syntax::lex(SourceMap::new().add("", ""), text).0
}

fn formatted(text: &str) -> Result<String, Refusal> {
    let mut last = once(text);
    for _ in 0..MOST_ROUNDS {
        let next = once(&last);
        if next == last {
            return if is_same_program(text, &last) { Ok(last) } else { Err(Refusal::Bug) };
        }
        last = next;
    }
    Err(Refusal::Bug)
}

/// One round.
fn once(text: &str) -> String {
    let mut pieces = piece::cut(text);
    roles::assign(&mut pieces);
    // Indentation follows the columns of earlier lines, and columns follow the indentation.
    indent::place(&mut pieces);
    columns::align(&mut pieces);
    indent::place(&mut pieces);
    write(text, &pieces)
}

fn write(text: &str, pieces: &[Piece<'_>]) -> String {
    let ending = if text.split_once('\n').is_some_and(|(line, _)| line.ends_with('\r')) { "\r\n" } else { "\n" };
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    if text.starts_with('\u{feff}') {
        out.push('\u{feff}');
    }
    for piece in pieces {
        (0..piece.breaks).for_each(|_| out.push_str(ending));
        out.extend(std::iter::repeat_n(' ', piece.gap));
        out.push_str(piece.text);
    }
    if !pieces.is_empty() {
        out.push_str(ending);
    }
    out
}
