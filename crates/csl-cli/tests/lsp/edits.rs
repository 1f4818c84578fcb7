//! Random edits: after each the server says of the program just what a new server says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::client::Client;

/// Folders with a program each.
const EXAMPLES: &[&str] = &["gemv-dsd", "memcpy-walkthrough", "row-reduction", "stencil-halo", "stream-fifo"];

/// The number of edits; a cold start follows each.
fn edits() -> usize {
    std::env::var("WAFERLAB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40)
}

/// The programs: those of `WAFERLAB_LSP_PROGRAMS`, folders with colons between them, or our examples.
fn programs() -> Vec<PathBuf> {
    if let Some(folders) = std::env::var_os("WAFERLAB_LSP_PROGRAMS") {
        return std::env::split_paths(&folders).collect();
    }
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").canonicalize().expect("they are there");
    EXAMPLES.iter().map(|name| examples.join(name)).collect()
}

/// A stream of numbers, the same each time (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

/// Texts to insert: what programs are made of, and what breaks them.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\n",
    ";",
    "{",
    "}",
    "(",
    ")",
    ".",
    "@",
    "\"",
    "'",
    "//",
    "x",
    "0",
    "const ",
    "fn ",
    "comptime ",
    "var y = 1;\n",
    "@fmovs",
    "u16",
    ", ",
    "if (true) ",
    "😀",
    "\r\n",
    "param p: u16;\n",
    "-1",
    "while (true) {}",
    "layout {",
    "<",
    "é",
];

#[test]
fn edits_leave_nothing_stale() {
    let programs = programs();
    let each = edits().div_ceil(programs.len());
    for (seed, folder) in programs.iter().enumerate() {
        let files = files(folder, folder);
        let mut warm = Client::start(folder);
        files.iter().for_each(|name| warm.open(name));
        let original: Vec<String> = files.iter().map(|name| warm.texts[name].1.clone()).collect();
        let mut random = Random(0x9e37_79b9_7f4a_7c15 + seed as u64);
        for step in 0..each {
            let which = random.next(files.len());
            let name = &files[which];
            edit(&mut warm, name, &original[which], &mut random);
            let told = all(&mut warm, &files);
            let mut cold = Client::start(folder);
            files.iter().for_each(|name| cold.open_text(name, &warm.texts[name].1));
            let expected = all(&mut cold, &files);
            assert_eq!(told, expected, "{}: step {step}, {name}:\n{}", folder.display(), warm.texts[name].1);
            ask(&mut warm, name, &mut random);
            assert!(cold.stop().success());
        }
        assert!(warm.stop().success());
    }
}

/// The `*.csl` of a folder and of those within, by their paths in it.
fn files(root: &Path, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("it is a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(root, &path));
        } else if path.extension().is_some_and(|extension| extension == "csl") {
            found.push(path.strip_prefix(root).expect("it lies within").to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

/// Changes a document: now and then back to what it was.
fn edit(client: &mut Client, name: &str, original: &str, random: &mut Random) {
    let text = client.texts[name].1.clone();
    if random.next(4) == 0 {
        return client.replace(name, 0..text.len(), original);
    }
    let place = |random: &mut Random| text.floor_char_boundary(random.next(text.len() + 1));
    let start = place(random);
    let end = match random.next(3) {
        0 => start,
        1 => text.floor_char_boundary((start + 1 + random.next(12)).min(text.len())),
        _ => text.floor_char_boundary((start + random.next(200)).min(text.len())),
    };
    let inserted = match random.next(3) {
        0 => {
            let (a, b) = (place(random), place(random));
            text[a.min(b)..a.max(b).min(text.ceil_char_boundary((a.min(b) + 80).min(text.len())))].to_owned()
        }
        _ => TEXTS[random.next(TEXTS.len())].to_owned(),
    };
    client.replace(name, start..end.max(start), &inserted);
}

/// The diagnostics of all documents. The files of the library lie in a folder of each server's own.
fn all(client: &mut Client, files: &[String]) -> BTreeMap<String, String> {
    const FOLDER: &str = "waferlab-library-";
    let mut told = |name: &String| {
        let text = Value::from(client.diagnostics_of(name)).to_string();
        let mut parts = text.split(FOLDER);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |told, part| told + FOLDER + part.trim_start_matches(|c: char| c.is_alphanumeric()))
    };
    files.iter().map(|name| (name.clone(), told(name))).collect()
}

/// Asks all that can be asked at a place: an answer or a refusal comes, and the server goes on.
fn ask(client: &mut Client, name: &str, random: &mut Random) {
    let text = client.texts[name].1.clone();
    let at = super::client::position(&text, text.floor_char_boundary(random.next(text.len() + 1)));
    let document = serde_json::json!({ "uri": client.uri(name) });
    let range = serde_json::json!({ "start": { "line": 0, "character": 0 }, "end": at });
    let params = serde_json::json!({
        "textDocument": document, "position": at, "range": range, "newName": "other", "context": { "includeDeclaration": true, "diagnostics": [], "triggerKind": 1, "isRetrigger": false },
        "options": { "tabSize": 2, "insertSpaces": true },
    });
    for request in [
        "hover",
        "definition",
        "references",
        "documentHighlight",
        "prepareRename",
        "rename",
        "documentSymbol",
        "foldingRange",
        "formatting",
        "rangeFormatting",
        "semanticTokens/full",
        "semanticTokens/range",
        "codeAction",
        "completion",
        "signatureHelp",
        "inlayHint",
        "prepareCallHierarchy",
    ] {
        let answer = client.answer(&format!("textDocument/{request}"), params.clone());
        assert_ne!(answer["error"]["code"], -32603, "{request} at {at} of\n{text}");
        assert_ne!(answer["error"]["code"], -32602, "{request}: {answer}");
    }
}
