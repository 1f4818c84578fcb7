//! The loop of the server: takes messages, keeps the documents, starts analyses, answers requests.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::select;
use csl_host::Trees;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{
    Cancel, DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Notification as _, PublishDiagnostics,
};
use lsp_types::request::{RegisterCapability, Request as _};
use lsp_types::{
    CancelParams, Diagnostic, DidChangeTextDocumentParams, DidChangeWatchedFilesRegistrationOptions,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, FileSystemWatcher, GlobPattern, InitializeParams,
    NumberOrString, PublishDiagnosticsParams, Registration, RegistrationParams, Uri,
};
use serde_json::{Value, json};

use crate::capabilities::capabilities;
use crate::requests::{self, Answer};
use crate::text::Text;
use crate::worker::{Done, Worker};
use crate::world::{Document, World};
use crate::{Parse, diagnostics, uri};

/// The files of which the server wants to hear when something else than the editor changes them.
const WATCHED: [&str; 4] = ["**/*.csl", "**/commands*.sh", "**/waferlab.toml", "**/*.py"];

struct Server<'c> {
    connection: &'c Connection,
    world: World,
    worker: Worker,
    /// The number of changes so far; that of the texts of the snapshots.
    revision: u64,
    analysed: u64,
    /// Requests that wait for an analysis of the latest texts.
    waiting: Vec<Request>,
    /// Diagnostics as the editor has them.
    published: BTreeMap<PathBuf, (Uri, Vec<Diagnostic>)>,
    is_shut_down: bool,
    /// When the analysis under way began, and whether the last one took long.
    began: Instant,
    is_slow: bool,
}

/// An analysis that takes longer is not waited for with what does not parse.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Serves one editor.
pub fn run(connection: &Connection, parse: Parse) -> Result<(), String> {
    let (id, params) = connection.initialize_start().map_err(|error| error.to_string())?;
    let info = json!({ "name": "waferlab", "version": env!("CARGO_PKG_VERSION") });
    let result = json!({ "capabilities": capabilities(), "serverInfo": info });
    connection.initialize_finish(id, result).map_err(|error| error.to_string())?;
    let params: InitializeParams = serde_json::from_value(params).map_err(|error| format!("initialize: {error}"))?;
    let trees = Trees::default();
    let mut server = Server {
        connection,
        world: World::new(parse, trees.clone()),
        worker: Worker::start(trees)?,
        revision: 0,
        analysed: 0,
        waiting: Vec::new(),
        published: BTreeMap::new(),
        is_shut_down: false,
        began: Instant::now(),
        is_slow: false,
    };
    server.world.roots = roots(&params);
    if watches(&params) {
        server.watch();
    }
    server.serve()
}

/// The folders of the workspace.
fn roots(params: &InitializeParams) -> Vec<PathBuf> {
    let folders = params.workspace_folders.iter().flatten().filter_map(|folder| uri::path(&folder.uri));
    let folders: Vec<PathBuf> = folders.collect();
    #[expect(deprecated, reason = "editors that know no folders of a workspace give this")]
    let root = params.root_uri.as_ref().and_then(uri::path);
    if folders.is_empty() { root.into_iter().collect() } else { folders }
}

fn watches(params: &InitializeParams) -> bool {
    let workspace = params.capabilities.workspace.as_ref();
    let watched = workspace.and_then(|workspace| workspace.did_change_watched_files.as_ref());
    watched.and_then(|watched| watched.dynamic_registration).unwrap_or(false)
}

impl Server<'_> {
    fn serve(&mut self) -> Result<(), String> {
        let (messages, done) = (self.connection.receiver.clone(), self.worker.done.clone());
        loop {
            select! {
                recv(messages) -> message => match message {
                    Ok(message) => {
                        if self.message(message) {
                            return self.ended();
                        }
                    }
                    Err(_) => return self.ended(),
                },
                recv(done) -> result => match result {
                    Ok(result) => self.take(result),
                    Err(_) => return Err("the analysis has ended".to_owned()),
                },
            }
            // All that has come meanwhile is one change.
            while let Ok(message) = messages.try_recv() {
                if self.message(message) {
                    return self.ended();
                }
            }
            if self.revision != self.analysed && !self.worker.is_busy() {
                self.began = Instant::now();
                self.worker.begin(self.revision, self.world.work(), self.world.unsaved());
            }
        }
    }

    fn ended(&self) -> Result<(), String> {
        if self.is_shut_down { Ok(()) } else { Err("the editor has gone without a request to shut down".to_owned()) }
    }

    /// Whether the message is the last.
    fn message(&mut self, message: Message) -> bool {
        match message {
            Message::Request(request) => self.request(request),
            Message::Notification(notification) if notification.method == "exit" => return true,
            Message::Notification(notification) => self.notification(notification),
            // The answer to the registration of watchers: there is nothing to do about a refusal.
            Message::Response(_) => {}
        }
        false
    }

    fn request(&mut self, request: Request) {
        if self.is_shut_down {
            return self.refuse(request.id, ErrorCode::InvalidRequest, "the server is shut down");
        }
        if request.method == "shutdown" {
            self.is_shut_down = true;
            return self.send(Response::new_ok(request.id, Value::Null));
        }
        match requests::needs_analysis(&request.method) {
            true if self.revision != self.analysed => self.waiting.push(request),
            _ => self.answer(request),
        }
    }

    fn answer(&self, request: Request) {
        let id = request.id.clone();
        let answer = catch_unwind(AssertUnwindSafe(|| requests::answer(&self.world, request)));
        let response = match answer {
            Ok(Answer::Result(value)) => Response::new_ok(id, value),
            Ok(Answer::Refusal(code, why)) => Response::new_err(id, code as i32, why),
            Err(_) => Response::new_err(id, ErrorCode::InternalError as i32, "a fault of the server".to_owned()),
        };
        self.send(response);
    }

    fn refuse(&self, id: RequestId, code: ErrorCode, why: &str) {
        self.send(Response::new_err(id, code as i32, why.to_owned()));
    }

    fn send(&self, message: impl Into<Message>) {
        // An editor that is gone is noticed where its messages are taken.
        let _ = self.connection.sender.send(message.into());
    }

    fn notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        match method.as_str() {
            DidOpenTextDocument::METHOD => {
                let Ok(DidOpenTextDocumentParams { text_document: open }) = serde_json::from_value(params) else {
                    return;
                };
                if let Some(key) = self.world.key(&open.uri) {
                    let document = Document { uri: open.uri, version: open.version, text: Text::new(open.text) };
                    self.world.documents.insert(key, document);
                    self.changed();
                }
            }
            DidChangeTextDocument::METHOD => {
                let Ok(change) = serde_json::from_value::<DidChangeTextDocumentParams>(params) else { return };
                let Some(key) = self.world.key(&change.text_document.uri) else { return };
                if let Some(document) = self.world.documents.get_mut(&key) {
                    document.version = change.text_document.version;
                    document.text =
                        change.content_changes.iter().fold(document.text.clone(), |text, part| text.changed(part));
                    self.changed();
                    self.tell_at_once(&key);
                }
            }
            DidCloseTextDocument::METHOD => {
                let Ok(close) = serde_json::from_value::<DidCloseTextDocumentParams>(params) else { return };
                if let Some(key) = self.world.key(&close.text_document.uri) {
                    self.world.documents.remove(&key);
                    self.changed();
                }
            }
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => self.changed(),
            Cancel::METHOD => {
                let Ok(CancelParams { id }) = serde_json::from_value(params) else { return };
                let id: RequestId = match id {
                    NumberOrString::Number(number) => number.into(),
                    NumberOrString::String(text) => text.into(),
                };
                if let Some(at) = self.waiting.iter().position(|request| request.id == id) {
                    self.waiting.remove(at);
                    self.refuse(id, ErrorCode::RequestCanceled, "cancelled");
                }
            }
            _ => {}
        }
    }

    /// Tells what does not parse in a changed document, where the analysis of its program takes long.
    fn tell_at_once(&self, key: &Path) {
        let Some(document) = self.world.documents.get(key).filter(|_| self.is_slow) else { return };
        let before = self.published.get(key).map(|published| published.1.as_slice()).unwrap_or_default();
        let told = catch_unwind(AssertUnwindSafe(|| diagnostics::meanwhile(&self.world, key, before)));
        if let Ok(told) = told {
            self.tell(&document.uri, told, Some(document.version));
        }
    }

    fn changed(&mut self) {
        self.revision += 1;
        self.world.changed();
        self.worker.call_off();
    }

    /// Takes an analysis: what is said of the texts is as new as they are.
    fn take(&mut self, Done { revision, snapshots, whole }: Done) {
        self.worker.finished();
        self.is_slow = self.began.elapsed() > AT_ONCE;
        if revision != self.revision {
            return self.worker.free(snapshots);
        }
        self.analysed = revision;
        self.worker.free(std::mem::replace(&mut self.world.snapshots, snapshots));
        self.world.whole = whole;
        self.world.changed();
        self.publish();
        for request in std::mem::take(&mut self.waiting) {
            self.answer(request);
        }
    }

    /// Sends diagnostics: of all open documents, and of other files where they have changed.
    fn publish(&mut self) {
        let found = catch_unwind(AssertUnwindSafe(|| diagnostics::all(&self.world))).unwrap_or_default();
        let mut new: BTreeMap<PathBuf, (Uri, Vec<Diagnostic>)> = BTreeMap::new();
        for (key, findings) in found {
            if let Some(uri) = self.world.uri(&key) {
                new.insert(key, (uri, findings.into_iter().map(|finding| finding.diagnostic).collect()));
            }
        }
        for (key, document) in &self.world.documents {
            new.entry(key.clone()).or_insert_with(|| (document.uri.clone(), Vec::new()));
        }
        let gone = std::mem::take(&mut self.published);
        for (key, (uri, _)) in gone.iter().filter(|(key, known)| !new.contains_key(*key) && !known.1.is_empty()) {
            self.tell(uri, Vec::new(), self.world.documents.get(key).map(|document| document.version));
        }
        for (key, (uri, diagnostics)) in &new {
            let document = self.world.documents.get(key);
            if document.is_some() || gone.get(key).map(|known| &known.1) != Some(diagnostics) {
                self.tell(uri, diagnostics.clone(), document.map(|document| document.version));
            }
        }
        self.published = new;
    }

    fn tell(&self, uri: &Uri, diagnostics: Vec<Diagnostic>, version: Option<i32>) {
        let params = PublishDiagnosticsParams { uri: uri.clone(), diagnostics, version };
        self.send(Notification::new(PublishDiagnostics::METHOD.to_owned(), params));
    }

    /// Asks the editor to tell of changes of files.
    fn watch(&self) {
        let watchers =
            WATCHED.map(|glob| FileSystemWatcher { glob_pattern: GlobPattern::String(glob.to_owned()), kind: None });
        let options = DidChangeWatchedFilesRegistrationOptions { watchers: watchers.into() };
        let registration = Registration {
            id: "files".to_owned(),
            method: DidChangeWatchedFiles::METHOD.to_owned(),
            register_options: serde_json::to_value(options).ok(),
        };
        let params = RegistrationParams { registrations: vec![registration] };
        self.send(Request::new("watch".to_owned().into(), RegisterCapability::METHOD.to_owned(), params));
    }
}
