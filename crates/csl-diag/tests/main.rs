//! Renders diagnostics and compares the text with snapshots.

use csl_diag::{Code, Diagnostic, Diagnostics, ErrorFormat, FileId, SourceMap, Span, Style, render};

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

fn show(sources: &SourceMap, all: Vec<Diagnostic>, format: ErrorFormat, style: Style) -> String {
    let mut diagnostics = Diagnostics::new();
    all.into_iter().for_each(|d| diagnostics.push(d));
    render(sources, &diagnostics, format, style)
}

#[test]
fn human_text_has_labels_notes_help_and_trace() {
    let (sources, layout, program) = sources();
    let warning = Diagnostic::new(Code::RouteOffEdge, span(LAYOUT, layout, "1, 1"), "nothing is there");
    let unplaced = Diagnostic::unplaced(Code::BadArgument, "unknown flag --frobnicate");
    let text = show(&sources, vec![full(layout, program), warning, unplaced], ErrorFormat::Human, Style::Plain);
    insta::assert_snapshot!(text);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn colors_only_decorate_the_plain_text() {
    let (sources, layout, program) = sources();
    let plain = show(&sources, vec![full(layout, program)], ErrorFormat::Human, Style::Plain);
    let colored = show(&sources, vec![full(layout, program)], ErrorFormat::Human, Style::Colored);
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
    insta::assert_snapshot!(show(&sources, vec![full(layout, program), unplaced], ErrorFormat::Json, Style::Colored));
}

#[test]
fn a_long_span_is_shown_by_its_first_line() {
    let (sources, layout, _) = sources();
    let whole = Diagnostic::new(Code::NoLayout, Span::new(layout, 0, LAYOUT.len()), "too long").label("all of this");
    insta::assert_snapshot!(show(&sources, vec![whole], ErrorFormat::Human, Style::Plain), @r"
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
    let text = show(&sources, all.clone(), ErrorFormat::Human, Style::Plain);
    assert!(text.contains("nothing here") && text.contains("nothing more") && text.contains("far out"), "{text}");
    assert_eq!(show(&sources, all, ErrorFormat::Json, Style::Plain).lines().count(), 3);
}

#[test]
fn the_same_finding_is_told_once_and_warnings_can_be_errors() {
    let (_, layout, program) = sources();
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(full(layout, program));
    diagnostics.push(full(layout, program));
    assert_eq!(diagnostics.iter().count(), 1);
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
