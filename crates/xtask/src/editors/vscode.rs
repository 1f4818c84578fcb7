//! The extension of VS Code: laid out in `target/vscode`, where its packages are installed, and it is tested and packaged; then tried in
//! code-server, which is VS Code on a server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Check, no_node, with};
use crate::playground;
use crate::shell::{output, root, run, target};

pub fn checks(commands: &Path) -> Vec<Check> {
    let (tests, server) = (commands.to_owned(), commands.to_owned());
    vec![
        Check { name: "VS Code: the extension", missing: no_node(), run: Box::new(move || check(&tests)) },
        Check {
            name: "VS Code: the extension in code-server",
            missing: no_node().or_else(no_code_server),
            run: Box::new(move || try_out(&server)),
        },
    ]
}

/// code-server: `CODE_SERVER`, or that of the path.
fn code_server() -> PathBuf {
    std::env::var_os("CODE_SERVER").map_or_else(|| PathBuf::from("code-server"), PathBuf::from)
}

fn no_code_server() -> Option<String> {
    if output(Command::new(code_server()).arg("--version")).is_none() {
        return Some(
            "install code-server (with Node.js 24 and Debian's libkrb5-dev: `npm install --global code-server`), or name it in CODE_SERVER"
                .to_owned(),
        );
    }
    playground::browser().is_none().then(|| playground::NO_BROWSER.to_owned())
}

/// Uses the package as a person would; screenshots lie in `target/editors/code-server`.
fn try_out(commands: &Path) -> Result<(), String> {
    let package = package()?;
    let folder = target().join("editors/code-server");
    for file in ["layout.csl", "pe.csl"] {
        copy_file(&root().join("editors/program").join(file), &folder.join(file))?;
    }
    let browser = playground::browser().ok_or("there is no Chromium")?;
    let script = root().join("editors/vscode/test/code-server.mjs");
    run(with(commands, "node").arg(script).arg(code_server()).arg(browser).arg(package).arg(folder))
}

/// Packages it; returns the package's path.
pub fn package() -> Result<PathBuf, String> {
    let folder = lay_out()?;
    run(Command::new("npm").args(["run", "--silent", "package"]).current_dir(&folder))?;
    Ok(folder.join("waferlab.vsix"))
}

/// Checks its types, then runs its tests with the commands of this folder.
fn check(commands: &Path) -> Result<(), String> {
    let folder = lay_out()?;
    run(Command::new("npm").args(["run", "--silent", "check"]).current_dir(&folder))?;
    run(with(commands, "npm").args(["test", "--silent"]).current_dir(&folder))
}

/// Puts all that it consists of into one folder: `editors/vscode`, the grammar, the licence, and the packages that
/// `package-lock.json` names.
fn lay_out() -> Result<PathBuf, String> {
    let (from, to) = (root().join("editors/vscode"), target().join("vscode"));
    // What is no longer there goes; the packages are many, and stay.
    for folder in ["src", "test", "snippets"] {
        let _ = fs::remove_dir_all(to.join(folder));
    }
    copy(&from, &to)?;
    copy_file(&root().join("editors/textmate/csl.tmLanguage.json"), &to.join("syntaxes/csl.tmLanguage.json"))?;
    copy_file(&root().join("LICENSE"), &to.join("LICENSE"))?;
    install(&to)?;
    Ok(to)
}

/// Installs the packages of a folder's `package-lock.json`, unless they are there.
pub fn install(folder: &Path) -> Result<(), String> {
    let (lock, stamp) = (folder.join("package-lock.json"), folder.join("node_modules/.waferlab-lock"));
    let wanted = fs::read(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(Command::new("npm")
        .args(["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder))?;
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let told = |error| format!("{}: {error}", from.display());
    for entry in fs::read_dir(from).map_err(told)? {
        let entry = entry.map_err(told)?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == "node_modules" {
            continue;
        }
        if path.is_dir() { copy(&path, &to)? } else { copy_file(&path, &to)? }
    }
    Ok(())
}

pub fn copy_file(from: &Path, to: &Path) -> Result<(), String> {
    let made = fs::create_dir_all(to.parent().unwrap_or(to)).and_then(|()| fs::copy(from, to));
    made.map(|_| ()).map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}
