//! Files that the command line names: replaced as a whole, or left as they were.

use std::fs;
use std::path::{Path, PathBuf};

/// A file whose content is written, beside its place. It goes there by [`NamedFile::put`]; dropped, it is gone.
pub struct NamedFile {
    target: PathBuf,
    state: State,
}

enum State {
    Staged(PathBuf),
    /// The place is a pipe, a terminal or the like: nothing that could be replaced.
    Kept(Vec<u8>),
    Done,
}

impl NamedFile {
    /// Refuses a folder and the source files of the compilation.
    pub fn stage(path: &Path, bytes: Vec<u8>, sources: &[PathBuf]) -> Result<NamedFile, String> {
        // Through a link, to the file that it stands for.
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

    pub fn put(mut self) -> Result<(), String> {
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
            // There may be none: writing it was what failed.
            let _ = fs::remove_file(staged);
        }
    }
}
