//! On every program of this repository, and on programs made of them at random: what is formatted has the tokens and comments
//! that it had, and stays as it is when it is formatted again.

use std::fs;
use std::path::{Path, PathBuf};

use csl_diag::SourceMap;
use csl_syntax::Token;
use proptest::prelude::*;
use proptest::sample::Index;

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder is readable") {
        let path = entry.expect("a folder is readable").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "csl") {
            found.push(path);
        }
    }
}

/// The texts of all programs of this repository, those that do not parse included.
fn programs() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = Vec::new();
    for folder in ["tests", "examples", "crates/csl-std/csl", "crates/csl-sema/tests", "crates/csl-syntax/tests"] {
        collect(&root.join(folder), &mut paths);
    }
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a program is text"))).collect()
}

/// Tokens and comments as written, white space at the end of comments aside.
fn tokens(text: &str) -> Vec<&str> {
    let file = SourceMap::new().add("", "");
    let written = |lexeme: &csl_syntax::Lexeme<'_>| {
        let written = &text[lexeme.lo..lexeme.hi];
        if matches!(lexeme.token, Token::Comment(_)) { written.trim_end().len() } else { written.len() }
    };
    csl_syntax::lex(file, text).0.iter().map(|lexeme| &text[lexeme.lo..lexeme.lo + written(lexeme)]).collect()
}

fn parses(text: &str) -> bool {
    let mut sources = SourceMap::new();
    let file = sources.add("a.csl", text);
    !csl_syntax::parse(file, text).1.has_errors()
}

/// What is wrong with the formatted text, if anything. Whatever parses is formatted.
fn complaint(text: &str) -> Option<String> {
    match csl_fmt::format("a.csl", text) {
        Err(refusal) if parses(text) => Some(format!("it is refused: {refusal:?}")),
        Err(_) => None,
        Ok(_) if !parses(text) => Some("it is formatted, but does not parse".to_owned()),
        Ok(formatted) if tokens(&formatted) != tokens(text) => {
            Some(format!("it becomes another program:\n{formatted}"))
        }
        Ok(formatted) => match csl_fmt::format("a.csl", &formatted) {
            Ok(again) if again == formatted => None,
            _ => Some(format!("this is not formatted:\n{formatted}")),
        },
    }
}

#[test]
fn every_program_keeps_its_tokens_and_is_formatted_once() {
    let programs = programs();
    assert!(programs.iter().filter(|(_, text)| parses(text)).count() > 500);
    for (path, text) in programs {
        assert_eq!(complaint(&text), None, "{}", path.display());
    }
}

/// A change of one token or gap of a text.
#[derive(Clone, Debug)]
enum Change {
    /// White space before a token.
    Gap(Index, &'static str),
    Remove(Index),
    /// A token of the text once more, elsewhere.
    Copy(Index, Index),
    Insert(Index, &'static str),
}

fn change() -> impl Strategy<Value = Change> {
    let gap = prop::sample::select(vec![
        "",
        " ",
        "  ",
        "     ",
        "\n",
        "\n\n\n",
        "\n   ",
        "\t",
        "\r\n",
        " // c\n",
        "\n\n  //x\n",
    ]);
    let token = prop::sample::select(vec![
        "-", "&", "*", "|", "{", "}", "(", ")", "[", "]", ":", ";", ",", ".", "=", "else", "if", "fn", "for", "switch",
        "struct", ".*", "+", "1", "a", "\"s\"", "é", "return", "comptime",
    ]);
    prop_oneof![
        8 => (any::<Index>(), gap).prop_map(|(at, gap)| Change::Gap(at, gap)),
        1 => any::<Index>().prop_map(Change::Remove),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Copy(from, to)),
        1 => (any::<Index>(), token).prop_map(|(at, token)| Change::Insert(at, token)),
    ]
}

fn apply(text: &str, change: &Change) -> String {
    let file = SourceMap::new().add("", "");
    let lexemes = csl_syntax::lex(file, text).0;
    if lexemes.is_empty() {
        return text.to_owned();
    }
    let of = |index: &Index| lexemes[index.index(lexemes.len())];
    let replaced = |lo: usize, hi: usize, with: &str| format!("{}{with}{}", &text[..lo], &text[hi..]);
    match change {
        Change::Gap(at, gap) => {
            let at = at.index(lexemes.len());
            replaced(at.checked_sub(1).map_or(0, |before| lexemes[before].hi), lexemes[at].lo, gap)
        }
        Change::Remove(at) => replaced(of(at).lo, of(at).hi, ""),
        Change::Copy(from, to) => replaced(of(to).lo, of(to).lo, &format!(" {} ", &text[of(from).lo..of(from).hi])),
        Change::Insert(at, token) => replaced(of(at).lo, of(at).lo, token),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn so_does_every_changed_program(which in any::<Index>(), changes in prop::collection::vec(change(), 1..12)) {
        thread_local! {
            static PROGRAMS: Vec<(PathBuf, String)> = programs();
        }
        let text = PROGRAMS.with(|programs| which.get(programs).1.clone());
        let changed = changes.iter().fold(text, |text, change| apply(&text, change));
        prop_assert_eq!(complaint(&changed), None, "{}", changed);
    }

    /// Ranges take part of the lines from the text and part from the formatted one; the tokens stay.
    #[test]
    fn ranges_change_no_token(which in any::<Index>(), first in any::<Index>(), len in 0usize..20) {
        thread_local! {
            static PROGRAMS: Vec<(PathBuf, String)> = programs().into_iter().filter(|(_, text)| parses(text)).collect();
        }
        let text = PROGRAMS.with(|programs| which.get(programs).1.clone());
        let first = first.index(text.lines().count().max(1)) + 1;
        let some = csl_fmt::format_lines("a.csl", &text, first..=first + len);
        prop_assert!(some.is_ok());
        let some = some.unwrap_or_default();
        prop_assert_eq!(tokens(&some), tokens(&text));
    }
}
