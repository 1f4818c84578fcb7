//! The grammar of tree-sitter: its parser, trees, queries, and the programs that it parses.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Check;
use crate::shell::{output, root, run, target};

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

/// Writes the parser where tree-sitter is there.
pub fn write() -> Result<(), String> {
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

/// The checks; the grammar also parses the programs of these folders.
pub fn checks(corpus: &[PathBuf]) -> Vec<Check> {
    let corpus = corpus.to_vec();
    let check = |name, run| Check { name, missing: tree_sitter_missing(), run };
    vec![
        check("tree-sitter: the parser is that of the grammar", Box::new(parser_is_fresh)),
        check("tree-sitter: trees and highlights", Box::new(|| run(tree_sitter_here().arg("test")))),
        check("tree-sitter: queries", Box::new(queries)),
        check("tree-sitter: programs", Box::new(move || programs_parse(&corpus))),
    ]
}

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
