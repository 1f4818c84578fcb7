//! Finds doc comments that document nothing.

use csl_diag::{Code, Diagnostic, FileId, Span};

use crate::token::{Lexeme, Token};

/// The state of the scan: the brackets that are open at a token.
#[derive(Default)]
struct Context<'a> {
    /// For each open brace, whether it lists the members of a type.
    braces: Vec<bool>,
    /// For each open parenthesis, whether it follows `enum`.
    parens: Vec<bool>,
    /// Whether the last closed parenthesis followed `enum`.
    after_base: bool,
    last: Option<Token<'a>>,
}

/// A warning for each doc comment that documents nothing; consecutive lines are one comment.
pub fn misplaced_docs(file: FileId, lexemes: &[Lexeme]) -> Vec<Diagnostic> {
    let mut context = Context::default();
    let mut found = Vec::new();
    let mut at = 0;
    for run in lexemes.chunk_by(|a, b| is_comment(a) && is_comment(b)) {
        at += run.len();
        let next = lexemes.get(at).map(|l| l.token);
        let misplaced = run.iter().find_map(|l| Some((l, context.misplaced(l.token, next)?)));
        if let Some((lexeme, why)) = misplaced {
            let span = Span::new(file, lexeme.lo, lexeme.hi);
            found.push(Diagnostic::new(Code::MisplacedDocComment, span, why).help("write a plain comment with `//`"));
        }
        context.pass(run[0].token);
    }
    found
}

fn is_comment(lexeme: &Lexeme) -> bool {
    matches!(lexeme.token, Token::Comment(_))
}

impl<'a> Context<'a> {
    /// Takes a token into the state.
    fn pass(&mut self, token: Token<'a>) {
        match token {
            Token::Comment(_) => return,
            Token::LBrace => self.braces.push(self.opens_members()),
            Token::RBrace => drop(self.braces.pop()),
            Token::LParen => self.parens.push(self.last == Some(Token::Enum)),
            Token::RParen => self.after_base = self.parens.pop().unwrap_or(false),
            _ => {}
        }
        self.last = Some(token);
    }

    /// Whether a `{` here lists the members of a type.
    fn opens_members(&self) -> bool {
        match self.last {
            Some(Token::Struct | Token::Union | Token::Enum) => true,
            Some(Token::RParen) => self.after_base,
            _ => false,
        }
    }

    /// The reason why a comment may not stand here, before the token `next`; `None` where it may.
    fn misplaced(&self, comment: Token, next: Option<Token>) -> Option<&'static str> {
        let Token::Comment(text) = comment else { return None };
        if text.starts_with("//!") {
            let at_top = match self.braces.last() {
                None => self.last.is_none(),
                Some(members) => *members && self.last == Some(Token::LBrace),
            };
            return (!at_top).then_some("`//!` documents the file or type at whose very top it stands");
        }
        if !text.starts_with("///") || text.starts_with("////") {
            return None;
        }
        let documents = match self.braces.last() {
            None => next.is_some_and(declares),
            Some(members) => *members && next.is_some_and(|t| t != Token::RBrace),
        };
        (!documents).then_some("this doc comment stands before nothing that it could document")
    }
}

fn declares(token: Token) -> bool {
    use Token::*;
    matches!(token, Fn | Task | Inline | Noinline | Export | Extern | Const | Var | Param | Ident("color"))
}
