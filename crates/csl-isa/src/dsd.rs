//! Descriptors in the machine's form: the packed 64-bit word of a DSD, and the mem4d descriptor in memory.

use csl_machine::{Color, MicrothreadId, QueueId};
use csl_num::LowBits;

/// The class of a packed descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DsdClass {
    Mem1d = 0,
    Circbuf = 1,
    Fabin = 2,
    Fabout = 3,
}

/// A packed DSD.
///
/// | bits | mem1d, circbuf | fabin, fabout |
/// |---|---|---|
/// | 0-15 | byte address | color (8), queue (8); 0xff for none |
/// | 16-31 | extent in elements | extent in elements |
/// | 32-47 | stride in elements (signed); wraparound in elements | [`fabric_flags`] |
/// | 48-51 | [`DsdClass`] | [`DsdClass`] |
/// | 52 | wavelet_index_offset | wavelet_index_offset |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dsd(pub u64);

/// Bits of a fabric descriptor's flags field.
pub mod fabric_flags {
    pub const CONTROL: u16 = 1 << 0;
    pub const ADVANCE_SWITCH: u16 = 1 << 1;
    pub const CONTROL_TRANSFORM: u16 = 1 << 2;
    pub const ZERO_FIRST: u16 = 1 << 3;
    pub const ZERO_SECOND: u16 = 1 << 4;
    /// The SIMD mode: 0 the program's default, 1 off, 2 simd_32, 3 simd_64, 4 simd_32_or_64, 5 simd_max.
    pub const SIMD_SHIFT: u16 = 5;
    pub const SIMD_MASK: u16 = 7 << SIMD_SHIFT;
    /// The priority: 0 none given, 1 low, 2 medium, 3 high.
    pub const PRIORITY_SHIFT: u16 = 8;
    pub const PRIORITY_MASK: u16 = 3 << PRIORITY_SHIFT;
    /// The microthread: 0 none, otherwise the WSE-3 microthread plus 1.
    pub const UT_SHIFT: u16 = 10;
    pub const UT_MASK: u16 = 15 << UT_SHIFT;
    /// A message of `<message_passing>`: a header goes first, the last wavelet has the control bit set.
    pub const MESSAGE: u16 = 1 << 14;
}

impl Dsd {
    pub const INDEX_OFFSET: u64 = 1 << 52;

    pub fn mem1d(addr: u16, extent: u16, stride: i16, index_offset: bool) -> Dsd {
        Dsd::pack(addr, extent, stride.low16(), DsdClass::Mem1d, index_offset)
    }

    pub fn circbuf(addr: u16, extent: u16, wraparound: u16) -> Dsd {
        Dsd::pack(addr, extent, wraparound, DsdClass::Circbuf, false)
    }

    /// A fabric descriptor.
    pub fn fabric(
        class: DsdClass,
        color: Option<Color>,
        queue: Option<QueueId>,
        extent: u16,
        flags: u16,
        index_offset: bool,
    ) -> Dsd {
        Dsd::pack(
            u16::from(Color::byte(color)) | u16::from(QueueId::byte(queue)) << 8,
            extent,
            flags,
            class,
            index_offset,
        )
    }

    fn pack(low: u16, extent: u16, high: u16, class: DsdClass, index_offset: bool) -> Dsd {
        let flags = if index_offset { Dsd::INDEX_OFFSET } else { 0 };
        Dsd(u64::from(low) | u64::from(extent) << 16 | u64::from(high) << 32 | (class as u64) << 48 | flags)
    }

    pub fn class(self) -> DsdClass {
        match self.0 >> 48 & 3 {
            0 => DsdClass::Mem1d,
            1 => DsdClass::Circbuf,
            2 => DsdClass::Fabin,
            _ => DsdClass::Fabout,
        }
    }

    pub fn addr(self) -> u16 {
        self.0.low16()
    }

    pub fn color(self) -> Option<Color> {
        Color::new(self.0.low8())
    }

    pub fn queue(self) -> Option<QueueId> {
        QueueId::new((self.0 >> 8).low8())
    }

    pub fn extent(self) -> u16 {
        (self.0 >> 16).low16()
    }

    pub fn stride(self) -> i16 {
        (self.0 >> 32).signed16()
    }

    pub fn wraparound(self) -> u16 {
        (self.0 >> 32).low16()
    }

    pub fn flags(self) -> u16 {
        (self.0 >> 32).low16()
    }

    /// The microthread that the flags name.
    pub fn microthread(self) -> Option<MicrothreadId> {
        let code = (self.flags() & fabric_flags::UT_MASK) >> fabric_flags::UT_SHIFT;
        code.checked_sub(1).and_then(MicrothreadId::of)
    }

    pub fn index_offset(self) -> bool {
        self.0 & Dsd::INDEX_OFFSET != 0
    }

    pub fn with_addr(self, addr: u16) -> Dsd {
        Dsd(self.0 & !0xffff | u64::from(addr))
    }

    pub fn with_extent(self, extent: u16) -> Dsd {
        Dsd(self.0 & !0xffff_0000 | u64::from(extent) << 16)
    }

    pub fn with_stride(self, stride: i16) -> Dsd {
        Dsd(self.0 & !0xffff_0000_0000 | u64::from(stride.low16()) << 32)
    }
}

/// A mem4d descriptor in memory: 20 bytes, as 16-bit little-endian words
/// `address, dims | index_offset << 15, extents[4], strides[4]`. Extents stand as the guide lists them (outermost
/// first, `dims` of them), strides too (innermost first, each with the reset of the inner loops included).
pub mod mem4d {
    pub const BYTES: u32 = 20;
    pub const ADDR: u32 = 0;
    pub const SHAPE: u32 = 2;
    pub const EXTENTS: u32 = 4;
    pub const STRIDES: u32 = 12;
    pub const INDEX_OFFSET: u16 = 1 << 15;
}
