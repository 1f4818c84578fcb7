//! The book and the README: reference pages are those of the tables, programs compile, sessions print what they show.
//!
//! A fence that begins with `csl` is a program on its own, in the form of the pages of `cslc --explain`: options of `cslc` may
//! follow, and `gives CODE` where it is to have that finding; otherwise it has none. A fence of any language with `file=NAME` is a
//! file of its page. A fence `console` is a session in a folder with the page's files: a line behind `$ ` is a command, the lines
//! behind it are what it prints, where `...` stands for any lines. Sessions `console python` need the Python packages: they are
//! run where `WAFERLAB_BOOK_PYTHON` names the folder of `cs_python`, by `cargo xtask test --all`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use csl_cli::doc;
use tempfile::TempDir;

use crate::explain::codes;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn source() -> PathBuf {
    repository().join("docs/book/src")
}

/// Whether `cargo xtask book` asks for files to be written.
fn is_update() -> bool {
    std::env::var_os("WAFERLAB_BOOK_UPDATE").is_some()
}

/// The pages of the book and the README, by path.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = vec![repository().join("README.md")];
    collect(&source(), &mut paths);
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a page is text"))).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the book is there") {
        let path = entry.expect("it is readable").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            paths.push(path);
        }
    }
}

/// A fence: the words behind its marks, the line that they stand in, and its text.
struct Fence<'p> {
    words: Vec<&'p str>,
    line: usize,
    text: String,
}

impl<'p> Fence<'p> {
    fn is(&self, language: &str) -> bool {
        self.words.first() == Some(&language)
    }

    fn value(&self, key: &str) -> Option<&'p str> {
        self.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
}

fn fences(page: &str) -> Vec<Fence<'_>> {
    let (mut found, mut lines) = (Vec::new(), page.lines().zip(1..));
    while let Some((line, number)) = lines.next() {
        let Some(words) = line.strip_prefix("```") else { continue };
        let text = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```");
        let text = text.flat_map(|line| [line, "\n"]).collect();
        found.push(Fence { words: words.split_whitespace().collect(), line: number, text });
    }
    found
}

#[test]
fn the_reference_is_as_the_tables_say() {
    let summary = fs::read_to_string(source().join("SUMMARY.md")).expect("the book has a table of contents");
    let (own, _) = summary.split_once("# Reference: ").expect("it has the reference");
    let mut made = vec![(source().join("SUMMARY.md"), own.to_owned() + &doc::summary())];
    for chapter in doc::reference() {
        made.push((source().join(format!("reference/{}.md", chapter.file)), doc::markdown(&chapter)));
    }
    let mut there = Vec::new();
    if source().join("reference").is_dir() {
        collect(&source().join("reference"), &mut there);
    }
    let left: Vec<PathBuf> = there.into_iter().filter(|path| made.iter().all(|(known, _)| known != path)).collect();
    if is_update() {
        for (path, text) in &made {
            fs::create_dir_all(path.parent().expect("a page lies in a folder")).expect("the book is writable");
            fs::write(path, text).expect("the book is writable");
        }
        left.iter().for_each(|path| fs::remove_file(path).expect("the book is writable"));
        return;
    }
    let is_stale = |(path, text): &&(PathBuf, String)| fs::read_to_string(path).ok().as_ref() != Some(text);
    let stale: Vec<&PathBuf> = made.iter().filter(is_stale).map(|(path, _)| path).chain(&left).collect();
    assert!(stale.is_empty(), "`cargo xtask book` makes these anew: {stale:?}");
}

#[test]
fn the_table_of_contents_names_every_page_once() {
    let summary = fs::read_to_string(source().join("SUMMARY.md")).expect("the book has a table of contents");
    for (path, _) in pages() {
        let Ok(name) = path.strip_prefix(source()) else { continue };
        let times = summary.matches(&format!("]({})", name.display())).count();
        assert!(times == 1 || name == Path::new("SUMMARY.md"), "SUMMARY.md names {} {times} times", name.display());
    }
    for name in summary.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(name, _)| name) {
        assert!(source().join(name).is_file(), "SUMMARY.md names {name}, which is not there");
    }
}

/// Links between pages, to pictures and into the repository lead to files.
#[test]
fn links_lead_somewhere() {
    for (path, text) in pages() {
        let folder = path.parent().expect("a page lies in a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            let file = target.split('#').next().unwrap_or_default();
            let is_elsewhere = file.is_empty() || file.contains("://");
            assert!(is_elsewhere || folder.join(file).exists(), "{}: {target} is not there", path.display());
        }
    }
}

/// Whether a fence is a session that needs no Python.
fn is_plain(fence: &Fence) -> bool {
    fence.is("console") && !fence.words.contains(&"python")
}

#[test]
fn every_program_of_the_book_compiles() {
    let (mut complaints, mut count) = (Vec::new(), 0);
    for (path, text) in pages() {
        // The programs of these pages are those of `cslc --explain`, which has a test of its own.
        if path.starts_with(source().join("reference/diagnostics")) {
            continue;
        }
        let fences = fences(&text);
        let compiled = fences.iter().any(|fence| is_plain(fence) && fence.text.contains("$ cslc "));
        for fence in fences.iter().filter(|fence| fence.is("csl")) {
            count += 1;
            if fence.value("file").is_some() {
                assert!(compiled, "{}:{}: no session compiles this file", path.display(), fence.line);
                continue;
            }
            let given: Vec<&str> = fence.words[1..].iter().take_while(|word| **word != "gives").copied().collect();
            let expected: Vec<&str> =
                fence.words.iter().skip_while(|word| **word != "gives").skip(1).copied().collect();
            // An example of a builtin is for both chips, unless it names one.
            let names_a_chip = given.iter().any(|word| word.starts_with("--arch") || word.starts_with("--sdk"));
            let is_for_both = path.starts_with(source().join("reference/builtins")) && !names_a_chip;
            for chip in ["", " --arch=wse3"].iter().take(if is_for_both { 2 } else { 1 }) {
                let found = codes((&(given.join(" ") + chip), &fence.text));
                if found != expected {
                    complaints.push(format!("{}:{}:{chip} {found:?}", path.display(), fence.line));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    println!("{count} programs");
    assert!(count > 80, "the fences are found");
}

#[test]
fn sessions_print_what_the_book_shows() {
    let python = std::env::var_os("WAFERLAB_BOOK_PYTHON");
    let (mut complaints, mut count) = (Vec::new(), 0);
    for (path, text) in pages() {
        let folder = TempDir::new().expect("a temporary folder");
        let mut mended = text.clone();
        for fence in fences(&text) {
            if let Some(name) = fence.value("file") {
                let file = folder.path().join(name);
                fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("the folder is writable");
                fs::write(file, &fence.text).expect("the folder is writable");
            }
            if !fence.is("console") || (!is_plain(&fence) && python.is_none()) {
                continue;
            }
            count += 1;
            for Exchange { asked, command, shown } in exchanges(&fence.text) {
                let printed = output(folder.path(), &command, python.as_deref());
                if agree(&shown, &printed) {
                    continue;
                }
                complaints.push(format!("{}:{}: $ {command}\n{printed}", path.display(), fence.line));
                // Once: a page may show one command twice.
                mended = mended.replacen(&(asked.clone() + &shown.concat()), &(asked + &printed), 1);
            }
        }
        if is_update() && mended != text {
            fs::write(&path, mended).expect("the book is writable");
        }
    }
    if is_update() {
        return;
    }
    assert!(complaints.is_empty(), "these commands print something else:\n{}", complaints.join("\n"));
    println!("{count} sessions");
    assert!(count > 10, "the sessions are found");
}

/// A command of a session.
struct Exchange<'s> {
    /// Its lines, as they stand in the page.
    asked: String,
    command: String,
    /// The lines that it is to print, with their ends.
    shown: Vec<&'s str>,
}

/// The commands of a session. A command goes on behind a backslash.
fn exchanges(session: &str) -> Vec<Exchange<'_>> {
    let mut all: Vec<Exchange> = Vec::new();
    for line in session.split_inclusive('\n') {
        match (line.strip_prefix("$ "), all.last_mut()) {
            (Some(command), _) => {
                all.push(Exchange {
                    asked: line.to_owned(),
                    command: command.trim_end().to_owned(),
                    shown: Vec::new(),
                });
            }
            (None, Some(last)) if last.command.ends_with('\\') => {
                last.asked += line;
                last.command.pop();
                last.command += line.trim();
            }
            (None, Some(last)) => last.shown.push(line),
            (None, None) => panic!("a session begins with a command, not `{line}`"),
        }
    }
    all
}

/// The lines that a command prints, to the output and to standard error, without blanks at their ends.
fn output(folder: &Path, command: &str, python: Option<&std::ffi::OsStr>) -> String {
    let mut path = python.map_or_else(|| built().into_os_string(), ToOwned::to_owned);
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1; {command}")]).current_dir(folder).env("PATH", path).stdin(Stdio::null());
    ["NO_COLOR", "CLICOLOR_FORCE", "SIMFABRIC_DEBUG", "WAFERLAB_MAX_CYCLES"].iter().for_each(|name| {
        shell.env_remove(name);
    });
    let done = shell.output().expect("there is a shell");
    let lines = String::from_utf8_lossy(&done.stdout);
    lines.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// The folder of the built commands.
fn built() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_waferlab")).parent().expect("a command lies in a folder").to_owned()
}

/// Whether the printed lines are those shown, `...` standing for any number of lines.
fn agree(shown: &[&str], printed: &str) -> bool {
    fn tail(shown: &[&str], printed: &[&str]) -> bool {
        match shown.split_first() {
            None => printed.is_empty(),
            Some((&"...\n", rest)) => (0..=printed.len()).any(|skipped| tail(rest, &printed[skipped..])),
            Some((line, rest)) => printed.first() == Some(line) && tail(rest, &printed[1..]),
        }
    }
    let printed: Vec<&str> = printed.split_inclusive('\n').collect();
    tail(shown, &printed)
}
