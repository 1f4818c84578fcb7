//! `waferlab inspect`: shows the contents of a compiled program.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use csl_host::inspect::{Choice, Inspection, Part};
use csl_host::options::parse_pair;
use csl_host::{Coord, printable};

use crate::number::whole;
use crate::output::print;

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Output folder of cslc
    folder: PathBuf,
    /// The part to show
    #[arg(value_enum, default_value = "summary")]
    part: PartName,
    /// routes: of this color
    #[arg(long, value_name = "N", value_parser = whole::<u8>(0, u64::from(u8::MAX)))]
    color: Option<u8>,
    /// tiles, memory, code: of this program, by its number or file
    #[arg(long, value_name = "PROGRAM")]
    program: Option<String>,
    /// tiles, memory, code: of the program of this PE of the program's rectangle
    #[arg(long, value_name = "X,Y", value_parser = parse_pair::<Coord>, conflicts_with = "program")]
    tile: Option<Coord>,
    /// code: of this function
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PartName {
    /// All on one screen
    Summary,
    /// Which program runs where
    Tiles,
    /// How a color is routed
    Routes,
    /// Addresses, sizes and banks of the objects in a PE's memory
    Memory,
    /// The names that the host may use
    Symbols,
    /// Instructions and the source lines that they come from
    Code,
}

impl PartName {
    fn part(self) -> Part {
        match self {
            PartName::Summary => Part::Summary,
            PartName::Tiles => Part::Tiles,
            PartName::Routes => Part::Routes,
            PartName::Memory => Part::Memory,
            PartName::Symbols => Part::Symbols,
            PartName::Code => Part::Code,
        }
    }
}

impl InspectArgs {
    /// Refuses an option that the part to show does not take.
    fn check(&self) -> Result<(), String> {
        use PartName::{Code, Memory, Routes, Tiles};
        let options: [(&str, bool, &[PartName], &str); 4] = [
            ("color", self.color.is_some(), &[Routes], "routes"),
            ("program", self.program.is_some(), &[Tiles, Memory, Code], "tiles, memory and code"),
            ("tile", self.tile.is_some(), &[Tiles, Memory, Code], "tiles, memory and code"),
            ("function", self.function.is_some(), &[Code], "code"),
        ];
        match options.iter().find(|(_, is_given, parts, _)| *is_given && !parts.contains(&self.part)) {
            Some((name, _, _, parts)) => Err(format!("--{name} goes with {parts}")),
            None => Ok(()),
        }
    }
}

pub fn run(args: &InspectArgs) -> Result<(), String> {
    args.check()?;
    let choice = Choice {
        part: args.part.part(),
        color: args.color,
        program: args.program.clone(),
        tile: args.tile,
        function: args.function.clone(),
    };
    let inspection = Inspection::open(&args.folder).map_err(|error| error.to_string())?;
    let text = if args.json {
        inspection.json(&choice).map(|value| format!("{value:#}\n"))
    } else {
        inspection.text(&choice).map(|text| printable(&text).into_owned())
    };
    print(&text.map_err(|error| error.to_string())?)
}
