//! A text with its lines, and positions in it as editors count them: lines from 0, columns in units of UTF-16.

use std::ops::Range as Bytes;
use std::sync::Arc;

use csl_diag::Span;
use lsp_types::{Position, Range, TextDocumentContentChangeEvent};

/// A text, and where its lines begin.
#[derive(Clone, Debug)]
pub struct Text {
    text: Arc<str>,
    lines: Vec<usize>,
}

impl Text {
    pub fn new(text: impl Into<Arc<str>>) -> Text {
        let text = text.into();
        let bytes = text.as_bytes();
        // A line ends with a line feed, a carriage return, or both.
        let ends = bytes
            .iter()
            .enumerate()
            .filter(|&(at, &byte)| byte == b'\n' || byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Text { text, lines }
    }

    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The bytes of a line, without its end.
    fn line(&self, number: usize) -> Bytes<usize> {
        let Some(&start) = self.lines.get(number) else { return self.text.len()..self.text.len() };
        let end = self.lines.get(number + 1).copied().unwrap_or(self.text.len());
        let shown = self.text[start..end].trim_end_matches(['\n', '\r']);
        start..start + shown.len()
    }

    /// The text of a line, without its end.
    pub fn line_text(&self, number: usize) -> &str {
        &self.text[self.line(number)]
    }

    /// The number of the line that holds a byte.
    pub fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// The byte at a position; the nearest where there is no such position.
    pub fn offset(&self, position: Position) -> usize {
        let line = self.line(position.line as usize);
        let mut units = 0;
        for (at, character) in self.text[line.clone()].char_indices() {
            if units + character.len_utf16() as u32 > position.character {
                return line.start + at;
            }
            units += character.len_utf16() as u32;
        }
        line.end
    }

    /// The position of a byte.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.line_of(offset);
        let before = &self.text[self.lines[line]..offset];
        let character = before.chars().map(char::len_utf16).sum::<usize>();
        Position { line: line as u32, character: character as u32 }
    }

    pub fn range(&self, bytes: Bytes<usize>) -> Range {
        Range { start: self.position(bytes.start), end: self.position(bytes.end.max(bytes.start)) }
    }

    /// The range of a span of this text.
    pub fn span(&self, span: Span) -> Range {
        self.range(span.range())
    }

    /// The text after a change.
    pub fn changed(&self, change: &TextDocumentContentChangeEvent) -> Text {
        let Some(range) = change.range else { return Text::new(change.text.as_str()) };
        let start = self.offset(range.start);
        let end = self.offset(range.end).max(start);
        Text::new([&self.text[..start], &change.text, &self.text[end..]].concat())
    }

    /// The parts that this text has in common with an earlier one.
    pub fn alike(&self, earlier: &str) -> Alike {
        let (new, old) = (self.text.as_bytes(), earlier.as_bytes());
        if new == old {
            return Alike { head: usize::MAX, tail: 0, new: new.len(), old: old.len() };
        }
        let head = new.iter().zip(old).take_while(|(a, b)| a == b).count();
        let tail = new[head..].iter().rev().zip(old[head..].iter().rev()).take_while(|(a, b)| a == b).count();
        Alike { head, tail, new: new.len(), old: old.len() }
    }
}

/// The number of bytes that two texts have in common at the beginning and, behind those, at the end; and their lengths.
#[derive(Clone, Copy, Debug)]
pub struct Alike {
    head: usize,
    tail: usize,
    new: usize,
    old: usize,
}

impl Alike {
    /// The place in the earlier text of what is at a byte of the later one.
    pub fn earlier(self, offset: usize) -> Option<usize> {
        moved(self.head, self.tail, (self.new, self.old), offset)
    }

    /// The place in the later text of what is at a byte of the earlier one.
    pub fn later(self, offset: usize) -> Option<usize> {
        moved(self.head, self.tail, (self.old, self.new), offset)
    }
}

fn moved(head: usize, tail: usize, (from, to): (usize, usize), offset: usize) -> Option<usize> {
    match offset < head {
        true => Some(offset),
        false => (offset + tail >= from).then(|| offset + to - from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn columns_are_of_utf_16() {
        let text = Text::new("aé😀b\r\nx\ry\n");
        assert_eq!(text.offset(at(0, 2)), 3);
        assert_eq!(text.offset(at(0, 4)), 7);
        // Within the pair of a character: its start. Behind a line: its end.
        assert_eq!(text.offset(at(0, 3)), 3);
        assert_eq!(text.offset(at(0, 99)), 8);
        assert_eq!(text.position(8), at(0, 5));
        assert_eq!((text.offset(at(1, 0)), text.offset(at(2, 1)), text.offset(at(9, 0))), (10, 13, 14));
        for offset in 0..=text.text().len() {
            assert_eq!(text.offset(text.position(offset)).min(offset), text.offset(text.position(offset)));
        }
    }

    #[test]
    fn changes_replace_ranges() {
        let change =
            |range, text: &str| TextDocumentContentChangeEvent { range, range_length: None, text: text.into() };
        let text = Text::new("one\ntwo\n");
        let range = Range { start: at(0, 1), end: at(1, 2) };
        assert_eq!(&**text.changed(&change(Some(range), "-")).text(), "o-o\n");
        assert_eq!(&**text.changed(&change(None, "-")).text(), "-");
        // A range that runs backwards or leaves the text is no reason to end.
        let range = Range { start: at(7, 1), end: at(0, 1) };
        assert_eq!(&**text.changed(&change(Some(range), "-")).text(), "one\ntwo\n-");
    }

    #[test]
    fn places_in_an_earlier_text_are_found() {
        let text = Text::new("abXYcd");
        let alike = text.alike("abcd");
        assert_eq!([1, 4, 5, 2, 3].map(|at| alike.earlier(at)), [Some(1), Some(2), Some(3), None, None]);
        assert_eq!([1, 2, 3].map(|at| alike.later(at)), [Some(1), Some(4), Some(5)]);
        assert_eq!(text.alike("abXYcd").earlier(3), Some(3));
    }
}
