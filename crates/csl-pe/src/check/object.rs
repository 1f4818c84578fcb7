//! The number that an address carries, and the addresses of an object.

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

    #[inline(always)]
    pub fn index(self) -> Option<usize> {
        usize::from(self.0).checked_sub(1)
    }

    /// The place in a list by tags, that of no object first.
    #[inline(always)]
    pub fn place(self) -> usize {
        usize::from(self.0)
    }

    /// This one, or the other where it is not known.
    pub fn or(self, other: Tag) -> Tag {
        if self.0 == 0 { other } else { self }
    }
}

/// The addresses of an object.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub start: u32,
    pub end: u32,
    pub is_fifo: bool,
}

impl Bounds {
    #[inline(always)]
    pub fn hold(self, addr: u16, bytes: u16) -> bool {
        let start = u32::from(addr);
        self.start <= start && start + u32::from(bytes) <= self.end
    }
}
