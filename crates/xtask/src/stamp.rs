//! A stamp of the sources, to see whether they have changed since the environment was made.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::time::SystemTime;

use crate::shell::root;

/// The sources of the installed package.
const SOURCES: [&str; 5] = ["pyproject.toml", "Cargo.toml", "Cargo.lock", "grammar", "crates"];

/// Folders within the sources that the package does not hold.
const SKIPPED: [&str; 7] = ["tests", "benches", "xtask", "csl-bench", "__pycache__", "build", "target"];

/// A number that changes when a source of the package changes.
pub fn sources() -> String {
    let mut hasher = DefaultHasher::new();
    for place in SOURCES {
        add(&root().join(place), &mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// Adds names, sizes and modification times to the hash; a file that vanishes meanwhile is left out.
fn add(path: &Path, hasher: &mut DefaultHasher) {
    let Ok(data) = fs::metadata(path) else { return };
    if data.is_dir() {
        let mut entries: Vec<_> =
            fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        entries.sort();
        entries.iter().filter(|entry| !is_skipped(entry)).for_each(|entry| add(entry, hasher));
        return;
    }
    path.hash(hasher);
    data.len().hash(hasher);
    data.modified().unwrap_or(SystemTime::UNIX_EPOCH).hash(hasher);
}

fn is_skipped(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    SKIPPED.contains(&&*name) || name.ends_with(".egg-info")
}
