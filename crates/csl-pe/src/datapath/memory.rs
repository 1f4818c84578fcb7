//! A PE's memory: 64 KiB of byte addresses, of which those below [`REGISTERS_START`] are data.
//!
//! Only the bytes up to the highest one ever written are kept; all others read as zero. So a tile costs its own data.

use csl_image::PeImage;
use csl_machine::REGISTERS_START;
use csl_num::LowBits;

use crate::scalar::Surroundings;

/// Behind the program's own data the kept part grows to multiples of this number of bytes.
const GROWTH: usize = 256;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    bytes: Vec<u8>,
}

impl Memory {
    pub fn new() -> Memory {
        Memory::default()
    }

    /// The memory that the program's sections initialise.
    pub fn of(pe: &PeImage) -> Memory {
        let mut memory = Memory { bytes: Vec::with_capacity(usize::from(pe.data_end)) };
        for section in &pe.sections {
            memory.write_bytes(section.addr, &section.bytes);
        }
        memory
    }

    /// `N` bytes of the kept part; `None` outside of it.
    #[inline(always)]
    pub fn kept<const N: usize>(&self, addr: u16) -> Option<[u8; N]> {
        let at = usize::from(addr);
        self.bytes.get(at..at + N).map(|bytes| bytes.try_into().expect("the slice has N bytes"))
    }

    /// Writes `N` bytes if they are kept already; whether they are.
    #[inline(always)]
    pub fn put_kept<const N: usize>(&mut self, addr: u16, value: [u8; N]) -> bool {
        let at = usize::from(addr);
        let Some(bytes) = self.bytes.get_mut(at..at + N) else { return false };
        bytes.copy_from_slice(&value);
        true
    }

    /// `N` bytes from any address on; zero where nothing was written and in register space. Addresses wrap at 16 bits.
    #[inline(always)]
    pub fn get<const N: usize>(&self, addr: u16) -> [u8; N] {
        self.kept(addr).unwrap_or_else(|| self.get_slowly(addr))
    }

    #[cold]
    fn get_slowly<const N: usize>(&self, addr: u16) -> [u8; N] {
        std::array::from_fn(|i| self.bytes.get(usize::from(addr.wrapping_add(i.low16()))).copied().unwrap_or(0))
    }

    /// Writes `N` bytes from any address on; bytes in register space are dropped.
    #[inline(always)]
    pub fn put<const N: usize>(&mut self, addr: u16, value: [u8; N]) {
        if !self.put_kept(addr, value) {
            self.write_bytes(addr, &value);
        }
    }

    #[inline(always)]
    pub fn read16(&self, addr: u16) -> u16 {
        u16::from_le_bytes(self.get(addr))
    }

    #[inline(always)]
    pub fn read32(&self, addr: u16) -> u32 {
        u32::from_le_bytes(self.get(addr))
    }

    #[inline(always)]
    pub fn write16(&mut self, addr: u16, value: u16) {
        self.put(addr, value.to_le_bytes());
    }

    #[inline(always)]
    pub fn write32(&mut self, addr: u16, value: u32) {
        self.put(addr, value.to_le_bytes());
    }

    /// An element of `words` 16-bit words, 1 or 2.
    #[inline(always)]
    pub fn read_element(&self, addr: u16, words: u8) -> u32 {
        if words == 1 { u32::from(self.read16(addr)) } else { self.read32(addr) }
    }

    /// Writes the low `words` 16-bit words of `value`, 1 or 2.
    #[inline(always)]
    pub fn write_element(&mut self, addr: u16, words: u8, value: u32) {
        if words == 1 { self.write16(addr, value.low16()) } else { self.write32(addr, value) }
    }

    /// Copies out `into.len()` bytes from any address on.
    pub fn read_bytes(&self, addr: u16, into: &mut [u8]) {
        if let Some(kept) = self.slice(addr, into.len()) {
            into.copy_from_slice(kept);
            return;
        }
        for (i, byte) in into.iter_mut().enumerate() {
            [*byte] = self.get(addr.wrapping_add(i.low16()));
        }
    }

    /// Extends the kept part by the addresses `start..end`, as far as they are data memory.
    fn keep(&mut self, start: usize, end: usize) {
        let end = end.min(usize::from(REGISTERS_START));
        if start < end && end > self.bytes.len() {
            self.grow(end);
        }
    }

    /// Lets the kept part reach to `end`, and as far as its room does. A vector that grows by itself would take up to twice
    /// the room, on each PE of a wafer.
    fn grow(&mut self, end: usize) {
        let most = end.next_multiple_of(GROWTH).min(usize::from(REGISTERS_START));
        let len = if end <= self.bytes.capacity() { most.min(self.bytes.capacity()) } else { most };
        self.bytes.reserve_exact(len - self.bytes.len());
        self.bytes.resize(len, 0);
    }

    /// Writes bytes from any address on; those in register space are dropped.
    pub fn write_bytes(&mut self, addr: u16, bytes: &[u8]) {
        let end = usize::from(addr) + bytes.len();
        self.keep(usize::from(addr), end);
        self.keep(0, end.saturating_sub(1 << 16));
        if let Some(kept) = self.bytes.get_mut(usize::from(addr)..end) {
            kept.copy_from_slice(bytes);
            return;
        }
        for (i, &byte) in bytes.iter().enumerate() {
            if let Some(place) = self.bytes.get_mut(usize::from(addr.wrapping_add(i.low16()))) {
                *place = byte;
            }
        }
    }

    /// `len` bytes from `addr` on as one slice, which are kept from now on; `None` where they leave data memory.
    pub fn slice_mut(&mut self, addr: u16, len: usize) -> Option<&mut [u8]> {
        let range = usize::from(addr)..usize::from(addr) + len;
        if range.end > usize::from(REGISTERS_START) {
            return None;
        }
        if range.end > self.bytes.len() {
            self.grow(range.end);
        }
        Some(&mut self.bytes[range])
    }

    /// `len` bytes from `addr` on as one slice; `None` where they leave the kept part.
    pub fn slice(&self, addr: u16, len: usize) -> Option<&[u8]> {
        self.bytes.get(usize::from(addr)..usize::from(addr) + len)
    }

    /// Copies between regions that do not overlap, or are the same.
    pub fn copy(&mut self, to: u16, from: u16, len: u16) {
        let (start, end) = (usize::from(from), usize::from(from) + usize::from(len));
        let until = usize::from(to) + usize::from(len);
        if end.max(until) <= self.bytes.len() {
            self.bytes.copy_within(start..end, to.into());
            return;
        }
        for i in 0..len {
            let byte: [u8; 1] = self.get(from.wrapping_add(i));
            self.put(to.wrapping_add(i), byte);
        }
    }

    /// The number of bytes that this memory takes on the host.
    pub fn kept_bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// Whether `len` bytes from `addr` on are all data.
fn is_data(addr: u16, len: u16) -> bool {
    usize::from(addr) + usize::from(len) <= usize::from(REGISTERS_START)
}

impl Surroundings for Memory {
    #[inline(always)]
    fn load<const N: usize>(&mut self, addr: u16) -> Option<[u8; N]> {
        match self.kept(addr) {
            Some(bytes) => Some(bytes),
            None if addr >= REGISTERS_START => None,
            None => Some(self.get(addr)),
        }
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, addr: u16, value: [u8; N]) -> bool {
        if self.put_kept(addr, value) {
            return true;
        }
        let is_memory = addr < REGISTERS_START;
        if is_memory {
            self.put(addr, value);
        }
        is_memory
    }

    fn copy(&mut self, to: u16, from: u16, bytes: u16) -> bool {
        let inside = is_data(to, bytes) && is_data(from, bytes);
        if inside {
            Memory::copy(self, to, from, bytes);
        }
        inside
    }

    fn fill<const N: usize>(&mut self, to: u16, value: [u8; N], count: u16) -> bool {
        let Some(place) = self.slice_mut(to, N * usize::from(count)) else { return false };
        place.chunks_exact_mut(N).for_each(|element| element.copy_from_slice(&value));
        true
    }
}

#[cfg(feature = "jit")]
impl crate::scalar::native::Plain for Memory {
    fn kept_bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwritten_memory_is_zero_and_costs_nothing() {
        let memory = Memory::new();
        assert_eq!((memory.read32(0xbffe), memory.kept_bytes()), (0, 0));
    }

    #[test]
    fn addresses_wrap_at_16_bits() {
        let mut memory = Memory::new();
        memory.write32(0xfffe, 0x4433_2211);
        assert_eq!((memory.read32(0), memory.read32(0xfffe)), (0x4433, 0x4433_0000));
    }

    #[test]
    fn the_end_of_memory_is_kept_and_no_more() {
        let mut memory = Memory::new();
        memory.write32(0xbffe, 0x4433_2211);
        assert_eq!((memory.read16(0xbffe), memory.kept_bytes()), (0x2211, 0xc000));
    }
}
