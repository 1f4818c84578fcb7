//! The language server over standard input and output, request by request.

mod client;
mod edits;
mod latency;
mod program;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use client::{Client, slice};
use program::{LEFT, PE, RIGHT, SCRIPT, TASK_LAYOUT, folder, folder_of};
use serde_json::{Value, json};

/// A server with the program whose documents are open.
fn started() -> (tempfile::TempDir, Client) {
    let folder = folder();
    let mut client = Client::start(folder.path());
    ["layout.csl", "pe.csl", "tools.csl"].into_iter().for_each(|name| client.open(name));
    (folder, client)
}

fn messages(diagnostics: &[Value]) -> Vec<&str> {
    diagnostics.iter().filter_map(|diagnostic| diagnostic["message"].as_str()).collect()
}

fn names<'v>(list: &'v Value, key: &str) -> Vec<&'v str> {
    list.as_array().into_iter().flatten().filter_map(|item| item[key].as_str()).collect()
}

/// The texts of locations, with the name of the file of each.
fn texts(client: &Client, locations: &Value) -> Vec<String> {
    let location = |location: &Value| {
        let uri = location["uri"].as_str().expect("a URI");
        let name = uri.rsplit('/').next().unwrap_or_default();
        let text = client.texts.get(name).map_or("", |(_, text)| slice(text, &location["range"]));
        format!("{name}: {text}")
    };
    locations.as_array().into_iter().flatten().map(location).collect()
}

fn hover(client: &mut Client, name: &str, needle: &str, nth: usize) -> String {
    let at = client.at(name, needle, nth, 0);
    let answer = client.request("textDocument/hover", at);
    answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
}

/// The labels of completions at the end of a text.
fn completions(client: &mut Client, name: &str, needle: &str) -> Vec<String> {
    let at = client.at(name, needle, 0, needle.len());
    let list = client.request("textDocument/completion", at);
    names(&list, "label").iter().map(|&label| label.to_owned()).collect()
}

#[test]
fn a_server_begins_and_ends() {
    let folder = folder();
    let client = Client::start(folder.path());
    assert_eq!(client.capabilities["positionEncoding"], "utf-16");
    assert_eq!(client.capabilities["textDocumentSync"]["change"], 2);
    assert!(client.stop().success());
    // An editor that is gone leaves no server behind; nor does one that never said hello.
    assert!(!Client::start(folder.path()).hang_up().success());
    assert!(!Client::silent(folder.path()).hang_up().success());
}

#[test]
fn wrong_requests_are_refused() {
    let (_folder, mut client) = started();
    assert_eq!(client.answer("textDocument/moniker", json!({}))["error"]["code"], -32601);
    assert_eq!(client.answer("textDocument/hover", json!({ "no": 1 }))["error"]["code"], -32602);
    // A place beyond the text, and a file that is not there, have no answer, and are no error.
    let far =
        json!({ "textDocument": { "uri": client.uri("pe.csl") }, "position": { "line": 9999, "character": 9999 } });
    client.request("textDocument/completion", far.clone());
    assert_eq!(client.request("textDocument/hover", far), Value::Null);
    let gone = json!({ "textDocument": { "uri": client.uri("gone.csl") }, "position": { "line": 0, "character": 0 } });
    assert_eq!(client.request("textDocument/definition", gone), Value::Null);
    let odd = json!({ "textDocument": { "uri": "untitled:one" }, "position": { "line": 0, "character": 0 } });
    assert_eq!(client.request("textDocument/hover", odd), Value::Null);
    client.request("shutdown", Value::Null);
    assert_eq!(client.answer("textDocument/hover", json!({}))["error"]["code"], -32600);
}

#[test]
fn diagnostics_follow_the_text() {
    let (_folder, mut client) = started();
    assert_eq!(messages(&client.diagnostics_of("pe.csl")), [""; 0]);
    // A parse error, and at the same time a name that is not known elsewhere.
    client.edit("pe.csl", "helper(point.across);", "helpr(point.across)");
    let found = client.diagnostics_of("pe.csl");
    assert_eq!(
        messages(&found),
        ["expected `;`\nmissing here", "use of undeclared identifier `helpr`\nhelp: did you mean `helper`?"]
    );
    assert_eq!(found[1]["code"], "E0201");
    assert_eq!(slice(&client.texts["pe.csl"].1, &found[1]["range"]), "helpr");
    // Another file's change shows here: what the layout gives no longer fits.
    client.edit("pe.csl", "helpr(point.across)", "helper(point.across);");
    client.edit("layout.csl", ".size = n, ", "");
    let found = client.diagnostics_of("pe.csl");
    assert!(messages(&found)[0].starts_with("param `size` has no value"), "{found:?}");
    assert_eq!(found[0]["relatedInformation"][0]["location"]["uri"], client.uri("layout.csl"));
}

#[test]
fn what_does_not_parse_is_told_at_once() {
    let (folder, mut client) = started();
    let slow = "comptime {\n  var i: u32 = 0;\n  while (i < 2000000) : (i += 1) {}\n}\n";
    client.edit("pe.csl", "comptime {", &format!("{slow}const odd = 1;\nfn f() void {{ nowhere(); }}\ncomptime {{"));
    let found = client.diagnostics_of("pe.csl");
    assert!(found.len() == 1 && messages(&found)[0].starts_with("use of undeclared identifier `nowhere`"), "{found:?}");
    let is_of_pe = |message: &Value| message["params"]["uri"].as_str().is_some_and(|uri| uri.ends_with("/pe.csl"));
    client.edit("pe.csl", "const odd = 1;", "const odd = \n;");
    let first = std::iter::repeat_with(|| client.read()).find(is_of_pe).expect("it is told");
    let second = std::iter::repeat_with(|| client.read()).find(is_of_pe).expect("it is told");
    // Both are of the new text: one of the parser, with what was known before, a line further down; and the whole.
    for told in [&first, &second] {
        let diagnostics = told["params"]["diagnostics"].as_array().expect("a list");
        assert_eq!((&told["params"]["version"], diagnostics.len()), (&json!(3), 2), "{told}");
        let place = client.at("pe.csl", "nowhere", 0, 0)["position"].take();
        assert!(diagnostics.iter().any(|found| found["range"]["start"] == place), "{told}");
    }
    drop(folder);
}

/// Bounds that a busy machine holds, too; docs/log.md has the measurements.
#[test]
fn answers_come_while_one_types() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/stencil-halo");
    let mut client = Client::start(&example.canonicalize().expect("it is there"));
    client.open("rod.csl");
    client.diagnostics_of("rod.csl");
    let (mut diagnostics, mut completion) = (Duration::MAX, Duration::MAX);
    for _ in 0..10 {
        let began = Instant::now();
        client.replace("rod.csl", 0..0, "\n");
        client.diagnostics_of("rod.csl");
        diagnostics = diagnostics.min(began.elapsed());
        client.replace("rod.csl", 0..0, "\n");
        let began = Instant::now();
        let at = client.at("rod.csl", "\n", 0, 0);
        client.request("textDocument/completion", at);
        completion = completion.min(began.elapsed());
    }
    assert!(diagnostics < Duration::from_millis(500), "diagnostics after {diagnostics:?}");
    assert!(completion < Duration::from_millis(150), "completion after {completion:?}");
}

#[test]
fn quick_fixes_change_the_text() {
    let (_folder, mut client) = started();
    client.edit("pe.csl", "helper(point.across)", "helpr(point.across)");
    client.diagnostics_of("pe.csl");
    let at = client.at("pe.csl", "helpr", 0, 1);
    let range = json!({ "start": at["position"], "end": at["position"] });
    let params = json!({ "textDocument": at["textDocument"], "range": range, "context": { "diagnostics": [] } });
    let actions = client.request("textDocument/codeAction", params);
    assert_eq!(names(&actions, "title"), ["Replace `helpr` by `helper`"]);
    let edit = &actions[0]["edit"]["changes"][client.uri("pe.csl")][0];
    assert_eq!((slice(&client.texts["pe.csl"].1, &edit["range"]), &edit["newText"]), ("helpr", &json!("helper")));
    // The program does something else behind it: the author decides.
    assert_eq!(actions[0]["isPreferred"], json!(false));
}

/// Tells the server that a file has changed, which no editor holds.
fn saved(client: &mut Client, name: &str, text: &str) {
    fs::write(client.folder.join(name), text).expect("the folder is writable");
    let changes = json!([{ "uri": client.uri(name), "type": 2 }]);
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
}

fn codes(diagnostics: &[Value]) -> Vec<(&str, u64)> {
    diagnostics.iter().filter_map(|found| Some((found["code"].as_str()?, found["severity"].as_u64()?))).collect()
}

#[test]
fn lints_have_the_levels_of_the_project() {
    let (_folder, mut client) = started();
    client.edit("pe.csl", "comptime {", "const spare = 3;\n\ncomptime {");
    let found = client.diagnostics_of("pe.csl");
    assert_eq!(codes(&found), [("W1003", 2)]);
    assert_eq!(found[0]["tags"], json!([1]), "editors show it faded");
    assert_eq!(slice(&client.texts["pe.csl"].1, &found[0]["range"]), "spare");
    let range = found[0]["range"].clone();
    let document = json!({ "uri": client.uri("pe.csl") });
    let params = json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } });
    let actions = client.request("textDocument/codeAction", params);
    assert_eq!(names(&actions, "title"), ["Remove `const spare = 3;`", "Allow W1003 here"]);
    assert_eq!((&actions[0]["isPreferred"], &actions[1]["isPreferred"]), (&json!(true), &json!(false)));
    let edit = &actions[0]["edit"]["changes"][client.uri("pe.csl")][0];
    assert_eq!(slice(&client.texts["pe.csl"].1, &edit["range"]), "const spare = 3;\n");
    // All safe edits of a file at once.
    let context = json!({ "diagnostics": [], "only": ["source.fixAll"] });
    let params = json!({ "textDocument": document, "range": range, "context": context });
    let actions = client.request("textDocument/codeAction", params);
    assert_eq!(names(&actions, "kind"), ["source.fixAll.waferlab"]);
    assert_eq!(actions[0]["edit"]["changes"][client.uri("pe.csl")].as_array().map(Vec::len), Some(1));
    // Levels of the project: an error, nothing.
    saved(&mut client, "waferlab.toml", "[lint]\nW1003 = \"deny\"\n");
    assert_eq!(codes(&client.diagnostics_of("pe.csl")), [("W1003", 1)]);
    saved(&mut client, "waferlab.toml", "[lint]\nW1003 = \"allow\"\nW1005 = \"deny\"\n");
    assert_eq!(codes(&client.diagnostics_of("pe.csl")), []);
    saved(&mut client, "waferlab.toml", "");
    assert_eq!(codes(&client.diagnostics_of("pe.csl")), [("W1003", 2)]);
    // Of a program with an error no lint says anything.
    client.edit("pe.csl", "const spare = 3;", "const spare = nowhere;");
    assert_eq!(codes(&client.diagnostics_of("pe.csl")), [("E0201", 1)]);
}

#[test]
fn what_another_program_may_use_is_not_called_unused() {
    let (_folder, mut client) = started();
    client.edit("pe.csl", "comptime {", "fn idle() void {}\n\ncomptime {");
    assert_eq!(codes(&client.diagnostics_of("pe.csl")), [("W1002", 2)]);
    // The same for both chips: neither program uses it.
    let both = SCRIPT.replace(
        "\ncs_python",
        "\ncslc ./layout.csl --arch=wse3 --params=n:4 -o out3 --memcpy --channels=1\ncs_python",
    );
    saved(&mut client, "commands.sh", &both);
    assert_eq!(codes(&client.diagnostics_of("pe.csl")), [("W1002", 2)]);
    client.edit("pe.csl", "comptime {", "comptime {\n  if (@is_arch(\"wse3\")) { idle(); }");
    assert_eq!(codes(&client.diagnostics_of("pe.csl")), []);
    client.edit("pe.csl", "  if (@is_arch(\"wse3\")) { idle(); }", "");
    assert_eq!(codes(&client.diagnostics_of("pe.csl")), [("W1002", 2)]);
    // The same layout with other params is not analysed: it may use anything.
    saved(&mut client, "commands.sh", &both.replace("wse3 --params=n:4", "wse2 --params=n:5"));
    assert_eq!(codes(&client.diagnostics_of("pe.csl")), []);
}

/// The script of the example compiles for both chips, in a loop.
#[test]
fn an_example_is_analysed_by_its_script() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/stencil-halo");
    let mut client = Client::start(&example.canonicalize().expect("it is there"));
    client.open("rod.csl");
    assert_eq!(messages(&client.diagnostics_of("rod.csl")), [""; 0]);
    client.edit("rod.csl", "  step = 0;", "  nowhere -= 1;");
    let found = client.diagnostics_of("rod.csl");
    assert!(messages(&found)[0].starts_with("use of undeclared identifier `nowhere`"), "{found:?}");
}

#[test]
fn code_that_nothing_calls_is_checked() {
    let (_folder, mut client) = started();
    client.edit("pe.csl", "comptime {", "fn unused() void { nowhere(); }\n\ncomptime {");
    let found = client.diagnostics_of("pe.csl");
    assert!(messages(&found).iter().any(|message| message.contains("`nowhere`")), "{found:?}");
}

#[test]
fn a_program_is_found_without_a_script() {
    let folder = folder();
    std::fs::remove_file(folder.path().join("commands.sh")).expect("it was there");
    let mut client = Client::start(folder.path());
    client.open("pe.csl");
    // The layout is beside it; what only a command line knows is no error.
    assert_eq!(messages(&client.diagnostics_of("pe.csl")), [""; 0]);
    assert!(hover(&mut client, "pe.csl", "queue,", 0).contains("Input queue 2"));
    // A program that no layout names is analysed as far as it can be.
    client.open_text(
        "alone.csl",
        "param p: u16;\nconst two: u16 = 2;\nfn f() void { nowhere(two); }\nexport fn h() u16 { return two; }\n",
    );
    let found = client.diagnostics_of("alone.csl");
    assert!(found.len() == 1 && messages(&found)[0].starts_with("use of undeclared identifier `nowhere`"), "{found:?}");
    // Where the layout is not right, its programs are analysed on their own.
    client.edit("pe.csl", "helper(point.across)", "helpr(point.across)");
    client.open("layout.csl");
    client.edit("layout.csl", "@set_rectangle(2, 1);", "@set_rectangle(two, 1);");
    assert!(messages(&client.diagnostics_of("pe.csl"))[0].contains("`helpr`"));
    client.edit("layout.csl", "@set_rectangle(two, 1);", "@set_rectangle(2, 1);");
    client.edit("pe.csl", "helpr(point.across)", "helper(point.across)");
    // A project names its programs in `waferlab.toml`.
    std::fs::write(folder.path().join("waferlab.toml"), "programs = [\"layout.csl --params=n:7 --memcpy\"]\n")
        .expect("writable");
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": [] }));
    assert!(hover(&mut client, "pe.csl", "total", 0).contains("14"));
}

#[test]
fn outline_folding_and_tokens() {
    let (_folder, mut client) = started();
    let document = client.document("pe.csl");
    let outline = client.request("textDocument/documentSymbol", document.clone());
    let told = names(&outline, "name");
    assert_eq!(told[..4], ["memcpy_params", "size", "stream", "sys_mod"]);
    assert!(told.ends_with(&["scale", "helper", "comptime"]), "{told:?}");
    let point =
        outline.as_array().and_then(|all| all.iter().find(|symbol| symbol["name"] == "Point")).expect("it is there");
    assert_eq!(names(&point["children"], "name"), ["across", "down"]);
    let folds = client.request("textDocument/foldingRange", document.clone());
    let text = PE.lines().collect::<Vec<_>>();
    let first = |fold: &Value| text[fold["startLine"].as_u64().expect("a line") as usize];
    let heads: Vec<&str> = folds.as_array().into_iter().flatten().map(first).collect();
    assert!(heads.contains(&"fn scale(by: f32) void {") && heads.contains(&"comptime {"), "{heads:?}");
    let tokens = client.request("textDocument/semanticTokens/full", document);
    let legend = &client.capabilities["semanticTokensProvider"]["legend"]["tokenTypes"];
    let told = decoded(&client.texts["pe.csl"].1, &tokens["data"], legend);
    for expected in [
        "math namespace",
        "sqrt function",
        "@fmuls macro",
        "size variable",
        "by parameter",
        "across property",
        "LEFT enumMember",
        "u16 type",
        "fn keyword",
        "// Über 😀: columns count units of UTF-16. comment",
    ] {
        assert!(told.iter().any(|token| token == expected), "{expected}: {told:?}");
    }
    let range = json!({ "start": { "line": 7, "character": 0 }, "end": { "line": 8, "character": 0 } });
    let params = json!({ "textDocument": { "uri": client.uri("pe.csl") }, "range": range });
    let some = client.request("textDocument/semanticTokens/range", params);
    assert_eq!(some["data"].as_array().map(Vec::len), Some(7 * 5), "{some}");
}

/// Tokens as their texts with their types.
fn decoded(text: &str, data: &Value, legend: &Value) -> Vec<String> {
    let numbers: Vec<u64> = data.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let (mut line, mut column) = (0, 0);
    let token = |parts: &[u64]| {
        column = if parts[0] == 0 { column + parts[1] } else { parts[1] };
        line += parts[0];
        let position = |column: u64| json!({ "line": line, "character": column });
        let range = json!({ "start": position(column), "end": position(column + parts[2]) });
        format!("{} {}", slice(text, &range), legend[parts[3] as usize].as_str().unwrap_or_default())
    };
    numbers.chunks(5).map(token).collect()
}

#[test]
fn formatting() {
    let (_folder, mut client) = started();
    client.edit("pe.csl", "  const half = by / 2.0;", "      const half=by / 2.0 ;");
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let document = json!({ "uri": client.uri("pe.csl") });
    let edits = client.request("textDocument/formatting", json!({ "textDocument": document, "options": options }));
    assert_eq!(edits.as_array().map(Vec::len), Some(1));
    assert_eq!(edits[0]["newText"], "  const half = by / 2.0;");
    let line =
        |line: u32| json!({ "start": { "line": line, "character": 0 }, "end": { "line": line + 1, "character": 0 } });
    let ranged = |line: Value| json!({ "textDocument": document, "options": options, "range": line });
    assert_eq!(client.request("textDocument/rangeFormatting", ranged(line(2))), json!([]));
    let row = PE.lines().position(|line| line.contains("const half")).expect("it is there") as u32;
    let edits = client.request("textDocument/rangeFormatting", ranged(line(row)));
    assert_eq!(edits[0]["newText"], "  const half = by / 2.0;");
    client.edit("pe.csl", "half=by", "half=");
    let why = client.refusal("textDocument/formatting", json!({ "textDocument": document, "options": options }));
    assert_eq!(why, "not formatted, since it does not parse");
}

#[test]
fn definitions_lead_from_file_to_file() {
    let (_folder, mut client) = started();
    let mut to = |name: &str, needle: &str, nth: usize, more: usize| {
        let at = client.at(name, needle, nth, more);
        let found = client.request("textDocument/definition", at);
        texts(&client, &found)
    };
    assert_eq!(to("pe.csl", "helper(point", 1, 2), ["pe.csl: helper"]);
    assert_eq!(to("pe.csl", "half +", 0, 0), ["pe.csl: half"]);
    assert_eq!(to("pe.csl", "values[at]", 1, 7), ["pe.csl: at"]);
    assert_eq!(to("pe.csl", "tools.times", 0, 7), ["tools.csl: times"]);
    assert_eq!(to("pe.csl", "tools.csl", 0, 2), ["tools.csl: "]);
    assert_eq!(to("pe.csl", ".factor", 0, 2), ["tools.csl: factor"]);
    assert_eq!(to("pe.csl", "point.across", 0, 7), ["pe.csl: across"]);
    assert_eq!(to("pe.csl", ".down = 2", 0, 2), ["pe.csl: down"]);
    assert_eq!(to("pe.csl", "Side.LEFT", 0, 6), ["pe.csl: LEFT"]);
    assert_eq!(to("layout.csl", "pe.csl", 0, 1), ["pe.csl: "]);
    assert_eq!(to("layout.csl", ".size = n", 0, 2), ["pe.csl: size"]);
    assert_eq!(to("layout.csl", "\"values\"", 0, 2), ["pe.csl: \"values\"", "layout.csl: \"values\""]);
    // A name of the library leads to its text, in a file that can be opened.
    let library = to("pe.csl", "math.sqrt", 0, 6);
    assert_eq!(library, ["math.csl: "]);
    let at = client.at("pe.csl", "math.sqrt", 0, 6);
    let found = client.request("textDocument/definition", at);
    let path = found[0]["uri"].as_str().and_then(|uri| uri.strip_prefix("file://")).expect("it is a file").to_owned();
    assert!(std::fs::read_to_string(&path).expect("it is there").contains("fn sqrt("));
    assert!(client.stop().success());
    assert!(!std::path::Path::new(&path).exists(), "the library's files go with the server");
}

#[test]
fn references_and_highlights() {
    let (_folder, mut client) = started();
    let mut at = client.at("layout.csl", ".size = n", 0, 2);
    at["context"] = json!({ "includeDeclaration": true });
    let found = client.request("textDocument/references", at.clone());
    let found = texts(&client, &found);
    assert_eq!(
        found,
        ["layout.csl: size", "pe.csl: size", "pe.csl: size", "pe.csl: size", "pe.csl: size", "pe.csl: size"]
    );
    at["context"] = json!({ "includeDeclaration": false });
    let fewer = client.request("textDocument/references", at);
    assert_eq!(texts(&client, &fewer).len(), found.len() - 1);
    let at = client.at("pe.csl", "left > 0", 0, 0);
    let marks = client.request("textDocument/documentHighlight", at);
    let kinds: Vec<u64> = marks.as_array().into_iter().flatten().filter_map(|mark| mark["kind"].as_u64()).collect();
    assert_eq!(kinds, [3, 2, 3], "written, read, written");
}

#[test]
fn renames_change_all_files_or_nothing() {
    let (_folder, mut client) = started();
    let rename = |client: &Client, name: &str, needle: &str, more: usize, new: &str| {
        let mut at = client.at(name, needle, 0, more);
        at["newName"] = json!(new);
        at
    };
    let params = rename(&client, "tools.csl", "factor", 1, "multiple");
    let edit = client.request("textDocument/rename", params);
    let count = |name: &str| edit["changes"][client.uri(name)].as_array().map_or(0, Vec::len);
    assert_eq!((count("tools.csl"), count("pe.csl")), (2, 1));
    let at = client.at("pe.csl", "half", 0, 1);
    let prepared = client.request("textDocument/prepareRename", at);
    assert_eq!(prepared["placeholder"], "half");
    let mut refusal = |name: &str, needle: &str, more: usize, new: &str| {
        let params = rename(&client, name, needle, more, new);
        client.refusal("textDocument/rename", params)
    };
    assert_eq!(refusal("pe.csl", "half", 1, "2x"), "`2x` is not a name");
    assert_eq!(refusal("pe.csl", "half", 1, "fn"), "`fn` is not a name");
    assert_eq!(refusal("pe.csl", "half", 1, "f32"), "`f32` has a meaning of its own");
    assert_eq!(refusal("pe.csl", "half", 1, "point"), "there is a `point` already");
    assert_eq!(refusal("pe.csl", "half", 1, "helper"), "there is a `helper` already");
    assert_eq!(refusal("layout.csl", "n: u16", 0, "m"), "the command line gives `n` its value");
    assert!(refusal("pe.csl", "fn scale", 4, "times").starts_with("the host knows `scale` by its name"));
    assert_eq!(refusal("pe.csl", "math.sqrt", 6, "root"), "`sqrt` is a name of the library");
    assert_eq!(refusal("pe.csl", "/ 2.0", 2, "x"), "there is no name here whose declaration is known");
    client.edit("tools.csl", "return count", "return count count");
    let params = rename(&client, "pe.csl", "fn helper", 4, "other");
    assert!(client.refusal("textDocument/rename", params).contains("tools.csl does not parse"));
}

/// The texts that a rename changes, by file, each with the two characters before it.
fn renamed(client: &mut Client, needle: &str, more: usize, new: &str) -> Vec<String> {
    let mut at = client.at("pe.csl", needle, 0, more);
    at["newName"] = json!(new);
    let answer = client.answer("textDocument/rename", at);
    if let Some(why) = answer["error"]["message"].as_str() {
        return vec![why.replace(&client.folder.display().to_string(), "")];
    }
    let text = &client.texts["pe.csl"].1;
    let edits = answer["result"]["changes"][client.uri("pe.csl")].as_array().cloned().unwrap_or_default();
    let with_before = |edit: &Value| {
        let start = client::offset(text, &edit["range"]["start"]);
        format!("{}{}", &text[start - 2..start], slice(text, &edit["range"]))
    };
    edits.iter().map(with_before).collect()
}

#[test]
fn fields_and_members_are_renamed_where_all_types_are_known() {
    let (_folder, mut client) = started();
    let all = ["{ across", " .across", "t.across", "t.across"];
    assert_eq!(renamed(&mut client, "across:", 1, "x"), all);
    assert_eq!(renamed(&mut client, "point.across +=", 7, "x"), all, "from a use");
    assert_eq!(renamed(&mut client, "LEFT = 3", 1, "WEST_SIDE"), ["{ LEFT", "e.LEFT"]);
    assert_eq!(renamed(&mut client, "across:", 1, "down"), ["there is a `down` already"]);
    let mut at = client.at("pe.csl", ".down = 2", 0, 2);
    at["context"] = json!({ "includeDeclaration": true });
    let found = client.request("textDocument/references", at);
    assert_eq!(texts(&client, &found), ["pe.csl: down", "pe.csl: down", "pe.csl: down"]);
    // What another type has by the same name stays; a struct without a type that is given where one is expected does not.
    let more = "const Other = struct { across: u16 };\nconst other = Other{ .across = 1 };\n\
                const origin: Point = .{ .across = other.across, .down = 0 };\nfn far(p: *const Point) i16 { return p.across; }\n";
    client.edit("pe.csl", "const Side", &format!("{more}const Side"));
    let with_more = ["{ across", " .across", "p.across", " .across", "t.across", "t.across"];
    assert_eq!(renamed(&mut client, "across:", 1, "x"), with_more);
    assert_eq!(renamed(&mut client, "struct { across: u16", 10, "x"), ["{ across", " .across", "r.across"]);
    // A function for any type that nothing calls has not been evaluated.
    client.edit("pe.csl", "const Side", "fn any(p: anytype) i16 { return p.across; }\nconst Side");
    let refused = renamed(&mut client, "across:", 1, "x");
    assert_eq!(refused, ["it is not known whose `across` is at /pe.csl:13: nothing has evaluated it"]);
    client.edit(
        "pe.csl",
        "fn any(p: anytype) i16 { return p.across; }",
        "const loose = .{ .across = 1, .down = 2 };\nconst tight: Point = loose;",
    );
    let refused = renamed(&mut client, "across:", 1, "x");
    assert_eq!(refused, ["the struct at /pe.csl:13 has no type and becomes one with `across`"]);
    client.edit(
        "pe.csl",
        "const loose = .{ .across = 1, .down = 2 };\nconst tight: Point = loose;",
        "const has = @has_field(Point, \"across\");",
    );
    assert_eq!(renamed(&mut client, "across:", 1, "x"), ["`across` is also named by a string in /pe.csl"]);
    client.edit("pe.csl", "@has_field(Point, \"across\")", "@has_field(Point, name)");
    client.edit("pe.csl", "const Side", "const name = \"across\";\nconst Side");
    assert_eq!(renamed(&mut client, "across:", 1, "x"), ["`across` is named in another way at pe.csl:13"]);
}

#[test]
fn hover_tells_types_values_and_the_machine() {
    let (_folder, mut client) = started();
    let total = hover(&mut client, "pe.csl", "total", 0);
    assert!(total.contains("const total = size * 2;") && total.contains("`u16` = `8`"), "{total}");
    let scale = hover(&mut client, "pe.csl", "scale);", 0);
    assert!(scale.contains("fn scale(by: f32) void\n") && scale.contains("Multiplies all values."), "{scale}");
    let color = hover(&mut client, "layout.csl", "c, .{ .routes", 0);
    assert!(color.contains("Routes of color 9:\n- RAMP → EAST at PE (0, 0)\n- WEST → RAMP at PE (1, 0)"), "{color}");
    let queue = hover(&mut client, "pe.csl", "queue,", 0);
    assert!(queue.contains("Input queue 2 holds 4 wavelets. It is bound to color 9."), "{queue}");
    let builtin = hover(&mut client, "pe.csl", "@fmuls", 0);
    assert!(builtin.starts_with("4 elements, at most 1 a cycle on wse2: at least 4 cycles."), "{builtin}");
    assert!(builtin.contains("@fmuls(dsd, source, source, options)"), "{builtin}");
    let dsd = hover(&mut client, "pe.csl", "values_dsd, values_dsd", 0);
    assert!(dsd.contains("`mem1d_dsd`") && dsd.contains("4 elements (extents 4; strides 1)"), "{dsd}");
    let field = hover(&mut client, "pe.csl", "across +=", 0);
    assert!(field.contains("across: i16"), "{field}");
    let index = hover(&mut client, "layout.csl", "x, 0,", 0);
    assert!(index.contains("`u16`, with several values"), "{index}");
    let sqrt = hover(&mut client, "pe.csl", "sqrt", 0);
    assert!(sqrt.contains("fn sqrt(") && sqrt.contains("\\<math>"), "{sqrt}");
    assert_eq!(hover(&mut client, "pe.csl", "// Über", 0), "");
    let more = "const origin = Point{ .across = 3, .down = -4 };\nconst table = [3]i16 { 1, 2, 3 };\nconst far = origin.across + table[2];\n";
    client.edit("pe.csl", "const Side", &format!("{more}const Side"));
    let origin = hover(&mut client, "pe.csl", "origin", 0);
    println!("{origin}");
    assert!(origin.contains("`Point` = `"), "{origin}");
    let across = hover(&mut client, "pe.csl", "across + table", 0);
    assert!(across.contains("across: i16") && across.contains("`i16` = `3`"), "{across}");
    let table = hover(&mut client, "pe.csl", "table[2]", 0);
    println!("{table}");
    assert!(table.contains("`[3]i16` = `"), "{table}");
}

#[test]
fn completion_where_the_text_is_unfinished() {
    let (_folder, mut client) = started();
    client.diagnostics_of("pe.csl");
    let has = |list: &[String], names: &[&str]| names.iter().all(|name| list.iter().any(|item| item == name));
    client.edit("pe.csl", "helper(point.across);", "@fm");
    let list = completions(&mut client, "pe.csl", "  @fm");
    assert!(has(&list, &["@fmacs", "@fmovs"]), "{list:?}");
    client.edit("pe.csl", "  @fm\n", "  point.\n");
    assert_eq!(completions(&mut client, "pe.csl", "  point.\n".trim_end()), ["across", "down"]);
    client.edit("pe.csl", "  point.\n", "  tools.\n");
    assert_eq!(completions(&mut client, "pe.csl", "  tools."), ["times"]);
    client.edit("pe.csl", "  tools.\n", "  math.sq\n");
    let list = completions(&mut client, "pe.csl", "  math.sq");
    assert!(has(&list, &["sqrt", "sqrt_f32"]) && !has(&list, &["sign_mask"]), "{list:?}");
    client.edit("pe.csl", "  math.sq\n", "  if (Side.\n");
    assert_eq!(completions(&mut client, "pe.csl", "  if (Side."), ["LEFT", "RIGHT"]);
    client.edit("pe.csl", "  if (Side.\n", "  vals\n");
    let list = completions(&mut client, "pe.csl", "  vals");
    assert!(has(&list, &["values", "by", "half", "point", "while", "u16", "EAST"]), "{list:?}");
    assert!(!["count", "left", "at"].iter().any(|name| has(&list, &[name])), "names of other blocks");
    client.edit("pe.csl", "  vals\n", "  const d = @get_dsd(fabin_dsd, .{ .extent = 1, .\n");
    let list = completions(&mut client, "pe.csl", ".extent = 1, .");
    assert!(has(&list, &["fabric_color", "input_queue", "extent"]), "{list:?}");
    client.edit("pe.csl", "  const d = @get_dsd(fabin_dsd, .{ .extent = 1, .\n", "  @fmovs(values_dsd, by, .{ .\n");
    let list = completions(&mut client, "pe.csl", "by, .{ .");
    assert!(has(&list, &["async", "activate", "unblock"]), "{list:?}");
    client.edit("layout.csl", ", .stream = c }", ", . }");
    let list = completions(&mut client, "layout.csl", ".size = n, .");
    assert_eq!(list, ["memcpy_params", "size", "stream"]);
    client.edit("pe.csl", "\"values\"", "\"\"");
    assert_eq!(completions(&mut client, "pe.csl", "values_ptr, \""), ["scale", "values"]);
    client.edit("pe.csl", "\"<math>\"", "\"<ma\"");
    let list = completions(&mut client, "pe.csl", "\"<ma");
    assert!(has(&list, &["<math>", "<memcpy/memcpy>", "tools.csl"]), "{list:?}");
    let item = json!({ "label": "@fmovs", "data": { "builtin": "fmovs" } });
    let resolved = client.request("completionItem/resolve", item);
    assert!(resolved["documentation"]["value"].as_str().is_some_and(|text| text.contains("@fmovs(")), "{resolved}");
    let comment = client.at("pe.csl", "// Über", 0, 5);
    assert_eq!(client.request("textDocument/completion", comment), Value::Null);
}

#[test]
fn signatures_of_functions_and_builtins() {
    let (_folder, mut client) = started();
    client.edit("pe.csl", "helper(point.across);", "helper(\n");
    let at = client.at("pe.csl", "helper(\n", 0, 7);
    let help = client.request("textDocument/signatureHelp", at);
    assert_eq!(help["signatures"][0]["label"], "fn helper(count: i16) void");
    assert_eq!(help["signatures"][0]["parameters"][0]["label"], json!([10, 20]));
    client.edit("pe.csl", "helper(\n", "tools.times(");
    let at = client.at("pe.csl", "tools.times(\n", 0, 12);
    let help = client.request("textDocument/signatureHelp", at);
    assert_eq!(help["signatures"][0]["label"], "fn times(count: i16) i16");
    assert_eq!(help["signatures"][0]["documentation"], "As often as the importer says.");
    let at = client.at("pe.csl", "values_dsd, by", 0, 12);
    let help = client.request("textDocument/signatureHelp", at);
    assert_eq!(
        (&help["signatures"][0]["label"], &help["activeParameter"]),
        (&json!("@fmuls(dsd, source, source, options)"), &json!(2))
    );
}

#[test]
fn inlay_hints() {
    let (_folder, mut client) = started();
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 999, "character": 0 } });
    let hints = client
        .request("textDocument/inlayHint", json!({ "textDocument": { "uri": client.uri("pe.csl") }, "range": whole }));
    let text = PE;
    let hint = |hint: &Value| {
        let end = client::offset(text, &hint["position"]);
        let start = text[..end].rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        format!("{}{}", &text[start..end], hint["label"].as_str().unwrap_or_default())
    };
    let told: Vec<String> = hints.as_array().into_iter().flatten().map(hint).collect();
    for expected in [
        "size = 4",
        "stream = color(9)",
        "total: u16 = 8",
        "queue = input_queue(2)",
        "values: [4]f32",
        "half: f32",
        "point: Point",
        "left: i16",
    ] {
        assert!(told.iter().any(|hint| hint == expected), "{expected}: {told:?}");
    }
    assert!(!told.iter().any(|hint| hint.starts_with("math")), "{told:?}");
}

#[test]
fn calls_in_both_directions() {
    let (_folder, mut client) = started();
    let at = client.at("tools.csl", "times", 0, 1);
    let items = client.request("textDocument/prepareCallHierarchy", at);
    assert_eq!(names(&items, "name"), ["times"]);
    let calls = client.request("callHierarchy/incomingCalls", json!({ "item": items[0] }));
    assert_eq!(calls[0]["from"]["name"], "scale");
    let calls = client.request("callHierarchy/outgoingCalls", json!({ "item": calls[0]["from"] }));
    let called: Vec<&str> =
        calls.as_array().into_iter().flatten().filter_map(|call| call["to"]["name"].as_str()).collect();
    assert_eq!(called, ["helper", "times", "sqrt", "unblock_cmd_stream"]);
    assert_eq!(calls[0]["fromRanges"].as_array().map(Vec::len), Some(2));
}

#[test]
fn tasks_are_called_by_what_starts_them() {
    let folder = folder_of(&[
        ("layout.csl", TASK_LAYOUT),
        ("left.csl", LEFT),
        ("right.csl", RIGHT),
        ("commands.sh", &SCRIPT.replace("--params=n:4", "")),
    ]);
    let mut client = Client::start(folder.path());
    ["layout.csl", "left.csl", "right.csl"].into_iter().for_each(|name| client.open(name));
    assert_eq!(messages(&client.diagnostics_of("left.csl")), [""; 0]);
    let callers = |client: &mut Client, name: &str, needle: &str| -> Vec<String> {
        let at = client.at(name, needle, 0, 0);
        let items = client.request("textDocument/prepareCallHierarchy", at);
        let calls = client.request("callHierarchy/incomingCalls", json!({ "item": items[0] }));
        let text = &client.texts["left.csl"].1;
        let caller = |call: &Value| {
            let place = slice(text, &call["fromRanges"][0]).split('(').next().unwrap_or_default().to_owned();
            format!("{} by {place}", call["from"]["name"].as_str().unwrap_or_default())
        };
        calls.as_array().into_iter().flatten().map(caller).collect()
    };
    assert_eq!(callers(&mut client, "left.csl", "wake() void"), ["begin by wake"]);
    assert_eq!(callers(&mut client, "left.csl", "first() void"), ["wake by @activate"]);
    assert_eq!(callers(&mut client, "left.csl", "second() void"), ["first by @mov32"]);
    assert_eq!(callers(&mut client, "right.csl", "receive(word"), ["first by @mov32"], "by the color");
    let at = client.at("left.csl", "first() void", 0, 0);
    let items = client.request("textDocument/prepareCallHierarchy", at);
    let calls = client.request("callHierarchy/outgoingCalls", json!({ "item": items[0] }));
    let called: Vec<&str> =
        calls.as_array().into_iter().flatten().filter_map(|call| call["to"]["name"].as_str()).collect();
    assert_eq!(called, ["second", "receive"]);
}

#[test]
fn names_of_host_programs_are_those_of_exports() {
    let (_folder, mut client) = started();
    client.open("run.py");
    assert_eq!(messages(&client.diagnostics_of("run.py")), [""; 0]);
    let at = client.at("run.py", "'scale'", 0, 2);
    let found = client.request("textDocument/definition", at);
    assert_eq!(texts(&client, &found), ["pe.csl: scale", "layout.csl: \"scale\""]);
    client.edit("run.py", "'values'", "'value'");
    let found = client.diagnostics_of("run.py");
    assert_eq!(messages(&found), ["the program exports no `value`\nhelp: did you mean `values`?"]);
    assert_eq!(slice(&client.texts["run.py"].1, &found[0]["range"]), "value");
    // The layout exports it now: the host program is right without a change of its own.
    client.edit("layout.csl", "\"values\"", "\"value\"");
    client.edit("pe.csl", "\"values\"", "\"value\"");
    assert_eq!(messages(&client.diagnostics_of("run.py")), [""; 0]);
}

#[test]
fn positions_count_units_of_utf_16() {
    let (_folder, mut client) = started();
    client.edit("layout.csl", "// Two PEs.\n", "/* 😀");
    client.edit("layout.csl", "/* 😀", "const é = \"😀\"; const wrong = nothing;\n");
    let found = client.diagnostics_of("layout.csl");
    assert!(!found.is_empty());
    let at = client.at("layout.csl", "wrong", 0, 1);
    assert_eq!(at["position"]["character"], 23);
}
