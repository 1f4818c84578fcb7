//! The objects in a program's memory, by address, and the numbers that addresses carry.

use csl_image::{PeImage, Symbol};
use csl_num::LowBits;

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
    /// The objects that instructions point to, by `pc`.
    code: Vec<Tag>,
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
        let mut code = vec![Tag::NONE; program.code.len()];
        for &(pc, symbol) in &program.pointers.code {
            if let Some(tag) = code.get_mut(pc as usize) {
                *tag = Tag::of(symbol);
            }
        }
        let stack = (program.stack.start.into(), program.stack.end.into());
        Objects { places, bounds: program.symbols.iter().map(bounds).collect(), stack, code }
    }

    /// The distance of an address from the start of its object.
    pub fn offset(&self, tag: Tag, addr: u16) -> Option<i32> {
        let start = self.bounds.get(tag.symbol()? as usize)?.0;
        Some(i32::from(addr.wrapping_sub(start.low16()).signed16()))
    }

    /// The object that the instruction at `pc` points to.
    pub fn at_pc(&self, pc: usize) -> Tag {
        self.code.get(pc).copied().unwrap_or_default()
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
