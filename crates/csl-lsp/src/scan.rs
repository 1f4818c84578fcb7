//! What stands around a byte of a text, by its tokens alone: the text may be unfinished there.

use csl_diag::SourceMap;
use csl_syntax::{Lexeme, Token};

/// The tokens of a text.
pub fn lexemes(text: &str) -> Vec<Lexeme<'_>> {
    csl_syntax::lex(SourceMap::new().add("", ""), text).0
}

/// A call around a byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around<'t> {
    /// The name of a function, or of a builtin.
    pub callee: Token<'t>,
    /// The place of the callee's last name.
    pub callee_at: usize,
    /// The index of the argument at the byte.
    pub argument: usize,
    /// Whether a brace is open within the argument: the byte stands in a struct.
    pub is_in_struct: bool,
}

/// The innermost call around a byte.
pub fn call_around<'t>(lexemes: &[Lexeme<'t>], offset: usize) -> Option<Around<'t>> {
    // The open brackets: the index of each, and the commas behind it.
    let mut open: Vec<(usize, usize)> = Vec::new();
    for (at, lexeme) in lexemes.iter().enumerate() {
        if lexeme.lo >= offset {
            break;
        }
        match lexeme.token {
            Token::LParen | Token::LBracket | Token::LBrace => open.push((at, 0)),
            Token::RParen | Token::RBracket | Token::RBrace if lexeme.hi <= offset => drop(open.pop()),
            Token::Comma => open.iter_mut().last().into_iter().for_each(|(_, commas)| *commas += 1),
            // A statement ends what was left open before it.
            Token::Semicolon => open.retain(|&(at, _)| lexemes[at].token == Token::LBrace),
            _ => {}
        }
    }
    let mut is_in_struct = false;
    for &(at, commas) in open.iter().rev() {
        match lexemes[at].token {
            Token::LParen => {
                let callee = at.checked_sub(1).map(|before| lexemes[before])?;
                return match callee.token {
                    Token::Ident(_) | Token::Builtin(_) => {
                        Some(Around { callee: callee.token, callee_at: callee.lo, argument: commas, is_in_struct })
                    }
                    _ => None,
                };
            }
            Token::LBrace if at > 0 && lexemes[at - 1].token == Token::Dot => is_in_struct = true,
            // The braces of a block.
            Token::LBrace => return None,
            _ => {}
        }
    }
    None
}

/// The names of a chain such as `a.b.` that ends at a byte, outermost first, each with its place; empty where there is none.
pub fn chain_before<'t>(lexemes: &[Lexeme<'t>], dot: usize) -> Vec<(&'t str, usize)> {
    let mut names = Vec::new();
    let Some(mut at) = lexemes.iter().position(|lexeme| lexeme.lo == dot) else { return names };
    loop {
        // Indices do not count: `a[i].b` is a part of what `a` holds.
        let mut before = at;
        let mut depth = 0usize;
        while let Some(previous) = before.checked_sub(1) {
            match lexemes[previous].token {
                Token::RBracket => depth += 1,
                Token::LBracket if depth > 0 => depth -= 1,
                Token::Deref if depth == 0 => {}
                _ if depth > 0 => {}
                _ => break,
            }
            before = previous;
        }
        let Some(previous) = before.checked_sub(1) else { break };
        let Token::Ident(name) = lexemes[previous].token else { return Vec::new() };
        names.insert(0, (name, lexemes[previous].lo));
        match previous.checked_sub(1).map(|index| lexemes[index].token) {
            Some(Token::Dot) => at = previous - 1,
            _ => break,
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(text: &str) -> Option<(String, usize, bool)> {
        let offset = text.find('|').expect("the place is marked");
        let text = text.replacen('|', "", 1);
        let lexemes = lexemes(&text);
        call_around(&lexemes, offset)
            .map(|call| (text[call.callee_at..].chars().take(3).collect(), call.argument, call.is_in_struct))
    }

    #[test]
    fn the_innermost_call_is_found() {
        assert_eq!(around("x = foo(a, bar(1), |);"), Some(("foo".into(), 2, false)));
        assert_eq!(around("x = foo(a, bar(1, |"), Some(("bar".into(), 1, false)));
        assert_eq!(around("@get_dsd(fabin_dsd, .{ .extent = n, .| });"), Some(("@ge".into(), 1, true)));
        assert_eq!(around("foo(a[|])"), Some(("foo".into(), 0, false)));
        assert_eq!(around("if (x) { | }"), None);
        assert_eq!(around("foo(1; bar |"), None);
        assert_eq!(around("foo(1)|"), None);
    }

    #[test]
    fn chains_are_read_backwards() {
        let text = "x = a.b[c.d].e.";
        let names = chain_before(&lexemes(text), text.len() - 1);
        assert_eq!(names.iter().map(|name| name.0).collect::<Vec<_>>(), ["a", "b", "e"]);
        assert!(chain_before(&lexemes("f(x)."), 4).is_empty());
        assert!(chain_before(&lexemes(".{ ."), 3).is_empty());
    }
}
