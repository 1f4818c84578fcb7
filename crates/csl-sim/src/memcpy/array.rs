//! The host's array of a copy, from the request to the PEs and back: one 32-bit word an element, in the host's order.
//!
//! A tensor `A[h][w][l]` comes in one dimension: in row-major order `l` is fastest, then `w`; in column-major order `h`
//! is fastest, then `w` (published programs unpack it with numpy's order "F"). A PE reads and writes its elements in
//! place: no array is made in another order.

/// The order of a tensor `A[h][w][l]` in the host's array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The elements of a PE are adjacent.
    RowMajor,
    /// The row of the PE is fastest, then its column, then the element.
    ColMajor,
}

/// Extents of a tensor: rows of PEs, columns of PEs, elements of a PE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of PEs.
    pub h: usize,
    /// Columns of PEs.
    pub w: usize,
    /// Elements of a PE.
    pub l: usize,
}

impl Shape {
    /// The number of elements; `None` if they cannot be addressed.
    pub fn items(self) -> Option<usize> {
        self.h.checked_mul(self.w)?.checked_mul(self.l)
    }
}

/// The array of one copy. PEs are named by their index in row-major order, as [`super::Rect::at`] counts.
pub(crate) struct HostArray {
    /// The words, at least as many as `shape` asks for.
    words: Vec<u32>,
    shape: Shape,
    order: Order,
}

impl HostArray {
    pub fn new(words: Vec<u32>, shape: Shape, order: Order) -> HostArray {
        HostArray { words, shape, order }
    }

    /// An array for the words that PEs will send.
    pub fn empty(shape: Shape, order: Order) -> HostArray {
        HostArray { words: vec![0; shape.items().unwrap_or(0)], shape, order }
    }

    /// The index of an element of a PE.
    fn at(&self, pe: usize, item: usize) -> usize {
        let Shape { h, w, l } = self.shape;
        match self.order {
            Order::RowMajor => pe * l + item,
            Order::ColMajor => pe / w + h * (pe % w + w * item),
        }
    }

    pub fn word(&self, pe: usize, item: usize) -> u32 {
        self.words[self.at(pe, item)]
    }

    /// The elements of a PE.
    pub fn of_pe(&self, pe: usize) -> impl Iterator<Item = u32> {
        (0..self.shape.l).map(move |item| self.word(pe, item))
    }

    /// Writes the first elements of a PE.
    pub fn set_of_pe(&mut self, pe: usize, words: &[u32]) {
        for (item, word) in words.iter().enumerate() {
            let at = self.at(pe, item);
            self.words[at] = *word;
        }
    }

    pub fn into_words(self) -> Vec<u32> {
        self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { h: 2, w: 3, l: 2 };

    fn array(order: Order) -> HostArray {
        HostArray::new((0..12).collect(), SHAPE, order)
    }

    #[test]
    fn row_major_has_the_elements_of_a_pe_together() {
        assert_eq!(array(Order::RowMajor).of_pe(1).collect::<Vec<u32>>(), [2, 3]);
    }

    #[test]
    fn column_major_has_the_row_fastest() {
        // PE (column 1, row 0) holds A[0][1][0] and A[0][1][1]: places 0 + 2*1 and 0 + 2*(1 + 3).
        assert_eq!(array(Order::ColMajor).of_pe(1).collect::<Vec<u32>>(), [2, 8]);
    }

    #[test]
    fn there_and_back_is_identity() {
        for order in [Order::RowMajor, Order::ColMajor] {
            let (there, mut back) = (array(order), HostArray::empty(SHAPE, order));
            for pe in 0..6 {
                back.set_of_pe(pe, &there.of_pe(pe).collect::<Vec<u32>>());
            }
            assert_eq!(back.into_words(), there.words);
        }
    }
}
