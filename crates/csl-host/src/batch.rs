//! Runs a compiled program without a host program: copies from and to `.npy` files and launches, in order.

use std::path::{Path, PathBuf};

use csl_image::{ExportKind, Image};
use csl_machine::{Chip, Coord};
use csl_num::FloatKind;
use csl_sim::{Copy, Ending, Endpoint, Order, Rect, Spread, Width};

use crate::arguments::Argument;
use crate::error::{ArgumentError, HostError};
pub use crate::npy::{Array, ItemType};
use crate::outdir::{is_of_program, resolved};
use crate::runtime::Runtime;

/// One step of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// From a file to a symbol.
    H2d(FileCopy),
    /// From a symbol to a file.
    D2h(FileCopy),
    /// A call of an exported function on every PE.
    Launch {
        /// Its exported name.
        function: String,
        /// One for each parameter.
        arguments: Vec<Argument>,
    },
}

/// A copy between a file and a symbol, on the command line `SYMBOL=FILE[:TYPE][:N][@X,Y,W,H]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FileCopy {
    /// The exported name.
    pub symbol: String,
    /// A `.npy` file; `-` for a copy from a symbol that is printed.
    pub file: PathBuf,
    /// The type of the items in the file; `None` takes the type that the symbol is exported with.
    pub item: Option<ItemType>,
    /// Elements of a PE; `None` takes the number that the file or the symbol's array holds.
    pub per_pe: Option<u32>,
    /// Column, row, columns and rows, in PEs; `None` takes every PE of the program.
    pub rect: Option<(u32, u32, u32, u32)>,
}

/// Parses a copy.
///
/// # Errors
/// The form of a copy, or the part of `text` that is wrong.
pub fn parse_copy(text: &str) -> Result<FileCopy, String> {
    let wrong = || format!("`{text}` is not of the form SYMBOL=FILE[:TYPE][:N][@X,Y,W,H]");
    let (symbol, rest) = text.split_once('=').filter(|(symbol, _)| !symbol.is_empty()).ok_or_else(wrong)?;
    let (rest, rect) = match rest.rsplit_once('@') {
        Some((_, rect)) if rect.split(',').map(str::trim).any(|n| is_number(n) && n.parse::<u32>().is_err()) => {
            return Err(format!("`{text}`: no program has as many PEs as the rectangle {rect}"));
        }
        Some((rest, rect)) => (rest, Some(parse_rect(rect).ok_or_else(wrong)?)),
        None => (rest, None),
    };
    let mut parts = rest.split(':');
    let file = parts.next().filter(|file| !file.is_empty()).ok_or_else(wrong)?;
    let (mut item, mut per_pe) = (None, None);
    for part in parts {
        match (ItemType::from_name(part), part.parse::<u32>()) {
            (Some(found), _) if item.is_none() => item = Some(found),
            (None, Ok(count)) if per_pe.is_none() => per_pe = Some(count),
            _ if per_pe.is_none() && is_number(part) => {
                return Err(format!("`{text}`: no PE has memory for {part} elements"));
            }
            _ => return Err(format!("`{text}`: `{part}` is neither a type such as float32 or uint16 nor a count")),
        }
    }
    Ok(FileCopy { symbol: symbol.to_owned(), file: file.into(), item, per_pe, rect })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_rect(text: &str) -> Option<(u32, u32, u32, u32)> {
    let numbers: Option<Vec<u32>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[x, y, w, h]) => Some((x, y, w, h)),
        _ => None,
    }
}

/// Parses `FUNCTION` or `FUNCTION:ARGUMENT,ARGUMENT`.
///
/// # Errors
/// The form of a launch, or the word that is no number.
pub fn parse_launch(text: &str) -> Result<(String, Vec<Argument>), String> {
    let (function, list) = text.split_once(':').unwrap_or((text, ""));
    if function.is_empty() {
        return Err(format!("`{text}` is not of the form FUNCTION or FUNCTION:ARGUMENT,ARGUMENT"));
    }
    let arguments: Result<Vec<Argument>, String> =
        list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(parse_argument).collect();
    Ok((function.to_owned(), arguments?))
}

fn parse_argument(word: &str) -> Result<Argument, String> {
    let hexadecimal = word.strip_prefix("0x").map(|digits| i128::from_str_radix(digits, 16));
    match (word, hexadecimal, word.parse::<i128>(), word.parse::<f64>()) {
        ("true", ..) => Ok(Argument::Bool(true)),
        ("false", ..) => Ok(Argument::Bool(false)),
        (_, Some(Ok(value)), ..) | (_, _, Ok(value), _) => Ok(Argument::Int(value)),
        (_, _, _, Ok(value)) => Ok(Argument::Float(value)),
        _ => Err(format!("`{word}` is not a number")),
    }
}

/// Looks, before a run, at the files that its steps are to write.
///
/// # Errors
/// [`HostError::Argument`] for a file of the compiled program in `folder`, for one of `others`, each with its name in words,
/// for two results in one file, and for a file that exists and is no array of numpy: it is the user's.
pub fn check_results(folder: &Path, steps: &[Step], others: &[(PathBuf, &'static str)]) -> Result<(), HostError> {
    let mut taken: Vec<(PathBuf, &str)> = others.iter().map(|(path, what)| (resolved(path), *what)).collect();
    let results = steps.iter().filter_map(|step| match step {
        Step::D2h(copy) if copy.file.as_os_str() != "-" => Some(&copy.file),
        _ => None,
    });
    for file in results {
        let path = resolved(file);
        let what = match taken.iter().find(|(known, _)| *known == path) {
            Some((_, what)) => what,
            None if is_of_program(folder, &path) => "a file of the compiled program",
            None if !Array::may_replace(&path) => "there, and no array of numpy",
            None => {
                if !path.exists() || path.is_file() {
                    taken.push((path, "the file of another --d2h"));
                }
                continue;
            }
        };
        return Err(ArgumentError::Taken { file: file.clone(), what }.into());
    }
    Ok(())
}

/// Does the steps, then waits for the end of the run, and returns how it ended. `say` gets a line on each finished
/// step.
///
/// # Errors
/// Those of the runtime's calls, [`HostError::Unreadable`] and [`HostError::Unwritable`] for files, and
/// [`HostError::Argument`] when a file's items cannot be dealt out. The first error ends the run.
pub fn run(runtime: &mut Runtime, steps: &[Step], mut say: impl FnMut(&str)) -> Result<Ending, HostError> {
    runtime.load()?;
    runtime.run()?;
    for step in steps {
        let done = match step {
            Step::H2d(copy) => h2d(runtime, copy),
            Step::D2h(copy) => d2h(runtime, copy),
            Step::Launch { function, arguments } => launch(runtime, function, arguments),
        };
        let text = logged(runtime, done)?;
        runtime.take_warnings().iter().for_each(|warning| say(&format!("warning: {warning}")));
        say(&text);
    }
    let stopped = runtime.stop();
    logged(runtime, stopped)
}

/// What a part of the run has given, with its events written to the log. Its own error goes before the log's.
fn logged<T>(runtime: &mut Runtime, done: Result<T, HostError>) -> Result<T, HostError> {
    match done {
        Ok(value) => runtime.flush_log().map(|()| value),
        Err(error) => {
            runtime.flush_log_beside_an_error();
            Err(error)
        }
    }
}

/// Calls the function and waits until every PE has begun it. Returns a line on it.
///
/// # Errors
/// Those of [`run`].
pub fn launch(runtime: &mut Runtime, function: &str, arguments: &[Argument]) -> Result<String, HostError> {
    let task = runtime.launch(function, arguments)?;
    runtime.wait(task)?;
    Ok(format!("launched {function}"))
}

pub(crate) fn h2d(runtime: &mut Runtime, copy: &FileCopy) -> Result<String, HostError> {
    let image = runtime.image();
    let pes = u64::from(image.rect.width) * u64::from(image.rect.height);
    let most = pes * u64::from(csl_machine::chip(image.arch).memory.bytes);
    let array = Array::read(&copy.file, most)?;
    send(runtime, copy, &array)
}

/// Deals an array out to the PEs as if it were read from the copy's file. Returns a line on it.
///
/// # Errors
/// Those of [`run`].
pub fn send(runtime: &mut Runtime, copy: &FileCopy, array: &Array) -> Result<String, HostError> {
    let item = array.item;
    let target = runtime.id(&copy.symbol)?;
    let own = exported_type(runtime.image(), target)?;
    let is_taken = match copy.item {
        Some(wanted) => wanted == item,
        // The sign makes no difference to the bits, and bits are what files hold of floats that numpy does not know.
        None => (item.bytes, item.kind == 'f') == (own.bytes, own.kind == 'f'),
    };
    if !is_taken {
        let (file, symbol) = (copy.file.clone(), copy.symbol.clone());
        return Err(ArgumentError::ItemType { file, item, symbol, wanted: copy.item.unwrap_or(own) }.into());
    }
    let rect = rect(runtime.image(), copy);
    let pes = rect.len();
    let per_pe = copy.per_pe.map_or(array.items().checked_div(pes).unwrap_or(0), |count| count as usize);
    if per_pe * pes != array.items() {
        let (file, items, Rect { w, h, .. }) = (copy.file.clone(), array.items(), rect);
        return Err(ArgumentError::Share { file, items, w, h, per_pe: copy.per_pe }.into());
    }
    let words = words(array).ok_or_else(|| ArgumentError::FileItems { file: copy.file.clone(), bytes: item.bytes })?;
    let order = if array.is_fortran { Order::ColMajor } else { Order::RowMajor };
    let plan = plan(runtime.image().arch.chip(), rect, per_pe, item, order)?;
    let task = runtime.h2d(Endpoint::Symbol(target), words, &plan, Spread::Each)?;
    runtime.wait(task)?;
    Ok(format!("{} -> {}: {per_pe} a PE on {} x {} PEs", copy.file.display(), copy.symbol, rect.w, rect.h))
}

fn d2h(runtime: &mut Runtime, copy: &FileCopy) -> Result<String, HostError> {
    let (array, line) = fetch(runtime, copy)?;
    if copy.file.as_os_str() == "-" {
        let rect = rect(runtime.image(), copy);
        return Ok(printed(&copy.symbol, &rect, array.item, &array.data, array.shape[2]));
    }
    array.write(&copy.file)?;
    Ok(line)
}

/// The array of shape (rows, columns, elements) that the copy would write to its file, and a line on it.
///
/// # Errors
/// Those of [`run`].
pub fn fetch(runtime: &mut Runtime, copy: &FileCopy) -> Result<(Array, String), HostError> {
    let id = runtime.id(&copy.symbol)?;
    let item = copy.item.map_or_else(|| exported_type(runtime.image(), id), Ok)?;
    let rect = rect(runtime.image(), copy);
    rect.check_within(runtime.image().rect)?;
    let per_pe = match copy.per_pe {
        Some(count) => count as usize,
        None => elements(runtime, id, &rect, item)?,
    };
    let plan = plan(runtime.image().arch.chip(), rect, per_pe, item, Order::RowMajor)?;
    let task = runtime.d2h(Endpoint::Symbol(id), rect.len() * per_pe, &plan)?;
    runtime.wait(task)?;
    let bytes = usize::from(item.bytes);
    let mut data = Vec::with_capacity(rect.len() * per_pe * bytes);
    for (_, words) in runtime.take_arrived() {
        words.iter().for_each(|word| data.extend_from_slice(&word.to_le_bytes()[..bytes]));
    }
    let shape = vec![rect.rows() as usize, rect.columns() as usize, per_pe];
    let line = format!("{} -> {}: {per_pe} a PE of {} x {} PEs", copy.symbol, copy.file.display(), rect.w, rect.h);
    Ok((Array { item, shape, is_fortran: false, data }, line))
}

/// The elements as text: a line for each PE, with its place where there are several.
fn printed(symbol: &str, rect: &Rect, item: ItemType, data: &[u8], per_pe: usize) -> String {
    let elements: Vec<String> = data.chunks_exact(item.bytes.into()).map(|bytes| item.shown(bytes)).collect();
    let of_pes = elements.chunks(per_pe.max(1)).map(|of_pe| of_pe.join(" "));
    match rect.len() {
        1 => of_pes.map(|values| format!("{symbol}: {values}")).collect(),
        _ => {
            let lines = (0..).zip(of_pes).map(|(index, values)| {
                let Coord { x, y } = rect.at(index);
                format!("{symbol} of {x},{y}: {values}")
            });
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

fn rect(image: &Image, copy: &FileCopy) -> Rect {
    let (x, y, w, h) = copy.rect.unwrap_or((0, 0, image.rect.width, image.rect.height));
    Rect::new(x, y, w, h)
}

fn plan(chip: &Chip, rect: Rect, per_pe: usize, item: ItemType, order: Order) -> Result<Copy, HostError> {
    let width = match item.bytes {
        2 => Width::Bits16,
        4 => Width::Bits32,
        bytes => return Err(ArgumentError::Items { bytes }.into()),
    };
    let memory = chip.memory.bytes;
    let fits = |count: &u32| u64::from(*count) * u64::from(item.bytes) <= u64::from(memory);
    let (elements, bytes) = (per_pe, item.bytes);
    match u32::try_from(per_pe).ok().filter(fits) {
        Some(per_pe) => Ok(Copy { rect, per_pe, width, order }),
        None => Err(ArgumentError::TooManyElements { elements, bytes, memory }.into()),
    }
}

/// The array's items, one 32-bit word each; `None` for items of other sizes than 2 and 4 bytes.
fn words(array: &Array) -> Option<Vec<u32>> {
    let little = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    matches!(array.item.bytes, 2 | 4).then(|| array.data.chunks_exact(array.item.bytes.into()).map(little).collect())
}

fn exported_type(image: &Image, id: u16) -> Result<ItemType, HostError> {
    match image.export(id).map(|export| &export.kind) {
        Some(&ExportKind::Data { elem_bytes, is_float, is_signed, .. }) => {
            let kind = if is_float && elem_bytes == 2 {
                match image.half() {
                    FloatKind::Bf16 => 't',
                    FloatKind::Cb16 => 'c',
                    _ => 'f',
                }
            } else if is_float {
                'f'
            } else if is_signed {
                'i'
            } else {
                'u'
            };
            Ok(ItemType { kind, bytes: elem_bytes })
        }
        _ => Err(ArgumentError::CopiedFunction.into()),
    }
}

/// The number of elements between the symbol's pointer and the end of its array, on the first PE.
fn elements(runtime: &mut Runtime, id: u16, rect: &Rect, item: ItemType) -> Result<usize, HostError> {
    let unknown = || ArgumentError::UnknownExtent;
    let program = runtime.image().program_at(rect.x, rect.y).cloned().ok_or_else(unknown)?;
    let own = program.exported_symbol(id).ok_or_else(unknown)?;
    let Coord { x, y } = runtime.to_physical(rect.x, rect.y);
    let pointer = runtime.read_symbol(x, y, &own.name)?;
    let bytes = match (pointer.as_slice(), own.ty.starts_with(['*', '['])) {
        (&[low, high], true) => {
            let data = u16::from_le_bytes([low, high]);
            program.symbol_at(data).and_then(|object| object.room_from(data)).ok_or_else(unknown)?
        }
        _ => own.size,
    };
    Ok(bytes as usize / usize::from(item.bytes.max(1)))
}
