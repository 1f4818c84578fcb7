//! The map of a PE's memory: the objects by address.
//!
//! Banks (`Memory` of the chip tables): eight, of 6 KB each, by 16-bit words: bits 1 to 3 of the byte address.

use csl_image::{Image, PeImage, Symbol};
use csl_machine::chip;
use serde_json::{Value, json};

use super::title;

/// A line of the map.
struct Piece {
    start: u32,
    bytes: u32,
    what: String,
    ty: String,
    is_object: bool,
}

/// The bank that a byte address lies in.
pub(crate) fn bank(addr: u32, banks: u32) -> u32 {
    (addr >> 1) % banks
}

fn pieces(program: &PeImage, memory: u32) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let gap = |pieces: &mut Vec<Piece>, from: u32, to: u32, what: &str| {
        if to > from {
            let what = format!("({what})");
            pieces.push(Piece { start: from, bytes: to - from, what, ty: String::new(), is_object: false });
        }
    };
    let mut symbols: Vec<&Symbol> = program.symbols.iter().filter(|symbol| symbol.size > 0).collect();
    symbols.sort_by_key(|symbol| symbol.addr);
    for symbol in symbols {
        let start = u32::from(symbol.addr);
        gap(&mut pieces, at, start, if at == 0 { "reserved" } else { "unused" });
        let what = if symbol.is_hidden { format!("({})", symbol.name) } else { symbol.name.clone() };
        pieces.push(Piece { start, bytes: symbol.size, what, ty: symbol.ty.clone(), is_object: true });
        at = at.max(start + symbol.size);
    }
    let (stack, end) = (u32::from(program.stack.start), u32::from(program.stack.end));
    gap(&mut pieces, at, stack.max(at), "unused");
    gap(&mut pieces, stack.max(at), end, "stack and free");
    gap(&mut pieces, end.max(at), memory, "memcpy");
    pieces
}

pub(super) fn text(image: &Image, variants: &[Vec<usize>]) -> String {
    let memory = &chip(image.arch).memory;
    let mut out = String::new();
    for programs in variants {
        let program = &image.programs[programs[0]];
        let free = u32::from(program.stack.end).saturating_sub(program.stack.start.into());
        out += &title(image, programs);
        out += &format!("  {} of {} bytes of data, {free} for the stack and free\n", program.data_end, memory.bytes);
        out += &format!("  {:>6} {:>6} {:>4}  {}\n", "addr", "bytes", "bank", "object");
        for piece in pieces(program, memory.bytes) {
            let bank = if piece.is_object { bank(piece.start, memory.banks).to_string() } else { String::new() };
            let ty = if piece.ty.is_empty() { String::new() } else { format!(": {}", piece.ty) };
            out += &format!("  0x{:04x} {:6} {bank:>4}  {}{ty}\n", piece.start, piece.bytes, piece.what);
        }
        out += "\n";
    }
    out += &format!("{} banks by 16-bit words; the bank is that of the first word.\n", memory.banks);
    out += "Code is not in this map.\n";
    out
}

pub(super) fn json(image: &Image, programs: &[usize]) -> Value {
    let memory = &chip(image.arch).memory;
    let object = |piece: &Piece| {
        json!({
            "name": piece.what, "type": piece.ty, "address": piece.start, "bytes": piece.bytes,
            "bank": bank(piece.start, memory.banks),
        })
    };
    let program = |&number: &usize| {
        let program = &image.programs[number];
        let pieces = pieces(program, memory.bytes);
        json!({
            "number": number, "name": program.name, "memory_bytes": memory.bytes, "data_bytes": program.data_end,
            "free": { "start": program.stack.start, "end": program.stack.end },
            "objects": pieces.iter().filter(|piece| piece.is_object).map(object).collect::<Vec<Value>>(),
        })
    };
    json!(programs.iter().map(program).collect::<Vec<Value>>())
}
