//! The objects in a program's memory, by address, and the numbers that addresses carry.

use csl_image::{Function, PeImage, Pointer, Symbol};
use csl_isa::{Field, NO_REG, Op};
use csl_machine::SysOp;
use csl_num::LowBits;

use super::object::{Bounds, Tag};
use super::step::{self, Place, Step};

#[derive(Clone, Debug)]
struct Located {
    bounds: Bounds,
    tag: Tag,
}

#[derive(Clone, Debug)]
pub struct Objects {
    /// By address, without objects of no bytes.
    places: Vec<Located>,
    /// By number.
    bounds: Vec<Bounds>,
    /// The addresses that stack slots may use.
    stack: Bounds,
    /// The objects that instructions point to, by `pc`, each with the number of values of the index, or 0.
    code: Vec<(Tag, u16)>,
    /// The work at each instruction, by `pc`, and the access of the instruction that ends there.
    steps: Vec<Step>,
    accesses: Vec<Place>,
    /// By tag, where an access may lie without a word: nowhere in the buffer of a FIFO, or where no object is known.
    plain: Vec<(u32, u32)>,
    /// The words of loads of which the program reads no bit, by `pc`, in order.
    kept: Vec<u32>,
    /// Whether the program drops the result of the vector operation at a `pc`.
    drops: Vec<bool>,
}

/// The addresses that stack slots may use: those of all functions at once, or all that are left where a function that has
/// some may call itself.
fn stack(program: &PeImage) -> Bounds {
    let (start, end) = (u32::from(program.stack.start), u32::from(program.stack.end));
    let users = || (0u16..).zip(&program.funcs).filter(|(_, func)| func.stack > 0);
    let calls_itself = |number: u16, func: &Function| {
        let code = program.code.get(func.entry as usize..func.end as usize).unwrap_or_default();
        code.iter().any(|insn| insn.op == Op::CallPtr || insn.op == Op::Call && insn.a == number)
    };
    if users().any(|(number, func)| calls_itself(number, func)) {
        return Bounds { start, end, is_fifo: false };
    }
    let used = users().map(|(_, func)| u32::from(func.stack)).sum::<u32>();
    Bounds { start, end: end.min(start + used), is_fifo: false }
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
        let is_fifo = |start: u32| program.fifos.iter().any(|fifo| u32::from(fifo.addr) == start);
        let bounds_of = |symbol: &Symbol| {
            let start = u32::from(symbol.addr);
            Bounds { start, end: start + symbol.size, is_fifo: is_fifo(start) }
        };
        let bounds: Vec<Bounds> = program.symbols.iter().map(bounds_of).collect();
        let all = (0u32..).zip(&bounds).map(|(number, &bounds)| Located { bounds, tag: Tag::of(number) });
        let mut places: Vec<Located> = all.filter(|place| place.bounds.start < place.bounds.end).collect();
        places.sort_by_key(|place| place.bounds.start);
        let mut code = vec![(Tag::NONE, 0); program.code.len()];
        for &Pointer { pc, object, values } in &program.pointers.code {
            if let Some(meant) = code.get_mut(pc as usize) {
                *meant = (Tag::of(object), values);
            }
        }
        let (steps, accesses) = step::steps(program, &code, &bounds);
        let plain = bounds.iter().map(|bounds| if bounds.is_fifo { (1, 0) } else { (bounds.start, bounds.end) });
        let plain = [(1, 0)].into_iter().chain(plain).collect();
        let drops = (0..program.code.len()).map(|pc| drops_result(program, pc)).collect();
        // An access is known by its first word or by its last one.
        let words = |&pc: &u32| pc..pc + program.code.get(pc as usize).map_or(1, |insn| insn.alone().words().low32());
        let mut kept: Vec<u32> = program.pointers.kept.iter().flat_map(words).collect();
        kept.sort_unstable();
        Objects { places, bounds, stack: stack(program), code, steps, accesses, plain, kept, drops }
    }

    /// The work at the instruction at `pc`.
    #[inline(always)]
    pub fn step(&self, pc: usize) -> Step {
        self.steps.get(pc).copied().unwrap_or(Step::Other)
    }

    /// The access of the instruction whose last word is at `pc`.
    #[inline(always)]
    pub fn access(&self, pc: usize) -> Option<&Place> {
        self.accesses.get(pc)
    }

    /// Whether bytes lie in the known object that they are meant for, at an even address if they are more than one, and in
    /// no FIFO's buffer: then there is nothing to say of them.
    #[inline(always)]
    pub fn is_plainly_right(&self, tag: Tag, addr: u16, bytes: u16) -> bool {
        let Some(&(start, end)) = self.plain.get(tag.place()) else { return false };
        let (first, behind) = (u32::from(addr), u32::from(addr) + u32::from(bytes));
        start <= first && behind <= end && (bytes == 1 || addr.is_multiple_of(2))
    }

    /// Whether the instruction at `pc` loads bits that the program does not read: a store behind it puts them back.
    pub fn keeps(&self, pc: Option<u32>) -> bool {
        pc.is_some_and(|pc| self.kept.binary_search(&pc).is_ok())
    }

    pub fn drops_result(&self, pc: u32) -> bool {
        self.drops.get(pc as usize).is_none_or(|&drops| drops)
    }

    /// The object that the instruction at `pc` points to.
    pub fn at_pc(&self, pc: usize) -> Tag {
        self.code.get(pc).map_or(Tag::NONE, |meant| meant.0)
    }

    /// The number of values that the index of the instruction at `pc` may have, where it is one of several.
    pub fn values_at(&self, pc: usize) -> Option<u16> {
        self.code.get(pc).map(|meant| meant.1).filter(|&values| values != 0)
    }

    fn place(&self, addr: u16) -> Option<&Located> {
        let after = self.places.partition_point(|place| place.bounds.start <= u32::from(addr));
        after.checked_sub(1).map(|at| &self.places[at]).filter(|place| place.bounds.hold(addr, 1))
    }

    /// The object that holds an address.
    pub fn at(&self, addr: u16) -> Tag {
        self.place(addr).map_or(Tag::NONE, |place| place.tag)
    }

    /// The FIFO buffer that holds an address.
    pub fn fifo_at(&self, addr: u16) -> Option<u32> {
        self.place(addr).filter(|place| place.bounds.is_fifo)?.tag.symbol()
    }

    /// Whether bytes lie in the object that they are meant for; where that is not known, in any, or on the stack.
    pub fn holds(&self, tag: Tag, addr: u16, bytes: u16) -> bool {
        match tag.index().and_then(|object| self.bounds.get(object)) {
            Some(bounds) => bounds.hold(addr, bytes),
            None => {
                self.place(addr).is_some_and(|place| place.bounds.hold(addr, bytes)) || self.stack.hold(addr, bytes)
            }
        }
    }
}

/// The words of memory that a range of bytes meets, by number.
pub fn words(addr: u16, bytes: u16) -> impl Iterator<Item = usize> {
    let first = usize::from(addr) / 2;
    let count = (usize::from(addr) % 2 + usize::from(bytes)).div_ceil(2);
    (first..first + count).map(|word| usize::from((word % (1 << 15)).low16()))
}
