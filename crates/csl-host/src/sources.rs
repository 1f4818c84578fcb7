//! Finds the files of `@import_module` and `@set_tile_code`.
//!
//! `<name>` is looked for in the folders of `--import-path`, then in those of `CSL_IMPORT_PATH`, then in the embedded
//! standard library. Any other name is a path: absolute, or relative to the file that names it, and failing that,
//! to the folder of the compilation (as the solvers of SDK 1.2 count on) and to the same folders.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use csl_diag::FileId;
use csl_image::SourceFile;
use csl_sema::{Resolved, Sources};

use crate::environment;
use crate::options::Options;

/// The `name` of `<name>`, a file of the library.
pub fn library_name(path: &str) -> Option<&str> {
    path.strip_prefix('<')?.strip_suffix('>')
}

/// Whether a text has a layout block, as far as can be told without parsing it.
pub fn has_layout(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim_start().strip_prefix("layout").is_some_and(|rest| rest.trim_start().starts_with('{')))
}

/// Files on disk and the embedded library.
pub struct FileSources {
    folder: PathBuf,
    import_paths: Vec<PathBuf>,
    unsaved: Unsaved,
    trees: Option<Trees>,
}

/// The trees of files, by number and path, each with its text: those of files that have not changed serve the next analysis.
#[derive(Clone, Debug, Default)]
pub struct Trees(Arc<Mutex<HashMap<(FileId, String), Tree>>>);

type Tree = (Arc<str>, Arc<csl_sema::SourceFile>);

/// The number of trees that are kept.
const MOST_TREES: usize = 1024;

/// Texts that stand in place of files, as an editor holds them before they are saved, by their absolute paths.
pub type Unsaved = Arc<BTreeMap<PathBuf, Arc<str>>>;

impl FileSources {
    /// The folder and the import paths of a compilation, and those of `CSL_IMPORT_PATH`.
    pub fn new(options: &Options) -> FileSources {
        let mut import_paths = options.import_paths.clone();
        // Where there is no environment, on wasm32 without a system, Rust cannot split paths either.
        if let Some(folders) = environment::IMPORT_PATH.value() {
            import_paths.extend(std::env::split_paths(&folders).filter(|path| !path.as_os_str().is_empty()));
        }
        FileSources { folder: options.folder.clone(), import_paths, unsaved: Unsaved::default(), trees: None }
    }

    /// The same with texts that are not saved.
    pub fn with(options: &Options, unsaved: Unsaved) -> FileSources {
        FileSources { unsaved, ..FileSources::new(options) }
    }

    /// The same with trees of earlier analyses.
    pub(crate) fn keeping(self, trees: Trees) -> FileSources {
        FileSources { trees: Some(trees), ..self }
    }

    fn unsaved(&self, path: &Path) -> Option<&Arc<str>> {
        if self.unsaved.is_empty() { None } else { self.unsaved.get(&tidy(&self.folder.join(path))) }
    }

    fn library(&self, name: &str) -> Result<Resolved, String> {
        for candidate in self.import_paths.iter().map(|folder| folder.join(name)) {
            if let Some(found) = self.read_existing(&candidate)? {
                return Ok(found);
            }
        }
        // A library file may import another file of its folder by a plain name.
        match csl_std::lookup(name) {
            Some(text) => Ok(embedded(name, text)),
            None => Err(self.no_library(name)),
        }
    }

    fn no_library(&self, name: &str) -> String {
        let close = csl_sema::closest(name, csl_std::names());
        match self.import_paths.len() {
            0 if let [close] = close[..] => format!("there is no library <{name}>; did you mean <{close}>?"),
            0 => format!("there is no library <{name}>; folders of your own can be named with --import-path"),
            _ => format!("there is no library <{name}>, nor a file of that name in {}", list(&self.import_paths)),
        }
    }

    fn file(&self, name: &str, importer: Option<&str>) -> Result<Resolved, String> {
        let beside = importer.and_then(|path| Path::new(path).parent()).unwrap_or(Path::new(""));
        let candidates = [beside, Path::new("")].into_iter().chain(self.import_paths.iter().map(PathBuf::as_path));
        for candidate in candidates.map(|folder| tidy(&folder.join(name))) {
            if let Some(found) = self.read_existing(&candidate)? {
                return Ok(found);
            }
        }
        let path = Some(tidy(&beside.join(name))).filter(|path| !path.as_os_str().is_empty());
        let path = path.unwrap_or_else(|| PathBuf::from("."));
        if self.folder.join(&path).is_dir() {
            return Err(format!("{} is a folder; {}", path.display(), self.programs_in(&path)));
        }
        let library = match csl_std::lookup(name) {
            Some(_) => format!("; the library is <{name}>, in angle brackets"),
            None => String::new(),
        };
        Err(format!("there is no file {}{library}", path.display()))
    }

    /// A list of the files in a folder that could have been meant.
    fn programs_in(&self, folder: &Path) -> String {
        let entries = std::fs::read_dir(self.folder.join(folder)).into_iter().flatten().flatten();
        let named = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "csl");
        let mut files: Vec<PathBuf> = entries.map(|entry| folder.join(entry.file_name())).filter(named).collect();
        files.sort();
        match files.iter().find(|path| path.file_stem().is_some_and(|name| name.to_string_lossy().contains("layout"))) {
            Some(layout) => format!("did you mean {}?", layout.display()),
            None if files.is_empty() => "it holds no .csl file".to_owned(),
            None => format!("name a file of it: {}", list(&files)),
        }
    }

    /// Help on which file to compile in place of one without a layout block: those of its folder that have one.
    pub(crate) fn layouts_beside(&self, root: &Path) -> Option<String> {
        let folder = root.parent().unwrap_or(Path::new(""));
        let entries = std::fs::read_dir(self.folder.join(folder).join(".")).ok()?.flatten();
        let is_layout = |name: &PathBuf| {
            name.extension().is_some_and(|kind| kind == "csl")
                && std::fs::read_to_string(self.folder.join(name)).is_ok_and(|text| has_layout(&text))
        };
        let mut layouts: Vec<PathBuf> = entries.map(|entry| folder.join(entry.file_name())).filter(is_layout).collect();
        layouts.sort();
        let is_it = "is the program of a PE; compile the file with the layout that names it in `@set_tile_code`";
        match &layouts[..] {
            [] => None,
            [layout] => Some(format!("{} {is_it}: cslc {}", root.display(), layout.display())),
            _ => Some(format!("{} {is_it}, one of {}", root.display(), list(&layouts))),
        }
    }

    /// The file, also with `.csl` appended; `None` when there is none, an error when it cannot be read.
    fn read_existing(&self, path: &Path) -> Result<Option<Resolved>, String> {
        let mut with_suffix = path.as_os_str().to_owned();
        with_suffix.push(".csl");
        let names = [path.to_owned(), PathBuf::from(with_suffix)];
        match names.iter().find(|name| self.unsaved(name).is_some() || self.folder.join(name).is_file()) {
            None => Ok(None),
            Some(name) => self.read(name).map(Some),
        }
    }

    fn read(&self, path: &Path) -> Result<Resolved, String> {
        if let Some(text) = self.unsaved(path) {
            return Ok(Resolved { path: path.to_string_lossy().into_owned(), text: text.clone(), is_library: false });
        }
        let shown = path.display();
        let bytes = std::fs::read(self.folder.join(path)).map_err(|error| format!("cannot read {shown}: {error}"))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
            let byte = error.as_bytes()[good.len()];
            format!("{shown} is not UTF-8 text: line {line} has the byte 0x{byte:02x}")
        })?;
        Ok(Resolved { path: path.to_string_lossy().into_owned(), text: Arc::from(text), is_library: false })
    }
}

impl Sources for FileSources {
    fn resolve(&mut self, name: &str, importer: Option<&str>) -> Result<Resolved, String> {
        if let Some(library) = library_name(name) {
            return self.library(library);
        }
        match importer.and_then(library_name) {
            Some(library) => self.library(&neighbour(library, name)),
            None => self.file(name, importer),
        }
    }

    fn parse(&mut self, id: FileId, file: &Resolved) -> Arc<csl_sema::SourceFile> {
        match &self.trees {
            Some(trees) => trees.parse(id, file),
            None => Arc::new(csl_sema::SourceFile::parse(id, file)),
        }
    }
}

impl Trees {
    /// The tree of a file with this number.
    pub fn parse(&self, id: FileId, file: &Resolved) -> Arc<csl_sema::SourceFile> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (id, file.path.clone());
        if let Some((text, tree)) = known().get(&key)
            && **text == *file.text
        {
            return tree.clone();
        }
        let tree = Arc::new(csl_sema::SourceFile::parse(id, file));
        let mut all = known();
        if all.len() >= MOST_TREES {
            all.clear();
        }
        all.insert(key, (file.text.clone(), tree.clone()));
        tree
    }
}

/// Texts in memory and the embedded library. A name is looked for beside the file that names it, and failing that at
/// the top.
pub struct TextSources(BTreeMap<PathBuf, Arc<str>>);

impl TextSources {
    /// Sources of texts by their paths.
    pub fn new<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> TextSources {
        TextSources(texts.into_iter().map(|(path, text)| (tidy(Path::new(path)), Arc::from(text))).collect())
    }

    fn find(&self, path: &Path) -> Option<Resolved> {
        let mut with_suffix = path.as_os_str().to_owned();
        with_suffix.push(".csl");
        let (path, text) = self.0.get_key_value(path).or_else(|| self.0.get_key_value(Path::new(&with_suffix)))?;
        Some(Resolved { path: path.to_string_lossy().into_owned(), text: text.clone(), is_library: false })
    }
}

impl Sources for TextSources {
    fn resolve(&mut self, name: &str, importer: Option<&str>) -> Result<Resolved, String> {
        let of_importer = || importer.and_then(library_name).map(|library| neighbour(library, name));
        let library = library_name(name).map(str::to_owned).or_else(of_importer);
        if let Some(library) = library {
            let text = csl_std::lookup(&library).ok_or_else(|| format!("there is no library <{library}>"))?;
            return Ok(embedded(&library, text));
        }
        let beside = importer.and_then(|path| Path::new(path).parent()).unwrap_or(Path::new(""));
        let mut candidates = [beside, Path::new("")].into_iter().map(|folder| tidy(&folder.join(name)));
        candidates.find_map(|path| self.find(&path)).ok_or_else(|| {
            let known = self.0.keys().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
            format!("there is no file {name}; there are {known}")
        })
    }
}

/// A file of a compilation, read again to show lines of it.
pub(crate) enum Reread {
    Text(String),
    /// Its text is another than that which was compiled.
    Changed,
    Gone,
}

pub(crate) fn reread(folder: &Path, file: &SourceFile) -> Reread {
    let name = &file.name;
    let text = match library_name(name) {
        Some(library) => csl_std::lookup(library).map(str::to_owned),
        None => std::fs::read_to_string(folder.join(name)).ok(),
    };
    match text {
        Some(text) if csl_image::hash(text.as_bytes()) == file.hash => Reread::Text(text),
        Some(_) => Reread::Changed,
        None => Reread::Gone,
    }
}

fn embedded(name: &str, text: &str) -> Resolved {
    Resolved { path: format!("<{name}>"), text: Arc::from(text), is_library: true }
}

/// The library file `name` beside the library file `importer`.
fn neighbour(importer: &str, name: &str) -> String {
    let name = name.strip_suffix(".csl").unwrap_or(name);
    match importer.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{name}"),
        None => name.to_owned(),
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The path without `.` and without `folder/..`, so that one file has one name.
pub fn tidy(path: &Path) -> PathBuf {
    let mut parts: Vec<Component> = Vec::new();
    for part in path.components() {
        match (part, parts.last()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_name() {
        assert_eq!(tidy(Path::new("./src/../pe.csl")), PathBuf::from("pe.csl"));
        assert_eq!(tidy(Path::new("../pe.csl")), PathBuf::from("../pe.csl"));
        assert_eq!(tidy(Path::new("/a/./b")), PathBuf::from("/a/b"));
    }

    #[test]
    fn a_layout_block_is_seen_with_and_without_a_space() {
        assert!(has_layout("param n: u16;\n\nlayout {\n") && has_layout("  layout{}\n"));
        assert!(!has_layout("// layout {\n") && !has_layout("const layout_width = 1;\n"));
    }

    #[test]
    fn a_library_finds_its_neighbours() {
        assert_eq!(neighbour("memcpy/memcpy", "helper.csl"), "memcpy/helper");
        assert_eq!(neighbour("math", "sqrt"), "sqrt");
    }
}
