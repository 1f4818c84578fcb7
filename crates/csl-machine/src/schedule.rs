//! Other schedules than the machine's own: orders and delays that the machine leaves open, drawn by lot.
//!
//! Results that depend on them are races. A number names a schedule, so that a run can be repeated; each draw depends on
//! it, on a place and on how many the place has drawn or on the cycle, never on the order in which places are visited.

/// A schedule, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule(u64);

/// The draws of one place, one after another.
#[derive(Clone, Debug)]
pub struct Draws {
    state: u64,
    /// Bits by which delays of each kind are longer here.
    tempers: u64,
}

/// A kind of delay. At each place a schedule makes some kinds longer than others, throughout.
#[derive(Clone, Copy, Debug)]
pub enum Delay {
    /// Of a command on its way to a tile.
    Command,
    /// Between two tasks, and between the choice of a task and its code.
    Task,
    /// Of the effect of an operation's end.
    Completion,
    /// Of the code behind a request to the rest of the PE.
    Code,
    /// Of the first element of a microthread, and between elements.
    Microthread,
}

/// The cycles, most often below this, of a delay.
const USUAL: u64 = 16;

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

    /// The delay of a command with this number on its way to a tile.
    pub fn delay_of_command(self, x: u32, y: u32, number: u64) -> u64 {
        let state = self.draw([x.into(), y.into(), number, 2], u64::MAX);
        Draws { state, ..self.draws(x, y) }.delay(Delay::Command)
    }

    /// The draws of the PE at these coordinates.
    pub fn draws(self, x: u32, y: u32) -> Draws {
        let draw = |what| self.draw([x.into(), y.into(), 0, what], u64::MAX);
        Draws { state: draw(0), tempers: draw(1) }
    }
}

impl Draws {
    /// The next number below `bound`.
    pub fn next_below(&mut self, bound: u8) -> u8 {
        self.state = mix(self.state);
        ((self.state >> 32) % u64::from(bound.max(1))) as u8
    }

    /// A delay: most often below 16 cycles, one in eight up to 16 times and one in 64 up to 256 times as long, so longer than
    /// most of what goes on beside it. At one place in four all delays of a kind are 8 times as long, at another 64 times.
    pub fn delay(&mut self, kind: Delay) -> u64 {
        let rare = match self.next_below(64) {
            0 => 8,
            1..8 => 4,
            _ => 0,
        };
        let temper = [0, 0, 3, 6][(self.tempers >> (2 * kind as u64) & 3) as usize];
        self.state = mix(self.state);
        ((u128::from(self.state) * u128::from(USUAL << rare.max(temper))) >> 64) as u64
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
    use super::{Delay, Schedule, USUAL};

    #[test]
    fn draws_fill_their_range_and_differ_between_schedules_and_places() {
        let row = |number, y| (0..64).map(move |x| Schedule::new(number).draw([x, y, 0, 0], 8)).collect::<Vec<u64>>();
        assert!((0..8).all(|value| row(1, 0).contains(&value)));
        assert!(row(1, 0) != row(2, 0) && row(1, 0) != row(1, 1) && row(1, 0) == row(1, 0));
        let mut draws = Schedule::new(3).draws(5, 6);
        let drawn: Vec<u8> = (0..64).map(|_| draws.next_below(4)).collect();
        assert!((0..4).all(|value| drawn.contains(&value)) && drawn.iter().all(|value| *value < 4));
        let delays = |x| {
            let mut draws = Schedule::new(3).draws(x, 0);
            let longer = |delay: &u64| *delay >= USUAL;
            (0..640).map(|_| draws.delay(Delay::Code)).filter(longer).count()
        };
        let slow = (0..640).filter(|x| delays(*x) > 320).count();
        assert!((240..400).contains(&slow) && (0..640).all(|x| delays(x) > 20), "{slow}");
    }
}
