//! The number of a color.

use std::fmt;
use std::num::NonZeroU8;

use crate::shared::COLORS;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A color: the five bits by which routers and descriptors tell virtual channels apart. `Option<Color>` is one byte.
///
/// Note: the number is held plus one, so that 0 can stand for "none".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Color(NonZeroU8);

impl Color {
    /// The bits of a color in a word.
    pub const BITS: u32 = 5;
    /// The number of values that these bits can have, and the length of a table by color.
    pub const COUNT: usize = 1 << Color::BITS;

    /// The color of a number; `None` where it does not fit the bits of a color.
    #[inline]
    pub const fn new(number: u8) -> Option<Color> {
        if number < 1 << Color::BITS { Some(Color::of_bits(number as u32)) } else { None }
    }

    /// The color of a number that is known to be one.
    ///
    /// # Panics
    ///
    /// Where the number does not fit the bits of a color.
    #[inline]
    pub const fn at(number: u8) -> Color {
        Color::new(number).expect("a color has five bits")
    }

    /// The color in the low bits of a word.
    #[inline]
    pub const fn of_bits(word: u32) -> Color {
        Color(NonZeroU8::MIN.saturating_add(word as u8 & ((1 << Color::BITS) - 1)))
    }

    #[inline]
    pub const fn number(self) -> u8 {
        (self.0.get() - 1) & ((1 << Color::BITS) - 1)
    }

    #[inline]
    pub const fn index(self) -> usize {
        self.number() as usize
    }

    /// Whether routers route it: the rest of the numbers are those of tasks alone.
    #[inline]
    pub const fn is_routable(self) -> bool {
        self.number() < COLORS
    }

    /// The mask of this color in a set of colors.
    #[inline]
    pub const fn bit(self) -> u32 {
        1 << self.number()
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

impl fmt::Debug for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.number(), f)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.number(), f)
    }
}

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Color, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Color::new(number).ok_or_else(|| serde::de::Error::custom("a color has five bits"))
    }
}

macro_rules! into {
    ($($number:ty)*) => {$(
        impl From<Color> for $number {
            #[inline]
            fn from(color: Color) -> $number {
                color.number().into()
            }
        }
    )*};
}

into! { u8 u16 u32 u64 usize }

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
