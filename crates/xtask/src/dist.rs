//! `cargo xtask dist`: makes the wheel and the source distribution in `dist/`, and checks both in fresh environments.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::run;
use crate::shell::{self, output, root, target};
use crate::venv::{self, Venv};

/// The largest wheel, and the largest installation of it, in bytes.
const MOST_PACKED: u64 = 8_000_000;
const MOST_INSTALLED: u64 = 20_000_000;

/// The linker for Linux, so that a wheel made on a system of today runs on older ones; and the C library that it links for.
const ZIG: &str = "ziglang==0.17.1";
const GLIBC: (u32, u32) = (2, 17);

/// Reads which wheels of Linux the wheel may be.
const AUDITWHEEL: &str = "auditwheel>=6";

/// The profile of the wheel's parts; what is built from the source distribution has that of a plain `pip install`.
const PROFILE: &str = "dist";

const EXAMPLE: &str = "memcpy-walkthrough";

/// Makes both and checks both; the wheel also with these interpreters. Both are made in a folder of this command's own and
/// then put into `dist/`, where other files stay.
pub fn make(pythons: &[PathBuf]) -> Result<(), String> {
    let venv = venv::bare()?;
    let linux = Linux::find(&venv);
    let work = target().join("dist-check");
    let made = work.join("made");
    clear(&made)?;
    let mut pip = wheel_of(&venv, &root(), &made);
    pip.env("SETUPTOOLS_RUST_CARGO_PROFILE", PROFILE);
    if let Some(linux) = &linux {
        linux.link(&mut pip, &venv)?;
    }
    shell::run(&mut pip)?;
    let sdist = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])";
    shell::run(venv.command("python").args(["-c", sdist]).arg(&made).current_dir(root()).stdout(std::io::stderr()))?;
    let dist = root().join("dist");
    fs::create_dir_all(&dist).map_err(|error| told(&dist, &error))?;
    let (wheel, sdist) = (put(&only(&made, ".whl")?, &dist)?, put(&only(&made, ".tar.gz")?, &dist)?);
    if linux.is_some() {
        audit(&venv, &wheel)?;
    }
    check(&venv.python(), &wheel, &work)?;
    for python in pythons {
        check(python, &wheel, &work)?;
    }
    let again = work.join("from-sdist");
    clear(&again)?;
    shell::run(&mut wheel_of(&venv, &sdist, &again))?;
    println!("{}: {} KB; builds", sdist.display(), size(&sdist) / 1000);
    clear(&work)
}

/// Builds a wheel of a folder or of a source distribution.
fn wheel_of(venv: &Venv, source: &Path, into: &Path) -> Command {
    let mut pip = venv.command("python");
    pip.args(["-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-build-isolation", "--no-deps"]);
    pip.arg("--wheel-dir").arg(into).arg(source).env("CARGO_TARGET_DIR", target());
    pip
}

/// Installs the wheel into a fresh environment of an interpreter, and runs an example there.
fn check(python: &Path, wheel: &Path, work: &Path) -> Result<(), String> {
    let folder = work.join("venv");
    shell::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let venv = Venv::at(folder.clone());
    shell::run(venv.pip().arg("numpy"))?;
    let before = folder_size(&folder);
    let start = Instant::now();
    shell::run(venv.pip().args(["--no-deps", "--no-index"]).arg(wheel))?;
    let time = start.elapsed().as_secs_f64();
    let (packed, installed) = (size(wheel), folder_size(&folder) - before);
    let example = work.join(EXAMPLE);
    clear(&example)?;
    shell::run(Command::new("cp").arg("-R").arg(root().join("examples").join(EXAMPLE)).arg(&example))?;
    run::script(&venv, &example)?;
    let version = output(venv.command("python").arg("--version")).unwrap_or_default();
    println!(
        "{}: {} KB; installs in {time:.1} s under {version} as {} KB; {EXAMPLE} runs",
        wheel.display(),
        packed / 1000,
        installed / 1000
    );
    if packed > MOST_PACKED || installed > MOST_INSTALLED {
        return Err(format!("at most {MOST_PACKED} and {MOST_INSTALLED} bytes are wanted"));
    }
    clear(&folder)
}

/// Prints what `auditwheel` finds in the wheel, and fails if a system with the C library that is linked for is not enough.
fn audit(venv: &Venv, wheel: &Path) -> Result<(), String> {
    let tools = venv.tool("auditwheel", &[AUDITWHEEL])?;
    let mut python = venv.command("python");
    let report = output(python.args(["-m", "auditwheel", "show"]).arg(wheel).env("PYTHONPATH", tools));
    let report = report.ok_or("auditwheel does not end well")?;
    println!("{report}");
    let (major, minor) = GLIBC;
    let is_consistent = report.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_consistent.contains(&format!("consistent with the following platform tag: \"manylinux_{major}_{minor}_")) {
        return Ok(());
    }
    Err(format!("the wheel wants more than glibc {major}.{minor}"))
}

/// How wheels for Linux are linked.
struct Linux {
    /// Holds a `cc`.
    folder: PathBuf,
}

impl Linux {
    /// Zig as a linker, on Linux, where it can be had; else the wheel is for this system alone.
    fn find(venv: &Venv) -> Option<Linux> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        match Linux::make(venv) {
            Ok(linux) => Some(linux),
            Err(text) => {
                eprintln!("xtask: {text}: the wheel is for systems like this one alone");
                None
            }
        }
    }

    fn make(venv: &Venv) -> Result<Linux, String> {
        let zig = venv.tool("zig", &[ZIG])?;
        let folder = zig.join("waferlab-cc");
        fs::create_dir_all(&folder).map_err(|error| told(&folder, &error))?;
        let linker = folder.join("cc");
        let (arch, (major, minor)) = (std::env::consts::ARCH, GLIBC);
        let script = format!(
            "#!/bin/sh\n\
             # Build scripts take this for Clang and name Rust's target, which zig does not know.\n\
             for arg do\n  shift\n  case \"$arg\" in --target=*) ;; *) set -- \"$@\" \"$arg\" ;; esac\ndone\n\
             exec '{}' cc -target {arch}-linux-gnu.{major}.{minor} -s \"$@\"\n",
            zig.join("ziglang/zig").display()
        );
        fs::write(&linker, script).map_err(|error| told(&linker, &error))?;
        shell::run(Command::new("chmod").arg("+x").arg(&linker))?;
        Ok(Linux { folder })
    }

    /// Has a build of the wheel link with it.
    fn link(&self, pip: &mut Command, venv: &Venv) -> Result<(), String> {
        // What an earlier build has linked for this system is linked anew.
        let mut clean = shell::cargo();
        clean
            .args(["clean", "--quiet", "--profile", PROFILE, "--package", "waferlab-py"])
            .env("CARGO_TARGET_DIR", target());
        shell::run(&mut clean)?;
        pip.arg(format!("--config-settings=--build-option=--plat-name={}", self.tag()));
        // By its place on the path: a linker that cargo is told of makes it build everything anew.
        let folders = std::iter::once(self.folder.clone());
        let path = std::env::join_paths(folders.chain(std::env::split_paths(&venv.path())));
        pip.env("PATH", path.map_err(|error| error.to_string())?);
        Ok(())
    }

    fn tag(&self) -> String {
        let (arch, (major, minor)) = (std::env::consts::ARCH, GLIBC);
        format!("manylinux_{major}_{minor}_{arch}")
    }
}

/// The only file of a folder with this ending.
fn only(folder: &Path, ending: &str) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).map_err(|error| told(folder, &error))?;
    let mut found = entries.flatten().map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with(ending));
    match (found.next(), found.next()) {
        (Some(file), None) => Ok(file),
        _ => Err(format!("{} does not hold one *{ending}", folder.display())),
    }
}

/// Puts a copy of a file into a folder.
fn put(file: &Path, folder: &Path) -> Result<PathBuf, String> {
    let copy = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, &copy).map_err(|error| told(&copy, &error))?;
    Ok(copy)
}

/// Removes a folder below `target/`, if it is there.
fn clear(folder: &Path) -> Result<(), String> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).map_err(|error| told(folder, &error))
}

fn size(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |data| data.len())
}

fn folder_size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.map(|path| if path.is_dir() && !path.is_symlink() { folder_size(&path) } else { size(&path) }).sum()
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
