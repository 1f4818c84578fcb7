//! What to do about mistakes that are often made.

use crate::expected::Expected;
use crate::token::{Lexeme, Token};

/// A word of help on the error at token `at`, where one is known.
pub fn hint(tokens: &[Lexeme], at: usize, expected: &Expected) -> Option<String> {
    let found = tokens.get(at)?.token;
    let before = at.checked_sub(1).map(|i| tokens[i].token);
    let text = match (before, found) {
        (_, Token::Assign) if expected.has("==") && expected.has(")") => "compare with `==`",
        (Some(Token::Pipe), Token::Pipe) => "the logical operator is `or`",
        (Some(Token::Pipe), _) if at > 1 && tokens[at - 2].token == Token::Pipe => "the logical operator is `or`",
        (Some(Token::Semicolon), Token::Else) => "no `;` stands between an `if` and its `else`",
        (Some(Token::Plus), Token::Plus) => "there is no `++`; write `+= 1`",
        (Some(Token::Minus), Token::Semicolon | Token::RParen) => "there is no `--`; write `-= 1`",
        (Some(Token::RParen), Token::Arrow) => "the return type follows the parentheses, without an arrow",
        (Some(Token::RParen), Token::LBrace) if !expected.has("{") && expected.has("struct") => {
            "a function that returns nothing has the return type `void`"
        }
        (_, Token::Fn | Token::Task) if expected.has("var") => "functions and tasks are declared at the top level only",
        (_, Token::For | Token::While) if expected.has("|") => "name the element between bars, as in `|x|`",
        (_, Token::LBrace) if expected.has("|") && !expected.has("+") => "name the element between bars, as in `|x|`",
        _ if found.is_keyword() && expected.has("identifier") => {
            return Some(format!("`{found}` is a keyword and cannot be a name"));
        }
        _ => return None,
    };
    Some(text.to_string())
}
