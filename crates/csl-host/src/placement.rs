//! Places the program's rectangle in the fabric, with room for memcpy's own PEs around it.
//!
//! The margins are a rule of the memcpy infrastructure: its command and buffer PEs stand west and east of the
//! program and one row stays free north and south of it (`csl-machine`, `Memcpy::margins`).

use csl_diag::{Code, Diagnostic};
use csl_machine::Margins;

use crate::options::Options;

/// The fabric and the program's place in it, in PEs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Columns and rows.
    pub fabric: (u32, u32),
    /// Column and row of the program's north-west PE.
    pub offset: (u32, u32),
}

/// PEs that must stay free on each side of the program.
#[derive(Clone, Copy)]
struct Room {
    west: u32,
    east: u32,
    north: u32,
    south: u32,
}

/// Places a program of `width` x `height` PEs.
///
/// # Errors
/// A diagnostic for each fault: in the program's place, and in the size of the fabric.
pub fn place(options: &Options, width: u32, height: u32) -> Result<Placement, Vec<Diagnostic>> {
    let room = room(options);
    let offset = offset(options);
    let needed = (offset.0 + width + room.east, offset.1 + height + room.south);
    let fabric = options.fabric_dims.unwrap_or(needed);
    let mut found = Vec::new();
    check_offset(offset, room, options, &mut found);
    check_size(fabric, needed, (width, height), options, &mut found);
    match found.is_empty() {
        true => Ok(Placement { fabric, offset }),
        false => Err(found),
    }
}

/// Column and row of the program's north-west PE.
pub(crate) fn offset(options: &Options) -> (u32, u32) {
    let room = room(options);
    options.fabric_offsets.unwrap_or((room.west, room.north))
}

/// PEs that stay free east and south of the program.
pub(crate) fn margins(options: &Options) -> (u32, u32) {
    let room = room(options);
    (room.east, room.south)
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

fn check_offset(offset: (u32, u32), room: Room, options: &Options, found: &mut Vec<Diagnostic>) {
    if offset.0 >= room.west && offset.1 >= room.north {
        return;
    }
    let text = format!("the program at --fabric-offsets={},{} leaves no room for memcpy's own PEs", offset.0, offset.1);
    let (x, y) = (offset.0.max(room.west), offset.1.max(room.north));
    found.push(
        Diagnostic::unplaced(Code::BadRectangle, text)
            .note(reason("west", room.west, options.west_buffer))
            .note(format!("memcpy takes {} row north of the program", room.north))
            .help(format!("use --fabric-offsets={x},{y}")),
    );
}

fn check_size(
    fabric: (u32, u32),
    needed: (u32, u32),
    size: (u32, u32),
    options: &Options,
    found: &mut Vec<Diagnostic>,
) {
    if fabric.0 >= needed.0 && fabric.1 >= needed.1 {
        return;
    }
    let room = room(options);
    let text = format!("the program does not fit in a fabric of {}x{} PEs", fabric.0, fabric.1);
    let mut diagnostic = Diagnostic::unplaced(Code::BadRectangle, text)
        .note(format!("its rectangle has {}x{} PEs", size.0, size.1))
        .help(format!("use --fabric-dims={},{} or more", needed.0.max(fabric.0), needed.1.max(fabric.1)));
    if options.memcpy {
        diagnostic = diagnostic
            .note(reason("east", room.east, options.east_buffer))
            .note(format!("memcpy takes {} row south of the program", room.south));
    }
    found.push(diagnostic);
}

fn reason(side: &str, columns: u32, buffer: u32) -> String {
    match buffer {
        0 => format!("memcpy takes {columns} columns {side} of the program"),
        _ => format!("memcpy takes {columns} columns {side} of the program, {buffer} of them for --width-{side}-buf"),
    }
}
