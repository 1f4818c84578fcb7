//! The files for highlighting alone: TextMate, Vim, Sublime Text.

use std::fs;
use std::process::{Command, Stdio};

use super::{Check, missing, no_node, vscode};
use crate::shell::{output, root, run, target};

pub fn checks() -> Vec<Check> {
    let no_bat = bat().is_none().then(|| "install bat".to_owned());
    vec![
        Check { name: "TextMate", missing: no_node(), run: Box::new(textmate) },
        Check { name: "Vim", missing: missing("vim", "--version", "install vim"), run: Box::new(vim) },
        Check { name: "Sublime Text's grammar, in bat", missing: no_bat, run: Box::new(sublime) },
    ]
}

/// Installs the packages that `package-lock.json` names into `target`, and runs the test in Node.js.
fn textmate() -> Result<(), String> {
    let (from, work) = (root().join("editors/textmate"), target().join("textmate"));
    for name in ["package.json", "package-lock.json", "test.mjs"] {
        vscode::copy_file(&from.join(name), &work.join(name))?;
    }
    vscode::install(&work)?;
    run(Command::new("node").arg("test.mjs").arg(&from).arg(root().join("examples")).current_dir(&work))
}

fn vim() -> Result<(), String> {
    let folder = root().join("editors/vim");
    let report = target().join("vim-report");
    let _ = fs::remove_file(&report);
    // A plain Vim, with this folder before all others.
    let mut vim = Command::new("vim");
    vim.args(["-N", "-u", "NONE", "-i", "NONE", "-es", "--cmd"]);
    vim.arg(format!("let g:report = '{}' | set runtimepath^={}", report.display(), folder.display()));
    vim.arg("-S").arg(folder.join("test.vim")).stdin(Stdio::null()).env("TERM", "dumb").current_dir(&folder);
    let ended = run(&mut vim);
    let told = fs::read_to_string(&report).unwrap_or_else(|_| "vim has not come to the end of the test\n".to_owned());
    if told == "passed\n" { ended } else { Err(told) }
}

/// bat, by the name that it has here.
fn bat() -> Option<&'static str> {
    ["bat", "batcat"].into_iter().find(|name| output(Command::new(name).arg("--version")).is_some())
}

/// A program, and the colours that bat's theme `ansi` gives to pieces of it.
const PROGRAM: &str = "// why\nvar x: u16 = 0x1f;\ntask f(a: f32) void {\n  if (x == 1) @fmacs(a, \"s\\n\");\n}\n";
const COLOURS: [(&str, &str); 8] = [
    ("// why", "32"),
    ("var", "35"),
    ("0x1f", "33"),
    ("task", "35"),
    ("f", "34"),
    ("if", "35"),
    ("@fmacs", "36"),
    ("\\n", "36"),
];

/// A file of the Citation Style Language, whose elements have another colour than anything of ours.
const CITATION: &str = "\n<?xml version=\"1.0\"?>\n<style class=\"in-text\"/>\n";

fn sublime() -> Result<(), String> {
    let folder = target().join("bat");
    vscode::copy_file(
        &root().join("editors/sublime/CSL.sublime-syntax"),
        &folder.join("config/syntaxes/CSL.sublime-syntax"),
    )?;
    let tool = bat().ok_or("there is no bat")?;
    let command = || {
        let mut command = Command::new(tool);
        command.env("BAT_CONFIG_DIR", folder.join("config")).env("BAT_CACHE_PATH", folder.join("cache"));
        command.env_remove("BAT_CONFIG_PATH").env_remove("BAT_OPTS");
        command
    };
    output(command().args(["cache", "--build"])).ok_or("`bat cache --build` does not take the grammar")?;
    let shown = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut command = command();
        command.args(["--no-config", "--plain", "--paging=never", "--color=always", "--theme=ansi"]).arg(&file);
        output(&mut command).ok_or_else(|| format!("bat does not show {}", file.display()))
    };
    let program = shown("program.csl", PROGRAM)?;
    for (piece, colour) in COLOURS {
        if !program.contains(&format!("\u{1b}[{colour}m{piece}\u{1b}[0m")) {
            return Err(format!("`{piece}` has not the colour {colour}:\n{program:?}"));
        }
    }
    let citation = shown("citation.csl", CITATION)?;
    if citation.contains("\u{1b}[31mstyle\u{1b}[0m") { Ok(()) } else { Err(format!("not shown as XML:\n{citation:?}")) }
}
