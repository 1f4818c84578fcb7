//! Lengths of operations.

/// A number of elements, or no end. Endless is more than any number, and stays endless whatever is counted off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Length(u32);

impl Length {
    pub const ENDLESS: Length = Length(u32::MAX);
    pub const ZERO: Length = Length(0);
    pub const ONE: Length = Length(1);

    /// The length of `elements` elements. The greatest number of 32 bits means endless; only a product of extents that
    /// does not fit comes to it.
    #[inline]
    pub const fn of(elements: u32) -> Length {
        Length(elements)
    }

    #[inline]
    pub const fn is_endless(self) -> bool {
        self.0 == Length::ENDLESS.0
    }

    #[inline]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub const fn is_one(self) -> bool {
        self.0 == 1
    }

    /// The number of elements; `None` for endless.
    #[inline]
    pub fn finite(self) -> Option<u32> {
        (!self.is_endless()).then_some(self.0)
    }

    /// The number of elements, but at most `most`.
    #[inline]
    pub fn at_most(self, most: u32) -> u32 {
        self.0.min(most)
    }

    /// The number of elements, the greatest there is for endless.
    #[inline]
    pub const fn saturated(self) -> u32 {
        self.0
    }

    /// Counts off `elements`, of which there must be as many.
    #[inline(always)]
    pub fn count_off(&mut self, elements: u32) {
        if !self.is_endless() {
            self.0 -= elements;
        }
    }
}
