//! Help on frequent syntax errors.

use crate::expected::Expected;
use crate::token::{Lexeme, Token};

/// Help on the error at token `at`; `None` where no frequent mistake is recognised.
pub fn hint(tokens: &[Lexeme], at: usize, expected: &Expected) -> Option<String> {
    let found = tokens.get(at)?.token;
    let before = at.checked_sub(1).map(|i| tokens[i].token);
    let after = tokens.get(at + 1).map(|l| l.token);
    let text = match (before, found, after) {
        (_, Token::AmpAmp, _) => "the logical operator is `and`",
        (_, Token::PipePipe, _) => "the logical operator is `or`",
        (_, Token::Ellipsis, _) => "`...` stands for something that is still to be written",
        (_, Token::Assign, _) if expected.has("==") && expected.has(")") => "compare with `==`",
        (Some(Token::Semicolon), Token::Else, _) => "no `;` stands between an `if` and its `else`",
        (Some(Token::Plus), Token::Plus, _) | (_, Token::Plus, Some(Token::Plus)) => "there is no `++`; write `+= 1`",
        (_, Token::RParen | Token::Semicolon, _) | (_, Token::Minus, Some(Token::Minus)) if decrements(tokens, at) => {
            "there is no `--`; write `-= 1`"
        }
        (Some(Token::RParen), Token::Arrow, _) => "the return type follows the parentheses, without an arrow",
        (Some(Token::RParen), Token::LBrace, _) if !expected.has("{") && expected.has("struct") => {
            "a function that returns nothing has the return type `void`"
        }
        (_, Token::Fn | Token::Task, _) if expected.has("var") => {
            "functions and tasks are declared at the top level only"
        }
        (_, Token::LBrace, _) if expected.has("|") && !expected.has("+") => {
            "name the element between bars, as in `|x|`"
        }
        (Some(Token::Ident(_)), Token::Colon, _) if expected.has("+=") => "a label stands before a block or a loop",
        (_, Token::Ident(_), _) if expected.has(":") && expected.has("=") => "a type is written after a `:`",
        (Some(Token::Ident(_)), Token::Ident(_), _) if expected.has(")") && !expected.has("+") => {
            "a parameter is written as its name, a `:` and its type"
        }
        _ if expected.has("layout") && begins_statement(found) => {
            "statements stand in functions, tasks, `comptime` and `layout` blocks"
        }
        _ if found.is_keyword() && expected.has("identifier") && !expected.has("return") => {
            return Some(format!("`{found}` is a keyword and cannot be a name"));
        }
        _ => return None,
    };
    Some(text.to_string())
}

/// Whether two minus signs stand around the token or right before it.
fn decrements(tokens: &[Lexeme], at: usize) -> bool {
    let is_minus = |i: usize| tokens.get(i).is_some_and(|l| l.token == Token::Minus);
    is_minus(at) && is_minus(at + 1) || at > 1 && is_minus(at - 1) && is_minus(at - 2)
}

fn begins_statement(token: Token) -> bool {
    use Token::*;
    matches!(token, Ident(_) | Builtin(_) | If | IfElse | For | While | Switch | Return | LBrace | Label(_))
}
