//! Core files: the memory of every PE that a run has touched, for a look afterwards.
//!
//! The format is our own: the magic, the format's version, a checksum of the program's image, the cycle, the number of
//! PEs, for each PE its coordinates in the program's rectangle and its memory up to the last byte that is not 0, and a
//! checksum of all that.
//! Numbers are little-endian. A PE that the run has not touched is as the program initialises it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use csl_image::{Image, unsealed};
use csl_machine::Coord;
use csl_sim::{Sim, SimOptions};

use crate::error::{CoreError, FileError, HostError, NameError};
use crate::outdir;

const MAGIC: &[u8; 8] = b"WAFERCOR";
const VERSION: u32 = 2;
/// The bytes beside the PEs: magic, version, checksum of the program, cycle, the number of PEs, and the checksum at the end.
const HEAD_BYTES: u64 = 36;

/// A core file, with the program that it belongs to.
pub struct Core {
    image: Arc<Image>,
    cycle: u64,
    /// The memory of the PEs in the file, by coordinates in the program's rectangle.
    tiles: Tiles,
    /// The program before its first cycle.
    fresh: Sim,
}

/// Whether a file begins as core files do.
pub fn is_core(path: &Path) -> bool {
    use std::io::Read;
    // A pipe would wait for what is written to it.
    if !path.is_file() {
        return false;
    }
    let mut magic = [0; MAGIC.len()];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && &magic == MAGIC
}

/// Writes the memory of a run. A file there that is no core file is the user's, and stays.
pub(crate) fn write(path: &Path, image: &Image, sim: &mut Sim) -> Result<(), HostError> {
    let unwritable = |cause| HostError::Unwritable { path: path.to_owned(), cause };
    if std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0) && !is_core(path) {
        let text = "this file is there already and is no core file of Waferlab; give another name";
        return Err(unwritable(io::Error::new(io::ErrorKind::AlreadyExists, text)));
    }
    // A link is followed to its file.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // An earlier core file stays until the new one is whole, where there is room for both names.
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let staged = target.with_file_name(format!(".{name}.{}", std::process::id()));
    let beside = if can_be_replaced(&target) { File::create(&staged).ok() } else { None };
    let Some(file) = beside else {
        return File::create(&target).map_err(unwritable).and_then(|file| write_to(file, path, image, sim));
    };
    let written = write_to(file, path, image, sim);
    let placed = written.and_then(|()| std::fs::rename(&staged, &target).map_err(unwritable));
    placed.inspect_err(|_| drop(std::fs::remove_file(&staged)))
}

/// Whether another file may take the place of what is at a path: not of a pipe or a device, nor of a link to a file that is not
/// there yet.
fn can_be_replaced(path: &Path) -> bool {
    std::fs::symlink_metadata(path).map_or(true, |there| there.is_file())
}

/// Writes PE by PE, so that memory never holds the dump of a whole wafer. `path` is the file's name in errors.
fn write_to(file: File, path: &Path, image: &Image, sim: &mut Sim) -> Result<(), HostError> {
    let unwritable = |cause| HostError::Unwritable { path: path.to_owned(), cause };
    let memory = csl_machine::chip(image.arch).memory.bytes;
    let touched = sim.touched();
    let (mut out, mut written) = (BufWriter::new(file), crc32fast::Hasher::new());
    let mut put = |bytes: &[u8]| {
        written.update(bytes);
        out.write_all(bytes).map_err(unwritable)
    };
    put(&Core::head(image))?;
    put(&sim.cycle().to_le_bytes())?;
    put(&(touched.len() as u32).to_le_bytes())?;
    for Coord { x, y } in touched {
        let data = sim.read_memory(x, y, 0, memory)?;
        let length = data.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        [x, y, length as u32].iter().try_for_each(|number| put(&number.to_le_bytes()))?;
        put(&data[..length])?;
    }
    out.write_all(&written.finalize().to_le_bytes()).map_err(unwritable)?;
    let file = out.into_inner().map_err(|error| unwritable(error.into_error()))?;
    outdir::secure(&file).map_err(unwritable)
}

/// The bytes of a file, unless it has more than a core file of the program can have.
fn read(path: &Path, image: &Image) -> Result<Vec<u8>, FileError> {
    use std::io::Read;
    // A PE has its place, its length and its memory.
    let of_a_pe = 12 + u64::from(csl_machine::chip(image.arch).memory.bytes);
    let pes = u64::from(image.rect.width) * u64::from(image.rect.height);
    let most = HEAD_BYTES + pes * of_a_pe;
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(FileError::Io)?.take(most + 1).read_to_end(&mut bytes).map_err(FileError::Io)?;
    if bytes.len() as u64 > most {
        return Err(CoreError::TooLong { most }.into());
    }
    Ok(bytes)
}

impl Core {
    /// Opens a core file of the program.
    ///
    /// # Errors
    /// [`HostError::Unreadable`] when the file cannot be read, is no core file, or one of another program.
    pub fn open(path: &Path, image: Image) -> Result<Core, HostError> {
        let opened = read(path, &image).and_then(|bytes| Ok(Core::of(&bytes, image)?));
        opened.map_err(|cause| HostError::Unreadable { path: path.to_owned(), cause })
    }

    /// The bytes that every core file of a program begins with.
    pub fn head(image: &Image) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(checksum(image).to_le_bytes());
        bytes
    }

    /// The core file in these bytes.
    ///
    /// # Errors
    /// The reason why they are no core file of the program.
    pub fn of(bytes: &[u8], image: Image) -> Result<Core, CoreError> {
        let mut begin = bytes.strip_prefix(MAGIC).ok_or(CoreError::NotACore)?;
        match word(&mut begin) {
            Some(VERSION) => {}
            Some(_) => return Err(CoreError::Version),
            None => return Err(CoreError::Changed),
        }
        let body =
            unsealed(bytes).and_then(|whole| whole.get(bytes.len() - begin.len()..)).ok_or(CoreError::Changed)?;
        let (head, tiles) = parse(body).ok_or(CoreError::Damaged)?;
        if head.checksum != checksum(&image) {
            return Err(CoreError::OtherProgram);
        }
        let image = Arc::new(image);
        let fresh = Sim::new(image.clone(), SimOptions::default())?;
        Ok(Core { image, cycle: head.cycle, tiles, fresh })
    }

    /// The program.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The clock cycle at which the file was written.
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// `bytes` bytes of memory from byte address `addr` on, of the PE at a column and row of the whole fabric; `None`
    /// where the program has no such PE.
    pub fn read(&mut self, x: u32, y: u32, addr: u16, bytes: u32) -> Option<Vec<u8>> {
        let place = self.image.to_logical(x, y)?;
        match self.tiles.get(&place) {
            Some(memory) => {
                let at = |i: u32| memory.get(usize::from(addr.wrapping_add(i as u16))).copied().unwrap_or(0);
                Some((0..bytes).map(at).collect())
            }
            None => self.fresh.read_memory(place.x, place.y, addr, bytes).ok(),
        }
    }

    /// The bytes of a named object of the PE at a column and row of the whole fabric.
    ///
    /// # Errors
    /// [`HostError::Name`] when there is no such PE or no such object on it.
    pub fn read_symbol(&mut self, x: u32, y: u32, name: &str) -> Result<Vec<u8>, HostError> {
        let place = self.image.to_logical(x, y);
        let program = place.and_then(|at| self.image.program_at(at.x, at.y)).ok_or(NameError::Pe {
            x,
            y,
            begins: self.image.offset,
        })?;
        let found = program.symbol(name).map(|symbol| (symbol.addr, symbol.size));
        let missing = || NameError::Symbol { x, y, name: name.to_owned() };
        found.and_then(|(addr, size)| self.read(x, y, addr, size)).ok_or_else(|| missing().into())
    }
}

struct Head {
    checksum: u64,
    cycle: u64,
}

type Tiles = HashMap<Coord, Vec<u8>>;

fn parse(mut body: &[u8]) -> Option<(Head, Tiles)> {
    let head = Head { checksum: long(&mut body)?, cycle: long(&mut body)? };
    let count = word(&mut body)?;
    let mut tiles = Tiles::new();
    for _ in 0..count {
        let place = Coord { x: word(&mut body)?, y: word(&mut body)? };
        let length = word(&mut body)? as usize;
        let data = body.get(..length)?;
        body = &body[length..];
        tiles.insert(place, data.to_vec());
    }
    body.is_empty().then_some((head, tiles))
}

fn word(body: &mut &[u8]) -> Option<u32> {
    let (first, rest) = body.split_first_chunk()?;
    *body = rest;
    Some(u32::from_le_bytes(*first))
}

fn long(body: &mut &[u8]) -> Option<u64> {
    let (first, rest) = body.split_first_chunk()?;
    *body = rest;
    Some(u64::from_le_bytes(*first))
}

/// A number that another program, or another compilation of this one, does not have.
fn checksum(image: &Image) -> u64 {
    csl_image::hash(&image.write())
}
