//! Renders diagnostics and compares the text with snapshots.

use csl_diag::{Code, Diagnostic, Diagnostics, ErrorFormat, FileId, Rendering, SourceMap, Span, render};

const LAYOUT: &str = "layout {\n  @set_rectangle(1, 1);\n  build(7);\n}\n";
const PROGRAM: &str = "const Größe: u16 = 70000;\n\tvar x = Größe;\n";

fn sources() -> (SourceMap, FileId, FileId) {
    let mut sources = SourceMap::new();
    let layout = sources.add("layout.csl", LAYOUT);
    let program = sources.add("src/pe.csl", PROGRAM);
    (sources, layout, program)
}

fn span(text: &str, file: FileId, part: &str) -> Span {
    let lo = text.find(part).expect("the part is in the text");
    Span::new(file, lo, lo + part.len())
}

fn full(layout: FileId, program: FileId) -> Diagnostic {
    Diagnostic::new(Code::NotRepresentable, span(PROGRAM, program, "70000"), "70000 does not fit u16")
        .label("the largest u16 is 65535")
        .secondary(span(PROGRAM, program, "u16"), "because of this type")
        .note("a const is computed when the program is compiled, and its value has to fit the type that it is declared with")
        .note("sizes:\n  .text   12 bytes\n  .data    2 bytes")
        .help("declare it as u32")
        .traced(span(LAYOUT, layout, "build(7)"), "called here at comptime")
        .traced(span(LAYOUT, layout, "layout"), "in this layout block")
}

fn as_json() -> Rendering {
    Rendering { format: ErrorFormat::Json, ..Rendering::default() }
}

fn show(sources: &SourceMap, all: Vec<Diagnostic>, how: Rendering) -> String {
    let mut diagnostics = Diagnostics::new();
    all.into_iter().for_each(|d| diagnostics.push(d));
    render(sources, &diagnostics, &how)
}

#[test]
fn human_text_has_labels_notes_help_and_trace() {
    let (sources, layout, program) = sources();
    let warning = Diagnostic::new(Code::RouteOffEdge, span(LAYOUT, layout, "1, 1"), "nothing is there");
    let unplaced = Diagnostic::unplaced(Code::BadArgument, "unknown flag --frobnicate");
    let text = show(&sources, vec![full(layout, program), warning, unplaced], Rendering::default());
    insta::assert_snapshot!(text);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn colors_only_decorate_the_plain_text() {
    let (sources, layout, program) = sources();
    let plain = show(&sources, vec![full(layout, program)], Rendering::default());
    let colored = show(&sources, vec![full(layout, program)], Rendering { color: true, ..Rendering::default() });
    let mut bare = String::new();
    for (at, part) in colored.split('\u{1b}').enumerate() {
        bare.push_str(if at == 0 { part } else { part.split_once('m').expect("a color ends in m").1 });
    }
    assert!(colored.contains('\u{1b}'));
    assert_eq!(bare, plain);
}

#[test]
fn json_is_one_object_a_line() {
    let (sources, layout, program) = sources();
    let unplaced = Diagnostic::unplaced(Code::BadArgument, "a \"quoted\" word");
    insta::assert_snapshot!(show(&sources, vec![full(layout, program), unplaced], as_json()));
}

#[test]
fn a_long_span_is_shown_by_its_first_line() {
    let (sources, layout, _) = sources();
    let whole = Diagnostic::new(Code::NoLayout, Span::new(layout, 0, LAYOUT.len()), "too long").label("all of this");
    insta::assert_snapshot!(show(&sources, vec![whole], Rendering::default()), @r"
    error[E0607]: too long
      ┌─ layout.csl:1:1
      │
    1 │ layout {
      │ ^^^^^^^^ all of this

    ");
}

#[test]
fn the_end_of_a_file_and_an_empty_file_can_be_shown() {
    let mut sources = SourceMap::new();
    let empty = sources.add("empty.csl", "");
    let end = sources.add("end.csl", "x\n");
    let all = vec![
        Diagnostic::new(Code::SyntaxError, Span::new(empty, 0, 0), "nothing here"),
        Diagnostic::new(Code::SyntaxError, Span::new(end, 2, 2), "nothing more"),
        // Spans outside the file are a fault of the compiler; the renderer must survive them.
        Diagnostic::new(Code::SyntaxError, Span::new(end, 90, 99), "far out"),
    ];
    let text = show(&sources, all.clone(), Rendering::default());
    assert!(text.contains("nothing here") && text.contains("nothing more") && text.contains("far out"), "{text}");
    assert_eq!(show(&sources, all, as_json()).lines().count(), 3);
}

#[test]
fn the_same_finding_is_told_once_and_warnings_can_be_errors() {
    let (_, layout, program) = sources();
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(full(layout, program));
    diagnostics.push(full(layout, program));
    assert_eq!(diagnostics.iter().count(), 1);
    // Lines that a program prints at comptime are each shown.
    diagnostics.push(Diagnostic::unplaced(Code::ComptimePrint, "1"));
    diagnostics.push(Diagnostic::unplaced(Code::ComptimePrint, "1"));
    assert_eq!(diagnostics.iter().count(), 3);
    let mut warnings = Diagnostics::new();
    warnings.push(Diagnostic::unplaced(Code::SharedQueue, "two DSDs"));
    assert!(!warnings.has_errors());
    warnings.promote_warnings();
    assert!(warnings.has_errors());
}

#[test]
fn codes_are_unique() {
    let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.text()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), Code::ALL.len());
}

/// A file of one line: `before` blanks, a word, `after` blanks and an x.
fn one_line(before: usize, after: usize) -> (SourceMap, Span) {
    let mut sources = SourceMap::new();
    let text = format!("{}wrong{}x\n", "é".repeat(before), " ".repeat(after));
    let lo = text.find("wrong").expect("it is there");
    let file = sources.add("long.csl", text);
    (sources, Span::new(file, lo, lo + 5))
}

#[test]
fn a_long_line_is_cut_around_the_span() {
    let (sources, span) = one_line(5000, 9_000);
    let shown = |how| show(&sources, vec![Diagnostic::new(Code::SyntaxError, span, "here")], how);
    let text = shown(Rendering::default());
    assert!(text.contains("long.csl:1:5001"), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    let marked = lines.iter().find(|line| line.contains("^^^^^")).expect("there is an underline");
    let line = lines.iter().find(|line| line.contains("wrong")).expect("the line is shown");
    let column = |line: &str, part: &str| line.find(part).map(|at| line[..at].chars().count());
    assert_eq!(column(marked, "^^^^^"), column(line, "wrong"), "{text}");
    assert!(line.contains("│ …é") && line.ends_with('…'), "{text}");
    assert_eq!(line.chars().count(), "1 │ ".chars().count() + 202, "{text}");
    let narrow = shown(Rendering { width: Some(60), ..Rendering::default() });
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
}

#[test]
fn lines_that_fit_are_whole_and_the_end_of_a_long_one_is_seen() {
    let (sources, span) = one_line(0, 194);
    let text = show(&sources, vec![Diagnostic::new(Code::SyntaxError, span, "here")], Rendering::default());
    assert!(text.contains(" x\n") && !text.contains('…'), "{text}");
    let (sources, span) = one_line(400, 2);
    let text = show(&sources, vec![Diagnostic::new(Code::SyntaxError, span, "here")], Rendering::default());
    assert!(text.contains("wrong  x\n"), "{text}");
}

#[test]
fn a_line_between_two_that_are_shown_is_shown() {
    let mut sources = SourceMap::new();
    let text = "one\ntwo\nthree\nfour\nfive\nsix\n";
    let file = sources.add("six.csl", text);
    let found = Diagnostic::new(Code::Redeclared, span(text, file, "three"), "again")
        .label("again, after one line")
        .secondary(span(text, file, "one"), "first here")
        .secondary(span(text, file, "six"), "and here");
    insta::assert_snapshot!(show(&sources, vec![found], Rendering::default()), @r"
    error[E0202]: again
      ┌─ six.csl:3:1
      │
    1 │ one
      │ --- first here
    2 │ two
    3 │ three
      │ ^^^^^ again, after one line
      ·
    6 │ six
      │ --- and here

    ");
}

#[test]
fn errors_and_warnings_beyond_the_limit_are_counted() {
    let (sources, layout, _) = sources();
    let at = |code, lo| Diagnostic::new(code, Span::new(layout, lo, lo + 1), "wrong");
    let warnings = (0..5).map(|lo| at(Code::SharedQueue, lo));
    let errors = (0..4).map(|lo| at(Code::SyntaxError, lo));
    let print = Diagnostic::unplaced(Code::ComptimePrint, "printed");
    let all: Vec<Diagnostic> = warnings.chain(errors).chain([print]).collect();
    let short = Rendering { format: ErrorFormat::Short, limit: Some(2), ..Rendering::default() };
    insta::assert_snapshot!(show(&sources, all.clone(), short), @r"
    layout.csl:1:1: warning[W0507]: wrong
    layout.csl:1:2: warning[W0507]: wrong
    layout.csl:1:1: error[E0100]: wrong
    layout.csl:1:2: error[E0100]: wrong
    note[N0408]: printed
    2 more errors and 3 more warnings: `--error-limit=0` shows all
    ");
    let whole = show(&sources, all, Rendering { limit: None, ..short });
    assert_eq!(whole.lines().count(), 10, "{whole}");
}

#[test]
fn sarif_has_rules_places_and_fixes() {
    let (sources, layout, program) = sources();
    let with_edit = full(layout, program).edit(span(PROGRAM, program, "u16"), "u32");
    let how = Rendering { format: ErrorFormat::Sarif, ..Rendering::default() };
    insta::assert_snapshot!(show(&sources, vec![with_edit], how));
}

#[test]
fn json_has_the_edits() {
    let (sources, layout, program) = sources();
    let with_edit = full(layout, program).edit(span(PROGRAM, program, "u16"), "u32");
    let text = show(&sources, vec![with_edit], as_json());
    let edits = r#""edits":[{"file":"src/pe.csl","line":1,"column":14,"end_line":1,"end_column":17,"replacement":"u32","safe":false}]"#;
    assert!(text.contains(edits), "{text}");
}

/// The work is proportional to the findings, and does not grow with the file that they stand in.
#[test]
fn a_hundred_thousand_findings_are_shown_at_once() {
    let mut sources = SourceMap::new();
    let text = "x ".repeat(100_000);
    let file = sources.add("one_line.csl", text);
    let findings = (0..100_000).map(|n| Diagnostic::new(Code::UnknownName, Span::new(file, 2 * n, 2 * n + 1), "no x"));
    let (mut diagnostics, again) = (Diagnostics::new(), findings.clone());
    findings.chain(again).for_each(|finding| diagnostics.push(finding));
    assert_eq!(diagnostics.iter().count(), 100_000);
    assert!(diagnostics.has_errors());
    let began = std::time::Instant::now();
    let shown = render(&sources, &diagnostics, &Rendering::default());
    assert!(shown.ends_with("99900 more errors: `--error-limit=0` shows all\n"));
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn a_comment_allows_a_warning_where_it_stands() {
    let mut sources = SourceMap::new();
    let text = "a(); // waferlab: allow(W0102, W0604)\n// waferlab: allow(W0604)\nb();\nc(); // allow(W0604)\nd();\n";
    let file = sources.add("pe.csl", text);
    let at = |code, part| Diagnostic::new(code, span(text, file, part), part);
    let found = || {
        let mut found = Diagnostics::new();
        for part in ["a()", "b()", "c()", "d()"] {
            found.push(at(Code::RouteOffEdge, part));
        }
        found.push(at(Code::SyntaxError, "a()"));
        found.push(at(Code::SharedQueue, "a()"));
        found
    };
    let left = |codes: &[Code]| {
        let mut found = found();
        found.allow(&sources, codes);
        found.iter().map(|one| format!("{} {}", one.code.text(), one.message)).collect::<Vec<_>>()
    };
    assert_eq!(left(&[]), ["W0604 c()", "W0604 d()", "E0100 a()", "W0507 a()"]);
    assert_eq!(left(&[Code::RouteOffEdge, Code::SyntaxError]), ["E0100 a()", "W0507 a()"]);
}

#[test]
fn a_warning_of_queues_is_given_once_a_place() {
    let (_, layout, _) = sources();
    let mut found = Diagnostics::new();
    for queue in 0..5 {
        let there = Diagnostic::new(Code::SharedQueue, Span::new(layout, 3, 9), format!("queue {queue}"));
        found.push(there.traced(Span::new(layout, queue, queue + 1), format!("as the code of PE ({queue}, 0)")));
    }
    let all: Vec<_> = found.iter().map(|one| (one.message.as_str(), one.repeats)).collect();
    assert_eq!(all, [("queue 0", 4)]);
}
