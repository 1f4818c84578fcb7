//! Places the program's rectangle in the fabric, with room for memcpy's own PEs around it.
//!
//! The margins are a rule of the memcpy infrastructure: its command and buffer PEs stand west and east of the
//! program and one row stays free north and south of it (`csl-machine`, `Memcpy::margins`).

use csl_diag::{Code, Diagnostic};
use csl_machine::{Coord, MOST_FABRIC_SIDE, Margins, Size};

use crate::options::Options;

/// The fabric and the program's place in it, in PEs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Columns and rows.
    pub fabric: Size,
    /// The program's north-west PE.
    pub offset: Coord,
}

/// PEs that must stay free on each side of the program.
#[derive(Clone, Copy)]
struct Room {
    west: u32,
    east: u32,
    north: u32,
    south: u32,
}

/// Places a program of `size` PEs.
///
/// # Errors
/// A diagnostic for each fault: in the program's place, and in the size of the fabric.
pub fn place(options: &Options, size: Size) -> Result<Placement, Vec<Diagnostic>> {
    let room = room(options);
    let offset = offset(options);
    let needed = size.around(offset, margins(options));
    let fabric = options.fabric_dims.unwrap_or(needed);
    let mut found = Vec::new();
    check_offset(offset, room, options, &mut found);
    match fabric.width.max(fabric.height).max(needed.width).max(needed.height) {
        side if side > MOST_FABRIC_SIDE => found.push(too_long(side)),
        _ => check_size(fabric, needed, size, options, &mut found),
    }
    match found.is_empty() {
        true => Ok(Placement { fabric, offset }),
        false => Err(found),
    }
}

/// The program's north-west PE.
pub(crate) fn offset(options: &Options) -> Coord {
    let room = room(options);
    options.fabric_offsets.unwrap_or(Coord { x: room.west, y: room.north })
}

/// Columns and rows that stay free east and south of the program.
pub(crate) fn margins(options: &Options) -> Size {
    let room = room(options);
    Size { width: room.east, height: room.south }
}

fn room(options: &Options) -> Room {
    if !options.memcpy {
        return Room { west: 0, east: 0, north: 0, south: 0 };
    }
    let Margins { west, east, north, south } = options.arch.chip().memcpy.margins;
    Room {
        west: u32::from(west) + options.west_buffer,
        east: u32::from(east) + options.east_buffer,
        north: u32::from(north),
        south: u32::from(south),
    }
}

fn check_offset(offset: Coord, room: Room, options: &Options, found: &mut Vec<Diagnostic>) {
    if offset.x >= room.west && offset.y >= room.north {
        return;
    }
    let text = format!("the program at --fabric-offsets={},{} leaves no room for memcpy's own PEs", offset.x, offset.y);
    let (x, y) = (offset.x.max(room.west), offset.y.max(room.north));
    found.push(
        Diagnostic::unplaced(Code::BadRectangle, text)
            .note(reason("west", room.west, options.west_buffer))
            .note(format!("memcpy takes {} row north of the program", room.north))
            .help(format!("use --fabric-offsets={x},{y}")),
    );
}

fn check_size(fabric: Size, needed: Size, size: Size, options: &Options, found: &mut Vec<Diagnostic>) {
    if fabric.holds(needed) {
        return;
    }
    let room = room(options);
    let text = format!("the program does not fit in a fabric of {}x{} PEs", fabric.width, fabric.height);
    let mut diagnostic = Diagnostic::unplaced(Code::BadRectangle, text)
        .note(format!("its rectangle has {}x{} PEs", size.width, size.height))
        .help(format!(
            "use --fabric-dims={},{} or more",
            needed.width.max(fabric.width),
            needed.height.max(fabric.height)
        ));
    if options.memcpy {
        diagnostic = diagnostic
            .note(reason("east", room.east, options.east_buffer))
            .note(format!("memcpy takes {} row south of the program", room.south));
    }
    found.push(diagnostic);
}

fn too_long(side: u32) -> Diagnostic {
    Diagnostic::unplaced(Code::BadRectangle, format!("a fabric with {side} PEs on a side is not possible"))
        .note(format!("there are at most {MOST_FABRIC_SIDE}, those of memcpy and its buffers included"))
}

fn reason(side: &str, columns: u32, buffer: u32) -> String {
    match buffer {
        0 => format!("memcpy takes {columns} columns {side} of the program"),
        _ => format!("memcpy takes {columns} columns {side} of the program, {buffer} of them for --width-{side}-buf"),
    }
}
