//! Diagnostics as one document of SARIF 2.1.0, which code hosts and editors read.

use serde_json::{Value, json};

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Edit, Label};
use crate::source::{SourceMap, Span};

/// The document, ended by a line feed.
pub fn render(sources: &SourceMap, diagnostics: &[&Diagnostic]) -> String {
    let mut codes: Vec<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> =
        codes.iter().map(|code| json!({ "id": code.text(), "shortDescription": { "text": code.summary() } })).collect();
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(sources, diagnostic)).collect();
    let driver = json!({ "name": "cslc", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    let run = json!({ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results });
    let schema = "https://json.schemastore.org/sarif-2.1.0.json";
    format!("{:#}\n", json!({ "$schema": schema, "version": "2.1.0", "runs": [run] }))
}

fn result(sources: &SourceMap, diagnostic: &Diagnostic) -> Value {
    let help = diagnostic.help.iter().map(|text| format!("help: {text}"));
    let text: Vec<String> =
        std::iter::once(diagnostic.message.clone()).chain(diagnostic.notes.iter().cloned()).chain(help).collect();
    let trace = diagnostic.trace.iter().map(|frame| (frame.span, frame.text.as_str()));
    let others = diagnostic.secondary.iter().map(|label| (label.span, label.text.as_str()));
    let mut result = json!({
        "ruleId": diagnostic.code.text(),
        "level": diagnostic.severity.name(),
        "message": { "text": text.join("\n") },
        "locations": diagnostic.primary.iter().map(|label| place(sources, label)).collect::<Vec<_>>(),
        "relatedLocations": others.chain(trace).map(|(span, text)| located(sources, span, text)).collect::<Vec<_>>(),
    });
    if !diagnostic.edits.is_empty() {
        let fixes: Vec<Value> = diagnostic.edits.iter().map(|edit| fix(sources, edit)).collect();
        result["fixes"] = fixes.into();
    }
    result
}

fn place(sources: &SourceMap, label: &Label) -> Value {
    located(sources, label.span, &label.text)
}

fn located(sources: &SourceMap, span: Span, text: &str) -> Value {
    let file = json!({ "uri": uri(sources.name(span.file)) });
    let mut location = json!({ "physicalLocation": { "artifactLocation": file, "region": region(sources, span) } });
    if !text.is_empty() {
        location["message"] = json!({ "text": text });
    }
    location
}

fn fix(sources: &SourceMap, edit: &Edit) -> Value {
    let replacement = json!({
        "deletedRegion": region(sources, edit.span),
        "insertedContent": { "text": edit.replacement },
    });
    let file = json!({ "uri": uri(sources.name(edit.span.file)) });
    json!({ "artifactChanges": [{ "artifactLocation": file, "replacements": [replacement] }] })
}

fn region(sources: &SourceMap, span: Span) -> Value {
    let (line, column) = sources.line_col(span.file, span.lo);
    let (end_line, end_column) = sources.line_col(span.file, span.hi);
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

/// A path as a URI: bytes that have a meaning there, or none, are written as `%` and two digits.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}
