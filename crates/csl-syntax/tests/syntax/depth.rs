//! Text that nests too deeply has a diagnostic, and exhausts no stack.

use crate::support::parse;

fn refused(text: &str) {
    let (_, diagnostics) = parse(text);
    let messages: Vec<_> = diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(messages, ["this is nested too deeply"], "{}...", &text[..40]);
}

fn nested(before: &str, open: &str, inner: &str, close: &str, after: &str) -> String {
    const DEPTH: usize = 10_000;
    format!("{before}{}{inner}{}{after}", open.repeat(DEPTH), close.repeat(DEPTH))
}

#[test]
fn brackets() {
    for (open, close) in [("(", ")"), ("f(", ")"), ("[", "]"), (".{", "}"), ("a[", "]"), ("@as(", ")"), ("{", "}")] {
        refused(&nested("const x = ", open, "1", close, ";"));
    }
    refused(&nested("fn f() void ", "{", "", "}", ""));
}

#[test]
fn brackets_that_are_never_closed() {
    for open in ["(", "[", "{", ".{", "f(", "if (a) {"] {
        refused(&nested("const x = ", open, "", "", ""));
    }
}

#[test]
fn operators_in_a_row() {
    for open in
        ["-", "!", "~", "& ", "1 + ", "a and ", "comptime ", "if (a) b else ", "if (a) ", "[2]", "*", "[*]const "]
    {
        refused(&nested("const x = ", open, "1", "", ";"));
    }
    for after in [".a", ".*", "[1]", "(1)", " + 1", " == 1"] {
        refused(&nested("const x = a", after, "", "", ";"));
    }
    for open in ["while (a) ", "for (a) |x| ", "return ", "fn () "] {
        refused(&nested("const x = ", open, "a", "", ";"));
    }
}

#[test]
fn long_is_not_deep() {
    let statements = "  if (a) { x += 1; } else { f(1, 2); }\n  {}\n  x = T{ .a = 1 };\n".repeat(5_000);
    let (_, diagnostics) = parse(&format!("fn f() void {{\n{statements}}}\n{}", "fn g() void {}\n".repeat(5_000)));
    assert!(diagnostics.is_empty());
    let (_, diagnostics) = parse(&format!("const x = .{{ {} }};", "-1 + 2, ".repeat(20_000)));
    assert!(diagnostics.is_empty());
    let chain = "if (a) { f(); } else ".repeat(200);
    assert!(parse(&format!("fn f() void {{ {chain} g(); }}")).1.is_empty());
}

/// Files that are wrong all over end in a bounded number of diagnostics, and in bounded time.
#[test]
fn errors_without_end() {
    for line in ["$ ", "\"\n", "fn f() void { x = ; }\n", "}", ") {", "x = (;\n", "/// d\n1 ", "if (a) else else"] {
        let (_, diagnostics) = parse(&line.repeat(20_000));
        assert!(diagnostics.has_errors() && diagnostics.iter().count() <= 200, "{line}");
    }
    let late = format!("{}{}", "fn f() void { g(); }\n".repeat(20_000), "x = ;\n".repeat(200));
    assert!(parse(&late).1.has_errors());
}
