//! The line table: the source place of each instruction.

use csl_diag::{FileId, SourceMap};
use csl_image::{Inlined, Line, SourceFile};
use csl_ir::Site;
use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// The files of an image, numbered as they are met.
#[derive(Debug)]
pub struct Lines<'a> {
    sources: &'a SourceMap,
    files: IndexSet<FileId, FxBuildHasher>,
    /// Places that were asked for, by file and byte: its number, line and column. Programs share most of their places.
    known: FxHashMap<(FileId, u32), (u32, u32, u32)>,
}

impl<'a> Lines<'a> {
    pub fn new(sources: &'a SourceMap) -> Lines<'a> {
        Lines { sources, files: IndexSet::default(), known: FxHashMap::default() }
    }

    /// The table, from places in the order of their instructions; equal neighbours are joined. Sites count inlined
    /// calls within the program.
    pub fn table(&mut self, places: &[(u32, Site)]) -> Vec<Line> {
        let mut table: Vec<Line> = Vec::new();
        for &(pc, site) in places {
            let line = self.line(pc, site);
            if !table.last().is_some_and(|last| Line { pc, ..*last } == line) {
                table.push(line);
            }
        }
        table
    }

    /// The table of the inlined calls that sites name.
    pub fn inlined(&mut self, calls: &[csl_ir::Inlined]) -> Vec<Inlined> {
        calls.iter().map(|call| Inlined { func: call.func.clone(), at: self.line(0, call.call) }).collect()
    }

    fn line(&mut self, pc: u32, site: Site) -> Line {
        let Site { span, inlined } = site;
        let (file, line, column) = *self.known.entry((span.file, span.lo)).or_insert_with(|| {
            let (line, column) = self.sources.line_col(span.file, span.lo);
            (self.files.insert_full(span.file).0 as u32, line, column)
        });
        Line { pc, file, line, column, call: inlined.map(|call| call.number()) }
    }

    /// The files, by their number in the image.
    pub fn files(&self) -> Vec<SourceFile> {
        let file = |&file: &FileId| SourceFile {
            name: self.sources.name(file).to_string(),
            hash: csl_image::hash(self.sources.text(file).as_bytes()),
        };
        self.files.iter().map(file).collect()
    }
}
