//! The lines of the source that a diagnostic shows, long ones cut around what it points at. Nothing else of a file is
//! looked at, so that a diagnostic costs the same in a file of any size.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use codespan_reporting::files::{Error, Files, Location};

use crate::diagnostic::Diagnostic;
use crate::printable::{printable, shown};
use crate::source::{FileId, SourceMap, Span};

/// The sign where a line is cut.
const CUT: char = '…';

/// Where the spans of a diagnostic stand in the lines that are shown.
pub struct Excerpt<'a> {
    sources: &'a SourceMap,
    files: BTreeMap<FileId, Shown>,
}

/// What is shown of a file: some of its lines.
#[derive(Default)]
struct Shown {
    text: String,
    /// By the number of the line in its file, from 0; they stand in `text` in this order.
    lines: BTreeMap<usize, Line>,
}

/// A line that is shown, character for character, with pictures of control characters.
struct Line {
    /// The line, with its line feed, in the text that is shown.
    shown: Range<usize>,
    /// Where the part that was kept begins in the text that is shown.
    kept_at: usize,
    /// The part that was kept, in the file.
    kept: Range<usize>,
}

impl<'a> Excerpt<'a> {
    /// The lines that the labels of a diagnostic stand in, none wider than `width` characters.
    pub fn new(sources: &'a SourceMap, diagnostic: &Diagnostic, width: usize) -> Excerpt<'a> {
        let mut spans: BTreeMap<FileId, BTreeMap<usize, Range<usize>>> = BTreeMap::new();
        for label in diagnostic.primary.iter().chain(&diagnostic.secondary) {
            let file = spans.entry(label.span.file).or_default();
            let range = visible(sources, label.span);
            // The first label of a line says which part of it is kept.
            file.entry(sources.line_index(label.span.file, range.start)).or_insert(range);
        }
        let files = spans.into_iter().map(|(file, lines)| (file, Shown::of(sources, file, lines, width))).collect();
        Excerpt { sources, files }
    }

    /// Where the first line of a span is in the text that is shown.
    pub fn range(&self, span: Span) -> Range<usize> {
        let wanted = visible(self.sources, span);
        let line = self.sources.line_index(span.file, wanted.start);
        let Some(line) = self.files.get(&span.file).and_then(|shown| shown.lines.get(&line)) else { return 0..0 };
        let text = self.sources.text(span.file);
        let to_shown = |at: usize| {
            let at = text.floor_char_boundary(at.clamp(line.kept.start, line.kept.end));
            line.kept_at + printable(&text[line.kept.start..at]).len()
        };
        to_shown(wanted.start)..to_shown(wanted.end)
    }

    fn shown(&self, id: FileId) -> Result<&Shown, Error> {
        self.files.get(&id).ok_or(Error::FileMissing)
    }
}

/// A span over several lines is shown by its first line alone, so that no function body is listed. A span outside its
/// file is a fault of the compiler; it is shown at the file's end.
fn visible(sources: &SourceMap, span: Span) -> Range<usize> {
    let text = sources.text(span.file);
    let lo = text.floor_char_boundary(span.lo as usize);
    let hi = text.floor_char_boundary(span.hi as usize).max(lo);
    lo..lo + text[lo..hi].lines().next().map_or(0, str::len)
}

impl Shown {
    fn of(sources: &SourceMap, file: FileId, spans: BTreeMap<usize, Range<usize>>, width: usize) -> Shown {
        let mut shown = Shown::default();
        let mut before: Option<usize> = None;
        for (line, span) in spans {
            // A line between two that are shown is shown too.
            if let Some(between) = line.checked_sub(2).filter(|_| before.is_some_and(|before| before + 2 == line)) {
                shown.add(sources, file, between + 1, None, width);
            }
            shown.add(sources, file, line, Some(span), width);
            before = Some(line);
        }
        shown
    }

    fn add(&mut self, sources: &SourceMap, file: FileId, line: usize, span: Option<Range<usize>>, width: usize) {
        let Some(whole) = sources.line_range(file, line) else { return };
        let text = sources.text(file)[whole.clone()].trim_end_matches(['\n', '\r']);
        let span = span.map_or(0..0, |span| span.start - whole.start..span.end - whole.start);
        let kept = around(text, span, width);
        let begin = self.text.len();
        if kept.start > 0 {
            self.text.push(CUT);
        }
        let kept_at = self.text.len();
        self.text.push_str(&printable(&text[kept.clone()]));
        if kept.end < text.len() {
            self.text.push(CUT);
        }
        self.text.push('\n');
        let kept = whole.start + kept.start..whole.start + kept.end;
        self.lines.insert(line, Line { shown: begin..self.text.len(), kept_at, kept });
    }

    fn line_at(&self, byte: usize) -> Result<(usize, &Line), Error> {
        let found = self.lines.iter().find(|(_, line)| line.shown.contains(&byte));
        found.map(|(index, line)| (*index, line)).ok_or(Error::IndexTooLarge { given: byte, max: self.text.len() })
    }
}

/// The part of a line that is shown: all of it, or up to `width` characters with some before the span.
fn around(line: &str, span: Range<usize>, width: usize) -> Range<usize> {
    // A line of that many bytes at most has no more characters.
    if line.len() <= width || line.chars().count() <= width {
        return 0..line.len();
    }
    let start = line.floor_char_boundary(span.start);
    let back = |from: usize, count: usize| {
        let nth = count.checked_sub(1).and_then(|last| line[..from].char_indices().rev().nth(last));
        nth.map_or(if count == 0 { from } else { 0 }, |(at, _)| at)
    };
    let ahead =
        |from: usize, count: usize| line[from..].char_indices().nth(count).map_or(line.len(), |(at, _)| from + at);
    let begin = back(start, width / 4);
    let end = ahead(begin, width);
    if end == line.len() { back(end, width)..end } else { begin..end }
}

impl<'a> Files<'a> for Excerpt<'_> {
    type FileId = FileId;
    type Name = Cow<'a, str>;
    type Source = &'a str;

    fn name(&'a self, id: FileId) -> Result<Cow<'a, str>, Error> {
        Ok(printable(self.sources.name(id)))
    }

    fn source(&'a self, id: FileId) -> Result<&'a str, Error> {
        Ok(&self.shown(id)?.text)
    }

    fn line_index(&'a self, id: FileId, byte_index: usize) -> Result<usize, Error> {
        Ok(self.shown(id)?.line_at(byte_index)?.0)
    }

    fn line_range(&'a self, id: FileId, line_index: usize) -> Result<Range<usize>, Error> {
        let line = self.shown(id)?.lines.get(&line_index);
        line.map(|line| line.shown.clone()).ok_or(Error::LineTooLarge { given: line_index, max: usize::MAX })
    }

    fn location(&'a self, id: FileId, byte_index: usize) -> Result<Location, Error> {
        let (_, line) = self.shown(id)?.line_at(byte_index)?;
        // The characters of the line whose pictures stand before the byte.
        let kept = self.sources.text(id)[line.kept.clone()].char_indices();
        let mut left = byte_index.saturating_sub(line.kept_at);
        let before = kept.take_while(|(_, character)| {
            let width = shown(*character).len_utf8();
            left.checked_sub(width).map(|rest| left = rest).is_some()
        });
        let offset = line.kept.start + before.last().map_or(0, |(at, character)| at + character.len_utf8());
        let (line_number, column_number) = self.sources.line_col(id, offset as u32);
        Ok(Location { line_number: line_number as usize, column_number: column_number as usize })
    }
}
