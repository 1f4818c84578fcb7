//! The virtual environment `target/venv`: numpy, the Python package, `cslc`, `waferlab` and `cs_python`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{output, root, run, target};
use crate::stamp;

/// The packages of PyPI that building needs.
const TOOLS: [&str; 2] = ["setuptools>=77", "setuptools-rust>=1.12"];

/// The NumPy release to install where possible: published host scripts shift 16-bit words and count on its wider
/// results. There are wheels of it for Python 3.9 to 3.12, and it is not built from source.
const NUMPY_1: &str = "numpy>=1.20,<2";
const NUMPY_2: &str = "numpy>=2";

const OLDEST_PYTHON: (u32, u32) = (3, 9);

/// The environment, complete and up to date.
pub struct Venv {
    folder: PathBuf,
}

/// Makes and builds all that is missing or out of date.
pub fn ensure() -> Result<Venv, String> {
    let venv = bare()?;
    venv.once("waferlab", &stamp::sources(), || venv.install())?;
    Ok(venv)
}

/// The environment with what building needs, and Waferlab in whatever state.
pub fn bare() -> Result<Venv, String> {
    let venv = Venv { folder: target().join("venv") };
    venv.once("packages", &[&TOOLS[..], &[NUMPY_1, NUMPY_2]].concat().join(" "), || venv.create())?;
    Ok(venv)
}

impl Venv {
    /// An environment that is there.
    pub fn at(folder: PathBuf) -> Venv {
        Venv { folder }
    }

    /// The interpreter.
    pub fn python(&self) -> PathBuf {
        self.program("python")
    }

    /// A folder in the environment's with packages of PyPI that only some commands need, for `PYTHONPATH`.
    pub fn tool(&self, name: &str, packages: &[&str]) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        let install = || run(self.pip().args(["--upgrade", "--target"]).arg(&folder).args(packages));
        self.once(name, &packages.join(" "), install)?;
        Ok(folder)
    }

    /// `PATH` with the environment's commands first.
    pub fn path(&self) -> OsString {
        let old = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.commands()).chain(std::env::split_paths(&old));
        std::env::join_paths(folders).unwrap_or(old)
    }

    /// The folder of its commands.
    pub fn commands(&self) -> PathBuf {
        self.folder.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    fn program(&self, name: &str) -> PathBuf {
        self.commands().join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// A command that runs in the environment.
    pub fn command(&self, program: &str) -> Command {
        let own = self.program(program);
        let mut command = Command::new(if own.exists() { own.as_os_str() } else { program.as_ref() });
        command.env("PATH", self.path()).env("VIRTUAL_ENV", &self.folder).env_remove("PYTHONHOME");
        command
    }

    /// Does `work` unless it was done for the same `key`.
    fn once(&self, name: &str, key: &str, work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        let file = self.folder.join(format!("{name}.stamp"));
        if std::fs::read_to_string(&file).is_ok_and(|old| old == key) {
            return Ok(());
        }
        work()?;
        std::fs::write(&file, key).map_err(|error| format!("cannot write {}: {error}", file.display()))
    }

    fn create(&self) -> Result<(), String> {
        eprintln!("xtask: making {}", self.folder.display());
        run(Command::new(find_python()?).args(["-m", "venv", "--clear"]).arg(&self.folder))?;
        run(self.pip().args(TOOLS))?;
        if output(self.pip().args(["--only-binary=numpy", NUMPY_1])).is_some() {
            return Ok(());
        }
        eprintln!("xtask: there is no wheel of NumPy 1 for this Python: taking NumPy 2");
        run(self.pip().arg(NUMPY_2))
    }

    /// A folder with NumPy 2 for `PYTHONPATH`, where the environment has NumPy 1.
    pub fn other_numpy(&self) -> Result<Option<PathBuf>, String> {
        let test = "import numpy; print(numpy.__version__.split('.')[0])";
        if output(self.command("python").args(["-c", test])).as_deref() != Some("1") {
            return Ok(None);
        }
        self.with_packages("numpy2", &["--only-binary=numpy", NUMPY_2]).map(Some)
    }

    /// A folder with packages of PyPI for `PYTHONPATH`; an error where they are not to be had. It lies in the environment's
    /// folder, so that both are removed together.
    pub fn with_packages(&self, name: &str, packages: &[&str]) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        self.once(name, &packages.join(" "), || {
            run(self.pip().args(["--upgrade", "--target"]).arg(&folder).args(packages))
        })?;
        Ok(folder)
    }

    /// Builds the wheel, release profile, and installs it; puts the drop-in packages on the environment's path.
    fn install(&self) -> Result<(), String> {
        eprintln!("xtask: building and installing waferlab");
        run(self
            .pip()
            .args(["--no-build-isolation", "--no-deps", "--force-reinstall"])
            .arg(root())
            .env("CARGO_TARGET_DIR", target()))?;
        run(self.command("waferlab").arg("enable"))
    }

    /// The start of a `pip install`.
    pub fn pip(&self) -> Command {
        let mut command = self.command("python");
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        command
    }
}

/// A Python that is new enough: `WAFERLAB_PYTHON`, or the first of the usual names.
pub fn find_python() -> Result<PathBuf, String> {
    let chosen = std::env::var_os("WAFERLAB_PYTHON").map(PathBuf::from);
    let usual = ["python3", "python"].map(PathBuf::from);
    let candidates: Vec<PathBuf> = chosen.map_or(usual.to_vec(), |python| vec![python]);
    candidates.into_iter().find(|python| is_new_enough(python)).ok_or_else(|| {
        let (major, minor) = OLDEST_PYTHON;
        format!("no Python {major}.{minor} or later with the venv module found; WAFERLAB_PYTHON can name one")
    })
}

fn is_new_enough(python: &Path) -> bool {
    let (major, minor) = OLDEST_PYTHON;
    let test = format!("import sys, venv, ensurepip; print(sys.version_info >= ({major}, {minor}))");
    output(Command::new(python).args(["-c", &test])).as_deref() == Some("True")
}
