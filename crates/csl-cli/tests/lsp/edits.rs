//! Random edits: after each the server says of the program just what a new server says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::client::Client;

/// Folders with a program each.
const EXAMPLES: &[&str] = &["gemv-dsd", "memcpy-walkthrough", "row-reduction", "stencil-halo", "stream-fifo"];

/// A number that the environment sets.
pub fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The folders with programs and scripts: those of `WAFERLAB_LSP_PROGRAMS` (folders with colons between them) and within them, or
/// our examples.
pub fn programs() -> Vec<PathBuf> {
    if let Some(folders) = std::env::var_os("WAFERLAB_LSP_PROGRAMS") {
        let mut found = Vec::new();
        std::env::split_paths(&folders).for_each(|folder| with_scripts(&folder, &mut found));
        return found;
    }
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").canonicalize().expect("they are there");
    EXAMPLES.iter().map(|name| examples.join(name)).collect()
}

fn with_scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_script = |path: &PathBuf| name(path).starts_with("commands") && name(path).ends_with(".sh");
    if paths.iter().any(is_script) && !files(folder, folder).is_empty() {
        found.push(folder.to_owned());
        return;
    }
    paths.iter().filter(|path| path.is_dir()).for_each(|path| with_scripts(path, found));
}

/// A stream of numbers, the same each time (xorshift).
pub struct Random(u64);

impl Random {
    pub fn new(seed: usize) -> Random {
        Random(0x9e37_79b9_7f4a_7c15 ^ (seed as u64).wrapping_mul(0xff51_afd7_ed55_8ccd))
    }

    pub fn next(&mut self, below: usize) -> usize {
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

/// 40 edits, or as many as `WAFERLAB_CASES` says, from the seed `WAFERLAB_SEED`; a cold start follows each, and has the same
/// diagnostics and answers.
#[test]
fn edits_leave_nothing_stale() {
    let programs = programs();
    let (cases, seed) = (number("WAFERLAB_CASES", 40), number("WAFERLAB_SEED", 0));
    let mut done = 0;
    for (at, folder) in programs.iter().enumerate() {
        let files = files(folder, folder);
        let mut warm = Client::start(folder);
        files.iter().for_each(|name| warm.open(name));
        let original: Vec<String> = files.iter().map(|name| warm.texts[name].1.clone()).collect();
        let mut random = Random::new(seed * 1000 + at);
        for step in 0..(cases * (at + 1) / programs.len()).saturating_sub(done) {
            let which = random.next(files.len());
            let name = &files[which];
            edit(&mut warm, name, &original[which], &mut random);
            let mut cold = Client::start(folder);
            files.iter().for_each(|name| cold.open_text(name, &warm.texts[name].1));
            let told = all(&mut warm, &files);
            let expected = all(&mut cold, &files);
            let place = || format!("{}: seed {seed}, step {step}, {name}:\n{}", folder.display(), warm.texts[name].1);
            assert_eq!(told, expected, "{}", place());
            ask(&mut warm, &mut cold, name, &mut random);
            assert!(cold.stop().success());
        }
        done = cases * (at + 1) / programs.len();
        assert!(warm.stop().success());
        println!("{done} edits, {}", folder.display());
    }
}

/// The `*.csl` of a folder and of those within, by their paths in it.
pub fn files(root: &Path, folder: &Path) -> Vec<String> {
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

/// The diagnostics of all documents.
fn all(client: &mut Client, files: &[String]) -> BTreeMap<String, String> {
    files.iter().map(|name| (name.clone(), told(&Value::from(client.diagnostics_of(name))))).collect()
}

/// A value as text. The files of the library lie in a folder of each server's own.
fn told(value: &Value) -> String {
    const FOLDER: &str = "waferlab-library-";
    let text = value.to_string();
    let mut parts = text.split(FOLDER);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| told + FOLDER + part.trim_start_matches(|c: char| c.is_alphanumeric()))
}

/// Requests about a place.
const REQUESTS: &[&str] = &[
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
];

/// Asks all that can be asked at a place: both servers answer alike, and go on.
fn ask(warm: &mut Client, cold: &mut Client, name: &str, random: &mut Random) {
    let text = warm.texts[name].1.clone();
    let at = super::client::position(&text, text.floor_char_boundary(random.next(text.len() + 1)));
    let context = json!({ "includeDeclaration": true, "diagnostics": [], "triggerKind": 1, "isRetrigger": false });
    let params = json!({
        "textDocument": { "uri": warm.uri(name) }, "position": at, "newName": "other", "context": context,
        "range": { "start": { "line": 0, "character": 0 }, "end": at }, "options": { "tabSize": 2, "insertSpaces": true },
    });
    for request in REQUESTS {
        let [answer, expected] =
            [&mut *warm, &mut *cold].map(|client| client.answer(&format!("textDocument/{request}"), params.clone()));
        let is_fault = |answer: &Value| matches!(answer["error"]["code"].as_i64(), Some(-32603 | -32602));
        assert!(!is_fault(&answer), "{request} at {at}: {answer}\n{text}");
        let same = ["result", "error"].map(|part| (told(&answer[part]), told(&expected[part])));
        for (answer, expected) in same {
            assert_eq!(answer, expected, "{request} at {at} of {name}:\n{text}");
        }
    }
}
