//! The language server, driven by the clients of editors with the settings of the book.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Check, book, missing, vscode, with};
use crate::shell::{output, root, run, target};

pub fn checks(commands: &Path) -> Vec<Check> {
    let eglot = || output(Command::new("emacs").args(["--batch", "--eval", "(require 'eglot)"])).is_some();
    let no_emacs = (!eglot()).then(|| "install Emacs 29 or later, or Emacs with eglot (Debian: elpa-eglot)".to_owned());
    let (to_neovim, to_emacs) = (commands.to_owned(), commands.to_owned());
    vec![
        Check {
            name: "the language server in Neovim",
            missing: missing("nvim", "--version", "install Neovim 0.7 or later"),
            run: Box::new(move || neovim(&to_neovim)),
        },
        Check { name: "the language server in Emacs", missing: no_emacs, run: Box::new(move || emacs(&to_emacs)) },
    ]
}

/// What one of the editors reports in a file, after it was started in a folder with the program of `editors/program`.
fn report(editor: &mut Command, name: &str) -> Result<(), String> {
    let folder = target().join("editors").join(name);
    for file in ["layout.csl", "pe.csl"] {
        vscode::copy_file(&root().join("editors/program").join(file), &folder.join(file))?;
    }
    let report = folder.join("report");
    let _ = fs::remove_file(&report);
    let ended = run(editor.stdin(Stdio::null()).env("TERM", "dumb").current_dir(&folder));
    let told = fs::read_to_string(&report).map_err(|_| format!("{name} has not come to the end of the test"))?;
    if told == "passed\n" { ended } else { Err(told) }
}

/// A plain Neovim with our files for Vim and a folder of settings: those for the oldest releases, and from 0.11 on the new ones, too.
fn neovim(commands: &Path) -> Result<(), String> {
    let old = ("after/ftplugin/csl.lua", "-- ~/.config/nvim/after/ftplugin/csl.lua, Neovim 0.7 to 0.10\n");
    let new = ("plugin/csl.lua", "-- ~/.config/nvim/init.lua, Neovim 0.11\n");
    let is_new = output(Command::new("nvim").args([
        "--headless",
        "-u",
        "NONE",
        "+lua io.write(vim.lsp.config and 'new' or 'old')",
        "+qa",
    ]));
    let is_new = is_new.is_some_and(|told| told == "new");
    for (number, (place, first)) in [old, new].into_iter().enumerate().filter(|&(number, _)| number == 0 || is_new) {
        let name = format!("neovim{number}");
        let file = book::settings("lua", first, &format!("{name}/settings/{place}"))?;
        let settings = target().join("editors").join(&name).join("settings");
        let before = format!(
            "let g:report = '{}' | set runtimepath^={} runtimepath+={},{}/after",
            target().join("editors").join(&name).join("report").display(),
            root().join("editors/vim").display(),
            settings.display(),
            settings.display(),
        );
        let mut nvim = with(commands, "nvim");
        nvim.args(["--headless", "-u", "NONE", "-i", "NONE", "-n", "--cmd", &before, "--cmd", "filetype plugin on"]);
        if number == 1 {
            nvim.arg("--cmd").arg(format!("source {}", file.display()));
        }
        nvim.arg("-S").arg(root().join("editors/neovim/test.lua"));
        nvim.env("XDG_STATE_HOME", target().join("editors").join(&name).join("state"));
        report(&mut nvim, &name)?;
    }
    Ok(())
}

/// A plain Emacs with the settings of the book and eglot.
fn emacs(commands: &Path) -> Result<(), String> {
    let settings = book::settings("elisp", ";; ~/.emacs.d/init.el\n", "emacs/init.el")?;
    let mut emacs = with(commands, "emacs");
    emacs
        .args(["--batch", "--no-init-file", "--directory"])
        .arg(root().join("editors/emacs"))
        .arg("--load")
        .arg(settings);
    emacs.arg("--load").arg(root().join("editors/emacs/test.el"));
    report(&mut emacs, "emacs")
}
