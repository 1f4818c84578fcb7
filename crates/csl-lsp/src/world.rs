//! All that requests are answered from: the open documents, the files around them, and the programs as last analysed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csl_host::Unsaved;
use csl_sema::Fact;
use lsp_types::Uri;

use crate::file::File;
use crate::library::Library;
use crate::programs::{self, Finder, Program};
use crate::snapshot::Snapshot;
use crate::text::Text;
use crate::{Parse, uri};

/// A document that the editor holds.
#[derive(Clone, Debug)]
pub struct Document {
    pub uri: Uri,
    pub version: i32,
    pub text: Text,
}

/// The state of the server. Files are named by keys: an absolute path, or `<name>` for one of the library.
pub struct World {
    pub roots: Vec<PathBuf>,
    pub documents: BTreeMap<PathBuf, Document>,
    pub library: Library,
    pub snapshots: Vec<Arc<Snapshot>>,
    finder: RefCell<Finder>,
    files: RefCell<BTreeMap<PathBuf, Arc<File>>>,
}

impl World {
    pub fn new(parse: Parse) -> World {
        World {
            roots: Vec::new(),
            documents: BTreeMap::new(),
            library: Library::default(),
            snapshots: Vec::new(),
            finder: RefCell::new(Finder::new(parse)),
            files: RefCell::default(),
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
        let file = Arc::new(File::new(make()));
        self.files.borrow_mut().insert(key.to_owned(), file.clone());
        file
    }

    /// The names of files that stand in a file: what it links, and every text that could be such a name, since the statement
    /// around it may not parse.
    fn links(&self, key: &Path, text: &str) -> Vec<String> {
        let file = self.parsed(key, text, || Text::new(text));
        let strings = crate::scan::lexemes(text).into_iter().filter_map(|lexeme| match lexeme.token {
            csl_syntax::Token::Str(string) => Some(string.trim_matches('"').to_owned()),
            _ => None,
        });
        let named = strings.filter(|name| name.ends_with(".csl") || name.starts_with('<') && name.ends_with('>'));
        named.chain(file.links.iter().map(|link| link.name.clone())).collect()
    }

    /// The files of a program.
    pub fn files_of(&self, program: &Program) -> BTreeSet<PathBuf> {
        programs::files_of(program, &self.unsaved(), &|key, text| self.links(key, text))
    }

    /// The programs of a file.
    pub fn programs_of(&self, key: &Path) -> Vec<Program> {
        let links = |key: &Path, text: &str| self.links(key, text);
        self.finder.borrow_mut().programs_of(key, &self.roots, &self.unsaved(), &links)
    }

    /// The open documents that are CSL and not of the library.
    pub fn own_files(&self) -> Vec<PathBuf> {
        let is_own = |(key, document): &(&PathBuf, &Document)| {
            let is_library = crate::library::name(key).is_some();
            has_ending(key, "csl") && !is_library && !csl_fmt::is_citation_style(document.text.text())
        };
        self.documents.iter().filter(is_own).map(|(key, _)| key.clone()).collect()
    }

    /// The programs of which the open documents are parts.
    pub fn programs(&self) -> Vec<Arc<Program>> {
        let mut programs: Vec<Arc<Program>> = Vec::new();
        let mut add = |found: Vec<Program>| {
            for program in found {
                if !programs.iter().any(|known| **known == program) {
                    programs.push(Arc::new(program));
                }
            }
        };
        for key in self.own_files().iter().chain(self.documents.keys().filter(|key| has_ending(key, "py"))) {
            if has_ending(key, "csl") {
                add(self.programs_of(key));
            } else {
                let folder = key.parent().unwrap_or(Path::new("")).to_owned();
                add(self.finder.borrow_mut().programs_in(&folder));
            }
        }
        programs
    }

    /// The programs with a file as they were last analysed, the one of most interest first.
    pub fn snapshots_of<'w>(&'w self, key: &'w Path) -> impl Iterator<Item = &'w Arc<Snapshot>> {
        self.snapshots.iter().filter(move |snapshot| snapshot.file(key).is_some())
    }

    /// What is known of the name in these bytes of a file, by the latest analysis of a program that has it.
    pub fn fact(&self, key: &Path, lo: usize, hi: usize) -> Option<(&Arc<Snapshot>, &Fact)> {
        let now = self.file(key)?;
        self.snapshots.iter().find_map(|snapshot| {
            let id = snapshot.file(key)?;
            let earlier = snapshot.sources().text(id);
            let (lo, hi) = (now.text.place_in(earlier, lo)?, now.text.place_in(earlier, hi.max(lo + 1) - 1)? + 1);
            Some((snapshot, snapshot.fact(id, lo, hi)?))
        })
    }
}

fn has_ending(key: &Path, ending: &str) -> bool {
    key.extension().is_some_and(|extension| extension == ending)
}
