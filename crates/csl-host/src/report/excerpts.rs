//! The places of instructions in source files, whose lines reports show.

use std::collections::HashMap;
use std::path::Path;

use csl_diag::{Diagnostic, FileId, SourceMap, Span};
use csl_image::{Image, PeImage};
use csl_machine::ProgramId;

use crate::sources::{Reread, reread};

/// Source files, read when a line of them is shown.
pub(super) struct Excerpts<'a> {
    pub(super) image: &'a Image,
    sources: &'a Path,
    pub(super) map: SourceMap,
    files: HashMap<u32, Option<FileId>>,
    /// Files that are others than those which were compiled: no line of them is shown.
    changed: Vec<String>,
}

/// The source of an instruction, or of a call that reached it.
pub(super) struct Origin {
    pub(super) function: String,
    /// `file:line`
    pub(super) line: String,
    /// `file:line:column`
    pub(super) place: String,
    pub(super) span: Option<Span>,
}

impl Origin {
    pub(super) fn is_library(&self) -> bool {
        csl_image::is_library(&self.place)
    }
}

impl Excerpts<'_> {
    pub(super) fn of<'a>(image: &'a Image, sources: &'a Path) -> Excerpts<'a> {
        Excerpts { image, sources, map: SourceMap::new(), files: HashMap::new(), changed: Vec::new() }
    }

    /// Says of which files no line is shown, because they have changed.
    pub(super) fn name_changed(&self, diagnostic: Diagnostic) -> Diagnostic {
        self.changed.iter().fold(diagnostic, |diagnostic, name| {
            diagnostic.note(format!("{name} has changed since it was compiled, so its lines are not shown"))
        })
    }

    pub(super) fn origin(&mut self, program: &PeImage, pc: u32) -> Option<Origin> {
        self.origins(program, pc).into_iter().next()
    }

    /// The instruction's own place, then the calls that were replaced by the callee's body, innermost first.
    pub(super) fn origins(&mut self, program: &PeImage, pc: u32) -> Vec<Origin> {
        let origin = |(function, line): (&str, csl_image::Line)| {
            let file = &self.image.files.get(line.file as usize)?.name;
            let (row, column) = (line.line, line.column);
            let (short, place) = (format!("{file}:{row}"), format!("{file}:{row}:{column}"));
            let span = self.span(line.file, row, column);
            Some(Origin { function: function.to_owned(), line: short, place, span })
        };
        program.origins(pc).into_iter().map_while(origin).collect()
    }

    /// The span of the word at a place; `None` when the file is gone or shorter than that.
    fn span(&mut self, file: u32, line: u32, column: u32) -> Option<Span> {
        let id = self.file(file)?;
        let text = self.map.text(id).clone();
        // The reader of images does not look at numbers of lines: there is none before the first.
        let before = line.checked_sub(1)? as usize;
        let start = text.split_inclusive('\n').take(before).map(str::len).sum::<usize>();
        let rest = text.get(start..)?.lines().next()?;
        let at = rest.char_indices().nth(column.checked_sub(1)? as usize).map(|(at, _)| at)?;
        let word = rest[at..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '@' | '.'));
        let length = word.map(char::len_utf8).sum::<usize>().max(1);
        Some(Span::new(id, start + at, start + at + length))
    }

    fn file(&mut self, file: u32) -> Option<FileId> {
        if let Some(known) = self.files.get(&file) {
            return *known;
        }
        let source = &self.image.files[file as usize];
        let id = match reread(self.sources, source) {
            Reread::Text(text) => Some(self.map.add(&source.name, text)),
            Reread::Changed => {
                self.changed.push(source.name.clone());
                None
            }
            Reread::Gone => None,
        };
        self.files.insert(file, id);
        id
    }
}

/// The origin of an instruction of the program with this number.
pub(super) fn image_origin(excerpts: &mut Excerpts, program: ProgramId, pc: u32) -> Option<Origin> {
    let program = excerpts.image.programs.get(program.index())?.clone();
    excerpts.origin(&program, pc)
}
