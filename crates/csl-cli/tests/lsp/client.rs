//! A client of the language server, over the standard input and output of the built command.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::{Value, json};

/// A server with a folder as its workspace.
pub struct Client {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    requests: i64,
    pub folder: PathBuf,
    pub capabilities: Value,
    /// The latest diagnostics, by the name of the file.
    pub diagnostics: BTreeMap<String, Value>,
    /// The texts of the documents as the server should have them, by the name of the file.
    pub texts: BTreeMap<String, (i32, String)>,
}

impl Client {
    /// Starts a server and says hello.
    pub fn start(folder: &Path) -> Client {
        let mut client = Client::silent(folder);
        let root = client.uri("");
        let hello = json!({ "processId": null, "rootUri": root.trim_end_matches('/'), "capabilities": {} });
        client.capabilities = client.request("initialize", hello)["capabilities"].take();
        client.notify("initialized", json!({}));
        client
    }

    /// Starts a server and says nothing.
    pub fn silent(folder: &Path) -> Client {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waferlab"));
        command.args(["lsp", "--stdio"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        Client {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().expect("there is a pipe")),
            child,
            requests: 0,
            folder: folder.to_owned(),
            capabilities: Value::Null,
            diagnostics: BTreeMap::new(),
            texts: BTreeMap::new(),
        }
    }

    pub fn uri(&self, name: &str) -> String {
        format!("file://{}/{name}", self.folder.display())
    }

    pub fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let input = self.input.as_mut().expect("the input is open");
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("the server reads");
        input.flush().expect("the server reads");
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The answer to a request; diagnostics that come before it are kept.
    pub fn answer(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.read();
            if message["id"] == id {
                return message;
            }
            self.take(&message);
        }
    }

    /// The result of a request, which is no error.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.answer(method, params);
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].take()
    }

    /// The message of the error that a request gets.
    pub fn refusal(&mut self, method: &str, params: Value) -> String {
        let answer = self.answer(method, params);
        answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{method}: {answer}")).to_owned()
    }

    /// The next message: nothing else may come on standard output.
    pub fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).expect("the output is text") > 0, "the server is gone");
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().expect("a length is a number");
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut bytes = vec![0; length];
        self.output.read_exact(&mut bytes).expect("the message is whole");
        serde_json::from_slice(&bytes).expect("a message is JSON")
    }

    /// Opens a file with its saved text.
    pub fn open(&mut self, name: &str) {
        let text = std::fs::read_to_string(self.folder.join(name)).expect("the file is there");
        self.open_text(name, &text);
    }

    pub fn open_text(&mut self, name: &str, text: &str) {
        let uri = self.uri(name);
        let document = json!({ "uri": uri, "languageId": "csl", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
        self.texts.insert(name.to_owned(), (1, text.to_owned()));
    }

    /// Replaces a part of a document that is open.
    pub fn replace(&mut self, name: &str, bytes: std::ops::Range<usize>, new: &str) {
        let (version, text) = self.texts[name].clone();
        let range = json!({ "start": position(&text, bytes.start), "end": position(&text, bytes.end) });
        let text = [&text[..bytes.start], new, &text[bytes.end..]].concat();
        let document = json!({ "uri": self.uri(name), "version": version + 1 });
        let changes = json!([{ "range": range, "text": new }]);
        self.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
        self.texts.insert(name.to_owned(), (version + 1, text));
    }

    /// Replaces a text that occurs once.
    pub fn edit(&mut self, name: &str, old: &str, new: &str) {
        let start = self.texts[name].1.find(old).unwrap_or_else(|| panic!("{name} has `{old}`"));
        self.replace(name, start..start + old.len(), new);
    }

    /// The diagnostics of a document as all texts are now: this request is answered behind them.
    pub fn diagnostics_of(&mut self, name: &str) -> Vec<Value> {
        let start = json!({ "line": 0, "character": 0 });
        let at = json!({ "textDocument": { "uri": self.uri(name) }, "position": start });
        self.request("textDocument/documentHighlight", at);
        self.diagnostics.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    fn take(&mut self, message: &Value) {
        let params = &message["params"];
        let root = self.uri("");
        if let Some(name) = params["uri"].as_str().and_then(|uri| uri.strip_prefix(&root)) {
            self.diagnostics.insert(name.to_owned(), params["diagnostics"].clone());
        }
    }

    /// The params of a request at a place: where a text occurs for the `nth` time, counted from 0, and so many bytes on.
    pub fn at(&self, name: &str, needle: &str, nth: usize, more: usize) -> Value {
        let text = &self.texts[name].1;
        let (start, _) = text.match_indices(needle).nth(nth).unwrap_or_else(|| panic!("{name} has `{needle}`"));
        json!({ "textDocument": { "uri": self.uri(name) }, "position": position(text, start + more) })
    }

    pub fn document(&self, name: &str) -> Value {
        json!({ "textDocument": { "uri": self.uri(name) } })
    }

    /// The most memory that the server has had, as Linux tells it.
    pub fn most_memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most.unwrap_or("not known").trim().to_owned()
    }

    /// Shuts the server down, and returns how it ended.
    pub fn stop(mut self) -> ExitStatus {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.child.wait().expect("it ends")
    }

    /// Closes the input, and returns how the server ended.
    pub fn hang_up(mut self) -> ExitStatus {
        drop(self.input.take());
        self.child.wait().expect("it ends")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.input.take());
        // A server that has ended, as it should, is no error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The position of a byte, columns in units of UTF-16.
pub fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().map_or(0, |line| line.encode_utf16().count());
    json!({ "line": line, "character": column })
}

/// The byte of a position.
pub fn offset(text: &str, position: &Value) -> usize {
    let line = position["line"].as_u64().expect("a line") as usize;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let mut units = position["character"].as_u64().expect("a column") as usize;
    let mut at = start;
    for character in text[start..].chars() {
        if units == 0 {
            break;
        }
        units -= character.len_utf16();
        at += character.len_utf8();
    }
    at
}

/// The text of a range.
pub fn slice<'t>(text: &'t str, range: &Value) -> &'t str {
    &text[offset(text, &range["start"])..offset(text, &range["end"])]
}
