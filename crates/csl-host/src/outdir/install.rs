//! Puts a compilation into its folder, beside foreign files there.
//!
//! `bin/program.wafer` holds everything that our readers need, and one rename puts it in place: a reader sees the old
//! program or the new one. The files beside it are for scripts. New files are written in `bin/` under temporary names
//! ([`STAGED`]) before anything changes; then each is renamed to its place, the program last. After an error every step
//! is taken back. Two compilers of one folder wait for each other; the next one removes the leftovers of a killed one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use csl_image::{MAGIC, Origin};
use csl_machine::Coord;

use super::{ELF_STUB, FOLDERS, IMAGE_FILE, SIDE_FILES, failure, tile_file, write_to_disk};

/// The prefix of files that are not in their place yet, or not any more.
const STAGED: &str = ".waferlab-";

/// A file that the first format of images had in the folders of `SdkLayout` alone.
const STREAM_NOTE: &str = "generated/streams.json";

/// The contents of the folder.
pub(super) struct Parts<'a> {
    pub program: &'a [u8],
    /// Other files by their paths in the folder.
    pub beside: &'a [(String, Vec<u8>)],
    pub tiles: &'a [Coord],
}

/// Writes the parts into `folder`, which is made if it does not exist. After an error nothing has changed.
pub(super) fn install(folder: &Path, parts: &Parts) -> Result<(), String> {
    let place = LockedFolder::open(folder)?;
    let done = Plan::new(folder, parts, place.is_locked).and_then(|plan| plan.carry_out());
    if done.is_err() {
        // A folder that has got other contents meanwhile is not removed.
        place.made.iter().for_each(|made| drop(fs::remove_dir(made)));
    }
    done
}

// ---- the folder ----

/// The folder, which no other compiler writes to as long as this value lives.
struct LockedFolder {
    /// Folders that were made, the innermost first.
    made: Vec<PathBuf>,
    /// Whether the file system has locks.
    is_locked: bool,
    _handle: File,
}

impl LockedFolder {
    fn open(folder: &Path) -> Result<LockedFolder, String> {
        let wrong = |error: io::Error| failure(folder, &error);
        loop {
            let made = make(folder)?;
            let handle = File::open(folder).map_err(wrong)?;
            let is_locked = lock(&handle);
            // The holder of the lock may have made the folder and removed it again.
            let held = handle.metadata().map_err(wrong)?;
            match fs::metadata(folder) {
                Ok(there) if is_same(&there, &held) => {
                    return Ok(LockedFolder { made, is_locked, _handle: handle });
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(wrong(error)),
                _ => {}
            }
        }
    }
}

/// Whether both are of one folder. Where folders have no numbers, no process may remove one that is open.
#[cfg(unix)]
fn is_same(there: &fs::Metadata, held: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (there.dev(), there.ino()) == (held.dev(), held.ino())
}

#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

/// Makes the folder and those above it; returns those that did not exist.
fn make(folder: &Path) -> Result<Vec<PathBuf>, String> {
    match fs::metadata(folder) {
        Ok(data) if data.is_dir() => return Ok(Vec::new()),
        Ok(_) => return Err(foreign(folder, "it is no folder")),
        Err(_) if folder.is_symlink() => return Err(foreign(folder, "it is a link to something that is not there")),
        Err(_) => {}
    }
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing = folder.ancestors().take_while(is_missing).map(Path::to_owned).collect();
    fs::create_dir_all(folder).map_err(|error| failure(folder, &error))?;
    Ok(missing)
}

/// Waits for the lock; `false` where the file system has no locks.
fn lock(handle: &File) -> bool {
    loop {
        match handle.lock() {
            Ok(()) => return true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}

// ---- what is there, and whose it is ----

/// The changes to make; nothing has changed yet.
struct Plan<'a> {
    folder: &'a Path,
    parts: &'a Parts<'a>,
    /// Leftovers of a compiler that was killed.
    stale: Vec<PathBuf>,
    /// Files for tiles that do not exist yet.
    new_tiles: Vec<PathBuf>,
    /// Files of an earlier compilation that this one does not have.
    outdated: Vec<PathBuf>,
}

impl<'a> Plan<'a> {
    /// Examines every entry to be written; one that no earlier compilation made is an error.
    fn new(folder: &'a Path, parts: &'a Parts<'a>, is_locked: bool) -> Result<Plan<'a>, String> {
        let bin = folder.join("bin");
        for name in FOLDERS {
            let path = folder.join(name);
            // Nothing is written into the other folders: whatever they hold or point to may stay.
            let is_folder = if name == "bin" { path.is_dir() && !path.is_symlink() } else { path.is_dir() };
            if exists(&path) && !is_folder {
                return Err(foreign(&path, "it is no folder"));
            }
        }
        let names = names(&bin)?;
        let staged: Vec<PathBuf> = names.iter().filter(|name| is_staged(name)).map(|name| bin.join(name)).collect();
        let earlier = earlier_files(&bin, &names, &staged)?;
        for (name, _) in parts.beside {
            let path = folder.join(name);
            if exists(&path) && !(is_file(&path) && earlier.contains(name)) {
                return Err(foreign(&path, "it is not of an earlier compilation"));
            }
        }
        let wanted: BTreeSet<String> = parts.tiles.iter().map(|&tile| tile_file(tile)).collect();
        if let Some(name) = wanted.intersection(&names).find(|name| !is_stub(&bin.join(name))) {
            return Err(foreign(&bin.join(name), "it is not of an earlier compilation"));
        }
        let old_tiles = names.difference(&wanted).filter(|name| is_tile_file(name)).map(|name| bin.join(name));
        let is_new = |name: &&String| parts.beside.iter().all(|(new, _)| new != *name);
        let old_files = earlier.iter().filter(is_new).map(|name| folder.join(name));
        Ok(Plan {
            folder,
            parts,
            stale: if is_locked { staged } else { Vec::new() },
            new_tiles: wanted.difference(&names).map(|name| bin.join(name)).collect(),
            outdated: old_tiles.filter(|path| is_stub(path)).chain(old_files.filter(|path| is_file(path))).collect(),
        })
    }
}

/// The files beside an earlier program. `bin/` has to hold one, or nothing but files for tiles.
fn earlier_files(bin: &Path, names: &BTreeSet<String>, staged: &[PathBuf]) -> Result<BTreeSet<String>, String> {
    let program = bin.with_file_name("").join(IMAGE_FILE);
    let mut told: Vec<Vec<String>> =
        staged.iter().filter_map(|path| Origin::files_beside(&fs::read(path).ok()?)).collect();
    if exists(&program) {
        let bytes = if is_file(&program) { fs::read(&program) } else { Ok(Vec::new()) };
        let bytes = bytes.map_err(|error| failure(&program, &error))?;
        if !bytes.starts_with(&MAGIC) {
            return Err(foreign(&program, "it is no program of an earlier compilation"));
        }
        match Origin::files_beside(&bytes) {
            Some(beside) => told.push(beside),
            // The image is of the first format, or of a later version of Waferlab.
            None => return Ok(files_of_another_version(bin.with_file_name("").join(STREAM_NOTE).exists())),
        }
    } else if told.is_empty() {
        let is_ours = |name: &&String| is_staged(name) || (is_tile_file(name) && is_stub(&bin.join(name)));
        if let Some(name) = names.iter().find(|name| !is_ours(name)) {
            return Err(foreign(bin, &format!("it holds {name}, and no program of an earlier compilation")));
        }
    }
    // An image is not trusted: only names that a compilation writes are taken from it.
    Ok(told.into_iter().flatten().filter(|name| SIDE_FILES.contains(&name.as_str())).collect())
}

/// The files beside images of the first format, which did not name them.
fn files_of_another_version(is_sdk_layout: bool) -> BTreeSet<String> {
    let layout = [STREAM_NOTE, "colors.json", "port_map.json"].into_iter().filter(|_| is_sdk_layout);
    ["out.json", "bin/out_rpc.json", "generated/source_folder"].into_iter().chain(layout).map(str::to_owned).collect()
}

fn names(folder: &Path) -> Result<BTreeSet<String>, String> {
    let wrong = |error: io::Error| failure(folder, &error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries.map_err(wrong)?,
    };
    entries.map(|entry| Ok(entry.map_err(wrong)?.file_name().to_string_lossy().into_owned())).collect()
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether the path is a file itself, and no link to one.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_file())
}

fn is_staged(name: &str) -> bool {
    name.starts_with(STAGED)
}

/// Whether a name is of the form `out_X_Y.elf`.
fn is_tile_file(name: &str) -> bool {
    let place = name.strip_prefix("out_").and_then(|rest| rest.strip_suffix(".elf")?.split_once('_'));
    place.is_some_and(|(x, y)| x.parse::<u32>().is_ok() && y.parse::<u32>().is_ok())
}

fn is_stub(path: &Path) -> bool {
    let has_size = fs::symlink_metadata(path).is_ok_and(|data| data.is_file() && data.len() == ELF_STUB.len() as u64);
    has_size && fs::read(path).is_ok_and(|bytes| bytes == ELF_STUB)
}

// ---- the changes ----

/// The reverse of a step.
enum Undo {
    RemoveFile(PathBuf),
    RemoveFolder(PathBuf),
    /// A file to rename: its temporary name, and its own.
    Restore(PathBuf, PathBuf),
}

impl Undo {
    /// Errors here are ignored: the one that led here is the one to report.
    fn take_back(self) {
        drop(match self {
            Undo::RemoveFile(path) => fs::remove_file(path),
            Undo::RemoveFolder(path) => fs::remove_dir(path),
            Undo::Restore(backup, path) => fs::rename(backup, path),
        });
    }
}

impl Plan<'_> {
    fn carry_out(&self) -> Result<(), String> {
        let mut steps = Vec::new();
        let done = self.change(&mut steps);
        if done.is_err() {
            steps.into_iter().rev().for_each(Undo::take_back);
            return done;
        }
        // A file that cannot be removed does no harm; the next compilation tries again.
        let backups =
            steps.iter().filter_map(|step| if let Undo::Restore(backup, _) = step { Some(backup) } else { None });
        backups.chain(&self.outdated).for_each(|path| drop(fs::remove_file(path)));
        Ok(())
    }

    fn change(&self, steps: &mut Vec<Undo>) -> Result<(), String> {
        for name in FOLDERS {
            let path = self.folder.join(name);
            if !path.is_dir() {
                fs::create_dir(&path).map_err(|error| failure(&path, &error))?;
                steps.push(Undo::RemoveFolder(path));
            }
        }
        self.stale.iter().for_each(|path| drop(fs::remove_file(path)));
        let program = (IMAGE_FILE.to_owned(), self.parts.program);
        let beside = self.parts.beside.iter().map(|(name, bytes)| (name.clone(), bytes.as_slice()));
        let mut staged = Vec::new();
        for (number, (name, bytes)) in beside.chain([program]).enumerate() {
            let path = self.staged(number);
            steps.push(Undo::RemoveFile(path.clone()));
            write_to_disk(&path, bytes).map_err(|error| failure(&self.folder.join(&name), &error))?;
            staged.push((path, self.folder.join(name)));
        }
        self.add_tiles(self.staged(staged.len()), steps)?;
        for (number, (from, to)) in staged.into_iter().enumerate() {
            let undo = if exists(&to) {
                let backup = self.staged(self.parts.beside.len() + 2 + number);
                steps.push(Undo::RemoveFile(backup.clone()));
                fs::hard_link(&to, &backup)
                    .or_else(|_| fs::copy(&to, &backup).map(drop))
                    .map_err(|error| failure(&to, &error))?;
                Undo::Restore(backup, to.clone())
            } else {
                Undo::RemoveFile(to.clone())
            };
            steps.push(undo);
            fs::rename(&from, &to).map_err(|error| failure(&to, &error))?;
        }
        Ok(())
    }

    fn add_tiles(&self, staged: PathBuf, steps: &mut Vec<Undo>) -> Result<(), String> {
        steps.push(Undo::RemoveFile(staged.clone()));
        for path in &self.new_tiles {
            let wrong = |error: io::Error| failure(path, &error);
            fs::write(&staged, ELF_STUB).map_err(wrong)?;
            steps.push(Undo::RemoveFile(path.clone()));
            fs::rename(&staged, path).map_err(wrong)?;
        }
        Ok(())
    }

    fn staged(&self, number: usize) -> PathBuf {
        self.folder.join("bin").join(format!("{STAGED}{}-{number}", std::process::id()))
    }
}

fn foreign(path: &Path, why: &str) -> String {
    format!("{}: {why}; move it away, or choose another output folder", path.display())
}
