//! Runs the generated parser, and runs it again after each error.

use csl_diag::{Code, Diagnostic, Diagnostics, FileId, Severity, Span};
use lalrpop_util::ParseError;

use crate::actions::Builder;
use crate::adapter::adapt;
use crate::ast::{File, Item};
use crate::expected::Expected;
use crate::grammar::FileParser;
use crate::lexer::lex;
use crate::literal::{self, BadKind, BadLiteral};
use crate::recover::Stream;
use crate::token::{Lexeme, Token};

/// The greatest number of times that one file is parsed anew, and (below) of tokens that these runs may read in all.
const MAX_RUNS: usize = 100;
const MAX_WORK: usize = 10_000_000;
/// The greatest number of diagnostics of each severity for one file.
const MAX_DIAGNOSTICS: usize = 100;

/// The tree of a file and its diagnostics. Stretches that did not parse are error nodes.
pub fn parse(file: FileId, text: &str) -> (File, Diagnostics) {
    let (lexemes, mut found) = lex(file, text);
    let items = match adapt(file, &lexemes, &mut found) {
        Ok(tokens) => parse_tokens(file, text, tokens, &mut found),
        Err(too_deep) => {
            found.push(*too_deep);
            vec![Item::Error(Span::new(file, 0, text.len()))]
        }
    };
    (File { id: file, items }, in_order(found))
}

/// Orders diagnostics by their place in the file; those of one place keep the order in which they were made.
fn in_order(mut found: Vec<Diagnostic>) -> Diagnostics {
    found.sort_by_key(|d| d.primary.as_ref().map(|p| p.span.lo));
    let mut errors = 0;
    let mut others = 0;
    found.retain(|d| {
        let count = if d.severity == Severity::Error { &mut errors } else { &mut others };
        *count += 1;
        *count <= MAX_DIAGNOSTICS
    });
    let mut diagnostics = Diagnostics::new();
    found.into_iter().for_each(|d| diagnostics.push(d));
    diagnostics
}

fn parse_tokens<'a>(
    file: FileId,
    text: &'a str,
    mut tokens: Vec<Lexeme<'a>>,
    found: &mut Vec<Diagnostic>,
) -> Vec<Item> {
    let runs = (MAX_WORK / tokens.len().max(1)).clamp(2, MAX_RUNS);
    for _ in 0..runs {
        let mut builder = Builder::new(file);
        let input = tokens.iter().map(|l| Ok::<_, std::convert::Infallible>((l.lo, l.token, l.hi)));
        let failure = match FileParser::new().parse(&mut builder, input) {
            Ok(items) => {
                found.extend(builder.diagnostics.iter().cloned());
                return items;
            }
            Err(failure) => failure,
        };
        let (at, expected) = place(&tokens, failure);
        let stream = Stream { text, tokens: &tokens };
        found.extend(report(file, &stream, at, &expected));
        if misses_semicolon(&stream, at, &expected) {
            let hi = tokens[at - 1].hi;
            tokens.insert(at, Lexeme { token: Token::Semicolon, lo: hi, hi });
        } else {
            skip(&mut tokens, text, at, builder);
        }
    }
    vec![Item::Error(Span::new(file, 0, text.len()))]
}

/// The index of the token at which the parser failed (their number, at the end) and what it expected.
fn place<E>(tokens: &[Lexeme], failure: ParseError<usize, Token, E>) -> (usize, Expected) {
    match failure {
        ParseError::UnrecognizedToken { token: (lo, token, _), expected } => {
            let at = tokens.iter().position(|l| l.lo == lo && l.token == token).unwrap_or(tokens.len());
            (at, Expected::new(&expected))
        }
        ParseError::UnrecognizedEof { expected, .. } => (tokens.len(), Expected::new(&expected)),
        // The others come from lexers that can fail and from grammars with an end.
        _ => (tokens.len(), Expected::new(&[])),
    }
}

/// Whether only a `;` is missing: one could stand here, and the next token is on a line of its own.
fn misses_semicolon(stream: &Stream, at: usize, expected: &Expected) -> bool {
    // Where a statement could begin a `;` could stand too, but it is not missing.
    let begins = expected.has("skipped");
    let heads_function = expected.has("linkname") && !expected.has("=");
    let follows = at == stream.tokens.len() || stream.tokens[at].token == Token::RBrace || stream.starts_line(at);
    at > 0 && expected.has(";") && follows && !begins && !heads_function
}

/// Replaces the tokens of a stretch that is given up by one token.
fn skip(tokens: &mut Vec<Lexeme>, text: &str, at: usize, builder: Builder) {
    let stretch = Stream { text, tokens }.stretch(at, &builder.ends.into_iter().collect());
    if stretch.is_empty() {
        return;
    }
    let skipped = Lexeme { token: Token::Skipped, lo: tokens[stretch.start].lo, hi: tokens[stretch.end - 1].hi };
    tokens.splice(stretch, [skipped]);
}

/// The diagnostic of a syntax error; `None` where the token has had one already.
fn report(file: FileId, stream: &Stream, at: usize, expected: &Expected) -> Option<Diagnostic> {
    let found = stream.tokens.get(at).map(|l| l.token);
    if matches!(found, Some(Token::Skipped | Token::Bad)) || follows_open_string(stream, at) {
        None
    } else if misses_semicolon(stream, at, expected) {
        let end = stream.tokens[at - 1].hi;
        let span = Span::new(file, end, end);
        Some(Diagnostic::new(Code::SyntaxError, span, "expected `;`").label("missing here").edit(span, ";"))
    } else if at > 0 && stream.starts_line(at) && expected.is_operand() {
        Some(line_breaks_off(file, stream, at, expected))
    } else {
        Some(unexpected(file, stream, at, expected))
    }
}

/// Points a missing token at the end of the line before, not at the token that comes next.
fn line_breaks_off(file: FileId, stream: &Stream, at: usize, expected: &Expected) -> Diagnostic {
    let last = stream.tokens[at - 1];
    let words = expected.words();
    let message = format!("expected {words} after `{}`", shorten(&stream.text[last.lo..last.hi]));
    Diagnostic::new(Code::SyntaxError, Span::new(file, last.lo, last.hi), message).label(format!("{words} is missing"))
}

fn unexpected(file: FileId, stream: &Stream, at: usize, expected: &Expected) -> Diagnostic {
    let words = expected.words();
    let (span, shown) = match stream.tokens.get(at) {
        Some(l) => (Span::new(file, l.lo, l.hi), format!("`{}`", shorten(&stream.text[l.lo..l.hi]))),
        None => (Span::new(file, stream.text.len(), stream.text.len()), "the end of the file".to_string()),
    };
    let mut diagnostic = Diagnostic::new(Code::SyntaxError, span, format!("expected {words}, found {shown}"))
        .label(format!("expected {words}"));
    if let Some(open) = unclosed(stream, at) {
        let bracket = stream.tokens[open];
        let sure = at == stream.tokens.len() || bracket.token != Token::LBrace;
        let text = format!("this `{}` {} closed", bracket.token, if sure { "is not" } else { "may not be" });
        diagnostic = diagnostic.secondary(Span::new(file, bracket.lo, bracket.hi), text);
    }
    match crate::hints::hint(stream.tokens, at, expected) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The open bracket that probably misses its partner, where the error looks like that.
fn unclosed(stream: &Stream, at: usize) -> Option<usize> {
    let open = stream.unclosed(at)?;
    let suspicious = match stream.tokens.get(at).map(|l| l.token) {
        None => true,
        Some(Token::Fn | Token::Task | Token::Layout | Token::Export) => stream.starts_line(at),
        Some(Token::Semicolon | Token::LBrace | Token::RBrace) => stream.tokens[open].token != Token::LBrace,
        _ => false,
    };
    suspicious.then_some(open)
}

/// Whether the token before is a literal without its end, which has swallowed the missing token.
fn follows_open_string(stream: &Stream, at: usize) -> bool {
    match at.checked_sub(1).map(|i| stream.tokens[i].token) {
        Some(Token::Str(text) | Token::Char(text)) => {
            matches!(literal::string(text), Err(BadLiteral { kind: BadKind::Unterminated, .. }))
        }
        _ => false,
    }
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 30;
    if text.chars().count() <= LONGEST {
        return text.to_string();
    }
    text.chars().take(LONGEST).chain("...".chars()).collect()
}
