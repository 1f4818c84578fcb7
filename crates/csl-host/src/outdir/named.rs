//! Writes files that the command line names: each is replaced as a whole, or left as it was.

use std::fs;
use std::path::{Path, PathBuf};

/// A file with its content, written beside its place. [`NamedFile::put`] moves it there; a drop removes it.
pub(crate) struct NamedFile {
    target: PathBuf,
    state: State,
}

enum State {
    Staged(PathBuf),
    /// The contents for a pipe, a terminal or the like, which cannot be replaced by a file.
    Kept(Vec<u8>),
    Done,
}

/// A path without links, as far as it exists.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if parent.as_os_str().is_empty() => resolved(Path::new(".")).join(name),
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => path.to_owned(),
    }
}

impl NamedFile {
    /// Writes the file beside its place; refuses a folder and the source files of the compilation.
    pub(crate) fn stage(path: &Path, bytes: Vec<u8>, sources: &[PathBuf]) -> Result<NamedFile, String> {
        // A link is followed to its file.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if sources.iter().any(|source| source.canonicalize().is_ok_and(|source| source == target)) {
            return Err(format!("cannot write {}: it is a source file of this program", path.display()));
        }
        match fs::metadata(&target) {
            Ok(data) if data.is_dir() => Err(format!("cannot write {}: it is a folder", path.display())),
            Ok(data) if !data.is_file() => Ok(NamedFile { target, state: State::Kept(bytes) }),
            _ => {
                let name = target.file_name().unwrap_or_default().to_string_lossy();
                let staged = target.with_file_name(format!(".{name}.{}", std::process::id()));
                let file = NamedFile { target, state: State::Staged(staged.clone()) };
                super::write_to_disk(&staged, &bytes).map_err(|error| super::failure(path, &error))?;
                Ok(file)
            }
        }
    }

    pub(crate) fn put(mut self) -> Result<(), String> {
        let done = match std::mem::replace(&mut self.state, State::Done) {
            State::Staged(staged) => fs::rename(&staged, &self.target).inspect_err(|_| drop(fs::remove_file(staged))),
            State::Kept(bytes) => fs::write(&self.target, bytes),
            State::Done => Ok(()),
        };
        done.map_err(|error| super::failure(&self.target, &error))
    }
}

impl Drop for NamedFile {
    fn drop(&mut self) {
        if let State::Staged(staged) = &self.state {
            // The file may not exist, if writing it has failed.
            let _ = fs::remove_file(staged);
        }
    }
}
