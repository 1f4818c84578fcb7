//! The programs that files belong to.
//!
//! The lines of `cslc` in `commands*.sh` and `waferlab.toml` name programs, each with its layout and options. Where none of them
//! has a file, a layout near the file that names it is taken; a file that no layout names is analysed on its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use csl_host::project::{CslcLine, Level, Project, Script, scripts_in};
use csl_host::{Code, FileSources, Options, Unsaved, has_layout, is_library, tidy};
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

/// A program: its options, the levels of warnings, and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub options: Options,
    /// `[lint]` of `waferlab.toml`.
    pub levels: Vec<(Code, Level)>,
    pub found: Found,
    /// Whether no other command line has its layout and chip with other options.
    pub is_only: bool,
}

/// The programs of a file.
pub struct Programs {
    /// The first of them is the one that hover and the like speak of.
    pub list: Vec<Program>,
    /// Whether they are all that use the file.
    pub is_whole: bool,
}

impl Program {
    /// The path of its layout, or of the one file.
    pub fn root(&self) -> PathBuf {
        tidy(&self.options.locate(&self.options.root))
    }

    /// The key of a file that an analysis names so: its path, or `<name>` of the library.
    pub fn key(&self, name: &str) -> PathBuf {
        if is_library(name) { PathBuf::from(name) } else { tidy(&self.options.locate(Path::new(name))) }
    }
}

/// The files of which a program is made, by the links between them.
pub fn files_of(program: &Program, unsaved: &Unsaved, links: Links<'_>) -> BTreeSet<PathBuf> {
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

/// Keeps the options of command lines that were parsed.
pub struct Lines {
    parse: Parse,
    known: BTreeMap<(PathBuf, Vec<String>), Option<Options>>,
}

/// The links of a file with a text.
type Links<'a> = &'a dyn Fn(&Path, &str) -> Vec<String>;

/// A search for programs, which looks into no folder and no program twice.
pub struct Search<'a> {
    lines: &'a mut Lines,
    /// The folders of the workspace.
    roots: &'a [PathBuf],
    unsaved: Unsaved,
    links: Links<'a>,
    folders: BTreeMap<PathBuf, Rc<[Program]>>,
    files: Vec<(Program, Rc<BTreeSet<PathBuf>>)>,
    guesses: BTreeMap<PathBuf, Rc<(Program, BTreeSet<PathBuf>)>>,
}

impl<'a> Search<'a> {
    pub fn new(lines: &'a mut Lines, roots: &'a [PathBuf], unsaved: Unsaved, links: Links<'a>) -> Search<'a> {
        Search { lines, roots, unsaved, links, folders: BTreeMap::new(), files: Vec::new(), guesses: BTreeMap::new() }
    }

    /// The programs of a file.
    pub fn programs_of(&mut self, path: &Path) -> Programs {
        let folders = folders_above(path, self.roots);
        for folder in &folders {
            let programs = self.programs_in(folder);
            let mut list: Vec<Program> =
                programs.iter().filter(|program| self.files_of(program).contains(path)).cloned().collect();
            if !list.is_empty() {
                let is_whole = list.len() <= MOST_PROGRAMS && list.iter().all(|program| program.is_only);
                list.truncate(MOST_PROGRAMS);
                return Programs { list, is_whole };
            }
        }
        let near = folders.iter().take(2).flat_map(|folder| layouts_in(folder, &self.unsaved));
        let layouts: Vec<PathBuf> = std::iter::once(path.to_owned()).chain(near).collect();
        let mut guessed = layouts.iter().map(|layout| self.guess(layout));
        let guess = guessed.find(|guess| guess.0.found == Found::Guessed && guess.1.contains(path));
        Programs { list: vec![guess.map_or_else(|| alone(path), |guess| guess.0.clone())], is_whole: false }
    }

    fn files_of(&mut self, program: &Program) -> Rc<BTreeSet<PathBuf>> {
        if let Some((_, files)) = self.files.iter().find(|(known, _)| known == program) {
            return files.clone();
        }
        let files = Rc::new(files_of(program, &self.unsaved, self.links));
        self.files.push((program.clone(), files.clone()));
        files
    }

    /// The programs that the scripts and the `waferlab.toml` of a folder name; those of one layout and chip once.
    pub fn programs_in(&mut self, folder: &Path) -> Rc<[Program]> {
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let programs: Rc<[Program]> = self.lines.programs_in(folder).into();
        self.folders.insert(folder.to_owned(), programs.clone());
        programs
    }

    /// The program of a layout without a command line, and its files.
    fn guess(&mut self, layout: &Path) -> Rc<(Program, BTreeSet<PathBuf>)> {
        if let Some(known) = self.guesses.get(layout) {
            return known.clone();
        }
        let text = match self.unsaved.get(layout) {
            Some(text) => text.to_string(),
            None => std::fs::read_to_string(layout).unwrap_or_default(),
        };
        let found = if has_layout(&text) { Found::Guessed } else { Found::Alone };
        let mut program = Program { found, ..alone(layout) };
        let files = files_of(&program, &self.unsaved, self.links);
        program.options.memcpy = files.iter().any(|path| path.to_string_lossy().starts_with("<memcpy"));
        let guess = Rc::new((program, files));
        self.guesses.insert(layout.to_owned(), guess.clone());
        guess
    }
}

impl Lines {
    pub fn new(parse: Parse) -> Lines {
        Lines { parse, known: BTreeMap::new() }
    }

    fn programs_in(&mut self, folder: &Path) -> Vec<Program> {
        let mut lines: Vec<CslcLine> = Vec::new();
        let mut scripts = scripts_in(folder);
        let project = Project::find(folder).ok().flatten();
        if let Some(project) = project.as_ref().filter(|project| project.folder == folder) {
            lines.extend(project.programs.iter().cloned());
            scripts.extend(project.commands.iter().cloned());
        }
        for script in scripts {
            lines.extend(Script::read(&script).map(|script| script.lines).unwrap_or_default());
        }
        let levels = project.map(|project| project.levels).unwrap_or_default();
        let mut programs: Vec<Program> = Vec::new();
        for line in lines {
            let Some(options) = self.options(&line) else { continue };
            let program = Program { options, levels: levels.clone(), found: Found::Given, is_only: true };
            let is_known =
                |known: &&mut Program| known.root() == program.root() && known.options.arch == program.options.arch;
            match programs.iter_mut().find(is_known) {
                None => programs.push(program),
                Some(known) => {
                    let output = known.options.output.clone();
                    known.is_only &= known.options == Options { output, ..program.options };
                }
            }
        }
        programs
    }

    fn options(&mut self, line: &CslcLine) -> Option<Options> {
        let parse = self.parse;
        let parsed = self.known.entry((line.folder.clone(), line.words.clone())).or_insert_with(|| {
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

/// The program of a file that is analysed on its own.
pub fn alone(path: &Path) -> Program {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let levels = Project::find(&folder).ok().flatten().map(|project| project.levels).unwrap_or_default();
    let root = path.file_name().unwrap_or_default();
    let options = Options { folder, memcpy: true, check_all: true, ..Options::new(root) };
    Program { options, levels, found: Found::Alone, is_only: false }
}
