//! The files in `editors/`: writes those that are made of the compiler's tables, and checks all with the editors' own tools.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{cargo, output, root, run, target};

/// The release of tree-sitter's command that makes the parser.
const TREE_SITTER: &str = "0.27.1";

/// The files that it makes.
const PARSER: [&str; 6] = [
    "parser.c",
    "grammar.json",
    "node-types.json",
    "tree_sitter/alloc.h",
    "tree_sitter/array.h",
    "tree_sitter/parser.h",
];

/// A check with a tool that may be missing.
pub struct Check {
    pub name: &'static str,
    /// How to get the tool, if it is not there.
    pub missing: Option<String>,
    pub run: Box<dyn FnOnce() -> Result<(), String>>,
}

/// Writes what is made of the tables, and the parser where tree-sitter is there.
pub fn write() -> Result<(), String> {
    run(cargo()
        .args(["test", "--quiet", "-p", "waferlab-sema", "--test", "editors"])
        .env("WAFERLAB_EDITORS_UPDATE", "1"))?;
    match tree_sitter_missing() {
        None => run(generate().args(["--output", "src"])),
        Some(from) => {
            eprintln!(
                "xtask: the parser in editors/tree-sitter-csl/src is left as it is: there is no tree-sitter {TREE_SITTER}; {from}"
            );
            Ok(())
        }
    }
}

/// All checks; the grammar of tree-sitter also parses the programs of these folders.
pub fn checks(corpus: &[PathBuf]) -> Vec<Check> {
    let corpus = corpus.to_vec();
    let programs = move || programs_parse(&corpus);
    let tree_sitter = |name, run| Check { name, missing: tree_sitter_missing(), run };
    vec![
        tree_sitter("tree-sitter: the parser is that of the grammar", Box::new(parser_is_fresh)),
        tree_sitter("tree-sitter: trees and highlights", Box::new(|| run(tree_sitter_here().arg("test")))),
        tree_sitter("tree-sitter: queries", Box::new(queries)),
        tree_sitter("tree-sitter: programs", Box::new(programs)),
        Check {
            name: "TextMate",
            missing: missing("npm", "--version", "install Node.js (https://nodejs.org), with npm"),
            run: Box::new(textmate),
        },
        Check { name: "Vim", missing: missing("vim", "--version", "install vim"), run: Box::new(vim) },
    ]
}

fn missing(tool: &str, question: &str, from: &str) -> Option<String> {
    output(Command::new(tool).arg(question)).is_none().then(|| from.to_owned())
}

// ---------------------------------------------------------------- tree-sitter

fn grammar() -> PathBuf {
    root().join("editors/tree-sitter-csl")
}

/// The command: that of `target/tools`, or that of the path.
fn tree_sitter() -> Command {
    let own = target().join("tools/bin/tree-sitter");
    let program = if own.exists() { own.into_os_string() } else { OsString::from("tree-sitter") };
    let mut command = Command::new(program);
    // Compiled parsers and the user's settings stay apart.
    command.env("XDG_CACHE_HOME", target().join("tree-sitter")).env("XDG_CONFIG_HOME", target().join("tree-sitter"));
    command
}

fn tree_sitter_here() -> Command {
    let mut command = tree_sitter();
    command.current_dir(grammar());
    command
}

fn tree_sitter_missing() -> Option<String> {
    let version = output(tree_sitter().arg("--version")).unwrap_or_default();
    let is_there = version.split_whitespace().any(|word| word == TREE_SITTER);
    (!is_there).then(|| {
        format!("cargo install --locked tree-sitter-cli@{TREE_SITTER} --root {}", target().join("tools").display())
    })
}

fn generate() -> Command {
    let mut command = tree_sitter_here();
    command.args(["generate", "--js-runtime", "native"]);
    command
}

fn parser_is_fresh() -> Result<(), String> {
    let made = target().join("tree-sitter/src");
    fs::create_dir_all(&made).map_err(|error| format!("{}: {error}", made.display()))?;
    run(generate().arg("--output").arg(&made))?;
    let stale: Vec<&str> = PARSER
        .into_iter()
        .filter(|name| fs::read(made.join(name)).ok() != fs::read(grammar().join("src").join(name)).ok())
        .collect();
    if stale.is_empty() { Ok(()) } else { Err(format!("`cargo xtask editors` writes anew: {stale:?}")) }
}

/// Every query is one of this grammar, and finds something in an example.
fn queries() -> Result<(), String> {
    let example = root().join("examples/stencil-halo/rod.csl");
    let folder = grammar().join("queries");
    for entry in fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let query = entry.map_err(|error| error.to_string())?.path();
        let found = output(tree_sitter_here().arg("query").arg("--captures").arg(&query).arg(&example));
        if !found.is_some_and(|found| found.contains("capture")) {
            return Err(format!("{}: the query is wrong, or finds nothing in an example", query.display()));
        }
    }
    Ok(())
}

/// The programs of this repository that the compiler parses, and those of the corpus, have trees without an error.
fn programs_parse(corpus: &[PathBuf]) -> Result<(), String> {
    let own =
        ["examples", "tests/run", "tests/timing", "tests/golden", "crates/csl-std/csl", "crates/csl-syntax/tests/good"];
    let own: Vec<PathBuf> = own.iter().map(|folder| root().join(folder)).collect();
    let mut files = Vec::new();
    for folder in own.iter().chain(corpus) {
        let before = files.len();
        collect(folder, &mut files)?;
        if files.len() == before {
            return Err(format!("{} holds no *.csl", folder.display()));
        }
    }
    // A scene may hold files that are not CSL behind its program.
    files.retain(|file| !fs::read_to_string(file).is_ok_and(|text| text.contains("//> file: ")));
    let list = target().join("tree-sitter/programs");
    let names: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
    fs::create_dir_all(target().join("tree-sitter"))
        .and_then(|()| fs::write(&list, names))
        .map_err(|error| error.to_string())?;
    println!("{} programs", files.len());
    run(tree_sitter_here().args(["parse", "--quiet", "--paths"]).arg(&list))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let told = |error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "csl") {
            files.push(path.canonicalize().map_err(told)?);
        }
    }
    Ok(())
}

// ---------------------------------------------------------------- TextMate, Vim

/// Installs the packages that `package-lock.json` names into `target`, and runs the test in Node.js.
fn textmate() -> Result<(), String> {
    let (from, work) = (root().join("editors/textmate"), target().join("textmate"));
    let told = |error: std::io::Error| format!("{}: {error}", work.display());
    fs::create_dir_all(&work).map_err(told)?;
    for name in ["package.json", "package-lock.json", "test.mjs"] {
        fs::copy(from.join(name), work.join(name)).map_err(told)?;
    }
    run(Command::new("npm")
        .args(["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&work))?;
    run(Command::new("node").arg("test.mjs").arg(&from).current_dir(&work))
}

fn vim() -> Result<(), String> {
    let folder = root().join("editors/vim");
    let report = target().join("vim-report");
    let _ = fs::remove_file(&report);
    // A plain Vim, with this folder before all others.
    let mut vim = Command::new("vim");
    vim.args(["-N", "-u", "NONE", "-i", "NONE", "-es", "--cmd"]);
    vim.arg(format!("let g:report = '{}' | set runtimepath^={}", report.display(), folder.display()));
    vim.arg("-S")
        .arg(folder.join("test.vim"))
        .stdin(std::process::Stdio::null())
        .env("TERM", "dumb")
        .current_dir(&folder);
    let ended = run(&mut vim);
    let told = fs::read_to_string(&report).unwrap_or_else(|_| "vim has not come to the end of the test\n".to_owned());
    if told == "passed\n" { ended } else { Err(told) }
}
