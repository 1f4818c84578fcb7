//! The line table: where in the source an instruction comes from.

use csl_diag::{FileId, SourceMap, Span};
use csl_image::Line;
use indexmap::IndexSet;

/// Files are numbered in the image as they are met.
#[derive(Debug)]
pub struct Lines<'a> {
    sources: &'a SourceMap,
    files: IndexSet<FileId>,
}

impl<'a> Lines<'a> {
    pub fn new(sources: &'a SourceMap) -> Lines<'a> {
        Lines { sources, files: IndexSet::new() }
    }

    /// From places in order of their instruction; equal neighbours are joined.
    pub fn table(&mut self, places: &[(u32, Span)]) -> Vec<Line> {
        let mut table: Vec<Line> = Vec::new();
        for &(pc, span) in places {
            let (line, column) = self.sources.line_col(span.file, span.lo);
            let file = self.files.insert_full(span.file).0 as u32;
            let same = |last: &Line| (last.file, last.line, last.column) == (file, line, column);
            if !table.last().is_some_and(same) {
                table.push(Line { pc, file, line, column });
            }
        }
        table
    }

    /// Names of the files, by their number in the image.
    pub fn files(&self) -> Vec<String> {
        self.files.iter().map(|&file| self.sources.name(file).to_string()).collect()
    }
}
