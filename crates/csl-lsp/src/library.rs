//! The files of the standard library, which editors can only show as files: each is written to a folder of this server when it is
//! first asked for.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use csl_host::library_name;
use tempfile::TempDir;

/// The folder for files of the library; it is gone when the server ends.
#[derive(Debug, Default)]
pub struct Library(OnceCell<Option<TempDir>>);

impl Library {
    /// The path of a file, which is written if it is one of the library.
    pub fn path(&self, key: &Path) -> Option<PathBuf> {
        let Some(text) = text(key) else { return Some(key.to_owned()) };
        let make = || tempfile::Builder::new().prefix("waferlab-library-").tempdir().ok();
        let path = self.0.get_or_init(make).as_ref()?.path().join(name(key)?).with_extension("csl");
        std::fs::create_dir_all(path.parent()?).ok()?;
        if !path.exists() {
            std::fs::write(&path, text).ok()?;
        }
        Some(path)
    }

    /// The key of a file that lies in the folder.
    pub fn key(&self, path: &Path) -> Option<PathBuf> {
        let within = path.strip_prefix(self.0.get()?.as_ref()?.path()).ok()?;
        Some(PathBuf::from(format!("<{}>", within.with_extension("").to_str()?)))
    }
}

/// The name of a library by its key.
pub fn name(key: &Path) -> Option<&str> {
    library_name(key.to_str()?)
}

/// The text of a library by its key.
pub fn text(key: &Path) -> Option<&'static str> {
    csl_std::lookup(name(key)?)
}
