//! Between lexer and grammar: settles what would cost the grammar more than one token of lookahead.

use csl_diag::{Code, Diagnostic, FileId, Span};

use crate::token::{Lexeme, Token};

/// How deeply brackets may nest.
const MAX_BRACKETS: usize = 256;
/// How deep the tree may become: operators, `if`s and the like in a row count, as do open brackets.
/// Later passes walk the tree by recursion, which this keeps from exhausting their stack.
const MAX_DEPTH: usize = 1000;

/// The tokens as the grammar wants them, comments left out.
///
/// # Errors
/// The text nests too deeply.
pub fn adapt<'a>(
    file: FileId,
    lexemes: &[Lexeme<'a>],
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Vec<Lexeme<'a>>, Diagnostic> {
    diagnostics.extend(misplaced_docs(file, lexemes));
    let mut tokens: Vec<_> = lexemes.iter().copied().filter(|l| !matches!(l.token, Token::Comment(_))).collect();
    limit_depth(file, &tokens)?;
    retag_names(&mut tokens);
    let mut tokens = fold_labels(&tokens);
    pair_else(&mut tokens);
    Ok(tokens)
}

/// Calls `visit` with the depth of brackets before each token.
fn with_depth(tokens: &mut [Lexeme], mut visit: impl FnMut(&mut [Lexeme], usize, usize)) {
    let mut depth = 0usize;
    for at in 0..tokens.len() {
        visit(tokens, at, depth);
        match tokens[at].token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// Keywords that are names where they stand, and the name `color` where it is a keyword.
fn retag_names(tokens: &mut [Lexeme]) {
    with_depth(tokens, |tokens, at, depth| {
        let before = at.checked_sub(1).map(|i| tokens[i].token);
        let after = tokens.get(at + 1).map(|l| l.token);
        let token = tokens[at].token;
        if let Some(name) = keyword_as_name(token, before, after) {
            tokens[at].token = Token::Ident(name);
        } else if depth == 0
            && token == Token::Ident("color")
            && starts_item(before)
            && matches!(after, Some(Token::Ident(_)))
        {
            tokens[at].token = Token::ColorDecl;
        }
    });
}

/// A keyword is a name after a `.`, and as a field in a declaration (`struct { align: u16 }`).
fn keyword_as_name(token: Token, before: Option<Token>, after: Option<Token>) -> Option<&'static str> {
    let is_field = before == Some(Token::Dot)
        || (matches!(before, Some(Token::LBrace | Token::Comma)) && after == Some(Token::Colon));
    (is_field && token.is_keyword()).then(|| token.kind())
}

fn starts_item(before: Option<Token>) -> bool {
    matches!(before, None | Some(Token::Semicolon | Token::RBrace))
}

/// `name :` before a block or loop becomes one label.
fn fold_labels<'a>(tokens: &[Lexeme<'a>]) -> Vec<Lexeme<'a>> {
    use Token::{Colon, For, Ident, Inline, LBrace, Label, Switch, While};
    let mut folded = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let next = |n: usize| tokens.get(at + n).map(|l| l.token);
        let labels = next(1) == Some(Colon) && matches!(next(2), Some(LBrace | For | While | Switch | Inline));
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

/// Refuses text whose tree could be deeper than [`MAX_DEPTH`], without building the tree.
fn limit_depth(file: FileId, tokens: &[Lexeme]) -> Result<(), Diagnostic> {
    // Of every open bracket, what has been counted since the last separator in it.
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
            return Err(Diagnostic::new(Code::SyntaxError, span, "this is nested too deeply").note(format!(
                "brackets may nest {MAX_BRACKETS} deep, and one expression {MAX_DEPTH} operators deep"
            )));
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

/// After these the next token begins a tree of its own.
fn ends_chain(token: Token, next: Option<Token>) -> bool {
    use Token::*;
    match token {
        Semicolon | Comma => true,
        RBrace => next
            .is_some_and(|t| matches!(t, Ident(_) | Builtin(_)) || (t.is_keyword() && !matches!(t, Else | And | Or))),
        _ => false,
    }
}

/// Doc comments that stand before nothing that they could document.
fn misplaced_docs(file: FileId, lexemes: &[Lexeme]) -> Vec<Diagnostic> {
    // Of every open brace, whether it lists the members of a type.
    let mut members = Vec::new();
    let mut seen: Vec<Token> = Vec::new();
    let mut found = Vec::new();
    for (at, lexeme) in lexemes.iter().enumerate() {
        match lexeme.token {
            Token::Comment(text) => {
                let next = lexemes[at..].iter().map(|l| l.token).find(|t| !matches!(t, Token::Comment(_)));
                let top = seen.last().is_none_or(|t| *t == Token::LBrace && members.last() == Some(&true));
                if let Some(why) = misplaced(text, next, top, &members) {
                    let span = Span::new(file, lexeme.lo, lexeme.hi);
                    found.push(
                        Diagnostic::new(Code::MisplacedDocComment, span, why).help("write a plain comment with `//`"),
                    );
                }
                continue;
            }
            Token::LBrace => members.push(opens_members(&seen)),
            Token::RBrace => drop(members.pop()),
            _ => {}
        }
        seen.push(lexeme.token);
    }
    // A comment of several lines is one comment.
    found
}

fn misplaced(text: &str, next: Option<Token>, top: bool, members: &[bool]) -> Option<&'static str> {
    if text.starts_with("//!") {
        return (!top).then_some("`//!` documents the file or type at whose very top it stands");
    }
    if !text.starts_with("///") || text.starts_with("////") {
        return None;
    }
    let documents = match members.last() {
        None => next.is_some_and(|t| matches!(t, Token::Ident("color")) || declares(t)),
        Some(is_member) => *is_member && next.is_some_and(|t| t != Token::RBrace),
    };
    (!documents).then_some("this doc comment stands before nothing that it could document")
}

fn declares(token: Token) -> bool {
    use Token::*;
    matches!(token, Fn | Task | Inline | Noinline | Export | Extern | Const | Var | Param)
}

/// Whether a `{` after these tokens lists the members of a struct, union or enum.
fn opens_members(seen: &[Token]) -> bool {
    match seen {
        [.., Token::Struct | Token::Union | Token::Enum] => true,
        // enum(u16) {
        [.., Token::RParen] => {
            let mut depth = 0usize;
            let open = seen.iter().rposition(|t| {
                depth = match t {
                    Token::RParen => depth + 1,
                    Token::LParen => depth.saturating_sub(1),
                    _ => depth,
                };
                depth == 0
            });
            open.is_some_and(|at| at > 0 && seen[at - 1] == Token::Enum)
        }
        _ => false,
    }
}
