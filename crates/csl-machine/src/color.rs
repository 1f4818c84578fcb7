//! The number of a color.

use std::num::NonZeroU8;

use crate::ids::serialized_as_numbers;
use crate::shared::COLORS;

crate::byte_ids! {
    /// A color: the five bits by which routers and descriptors tell virtual channels apart. `Option<Color>` is one byte.
    pub struct Color: 1 << Color::BITS;
}

serialized_as_numbers! { Color }

impl Color {
    /// The bits of a color in a word.
    pub const BITS: u32 = 5;

    /// The color in the low bits of a word.
    #[inline]
    pub const fn of_bits(word: u32) -> Color {
        Color(NonZeroU8::MIN.saturating_add(word as u8 & ((1 << Color::BITS) - 1)))
    }

    /// Whether routers route it: the rest of the numbers are those of tasks alone.
    #[inline]
    pub const fn is_routable(self) -> bool {
        self.number() < COLORS
    }

    /// The other color of the pair that color swap exchanges.
    #[inline]
    pub const fn partner(self) -> Color {
        Color::of_bits(self.number() as u32 ^ 1)
    }

    /// The color `places` further on, modulo their count.
    #[inline]
    pub const fn plus(self, places: u8) -> Color {
        Color::of_bits(self.number() as u32 + places as u32)
    }
}

/// Color 0.
impl Default for Color {
    fn default() -> Color {
        Color::at(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Color;

    #[test]
    fn an_optional_color_is_one_byte_and_the_numbers_are_five_bits() {
        assert_eq!(size_of::<Option<Color>>(), 1);
        assert_eq!(Color::new(31).map(Color::number), Some(31));
        assert_eq!(Color::new(32), None);
        assert_eq!((Color::of_bits(0x25), Color::at(4).partner()), (Color::at(5), Color::at(5)));
    }
}
