//! A set of columns of a row, or of rows, in order.

/// A set of small numbers, one bit a number. It is cheap to insert a number, also twice; the set is read from the lowest
/// on.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexSet(Vec<u64>);

impl IndexSet {
    /// An empty set of numbers below `bound`.
    pub fn new(bound: u32) -> IndexSet {
        IndexSet(vec![0; bound.div_ceil(u64::BITS) as usize])
    }

    #[inline]
    pub fn insert(&mut self, number: u32) {
        *self.word_of(number) |= 1 << (number % u64::BITS);
    }

    #[inline]
    pub fn remove(&mut self, number: u32) {
        *self.word_of(number) &= !(1 << (number % u64::BITS));
    }

    #[inline]
    fn word_of(&mut self, number: u32) -> &mut u64 {
        &mut self.0[(number / u64::BITS) as usize]
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Moves all to another set with the same bound.
    pub fn move_to(&mut self, other: &mut IndexSet) {
        for (word, other) in self.0.iter_mut().zip(&mut other.0) {
            *other |= std::mem::take(word);
        }
    }

    /// The numbers, from the lowest on.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.words()).flat_map(|index| self.word(index))
    }

    /// Words of the set, for a loop that changes the set while it reads it.
    pub fn words(&self) -> usize {
        self.0.len()
    }

    /// The numbers of one word as they stand now.
    pub fn word(&self, index: usize) -> impl Iterator<Item = u32> + use<> {
        Ones::new(self.0[index], index)
    }

    /// The numbers of one word, which are removed from the set.
    pub fn take_word(&mut self, index: usize) -> impl Iterator<Item = u32> + use<> {
        Ones::new(std::mem::take(&mut self.0[index]), index)
    }
}

/// The positions of the ones of a word, the lowest first.
struct Ones {
    word: u64,
    base: u32,
}

impl Ones {
    fn new(word: u64, index: usize) -> Ones {
        Ones { word, base: index as u32 * u64::BITS }
    }
}

impl Iterator for Ones {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let lowest = (self.word != 0).then(|| self.base + self.word.trailing_zeros())?;
        self.word &= self.word - 1;
        Some(lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::IndexSet;

    #[test]
    fn numbers_come_from_the_lowest_on_whatever_the_order_they_went_in() {
        let mut set = IndexSet::new(130);
        [129, 3, 64, 3, 63].into_iter().for_each(|number| set.insert(number));
        set.remove(64);
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 63, 129]);
        assert_eq!((set.take_word(0).count(), set.iter().count()), (2, 1));
        assert!(!set.is_empty() && set.take_word(2).eq([129]) && set.is_empty());
    }
}
