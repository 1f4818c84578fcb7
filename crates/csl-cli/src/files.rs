//! Files of the user that a command changes.

use std::fs;
use std::io::Write;
use std::path::Path;

use similar::TextDiff;

/// What changes, as `diff -u` prints it; `how` says what was done to the text.
pub(crate) fn difference(name: &str, old: &str, new: &str, how: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().header(name, &format!("{name} ({how})")).to_string()
}

/// Puts a new text in the place of a file's at once. A link stays; the file that it leads to is replaced, with its owner and
/// permissions.
pub(crate) fn replace(path: &Path, old: &str, new: &str) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    let path = path.canonicalize().map_err(told)?;
    let metadata = fs::metadata(&path).map_err(told)?;
    let permissions = metadata.permissions();
    if permissions.readonly() {
        return Err("this file is not to be written".to_owned());
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".waferlab-").tempfile_in(folder).map_err(told)?;
    file.write_all(new.as_bytes()).map_err(told)?;
    give(file.as_file(), &metadata);
    file.as_file().set_permissions(permissions).map_err(told)?;
    file.as_file().sync_all().map_err(told)?;
    // An editor may have written it meanwhile.
    if fs::read(&path).map_err(told)? != old.as_bytes() {
        return Err("this file has changed meanwhile; it is left as it is".to_owned());
    }
    file.persist(&path).map_err(|error| told(error.error))?;
    Ok(())
}

/// Gives a file to the owner that the metadata name. Only root can give a file to another user, and only root has the need.
#[cfg(unix)]
fn give(file: &fs::File, owned: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(file, Some(owned.uid()), Some(owned.gid()));
}

#[cfg(not(unix))]
fn give(_: &fs::File, _: &fs::Metadata) {}
