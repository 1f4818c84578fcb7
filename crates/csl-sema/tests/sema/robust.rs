//! Programs that ask for too much, and programs without meaning: diagnostics, never a panic, never a hang.

use std::time::{Duration, Instant};

use csl_diag::Code;
use proptest::prelude::*;

use crate::support::{Case, programs, rendered, test_folder};

/// The time within which every program below is done, with a wide margin for a busy machine.
const SOON: Duration = Duration::from_secs(20);

fn first_error(text: &str) -> Option<Code> {
    let start = Instant::now();
    let analysis = Case::new(text).analyze();
    assert!(start.elapsed() < SOON, "took {:?}: {text}", start.elapsed());
    analysis.diagnostics.iter().find(|d| d.severity == csl_diag::Severity::Error).map(|d| d.code)
}

fn in_task(body: &str) -> String {
    format!(
        "export var out: i16;\ntask t() void {{ {body} }}\ncomptime {{ @bind_local_task(t, @get_local_task_id(8)); }}\n"
    )
}

#[test]
fn huge_arrays_are_cheap_until_they_are_written() {
    let read = "comptime { var a = @zeros([1 << 27]f32); @comptime_assert(a[5] == 0.0); }";
    assert_eq!(first_error(read), None);
    let write = "comptime { var a = @zeros([1 << 27]f32); a[5] = 1.0; }";
    assert_eq!(first_error(write), Some(Code::QuotaExceeded));
    let undefined = "comptime { var a: [1 << 27]f32; a[5] = 1.0; }";
    assert_eq!(first_error(undefined), Some(Code::QuotaExceeded));
    assert_eq!(first_error("comptime { var a: [1 << 40]f32; }"), Some(Code::BadType));
    assert_eq!(first_error("comptime { var a: [1 << 20, 1 << 20]f32; }"), Some(Code::BadType));
    let global = format!("var a = @constants([1 << 27]f32, 2.0);\n{}", in_task("a[out] = 1.0;"));
    assert_eq!(first_error(&global), Some(Code::OutOfMemory));
}

/// Arrays in structs in arrays count as much as one array, whether they had values before or not.
#[test]
fn nested_arrays_are_counted_together() {
    let types = "const S = struct { a: [4096]i32 };\nconst T = struct { s: [256]S };\n";
    let written = |first: &str, count: u32| {
        let each = "for (@range(u16, 256)) |j| { t[i].s[j].a[0] = 1; }";
        format!("{types}comptime {{ {first} for (@range(u16, {count})) |i| {{ {each} }} }}")
    };
    assert_eq!(first_error(&written("var t: [16]T;", 3)), None);
    assert_eq!(first_error(&written("var t: [16]T;", 16)), Some(Code::QuotaExceeded));
    let made = "fn made(n: i32) S { var s = S { .a = @constants([4096]i32, 1) }; s.a[0] = n; return s; }\n";
    let each =
        |kept: &str| format!("{types}{made}comptime {{ var l: [1100]S; for (@range(u16, 1100)) |i| {{ {kept} }} }}");
    assert_eq!(first_error(&each("l[0] = made(i);")), None);
    assert_eq!(first_error(&each("l[i] = made(i);")), Some(Code::QuotaExceeded));
}

#[test]
fn huge_numbers_end() {
    assert_eq!(first_error("const a = 1 << 1000000000;\ncomptime { @comptime_assert(a == 1); }"), Some(Code::Overflow));
    let squares = "comptime { var a = 3; while (true) { a = a * a; } }";
    assert_eq!(first_error(squares), Some(Code::Overflow));
    let shifts = "comptime { var a = 1; while (true) { a = a << 1000000; } }";
    assert_eq!(first_error(shifts), Some(Code::Overflow));
    let strings = "comptime { var s = \"ab\"; while (true) { s = @strcat(s, s); } }";
    assert_eq!(first_error(strings), Some(Code::QuotaExceeded));
    let products = "comptime { var a = 1 << 1000000; var b = 0; while (true) { b = a * a; } }";
    assert_eq!(first_error(products), Some(Code::QuotaExceeded));
    let wide = "const T = u16777215;\ncomptime { const a: T = 1; @comptime_assert(~a > a); }";
    assert_eq!(first_error(wide), None);
}

#[test]
fn endless_evaluation_ends() {
    let cycle = "//- pe.csl\nconst b = @import_module(\"b.csl\");\n//- b.csl\nconst a = @import_module(\"pe.csl\");\n";
    assert_eq!(first_error(cycle), Some(Code::ImportCycle));
    let mutual = "fn a(n: i32) i32 { return b(n); }\nfn b(n: i32) i32 { return a(n + 1); }\nconst x = a(1);\n";
    assert_eq!(first_error(&format!("{mutual}comptime {{ @comptime_assert(x == 1); }}")), Some(Code::QuotaExceeded));
    let types = "fn T(comptime n: comptime_int) type { return struct { x: T(n + 1) }; }\nvar a: T(0);\n";
    assert_eq!(first_error(&format!("{types}{}", in_task("a.x = 1;"))), Some(Code::QuotaExceeded));
    assert_eq!(
        first_error("const S = struct { next: S };\nvar a: S;\ncomptime { @comptime_assert(S == S); }"),
        Some(Code::ImportCycle)
    );
    let ptr = "fn f(p: anytype) void { f(&p); }\n";
    assert!(first_error(&format!("{ptr}{}", in_task("f(out);"))).is_some());
    let twice = "inline fn f(n: i16) void { f(n); f(n); }\n";
    assert_eq!(first_error(&format!("{twice}{}", in_task("f(out);"))), Some(Code::QuotaExceeded));
    let tree = "fn f(n: u16, p: *u16) void { if (n > 0) { f(n - 1, p); f(n - 1, p); } }\n";
    let quota = "//$ steps=100000\n";
    let call = "comptime { var x: u16 = 0; f(90, &x); }";
    assert_eq!(first_error(&format!("{quota}{tree}{call}")), Some(Code::QuotaExceeded));
    assert_eq!(first_error(&in_task("inline while (true) { if (out > 1) { break; } }")), Some(Code::QuotaExceeded));
    let structs = "fn f(x: anytype) void { f(.{ x, x }); }\ncomptime { f(1); }\n";
    assert_eq!(first_error(structs), Some(Code::QuotaExceeded));
}

/// Parts of parts multiply: in types, which have a limit, and in what is shown of a value, which is cut.
#[test]
fn what_is_shown_of_nested_values_ends() {
    let levels: String = (1..14).map(|i| format!("const t{i} = .{{ t{j}, t{j}, t{j}, t{j} }};\n", j = i - 1)).collect();
    let tuples = format!("const t0 = .{{ 1, 2 }};\n{levels}comptime {{ @comptime_print(t13); }}");
    assert_eq!(first_error(&tuples), Some(Code::QuotaExceeded));
    let level = |i: u32| {
        let (j, items) = (i - 1, format!("v{}, ", i - 1).repeat(64));
        format!("const T{i} = struct {{ a: [64]T{j} }};\nconst v{i} = T{i} {{ .a = [64]T{j} {{ {items} }} }};\n")
    };
    let levels: String = (1..6).map(level).collect();
    let first = "const T0 = struct { a: i16 };\nconst v0 = T0 { .a = 1 };\n";
    let arrays = format!("{first}{levels}comptime {{ @comptime_print(v5); }}");
    let analysis = Case::new(&arrays).analyze();
    let shown = rendered(&analysis);
    assert!(shown.len() < 3 << 20, "{} bytes", shown.len());
    assert!(shown.contains("note[N0408]") && shown.contains("..."), "{}", &shown[..200]);
}

#[test]
fn deep_nesting_is_no_crash() {
    let deep = |open: &str, close: &str| {
        format!("const a = {}1{};\ncomptime {{ @comptime_assert(a == 1); }}", open.repeat(200), close.repeat(200))
    };
    assert_eq!(first_error(&deep("(", ")")), None);
    assert_eq!(first_error(&deep("blk: { break :blk ", "; }")), Some(Code::Redeclared));
    first_error(&deep("- -", ""));
    first_error(&deep("if (true) ", " else 2"));
    first_error(&deep(".{ ", " }"));
    first_error(&deep("1 + (", ")"));
}

#[test]
fn odd_programs_are_refused() {
    for text in [
        "comptime { const p = blk: { var x: i16 = 1; break :blk &x; }; @comptime_assert(p.* == 1); }",
        "fn f() *i16 { var x: i16 = 1; return &x; }\ncomptime { const p = f(); p.* = 3; @comptime_assert(p.* == 3); }",
        "const a = [0]i16 {};\ncomptime { for (a) |x| { @comptime_assert(false); } }",
        "const E = enum {};\ncomptime { const e: E = 0; }",
        "const S = struct {};\ncomptime { const s = S {}; }",
        "const S = packed struct {};\nvar s: S;\ncomptime { const x = @bitcast(u0, S {}); }",
        "comptime { const x = @as(u0, 0); const y = x + x; }",
        "comptime { const x: i0 = 0; const y = -x; }",
        "const U = packed union { a: u8, b: u16 };\ncomptime { const u = U { .a = 1 }; const v = u.b; }",
        "const f = f;\ncomptime { f(); }",
        "fn f(x: @type_of(x)) void {}\ncomptime { f(1); }",
        "comptime { const t = @type_of(t); }",
        "comptime { return 1; break; continue; }",
        "fn f() f {}\ncomptime { f(); }",
        "fn f() @type_of(f()) { return 1; }\ncomptime { f(); }",
        "fn f(x: @type_of(g)) void {}\nfn g(x: @type_of(f)) void {}\ncomptime { f(g); }",
        "comptime { for (@range(u8, 0, 255, 1)) |x, i| {} }",
        "layout { @set_rectangle(-1, 70000000000); }",
        "layout { @set_rectangle(1, 1); @set_tile_code(0, 0, \"layout.csl\", .{ .x = 1 }); }",
        "layout { @set_rectangle(1, 1); @set_tile_code(0.5, \"x\", 3); }",
    ] {
        first_error(text);
    }
    for body in [
        "var a: [3]i16; a[out] = a[out + 1]; out = a[3];",
        "const p = @ptrcast(*f32, &out); p.* = 1.0;",
        "var x = @bitcast(*u16, 0xfe00).*;",
        "const x = blk: { if (out > 0) { break :blk; } break :blk 1; };",
        "while (false) {} while (true) {}",
        "const f = if (out > 0) t else t;",
        "var r = @range(i16, out); for (r) |x| { out = x; }",
        "const s = .{ .a = out, .b = .{ out, 1 } }; out = s.b[0] + s.a;",
        "var s = .{ out, 1 };",
        "return; out = 1;",
        "_ = out;",
        "switch (out) {}",
        "@map(t, out, out);",
        "@fadds(out, out, out);",
        "var u: u100 = 1; u += 1;",
        "var v: void = {}; v = {};",
        "const many: [*]i16 = &out; out = many[1 << 62];",
    ] {
        first_error(&in_task(body));
    }
}

/// The texts of which mutations are made.
fn corpus() -> Vec<String> {
    let mut all: Vec<String> = programs(&test_folder("ui")).into_iter().map(|p| p.1).collect();
    all.extend(programs(&test_folder("golden")).into_iter().map(|p| p.1));
    all.retain(|text| !text.contains("E0407"));
    all
}

/// `text` with the word at `at` replaced by the word at `from` of `other`; punctuation marks count as words.
fn mutated(text: &str, other: &str, edits: &[(usize, usize)]) -> String {
    let mut words = words_of(text);
    let others = words_of(other);
    for &(at, from) in edits {
        let (at, from) = (at % words.len(), from % others.len());
        words[at] = others[from].clone();
    }
    words.concat()
}

fn words_of(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in text.chars() {
        let is_word = c.is_alphanumeric() || c == '_' || c == '@';
        match words.last_mut() {
            Some(word) if is_word && in_word => word.push(c),
            _ => words.push(c.to_string()),
        }
        in_word = is_word;
    }
    words
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn mutated_programs_end(a in 0usize..1000, b in 0usize..1000, edits in prop::collection::vec((0usize..5000, 0usize..5000), 1..4)) {
        let corpus = corpus();
        let text = mutated(&corpus[a % corpus.len()], &corpus[b % corpus.len()], &edits);
        let mut case = Case::tolerant(&text);
        case.options.most_steps = 20_000;
        let start = Instant::now();
        let analysis = case.analyze();
        prop_assert!(start.elapsed() < SOON, "{}", text);
        prop_assert!(super::support::invalid(&analysis).is_empty(), "{:?}: {}", super::support::invalid(&analysis), text);
        // A program that failed has an error, and not an internal one.
        prop_assert_eq!(analysis.wafer.is_err(), analysis.diagnostics.has_errors(), "{}", text);
        prop_assert!(analysis.diagnostics.iter().all(|d| d.code != Code::Internal), "{}: {}", rendered(&analysis), text);
    }
}
