//! Takes the text of a script apart into commands, subshells and loops.
//!
//! Quotes, comments, here-documents, redirections, and lines that go on behind a `\` are understood; nothing is run.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::CharIndices;

use super::words::{Piece, first_text, joined};

/// The name of the variable that stands for the folder of the script; no script can give a variable this name.
pub(super) const OWN_FOLDER: &str = "(the folder of the script)";

/// A part of a script.
pub(super) enum Event {
    /// A command, before variables are replaced, and the number of its line.
    Command {
        line: usize,
        words: Vec<Vec<Piece>>,
    },
    /// The beginning and the end of a subshell.
    Open,
    Close,
    /// The beginning of a loop over commands, whose first condition comes behind it.
    Loop,
}

/// The parts of a text.
pub(super) fn events(text: &str) -> Vec<Event> {
    let mut scanner = Scanner {
        text,
        chars: text.char_indices().peekable(),
        events: Vec::new(),
        words: Vec::new(),
        start: 0,
        documents: Vec::new(),
    };
    scanner.run();
    scanner.events
}

struct Scanner<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
    events: Vec<Event>,
    words: Vec<Vec<Piece>>,
    /// The byte at which the command begins.
    start: usize,
    /// The last lines of the here-documents that begin behind this line, and whether tabs may stand before them.
    documents: Vec<(String, bool)>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        let mut word: Option<Vec<Piece>> = None;
        while let Some((at, c)) = self.chars.next() {
            if word.is_none() && self.words.is_empty() {
                self.start = at;
            }
            match c {
                '\\' => match self.chars.next() {
                    Some((_, '\n')) | None => {}
                    Some((_, '\r')) if self.chars.next_if(|next| next.1 == '\n').is_some() => {}
                    Some((_, c)) => text_of(&mut word, true).push(c),
                },
                '#' if word.is_none() => while self.chars.next_if(|next| next.1 != '\n').is_some() {},
                '\'' => {
                    let inner = self.until('\'');
                    text_of(&mut word, true).push_str(&inner);
                }
                '"' => self.quoted(&mut word),
                '$' => self.dollar(&mut word, false),
                '`' => word.get_or_insert_default().push(output_of(&self.until('`'), false)),
                ' ' | '\t' | '\r' => self.words.extend(word.take()),
                '>' | '<' => {
                    // A redirection: the number before it, and the file behind it, are no words.
                    let is_number = |word: &Vec<Piece>| matches!(&word[..], [Piece::Text(text, false)] if text.bytes().all(|b| b.is_ascii_digit()));
                    self.words.extend(word.take().filter(|word| !is_number(word)));
                    if c == '<' && self.chars.next_if(|next| next.1 == '<').is_some() && !self.is_here_string() {
                        self.here_document();
                        continue;
                    }
                    // The commands in `<(...)` are those of a subshell.
                    if self.chars.peek().is_some_and(|next| next.1 == '(') {
                        continue;
                    }
                    while self.chars.next_if(|next| matches!(next.1, '>' | '&' | ' ' | '\t')).is_some() {}
                    let ends = |c: char| c.is_whitespace() || matches!(c, ';' | ')' | '|' | '&');
                    while self.chars.next_if(|next| !ends(next.1)).is_some() {}
                }
                '(' if self.chars.next_if(|next| next.1 == '(').is_some() => {
                    self.words.extend(word.take());
                    self.arithmetic();
                }
                '\n' | ';' | '|' | '&' | '(' | ')' => {
                    self.words.extend(word.take());
                    self.end();
                    match c {
                        '(' => self.events.push(Event::Open),
                        ')' => self.events.push(Event::Close),
                        '\n' => self.skip_documents(),
                        _ => {}
                    }
                }
                c => text_of(&mut word, false).push(c),
            }
        }
        self.words.extend(word);
        self.end();
    }

    /// The end of a command.
    fn end(&mut self) {
        // Words of the shell that stand before a command.
        const BEFORE: &[&str] =
            &["if", "then", "elif", "else", "do", "while", "until", "time", "exec", "nice", "env", "!", "{"];
        let mut words = std::mem::take(&mut self.words);
        while let Some(first) = first_text(&words).filter(|first| BEFORE.contains(first)) {
            if matches!(first, "while" | "until") {
                self.events.push(Event::Loop);
            }
            words.remove(0);
        }
        if !words.is_empty() {
            let line = self.text[..self.start].matches('\n').count() + 1;
            self.events.push(Event::Command { line, words });
        }
    }

    /// Behind `((`: skips what is computed. Of `for ((i = 0; ...))` the variable stays, whose values are not known.
    fn arithmetic(&mut self) {
        let inner = self.brackets(2);
        let variable = inner.split(['=', ';', ')']).next().unwrap_or_default().trim();
        if self.words.last().is_some_and(|word| **word == [Piece::Text("for".to_owned(), false)]) {
            self.words.push(vec![Piece::Text(variable.to_owned(), false)]);
        }
        self.end();
    }

    /// Behind `<<`: whether a third `<` makes it a text within the line.
    fn is_here_string(&mut self) -> bool {
        self.chars.next_if(|next| next.1 == '<').is_some()
    }

    /// Behind `<<`: remembers the word with which the here-document ends.
    fn here_document(&mut self) {
        let has_tabs = self.chars.next_if(|next| next.1 == '-').is_some();
        while self.chars.next_if(|next| matches!(next.1, ' ' | '\t')).is_some() {}
        let mut end = String::new();
        let is_part = |c: char| !c.is_whitespace() && !matches!(c, ';' | '|' | '&' | '(' | ')' | '<' | '>');
        while let Some((_, c)) = self.chars.next_if(|next| is_part(next.1)) {
            match c {
                '\'' | '"' => end.push_str(&self.until(c)),
                '\\' => {}
                c => end.push(c),
            }
        }
        self.documents.push((end, has_tabs));
    }

    /// Behind the end of a line: skips the here-documents that the line has named.
    fn skip_documents(&mut self) {
        for (end, has_tabs) in std::mem::take(&mut self.documents) {
            while self.chars.peek().is_some() {
                let line = self.until('\n');
                let line = if has_tabs { line.trim_start_matches('\t') } else { &line };
                if line.trim_end_matches('\r') == end {
                    break;
                }
            }
        }
    }

    /// The text up to a character, which is taken, too, or up to the end.
    fn until(&mut self, end: char) -> String {
        self.chars.by_ref().map(|next| next.1).take_while(|c| *c != end).collect()
    }

    /// The text up to the bracket that closes the last of `open` brackets; that one is taken, too.
    fn brackets(&mut self, mut open: i32) -> String {
        let is_inside = |c: &char| {
            open += i32::from(*c == '(') - i32::from(*c == ')');
            open > 0
        };
        self.chars.by_ref().map(|next| next.1).take_while(is_inside).collect()
    }

    /// Behind `"`: the text up to the next.
    fn quoted(&mut self, word: &mut Option<Vec<Piece>>) {
        text_of(word, true);
        while let Some((_, c)) = self.chars.next() {
            match c {
                '"' => return,
                '$' => self.dollar(word, true),
                '\\' => match self.chars.next() {
                    Some((_, '\n')) | None => {}
                    Some((_, c @ ('"' | '\\' | '$' | '`'))) => text_of(word, true).push(c),
                    Some((_, c)) => text_of(word, true).extend(['\\', c]),
                },
                c => text_of(word, true).push(c),
            }
        }
    }

    /// Behind `$`: a variable, the output of a command, or only a dollar sign.
    fn dollar(&mut self, word: &mut Option<Vec<Piece>>, is_quoted: bool) {
        let piece = match self.chars.peek().map(|next| next.1) {
            Some('{') => {
                self.chars.next();
                let inner = self.until('}');
                let split = inner.split_once(":-").or_else(|| inner.split_once('-'));
                match split {
                    Some((name, default)) => Piece::Variable(name.to_owned(), Some(default.to_owned()), is_quoted),
                    None => Piece::Variable(inner, None, is_quoted),
                }
            }
            Some('(') => {
                self.chars.next();
                output_of(&self.brackets(1), is_quoted)
            }
            Some(c) if c.is_ascii_alphanumeric() || c == '_' => {
                let mut name = String::new();
                while let Some((_, c)) = self.chars.next_if(|next| next.1.is_ascii_alphanumeric() || next.1 == '_') {
                    name.push(c);
                }
                Piece::Variable(name, None, is_quoted)
            }
            _ => {
                text_of(word, is_quoted).push('$');
                return;
            }
        };
        word.get_or_insert_default().push(piece);
    }
}

/// The output of a command. That of `dirname "$0"` and the like is the folder of the script.
fn output_of(command: &str, is_quoted: bool) -> Piece {
    let plain =
        command.replace(['"', '{', '}', '(', ')'], " ").replace("&>", " ").replace("2>&1", " ").replace('>', " ");
    let is_word = |word: &&str| !matches!(*word, "--" | "$" | "cd" | "pwd" | "-P" | "&&" | ";" | "/dev/null");
    let words: Vec<&str> = plain.split_whitespace().filter(is_word).collect();
    match words[..] {
        ["dirname", "$0" | "0" | "$BASH_SOURCE" | "BASH_SOURCE" | "BASH_SOURCE[0]"] => {
            Piece::Variable(OWN_FOLDER.to_owned(), None, is_quoted)
        }
        _ => Piece::Command,
    }
}

/// The text that a word ends with, to which characters are added.
fn text_of(word: &mut Option<Vec<Piece>>, is_quoted: bool) -> &mut String {
    let pieces = word.get_or_insert_default();
    if !matches!(pieces.last(), Some(Piece::Text(_, quoted)) if *quoted == is_quoted) {
        pieces.push(Piece::Text(String::new(), is_quoted));
    }
    match pieces.last_mut() {
        Some(Piece::Text(text, _)) => text,
        _ => unreachable!("a text has just been added"),
    }
}

/// The words of a command line without variables.
pub(super) fn words_of(text: &str) -> Option<Vec<String>> {
    let events = events(text);
    let [Event::Command { words, .. }] = &events[..] else { return None };
    words.iter().map(|word| joined(word, &HashMap::new()).ok()).collect::<Option<Vec<_>>>().map(|words| words.concat())
}
