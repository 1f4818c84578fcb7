//! The programs that files belong to.
//!
//! The lines of `cslc` in `commands*.sh` and `waferlab.toml` name programs, each with its layout and options. Where none of them
//! has a file, a layout near the file that names it is taken; a file that no layout names is analysed on its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use csl_host::project::{CslcLine, Project, Script, scripts_in};
use csl_host::{FileSources, Options, Unsaved, tidy};
use csl_sema::Sources;

use crate::Parse;

/// The number of programs of which one file is analysed as a part.
const MOST_PROGRAMS: usize = 4;

/// The number of folders above a file in which scripts are looked for, where the editor names no folder of the workspace.
const MOST_FOLDERS: usize = 3;

/// The way in which a program was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A script or `waferlab.toml` has its command line.
    Given,
    /// Its layout lies near the file; params have no values but those that it gives.
    Guessed,
    /// A file that no layout names.
    Alone,
}

/// A program: its options and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub options: Options,
    pub found: Found,
}

impl Program {
    /// The path of its layout, or of the one file.
    pub fn root(&self) -> PathBuf {
        tidy(&self.options.locate(&self.options.root))
    }

    /// The key of a file that an analysis names so: its path, or `<name>` of the library.
    pub fn key(&self, name: &str) -> PathBuf {
        if name.starts_with('<') { PathBuf::from(name) } else { tidy(&self.options.locate(Path::new(name))) }
    }
}

/// The files of which a program is made, by the links between them.
pub fn files_of(program: &Program, unsaved: &Unsaved, links: &dyn Fn(&Path, &str) -> Vec<String>) -> BTreeSet<PathBuf> {
    let mut sources = FileSources::with(&program.options, unsaved.clone());
    let mut open = vec![(program.options.root.to_string_lossy().into_owned(), None::<String>)];
    let mut found = BTreeSet::new();
    while let Some((name, importer)) = open.pop() {
        let Ok(resolved) = sources.resolve(&name, importer.as_deref()) else { continue };
        let key = program.key(&resolved.path);
        if found.insert(key.clone()) {
            let named = links(&key, &resolved.text);
            open.extend(named.into_iter().map(|name| (name, Some(resolved.path.clone()))));
        }
    }
    found
}

/// Finds programs, and keeps what it has read of scripts.
pub struct Finder {
    parse: Parse,
    /// The options of command lines that were parsed.
    lines: BTreeMap<(PathBuf, Vec<String>), Option<Options>>,
}

impl Finder {
    pub fn new(parse: Parse) -> Finder {
        Finder { parse, lines: BTreeMap::new() }
    }

    /// The programs of a file, the first of them the one that hover and the like speak of. `roots` are the folders of the
    /// workspace.
    pub fn programs_of(
        &mut self,
        path: &Path,
        roots: &[PathBuf],
        unsaved: &Unsaved,
        links: &dyn Fn(&Path, &str) -> Vec<String>,
    ) -> Vec<Program> {
        let folders = folders_above(path, roots);
        let has_file = |program: &Program| files_of(program, unsaved, links).contains(path);
        for folder in &folders {
            let mut programs = self.programs_in(folder);
            programs.retain(has_file);
            if !programs.is_empty() {
                programs.truncate(MOST_PROGRAMS);
                return programs;
            }
        }
        let near = folders.iter().take(2).flat_map(|folder| layouts_in(folder, unsaved));
        let mut guessed = std::iter::once(path.to_owned()).chain(near).map(|layout| guess(&layout, unsaved, links));
        match guessed.find(|program| program.found == Found::Guessed && has_file(program)) {
            Some(program) => vec![program],
            None => vec![alone(path)],
        }
    }

    /// The programs that the scripts and the `waferlab.toml` of a folder name; those of one layout and chip once.
    pub fn programs_in(&mut self, folder: &Path) -> Vec<Program> {
        let mut lines: Vec<CslcLine> = Vec::new();
        let mut scripts = scripts_in(folder);
        if let Ok(Some(project)) = Project::find(folder)
            && project.folder == folder
        {
            lines.extend(project.programs);
            scripts.extend(project.commands);
        }
        for script in scripts {
            lines.extend(Script::read(&script).map(|script| script.lines).unwrap_or_default());
        }
        let mut programs: Vec<Program> = Vec::new();
        for line in lines {
            let Some(options) = self.options(&line) else { continue };
            let program = Program { options, found: Found::Given };
            let is_known =
                |known: &Program| known.root() == program.root() && known.options.arch == program.options.arch;
            if !programs.iter().any(is_known) {
                programs.push(program);
            }
        }
        programs
    }

    fn options(&mut self, line: &CslcLine) -> Option<Options> {
        let parse = self.parse;
        let parsed = self.lines.entry((line.folder.clone(), line.words.clone())).or_insert_with(|| {
            let options = parse(line.words.clone()).ok()?;
            // Code that nothing calls yet is being written.
            Some(Options { folder: line.folder.clone(), check_all: true, ..options })
        });
        parsed.clone()
    }
}

/// The folder of a file and those above it, up to that of the workspace.
pub fn folders_above(path: &Path, roots: &[PathBuf]) -> Vec<PathBuf> {
    let root = roots.iter().filter(|root| path.starts_with(root)).min_by_key(|root| root.as_os_str().len());
    let above = path.ancestors().skip(1).map(Path::to_owned);
    match root {
        Some(root) => above.take_while(|folder| folder.starts_with(root)).collect(),
        None => above.take(MOST_FOLDERS).collect(),
    }
}

/// The files of a folder, saved or not, that have a layout block.
fn layouts_in(folder: &Path, unsaved: &Unsaved) -> Vec<PathBuf> {
    let saved = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let held = unsaved.keys().filter(|path| path.parent() == Some(folder)).cloned();
    let files: BTreeSet<PathBuf> =
        saved.chain(held).filter(|path| path.extension().is_some_and(|e| e == "csl")).collect();
    let text = |path: &PathBuf| match unsaved.get(path) {
        Some(text) => text.to_string(),
        None => std::fs::read_to_string(path).unwrap_or_default(),
    };
    files.into_iter().filter(|path| has_layout(&text(path))).collect()
}

fn has_layout(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim_start().strip_prefix("layout").is_some_and(|rest| rest.trim_start().starts_with('{')))
}

/// The program of a layout without a command line.
fn guess(layout: &Path, unsaved: &Unsaved, links: &dyn Fn(&Path, &str) -> Vec<String>) -> Program {
    let text = match unsaved.get(layout) {
        Some(text) => text.to_string(),
        None => std::fs::read_to_string(layout).unwrap_or_default(),
    };
    let found = if has_layout(&text) { Found::Guessed } else { Found::Alone };
    let mut program = Program { found, ..alone(layout) };
    program.options.memcpy =
        files_of(&program, unsaved, links).iter().any(|path| path.to_string_lossy().starts_with("<memcpy"));
    program
}

/// The program of a file that is analysed on its own.
pub fn alone(path: &Path) -> Program {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let root = path.file_name().unwrap_or_default();
    Program { options: Options { folder, memcpy: true, check_all: true, ..Options::new(root) }, found: Found::Alone }
}
