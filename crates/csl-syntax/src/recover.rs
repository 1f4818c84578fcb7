//! Recovery from a syntax error: chooses the stretch of text to give up, so that the rest of the file is still checked.
//!
//! The stretch is replaced by one [`Token::Skipped`], which the grammar takes for a declaration or a statement, and the
//! file is parsed again. Where only a `;` is missing, it is inserted instead.

use std::collections::HashSet;
use std::ops::Range;

use crate::token::{Lexeme, Token};

/// The text with its tokens, for questions about lines.
pub struct Stream<'t, 'a> {
    pub text: &'a str,
    pub tokens: &'t [Lexeme<'a>],
}

/// An open bracket, and the start of the declaration or statement under way in it.
#[derive(Clone, Copy)]
struct Open {
    token: Token<'static>,
    at: usize,
    start: usize,
}

impl Stream<'_, '_> {
    /// Whether the token is the first of its line.
    pub fn starts_line(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map_or(0, |i| self.tokens[i].hi);
        at == 0 || self.tokens.get(at).is_some_and(|l| self.text[before..l.lo].contains('\n'))
    }

    fn column(&self, at: usize) -> usize {
        let lo = self.tokens[at].lo;
        lo - self.text[..lo].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn token(&self, at: usize) -> Option<Token<'_>> {
        self.tokens.get(at).map(|l| l.token)
    }

    /// The innermost bracket that is open before the token.
    pub fn unclosed(&self, at: usize) -> Option<usize> {
        self.open_brackets(at, &HashSet::new()).last().filter(|open| open.at != usize::MAX).map(|open| open.at)
    }

    /// The brackets open before token `at`, outermost first; the first stands for the file.
    fn open_brackets(&self, at: usize, ends: &HashSet<usize>) -> Vec<Open> {
        let mut open = vec![Open { token: Token::LBrace, at: usize::MAX, start: 0 }];
        for (i, lexeme) in self.tokens[..at].iter().enumerate() {
            match lexeme.token {
                Token::LParen => open.push(Open { token: Token::LParen, at: i, start: i + 1 }),
                Token::LBracket => open.push(Open { token: Token::LBracket, at: i, start: i + 1 }),
                Token::LBrace => open.push(Open { token: Token::LBrace, at: i, start: i + 1 }),
                Token::RParen | Token::RBracket => close_round(&mut open, lexeme.token),
                Token::RBrace => close_brace(&mut open, 1),
                Token::Semicolon => open.truncate(1 + last_brace(&open)),
                _ => {}
            }
            let ended = matches!(lexeme.token, Token::Semicolon | Token::Skipped) || ends.contains(&lexeme.hi);
            if let (true, Some(last)) = (ended, open.last_mut()) {
                last.start = i + 1;
            }
        }
        open
    }

    /// The tokens to give up after an error at token `at`.
    ///
    /// `ends` are the ends, in bytes, of the statements and declarations that were complete.
    pub fn stretch(&self, at: usize, ends: &HashSet<usize>) -> Range<usize> {
        let open = self.open_brackets(at, ends);
        let mut level = last_brace(&open);
        if self.token(at) == Some(Token::Skipped) {
            // A statement could not stand there: give up the statement around it.
            level = last_brace(&open[..level.max(1)]);
        }
        let (end, at_top) = self.end(at, &open, level);
        let level = if at_top { 0 } else { level };
        let start = open[level].start.min(at);
        start..end.max(start + 1).min(self.tokens.len())
    }

    /// Where the stretch ends, and whether it ended at the start of a new top-level declaration.
    fn end(&self, at: usize, open: &[Open], level: usize) -> (usize, bool) {
        let mut inner: Vec<Open> = open[level + 1..].to_vec();
        let start = open[level].start.min(at);
        for i in at..self.tokens.len() {
            if i > start && self.begins_item(i) {
                return (i, true);
            }
            let in_braces = inner.iter().any(|o| o.token == Token::LBrace);
            if i > start && !in_braces && self.begins_statement(i) {
                return (i, false);
            }
            match self.tokens[i].token {
                token @ (Token::LParen | Token::LBracket | Token::LBrace) => {
                    inner.push(Open { token: bracket(token), at: i, start: i + 1 });
                }
                token @ (Token::RParen | Token::RBracket) => close_round(&mut inner, token),
                Token::RBrace if !in_braces => return (if level == 0 { i + 1 } else { i }, false),
                Token::RBrace => {
                    close_brace(&mut inner, 0);
                    if self.ends_stretch(i, start, &inner) {
                        return (i + 1, false);
                    }
                }
                Token::Semicolon if !in_braces && !self.is_head_of_for(&inner) => return (i + 1, false),
                _ => {}
            }
        }
        (self.tokens.len(), level != 0)
    }

    /// Whether the innermost bracket is that of `for (int i = 0; ..`, whose semicolons end no statement.
    fn is_head_of_for(&self, inner: &[Open]) -> bool {
        let innermost = inner.last().filter(|open| open.token == Token::LParen);
        innermost.and_then(|open| self.token(open.at.checked_sub(1)?)) == Some(Token::For)
    }

    /// Whether a `}` that left `inner` open ends the declaration or statement.
    fn ends_stretch(&self, at: usize, start: usize, inner: &[Open]) -> bool {
        let outdented = inner.iter().all(|o| o.token != Token::LBrace)
            && self.starts_line(at)
            && self.column(at) <= self.column(start);
        (inner.is_empty() || outdented) && (at + 1 == self.tokens.len() || self.starts_line(at + 1))
    }

    fn begins_item(&self, at: usize) -> bool {
        use Token::*;
        let declares = matches!(
            self.tokens[at].token,
            Fn | Task | Param | Export | Extern | Layout | Inline | Noinline | Const | Var | Comptime | ColorDecl
        );
        let named_fn = matches!(self.tokens[at].token, Fn | Task) && matches!(self.token(at + 1), Some(Ident(_)));
        named_fn || (declares && self.starts_line(at) && self.column(at) == 0)
    }

    fn begins_statement(&self, at: usize) -> bool {
        use Token::*;
        let begins = matches!(self.tokens[at].token, Var | Const | Return | For | While | Break | Continue);
        begins && self.starts_line(at)
    }
}

fn last_brace(open: &[Open]) -> usize {
    open.iter().rposition(|o| o.token == Token::LBrace).unwrap_or(0)
}

/// Closes what is open within the innermost brace, if that is open; keeps the first `keep` levels.
fn close_brace(open: &mut Vec<Open>, keep: usize) {
    if let Some(at) = open.iter().rposition(|o| o.token == Token::LBrace) {
        open.truncate(at.max(keep));
    }
}

fn close_round(open: &mut Vec<Open>, close: Token) {
    let opener = if close == Token::RParen { Token::LParen } else { Token::LBracket };
    if open.last().is_some_and(|o| o.token == opener) {
        open.pop();
    }
}

fn bracket(token: Token) -> Token<'static> {
    match token {
        Token::LParen => Token::LParen,
        Token::LBracket => Token::LBracket,
        _ => Token::LBrace,
    }
}
