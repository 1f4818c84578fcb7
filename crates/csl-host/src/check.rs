//! Checks of what a host program asks for, before anything moves.

use csl_image::{Export, ExportKind, Exported, Image, ParamType, PeImage, Symbol};
use csl_sim::{Endpoint, Rect, Sim, Width};

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
        ExportKind::Data { elem_bytes, .. } => {
            item_size(export, *elem_bytes, copy.width)?;
            Ok(Endpoint::Symbol(export.id))
        }
    }
}

fn color(image: &Image, number: u32) -> Result<u8, HostError> {
    let colors = csl_chip::Arch::from(image.arch).chip().fabric.colors;
    u8::try_from(number).ok().filter(|&color| color < colors).ok_or_else(|| {
        HostError::argument(format!("{number} is not a color to stream on: colors are 0 to {}", colors - 1))
    })
}

/// A 16-bit copy of 32-bit elements, or the reverse, would scatter the data.
fn item_size(export: &Export, elem_bytes: u8, width: Width) -> Result<(), HostError> {
    let (name, ty) = (&export.name, &export.ty);
    match (elem_bytes, width) {
        (4, Width::Bits16) => Err(HostError::argument(format!(
            "{name} is {ty}, with elements of 32 bits, but the copy is of MEMCPY_16BIT"
        ))),
        (2, Width::Bits32) => Err(HostError::argument(format!(
            "{name} is {ty}, with elements of 16 bits, but the copy is of MEMCPY_32BIT"
        ))),
        _ => Ok(()),
    }
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

/// The host array has as many words as the copy moves.
pub fn host_words(method: &str, room: usize, shape: Shape) -> Result<(), HostError> {
    let Shape { h, w, l } = shape;
    match shape.words() {
        Some(0) => Err(HostError::argument(format!("{method}: a copy of 0 elements moves nothing"))),
        Some(needed) if needed <= room => Ok(()),
        Some(needed) => Err(HostError::argument(format!(
            "{method}: {h} x {w} PEs with {l} elements each are {needed} items, but the host array has {room}"
        ))),
        None => Err(HostError::argument(format!("{method}: {h} x {w} PEs with {l} elements each are too many"))),
    }
}

/// A warning when a copy reaches beyond the object that the symbol's pointer points into, on the copy's first PE.
pub fn extent(image: &Image, sim: &mut Sim, id: u16, copy: &Copy) -> Option<String> {
    let (x, y) = (copy.rect.x, copy.rect.y);
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
    image.programs.get(run.program as usize).map(|program| &**program)
}

/// Bytes from an address to the end of the object that it lies in.
pub fn room_at(program: &PeImage, address: u16) -> Option<u32> {
    object_at(program, address).map(|object| u32::from(object.addr) + object.size - u32::from(address))
}

fn object_at(program: &PeImage, address: u16) -> Option<&Symbol> {
    program.symbols.iter().find(|s| s.addr <= address && u32::from(address) < u32::from(s.addr) + s.size)
}
