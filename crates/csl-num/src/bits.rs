//! Parts of a number by name, where the machine keeps no more than so many bits of it.

/// The low bits of an integer. Where the value is known to fit, this is the value.
pub trait LowBits: Copy {
    fn low8(self) -> u8;
    fn low16(self) -> u16;
    fn low32(self) -> u32;
    fn low64(self) -> u64;

    /// The low 16 bits as a signed number.
    #[inline(always)]
    fn signed16(self) -> i16 {
        self.low16().cast_signed()
    }
}

macro_rules! bits {
    ($($ty:ty),*) => {$(
        impl LowBits for $ty {
            #[inline(always)]
            fn low8(self) -> u8 {
                self as u8
            }

            #[inline(always)]
            fn low16(self) -> u16 {
                self as u16
            }

            #[inline(always)]
            fn low32(self) -> u32 {
                self as u32
            }

            #[inline(always)]
            fn low64(self) -> u64 {
                self as u64
            }
        }
    )*};
}

bits!(u8, u16, u32, u64, u128, usize, i16, i32, i64, i128);
