//! Floating-point exceptions as the bits of their register. "An unmasked exception causes the processor to immediately
//! stop execution" (guide, `<tile_config>`).

use csl_machine::registers::ce;
use csl_num::FpFlags;

/// The exceptions in the bits of their register.
pub(crate) fn register_bits(flags: FpFlags) -> u16 {
    let of = [
        (flags.underflow, ce::FP_UNDERFLOW),
        (flags.overflow, ce::FP_OVERFLOW),
        (flags.inexact, ce::FP_INEXACT),
        (flags.invalid, ce::FP_INVALID),
        (flags.div_by_zero, ce::FP_DIV_BY_0),
    ];
    of.iter().filter(|(raised, _)| *raised).fold(0, |mask, (_, bit)| mask | bit)
}
