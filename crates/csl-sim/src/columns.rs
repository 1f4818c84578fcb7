//! A set of columns of a row, in order.

/// A set of columns, one bit a column. It is cheap to insert a column, also twice; the set is read from west to east.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns(Vec<u64>);

impl Columns {
    /// The empty set of a row with `width` tiles.
    pub fn new(width: u32) -> Columns {
        Columns(vec![0; width.div_ceil(u64::BITS) as usize])
    }

    #[inline]
    pub fn insert(&mut self, x: u32) {
        *self.word_of(x) |= 1 << (x % u64::BITS);
    }

    #[inline]
    pub fn remove(&mut self, x: u32) {
        *self.word_of(x) &= !(1 << (x % u64::BITS));
    }

    #[inline]
    fn word_of(&mut self, x: u32) -> &mut u64 {
        &mut self.0[(x / u64::BITS) as usize]
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Moves all columns to another set of the same row.
    pub fn move_to(&mut self, other: &mut Columns) {
        for (word, other) in self.0.iter_mut().zip(&mut other.0) {
            *other |= std::mem::take(word);
        }
    }

    /// The columns, from west to east.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.words()).flat_map(|index| self.word(index))
    }

    /// Words of the set, for a loop that changes the set while it reads it.
    pub fn words(&self) -> usize {
        self.0.len()
    }

    /// The columns of one word as they stand now.
    pub fn word(&self, index: usize) -> impl ExactSizeIterator<Item = u32> + use<> {
        Ones::new(self.0[index], index)
    }

    /// The columns of one word, which are removed from the set.
    pub fn take_word(&mut self, index: usize) -> impl ExactSizeIterator<Item = u32> + use<> {
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

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ones = self.word.count_ones() as usize;
        (ones, Some(ones))
    }
}

impl ExactSizeIterator for Ones {}

#[cfg(test)]
mod tests {
    use super::Columns;

    #[test]
    fn columns_come_from_west_to_east_whatever_the_order_they_went_in() {
        let mut set = Columns::new(130);
        [129, 3, 64, 3, 63].into_iter().for_each(|x| set.insert(x));
        set.remove(64);
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 63, 129]);
        assert_eq!((set.take_word(0).len(), set.iter().count()), (2, 1));
    }
}
