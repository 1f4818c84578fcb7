//! The objects in a program's memory, by address, and the numbers that addresses carry.

use csl_image::{Function, PeImage, Pointer, Symbol};
use csl_isa::{Field, NO_REG, Op};
use csl_machine::SysOp;
use csl_num::LowBits;

use super::step::Step;

/// The object that an address is meant for: 0 for not known, else the symbol's number plus 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tag(u16);

impl Tag {
    pub const NONE: Tag = Tag(0);

    pub fn of(symbol: u32) -> Tag {
        Tag(u16::try_from(symbol + 1).unwrap_or(0))
    }

    pub fn symbol(self) -> Option<u32> {
        u32::from(self.0).checked_sub(1)
    }

    /// This one, or the other where it is not known.
    pub fn or(self, other: Tag) -> Tag {
        if self.0 == 0 { other } else { self }
    }
}

#[derive(Clone, Debug)]
struct Place {
    start: u32,
    end: u32,
    tag: Tag,
    is_fifo: bool,
}

#[derive(Clone, Debug)]
pub struct Objects {
    /// By address, without objects of no bytes.
    places: Vec<Place>,
    /// By number.
    bounds: Vec<(u32, u32)>,
    /// The addresses that stack slots may use.
    stack: (u32, u32),
    /// The objects that instructions point to, by `pc`, each with the number of values of the index, or 0.
    code: Vec<(Tag, u16)>,
    /// The work at each instruction, by `pc`.
    steps: Vec<Step>,
    has_fifos: bool,
    /// Whether the program drops the result of the vector operation at a `pc`.
    drops: Vec<bool>,
}

/// The addresses that stack slots may use: those of all functions at once, or all that are left where a function that has
/// some may call itself.
fn stack(program: &PeImage) -> (u32, u32) {
    let (start, end) = (u32::from(program.stack.start), u32::from(program.stack.end));
    let users = || (0u16..).zip(&program.funcs).filter(|(_, func)| func.stack > 0);
    let calls_itself = |number: u16, func: &Function| {
        let code = program.code.get(func.entry as usize..func.end as usize).unwrap_or_default();
        code.iter().any(|insn| insn.op == Op::CallPtr || insn.op == Op::Call && insn.a == number)
    };
    if users().any(|(number, func)| calls_itself(number, func)) {
        return (start, end);
    }
    (start, end.min(start + users().map(|(_, func)| u32::from(func.stack)).sum::<u32>()))
}

/// Whether no instruction reads the result of the vector operation at `pc` before its register is written again. The code
/// is followed in its order, without its jumps.
fn drops_result(program: &PeImage, pc: usize) -> bool {
    let insn = program.code[pc];
    if insn.op != Op::Vec || insn.b == NO_REG {
        return true;
    }
    let end = program.func_of(pc.low32()).map_or(0, |func| func.end as usize);
    for next in program.code.get(pc + 1..end).unwrap_or_default() {
        let named = || next.op.fields().into_iter().zip([next.a, next.b, next.c]).filter(|(_, reg)| *reg == insn.b);
        let has_arguments =
            next.op != Op::Sys || SysOp::ALL.get(usize::from(next.a)).is_some_and(|service| !service.args().is_empty());
        let is_read = |field| matches!(field, Field::Src | Field::Acc) || field == Field::Args && has_arguments;
        if named().any(|(field, _)| is_read(field)) {
            return false;
        }
        if named().any(|(field, _)| matches!(field, Field::Dst | Field::OptDst)) {
            return true;
        }
    }
    true
}

impl Objects {
    pub fn of(program: &PeImage) -> Objects {
        let bounds = |symbol: &Symbol| (u32::from(symbol.addr), u32::from(symbol.addr) + symbol.size);
        let is_fifo = |start: u32| program.fifos.iter().any(|fifo| u32::from(fifo.addr) == start);
        let all = (0u32..).zip(&program.symbols);
        let mut places: Vec<Place> = all
            .map(|(number, symbol)| {
                let (start, end) = bounds(symbol);
                Place { start, end, tag: Tag::of(number), is_fifo: is_fifo(start) }
            })
            .filter(|place| place.start < place.end)
            .collect();
        places.sort_by_key(|place| place.start);
        let mut code = vec![(Tag::NONE, 0); program.code.len()];
        for &Pointer { pc, object, values } in &program.pointers.code {
            if let Some(meant) = code.get_mut(pc as usize) {
                *meant = (Tag::of(object), values);
            }
        }
        let steps = program.code.iter().map(|insn| Step::of(insn.alone())).collect();
        let has_fifos = places.iter().any(|place| place.is_fifo);
        let drops = (0..program.code.len()).map(|pc| drops_result(program, pc)).collect();
        let bounds = program.symbols.iter().map(bounds).collect();
        Objects { places, bounds, stack: stack(program), code, steps, has_fifos, drops }
    }

    /// The work at the instruction at `pc`.
    pub fn step(&self, pc: usize) -> Step {
        self.steps.get(pc).copied().unwrap_or(Step::Other)
    }

    /// Whether bytes lie in the known object that they are meant for, at an even address if they are more than one, and in
    /// no FIFO's buffer: then there is nothing to say of them.
    #[inline]
    pub fn is_plainly_right(&self, tag: Tag, addr: u16, bytes: u16) -> bool {
        let (start, end) = (u32::from(addr), u32::from(addr) + u32::from(bytes));
        let bounds = tag.symbol().and_then(|symbol| self.bounds.get(symbol as usize));
        let is_inside = bounds.is_some_and(|&(first, behind)| first <= start && end <= behind);
        is_inside && (bytes == 1 || addr.is_multiple_of(2)) && !self.has_fifos
    }

    pub fn drops_result(&self, pc: u32) -> bool {
        self.drops.get(pc as usize).is_none_or(|&drops| drops)
    }

    /// The distance of an address from the start of its object.
    pub fn offset(&self, tag: Tag, addr: u16) -> Option<i32> {
        let start = self.bounds.get(tag.symbol()? as usize)?.0;
        Some(i32::from(addr.wrapping_sub(start.low16()).signed16()))
    }

    /// The object that the instruction at `pc` points to.
    pub fn at_pc(&self, pc: usize) -> Tag {
        self.code.get(pc).map_or(Tag::NONE, |meant| meant.0)
    }

    /// The number of values that the index of the instruction at `pc` may have, where it is one of several.
    pub fn values_at(&self, pc: usize) -> Option<u16> {
        self.code.get(pc).map(|meant| meant.1).filter(|&values| values != 0)
    }

    fn place(&self, addr: u16) -> Option<&Place> {
        let after = self.places.partition_point(|place| place.start <= u32::from(addr));
        after.checked_sub(1).map(|at| &self.places[at]).filter(|place| u32::from(addr) < place.end)
    }

    /// The object that holds an address.
    pub fn at(&self, addr: u16) -> Tag {
        self.place(addr).map_or(Tag::NONE, |place| place.tag)
    }

    /// The FIFO buffer that holds an address.
    pub fn fifo_at(&self, addr: u16) -> Option<u32> {
        self.place(addr).filter(|place| place.is_fifo)?.tag.symbol()
    }

    /// Whether bytes lie in the object that they are meant for; where that is not known, in any, or on the stack.
    pub fn holds(&self, tag: Tag, addr: u16, bytes: u16) -> bool {
        let (start, end) = (u32::from(addr), u32::from(addr) + u32::from(bytes));
        let inside = |(first, behind): (u32, u32)| first <= start && end <= behind;
        match tag.symbol().and_then(|symbol| self.bounds.get(symbol as usize)) {
            Some(&bounds) => inside(bounds),
            None => self.place(addr).is_some_and(|place| inside((place.start, place.end))) || inside(self.stack),
        }
    }
}

/// The words of memory that a range of bytes meets, by number.
pub fn words(addr: u16, bytes: u16) -> impl Iterator<Item = usize> {
    let first = usize::from(addr) / 2;
    let count = (usize::from(addr) % 2 + usize::from(bytes)).div_ceil(2);
    (first..first + count).map(|word| usize::from((word % (1 << 15)).low16()))
}
