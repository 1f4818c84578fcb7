//! Host arrays and the order of their words.
//!
//! A tensor A[h][w][l] comes in one dimension: in row-major order `l` is fastest, then `w`; in column-major order `h` is
//! fastest, then `w` (published programs unpack it with numpy's order "F"). The machine takes it PE by PE, which is
//! row-major.

/// How a tensor lies in the host array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    RowMajor,
    ColMajor,
}

/// Extents of a tensor: rows, columns, elements of a PE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub h: usize,
    pub w: usize,
    pub l: usize,
}

impl Shape {
    /// Words in all; `None` beyond what can be addressed.
    pub fn words(self) -> Option<usize> {
        self.h.checked_mul(self.w)?.checked_mul(self.l)
    }

    /// Place of element (row, column, item) in column-major order.
    fn col_major(self, row: usize, column: usize, item: usize) -> usize {
        row + self.h * (column + self.w * item)
    }

    /// Column-major place of every element, in row-major order.
    fn places(self) -> impl Iterator<Item = usize> {
        (0..self.h).flat_map(move |row| {
            (0..self.w).flat_map(move |column| (0..self.l).map(move |item| self.col_major(row, column, item)))
        })
    }
}

/// The words of a host array PE by PE. `words` holds at least as many as `shape`.
pub fn to_device(words: &[u32], shape: Shape, order: Order) -> Vec<u32> {
    match order {
        Order::RowMajor => words[..shape.h * shape.w * shape.l].to_vec(),
        Order::ColMajor => shape.places().map(|place| words[place]).collect(),
    }
}

/// The words of PEs, in row-major order, as a host array.
pub fn to_host(words: Vec<u32>, shape: Shape, order: Order) -> Vec<u32> {
    match order {
        Order::RowMajor => words,
        Order::ColMajor => {
            let mut out = vec![0; words.len()];
            shape.places().zip(&words).for_each(|(place, &word)| out[place] = word);
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { h: 2, w: 3, l: 2 };

    #[test]
    fn row_major_is_the_machine_s_own_order() {
        let words: Vec<u32> = (0..12).collect();
        assert_eq!(to_device(&words, SHAPE, Order::RowMajor), words);
    }

    #[test]
    fn column_major_has_the_row_fastest() {
        let words: Vec<u32> = (0..12).collect();
        // PE (column 1, row 0) holds A[0][1][0] and A[0][1][1]: places 0 + 2*1 and 0 + 2*(1 + 3).
        assert_eq!(to_device(&words, SHAPE, Order::ColMajor)[2..4], [2, 8]);
    }

    #[test]
    fn there_and_back_is_identity() {
        let words: Vec<u32> = (0..12).rev().collect();
        for order in [Order::RowMajor, Order::ColMajor] {
            assert_eq!(to_host(to_device(&words, SHAPE, order), SHAPE, order), words);
        }
    }
}
