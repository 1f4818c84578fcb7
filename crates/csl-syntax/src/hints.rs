//! Help on frequent syntax errors.

use crate::expected::Expected;
use crate::habits::{habit, is_foreign_type};
use crate::token::{Lexeme, Token};

/// Help on the error at token `at`; `None` where no frequent mistake is recognised.
pub fn hint(tokens: &[Lexeme], at: usize, expected: &Expected) -> Option<String> {
    let found = tokens.get(at)?.token;
    let before = at.checked_sub(1).map(|i| tokens[i].token);
    let after = tokens.get(at + 1).map(|l| l.token);
    if at > 0 && found == Token::Assign && is_setting_of_call(tokens, at) {
        return Some("settings are fields of a struct, as in `.{ .async = true }`".to_string());
    }
    if let Some(help) = foreign(tokens, at) {
        return Some(help.to_string());
    }
    let text = match (before, found, after) {
        (_, Token::AmpAmp, _) => "the logical operator is `and`",
        (_, Token::PipePipe, _) => "the logical operator is `or`",
        (_, Token::Ellipsis, _) if expected.has("=>") => {
            "a case lists its values, as in `2, 3, 4 =>`: there are no ranges"
        }
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

/// Help on what other languages write: a form of several tokens, or a word of theirs before or at the error.
fn foreign(tokens: &[Lexeme], at: usize) -> Option<&'static str> {
    let token = |back: usize| at.checked_sub(back).and_then(|i| tokens.get(i)).map(|l| l.token);
    let next = tokens.get(at + 1).map(|l| l.token);
    let in_head_of_for = matches!((token(2), token(3)), (Some(Token::LParen), Some(Token::For)))
        || matches!((token(1), token(2)), (Some(Token::LParen), Some(Token::For)));
    match (token(1), token(0), next) {
        (_, Some(Token::Slash), Some(Token::Star)) | (Some(Token::Slash), Some(Token::Star), _) => {
            return Some("a comment begins with `//` and ends with its line");
        }
        (Some(Token::Star), Some(Token::Star), _) | (_, Some(Token::Star), Some(Token::Star)) => {
            return Some("there is no operator for powers; `<math>` has `pow`");
        }
        (_, Some(Token::Ident(_) | Token::Var | Token::Assign), _) if in_head_of_for => {
            return Some("a loop that counts is `for (@range(i16, n)) |i| { ... }`");
        }
        (Some(Token::Ident(_)), Some(Token::Arrow), Some(Token::Ident(_))) => {
            return Some("a field behind a pointer is `pointer.*.field`");
        }
        (Some(Token::Ident(_)), Some(Token::Star), _) if token(2) == Some(Token::Colon) => {
            return Some("the type of a pointer is `*f32`, to the elements of an array `[*]f32`");
        }
        (Some(Token::Semicolon | Token::LBrace | Token::RBrace), Some(Token::Star), Some(Token::Ident(_))) => {
            return Some("the value behind a pointer is `pointer.*`");
        }
        (Some(Token::RBracket), Some(Token::Semicolon | Token::RParen | Token::RBrace), _) if ends_list(tokens, at) => {
            return Some("a list has its type before it and stands in braces, as in `[3]f32{ 1.0, 2.0, 3.0 }`");
        }
        (_, Some(Token::Comma), _) if begins_list(tokens, at) => {
            return Some("a list has its type before it, as in `[3]f32{ 1.0, 2.0, 3.0 }`");
        }
        (_, Some(Token::Colon), _) if in_brackets(tokens, at) => {
            return Some(
                "there are no slices: a part of an array is a pointer, as in `&x[2]`, with a length, or a DSD",
            );
        }
        (Some(Token::Dot), Some(Token::Dot), _) | (_, Some(Token::Dot), Some(Token::Dot)) => {
            return Some(
                "a loop that counts is `for (@range(i16, n)) |i| { ... }`; a part of an array is a pointer, as in `&x[2]`, or a DSD",
            );
        }
        (Some(Token::Ident(_)), Some(Token::Assign), _)
            if matches!(token(2), Some(Token::LBrace | Token::Comma)) && !matches!(token(3), Some(Token::RParen)) =>
        {
            return Some("a field has a dot before it, as in `.{ .x = 1 }`");
        }
        (Some(Token::For), Some(Token::Ident(_)), _) => {
            return Some("a loop is `for (array) |element| { ... }` or `for (@range(i16, n)) |i| { ... }`");
        }
        (Some(Token::If | Token::IfElse | Token::While | Token::Switch), Some(found), _) if found != Token::LParen => {
            return Some("the condition stands in parentheses");
        }
        (Some(Token::RParen), Some(found), _) if found != Token::LBrace => {
            if let (Some(Token::Ident(word)), Some(Token::LParen)) = (token(2), token(3))
                && (is_foreign_type(word) || is_scalar(word))
            {
                return Some("a value is converted with `@as(TYPE, value)`");
            }
        }
        _ => {}
    }
    let word = |back: usize| match token(back) {
        Some(Token::Ident(word)) => habit(word),
        _ => None,
    };
    word(1).or_else(|| word(0)).or_else(|| called_before(tokens, at))
}

/// Whether the token follows the first item of `= { item, ..`.
fn begins_list(tokens: &[Lexeme], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map(|i| tokens[i].token);
    let open = [2, 3].into_iter().find(|back| before(*back) == Some(Token::LBrace));
    open.is_some_and(|back| matches!(before(back + 1), Some(Token::Assign)))
}

/// Whether `[item, ..]` stands right before the token, and nothing that it could be an index of before that.
fn ends_list(tokens: &[Lexeme], at: usize) -> bool {
    let open = tokens[..at].iter().rposition(|lexeme| lexeme.token == Token::LBracket);
    let before = open.and_then(|open| open.checked_sub(1)).map(|i| tokens[i].token);
    matches!(before, Some(Token::Assign | Token::LParen | Token::Comma | Token::Return))
}

/// Whether the token stands in the brackets of `x[..`, behind one bound.
fn in_brackets(tokens: &[Lexeme], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map(|i| tokens[i].token);
    matches!((before(2), before(3)), (Some(Token::LBracket), Some(Token::Ident(_))))
}

/// Whether `name =` stands among the arguments of a builtin, behind another argument.
fn is_setting_of_call(tokens: &[Lexeme], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map(|i| tokens[i].token);
    matches!((before(1), before(2)), (Some(_), Some(Token::Comma)))
}

/// Help on a word of other languages with parentheses, as in `elif (c) {`, that ends right before the error.
fn called_before(tokens: &[Lexeme], at: usize) -> Option<&'static str> {
    let mut depth = 0;
    for (place, lexeme) in tokens[..at].iter().enumerate().rev().take(LONGEST_CONDITION) {
        match lexeme.token {
            Token::RParen => depth += 1,
            Token::LParen => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return match place.checked_sub(1).map(|before| tokens[before].token) {
                Some(Token::Ident(word)) if lexeme.token == Token::LParen => habit(word),
                _ => None,
            };
        }
    }
    None
}

/// The tokens of a condition that are looked back over.
const LONGEST_CONDITION: usize = 100;

/// Whether a word is the name of a type of numbers.
fn is_scalar(word: &str) -> bool {
    let digits = word.strip_prefix(['i', 'u', 'f']).unwrap_or_default();
    matches!(digits, "8" | "16" | "32" | "64")
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
