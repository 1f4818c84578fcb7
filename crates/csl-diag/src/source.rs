//! Source files and positions in them.

use std::ops::Range;
use std::sync::Arc;

/// The number of a file in a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A range of bytes `lo..hi` in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    pub file: FileId,
    pub lo: u32,
    pub hi: u32,
}

impl Span {
    pub fn new(file: FileId, lo: usize, hi: usize) -> Span {
        Span { file, lo: lo as u32, hi: hi as u32 }
    }

    /// Its bytes within the file.
    pub fn range(self) -> Range<usize> {
        self.lo as usize..self.hi as usize
    }

    /// The smallest span that holds both spans; `other` is ignored when it is of another file.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }
}

#[derive(Debug)]
struct Source {
    name: String,
    text: Arc<str>,
    /// Byte offset of the start of each line.
    lines: Vec<usize>,
}

/// The texts that a compilation has read, by [`FileId`].
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<Arc<Source>>,
}

impl SourceMap {
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Adds a file under the name that diagnostics show for it.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let text = text.into();
        let lines = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(at, _)| at + 1))
            .collect();
        self.files.push(Arc::new(Source { name: name.into(), text, lines }));
        FileId(self.files.len() as u32 - 1)
    }

    /// The names of all files, in the order in which they were read.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|source| source.name.as_str())
    }

    fn source(&self, file: FileId) -> &Source {
        &self.files[file.0 as usize]
    }

    pub fn name(&self, file: FileId) -> &str {
        &self.source(file).name
    }

    pub fn text(&self, file: FileId) -> &Arc<str> {
        &self.source(file).text
    }

    /// The text that `span` covers.
    pub fn snippet(&self, span: Span) -> &str {
        &self.text(span.file)[span.range()]
    }

    /// Line and column of a byte offset, both counted from 1; the column counts characters.
    pub fn line_col(&self, file: FileId, offset: u32) -> (u32, u32) {
        let source = self.source(file);
        let offset = offset as usize;
        let line = self.line_index(file, offset);
        let before = &source.text.as_bytes()[source.lines[line]..offset.min(source.text.len())];
        // A byte of UTF-8 begins a character unless it continues one.
        let column = before.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        (line as u32 + 1, column as u32 + 1)
    }

    /// The byte offset of a line and column, both counted from 1, the column in bytes. A position beyond the text or
    /// inside a character gives the nearest offset that there is.
    pub fn offset(&self, file: FileId, line: usize, column: usize) -> usize {
        let source = self.source(file);
        let start = source.lines.get(line.saturating_sub(1)).copied().unwrap_or(source.text.len());
        source.text.floor_char_boundary(start + column.saturating_sub(1))
    }

    /// The line, counted from 0, that holds a byte offset.
    pub(crate) fn line_index(&self, file: FileId, offset: usize) -> usize {
        self.source(file).lines.partition_point(|&start| start <= offset) - 1
    }

    /// The bytes of a line, counted from 0, with its line feed.
    pub(crate) fn line_range(&self, file: FileId, line: usize) -> Option<Range<usize>> {
        let source = self.source(file);
        let start = *source.lines.get(line)?;
        let end = source.lines.get(line + 1).copied().unwrap_or(source.text.len());
        Some(start..end)
    }
}
