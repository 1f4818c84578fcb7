//! Parts of numbers: the conversions that `From` does not offer, each with a name that says what is dropped or repeated.

#[inline(always)]
pub(crate) const fn low8(value: u64) -> u8 {
    value as u8
}

#[inline(always)]
pub(crate) const fn low16(value: u64) -> u16 {
    value as u16
}

#[inline(always)]
pub(crate) const fn low32(value: u64) -> u32 {
    value as u32
}

/// 16 bits of a register pair or a wavelet: `half` 0 is the low one.
#[inline(always)]
pub(crate) const fn half_of(value: u64, half: u32) -> u16 {
    low16(value >> (16 * half))
}

/// The 16-bit two's complement number in 64 bits.
#[inline(always)]
pub(crate) const fn extend16(value: u16) -> u64 {
    signed16(value).cast_unsigned()
}

/// The 16-bit two's complement number.
#[inline(always)]
pub(crate) const fn signed16(value: u16) -> i64 {
    value.cast_signed() as i64
}

/// A number that indexes a table in the host's memory.
#[inline(always)]
pub(crate) const fn index(value: u32) -> usize {
    value as usize
}

/// The low `bits` bits, from 1 to 64, as a register holds a number of that width and signedness.
#[inline(always)]
pub(crate) const fn canonical(value: u64, bits: u32, signed: bool) -> u64 {
    let unused = 64 - bits;
    let high = value << unused;
    if signed { (high.cast_signed() >> unused).cast_unsigned() } else { high >> unused }
}
