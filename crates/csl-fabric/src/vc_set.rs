//! A set of virtual channels of a row, given out by their numbers: in any order in, by column and color out, without a
//! sort.

use crate::virtual_channel::VcId;

const BITS: usize = u64::BITS as usize;

#[derive(Default)]
pub(crate) struct VcSet {
    groups: Vec<Group>,
}

/// The virtual channels of 4,096 numbers.
#[derive(Clone)]
struct Group {
    /// A bit for each word that is not 0.
    some: u64,
    /// A bit for each virtual channel.
    words: [u64; BITS],
}

impl Group {
    const EMPTY: Group = Group { some: 0, words: [0; BITS] };
}

/// The group of a number, its word there, and its bit.
#[inline]
fn place(vc: VcId) -> (usize, usize, u64) {
    let number = vc.index();
    (number / (BITS * BITS), number / BITS % BITS, 1 << (number % BITS))
}

impl VcSet {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.some == 0)
    }

    #[inline]
    pub fn insert(&mut self, vc: VcId) {
        let (number, word, bit) = place(vc);
        if let Some(group) = self.groups.get_mut(number) {
            group.words[word] |= bit;
            group.some |= 1 << word;
        } else {
            self.grow(vc);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, vc: VcId) {
        self.groups.resize(place(vc).0 + 1, Group::EMPTY);
        self.insert(vc);
    }

    /// Takes a virtual channel out; returns whether it was in.
    pub fn remove(&mut self, vc: VcId) -> bool {
        let (group, word, bit) = place(vc);
        let Some(group) = self.groups.get_mut(group) else { return false };
        let is_in = group.words[word] & bit != 0;
        group.words[word] &= !bit;
        is_in
    }

    /// Moves all to the end of a list, by their numbers.
    #[inline]
    pub fn move_to(&mut self, list: &mut Vec<VcId>) {
        for (number, group) in self.groups.iter_mut().enumerate() {
            for word in ones(std::mem::take(&mut group.some)) {
                let bits = std::mem::take(&mut group.words[word]);
                let first = (number * BITS + word) * BITS;
                list.extend(ones(bits).map(|bit| VcId::at(first + bit)));
            }
        }
    }
}

/// The positions of the ones, from the lowest on.
#[inline]
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(lowest)
    })
}
