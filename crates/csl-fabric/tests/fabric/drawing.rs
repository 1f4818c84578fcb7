//! Draws the events of a fabric: a line for each cycle, a column for each tile.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use csl_fabric::{Dropped, Fault, FaultKind, StallReason};
use csl_machine::Wavelet;

use crate::config::letter;
use crate::fabric::{Fabric, Happening, What};

/// The letters of the opcodes, by number; capitals where the CE ignores the command.
const OPCODES: &str = "nart";

/// Entry 31 of a control wavelet calls no task: such a wavelet is only a list of commands.
const NO_ENTRY: u32 = 31;

/// Reads a word: hexadecimal, `!` before a control wavelet, whose commands may be written as letters.
pub fn wavelet(word: &str) -> Wavelet {
    let hexadecimal = |digits| u32::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("`{word}` is no word"));
    let is_list = |text: &str| text.chars().all(|c| OPCODES.contains(c.to_ascii_lowercase()));
    match word.strip_prefix('!') {
        Some(list) if is_list(list) => Wavelet::control(payload(list)),
        Some(digits) => Wavelet::control(hexadecimal(digits)),
        None => Wavelet::word(hexadecimal(word)),
    }
}

/// The payload of a command list, as the head of `csl_fabric::wavelet` has it.
fn payload(list: &str) -> u32 {
    let code =
        |c: char| OPCODES.find(c.to_ascii_lowercase()).expect("checked") as u32 | u32::from(c.is_uppercase()) << 2;
    let commands = list.chars().enumerate().fold(0, |all, (place, c)| all | code(c) << (3 * place));
    (commands & 0xff) << 22 | NO_ENTRY << 16 | commands >> 8
}

fn word(wavelet: Wavelet) -> String {
    let data = wavelet.data;
    let list = (data >> 22 & 0xff) | (data & 0xffff) << 8;
    let letter = |place: u32| {
        let command = list >> (3 * place) & 7;
        let c = OPCODES.chars().nth((command & 3) as usize).expect("four opcodes");
        if command & 4 == 0 { c } else { c.to_ascii_uppercase() }
    };
    let letters: String = (0..8).map(letter).collect();
    // The last command of a list is never left out, so that there is at least one letter.
    let shown = letters.trim_end_matches('n');
    match wavelet.control {
        false => format!("{data:x}"),
        true if data >> 16 & 0x3f != NO_ENTRY || data >> 30 != 0 => format!("!{data:x}"),
        true => format!("!{}", if shown.is_empty() { "n" } else { shown }),
    }
}

fn cell(what: &What) -> String {
    match *what {
        What::Landed { from, color, wavelet } => format!("{}{color}:{}", letter(from), word(wavelet)),
        What::Taken { color, wavelet } => format!("^{color}:{}", word(wavelet)),
        What::Switched { color, position } => format!("sw{color}={position}"),
        What::TornDown { color } => format!("torn{color}"),
    }
}

/// The landings by cycle and tile; tiles without events have no column.
pub fn table(log: &[Happening]) -> String {
    let tiles: BTreeSet<(u32, u32)> = log.iter().map(|h| (h.y, h.x)).collect();
    let mut cycles: BTreeMap<u64, BTreeMap<(u32, u32), Vec<String>>> = BTreeMap::new();
    for happening in log {
        let cells = cycles.entry(happening.cycle).or_default();
        cells.entry((happening.y, happening.x)).or_default().push(cell(&happening.what));
    }
    let mut lines = vec![vec!["cycle".to_owned()]];
    lines[0].extend(tiles.iter().map(|(y, x)| format!("{x},{y}")));
    for (cycle, mut cells) in cycles {
        let mut line = vec![cycle.to_string()];
        line.extend(tiles.iter().map(|tile| cells.remove(tile).unwrap_or_default().join(" ")));
        lines.push(line);
    }
    align(&lines)
}

fn align(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(text, "{}", cells.join(" | ").trim_end()).expect("a string can be written");
    }
    text
}

/// The stalled wavelets, and the reasons.
pub fn stalled(fabric: &mut Fabric) -> String {
    let mut text = String::new();
    for (y, (row, elements)) in fabric.rows.iter().zip(&mut fabric.elements).enumerate() {
        for (x, found) in row.stalled(elements) {
            let (from, color, head) = (letter(found.from), found.color, word(found.head));
            let why = stall_reason(found.why);
            writeln!(text, "{x},{y} holds {} from {from}, first {color}:{head}: {why}", found.count).expect("a string");
        }
    }
    text
}

fn stall_reason(why: StallReason) -> String {
    match why {
        StallReason::InputClosed { ever: true } => "the switch has closed this input".to_owned(),
        StallReason::InputClosed { ever: false } => "no switch position takes this input".to_owned(),
        StallReason::Teardown => "the color is in teardown".to_owned(),
        StallReason::Unrouted => "the color has no route".to_owned(),
        StallReason::Link(side) => format!("no room at {}", letter(side)),
        StallReason::Ramp => "the CE takes none".to_owned(),
        StallReason::None => "on its way".to_owned(),
    }
}

/// Wavelets that have left the program.
pub fn dropped(fabric: &Fabric) -> String {
    let mut text = String::new();
    for (y, row) in fabric.rows.iter().enumerate() {
        for Dropped { x, color, side, count } in row.dropped() {
            writeln!(text, "{x},{y} lost {count} of {color} to {}", letter(side)).expect("a string");
        }
    }
    text
}

pub fn fault(fault: &Fault, cycle: u64) -> String {
    let Fault { x, y, color, wavelet, kind } = fault;
    let FaultKind::Collision { sides: [a, b] } = kind;
    let what = format!("lands with another, from {} and {}", letter(*a), letter(*b));
    format!("fault in cycle {cycle} at {x},{y}: {color}:{} {what}\n", word(*wavelet))
}
