//! Checks of what a host program asks for, before anything moves.

use std::collections::HashSet;

use csl_image::{Export, ExportKind, Exported, Image, ParamType, PeImage, Symbol};
use csl_machine::TileRun;
use csl_sim::{Endpoint, Rect, Sim};

use crate::error::HostError;
use crate::runtime::Copy;
use crate::transfer::Shape;

/// The export of this name.
pub fn named<'a>(image: &'a Image, name: &str) -> Result<&'a Export, HostError> {
    image.exports.iter().find(|export| export.name == name).ok_or_else(|| {
        HostError::argument(format!("the program exports no symbol {name:?}; it exports {}", names(image, |_| true)))
    })
}

/// Id and parameters of the exported function of this name.
pub fn function<'a>(image: &'a Image, name: &str) -> Result<(u16, &'a [ParamType]), HostError> {
    let is_function = |export: &&Export| matches!(export.kind, ExportKind::Function { .. });
    let found = image.exports.iter().find(|export| export.name == name);
    match found.map(|export| (export.id, &export.kind)) {
        Some((id, ExportKind::Function { params })) => Ok((id, params)),
        Some(_) => Err(HostError::argument(format!("{name} is data, not a function that can be called"))),
        None => Err(HostError::argument(format!(
            "the program exports no function {name:?}; it exports {}",
            names(image, is_function)
        ))),
    }
}

fn names(image: &Image, choose: impl Fn(&&Export) -> bool) -> String {
    let list: Vec<&str> = image.exports.iter().filter(choose).map(|export| export.name.as_str()).collect();
    if list.is_empty() { "nothing".to_owned() } else { list.join(", ") }
}

/// What the number that a copy names is, and whether it admits the copy.
pub fn endpoint(image: &Image, number: u32, copy: &Copy, writes: bool) -> Result<Endpoint, HostError> {
    if copy.streaming {
        return color(image, number).map(Endpoint::Color);
    }
    let found = image.exports.iter().find(|export| u32::from(export.id) == number);
    let Some(export) = found else {
        let text =
            format!("no exported symbol has the number {number}; the program exports {}", names(image, |_| true));
        return Err(HostError::argument(text));
    };
    match &export.kind {
        ExportKind::Function { .. } => {
            Err(HostError::argument(format!("{} is a function; data cannot be copied to or from it", export.name)))
        }
        ExportKind::Data { mutable: false, .. } if writes => {
            Err(HostError::argument(format!("{} is exported read-only; the host may not write it", export.name)))
        }
        ExportKind::Data { .. } => match carriers(image, export.id) {
            Carriers { with: 0, .. } => Err(exported_by_none(export)),
            _ => Ok(Endpoint::Symbol(export.id)),
        },
    }
}

/// How many PEs have what the layout exports.
struct Carriers {
    with: u64,
    without: u64,
    /// The first PE without it, by row, then column.
    first: (u32, u32),
}

fn carriers(image: &Image, id: u16) -> Carriers {
    let has: Vec<bool> =
        image.programs.iter().map(|program| program.exports.iter().any(|export| export.id == id)).collect();
    let (with, without): (Vec<&TileRun>, Vec<&TileRun>) = image.tiles.iter().partition(|run| has[run.program]);
    let pes = |runs: &[&TileRun]| runs.iter().map(|run| u64::from(run.len)).sum();
    let first = without.first().map_or((0, 0), |run| (run.x, run.y));
    Carriers { with: pes(&with), without: pes(&without), first }
}

fn exported_by_none(export: &Export) -> HostError {
    let name = &export.name;
    HostError::argument(format!(
        "the layout exports {name}, but no PE has it: its program's `@export_symbol` of {name} is missing"
    ))
}

/// Whether PEs have the exported function; a warning where some have not.
pub fn callable(image: &Image, id: u16) -> Result<Option<String>, HostError> {
    let Some(export) = image.exports.iter().find(|export| export.id == id) else { return Ok(None) };
    let Carriers { with, without, first: (x, y) } = carriers(image, id);
    if with == 0 {
        return Err(exported_by_none(export));
    }
    let all = with + without;
    Ok((without > 0).then(|| {
        format!(
            "{} is called on {with} of {all} PEs: the others, the first of them ({x}, {y}), do not export it",
            export.name
        )
    }))
}

fn color(image: &Image, number: u32) -> Result<u8, HostError> {
    let colors = csl_machine::Arch::from(image.arch).chip().fabric.colors;
    u8::try_from(number).ok().filter(|&color| color < colors).ok_or_else(|| {
        HostError::argument(format!("{number} is not a color to stream on: colors are 0 to {}", colors - 1))
    })
}

/// The rectangle lies in the program's and holds something.
pub fn rect(image: &Image, rect: &Rect) -> Result<(), HostError> {
    let Rect { x, y, w, h, step_x, step_y } = *rect;
    if step_x == 0 || step_y == 0 {
        return Err(HostError::argument("row_stride and col_stride must be 1 or more"));
    }
    if w == 0 || h == 0 {
        return Err(HostError::argument(format!("a rectangle of {w} x {h} PEs holds nothing")));
    }
    let size = image.rect;
    let inside = |from: u32, length: u32, all: u32| from.checked_add(length).is_some_and(|end| end <= all);
    if inside(x, w, size.width) && inside(y, h, size.height) {
        return Ok(());
    }
    Err(HostError::argument(format!(
        "the rectangle of {w} x {h} PEs at ({x}, {y}) reaches outside the program's {} x {} PEs",
        size.width, size.height
    )))
}

/// The host array has as many words as the copy moves; a warning where it has more.
pub fn host_words(method: &str, room: usize, shape: Shape) -> Result<Option<String>, HostError> {
    let Shape { h, w, l } = shape;
    match shape.words() {
        Some(0) => Err(HostError::argument(format!("{method}: a copy of 0 elements moves nothing"))),
        Some(needed) if needed == room => Ok(None),
        Some(needed) if needed < room => Ok(Some(format!(
            "{method}: {h} x {w} PEs with {l} elements each are {needed} items, the first of the host array's {room}"
        ))),
        Some(needed) => Err(HostError::argument(format!(
            "{method}: {h} x {w} PEs with {l} elements each are {needed} items, but the host array has {room}"
        ))),
        None => Err(HostError::argument(format!("{method}: {h} x {w} PEs with {l} elements each are too many"))),
    }
}

/// A warning when a copy reaches beyond the object that the symbol's pointer points into: on the copy's first PE of each
/// program.
pub fn extent(image: &Image, sim: &mut Sim, id: u16, copy: &Copy) -> Option<String> {
    let mut seen = HashSet::new();
    let places = image.tiles.iter().filter_map(|run| Some((first_within(run, &copy.rect)?, run.program)));
    let mut of_each = places.filter(|(_, program)| seen.insert(*program)).take(MOST_PROGRAMS);
    of_each.find_map(|(place, _)| extent_at(image, sim, id, copy, place))
}

/// Programs that a copy's extent is checked on: where every PE has one of its own, they are alike.
const MOST_PROGRAMS: usize = 64;

/// The first PE of a run that a copy to `rect` visits.
fn first_within(run: &TileRun, rect: &Rect) -> Option<(u32, u32)> {
    let row = run.y.checked_sub(rect.y).filter(|row| *row < rect.h && row % rect.step_y == 0)?;
    let column = run.x.saturating_sub(rect.x).next_multiple_of(rect.step_x);
    let x = rect.x + column;
    (column < rect.w && x < run.x + run.len).then_some((x, rect.y + row))
}

fn extent_at(image: &Image, sim: &mut Sim, id: u16, copy: &Copy, (x, y): (u32, u32)) -> Option<String> {
    let program = program_at(image, x, y)?;
    let exported = program.exports.iter().find(|export| export.id == id)?;
    let Exported::Symbol(index) = exported.what else { return None };
    let pointer = program.symbols.get(index as usize)?;
    let bytes = sim.read_memory(x, y, pointer.addr, 2).ok()?;
    let address = u16::from_le_bytes(bytes.try_into().ok()?);
    let object = object_at(program, address)?;
    let room = u32::from(object.addr) + object.size - u32::from(address);
    let needed = copy.per_pe.checked_mul(copy.width.bytes())?;
    (needed > room).then(|| {
        format!(
            "copy of {} elements ({needed} bytes) a PE to or from {}: {} has room for {room} bytes there",
            copy.per_pe, exported.name, object.name
        )
    })
}

/// The program of a PE, by its place in the program's rectangle.
pub fn program_at(image: &Image, x: u32, y: u32) -> Option<&PeImage> {
    let run = image.tiles.iter().find(|run| run.y == y && (run.x..run.x + run.len).contains(&x))?;
    image.programs.get(run.program.index()).map(|program| &**program)
}

/// Bytes from an address to the end of the object that it lies in.
pub fn room_at(program: &PeImage, address: u16) -> Option<u32> {
    object_at(program, address).map(|object| u32::from(object.addr) + object.size - u32::from(address))
}

fn object_at(program: &PeImage, address: u16) -> Option<&Symbol> {
    program.symbols.iter().find(|s| s.addr <= address && u32::from(address) < u32::from(s.addr) + s.size)
}
