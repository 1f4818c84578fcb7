//! `waferlab readelf`, also installed as `cs_readelf`: answers the questions that scripts ask of the compiler's ELF
//! files from the program's image. Addresses and sizes are in bytes.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use csl_host::inspect::{Choice, Inspection, Part};
use csl_host::options::parse_pair;
use csl_host::{Coord, Image};

use crate::output::print;

#[derive(Debug, Args)]
pub struct ReadelfArgs {
    /// An ELF file of an output folder of cslc (bin/out_X_Y.elf), or the folder
    file: PathBuf,
    /// Symbols with address, size and bank; a function's are counted in instruction words
    #[arg(long, visible_alias = "sym")]
    symbols: bool,
    /// Size of the data of each PE, by place in the whole fabric
    #[arg(short = 'm', long)]
    memory: bool,
    /// Unit of -m
    #[arg(short = 'u', long, value_enum, default_value = "byte", requires = "memory")]
    unit: Unit,
    /// Size of the fabric and place of the program in it
    #[arg(short = 's', long, visible_alias = "fs")]
    size: bool,
    /// Draw which PEs have a program: a wide fabric on one screen, or a sign for each PE
    #[arg(
        long,
        value_enum,
        value_name = "coarse|fine",
        hide_possible_values = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "coarse"
    )]
    visualize: Option<Grain>,
    /// Symbols and memory of this PE of the whole fabric alone
    #[arg(long, value_name = "X,Y", value_parser = parse_pair::<Coord>)]
    tile: Option<Coord>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Unit {
    Byte,
    Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Grain {
    Coarse,
    Fine,
}

pub fn run(args: &ReadelfArgs) -> Result<(), String> {
    let folder = folder_of(&args.file)?;
    let inspection = Inspection::open(&folder).map_err(|error| error.to_string())?;
    let mut out = String::new();
    if args.tile.is_some() && !args.symbols && !args.memory {
        return Err("--tile goes with --symbols and --memory".to_owned());
    }
    if !args.size && !args.symbols && !args.memory && args.visualize.is_none() {
        out += &inspection.text(&Choice::default()).map_err(|error| error.to_string())?;
    }
    if args.size {
        out += &size(&inspection);
    }
    let tile = tile(args, &inspection)?;
    if args.symbols {
        out += &symbols(&inspection, tile)?;
    }
    if args.memory {
        out += &memory(&inspection, args.unit, tile)?;
    }
    if let Some(grain) = args.visualize {
        out += &picture(&inspection, grain);
    }
    print(&out)
}

/// The output folder that a file lies in.
fn folder_of(path: &Path) -> Result<PathBuf, String> {
    if path.is_dir() {
        return Ok(path.to_owned());
    }
    if !path.exists() {
        return Err(format!("{}: there is no such file", path.display()));
    }
    let folder = path.parent().and_then(Path::parent).map(Path::to_owned);
    folder.filter(|_| path.extension().is_some_and(|kind| kind == "elf")).map_or_else(
        || Err(format!("{}: not an ELF file of an output folder of cslc", path.display())),
        |folder| Ok(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder }),
    )
}

/// The PE that `--tile` or a file's name gives, in coordinates of the program's rectangle.
fn tile(args: &ReadelfArgs, inspection: &Inspection) -> Result<Option<Coord>, String> {
    if let Some(Coord { x, y }) = args.tile {
        let offset = inspection.image().offset;
        return inspection
            .image()
            .to_logical(x, y)
            .map(Some)
            .ok_or_else(|| format!("--tile={x},{y}: the program starts at {},{}", offset.x, offset.y));
    }
    let name = args.file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let place = name.strip_prefix("out_").and_then(|place| place.split_once('_'));
    Ok(place.and_then(|(x, y)| Some(Coord { x: x.parse().ok()?, y: y.parse().ok()? })))
}

fn size(inspection: &Inspection) -> String {
    let Image { fabric, rect, offset, .. } = inspection.image();
    let (fabric, rect) = (format!("{} x {}", fabric.width, fabric.height), format!("{} x {}", rect.width, rect.height));
    format!("fabric   {fabric} PEs\nprogram  {rect} PEs at ({}, {})\n", offset.x, offset.y)
}

/// A table as readelf prints it: number, value, size, type, binding, bank, name.
fn symbols(inspection: &Inspection, tile: Option<Coord>) -> Result<String, String> {
    let part = |part| Choice { part, tile, ..Choice::default() };
    let objects = inspection.json(&part(Part::Memory)).map_err(|error| error.to_string())?;
    let code = inspection.json(&part(Part::Code)).map_err(|error| error.to_string())?;
    let mut out = String::new();
    let programs = objects.as_array().into_iter().flatten().zip(code.as_array().into_iter().flatten());
    for (memory, code) in programs {
        out += &format!("\nSymbol table of {}:\n", memory["name"].as_str().unwrap_or_default());
        out += &format!(
            "{:>6}: {:<8} {:>5} {:<6} {:<6} {:>4} {}\n",
            "Num", "Value", "Size", "Type", "Bind", "Bank", "Name"
        );
        let objects = memory["objects"].as_array().into_iter().flatten();
        let mut number = 0;
        let mut line = |value: &serde_json::Value, size: &serde_json::Value, kind: &str, bank: String, name: &str| {
            out += &format!(
                "{number:6}: {:08x} {:5} {kind:<6} {:<6} {bank:>4} {name}\n",
                value.as_u64().unwrap_or(0),
                size.as_u64().unwrap_or(0),
                "GLOBAL"
            );
            number += 1;
        };
        for object in objects {
            let name = object["name"].as_str().unwrap_or_default();
            line(&object["address"], &object["bytes"], "OBJECT", object["bank"].to_string(), name);
        }
        for function in code["functions"].as_array().into_iter().flatten() {
            let name = function["name"].as_str().unwrap_or_default();
            let words = function["end"].as_u64().zip(function["entry"].as_u64()).map(|(end, entry)| end - entry);
            line(&function["entry"], &words.into(), "FUNC", String::new(), name);
        }
    }
    Ok(out)
}

fn memory(inspection: &Inspection, unit: Unit, tile: Option<Coord>) -> Result<String, String> {
    let wanted = tile.map(|at| inspection.image().to_physical(at.x, at.y));
    let (divisor, unit) = if unit == Unit::Word { (2, "words") } else { (1, "bytes") };
    let lines = inspection.data_bytes().filter(|(place, _)| wanted.is_none_or(|wanted| wanted == *place));
    let out: String =
        lines.map(|(Coord { x, y }, bytes)| format!("({x}, {y}): {} {unit}\n", bytes / divisor)).collect();
    match wanted {
        Some(Coord { x, y }) if out.is_empty() => Err(format!("there is no program at ({x}, {y}) of the fabric")),
        _ => Ok(out),
    }
}

/// The map of a program: `#` for a PE with a program, `.` for one without. A coarse map of a wide fabric has several
/// PEs to a sign.
fn picture(inspection: &Inspection, grain: Grain) -> String {
    const WIDTH: u32 = 76;
    let fabric = inspection.image().fabric;
    let scale = if grain == Grain::Fine { 1 } else { fabric.width.div_ceil(WIDTH).max(1) };
    let (columns, rows) = (fabric.width.div_ceil(scale), fabric.height.div_ceil(scale));
    let mut signs = vec![vec!['.'; columns as usize]; rows as usize];
    for (Coord { x, y }, _) in inspection.data_bytes() {
        if let Some(sign) = signs.get_mut((y / scale) as usize).and_then(|row| row.get_mut((x / scale) as usize)) {
            *sign = '#';
        }
    }
    let mut out: String = signs.into_iter().map(|row| row.into_iter().collect::<String>() + "\n").collect();
    out += &format!("{} x {} PEs, {scale} x {scale} to a sign\n", fabric.width, fabric.height);
    out
}
