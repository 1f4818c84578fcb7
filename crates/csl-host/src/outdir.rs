//! The output folder: what the vendor's compiler leaves there, and our image.
//!
//! `out.json`, `bin/out_X_Y.elf`, `bin/out_rpc.json`, and the folders `east`, `west` and `generated` are what published
//! programs and host scripts look for. The folder is written beside its place and moved there when it is whole.

use std::io;
use std::path::{Path, PathBuf};

use csl_image::{ColorConfig, DirSet, Export, ExportKind, Exported, Image, PeImage, RouteRun, TileRun};
use serde_json::{Value, json};

/// Path of the image in an output folder.
pub const IMAGE_FILE: &str = "bin/program.wafer";

/// Where the compiler's working directory is noted, so that faults can show source lines.
pub const SOURCE_NOTE: &str = "generated/source_folder";

const FOLDERS: [&str; 4] = ["bin", "east", "west", "generated"];

/// Above this many tiles only the first tiles of runs have an ELF file of their own, and no more than so many.
const MAX_TILE_FILES: usize = 4096;

/// What goes into the folder.
pub struct Contents<'a> {
    pub image: &'a Image,
    pub colors: &'a [(String, String)],
    /// The working directory of the compilation, absolute.
    pub source_folder: &'a Path,
}

/// Writes `folder`, replacing an earlier one; after an error nothing has changed.
pub fn write(folder: &Path, contents: &Contents) -> io::Result<()> {
    let parent = folder.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)?;
    let fresh = sibling(folder, "new");
    remove(&fresh)?;
    let written = fill(&fresh, contents).and_then(|()| replace(&fresh, folder));
    if written.is_err() {
        // The error that matters is the first one.
        let _ = remove(&fresh);
    }
    written
}

/// `.NAME.PID.suffix` beside `folder`: two compilers of one folder do not meet in it.
fn sibling(folder: &Path, suffix: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.{}.{suffix}", std::process::id()))
}

fn replace(fresh: &Path, folder: &Path) -> io::Result<()> {
    let old = sibling(folder, "old");
    remove(&old)?;
    match std::fs::rename(folder, &old) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if let Err(error) = std::fs::rename(fresh, folder) {
        // Put back what was there.
        let _ = std::fs::rename(&old, folder);
        return Err(error);
    }
    remove(&old)
}

/// Removes a file or a folder; it may be absent.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn fill(folder: &Path, contents: &Contents) -> io::Result<()> {
    std::fs::create_dir(folder)?;
    for name in FOLDERS {
        std::fs::create_dir(folder.join(name))?;
    }
    let image = contents.image;
    std::fs::write(folder.join(IMAGE_FILE), image.write())?;
    std::fs::write(folder.join(SOURCE_NOTE), contents.source_folder.to_string_lossy().as_bytes())?;
    write_json(&folder.join("out.json"), &metadata(image, contents.colors))?;
    write_json(&folder.join("bin/out_rpc.json"), &rpc(image))?;
    for (x, y) in named_tiles(image) {
        std::fs::write(folder.join(format!("bin/out_{x}_{y}.elf")), ELF_STUB)?;
    }
    Ok(())
}

pub fn write_json(path: &Path, value: &Value) -> io::Result<()> {
    std::fs::write(path, format!("{value:#}\n"))
}

/// `out.json`: values of the top-level params as text.
pub fn metadata(image: &Image, colors: &[(String, String)]) -> Value {
    json!({ "params": texts(&image.params), "colors": texts(colors) })
}

fn texts(pairs: &[(String, String)]) -> Value {
    Value::Object(pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
}

/// `out_rpc.json`: the documented schema in the form of files that were published with programs, where `immutable` is 0 or 1
/// and a function without parameters has no `inputs`.
fn rpc(image: &Image) -> Value {
    json!({ "rpc_symbols": image.exports.iter().map(|export| rpc_symbol(image, export)).collect::<Vec<_>>() })
}

fn rpc_symbol(image: &Image, export: &Export) -> Value {
    let (name, id, symbol) = (&export.name, export.id, exported_name(image, export));
    match &export.kind {
        ExportKind::Data { mutable, .. } => json!({
            "id": id, "name": name, "sym_name": symbol, "kind": "Var", "type": export.ty,
            "immutable": u8::from(!mutable),
        }),
        ExportKind::Function { params } if params.is_empty() => {
            json!({ "id": id, "name": name, "sym_name": symbol, "kind": "Func", "type": "void" })
        }
        ExportKind::Function { params } => {
            let inputs: Vec<Value> = params
                .iter()
                .enumerate()
                .map(|(at, p)| json!({ "name": format!("arg{at}"), "type": p.name }))
                .collect();
            json!({ "id": id, "name": name, "sym_name": symbol, "kind": "Func", "type": "void", "inputs": inputs })
        }
    }
}

/// The variable or function behind an exported name, in the first program that has it.
fn exported_name<'a>(image: &'a Image, export: &'a Export) -> &'a str {
    let named = |program: &'a PeImage| {
        let found = program.exports.iter().find(|exported| exported.id == export.id)?;
        match found.what {
            Exported::Symbol(index) => program.symbols.get(index as usize).map(|symbol| symbol.name.as_str()),
            Exported::Func(index) => program.funcs.get(usize::from(index)).map(|func| func.name.as_str()),
        }
    };
    image.programs.iter().find_map(|program| named(program)).unwrap_or(&export.name)
}

/// Every route as a line, by runs of tiles: place, color, and the sides of its first position.
pub fn routes(image: &Image) -> String {
    image.routes.iter().map(|run| route(run, &image.color_configs[run.config as usize])).collect()
}

fn route(run: &RouteRun, config: &ColorConfig) -> String {
    let place = match run.len {
        1 => format!("({}, {})", run.x, run.y),
        len => format!("({}..{}, {})", run.x, run.x + len - 1, run.y),
    };
    format!("{place} color {} rx {} tx {}\n", run.color, sides(config.rx), sides(config.tx))
}

fn sides(set: DirSet) -> String {
    const NAMES: [&str; 5] = ["WEST", "EAST", "SOUTH", "NORTH", "RAMP"];
    let named: Vec<&str> =
        NAMES.iter().enumerate().filter(|(bit, _)| set.0 >> bit & 1 == 1).map(|(_, name)| *name).collect();
    if named.is_empty() { "nothing".to_owned() } else { named.join("+") }
}

/// Tiles that have an ELF file, in the program's rectangle.
fn named_tiles(image: &Image) -> Vec<(u32, u32)> {
    let all: u64 = image.tiles.iter().map(|run| u64::from(run.len)).sum();
    let columns = |run: &TileRun| if all <= MAX_TILE_FILES as u64 { run.len } else { 1 };
    let tiles = image.tiles.iter().flat_map(|run| (0..columns(run)).map(|at| (run.x + at, run.y)));
    tiles.take(MAX_TILE_FILES).collect()
}

/// A little-endian 32-bit ELF header without sections. Scripts look for these files; the program is in the image.
const ELF_STUB: [u8; 52] = {
    let mut header = [0; 52];
    let ident = [0x7f, b'E', b'L', b'F', 1, 1, 1];
    let mut at = 0;
    while at < ident.len() {
        header[at] = ident[at];
        at += 1;
    }
    header[16] = 2; // e_type: executable
    header[20] = 1; // e_version
    header[40] = 52; // e_ehsize
    header
};
