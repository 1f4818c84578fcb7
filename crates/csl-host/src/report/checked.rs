//! Words the mistakes that checked PEs have found (`--check`): what was done, to which object, at which line, by which PEs
//! and when, and what to do.

use std::collections::BTreeMap;
use std::path::Path;

use csl_image::{Image, PeImage, Symbol};
use csl_machine::registers::ce;
use csl_machine::{ProgramId, TaskKind};
use csl_num::LowBits;
use csl_pe::{Access, Complaint, FaultKind, Wrong};
use csl_sim::{Group, Mistake};
use indexmap::IndexMap;

use super::excerpts::Excerpts;
use super::names::{fifo_name, task_function};
use crate::counted;

/// The greatest number of places that are told.
const MOST_PLACES: usize = 50;

/// A mistake at one place of the sources, of all PEs that made it.
struct Place {
    text: String,
    advice: &'static str,
    first: (u32, u32, u64),
    /// The number of PEs, by program: several instructions may belong to one place.
    pes: BTreeMap<ProgramId, u64>,
    count: u64,
}

/// A warning for each place, in the order of their first cycles, but for the mistake that is `told` already as the fault that
/// ended the run.
pub(crate) fn mistakes(
    image: &Image,
    sources: &Path,
    found: &[Group<Mistake>],
    told: Option<&csl_pe::Fault>,
) -> Vec<String> {
    let is_told = |complaint: &Complaint| {
        told.is_some_and(|fault| fault.kind == FaultKind::Checked(complaint.what) && fault.pc == complaint.pc)
    };
    let found = found.iter().filter(|group| !is_told(&group.what.complaint));
    let mut excerpts = Excerpts::of(image, sources);
    let mut places: IndexMap<_, Place> = IndexMap::new();
    for Group { what: Mistake { program: number, complaint }, tiles, x, y } in found {
        let program = &image.programs[*number];
        let origin = place(&mut excerpts, program, complaint.pc);
        let by = other_place(&mut excerpts, program, &complaint.what);
        let key = (origin.clone(), by.clone(), complaint.what.key().0, object_of(program, &complaint.what));
        let Complaint { cycle, count, .. } = *complaint;
        let told = places.entry(key).or_insert_with(|| Place {
            text: format!("{origin} {}", wrong(program, &complaint.what, &by)),
            advice: match (complaint.pc, complaint.what) {
                (None, Wrong::Outside { object: Some(_), .. }) => "copy no more elements a PE than the array has",
                _ => advice(&complaint.what),
            },
            first: (*x, *y, cycle),
            pes: BTreeMap::new(),
            count: 0,
        });
        let pes = told.pes.entry(*number).or_default();
        *pes = (*pes).max(*tiles);
        told.count += count;
    }
    let rest = places.len().saturating_sub(MOST_PLACES);
    let more = (rest > 0).then(|| format!("check: {rest} more places with mistakes"));
    places.values().take(MOST_PLACES).map(line).chain(more).collect()
}

fn line(place: &Place) -> String {
    let Place { text, advice, first: (x, y, cycle), pes, count } = place;
    let times = match (count, pes.values().sum()) {
        (1, _) => String::new(),
        (count, 1u64) => format!(", {count} times in all"),
        (count, pes) => format!(", {count} times in all on {pes} PEs"),
    };
    format!("check: {text}: PE ({x}, {y}) in cycle {cycle}{times}; {advice}")
}

/// The words for the mistake that ended a run (`--check=stop`).
pub(super) fn told(excerpts: &mut Excerpts, program: &PeImage, what: &Wrong) -> String {
    wrong(program, what, &other_place(excerpts, program, what))
}

/// The place of the other operation that a mistake is about, if there is one.
fn other_place(excerpts: &mut Excerpts, program: &PeImage, what: &Wrong) -> String {
    what.by().map(|pc| place(excerpts, program, Some(pc))).unwrap_or_default()
}

/// `FILE:LINE:COLUMN in FUNCTION`; where a function of the library stands in for its call, that of the call.
fn place(excerpts: &mut Excerpts, program: &PeImage, pc: Option<u32>) -> String {
    let Some(pc) = pc else { return "a copy of the host".to_owned() };
    let origins = excerpts.origins(program, pc);
    match origins.iter().find(|origin| !origin.is_library()).or(origins.first()) {
        Some(origin) => format!("{} in {}", origin.place, origin.function),
        None => format!("instruction {pc} of {}", program.name),
    }
}

fn symbol(program: &PeImage, object: Option<u32>) -> Option<&Symbol> {
    program.symbols.get(object? as usize)
}

fn object_of(program: &PeImage, what: &Wrong) -> Option<String> {
    let object = match *what {
        Wrong::Outside { object, .. } | Wrong::BehindRow { object, .. } => object,
        Wrong::Undefined { object, .. } | Wrong::FifoBuffer { object, .. } | Wrong::Unblocked { object, .. } => {
            Some(object)
        }
        Wrong::StillWritten { object, .. } | Wrong::StillRead { object, .. } | Wrong::Overlap { object, .. } => object,
        _ => None,
    };
    symbol(program, object).map(|symbol| symbol.name.clone())
}

fn verb(access: Access) -> &'static str {
    if access.is_store { "writes" } else { "reads" }
}

/// The bytes of an access, as an element of the object that holds them or is meant to.
fn element(program: &PeImage, object: Option<u32>, access: Access) -> String {
    let Access { addr, bytes, .. } = access;
    let width = i32::from(bytes.max(1));
    let Some(symbol) = symbol(program, object) else { return format!("{} at address 0x{addr:04x}", size(bytes)) };
    let offset = i32::from(addr.wrapping_sub(symbol.addr).signed16());
    let is_element = offset % width == 0 && symbol.size.is_multiple_of(bytes.max(1).into()) && bytes <= 8;
    match is_element {
        true if symbol.size > u32::from(bytes) => format!("element {} of `{}`", offset / width, symbol.name),
        true if offset == 0 => format!("`{}`", symbol.name),
        _ if offset == 0 => format!("{} of `{}`", size(bytes), symbol.name),
        _ => format!("{} at byte {offset} of `{}`", size(bytes), symbol.name),
    }
}

fn size(bytes: u16) -> String {
    counted(bytes.into(), "byte")
}

fn wrong(program: &PeImage, what: &Wrong, by: &str) -> String {
    match *what {
        Wrong::Outside { object: None, access } => {
            format!("{} {}, where no object lies", verb(access), element(program, None, access))
        }
        Wrong::Outside { object, access } => {
            let size = symbol(program, object).map_or(0, |symbol| symbol.size);
            let width = u32::from(access.bytes.max(1));
            let has = match size % width {
                0 if width <= 8 => counted((size / width).into(), "element"),
                _ => counted(size.into(), "byte"),
            };
            let beside = match program.symbol_at(access.addr) {
                Some(other) if symbol(program, object).is_none_or(|symbol| symbol.name != other.name) => {
                    format!(" (`{}` lies there)", other.name)
                }
                _ => String::new(),
            };
            format!("{} {}, which has {has}{beside}", verb(access), element(program, object, access))
        }
        Wrong::BehindRow { object, index, length } => {
            let name = symbol(program, object).map_or("an array", |symbol| symbol.name.as_str());
            format!("takes element {index} of a row of `{name}`, which has {}", counted(length.into(), "element"))
        }
        Wrong::Misaligned { access } => {
            format!("{} {} at the odd address 0x{:04x}", verb(access), size(access.bytes), access.addr)
        }
        Wrong::Undefined { object, access } => {
            format!("reads {}, which was never written", element(program, Some(object), access))
        }
        Wrong::StillWritten { object, access, .. } => format!(
            "{} {}, which the asynchronous operation at {by} has still to write",
            verb(access),
            element(program, object, access)
        ),
        Wrong::StillRead { object, access, .. } => {
            format!(
                "writes {}, which the asynchronous operation at {by} has still to read",
                element(program, object, access)
            )
        }
        Wrong::Unblocked { object, .. } => {
            let name = symbol(program, Some(object)).map_or("?", |symbol| symbol.name.as_str());
            format!("unblocks the command stream, and the asynchronous operation at {by} has still to write `{name}`")
        }
        Wrong::UnblockedAgain => "unblocks the command stream, which is not blocked".to_owned(),
        Wrong::Overlap { object, steps } => {
            let name = symbol(program, object).map_or("memory", |symbol| symbol.name.as_str());
            let behind = counted(steps.into(), "element");
            format!(
                "moves `{name}` onto itself, {behind} on: it reads what it has written, so that the first values repeat"
            )
        }
        Wrong::FifoBuffer { object, access } => {
            format!("{} {}, the buffer of a FIFO", verb(access), element(program, Some(object), access))
        }
        Wrong::FifoEnd { fifo, is_full, left } => {
            let state = if is_full { "full" } else { "empty" };
            format!(
                "ends early: {} is {state}, and {} not moved",
                fifo_name(Some(program), fifo),
                if left == 1 { "1 element has".to_owned() } else { format!("{left} elements have") }
            )
        }
        Wrong::Lengths { length, other } => {
            format!("has operands of unequal length: one has {}, another {other}", counted(length.into(), "element"))
        }
        Wrong::Float { raised } => {
            let result = match raised {
                _ if raised & ce::FP_INVALID != 0 => "gives no number (NaN, or an integer out of range)",
                _ if raised & ce::FP_DIV_BY_0 != 0 => "divides by zero",
                _ => "gives a number beyond the range of its type: infinity",
            };
            result.to_owned()
        }
        Wrong::Active { id, is_completion } => {
            let when = if is_completion { " at its end" } else { "" };
            format!("activates task {id}{when}, which is active already: it will run once")
        }
        Wrong::NoQueue { queue } => format!("sends by output queue {queue}, which was never initialised"),
        Wrong::ControlTaken { color, payload } => {
            format!("takes a control wavelet of color {color} as an element: 0x{payload:08x}")
        }
        Wrong::SharedInput { task } => {
            let name = task_function(program, TaskKind::Data, task).unwrap_or("?");
            format!("receives words that start the data task `{name}`, which is not blocked, when no receive runs")
        }
    }
}

pub(super) fn advice(what: &Wrong) -> &'static str {
    match what {
        Wrong::Outside { object: None, .. } => "a pointer was never set, or an index is far off",
        Wrong::Outside { .. } => "keep the index, the offset and the length of the DSD within the object",
        Wrong::BehindRow { .. } => "keep each index within its own dimension",
        Wrong::Misaligned { .. } => "words lie at even addresses",
        Wrong::Undefined { .. } => {
            "memory holds anything at the start: give the variable a value, such as `@zeros(..)`"
        }
        Wrong::StillWritten { .. } => "wait for the operation: use the data in a task that its `.activate` names",
        Wrong::StillRead { .. } => {
            "wait for the operation before the data change: write in a task that its `.activate` names"
        }
        Wrong::Unblocked { .. } => {
            "the host may copy it too early: unblock in a task that the operation's `.activate` names"
        }
        Wrong::UnblockedAgain => {
            "call `unblock_cmd_stream()` once for each launch, where all of its work is done: one too many may let the host's \
             commands into the next"
        }
        Wrong::Overlap { .. } => "move from the last element to the first, by DSDs of stride -1, or into another array",
        Wrong::FifoBuffer { .. } => "a FIFO's elements come and go by the FIFO alone",
        Wrong::FifoEnd { .. } => "make the operation asynchronous, ask for its result, or make the buffer larger",
        Wrong::Lengths { .. } => "give all operands one length",
        Wrong::Float { .. } => "look at its operands",
        Wrong::Active { .. } => "activate a task again only once it has run",
        Wrong::NoQueue { .. } => "WSE-3 wants `@initialize_queue(queue, .{ .color = .. })` in a comptime block",
        Wrong::ControlTaken { .. } => {
            "hide each of its eight commands from the core (`encode_payload` of `<control>`, its fourth argument `true`: \
             behind a pop the next command counts), or give the operation `.on_control`"
        }
        Wrong::SharedInput { .. } => {
            "who gets a word depends on when it comes: `@block` the task until the receive has ended, or use another queue \
             and color"
        }
    }
}
