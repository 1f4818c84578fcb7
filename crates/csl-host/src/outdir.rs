//! Writes the output folder: the files of the vendor's compiler, and our image.
//!
//! Published programs and host scripts look for `out.json`, `bin/out_X_Y.elf`, `bin/out_rpc.json`, and the folders
//! `east`, `west` and `generated`. [`install`] puts the files in place.

mod install;
mod named;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use csl_image::{Export, ExportKind, Exported, Image, Origin, PeImage, RouteRun, Stream};
use csl_machine::{ColorConfig, Coord, TileRun};
use serde_json::{Value, json};

pub(crate) use named::{NamedFile, resolved};

/// Path of the image in an output folder.
pub const IMAGE_FILE: &str = "bin/program.wafer";

const FOLDERS: [&str; 4] = ["bin", "east", "west", "generated"];

const METADATA_FILE: &str = "out.json";
const RPC_FILE: &str = "bin/out_rpc.json";
pub(crate) const COLORS_FILE: &str = "colors.json";
pub(crate) const PORT_MAP_FILE: &str = "port_map.json";

/// All files beside an image, but for those of tiles.
const SIDE_FILES: [&str; 4] = [METADATA_FILE, RPC_FILE, COLORS_FILE, PORT_MAP_FILE];

/// Up to this many tiles each have an ELF file of their own. Above it only the first tiles of runs have one, and no
/// more than this many.
const MAX_TILE_FILES: usize = 4096;

/// The contents of the folder.
pub(crate) struct Contents {
    pub image: Image,
    pub colors: Vec<(String, String)>,
    /// The working directory of the compilation, absolute.
    pub source_folder: PathBuf,
    /// The source files: neither the folder of one of them nor a folder above it may become the output folder.
    pub sources: Vec<PathBuf>,
    pub streams: Vec<Stream>,
    /// Further files of [`SIDE_FILES`], with their values.
    pub more: Vec<(&'static str, Value)>,
}

/// Writes a compilation into `folder`, beside foreign files there; after an error nothing has changed.
pub(crate) fn write(folder: &Path, contents: Contents) -> Result<(), String> {
    let Contents { mut image, colors, source_folder, sources, streams, more } = contents;
    keep_off_sources(folder, &sources)?;
    let own = [(METADATA_FILE, metadata(&image, &colors)), (RPC_FILE, rpc(&image))];
    let files = own.into_iter().chain(more).map(|(name, value)| (name.to_owned(), json_bytes(&value)));
    let beside: Vec<(String, Vec<u8>)> = files.collect();
    image.origin = Origin {
        folder: source_folder.to_string_lossy().into_owned(),
        beside: beside.iter().map(|(name, _)| name.clone()).collect(),
        streams,
    };
    install::install(folder, &install::Parts { program: &image.write(), beside: &beside, tiles: &named_tiles(&image) })
}

/// Refuses an output folder that holds sources: `rm -r` of it would take them along.
fn keep_off_sources(folder: &Path, sources: &[PathBuf]) -> Result<(), String> {
    // A folder that does not exist holds nothing.
    let Ok(target) = folder.canonicalize() else { return Ok(()) };
    let is_above = |source: &&PathBuf| {
        let places = [source.canonicalize(), source.parent().unwrap_or(source).canonicalize()];
        places.into_iter().flatten().any(|path| path.starts_with(&target))
    };
    match sources.iter().find(is_above) {
        Some(source) => Err(format!(
            "{}: the source file {} lies in it; choose another output folder",
            folder.display(),
            source.display()
        )),
        None => Ok(()),
    }
}

/// Whether a path is that of a file of the compiled program in `folder`, or stands among them.
pub(crate) fn is_of_program(folder: &Path, path: &Path) -> bool {
    let (folder, path) = (resolved(folder), resolved(path));
    let is_own = |inside: &Path| {
        SIDE_FILES.iter().any(|name| inside == Path::new(name)) || FOLDERS.iter().any(|name| inside.starts_with(name))
    };
    path.strip_prefix(folder).is_ok_and(is_own)
}

fn write_to_disk(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    secure(&file)
}

/// Makes sure that a file has the room for its bytes. A full disk is an error here on every file system: one that does not
/// reserve the room for bytes when they are written, as those of networks, reports it when they go through to the disk. That
/// takes as long as a fifth of a small compilation, and is left out elsewhere.
pub(crate) fn secure(file: &File) -> io::Result<()> {
    if reserves_room(file) || !file.metadata()?.is_file() { Ok(()) } else { file.sync_all() }
}

/// Whether the file lies on one of ext2 to ext4, XFS, Btrfs, tmpfs, or on overlayfs, which lies upon one of them. The numbers
/// are those of statfs(2).
#[cfg(target_os = "linux")]
fn reserves_room(file: &File) -> bool {
    const RESERVING: [rustix::fs::FsWord; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630];
    rustix::fs::fstatfs(file).is_ok_and(|system| RESERVING.contains(&system.f_type))
}

#[cfg(not(target_os = "linux"))]
fn reserves_room(_: &File) -> bool {
    false
}

fn failure(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

fn tile_file(Coord { x, y }: Coord) -> String {
    format!("out_{x}_{y}.elf")
}

pub(crate) fn json_bytes(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// `out.json`: values of the top-level params as text.
pub(crate) fn metadata(image: &Image, colors: &[(String, String)]) -> Value {
    json!({ "params": texts(&image.params), "colors": texts(colors) })
}

fn texts(pairs: &[(String, String)]) -> Value {
    Value::Object(pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
}

/// `out_rpc.json`: the documented schema, in the form of files that were published with programs: `immutable` is 0 or 1
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
    let named = |program: &'a PeImage| match program.exported(export.id)? {
        Exported::Symbol(index) => program.symbols.get(index as usize).map(|symbol| symbol.name.as_str()),
        Exported::Func(index) => program.funcs.get(usize::from(index)).map(|func| func.name.as_str()),
    };
    image.programs.iter().find_map(|program| named(program)).unwrap_or(&export.name)
}

/// Every route as a line, by runs of tiles: coordinates, color, and the sides of its first position.
pub(crate) fn routes(image: &Image) -> String {
    let head = format!(
        "{} by tiles of the program: (column, row), color, from, to\n",
        crate::counted(image.routes.len() as u64, "route")
    );
    head + &image.routes.iter().map(|run| route(run, &image.color_configs[run.config as usize])).collect::<String>()
}

fn route(run: &RouteRun, config: &ColorConfig) -> String {
    let place = match run.len {
        1 => format!("({}, {})", run.x, run.y),
        len => format!("({}..{}, {})", run.x, run.x + len - 1, run.y),
    };
    format!("{place} color {} rx {} tx {}\n", run.color, config.rx.names(), config.tx.names())
}

/// Tiles that have an ELF file, by coordinates in the program's rectangle.
fn named_tiles(image: &Image) -> Vec<Coord> {
    let all: u64 = image.tiles.iter().map(|run| u64::from(run.len)).sum();
    let columns = |run: &TileRun| if all <= MAX_TILE_FILES as u64 { run.len } else { 1 };
    let tiles = image.tiles.iter().flat_map(|run| (0..columns(run)).map(|at| Coord { x: run.x + at, y: run.y }));
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
