//! All that requests are answered from: the open documents, the files around them, and the programs as last analysed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csl_diag::{FileId, Span};
use csl_host::{Trees, Unsaved};
use csl_sema::{Fact, Part, Resolved};
use lsp_types::Uri;

use crate::file::File;
use crate::library::Library;
use crate::programs::{self, Lines, Program, Search};
use crate::snapshot::Snapshot;
use crate::text::{Alike, Text};
use crate::{Parse, uri};

/// A document that the editor holds.
#[derive(Clone, Debug)]
pub struct Document {
    pub uri: Uri,
    pub version: i32,
    pub text: Text,
}

/// Programs to analyse.
pub struct Work {
    pub programs: Vec<Arc<Program>>,
    /// Files that are analysed on their own where no program is analysed as far as to them.
    pub files: Vec<PathBuf>,
    /// The files of which these are all programs.
    pub whole: BTreeSet<PathBuf>,
}

/// The state of the server. Files are named by keys: an absolute path, or `<name>` for one of the library.
pub struct World {
    pub roots: Vec<PathBuf>,
    pub documents: BTreeMap<PathBuf, Document>,
    pub library: Library,
    pub snapshots: Vec<Arc<Snapshot>>,
    /// The files of which all programs are among the snapshots.
    pub whole: BTreeSet<PathBuf>,
    /// Trees that the analyses have, too.
    trees: Trees,
    lines: RefCell<Lines>,
    files: RefCell<BTreeMap<PathBuf, Arc<File>>>,
    /// The files that names in files lead to, as long as no text and no analysis is new.
    led: RefCell<HashMap<(PathBuf, String), Option<PathBuf>>>,
    /// What the text of a file has in common with that of an analysis.
    alike: RefCell<HashMap<PathBuf, (Arc<str>, Arc<str>, Alike)>>,
}

impl World {
    pub fn new(parse: Parse, trees: Trees) -> World {
        World {
            trees,
            roots: Vec::new(),
            documents: BTreeMap::new(),
            library: Library::default(),
            snapshots: Vec::new(),
            whole: BTreeSet::new(),
            lines: RefCell::new(Lines::new(parse)),
            files: RefCell::default(),
            led: RefCell::default(),
            alike: RefCell::default(),
        }
    }

    /// The key of a document of the editor.
    pub fn key(&self, of: &Uri) -> Option<PathBuf> {
        let path = uri::path(of)?;
        Some(self.library.key(&path).unwrap_or(path))
    }

    /// The URI of a file, as the editor knows it. A file of the library is written to a folder first.
    pub fn uri(&self, key: &Path) -> Option<Uri> {
        match self.documents.get(key) {
            Some(document) => Some(document.uri.clone()),
            None => uri::of(&self.library.path(key)?),
        }
    }

    /// The texts of the editor that stand in place of files.
    pub fn unsaved(&self) -> Unsaved {
        Arc::new(self.documents.iter().map(|(key, document)| (key.clone(), document.text.text().clone())).collect())
    }

    /// A file, as the editor holds it or as it is saved.
    pub fn file(&self, key: &Path) -> Option<Arc<File>> {
        if let Some(document) = self.documents.get(key) {
            return Some(self.parsed(key, document.text.text(), || document.text.clone()));
        }
        let text: Arc<str> = match crate::library::text(key) {
            Some(text) => text.into(),
            None => std::fs::read_to_string(key).ok()?.into(),
        };
        Some(self.parsed(key, &text, || Text::new(text.clone())))
    }

    fn parsed(&self, key: &Path, text: &str, make: impl FnOnce() -> Text) -> Arc<File> {
        if let Some(known) = self.files.borrow().get(key)
            && **known.text.text() == *text
        {
            return known.clone();
        }
        let text = make();
        // The analysis to come finds the tree, if the file has the same number there as in the last one.
        let earlier = self.snapshots.iter().find_map(|snapshot| Some((snapshot, snapshot.file(key)?)));
        let path = earlier.map_or_else(|| key.display().to_string(), |(last, id)| last.sources().name(id).to_owned());
        let id = earlier.map_or(FileId(0), |(_, id)| id);
        let is_library = crate::library::name(key).is_some();
        let source = self.trees.parse(id, &Resolved { path, text: text.text().clone(), is_library });
        let file = Arc::new(File::new(text, source));
        self.files.borrow_mut().insert(key.to_owned(), file.clone());
        file
    }

    /// The names of files that stand in a file.
    fn links(&self, key: &Path, text: &str) -> Vec<String> {
        self.parsed(key, text, || Text::new(text)).named().to_vec()
    }

    /// The files of a program.
    pub fn files_of(&self, program: &Program) -> BTreeSet<PathBuf> {
        programs::files_of(program, &self.unsaved(), &|key, text| self.links(key, text))
    }

    fn search<T>(&self, with: impl FnOnce(&mut Search<'_>) -> T) -> T {
        let links = |key: &Path, text: &str| self.links(key, text);
        with(&mut Search::new(&mut self.lines.borrow_mut(), &self.roots, self.unsaved(), &links))
    }

    /// The programs of a file.
    pub fn programs_of(&self, key: &Path) -> Vec<Program> {
        self.search(|search| search.programs_of(key).list)
    }

    /// The open documents that are CSL and not of the library.
    pub fn own_files(&self) -> Vec<PathBuf> {
        let is_own = |(key, document): &(&PathBuf, &Document)| {
            let is_library = crate::library::name(key).is_some();
            has_ending(key, "csl") && !is_library && !csl_fmt::is_citation_style(document.text.text())
        };
        self.documents.iter().filter(is_own).map(|(key, _)| key.clone()).collect()
    }

    /// What is to be analysed: the programs of which the open documents are parts.
    pub fn work(&self) -> Work {
        let own = self.own_files();
        let hosts: Vec<&PathBuf> = self.documents.keys().filter(|key| has_ending(key, "py")).collect();
        self.search(|search| {
            let mut whole = BTreeSet::new();
            let mut found: Vec<Program> = Vec::new();
            for key in &own {
                let programs = search.programs_of(key);
                found.extend(programs.list);
                whole.extend(programs.is_whole.then(|| key.clone()));
            }
            for key in hosts {
                found.extend(search.programs_in(key.parent().unwrap_or(Path::new(""))).iter().cloned());
            }
            let mut programs: Vec<Arc<Program>> = Vec::new();
            for program in found {
                if !programs.iter().any(|known| **known == program) {
                    programs.push(Arc::new(program));
                }
            }
            Work { programs, files: own, whole }
        })
    }

    /// The programs with a file as they were last analysed, the one of most interest first.
    pub fn snapshots_of<'w>(&'w self, key: &'w Path) -> impl Iterator<Item = &'w Arc<Snapshot>> {
        self.snapshots.iter().filter(move |snapshot| snapshot.file(key).is_some())
    }

    /// Forgets what follows from the texts and the snapshots.
    pub fn changed(&self) {
        self.led.borrow_mut().clear();
    }

    /// The file that a name in a file leads to; `find` finds it.
    pub fn led(&self, key: &Path, name: &str, find: impl FnOnce() -> Option<PathBuf>) -> Option<PathBuf> {
        let link = (key.to_owned(), name.to_owned());
        if let Some(known) = self.led.borrow().get(&link) {
            return known.clone();
        }
        let found = find();
        self.led.borrow_mut().insert(link, found.clone());
        found
    }

    /// What the text of a file has in common with that of an analysis.
    fn alike(&self, key: &Path, now: &File, earlier: &Arc<str>) -> Alike {
        let text = now.text.text();
        if let Some((new, old, alike)) = self.alike.borrow().get(key)
            && Arc::ptr_eq(new, text)
            && Arc::ptr_eq(old, earlier)
        {
            return *alike;
        }
        let alike = now.text.alike(earlier);
        self.alike.borrow_mut().insert(key.to_owned(), (text.clone(), earlier.clone(), alike));
        alike
    }

    /// The bytes of a file in each analysis that has them.
    fn spans_of(&self, key: &Path, lo: usize, hi: usize) -> impl Iterator<Item = (&Arc<Snapshot>, Span)> {
        let now = self.file(key);
        self.snapshots.iter().filter_map(move |snapshot| {
            let id = snapshot.file(key)?;
            let alike = self.alike(key, now.as_ref()?, snapshot.sources().text(id));
            let (lo, hi) = (alike.earlier(lo)?, alike.earlier(hi.max(lo + 1) - 1)? + 1);
            Some((snapshot, Span::new(id, lo, hi)))
        })
    }

    /// What is known of the name in these bytes of a file, by the latest analysis of a program that has it.
    pub fn fact(&self, key: &Path, lo: usize, hi: usize) -> Option<(&Arc<Snapshot>, &Fact)> {
        self.spans_of(key, lo, hi).find_map(|(snapshot, span)| Some((snapshot, snapshot.observation.fact(span)?)))
    }

    /// The fields and members that stand in these bytes of a file, by all analyses.
    pub fn parts(&self, key: &Path, lo: usize, hi: usize) -> impl Iterator<Item = (&Arc<Snapshot>, Part)> {
        self.spans_of(key, lo, hi)
            .flat_map(|(snapshot, span)| snapshot.observation.parts(span).iter().map(move |part| (snapshot, *part)))
    }

    /// The bytes of a span of an analysis in the file as it is now.
    pub fn place_now(&self, snapshot: &Snapshot, span: Span) -> Option<(PathBuf, usize, usize)> {
        let key = snapshot.key(span.file);
        let now = self.file(key)?;
        let alike = self.alike(key, &now, snapshot.sources().text(span.file));
        let end = alike.later((span.hi.max(span.lo + 1) - 1) as usize)? + 1;
        Some((key.clone(), alike.later(span.lo as usize)?, end))
    }
}

fn has_ending(key: &Path, ending: &str) -> bool {
    key.extension().is_some_and(|extension| extension == ending)
}
