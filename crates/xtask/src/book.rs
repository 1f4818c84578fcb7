//! The book in `docs/book`: writes what is made of tables, and checks it with mdBook and with the Python packages.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::editors::Check;
use crate::pictures;
use crate::shell::{cargo, output, root, run, target};

/// Writes the reference, the pictures and what sessions print, and builds the book where mdBook is there.
pub fn write() -> Result<(), String> {
    pictures::write()?;
    for made in ["the_reference", "sessions"] {
        run(test(made).env("WAFERLAB_BOOK_UPDATE", "1"))?;
    }
    match missing() {
        None => build(),
        Some(from) => {
            eprintln!("xtask: the book is not built: there is no mdBook; {from}");
            Ok(())
        }
    }
}

/// The checks that want more than Rust: sessions with the Python packages of this folder, and mdBook itself.
pub fn checks(python: &Path) -> Vec<Check> {
    let python = python.to_owned();
    vec![
        Check {
            name: "book: sessions with Python",
            missing: None,
            run: Box::new(move || run(test("sessions").env("WAFERLAB_BOOK_PYTHON", python))),
        },
        Check { name: "book: mdBook", missing: missing(), run: Box::new(build) },
    ]
}

/// The tests of the book whose names begin so.
fn test(name: &str) -> Command {
    let mut command = cargo();
    command.args(["test", "-p", "waferlab-cli", "--test", "csl_cli", &format!("book::{name}")]);
    command
}

/// The command: that of `target/tools`, or that of the path.
fn mdbook() -> Command {
    let own = target().join("tools/bin/mdbook");
    Command::new(if own.exists() { own.into_os_string() } else { OsString::from("mdbook") })
}

fn missing() -> Option<String> {
    let from = || format!("cargo install --locked mdbook --root {}", target().join("tools").display());
    output(mdbook().arg("--version")).is_none().then(from)
}

fn build() -> Result<(), String> {
    run(mdbook().arg("build").arg(folder()).arg("--dest-dir").arg(target().join("book")))
}

fn folder() -> PathBuf {
    root().join("docs/book")
}
