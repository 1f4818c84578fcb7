//! The playground: one page with the compiler, the simulator and some programs, which a browser opens from disk.
//!
//! Rust needs its standard library for wasm32. rustup has it (`rustup target add wasm32-unknown-unknown`). Elsewhere it
//! is built from its sources, which must be those of the compiler: they stand in its folder (rustup's component
//! `rust-src`), in Debian's (package `rust-src`), or where `WAFERLAB_RUST_SRC` says.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{cargo, output, root, run, target};
use crate::venv;

const TARGET: &str = "wasm32-unknown-unknown";

/// The environment variable that names the folder `library` of the compiler's sources.
const SOURCES: &str = "WAFERLAB_RUST_SRC";

/// The place from which Rust's standard library for wasm32 comes.
enum Library {
    Installed,
    /// Its sources.
    Sources(PathBuf),
}

/// Makes the page; returns its path.
pub fn build() -> Result<PathBuf, String> {
    let module = module()?;
    let folder = target().join("playground");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let page = folder.join("index.html");
    let maker = root().join("crates/csl-web/page/make.py");
    run(Command::new(venv::find_python()?).arg(maker).arg(&module).arg(&page))?;
    Ok(page)
}

/// The way to what `check` needs and what is not there.
pub fn missing() -> Option<String> {
    if let Err(from) = library() {
        return Some(from);
    }
    if output(Command::new("node").arg("--version")).is_none() {
        return Some("install Node.js (https://nodejs.org)".to_owned());
    }
    browser().is_none().then(|| NO_BROWSER.to_owned())
}

/// Opens the page in headless Chromium and runs its programs there, and on this machine: the answers are to be equal.
pub fn check() -> Result<(), String> {
    let page = build()?;
    let browser = browser().ok_or("there is no Chromium")?;
    run(cargo().args(["build", "--release", "--package", "waferlab-web", "--example", "answer"]))?;
    let native = target().join("release/examples/answer");
    run(Command::new("node").arg(root().join("crates/csl-web/tests/browser.mjs")).arg(browser).arg(page).arg(native))
}

/// Builds the module; returns its path.
fn module() -> Result<PathBuf, String> {
    let mut command = cargo();
    command.args(["build", "--profile", "playground", "--package", "waferlab-web", "--lib", "--target", TARGET]);
    if let Library::Sources(folder) = library()? {
        // Cargo builds the standard library only where it thinks that it is a nightly one.
        command.args(["-Z", "build-std=std,panic_abort"]).env("RUSTC_BOOTSTRAP", "1");
        command.env("__CARGO_TESTS_ONLY_SRC_ROOT", folder);
    }
    run(&mut command)?;
    Ok(target().join(TARGET).join("playground/csl_web.wasm"))
}

/// The standard library for wasm32; where it is not to be had, the ways to get it.
fn library() -> Result<Library, String> {
    let rustc =
        |arguments: &[&str]| output(Command::new("rustc").args(arguments).current_dir(root())).unwrap_or_default();
    if Path::new(&rustc(&["--print", "target-libdir", "--target", TARGET])).is_dir() {
        return Ok(Library::Installed);
    }
    let version = rustc(&["--version"]);
    let version = version.split(' ').nth(1).unwrap_or_default();
    let own = Path::new(&rustc(&["--print", "sysroot"])).join("lib/rustlib/src/rust/library");
    let debian = PathBuf::from(format!("/usr/src/rustc-{version}/library"));
    let named = std::env::var_os(SOURCES).map(PathBuf::from);
    let found = named.into_iter().chain([own, debian]).find(|folder| folder.join("std/Cargo.toml").is_file());
    found.map(Library::Sources).ok_or_else(|| {
        format!(
            "rustup target add {TARGET}; without rustup, Debian's package rust-src of version {version} (trixie-backports has \
             several), unpacked anywhere, its folder `library` named in {SOURCES}"
        )
    })
}

/// The way to Chromium.
pub const NO_BROWSER: &str = "install Chromium (Debian: `apt-get install chromium`), or name it in CHROMIUM";

/// Chromium, or Chrome: `CHROMIUM`, or the first of the usual names.
pub fn browser() -> Option<PathBuf> {
    let chosen = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(PathBuf::from);
    let candidates: Vec<PathBuf> = chosen.map_or(usual.to_vec(), |browser| vec![browser]);
    candidates.into_iter().find(|browser| output(Command::new(browser).arg("--version")).is_some())
}
