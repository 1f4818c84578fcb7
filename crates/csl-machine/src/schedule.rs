//! Other schedules than the machine's own: orders and delays that the machine leaves open, drawn by lot.
//!
//! Results that depend on them are races. A number names a schedule, so that a run can be repeated; each draw depends on
//! it, on a place and on how many the place has drawn or on the cycle, never on the order in which places are visited.

/// A schedule, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule(u64);

/// The draws of one place, one after another.
#[derive(Clone, Debug)]
pub struct Draws(u64);

impl Schedule {
    pub const fn new(number: u64) -> Schedule {
        Schedule(number)
    }

    /// A number below `bound` that depends on these numbers and the schedule alone.
    #[inline]
    pub fn draw(self, of: [u64; 4], bound: u64) -> u64 {
        let mixed = of.into_iter().fold(mix(self.0), |state, part| mix(state ^ part));
        // The high bits of the product: of these numbers the low ones are no better than the high ones.
        ((u128::from(mixed) * u128::from(bound)) >> 64) as u64
    }

    /// A delay of a command, as [`Draws::delay`] draws it.
    pub fn delay(self, of: [u64; 4], usual: u64) -> u64 {
        Draws(self.draw(of, u64::MAX)).delay(usual)
    }

    /// The draws of the PE at these coordinates.
    pub fn draws(self, x: u32, y: u32) -> Draws {
        Draws(self.draw([x.into(), y.into(), 0, 0], u64::MAX))
    }
}

impl Draws {
    /// The next number below `bound`.
    pub fn next_below(&mut self, bound: u8) -> u8 {
        self.0 = mix(self.0);
        ((self.0 >> 32) % u64::from(bound.max(1))) as u8
    }

    /// A delay: most often below `usual`, one in eight up to 16 times as long, one in 64 up to 256 times: longer than
    /// most of what goes on beside it.
    pub fn delay(&mut self, usual: u64) -> u64 {
        let bound = match self.next_below(64) {
            0 => usual << 8,
            1..8 => usual << 4,
            _ => usual,
        };
        self.0 = mix(self.0);
        ((u128::from(self.0) * u128::from(bound)) >> 64) as u64
    }
}

/// The step of SplitMix64.
#[inline]
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn draws_fill_their_range_and_differ_between_schedules_and_places() {
        let row = |number, y| (0..64).map(move |x| Schedule::new(number).draw([x, y, 0, 0], 8)).collect::<Vec<u64>>();
        assert!((0..8).all(|value| row(1, 0).contains(&value)));
        assert!(row(1, 0) != row(2, 0) && row(1, 0) != row(1, 1) && row(1, 0) == row(1, 0));
        let mut draws = Schedule::new(3).draws(5, 6);
        let drawn: Vec<u8> = (0..64).map(|_| draws.next_below(4)).collect();
        assert!((0..4).all(|value| drawn.contains(&value)) && drawn.iter().all(|value| *value < 4));
        let delays: Vec<u64> = (0..6400).map(|_| draws.delay(16)).collect();
        let longer = |than: u64| delays.iter().filter(|delay| **delay >= than).count();
        assert!((600..900).contains(&longer(16)) && (60..140).contains(&longer(256)) && longer(4096) == 0);
    }
}
