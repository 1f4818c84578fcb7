//! The PEs of a copy.

pub use csl_host::Order;
use csl_host::{Copy, Rect, Width};

/// A rectangle of the program's PEs, and the order in which the host's array holds their elements: a tensor
/// `A[height][width][elements]`, row-major unless [`Area::order`] says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    rect: Rect,
    order: Order,
}

impl Area {
    /// `width` columns from column `x` on, and `height` rows from row `y` on.
    pub fn new(x: u32, y: u32, width: u32, height: u32) -> Area {
        Area { rect: Rect::new(x, y, width, height), order: Order::RowMajor }
    }

    /// One PE.
    pub fn pe(x: u32, y: u32) -> Area {
        Area::new(x, y, 1, 1)
    }

    /// The same area with PEs left out: every `columns`-th column and every `rows`-th row.
    #[must_use]
    pub fn every(mut self, columns: u32, rows: u32) -> Area {
        (self.rect.step_x, self.rect.step_y) = (columns, rows);
        self
    }

    /// The same area with another order of the array.
    #[must_use]
    pub fn order(mut self, order: Order) -> Area {
        self.order = order;
        self
    }

    /// The copy of so many elements for each PE.
    pub(crate) fn copy(self, per_pe: u32, width: Width) -> Copy {
        Copy { rect: self.rect, per_pe, width, order: self.order }
    }
}
