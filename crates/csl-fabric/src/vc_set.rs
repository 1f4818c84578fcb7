//! A set of virtual channels of a row, given out by their numbers: in any order in, by column and color out, without a
//! sort.

use crate::virtual_channel::VcId;

const BITS: usize = u64::BITS as usize;

pub(crate) struct VcSet {
    /// A bit for each virtual channel.
    words: Vec<u64>,
    /// The words from the first that may not be 0 up to the last, which are looked at; no word while `first > last`.
    first: usize,
    last: usize,
}

impl Default for VcSet {
    fn default() -> VcSet {
        VcSet { words: Vec::new(), first: usize::MAX, last: 0 }
    }
}

/// The word of a number, and its bit there.
#[inline]
fn place(vc: VcId) -> (usize, u64) {
    (vc.index() / BITS, 1 << (vc.index() % BITS))
}

impl VcSet {
    /// Whether there is certainly no virtual channel in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first > self.last
    }

    #[inline]
    pub fn insert(&mut self, vc: VcId) {
        let (word, bit) = place(vc);
        match self.words.get_mut(word) {
            Some(bits) => *bits |= bit,
            None => self.grow(vc),
        }
        self.first = self.first.min(word);
        self.last = self.last.max(word);
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, vc: VcId) {
        let (word, bit) = place(vc);
        self.words.resize(word + 1, 0);
        self.words[word] = bit;
    }

    /// Takes a virtual channel out; returns whether it was in.
    pub fn remove(&mut self, vc: VcId) -> bool {
        let (word, bit) = place(vc);
        let Some(bits) = self.words.get_mut(word) else { return false };
        let is_in = *bits & bit != 0;
        *bits &= !bit;
        is_in
    }

    /// Moves all to the end of a list, by their numbers.
    #[inline]
    pub fn move_to(&mut self, list: &mut Vec<VcId>) {
        let (first, last) = (self.first, self.last);
        if first > last {
            return;
        }
        (self.first, self.last) = (usize::MAX, 0);
        for (bits, word) in self.words[first..=last].iter_mut().zip(first..) {
            let mut bits = std::mem::take(bits);
            while bits != 0 {
                list.push(VcId::at(word * BITS + bits.trailing_zeros() as usize));
                bits &= bits - 1;
            }
        }
    }
}
