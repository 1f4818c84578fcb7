//! Registers that no part of this machine serves: they keep written values, without further effect.

/// A place that has accessed a register (word address) that no part of this machine serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unserved {
    pub pc: u32,
    pub word: u16,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct UnservedRegisters {
    /// Word addresses and values.
    kept: Vec<(u16, u16)>,
    /// The places in the order in which the program came to them.
    pub places: Vec<Unserved>,
}

impl UnservedRegisters {
    /// The value that the program has written.
    pub fn read(&self, word: u16) -> u16 {
        self.kept.iter().find(|kept| kept.0 == word).map_or(0, |kept| kept.1)
    }

    pub fn write(&mut self, word: u16, value: u16) {
        match self.kept.iter_mut().find(|kept| kept.0 == word) {
            Some(kept) => kept.1 = value,
            None => self.kept.push((word, value)),
        }
    }

    /// Remembers a place for the warning, with its first register.
    pub fn note(&mut self, pc: u32, word: u16) {
        if self.places.iter().all(|known| known.pc != pc) {
            self.places.push(Unserved { pc, word });
        }
    }
}
