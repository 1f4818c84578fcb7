//! The origin of a program, and the files that the compilation wrote beside the image.
//!
//! The origin stands in the image, so that a reader finds everything in one file.

use csl_machine::Color;
use serde::{Deserialize, Serialize};

use crate::{MAGIC, VERSION};

/// The first field of an image, so that it can be read without the rest. Its first two fields stand in the same place in every
/// format since [`FIRST_WITH_ORIGIN`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The compiler's working directory, absolute: names of source files are relative to it.
    pub folder: String,
    /// Files of the same compilation, by their paths in the output folder.
    pub beside: Vec<String>,
    /// Streams of the host, by port number; programs of `cslc` have none.
    pub streams: Vec<Stream>,
}

/// A stream of the host: the PE that it ends at, in the whole fabric, and the color there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    pub name: String,
    pub flow: Flow,
    pub x: u32,
    pub y: u32,
    pub color: Color,
}

/// The direction of a stream, seen from the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flow {
    In,
    Out,
}

/// The format in which images first had an origin.
const FIRST_WITH_ORIGIN: u32 = 2;

impl Origin {
    /// The files beside an image of this or an earlier format, by their paths in the output folder; `None` when the format is
    /// another, or did not name them.
    pub fn files_beside(bytes: &[u8]) -> Option<Vec<String>> {
        let (version, body) = bytes.strip_prefix(&MAGIC)?.split_first_chunk::<4>()?;
        let is_known = (FIRST_WITH_ORIGIN..=VERSION).contains(&u32::from_le_bytes(*version));
        let read = postcard::take_from_bytes::<(String, Vec<String>)>(body).ok().filter(|_| is_known);
        read.map(|((_, beside), _)| beside)
    }

    /// The origin of an image in a file; `None` when the file is of another format.
    pub fn read(bytes: &[u8]) -> Option<Origin> {
        let (version, body) = bytes.strip_prefix(&MAGIC)?.split_first_chunk::<4>()?;
        let read = postcard::take_from_bytes(body).ok().filter(|_| u32::from_le_bytes(*version) == VERSION);
        read.map(|(origin, _)| origin)
    }
}
