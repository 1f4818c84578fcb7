//! The operands of running operations: their positions, and their next elements.

use std::ops::Range;

use csl_isa::dsd::mem4d;
use csl_machine::{Color, DSRS, DsrFile};
use csl_num::LowBits;

use super::length::Length;
use super::memory::Memory;
use crate::ports::{InputSlot, OutputSlot};

csl_machine::byte_ids! {
    /// The place of a loaded explicit DSR among them.
    pub(crate) struct DsrSlot: DsrFile::ALL.len() * DSRS as usize;
}

/// An operand of an operation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operand {
    pub cursor: Cursor,
    /// Size of an element in 16-bit words.
    pub words: u8,
    /// The explicit DSR that it came from, if it did.
    pub dsr: Option<DsrSlot>,
}

/// The position of the next element. Addresses are in bytes and wrap at 16 bits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cursor {
    None,
    /// A scalar source.
    Scalar(u32),
    /// A pointer to a scalar destination; written when the operation completes.
    Ptr {
        addr: u16,
        value: Option<u32>,
    },
    Mem(Linear),
    /// Apart, since few operations have one, and every operation under way lies in the cache.
    Mem4(Box<Mem4>),
    Circ(Circ),
    /// Wavelets of an input slot.
    In(In),
    /// Wavelets to an output slot.
    Out(Out),
    Fifo(u8),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Linear {
    pub addr: u16,
    /// The step in bytes.
    pub step: u16,
}

/// A mem4d operand; dimension 0 is the innermost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mem4 {
    pub addr: u16,
    pub dims: u8,
    pub extents: [u16; 4],
    pub counts: [u16; 4],
    /// The steps in bytes, with the reset of the inner dimensions included.
    pub steps: [u16; 4],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Circ {
    pub base: u16,
    pub addr: u16,
    /// The distance in bytes from `base` to the end, excluded.
    pub bytes: u16,
    pub step: u16,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct In {
    pub slot: InputSlot,
    pub control_transform: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Out {
    pub slot: OutputSlot,
    pub color: Color,
    pub control: bool,
    pub control_transform: bool,
    pub advance_switch: bool,
    /// Whether 16-bit elements go out as half wavelets, by an output queue in dense mode.
    pub half: bool,
    /// The high half of every wavelet, if it is fixed.
    pub index: Option<u16>,
}

impl Operand {
    /// The next value of a source in memory, or the scalar; 0 of any other operand.
    #[inline(always)]
    pub fn next(&mut self, memory: &Memory) -> u32 {
        if let Cursor::Scalar(value) = self.cursor {
            return value;
        }
        self.cursor.next_addr().map_or(0, |addr| memory.read_element(addr, self.words))
    }

    /// Writes the next element of a destination in memory, or keeps the value of a scalar one.
    #[inline(always)]
    pub fn put(&mut self, memory: &mut Memory, value: u32) {
        if let Cursor::Ptr { value: kept, .. } = &mut self.cursor {
            *kept = Some(value);
        } else if let Some(addr) = self.cursor.next_addr() {
            memory.write_element(addr, self.words, value);
        }
    }
}

impl Linear {
    #[inline(always)]
    fn next(&mut self) -> u16 {
        let addr = self.addr;
        self.addr = addr.wrapping_add(self.step);
        addr
    }
}

/// A mem4d descriptor as in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mem4Desc {
    pub addr: u16,
    /// The number of dimensions and the index flag.
    pub shape: u16,
    /// The extents, outermost first.
    pub extents: [u16; 4],
    /// The strides in elements, innermost first.
    pub strides: [u16; 4],
}

impl Mem4Desc {
    pub fn of_words(words: &[u16; 10]) -> Mem4Desc {
        let &[addr, shape, e0, e1, e2, e3, s0, s1, s2, s3] = words;
        Mem4Desc { addr, shape, extents: [e0, e1, e2, e3], strides: [s0, s1, s2, s3] }
    }

    pub fn read(memory: &Memory, at: u16) -> Mem4Desc {
        let word = |offset: u32| memory.read16(at.wrapping_add(offset.low16()));
        let words = |offset: u32| [0, 1, 2, 3].map(|i| word(offset + 2 * i));
        Mem4Desc {
            addr: word(mem4d::ADDR),
            shape: word(mem4d::SHAPE),
            extents: words(mem4d::EXTENTS),
            strides: words(mem4d::STRIDES),
        }
    }
}

impl Mem4 {
    /// The operand at its first element; `words` is the element's size in 16-bit words, `index` the operation's
    /// `.index`.
    pub fn new(desc: Mem4Desc, words: u16, index: u16) -> Mem4 {
        let dims = usize::from(desc.shape & 7).clamp(1, 4);
        let index = if desc.shape & mem4d::INDEX_OFFSET != 0 { index.wrapping_mul(2) } else { 0 };
        let addr = desc.addr.wrapping_add(index);
        let mut mem4 = Mem4 { addr, dims: dims.low8(), extents: [1; 4], counts: [0; 4], steps: [0; 4] };
        for i in 0..dims {
            mem4.extents[i] = desc.extents[dims - 1 - i];
            mem4.steps[i] = desc.strides[i].wrapping_mul(2 * words);
        }
        mem4
    }

    /// The number of elements.
    pub fn len(&self) -> Length {
        Length::of(self.extents.iter().fold(1u32, |len, &extent| len.saturating_mul(u32::from(extent))))
    }

    /// The number of elements left in the innermost dimension, which has no end where it is the only one.
    pub fn row_left(&self) -> Length {
        let left = u32::from(self.extents[0].saturating_sub(self.counts[0])).max(1);
        if self.dims <= 1 { Length::ENDLESS } else { Length::of(left) }
    }

    /// The greatest distance between two of its elements, in bytes.
    fn span(&self) -> i64 {
        let (mut span, mut inner) = (0, 0);
        for (step, extent) in self.steps.iter().zip(&self.extents).take(usize::from(self.dims)) {
            // The step takes back the way of the inner dimensions.
            let stride = i64::from(step.signed16()) + inner;
            let way = stride * (i64::from(*extent) - 1).max(0);
            inner += way;
            span += way.abs();
        }
        span
    }

    /// Whether the banks of `other` keep their distance from this operand's in every row: eight banks of two bytes.
    pub fn keeps_distance(&self, other: &Mem4) -> bool {
        let same_bank = |i: usize| self.steps[i].wrapping_sub(other.steps[i]).is_multiple_of(16);
        let dims = usize::from(self.dims);
        self.dims == other.dims && self.extents[..dims - 1] == other.extents[..dims - 1] && (1..dims).all(same_bank)
    }

    /// Passes elements of this row, at most as many as are left in it.
    pub fn pass(&mut self, elements: u16) {
        let before_last = elements.saturating_sub(1);
        self.counts[0] = self.counts[0].wrapping_add(before_last);
        self.addr = self.addr.wrapping_add(self.steps[0].wrapping_mul(before_last));
        if elements > 0 {
            self.next();
        }
    }

    /// The elements of this row, as those of an operand that steps evenly.
    pub fn along_row(&self) -> Linear {
        Linear { addr: self.addr, step: self.steps[0] }
    }

    /// The address of the next element. The outermost dimension continues for as long as the operation does.
    #[inline]
    fn next(&mut self) -> u16 {
        let addr = self.addr;
        let last = usize::from(self.dims) - 1;
        let mut dim = 0;
        self.counts[0] = self.counts[0].wrapping_add(1);
        while dim < last && self.counts[dim] >= self.extents[dim] {
            self.counts[dim] = 0;
            dim += 1;
            self.counts[dim] = self.counts[dim].wrapping_add(1);
        }
        self.addr = addr.wrapping_add(self.steps[dim]);
        addr
    }
}

impl Circ {
    #[inline]
    fn next(&mut self) -> u16 {
        let addr = self.addr;
        let offset = addr.wrapping_sub(self.base).wrapping_add(self.step);
        self.addr = if offset >= self.bytes { self.base } else { self.base.wrapping_add(offset) };
        addr
    }
}

impl Cursor {
    /// The address of the next element of an operand in memory; moves one step on.
    #[inline(always)]
    pub fn next_addr(&mut self) -> Option<u16> {
        match self {
            Cursor::Mem(linear) => Some(linear.next()),
            Cursor::Mem4(mem4) => Some(mem4.next()),
            Cursor::Circ(circ) => Some(circ.next()),
            _ => None,
        }
    }

    /// The present address of the operand.
    pub fn addr(&self) -> Option<u16> {
        match self {
            Cursor::Mem(linear) => Some(linear.addr),
            Cursor::Mem4(mem4) => Some(mem4.addr),
            Cursor::Circ(circ) => Some(circ.addr),
            _ => None,
        }
    }

    /// A range of addresses with those that the operand takes in its next `left` elements of `bytes` bytes each; empty
    /// where it is not in memory.
    pub fn range(&self, left: u32, bytes: u32) -> Range<u32> {
        let around = |addr: u16, before: i64, behind: i64| {
            let range = i64::from(addr) - before..i64::from(addr) + behind + i64::from(bytes);
            if range.start < 0 || range.end > 1 << 16 { 0..1 << 16 } else { range.start as u32..range.end as u32 }
        };
        match self {
            Cursor::Ptr { addr, .. } => around(*addr, 0, 0),
            Cursor::Mem(linear) => {
                let way = i64::from(linear.step.signed16()) * i64::from(left.saturating_sub(1));
                around(linear.addr, (-way).max(0), way.max(0))
            }
            Cursor::Mem4(mem4) => around(mem4.addr, mem4.span(), mem4.span()),
            Cursor::Circ(circ) => around(circ.base, 0, i64::from(circ.bytes)),
            Cursor::None | Cursor::Scalar(_) | Cursor::In(_) | Cursor::Out(_) | Cursor::Fifo(_) => 0..0,
        }
    }

    pub fn is_fabric(&self) -> bool {
        matches!(self, Cursor::In(_) | Cursor::Out(_))
    }

    /// Whether the operand accesses memory only.
    pub fn is_memory(&self) -> bool {
        matches!(self, Cursor::Mem(_) | Cursor::Mem4(_) | Cursor::Circ(_))
    }
}
