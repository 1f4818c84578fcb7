//! The generator behind `@random16`.

use crate::bits::LowBits;

/// A linear feedback shift register with the polynomial x^23 + x^18 + 1 that advances 128 steps after each use;
/// the guide gives the polynomial, the steps and the initial state, one generator a PE.
///
/// The guide leaves open how the register is laid out; our choice: 32 bits, shifted left (Fibonacci form, taps at bits
/// 22 and 17). A use returns the low 16 bits before the advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prng {
    pub state: u32,
}

impl Default for Prng {
    fn default() -> Self {
        Prng { state: 0xdead_beef }
    }
}

impl Prng {
    pub const fn new(seed: u32) -> Prng {
        Prng { state: seed }
    }

    /// The next 16 random bits.
    pub fn next_u16(&mut self) -> u16 {
        let value = self.state.low16();
        for _ in 0..128 / STEPS_AT_ONCE {
            self.state = advance(self.state);
        }
        value
    }
}

/// Taps lie at bits 22 and 17, so 16 steps feed back only bits that are already in the register.
const STEPS_AT_ONCE: u32 = 16;

fn advance(state: u32) -> u32 {
    // The feedback bit of step k is bit 22-k xor bit 17-k: bits 22..7 against 17..2.
    let feedback = (state >> 7 ^ state >> 2) & 0xffff;
    state << STEPS_AT_ONCE | feedback
}
