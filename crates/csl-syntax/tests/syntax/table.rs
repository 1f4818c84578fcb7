//! The lists of tokens hold every token that the lexer knows by its spelling.

use std::collections::BTreeSet;

use csl_syntax::Token;

#[test]
fn the_lists_hold_every_token() {
    let source = include_str!("../../src/token.rs");
    let spelled: BTreeSet<&str> =
        source.split("#[token(\"").skip(1).map(|rest| rest.split_once("\")]").expect("an attribute ends").0).collect();
    // `color` is a keyword in one place alone; three tokens are there for errors.
    let listed = Token::KEYWORDS.iter().chain(&Token::PUNCTUATION).map(|token| token.kind());
    let listed: BTreeSet<&str> = listed.filter(|&text| text != "color").chain(["&&", "||", "..."]).collect();
    assert_eq!(listed, spelled);
    assert!(Token::KEYWORDS.iter().all(|token| token.is_keyword()));
}
