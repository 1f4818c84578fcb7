//! Statements that hold for some PEs: equal ones become one line, which says how many PEs it is of and names the first.

use csl_diag::Span;
use csl_machine::ProgramId;
use csl_sim::Group;
use indexmap::IndexMap;

use super::excerpts::{Excerpts, Origin, image_origin};

/// A placeholder for the PEs in a line that is still to be merged with equal lines.
pub(super) const WHO: &str = "\0";

/// The placeholder for the number of PEs, where a verb stands between the number and the name of the first.
pub(super) const HOW_MANY: &str = "\x01";
/// The placeholder for the name of the first.
pub(super) const FIRST: &str = "\x02";

/// The greatest number of lines of a report on waiting PEs and stalled wavelets.
pub(super) const MOST_LINES: usize = 24;

/// A statement that holds for some PEs. It can hold for PEs with different programs.
pub(super) struct Line {
    pub(super) at: Option<Span>,
    /// The statement, with [`WHO`], or [`HOW_MANY`] and [`FIRST`], for the PEs.
    pub(super) text: String,
    pub(super) pes: Group<()>,
}

impl Line {
    /// The text with the names of its PEs.
    pub(super) fn named(&self) -> String {
        let Group { tiles, x, y, .. } = self.pes;
        let (how_many, first) = match tiles {
            1 => (format!("PE ({x}, {y})"), String::new()),
            _ => (format!("{tiles} PEs"), format!(", the first ({x}, {y})")),
        };
        self.text.replace(WHO, &who(&self.pes)).replace(HOW_MANY, &how_many).replace(FIRST, &first)
    }
}

pub(super) fn line<T>(group: &Group<T>, text: String) -> Line {
    Line { at: None, text, pes: pes_of(group) }
}

/// The PEs of a group.
pub(super) fn pes_of<T>(group: &Group<T>) -> Group<()> {
    Group { what: (), tiles: group.tiles, x: group.x, y: group.y }
}

/// Adds the PEs of a group to others; the first is the westernmost of the northernmost row.
pub(super) fn add<T>(pes: &mut Group<()>, group: &Group<T>) {
    pes.tiles += group.tiles;
    (pes.y, pes.x) = (pes.y, pes.x).min((group.y, group.x));
}

/// Merges equal lines into one, in the place of the first.
pub(super) fn merge(lines: Vec<Line>) -> Vec<Line> {
    let mut merged: IndexMap<(Option<Span>, String), Group<()>> = IndexMap::new();
    for Line { at, text, pes } in lines {
        merged.entry((at, text)).and_modify(|all| add(all, &pes)).or_insert(pes);
    }
    merged.into_iter().map(|((at, text), pes)| Line { at, text, pes }).collect()
}

/// The names of the PEs of a group.
pub(super) fn who<T>(group: &Group<T>) -> String {
    let Group { tiles, x, y, .. } = group;
    if *tiles == 1 { format!("PE ({x}, {y})") } else { format!("{tiles} PEs, the first of them ({x}, {y})") }
}

/// A line with the place of an instruction of a program.
pub(super) fn at_line(excerpts: &mut Excerpts, (program, pc): (ProgramId, u32), line: Line) -> Line {
    at_origin(image_origin(excerpts, program, pc), line)
}

/// A line with the place of an instruction, if it is known.
pub(super) fn at_origin(origin: Option<Origin>, line: Line) -> Line {
    match origin {
        Some(Origin { function, span: at @ Some(_), .. }) => {
            Line { at, text: format!("{}, in {function}", line.text), ..line }
        }
        Some(Origin { function, place, .. }) => {
            Line { text: format!("{}, at {place} in {function}", line.text), ..line }
        }
        None => line,
    }
}
