//! Any text: no panic, spans within the file, an error wherever text was given up.

use csl_syntax::ast::Item;
use csl_syntax::{dump_ast, dump_tokens, print};
use proptest::prelude::*;

use crate::support::{parse, rendered, without_spans};

fn survives(text: &str) {
    let (file, diagnostics) = parse(text);
    for diagnostic in diagnostics.iter() {
        let span = diagnostic.primary.as_ref().expect("syntax has a place").span;
        assert!(span.lo <= span.hi && span.hi as usize <= text.len(), "{diagnostic:?}");
    }
    if file.items.iter().any(|item| matches!(item, Item::Error(_))) {
        assert!(diagnostics.has_errors(), "{text:?}");
    }
    rendered("fuzz.csl", text);
    dump_tokens(text);
    dump_ast(&file);
    let printed = print(&file);
    if !diagnostics.has_errors() {
        let (again, _) = parse(&printed);
        assert_eq!(without_spans(&again), without_spans(&file), "{printed}");
    }
}

/// Pieces that often form programs when joined.
const PIECES: &[&str] = &[
    "fn f",
    "task t",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "void",
    "x",
    "y",
    "1",
    "2.5",
    "\"s\"",
    "'c'",
    ";",
    ",",
    ":",
    "=",
    "+=",
    "var a",
    "const b",
    "param p",
    "comptime",
    "if (a)",
    "else",
    "for (a) |x|",
    "while (a)",
    "switch (a)",
    "=>",
    "return",
    "break",
    "continue",
    ":l",
    "l:",
    "-",
    "!",
    "&",
    "*",
    "+",
    "==",
    "and",
    "or",
    "|",
    "|i|{4} ->",
    "A[i]",
    ".",
    ".*",
    ".{",
    "@b(",
    "struct {",
    "enum(u16) {",
    "packed",
    "extern",
    "export",
    "inline",
    "i16",
    "[4]",
    "layout",
    "asm (",
    "align(2)",
    "linkname(\"n\")",
    "color red;",
    "// c\n",
    "/// d\n",
    "//! t\n",
    "\n",
    "$",
    "\"open",
    "0b2",
    "...",
    "anytype",
    ".a =",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|pieces| pieces.join(" "))
}

/// Expressions that are right, with every kind of operand in every place.
fn expression() -> impl Strategy<Value = String> {
    let leaf =
        prop::sample::select(vec!["a", "1", "2.5", "\"s\"", "'c'", "true", ".{}", "T{}", "f()", "p.*", "return", "{}"]);
    leaf.prop_map(String::from).prop_recursive(5, 40, 4, |inner| {
        let templates = prop::sample::select(vec![
            "(0) + (1)",
            "(0) & (1)",
            "(0) or (1)",
            "(0) < (1)",
            "(0) << (1)",
            "(0) * (1)",
            "-(0)",
            "&(0)",
            "if (0) (1) else (2)",
            "if (0) (1)",
            "comptime (0)",
            "return (0)",
            "break :l (0)",
            "for (0) |x| (1)",
            "while (0) (1)",
            "while (0) : (1) (2)",
            "(0).a",
            "(0)[1, 2]",
            "(0)(1, 2)",
            "(0).*",
            "[0](1)",
            "*const (0)",
            "fn ((0), x: (1)) (2)",
            "(0){ 1, 2 }",
            "(0){ .a = 1 }",
            ".{ .a = 0, .b = 1 }",
            ".{ 0, 1 }",
            "switch (0) { 1 => 2, else => (0) = (1) }",
            "l: { (0) = (1); (2); if (0) (1); }",
            "|i|{0} -> (1)[2]",
            "struct { a: (0) }",
            "enum(0) { a = 1 }",
            "@b(0, 1)",
            "{ if (0) (1) else (2); (0); }",
        ]);
        (templates, prop::array::uniform3(inner)).prop_map(|(template, parts)| {
            template.chars().map(|c| c.to_digit(10).map_or(c.to_string(), |d| parts[d as usize].clone())).collect()
        })
    })
}

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_printable_ascii(text in "[ -~\n]{0,200}") {
        survives(&text);
    }

    #[test]
    fn any_tokens(text in soup()) {
        survives(&text);
        survives(&format!("fn f() void {{ {text} }}"));
        survives(&format!("const x = {text};"));
    }

    #[test]
    fn right_expressions_print_and_parse_again(text in expression()) {
        let text = format!("const x = {text};");
        prop_assert!(!parse(&text).1.has_errors(), "{}", rendered("right.csl", &text));
        survives(&text);
    }
}
