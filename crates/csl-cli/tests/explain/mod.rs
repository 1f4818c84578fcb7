//! The pages of `cslc --explain`: the program under "Wrong" gives the page's code and no other, that under "Right" none.
//!
//! A program is the text of a fence: behind `csl` stand the options of `cslc`, and `run` where `main` is launched and `x`
//! is copied. A text with a layout block is the file `layout.csl`; one without is the program of the only PE. The text
//! after a line `//> file: NAME` is another file.

use std::fs;
use std::path::Path;

use csl_host::batch::{self, Step, parse_copy, parse_launch};
use csl_host::lint::lint;
use csl_host::{Code, Options, Runtime, Settings, compile};
use tempfile::TempDir;

const LAYOUT: &str = "layout {\n  @set_rectangle(1, 1);\n  @set_tile_code(0, 0, \"pe.csl\");\n}\n";

/// A program of a page: its options and its text.
fn program<'a>(page: &'a str, heading: &str) -> Option<(&'a str, &'a str)> {
    let (_, section) = page.split_once(&format!("\n## {heading}\n"))?;
    let (_, fence) = section.split_once("```csl")?;
    let (fence, _) = fence.split_once("\n```")?;
    fence.split_once('\n')
}

fn write(folder: &Path, text: &str) {
    let file = |name: &str, text: &str| fs::write(folder.join(name), text).expect("the folder is writable");
    let mut parts = text.split("//> file: ");
    let first = parts.next().unwrap_or_default();
    if first.contains("layout {") {
        file("layout.csl", first);
    } else if !first.trim().is_empty() {
        file("layout.csl", LAYOUT);
        file("pe.csl", first);
    }
    for part in parts {
        let (name, text) = part.split_once('\n').expect("a file has a name and a text");
        file(name.trim(), text);
    }
}

/// The codes that compiling, and where it is asked for running, a program gives.
pub(crate) fn codes(program: (&str, &str)) -> Vec<String> {
    told(program, false)
}

/// The codes of [`codes`], or those that `waferlab lint` gives.
fn told((given, text): (&str, &str), is_lint: bool) -> Vec<String> {
    let folder = TempDir::new().expect("a temporary folder");
    write(folder.path(), text);
    let words = given.split_whitespace().filter(|word| *word != "run").map(str::to_owned);
    let options = csl_cli::parse(words.chain(["layout.csl".to_owned()]).collect()).expect("the options are right");
    let options = Options { folder: folder.path().to_owned(), ..options };
    let done = if is_lint { lint(&[options], &[]) } else { compile(&options) };
    let mut found: Vec<String> = done.diagnostics().iter().map(|found| found.code.text().to_owned()).collect();
    if done.succeeded() && given.contains("run") {
        found.extend(run(folder.path()));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The code of the report that a run ends with.
fn run(folder: &Path) -> Option<String> {
    let mut runtime = Runtime::open(&folder.join("out"), Settings::new(1)).expect("it was compiled");
    let (function, arguments) = parse_launch("main").expect("a name is a launch");
    let file = folder.join("x.npy");
    let copy = parse_copy(&format!("x={}", file.display())).expect("a symbol and a file are a copy");
    let ended = batch::run(&mut runtime, &[Step::Launch { function, arguments }, Step::D2h(copy)], |_| {});
    let report = ended.err()?.to_string();
    let code = report.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(code, _)| code.to_owned());
    Some(code.unwrap_or(report))
}

#[test]
fn every_page_has_a_wrong_program_and_a_right_one() {
    let mut complaints = Vec::new();
    for &code in Code::ALL {
        let (name, page) = (code.text(), code.page());
        assert!(page.starts_with(&format!("# {name}: {}\n", code.summary())), "{name}: the page has another heading");
        // No program is known to show a fault of the compiler itself.
        if code == Code::Internal {
            continue;
        }
        for (heading, expected) in [("Wrong", vec![name.to_owned()]), ("Right", Vec::new())] {
            let is_lint = name.starts_with("W10");
            match program(page, heading).map(|program| told(program, is_lint)) {
                Some(found) if found == expected => {}
                Some(found) => complaints.push(format!("{name}, {heading}: {found:?}")),
                None => complaints.push(format!("{name} has no program under {heading}")),
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
