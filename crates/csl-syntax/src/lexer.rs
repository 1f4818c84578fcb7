//! The lexer: text to tokens. It never fails: text that is no token becomes [`Token::Bad`] and a diagnostic.

use csl_diag::{Code, Diagnostic, FileId, Span};
use logos::Logos;

use crate::literal::{self, BadKind, BadLiteral};
use crate::token::{Lexeme, Token};

/// All tokens of `text`, comments included, with a diagnostic for each that is malformed.
pub fn lex(file: FileId, text: &str) -> (Vec<Lexeme<'_>>, Vec<Diagnostic>) {
    let mut lexemes: Vec<Lexeme> = Vec::with_capacity(text.len() / 4);
    let mut diagnostics = Vec::new();
    for (result, range) in Token::lexer(text).spanned() {
        let span = Span::new(file, range.start, range.end);
        let token = result.unwrap_or(Token::Bad);
        match malformed(token) {
            Some(bad) => diagnostics.push(bad_literal(token, span, &bad)),
            None if token == Token::Bad => diagnostics.push(bad_character(span, &text[range.clone()])),
            None => {}
        }
        match lexemes.last_mut() {
            // A run of bad characters is one token and, at its first character, one diagnostic.
            Some(last) if token == Token::Bad && last.token == Token::Bad && last.hi == range.start => {
                last.hi = range.end
            }
            _ => lexemes.push(Lexeme { token, lo: range.start, hi: range.end }),
        }
    }
    (lexemes, diagnostics)
}

fn malformed(token: Token) -> Option<BadLiteral> {
    match token {
        Token::Int(text) => literal::int(text).err(),
        Token::Float(text) => literal::float(text).err(),
        Token::Char(text) => literal::character(text).err(),
        Token::Str(text) => literal::string(text).err(),
        _ => None,
    }
}

fn bad_character(span: Span, text: &str) -> Diagnostic {
    let shown = text.escape_debug();
    let found = Diagnostic::new(Code::BadCharacter, span, format!("`{shown}` does not begin any token"));
    match text {
        "\u{201c}" | "\u{201d}" => found.help("write strings with the plain quote `\"`"),
        "@" => found.help("a builtin's name follows its `@` at once, as in `@range`"),
        "?" => found.help("CSL has neither `?:`, for which write `if (c) a else b`, nor optional types"),
        "#" => found.help(
            "a comment begins with `//`; a file is imported with `const name = @import_module(\"file.csl\");`, a constant \
             is `const name = 4;`",
        ),
        _ => found,
    }
}

fn bad_literal(token: Token, span: Span, bad: &BadLiteral) -> Diagnostic {
    let within = Span::new(span.file, span.lo as usize + bad.lo, span.lo as usize + bad.hi);
    let what = if matches!(token, Token::Char(_)) { "character" } else { "string" };
    match bad.kind {
        BadKind::Digit => Diagnostic::new(Code::BadNumber, within, "this is no number")
            .help("numbers are written as 10, 0xff, 0b101, 0o17, 1.5 or 1e-6; names cannot begin with a digit"),
        BadKind::TooLong => {
            let message = format!("a number can have {} digits at most", literal::MOST_DIGITS);
            Diagnostic::new(Code::BadNumber, within, message)
        }
        BadKind::Escape => Diagnostic::new(Code::BadEscape, within, "this escape sequence does not exist")
            .help(r#"the escapes are \n, \r, \t, \\, \', \", \xNN and \u{N}"#),
        BadKind::Unterminated => {
            Diagnostic::new(Code::UnterminatedString, within, format!("this {what} does not end on its line"))
        }
        BadKind::CharLength => {
            Diagnostic::new(Code::UnterminatedString, within, "a character literal holds exactly one character")
                .help("write text of any other length as a string, in double quotes")
        }
    }
}
