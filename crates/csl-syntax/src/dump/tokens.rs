//! Prints tokens as text.

use csl_diag::FileId;

use crate::adapter::adapt;
use crate::lexer::lex;
use crate::token::{Lexeme, Token};

/// One token a line: its position (line:column, both from 1), its kind and its text.
///
/// These are the tokens as the grammar sees them; comments are left out. A text that nests too deeply
/// is shown as the lexer sees it.
pub fn dump_tokens(text: &str) -> String {
    let file = FileId(0);
    let (lexemes, _) = lex(file, text);
    let tokens = adapt(file, &lexemes, &mut Vec::new()).unwrap_or(lexemes);
    let mut out = String::new();
    let (mut line, mut line_start, mut seen) = (1, 0, 0);
    for lexeme in tokens {
        for (at, _) in text[seen..lexeme.lo].match_indices('\n') {
            line += 1;
            line_start = seen + at + 1;
        }
        seen = lexeme.lo;
        let column = text[line_start..lexeme.lo].chars().count() + 1;
        out.push_str(&format!("{line}:{column} {}\n", show(&lexeme, text)));
    }
    out
}

fn show(lexeme: &Lexeme, text: &str) -> String {
    let covered = &text[lexeme.lo..lexeme.hi];
    match lexeme.token {
        Token::IfElse => "if (with else)".to_string(),
        token if token.kind() == covered => covered.to_string(),
        token => format!("{} {covered}", token.kind()),
    }
}
