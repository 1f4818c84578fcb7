//! Parts that several targets share. A target never judges a result by itself: it asserts invariants, and libFuzzer finds
//! panics, hangs and memory without bound.

pub mod json;
pub mod program;
pub mod words;

/// SplitMix64: mutations are the same for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u32) -> Random {
        Random(seed.into())
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ z >> 31) as usize % n.max(1)
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Puts bytes into libFuzzer's buffer, as many as it takes; returns their number.
pub fn put(bytes: &[u8], buffer: &mut [u8], most: usize) -> usize {
    let length = bytes.len().min(most).min(buffer.len());
    buffer[..length].copy_from_slice(&bytes[..length]);
    length
}
