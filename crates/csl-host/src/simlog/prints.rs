//! Prints of programs: lines of the form `@CYCLE text`.

use csl_image::{Image, PeImage};
use csl_machine::PrintKind;
use csl_num::{FloatKind, format_float};
use csl_pe::{EventKind as Said, Printed};
use csl_sim::{Event, EventKind};

/// The lines of prints among `events`.
pub(crate) fn prints(image: &Image, half: FloatKind, events: &[Event]) -> String {
    events.iter().filter_map(|event| line(image, half, event)).collect()
}

pub(super) fn line(image: &Image, half: FloatKind, event: &Event) -> Option<String> {
    let Event { cycle, x, y, what: EventKind::Pe(csl_pe::Event { what: Said::Print(printed), .. }) } = event else {
        return None;
    };
    let program = image.program_at(*x, *y)?;
    let text: String = printed.iter().map(|value| show(program, half, value)).collect();
    Some(format!("@{cycle} {text}\n"))
}

fn show(program: &PeImage, half: FloatKind, printed: &Printed) -> String {
    let value = printed.value;
    match PrintKind::from_number(printed.kind) {
        Some(PrintKind::Text) => program.strings.get(value as usize).cloned().unwrap_or_default(),
        Some(PrintKind::Unsigned) => format!("{}", value as u32),
        Some(PrintKind::Signed) => format!("{}", value as i64),
        Some(PrintKind::Hex16) => format!("{:04X}", value as u16),
        Some(PrintKind::Hex32) => format!("{:08X}", value as u32),
        Some(PrintKind::Binary16) => format!("{:016b}", value as u16),
        Some(PrintKind::Binary32) => format!("{:032b}", value as u32),
        Some(PrintKind::Half) => format_float(half, value),
        Some(PrintKind::F32) => format_float(FloatKind::F32, value),
        Some(PrintKind::Bool) => format!("{}", value != 0),
        None => format!("(print kind {})", printed.kind),
    }
}
