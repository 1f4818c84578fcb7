//! Types of elements, and their words.

use csl_host::Width;

/// A number that copies move: of 32 bits, or of 16 bits, which travel in the low half of a word.
pub trait Element: sealed::Sealed + Copy {
    /// The size of the program's elements.
    #[doc(hidden)]
    const WIDTH: Width;

    /// The element as a word.
    #[doc(hidden)]
    fn to_word(self) -> u32;

    /// The element in a word.
    #[doc(hidden)]
    fn from_word(word: u32) -> Self;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! elements {
    ($($type:ty, $width:ident, $to:expr, $from:expr;)*) => {$(
        impl sealed::Sealed for $type {}

        impl Element for $type {
            const WIDTH: Width = Width::$width;

            fn to_word(self) -> u32 {
                $to(self)
            }

            fn from_word(word: u32) -> $type {
                $from(word)
            }
        }
    )*};
}

elements! {
    f32, Bits32, f32::to_bits, f32::from_bits;
    u32, Bits32, |word| word, |word| word;
    i32, Bits32, i32::cast_unsigned, u32::cast_signed;
    u16, Bits16, u32::from, |word: u32| word as u16;
    i16, Bits16, |half: i16| u32::from(half.cast_unsigned()), |word: u32| (word as u16).cast_signed();
}
