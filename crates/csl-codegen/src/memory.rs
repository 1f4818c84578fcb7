//! Places globals in a PE's memory.
//!
//! Data start at a fixed low address, link sections with an address of their own are kept clear, and the stack follows
//! the data. Memory at the top that memcpy uses stays free.

use csl_diag::{Code, Diagnostic};
use csl_image::{Region, Section, Symbol};
use csl_ir::{Global, GlobalId, Program, RelocTarget};
use csl_machine::TOOLCHAIN;
use csl_num::LowBits;

use crate::Options;
use crate::context::Context;
use crate::func::{object_align, object_of_dsd};

/// The address of the first byte of data. Some programs read the word before an array's start, which is still memory
/// then.
const DATA_START: u32 = 16;

/// Lines of the memory map in a diagnostic.
const MAP_LINES: usize = 12;

/// The layout of a PE's memory.
#[derive(Debug)]
pub struct Placement {
    /// The byte address of each global.
    pub addrs: Vec<u16>,
    pub data_end: u16,
    pub stack: Region,
}

/// Places the program's globals and its stack.
pub fn place(program: &Program, stack_bytes: u32, options: &Options) -> Result<Placement, Diagnostic> {
    let overhead = if options.memcpy.is_some() { TOOLCHAIN.memcpy_bytes } else { 0 };
    let limit = program.arch.chip().memory.bytes - overhead;
    let mut placer = Placer { addrs: vec![None; program.globals.len()], fixed: Vec::new() };
    placer.place_sections(program, options)?;
    let end = placer.place_rest(program);
    let stack = end.next_multiple_of(program.stack_align());
    if stack + stack_bytes > limit {
        return Err(out_of_memory(program, stack_bytes, overhead, stack + stack_bytes));
    }
    let top = placer.fixed.iter().map(|range| range.0).filter(|&start| start >= stack).min();
    let region = Region { start: stack.low16(), end: top.unwrap_or(limit).min(limit).low16() };
    let highest = placer.fixed.iter().map(|range| range.1).fold(end, u32::max);
    if highest > limit {
        return Err(out_of_memory(program, stack_bytes, overhead, highest));
    }
    let addrs = placer.addrs.into_iter().map(|addr| addr.expect("all are placed").low16()).collect();
    Ok(Placement { addrs, data_end: highest.low16(), stack: region })
}

struct Placer {
    /// The addresses of the globals that are placed.
    addrs: Vec<Option<u32>>,
    /// Start and end of sections with an address, in order.
    fixed: Vec<(u32, u32)>,
}

impl Placer {
    fn place_sections(&mut self, program: &Program, options: &Options) -> Result<(), Diagnostic> {
        for (name, start) in &options.sections {
            let mut at = u32::from(*start);
            for (index, global) in in_section(program, name) {
                at = at.next_multiple_of(align(global));
                self.addrs[index] = Some(at);
                at += global.size;
            }
            if at > u32::from(*start) {
                self.add_fixed(program, name, (u32::from(*start), at))?;
            }
        }
        self.fixed.sort_unstable();
        Ok(())
    }

    fn add_fixed(&mut self, program: &Program, name: &str, range: (u32, u32)) -> Result<(), Diagnostic> {
        if self.fixed.iter().any(|other| range.0 < other.1 && other.0 < range.1) {
            let message = format!("link section '{name}' at {:#x} overlaps another", range.0);
            let span = in_section(program, name).next().map(|(_, global)| global.span);
            return Err(span.map_or_else(
                || Diagnostic::unplaced(Code::BadSection, message.clone()),
                |span| Diagnostic::new(Code::BadSection, span, message.clone()),
            ));
        }
        self.fixed.push(range);
        Ok(())
    }

    /// Places all other globals, in order of declaration around the fixed sections; returns the end of the last.
    fn place_rest(&mut self, program: &Program) -> u32 {
        let mut at = DATA_START;
        for index in in_declaration_order(program) {
            let global = &program.globals[index];
            if self.addrs[index].is_some() {
                continue;
            }
            at = at.next_multiple_of(align(global));
            while let Some(range) = self.fixed.iter().find(|range| at < range.1 && range.0 < at + global.size) {
                at = range.1.next_multiple_of(align(global));
            }
            self.addrs[index] = Some(at);
            at += global.size;
        }
        at
    }
}

/// Initialised globals, then those that start as zeros, then those of the compiler, each by file and place in it: the
/// order that a linker gives to `.data` and `.bss`. Programs depend on it: the inverse FFT of 1.0 to 2.10 negates
/// numbers after the end of an array, twice, and an array that is declared before it must not be there.
fn in_declaration_order(program: &Program) -> Vec<usize> {
    let mut order: Vec<usize> = (0..program.globals.len()).collect();
    order.sort_by_key(|&index| {
        let global = &program.globals[index];
        let is_zero = global.relocs.is_empty() && global.init.iter().all(|&byte| byte == 0);
        (global.is_hidden, is_zero, global.span.file, global.span.lo, index)
    });
    order
}

fn in_section<'a>(program: &'a Program, name: &'a str) -> impl Iterator<Item = (usize, &'a Global)> {
    let globals = program.globals.iter().enumerate();
    globals.filter(move |(_, global)| global.linksection.as_deref() == Some(name))
}

fn align(global: &Global) -> u32 {
    object_align(global.size, global.align)
}

fn out_of_memory(program: &Program, stack: u32, overhead: u32, needed: u32) -> Diagnostic {
    let bytes = program.arch.chip().memory.bytes;
    let needed = needed + overhead;
    let message = format!("{} needs {needed} bytes of memory; a PE has {bytes}", program.name);
    let mut largest: Vec<&Global> = program.globals.iter().collect();
    largest.sort_by_key(|global| std::cmp::Reverse(global.size));
    let mut map: Vec<(u32, String)> =
        largest.iter().map(|g| (g.size, format!("{}: {}", g.name, program.types.show(g.ty)))).collect();
    map.push((stack, "the stack: variables in memory of the functions".into()));
    map.push((overhead, "memcpy".into()));
    map.sort_by_key(|entry| std::cmp::Reverse(entry.0));
    let rest: u32 = map.iter().skip(MAP_LINES).map(|entry| entry.0).sum();
    let lines = map.iter().take(MAP_LINES).filter(|entry| entry.0 > 0).map(|(n, what)| format!("{n:6} bytes  {what}"));
    let mut lines: Vec<String> = lines.collect();
    if rest > 0 {
        lines.push(format!("{rest:6} bytes  {} more", map.len() - MAP_LINES));
    }
    let diagnostic = match largest.first() {
        Some(global) => Diagnostic::new(Code::OutOfMemory, global.span, message).label("the largest object"),
        None => Diagnostic::unplaced(Code::OutOfMemory, message),
    };
    diagnostic.note(format!("the largest parts:\n{}", lines.join("\n")))
}

/// The sections that initialise memory: one for each global that is not all zeros, neighbours joined.
pub fn sections(ctx: &Context<'_>) -> Vec<Section> {
    let mut parts: Vec<(u16, Vec<u8>)> = Vec::new();
    for (global, &addr) in ctx.program.globals.iter().zip(&ctx.addrs) {
        let bytes = initial_bytes(ctx, global);
        if bytes.iter().any(|&byte| byte != 0) {
            parts.push((addr, bytes));
        }
    }
    parts.sort_by_key(|part| part.0);
    let mut sections: Vec<Section> = Vec::new();
    for (addr, bytes) in parts {
        match sections.last_mut() {
            Some(last) if gap(last, addr) < 4 => {
                last.bytes.resize(usize::from(addr - last.addr), 0);
                last.bytes.extend(bytes);
            }
            _ => sections.push(Section { addr, bytes }),
        }
    }
    sections
}

fn gap(last: &Section, addr: u16) -> usize {
    usize::from(addr - last.addr) - last.bytes.len()
}

fn initial_bytes(ctx: &Context<'_>, global: &Global) -> Vec<u8> {
    let mut bytes = global.init.clone();
    for reloc in &global.relocs {
        let value = match &reloc.target {
            RelocTarget::Global(id, offset) => ctx.global(*id, *offset).to_le_bytes().to_vec(),
            RelocTarget::Func(id) => csl_isa::fn_address(id.number()).to_le_bytes().to_vec(),
            RelocTarget::Dsd(desc) => ctx.descriptor(desc),
        };
        let at = reloc.at as usize;
        let end = bytes.len().max(at + value.len());
        bytes.resize(end, 0);
        bytes[at..at + value.len()].copy_from_slice(&value);
    }
    bytes
}

/// The addresses of objects in initialised memory, and the objects, by address.
pub fn pointers(ctx: &Context<'_>) -> Vec<(u16, u32)> {
    let mut found: Vec<(u16, u32)> = Vec::new();
    for (global, &addr) in ctx.program.globals.iter().zip(&ctx.addrs) {
        let objects = global.relocs.iter().filter_map(|reloc| Some((reloc.at, target(&reloc.target)?)));
        found.extend(objects.map(|(at, object)| (addr.wrapping_add(at.low16()), object.number())));
    }
    found.sort_unstable();
    found
}

fn target(target: &RelocTarget) -> Option<GlobalId> {
    match target {
        RelocTarget::Global(id, _) => Some(*id),
        RelocTarget::Dsd(desc) => object_of_dsd(desc),
        RelocTarget::Func(_) => None,
    }
}

/// The symbols, one for each global and in the same order.
pub fn symbols(program: &Program, placement: &Placement) -> Vec<Symbol> {
    let symbol = |(global, &addr): (&Global, &u16)| Symbol {
        name: global.name.clone(),
        addr,
        size: global.size,
        ty: program.types.show(global.ty),
        is_hidden: global.is_hidden,
        is_undefined: global.is_undefined,
    };
    program.globals.iter().zip(&placement.addrs).map(symbol).collect()
}
