//! Wavelets that travel together, in runs without a clock.

use std::ops::Range;
use std::sync::Arc;

use crate::wavelet::Wavelet;

/// Consecutive wavelets of one color and one kind, at least one of them. Copies share the words: a broadcast has them
/// once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burst {
    words: Arc<[u32]>,
    /// The part that is left.
    first: u32,
    end: u32,
    pub control: bool,
    pub half: bool,
}

impl Burst {
    /// A burst of data.
    pub fn of_words(words: &[u32]) -> Burst {
        Burst { first: 0, end: words.len() as u32, words: words.into(), control: false, half: false }
    }

    pub fn one(wavelet: Wavelet) -> Burst {
        Burst { control: wavelet.control, half: wavelet.half, ..Burst::of_words(&[wavelet.data]) }
    }

    pub fn len(&self) -> usize {
        (self.end - self.first) as usize
    }

    /// Whether all have been taken; no such burst travels.
    pub fn is_empty(&self) -> bool {
        self.first == self.end
    }

    /// The words that are left.
    pub fn words(&self) -> &[u32] {
        &self.words[self.first as usize..self.end as usize]
    }

    /// The wavelet at a place.
    pub fn get(&self, at: usize) -> Option<Wavelet> {
        let data = *self.words().get(at)?;
        Some(Wavelet { data, control: self.control, half: self.half })
    }

    /// Takes the first wavelet off.
    pub fn pop(&mut self) -> Option<Wavelet> {
        let first = self.get(0)?;
        self.first += 1;
        Some(first)
    }

    /// Drops the first wavelets.
    pub fn skip(&mut self, count: usize) {
        self.first = (self.first + count as u32).min(self.end);
    }

    /// A part of it, by places.
    pub fn part(&self, places: Range<usize>) -> Burst {
        let at = |place: usize| (self.first + place as u32).min(self.end);
        Burst { first: at(places.start), end: at(places.end), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_share_the_words() {
        let mut burst = Burst::of_words(&[1, 2, 3, 4]);
        let part = burst.part(1..3);
        assert_eq!((part.words(), part.len()), (&[2, 3][..], 2));
        assert_eq!(burst.pop(), Some(Wavelet::word(1)));
        burst.skip(2);
        assert_eq!(burst.get(0), Some(Wavelet::word(4)));
        burst.skip(7);
        assert!(burst.is_empty() && burst.pop().is_none() && part.words() == [2, 3]);
    }
}
