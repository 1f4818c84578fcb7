//! `.npy` files: arrays of numbers of 1 to 8 bytes, little-endian, as numpy writes them (format 1 to 3).

use std::fmt;
use std::io::Read;
use std::path::Path;

use csl_num::{FloatKind, to_f64};

use crate::error::{FileError, HostError};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// The data begin at a multiple of this number of bytes.
const ALIGNMENT: usize = 64;
/// The greatest number of bytes before the data: the header of formats 1 to 3 as numpy writes it is far shorter.
const MOST_HEADER: u64 = 1 << 16;

/// The type of an array's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemType {
    /// `f`, `i` or `u`, as numpy writes them; `b` for bool. 16-bit floats of the formats that numpy does not know are `t` (bf16) and
    /// `c` (cb16): files hold their bits.
    pub kind: char,
    /// The bytes of an item.
    pub bytes: u8,
}

impl ItemType {
    /// The type with a name such as `float32` or `uint16`.
    pub fn from_name(name: &str) -> Option<ItemType> {
        let digits = name.find(|c: char| c.is_ascii_digit())?;
        let bits: u8 = name[digits..].parse().ok()?;
        let kind = match (&name[..digits], bits) {
            ("float", 16 | 32) => 'f',
            ("int", 16 | 32) => 'i',
            ("uint", 16 | 32) => 'u',
            _ => return None,
        };
        Some(ItemType { kind, bytes: bits / 8 })
    }

    /// An item of this type as text.
    pub(crate) fn shown(self, bytes: &[u8]) -> String {
        let bits = bytes.iter().rev().fold(0, |bits: u32, byte| bits << 8 | u32::from(*byte));
        match (self.kind, self.bytes) {
            ('f', 4) => f32::from_bits(bits).to_string(),
            ('f', _) => to_f64(FloatKind::F16, bits.into()).to_string(),
            ('t', _) => to_f64(FloatKind::Bf16, bits.into()).to_string(),
            ('c', _) => to_f64(FloatKind::Cb16, bits.into()).to_string(),
            ('i', 2) => (bits as u16).cast_signed().to_string(),
            ('i', _) => bits.cast_signed().to_string(),
            _ => bits.to_string(),
        }
    }
}

impl fmt::Display for ItemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = 8 * u32::from(self.bytes);
        match self.kind {
            'f' => write!(f, "float{bits}"),
            'i' => write!(f, "int{bits}"),
            'u' => write!(f, "uint{bits}"),
            't' => f.write_str("bf16, in a file the bits as uint16"),
            'c' => f.write_str("cb16, in a file the bits as uint16"),
            _ => f.write_str("bool"),
        }
    }
}

/// The array of a `.npy` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// The type of an item.
    pub item: ItemType,
    /// The lengths, the outermost first.
    pub shape: Vec<usize>,
    /// Whether the first index is the fastest.
    pub is_fortran: bool,
    /// The items, little-endian.
    pub data: Vec<u8>,
}

impl Array {
    pub(crate) fn items(&self) -> usize {
        self.shape.iter().product()
    }

    /// The array of a file that has at most this number of bytes of data.
    pub(crate) fn read(path: &Path, most: u64) -> Result<Array, HostError> {
        let read = read(path, most);
        let parsed = read.and_then(|bytes| Array::of(&bytes).map_err(FileError::Npy));
        parsed.map_err(|cause| HostError::Unreadable { path: path.to_owned(), cause })
    }

    /// Whether what is at a path may be written over with an array: another one, an empty file, or no file.
    pub(crate) fn may_replace(path: &Path) -> bool {
        // A pipe is not to be read.
        if !path.is_file() {
            return true;
        }
        let mut begin = Vec::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut begin));
        read.is_err() || begin.is_empty() || begin == MAGIC
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), HostError> {
        let unwritable = |cause| HostError::Unwritable { path: path.to_owned(), cause };
        std::fs::write(path, self.bytes()).map_err(unwritable)
    }

    /// The array in the bytes of a file.
    ///
    /// # Errors
    /// The reason why there is none.
    pub fn of(bytes: &[u8]) -> Result<Array, NpyError> {
        parse(bytes)
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut shape: String = self.shape.iter().map(|n| format!("{n}, ")).collect();
        shape.truncate(shape.len().saturating_sub(if self.shape.len() > 1 { 2 } else { 1 }));
        let kind = if matches!(self.item.kind, 't' | 'c') { 'u' } else { self.item.kind };
        let size = self.item.bytes;
        let order = if self.is_fortran { "True" } else { "False" };
        let mut header = format!("{{'descr': '<{kind}{size}', 'fortran_order': {order}, 'shape': ({shape}), }}");
        let before = MAGIC.len() + 4;
        let end = (before + header.len() + 1).next_multiple_of(ALIGNMENT);
        header.push_str(&" ".repeat(end - before - header.len() - 1));
        header.push('\n');
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(&self.data);
        bytes
    }
}

/// The bytes of a file, unless it has more than a header and `most` bytes of data; some files never end.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let limit = MOST_HEADER + most;
    std::fs::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(NpyError::TooLong { most }.into());
    }
    Ok(bytes)
}

/// The reason why bytes are no array that can be moved.
#[expect(missing_docs, reason = "the message of a variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NpyError {
    #[error("not a .npy file")]
    NotNpy,
    #[error("a .npy file of version {0}")]
    Version(u8),
    #[error("items of type {0:?}; numbers of 2 or 4 bytes, little-endian, can be moved")]
    ItemType(String),
    #[error("it ends after {found} of {wanted} bytes of data")]
    Short { found: usize, wanted: usize },
    #[error("longer than what the copied PEs can hold, which is {most} bytes")]
    TooLong { most: u64 },
}

fn parse(bytes: &[u8]) -> Result<Array, NpyError> {
    let not_npy = || NpyError::NotNpy;
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(not_npy)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(not_npy)?;
    let (length, rest) = match version[0] {
        1 => rest.split_first_chunk::<2>().map(|(n, rest)| (usize::from(u16::from_le_bytes(*n)), rest)),
        2 | 3 => rest.split_first_chunk::<4>().map(|(n, rest)| (u32::from_le_bytes(*n) as usize, rest)),
        other => return Err(NpyError::Version(other)),
    }
    .ok_or_else(not_npy)?;
    let header = rest.get(..length).and_then(|header| std::str::from_utf8(header).ok()).ok_or_else(not_npy)?;
    let data = &rest[length..];
    let item = item_type(field(header, "descr").ok_or_else(not_npy)?)?;
    let is_fortran = field(header, "fortran_order").is_some_and(|text| text.starts_with("True"));
    let shape = shape(field(header, "shape").ok_or_else(not_npy)?).ok_or_else(not_npy)?;
    let items = shape.iter().try_fold(1usize, |product, n| product.checked_mul(*n)).ok_or_else(not_npy)?;
    let wanted = items.checked_mul(item.bytes.into()).ok_or_else(not_npy)?;
    let data = data.get(..wanted).ok_or(NpyError::Short { found: data.len(), wanted })?;
    Ok(Array { item, shape, is_fortran, data: data.to_vec() })
}

/// The text of the value of a key in the header.
fn field<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}'"))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

fn item_type(text: &str) -> Result<ItemType, NpyError> {
    // A type of numbers is a name in quotes; one of a struct is a list, behind which the next key stands.
    let quoted = text.strip_prefix('\'').and_then(|text| text.split_once('\''));
    let name = quoted.or_else(|| text.split_once(", 'fortran_order'")).map_or(text, |(name, _)| name);
    let refused = || NpyError::ItemType(name.to_owned());
    let number = name.strip_prefix(['<', '|', '=']).ok_or_else(refused)?;
    let kind = number.chars().next().filter(|kind| "fiub".contains(*kind)).ok_or_else(refused)?;
    let bytes: u8 = number[1..].parse().map_err(|_| refused())?;
    matches!(bytes, 1 | 2 | 4 | 8).then_some(ItemType { kind, bytes }).ok_or_else(refused)
}

fn shape(text: &str) -> Option<Vec<usize>> {
    let inner = text.strip_prefix('(')?.split_once(')')?.0;
    inner.split(',').map(str::trim).filter(|n| !n.is_empty()).map(|n| n.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[usize]) -> Array {
        let items: usize = shape.iter().product();
        let data = (0..items as u32).flat_map(|i| i.to_le_bytes()).collect();
        Array { item: ItemType { kind: 'u', bytes: 4 }, shape: shape.to_vec(), is_fortran: false, data }
    }

    #[test]
    fn what_is_written_is_read() {
        for shape in [&[][..], &[3], &[2, 3], &[2, 1, 4]] {
            let array = array(shape);
            let bytes = array.bytes();
            assert_eq!(parse(&bytes), Ok(array));
            assert_eq!(bytes.iter().position(|b| *b == b'\n').map(|end| (end + 1) % ALIGNMENT), Some(0));
        }
    }

    #[test]
    fn the_header_is_numpy_s() {
        let bytes = array(&[3]).bytes();
        let text = String::from_utf8_lossy(&bytes[10..]);
        assert!(text.starts_with("{'descr': '<u4', 'fortran_order': False, 'shape': (3,), }"), "{text}");
    }

    #[test]
    fn damaged_files_are_refused() {
        let good = array(&[2, 3]).bytes();
        for end in 0..good.len() {
            assert!(parse(&good[..end]).is_err(), "{end}");
        }
        let text = String::from_utf8_lossy(&good).into_owned();
        assert_eq!(text.matches("<u4").count(), 1);
        let big: Vec<u8> = good.iter().map(|&b| if b == b'<' { b'>' } else { b }).collect();
        assert!(parse(&big).expect_err("big-endian").to_string().contains(">u4"));
    }
}
