//! Any text: lexer, parser, printer and formatter end. A text that parses prints to one that parses to the same tree.
#![no_main]

use csl_diag::SourceMap;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut sources = SourceMap::new();
    let file = sources.add("fuzz.csl", text.as_ref());
    csl_syntax::dump_tokens(&text);
    let (tree, findings) = csl_syntax::parse(file, &text);
    csl_diag::render(&sources, &findings, &csl_diag::Rendering::default());
    if findings.has_errors() {
        return;
    }
    let printed = csl_syntax::print(&tree);
    let again = sources.add("printed.csl", printed.as_str());
    let (second, findings) = csl_syntax::parse(again, &printed);
    assert!(!findings.has_errors(), "what is printed parses");
    assert!(csl_syntax::print(&second) == printed, "a tree prints as it parses");
});
