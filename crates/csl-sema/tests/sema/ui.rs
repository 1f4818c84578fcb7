//! Bad programs in `tests/ui`: the program names its findings and their lines, a snapshot has the rendering.
//!
//! `//~ E0301: text` expects a finding of this code on its line whose message contains the text; `//~^` means the
//! line above, and one more for each further `^`; `//~?` a finding anywhere, or without a place.

use csl_diag::Diagnostic;
use csl_sema::Analysis;

use crate::support::{Case, assert_snapshot_beside, programs, rendered, test_folder};

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Expected {
    file: String,
    /// The line, counted from 1; 0 when the place does not matter.
    line: u32,
    code: String,
    text: String,
}

fn expectations(case: &Case) -> Vec<Expected> {
    let mut all = Vec::new();
    for (file, text) in &case.files {
        for (at, line) in text.lines().enumerate() {
            let Some((_, mark)) = line.split_once("//~") else { continue };
            let above = mark.len() - mark.trim_start_matches('^').len();
            let anywhere = mark.starts_with('?');
            let rest = mark.trim_start_matches(['^', '?']).trim();
            let (code, text) = rest.split_once(':').unwrap_or((rest, ""));
            let line = if anywhere { 0 } else { (at + 1 - above) as u32 };
            all.push(Expected {
                file: file.clone(),
                line,
                code: code.trim().to_string(),
                text: text.trim().to_string(),
            });
        }
    }
    all
}

fn matches(expected: &Expected, found: &Diagnostic, analysis: &Analysis) -> bool {
    let at = found.primary.as_ref().map(|label| {
        let line = analysis.sources.line_col(label.span.file, label.span.lo).0;
        (analysis.sources.name(label.span.file).to_string(), line)
    });
    let in_place = expected.line == 0 || at == Some((expected.file.clone(), expected.line));
    in_place && found.code.text() == expected.code && found.message.contains(&expected.text)
}

/// The differences between the findings of a program and those that it names, one line each.
fn differences(case: &Case, analysis: &Analysis) -> Vec<String> {
    let mut found: Vec<&Diagnostic> = analysis.diagnostics.iter().collect();
    let mut wrong = Vec::new();
    for expected in expectations(case) {
        match found.iter().position(|f| matches(&expected, f, analysis)) {
            Some(at) => drop(found.remove(at)),
            None => wrong.push(format!("missing: {expected:?}")),
        }
    }
    wrong.extend(found.iter().map(|f| format!("unexpected: {} {}", f.code.text(), f.message)));
    wrong
}

#[test]
fn findings() {
    let folder = test_folder("ui");
    let mut wrong = Vec::new();
    for (path, text) in programs(&folder) {
        let case = Case::new(&text);
        let analysis = case.analyze();
        let these = differences(&case, &analysis);
        if !these.is_empty() {
            let name = path.strip_prefix(&folder).unwrap_or(&path).display();
            wrong.push(format!("{name}:\n  {}\n{}", these.join("\n  "), rendered(&analysis)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn renderings() {
    for (path, text) in programs(&test_folder("ui")) {
        assert_snapshot_beside(&path, &rendered(&Case::new(&text).analyze()));
    }
}

/// Every code of the front end has a program that shows it.
#[test]
fn every_code_is_shown() {
    let all: String = programs(&test_folder("ui")).into_iter().map(|p| p.1).collect();
    let unseen: Vec<&str> = csl_diag::Code::ALL
        .iter()
        .map(|code| code.text())
        .filter(|code| !code.starts_with(LINTS))
        .filter(|code| !NOT_OURS.contains(code) && !all.contains(code))
        .collect();
    assert!(unseen.is_empty(), "no program in tests/ui gives {unseen:?}");
}

/// Codes of later stages: the command line and runs (`crates/csl-host/tests/coverage.rs` checks those).
const NOT_OURS: &[&str] = &["E0801", "W0802", "E0901", "E0902", INTERNAL];

/// The codes of lints begin so; `tests/lint` shows them.
const LINTS: &str = "W10";

/// No program is known to show a fault of the compiler.
const INTERNAL: &str = "E0999";
