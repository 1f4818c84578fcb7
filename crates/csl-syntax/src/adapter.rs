//! The token adapter, between lexer and grammar: it decides where the grammar would need more than one token of
//! lookahead.

use csl_diag::{Code, Diagnostic, FileId, Span};

use crate::docs::misplaced_docs;
use crate::token::{Lexeme, Token};

/// The greatest depth of nested brackets.
const MAX_BRACKETS: usize = 256;
/// The greatest depth of the tree, in nodes: operators, `if`s and the like in a row count, as do open
/// brackets. Later passes walk the tree by recursion; the limit keeps them from exhausting their stack.
const MAX_DEPTH: usize = 1000;

/// The tokens in the form that the grammar expects, comments left out.
///
/// # Errors
/// The text nests too deeply.
pub fn adapt<'a>(
    file: FileId,
    lexemes: &[Lexeme<'a>],
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Vec<Lexeme<'a>>, Box<Diagnostic>> {
    diagnostics.extend(misplaced_docs(file, lexemes));
    let mut tokens: Vec<_> = lexemes.iter().copied().filter(|l| !matches!(l.token, Token::Comment(_))).collect();
    limit_depth(file, &tokens)?;
    retag_names(&mut tokens);
    let mut tokens = fold_labels(&tokens);
    pair_else(&mut tokens);
    Ok(tokens)
}

/// Turns keywords that stand in the place of a name into names, and the name `color` into a keyword where it is one.
fn retag_names(tokens: &mut [Lexeme]) {
    let mut depth = 0usize;
    for at in 0..tokens.len() {
        let before = at.checked_sub(1).map(|i| tokens[i].token);
        let after = tokens.get(at + 1).map(|l| l.token);
        match tokens[at].token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Ident("color") if depth == 0 && declares_color(before, after) => tokens[at].token = Token::ColorDecl,
            token => {
                if let Some(name) = keyword_as_name(token, before, after) {
                    tokens[at].token = Token::Ident(name);
                }
            }
        }
    }
}

/// A keyword is a name after a `.`, and as a field in a declaration (`struct { align: u16 }`).
fn keyword_as_name(token: Token, before: Option<Token>, after: Option<Token>) -> Option<&'static str> {
    let is_field = before == Some(Token::Dot)
        || (matches!(before, Some(Token::LBrace | Token::Comma)) && after == Some(Token::Colon));
    // `{ break :label` is no field.
    let is_jump = before != Some(Token::Dot) && matches!(token, Token::Break | Token::Continue);
    (is_field && token.is_keyword() && !is_jump).then(|| token.kind())
}

fn declares_color(before: Option<Token>, after: Option<Token>) -> bool {
    matches!(before, None | Some(Token::Semicolon | Token::RBrace)) && matches!(after, Some(Token::Ident(_)))
}

/// `name :` before a block or loop becomes one label.
fn fold_labels<'a>(tokens: &[Lexeme<'a>]) -> Vec<Lexeme<'a>> {
    use Token::{Colon, For, Ident, Inline, LBrace, Label, While};
    let mut folded = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let next = |n: usize| tokens.get(at + n).map(|l| l.token);
        let labels = next(1) == Some(Colon) && matches!(next(2), Some(LBrace | For | While | Inline));
        match tokens[at].token {
            Ident(name) if labels => {
                folded.push(Lexeme { token: Label(name), lo: tokens[at].lo, hi: tokens[at + 1].hi });
                at += 2;
            }
            _ => {
                folded.push(tokens[at]);
                at += 1;
            }
        }
    }
    folded
}

/// Marks each `if` that an `else` belongs to: the nearest before it at the same depth of brackets,
/// with no `;` or `,` between.
fn pair_else(tokens: &mut [Lexeme]) {
    let mut open: Vec<Vec<usize>> = vec![Vec::new()];
    for at in 0..tokens.len() {
        match tokens[at].token {
            Token::LParen | Token::LBracket | Token::LBrace => open.push(Vec::new()),
            Token::RParen | Token::RBracket | Token::RBrace if open.len() > 1 => drop(open.pop()),
            Token::If => open.last_mut().expect("one level stays").push(at),
            Token::Semicolon | Token::Comma => open.last_mut().expect("one level stays").clear(),
            Token::Else => {
                if let Some(owner) = open.last_mut().and_then(Vec::pop) {
                    tokens[owner].token = Token::IfElse;
                }
            }
            _ => {}
        }
    }
}

/// Refuses a text whose tree could be deeper than [`MAX_DEPTH`], without building the tree.
fn limit_depth(file: FileId, tokens: &[Lexeme]) -> Result<(), Box<Diagnostic>> {
    // The levels counted since the last separator, for each open bracket.
    let mut levels: Vec<usize> = vec![0];
    let mut total = 0;
    for (at, lexeme) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map(|l| l.token);
        match lexeme.token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                total += 1;
                *levels.last_mut().expect("one level stays") += 1;
                levels.push(0);
            }
            Token::RParen | Token::RBracket | Token::RBrace if levels.len() > 1 => total -= levels.pop().unwrap_or(0),
            token if deepens(token) => {
                total += 1;
                *levels.last_mut().expect("one level stays") += 1;
            }
            _ => {}
        }
        if ends_chain(lexeme.token, next) {
            total -= std::mem::take(levels.last_mut().expect("one level stays"));
        }
        if levels.len() > MAX_BRACKETS || total > MAX_DEPTH {
            let span = Span::new(file, lexeme.lo, lexeme.hi);
            let found = Diagnostic::new(Code::SyntaxError, span, "this is nested too deeply")
                .note(format!("brackets may nest {MAX_BRACKETS} deep, and one expression {MAX_DEPTH} operators deep"));
            return Err(Box::new(found));
        }
    }
    Ok(())
}

fn deepens(token: Token) -> bool {
    use Token::*;
    matches!(
        token,
        Plus | Minus | Star | Slash | Percent | Shl | Shr | Amp | Pipe | Caret | Tilde | Bang | EqEq | NotEq | Less
    ) || matches!(token, LessEq | Greater | GreaterEq | And | Or | Dot | Deref | If | For | While | Fn | Task)
        || matches!(token, Return | Break | Comptime)
}

/// Whether the next token begins a tree of its own.
fn ends_chain(token: Token, next: Option<Token>) -> bool {
    use Token::*;
    match token {
        Semicolon | Comma => true,
        RBrace => next
            .is_some_and(|t| matches!(t, Ident(_) | Builtin(_)) || (t.is_keyword() && !matches!(t, Else | And | Or))),
        _ => false,
    }
}
