//! A set of registers of a frame.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers(Vec<u64>);

impl Registers {
    /// None of a frame's registers.
    pub fn none(frame: u16) -> Registers {
        Registers(vec![0; usize::from(frame).div_ceil(64)])
    }

    pub fn holds(&self, reg: u16) -> bool {
        self.0[usize::from(reg) / 64] >> (reg % 64) & 1 == 1
    }

    pub fn put(&mut self, reg: u16, is_in: bool) {
        let word = &mut self.0[usize::from(reg) / 64];
        *word = *word & !(1 << (reg % 64)) | u64::from(is_in) << (reg % 64);
    }

    /// Adds those of `more`; whether any is new.
    pub fn add(&mut self, more: &Registers) -> bool {
        let mut is_new = false;
        for (word, more) in self.0.iter_mut().zip(&more.0) {
            is_new |= more & !*word != 0;
            *word |= more;
        }
        is_new
    }

    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0..)
            .zip(&self.0)
            .flat_map(|(at, &word)| (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit))
    }
}
