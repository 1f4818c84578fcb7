//! The checksum at the end of images and core files. It finds bytes that have changed by accident, such as a bit that has flipped
//! on a disk; it is no protection against who changes them on purpose.

/// Four lanes of eight bytes each take their turns, so that a processor works on all of them at once: a byte that is looked at
/// after the other would take longer than all else that a reader does.
#[derive(Clone, Debug)]
pub struct Checksum {
    lanes: [u64; 4],
    /// The bytes behind the last whole block.
    rest: Vec<u8>,
    length: u64,
}

const BLOCK: usize = 32;

impl Default for Checksum {
    fn default() -> Checksum {
        Checksum { lanes: [1, 2, 3, 4], rest: Vec::with_capacity(BLOCK), length: 0 }
    }
}

impl Checksum {
    /// The checksum of these bytes alone.
    pub fn of(bytes: &[u8]) -> u64 {
        let mut checksum = Checksum::default();
        checksum.add(bytes);
        checksum.value()
    }

    /// Adds the bytes that follow.
    pub fn add(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if !self.rest.is_empty() {
            let (filling, behind) = bytes.split_at(bytes.len().min(BLOCK - self.rest.len()));
            self.rest.extend(filling);
            bytes = behind;
            let Ok(block) = <&[u8; BLOCK]>::try_from(&self.rest[..]) else { return };
            mix(&mut self.lanes, block);
            self.rest.clear();
        }
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut lanes = self.lanes;
        blocks.iter().for_each(|block| mix(&mut lanes, block));
        self.lanes = lanes;
        self.rest.extend(rest);
    }

    /// The checksum of all bytes so far.
    pub fn value(&self) -> u64 {
        let lanes = self.lanes.iter().chain([&self.length]).flat_map(|lane| lane.to_le_bytes());
        let bytes: Vec<u8> = lanes.chain(self.rest.iter().copied()).collect();
        crate::hash(&bytes)
    }
}

/// No step loses anything of a lane, so that a change within one word always changes it.
fn mix(lanes: &mut [u64; 4], block: &[u8; BLOCK]) {
    let (words, _) = block.as_chunks::<8>();
    for (lane, word) in lanes.iter_mut().zip(words) {
        *lane = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at * 7 + at / 256) as u8).collect()
    }

    #[test]
    fn every_bit_counts() {
        for length in [1, 8, 31, 32, 33, 100] {
            let mut bytes = bytes(length);
            let whole = Checksum::of(&bytes);
            for bit in 0..8 * length {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(Checksum::of(&bytes), whole, "bit {bit} of {length} bytes");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
        assert_ne!(Checksum::of(&[0; 31]), Checksum::of(&[0; 32]));
        assert_ne!(Checksum::of(&[]), Checksum::of(&[0]));
    }

    #[test]
    fn bytes_may_come_in_pieces() {
        let bytes = bytes(200);
        for piece in [1, 5, 31, 32, 33, 64, 199] {
            let mut checksum = Checksum::default();
            bytes.chunks(piece).for_each(|piece| checksum.add(piece));
            assert_eq!(checksum.value(), Checksum::of(&bytes), "in pieces of {piece}");
        }
    }

    /// Files that are there stay readable.
    #[test]
    fn the_checksum_stays_what_it_is() {
        assert_eq!(Checksum::of(&bytes(1000)), 9_949_942_536_122_009_519);
    }
}
