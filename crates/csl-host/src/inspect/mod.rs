//! Shows a compiled program as texts of up to 80 columns and as JSON: tiles, routes, memory, symbols, code.

mod code;
mod memory;
pub(crate) mod picture;
mod routes;
mod summary;
mod symbols;
mod tiles;

use std::path::{Path, PathBuf};

use csl_image::{Image, PeImage};
use csl_machine::Coord;
use serde_json::Value;

use crate::error::{HostError, NameError};
use crate::image_file::read_image;

/// Columns of a text.
const WIDTH: usize = 80;

/// The parts of a program that can be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    #[default]
    /// Sizes, programs and colors.
    Summary,
    /// The program of each tile.
    Tiles,
    /// The routes of a color.
    Routes,
    /// The objects of a PE's memory.
    Memory,
    /// The names that the host may use.
    Symbols,
    /// Instructions.
    Code,
}

/// A part to show, and the selection within it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The part.
    pub part: Part,
    /// A color, for routes.
    pub color: Option<u8>,
    /// A program, by its number or its file.
    pub program: Option<String>,
    /// The program of a tile, by its place in the program's rectangle.
    pub tile: Option<Coord>,
    /// A function, for code.
    pub function: Option<String>,
}

/// A compiled program under inspection.
pub struct Inspection {
    image: Image,
    /// Folder that the names of source files are relative to.
    sources: PathBuf,
}

impl Inspection {
    /// Opens the output folder of a compilation.
    ///
    /// # Errors
    /// [`HostError::NoProgram`] when the folder does not hold a compiled program.
    pub fn open(folder: &Path) -> Result<Inspection, HostError> {
        let image = read_image(folder)?;
        let sources = PathBuf::from(&image.origin.folder);
        Ok(Inspection::of(image, sources))
    }

    /// An inspection of an image in memory; `sources` is the folder that its file names are relative to.
    pub fn of(image: Image, sources: PathBuf) -> Inspection {
        Inspection { image, sources }
    }

    /// The program, back.
    pub fn into_image(self) -> Image {
        self.image
    }

    /// The program.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The part as lines for people.
    ///
    /// # Errors
    /// [`HostError::Name`] when there is no such program, tile, color or function.
    pub fn text(&self, choice: &Choice) -> Result<String, HostError> {
        let programs = self.chosen(choice)?;
        let variants = variants(&self.image, &programs);
        match choice.part {
            Part::Summary => Ok(summary::text(&self.image)),
            Part::Tiles => Ok(tiles::text(&self.image, &variants)),
            Part::Routes => routes::text(&self.image, choice.color),
            Part::Memory => Ok(memory::text(&self.image, &variants)),
            Part::Symbols => Ok(symbols::text(&self.image)),
            Part::Code => code::text(self, &variants, choice.function.as_deref()),
        }
    }

    /// The part as JSON for tools.
    ///
    /// # Errors
    /// [`HostError::Name`] when there is no such program, tile, color or function.
    pub fn json(&self, choice: &Choice) -> Result<Value, HostError> {
        let programs = self.chosen(choice)?;
        match choice.part {
            Part::Summary => Ok(summary::json(&self.image)),
            Part::Tiles => Ok(tiles::json(&self.image, &programs)),
            Part::Routes => routes::json(&self.image, choice.color),
            Part::Memory => Ok(memory::json(&self.image, &programs)),
            Part::Symbols => Ok(symbols::json(&self.image)),
            Part::Code => code::json(self, &programs, choice.function.as_deref()),
        }
    }

    /// Bytes of initialised and zero data of each PE, by coordinates in the whole fabric.
    pub fn data_bytes(&self) -> impl Iterator<Item = (Coord, u32)> + '_ {
        self.image.tiles.iter().flat_map(move |run| {
            let bytes = self.image.programs[run.program].data_end.into();
            (run.x..run.x + run.len).map(move |x| (self.image.to_physical(x, run.y), bytes))
        })
    }

    /// Numbers of the selected programs.
    fn chosen(&self, choice: &Choice) -> Result<Vec<usize>, HostError> {
        let all = 0..self.image.programs.len();
        if let Some(Coord { x, y }) = choice.tile {
            let program = self.image.rect;
            let found = self.image.program_number(x, y).ok_or(NameError::ProgramAt { x, y, program })?;
            return Ok(vec![found.index()]);
        }
        let Some(name) = &choice.program else { return Ok(all.collect()) };
        let is_named = |number: &usize| is_named(*number, &self.image.programs[*number], name);
        let found: Vec<usize> = all.filter(is_named).collect();
        if found.is_empty() {
            let known = list(self.image.programs.iter().map(|program| program.name.as_str()));
            return Err(NameError::Program { name: name.clone(), known }.into());
        }
        Ok(found)
    }
}

fn is_named(number: usize, program: &PeImage, name: &str) -> bool {
    name.parse() == Ok(number) || program.name == name || program.name.ends_with(&format!("/{name}"))
}

/// Groups programs of one file with different params, by number. A text shows the first of a group.
fn variants(image: &Image, programs: &[usize]) -> Vec<Vec<usize>> {
    let mut by_file: indexmap::IndexMap<&str, Vec<usize>> = indexmap::IndexMap::new();
    for &number in programs {
        by_file.entry(image.programs[number].name.as_str()).or_default().push(number);
    }
    by_file.into_values().collect()
}

/// A title: `program 3: pe.csl`, and the number of the other programs of that file.
fn title(image: &Image, variants: &[usize]) -> String {
    let Some((first, rest)) = variants.split_first() else { return String::new() };
    let others = match rest {
        [] => String::new(),
        [other] => format!(" (program {other} is of this file too: --program {other})"),
        _ => format!(" ({} other programs are of this file: --program N, --tile X,Y)", rest.len()),
    };
    format!("program {first}: {}{others}\n", image.programs[*first].name)
}

/// Each name once, in order.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = names.collect();
    seen.sort_unstable();
    seen.dedup();
    seen.join(", ")
}

/// `words` in lines of up to [`WIDTH`] columns, all lines but the first indented.
fn wrapped(head: &str, words: &[String], indent: usize) -> String {
    let mut out = String::from(head);
    let mut column = head.chars().count();
    for word in words {
        if column + 1 + word.len() > WIDTH && column > indent {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_go_on_in_the_next_line() {
        let words: Vec<String> = (0..40).map(|i| format!("({i}, 0)")).collect();
        let text = wrapped("head", &words, 6);
        assert!(text.lines().all(|line| line.len() <= WIDTH));
        assert!(text.lines().skip(1).all(|line| line.starts_with("      (")));
        assert_eq!(text.split_whitespace().count(), 81);
    }
}
