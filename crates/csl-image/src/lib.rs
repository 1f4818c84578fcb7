//! The file format of a compiled program: programs, tiles, routes, names. Writer and reader.
//!
//! A file is the eight bytes of [`MAGIC`], the format's version (a little-endian `u32`), a postcard of [`Image`], and a
//! CRC-32 of all that (a little-endian `u32`).
//! The reader trusts nothing: every index, address and number is checked, so that the machine may take them
//! for granted. Reading never panics, whatever the bytes.

mod check;
mod layout;
mod lookup;
mod origin;
mod program;
mod symbols;

pub use layout::*;
pub use lookup::Carriers;
pub use origin::*;
pub use program::*;
pub use symbols::*;

use std::sync::Arc;

use csl_machine::{Arch, ColorConfig, Coord, Sdk, Size, TileRun};
use serde::{Deserialize, Serialize};

/// First bytes of an image file.
pub const MAGIC: [u8; 8] = *b"WAFERLAB";

/// The version of the format, which grows with every change; other versions are refused.
pub const VERSION: u32 = 10;

/// A compiled layout, ready to load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub origin: Origin,
    pub arch: Arch,
    /// The release of the vendor's SDK that the program was written for: the oldest of its programs'.
    pub sdk: Sdk,
    /// Columns and rows of the whole fabric.
    pub fabric: Size,
    /// Coordinates of the program's rectangle in the fabric.
    pub offset: Coord,
    /// Columns and rows of the program's rectangle.
    pub rect: Size,
    pub memcpy: Option<Memcpy>,
    pub programs: Vec<Arc<PeImage>>,
    /// Runs of tiles by row, then column, without overlap. Coordinates are in the program's rectangle.
    pub tiles: Vec<TileRun>,
    pub routes: Vec<RouteRun>,
    /// The distinct configurations that routes name.
    pub color_configs: Vec<ColorConfig>,
    /// Values that differ between tiles of one program.
    pub patches: Vec<Patch>,
    /// The exports by id.
    pub exports: Vec<Export>,
    /// Params of the layout, for `out.json`: name and value as text.
    pub params: Vec<(String, String)>,
    /// Source files that line tables name.
    pub files: Vec<SourceFile>,
}

/// A source file of the program, so that a changed one is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// The name, relative to the folder of the compilation; `<name>` for a file of the library.
    pub name: String,
    /// [`hash`] of its text.
    pub hash: u64,
}

/// Whether a file, or a place in it such as `<math>:3:1`, is the library's.
pub fn is_library(name: &str) -> bool {
    name.starts_with('<')
}

/// FNV-1a, the same on every machine and in every release.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// The bytes with their CRC-32 behind them. It finds bytes that have changed by accident, such as a bit that has flipped on a
/// disk; it is no protection against who changes them on purpose.
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// The bytes before their CRC-32, unless they have changed.
pub fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let (whole, checksum) = bytes.split_last_chunk()?;
    (crc32fast::hash(whole) == u32::from_le_bytes(*checksum)).then_some(whole)
}

/// The reason why a file is not an image that can be read.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("not a Waferlab image")]
    NotAnImage,
    #[error("image of format version {0}; this Waferlab reads version {VERSION}: compile the program again")]
    Version(u32),
    #[error(
        "damaged image: some of its bytes have changed since it was written, or its end is missing; compile the program again"
    )]
    Changed,
    #[error("damaged image: {0}")]
    Damaged(#[from] postcard::Error),
    #[error("damaged image: {0}")]
    Invalid(String),
}

impl Image {
    /// The bytes of the file.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        sealed(postcard::to_extend(self, bytes).expect("every type of the image has a postcard form"))
    }

    /// Reads a file; everything in the result has been checked.
    pub fn read(bytes: &[u8]) -> Result<Image, ImageError> {
        let body = bytes.strip_prefix(&MAGIC).ok_or(ImageError::NotAnImage)?;
        let (version, body) = body.split_first_chunk::<4>().ok_or(ImageError::NotAnImage)?;
        let version = u32::from_le_bytes(*version);
        if version != VERSION {
            return Err(ImageError::Version(version));
        }
        let body =
            unsealed(bytes).and_then(|whole| whole.get(bytes.len() - body.len()..)).ok_or(ImageError::Changed)?;
        let image: Image = postcard::from_bytes(body)?;
        image.check().map_err(ImageError::Invalid)?;
        Ok(image)
    }

    /// The image without the places of its instructions in the source text and without the hashes of that text: the rest
    /// does not depend on white space.
    #[must_use]
    pub fn without_lines(mut self) -> Image {
        for program in self.programs.iter_mut().map(Arc::make_mut) {
            program.lines.clear();
            for call in &mut program.inlined {
                (call.at.line, call.at.column) = (0, 0);
            }
        }
        self.files.iter_mut().for_each(|file| file.hash = 0);
        self
    }

    /// Checks every index and range.
    pub fn check(&self) -> Result<(), String> {
        check::image(self)
    }
}
