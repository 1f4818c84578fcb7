//! Where the commands of `csdb` come from: a line editor with history and completion on a terminal, else the lines of the
//! input.

use std::cell::RefCell;
use std::io::{BufRead, IsTerminal, Lines, StdinLock};
use std::path::PathBuf;
use std::rc::Rc;

use csl_host::environment::{self, Variable};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::session::Session;

const PROMPT: &str = "(csdb) ";

/// The most lines of history that are kept.
const KEPT: usize = 1000;

pub(super) enum Input {
    Terminal(Box<Editor<Tab, FileHistory>>, Option<PathBuf>),
    Pipe(Lines<StdinLock<'static>>),
}

impl Input {
    pub(super) fn of(session: &Rc<RefCell<Session>>) -> Result<Input, String> {
        if !std::io::stdin().is_terminal() {
            return Ok(Input::Pipe(std::io::stdin().lock().lines()));
        }
        let config = Config::builder().max_history_size(KEPT).and_then(|config| config.history_ignore_dups(true));
        let config = config
            .map_err(|error| error.to_string())?
            .auto_add_history(true)
            .completion_type(CompletionType::List)
            .build();
        let mut editor = Editor::with_config(config).map_err(|error| error.to_string())?;
        editor.set_helper(Some(Tab { session: Rc::clone(session) }));
        let history = history();
        if let Some(file) = &history {
            // There is none before the first session.
            let _ = editor.load_history(file);
        }
        Ok(Input::Terminal(Box::new(editor), history))
    }

    /// The next command; `None` at the end of the input. Ctrl-C gives an empty one.
    pub(super) fn next(&mut self) -> Result<Option<String>, String> {
        let failed = |error: &dyn std::fmt::Display| format!("cannot read commands: {error}");
        match self {
            Input::Pipe(lines) => lines.next().transpose().map_err(|error| failed(&error)),
            Input::Terminal(editor, _) => match editor.readline(PROMPT) {
                Ok(line) => Ok(Some(line)),
                Err(ReadlineError::Interrupted) => Ok(Some(String::new())),
                Err(ReadlineError::Eof) => Ok(None),
                Err(error) => Err(failed(&error)),
            },
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if let Input::Terminal(editor, Some(file)) = self {
            // A session ends well without its history.
            let _ = file.parent().map_or(Ok(()), std::fs::create_dir_all);
            let _ = editor.append_history(file);
        }
    }
}

/// The file that keeps the lines of earlier sessions, where the XDG specification puts the state of programs.
fn history() -> Option<PathBuf> {
    let folder = |variable: Variable| variable.value().map(PathBuf::from).filter(|path| path.is_absolute());
    let state =
        folder(environment::STATE_HOME).or_else(|| folder(environment::HOME).map(|home| home.join(".local/state")));
    state.map(|state| state.join("waferlab/csdb_history"))
}

/// Completes words at Tab.
pub(super) struct Tab {
    session: Rc<RefCell<Session>>,
}

impl Completer for Tab {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let begun = &line[..pos];
        let start = begun.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let (before, word) = begun.split_at(start);
        let before: Vec<&str> = before.split_whitespace().collect();
        let candidates = self.session.try_borrow().map(|session| session.candidates(&before)).unwrap_or_default();
        Ok((start, candidates.into_iter().filter(|candidate| candidate.starts_with(word)).collect()))
    }
}

impl Hinter for Tab {
    type Hint = String;
}

impl Highlighter for Tab {}

impl Validator for Tab {}

impl Helper for Tab {}
