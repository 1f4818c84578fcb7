//! Warnings about requests that the machine takes but that may not do what the host program means.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use csl_image::{Carriers, ColorEnds, Export, ExportKind, Flow, Image, PeImage};
use csl_machine::{Color, Coord, TileRun};
use csl_sim::{Copy, Endpoint, Rect, Shape, Sim};

/// The host's array has more items than the copy moves.
pub(crate) fn surplus(method: &str, shape: Shape, room: usize) -> Option<String> {
    let needed = shape.items()?;
    (needed < room).then(|| format!("{method}: {shape} are {needed} items, the first of the host array's {room}"))
}

/// The host writes what the layout exports for it to read.
pub(crate) fn read_only(image: &Image, endpoint: Endpoint) -> Option<String> {
    let Endpoint::Symbol(id) = endpoint else { return None };
    let export = image.export(id).filter(|export| matches!(export.kind, ExportKind::Data { mutable: false, .. }))?;
    let name = &export.name;
    Some(format!(
        "{name} is exported for the host to read only, and is written all the same; `@export_name(\"{name}\", .., true)` \
         lets the host write it"
    ))
}

/// A warning where some PEs lack the exported function that is called on all; `None` where all have it.
pub(crate) fn partial_call(image: &Image, id: u16) -> Option<String> {
    let Carriers { with, without, first_without } = image.carriers(id);
    let (name, Coord { x, y }, all) = (&image.export(id)?.name, first_without?, with + without);
    Some(format!("{name} is called on {with} of {all} PEs: the others, the first of them ({x}, {y}), do not export it"))
}

/// A stream is of a color that no program takes or sends on. Where a program takes colors that are known at run time only, all
/// may be right.
pub(crate) fn stream(image: &Image, color: Color, flow: Flow) -> Option<String> {
    let may_use = |program: &Arc<PeImage>| program.ends.as_ref().is_none_or(|ends| used(ends, flow).contains(&color));
    if image.programs.iter().any(may_use) {
        return None;
    }
    // What no route leads from or to other PEs, the host alone can send or take.
    let all = image.programs.iter().filter_map(|program| program.ends.as_ref()).flat_map(|ends| used(ends, flow));
    let set_by_programs = image.programs.iter().flat_map(|program| &program.colors).map(|(color, _)| *color);
    let routed: BTreeSet<Color> = image.routes.iter().map(|run| run.color).chain(set_by_programs).collect();
    let free: BTreeSet<Color> = all.copied().filter(|color| !routed.contains(color)).collect();
    let free: Vec<String> = free.iter().map(Color::to_string).collect();
    let (does, can) = match flow {
        Flow::In => ("takes", "send"),
        Flow::Out => ("sends", "receive"),
    };
    let others = match free.as_slice() {
        [] => format!(", nor any others that the host could {can}"),
        [one] => format!("; those that the host can {can} are of color {one}"),
        all => format!("; those that the host can {can} are of colors {}", all.join(", ")),
    };
    let symbol = image.export(color.number().into()).filter(|export| export.params().is_none());
    let symbol = symbol.map_or_else(String::new, |Export { name, .. }| {
        format!(" ({color} is also the number of {name}, but a copy to or from a symbol is no stream)")
    });
    Some(format!("no PE {does} wavelets of color {color}{others}{symbol}"))
}

/// The colors that a program takes, or sends on.
fn used(ends: &ColorEnds, flow: Flow) -> &[Color] {
    match flow {
        Flow::In => &ends.received,
        Flow::Out => &ends.sent,
    }
}

/// A copy reaches beyond the object that the symbol's pointer points into; checked on the copy's first PE of each
/// program.
pub(crate) fn extent(image: &Image, sim: &mut Sim, endpoint: Endpoint, copy: &Copy) -> Option<String> {
    let Endpoint::Symbol(id) = endpoint else { return None };
    let mut seen = HashSet::new();
    let places = image.tiles.iter().filter_map(|run| Some((first_within(run, &copy.rect)?, run.program)));
    let mut of_each = places.filter(|(_, program)| seen.insert(*program)).take(MOST_PROGRAMS);
    of_each.find_map(|(place, _)| extent_at(image, sim, id, copy, place))
}

/// The greatest number of programs on which a copy's extent is checked. Where every PE has a program of its own, they
/// are alike.
const MOST_PROGRAMS: usize = 64;

/// The first PE of a run that a copy to `rect` visits.
fn first_within(run: &TileRun, rect: &Rect) -> Option<Coord> {
    let row = run.y.checked_sub(rect.y).filter(|row| *row < rect.h && row % rect.step_y == 0)?;
    let column = run.x.saturating_sub(rect.x).next_multiple_of(rect.step_x);
    let x = rect.x + column;
    (column < rect.w && x < run.x + run.len).then_some(Coord { x, y: rect.y + row })
}

fn extent_at(image: &Image, sim: &mut Sim, id: u16, copy: &Copy, Coord { x, y }: Coord) -> Option<String> {
    let (program, name) = (image.program_at(x, y)?, &image.export(id)?.name);
    let pointer = program.exported_symbol(id)?;
    let bytes = sim.read_memory(x, y, pointer.addr, 2).ok()?;
    let address = u16::from_le_bytes(bytes.try_into().ok()?);
    let object = program.symbol_at(address)?;
    let room = object.room_from(address)?;
    let needed = copy.per_pe.checked_mul(copy.width.bytes())?;
    (needed > room).then(|| {
        format!(
            "copy of {} elements ({needed} bytes) a PE to or from {}: {} has room for {room} bytes there",
            copy.per_pe, name, object.name
        )
    })
}
