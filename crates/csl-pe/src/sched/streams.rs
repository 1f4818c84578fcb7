//! What each cycle of a PE that only streams looks at, of all its threads: side by side on two cache lines, where each
//! microthread has three of its own.

use super::microthread::{Microthread, claim};
use crate::datapath::Operation;
use crate::outside::Wake;
use crate::ports::{self, Ports};

/// The most microthreads of such a PE: one for each number.
const MOST: usize = 8;

/// The facts that decide which microthread issues. They hold while [`super::state::Sched::steady`] does: until an
/// operation ends or a task starts.
#[derive(Clone, Debug, Default)]
#[repr(C)]
pub(crate) struct Streams {
    /// The queues that each needs ([`ports::needs`]).
    needs: [u64; MOST],
    /// The class and turn of each.
    classes: [u8; MOST],
    turns: [u8; MOST],
    /// The input slots whose wavelets go to one of the threads.
    inputs: u32,
    len: u8,
    /// Those that may have to wait for the cycle from which they may issue. The others may issue in the next cycle that
    /// is run.
    delayed: u8,
    /// Whether the main thread has an operation, too.
    pub has_main: bool,
}

impl Streams {
    /// Takes note of the threads; the next cycle that is run is `next` at the earliest. `main` is the main thread's
    /// operation. Returns false where there are more microthreads than it holds.
    pub fn note(&mut self, next: u64, uts: &[Microthread], main: Option<&Operation>) -> bool {
        if uts.len() > MOST {
            return false;
        }
        (self.len, self.has_main) = (uts.len() as u8, main.is_some());
        self.inputs = main.map_or(0, |run| run.needs.inputs);
        for (at, ut) in uts.iter().enumerate() {
            let inputs = ut.run.needs.inputs;
            self.needs[at] = ports::needs(inputs, ut.run.needs.outputs);
            (self.classes[at], self.turns[at]) = (ut.class, ut.turn());
            self.inputs |= inputs;
            self.delay(at, ut.start, next);
        }
        true
    }

    /// Notes the cycle from which a microthread may issue; the next cycle that is run is `next` at the earliest.
    #[inline]
    pub fn delay(&mut self, at: usize, start: u64, next: u64) {
        let bit = 1u8.checked_shl(at as u32).unwrap_or(0);
        self.delayed = if start > next { self.delayed | bit } else { self.delayed & !bit };
    }

    #[inline]
    pub fn turn(&self, at: usize) -> u8 {
        self.turns[at]
    }

    /// Input slots with a wavelet that no operation takes.
    #[inline]
    pub fn untaken(&self, ports: &Ports) -> u32 {
        ports.filled() & !self.inputs
    }

    /// The microthread with the highest claim above `best` in cycle `now`.
    #[inline]
    pub fn winner(&self, now: u64, uts: &[Microthread], best: u32, last_turn: u8, ports: &Ports) -> Option<usize> {
        let lacking = ports.lacking();
        let (mut best, mut winner) = (best, None);
        for (at, needs) in self.needs().enumerate() {
            if needs & lacking == 0 && self.start(at, uts) <= now {
                let claim = claim(self.classes[at], last_turn, self.turns[at]);
                if claim > best {
                    (best, winner) = (claim, Some(at));
                }
            }
        }
        winner
    }

    /// The events that they sleep for after cycle `now`: the next cycle alone where one can issue then.
    #[inline]
    pub fn wake(&self, now: u64, uts: &[Microthread], ports: &Ports) -> Wake {
        let lacking = ports.lacking();
        let (mut cycle, mut awaited) = (u64::MAX, 0);
        for (at, needs) in self.needs().enumerate() {
            if needs & lacking != 0 {
                awaited |= needs;
                continue;
            }
            cycle = cycle.min(self.start(at, uts));
            if cycle <= now + 1 {
                return Wake::at(now + 1);
            }
        }
        // A wavelet that no operation takes may start a task.
        let of_tasks = if self.has_main { 0 } else { !self.inputs };
        let (arrivals, credits) = ports::inputs_and_outputs(awaited);
        Wake { at: cycle, arrivals: arrivals | of_tasks, credits }
    }

    /// The cycle from which one may issue; 0 where it need not wait.
    #[inline]
    fn start(&self, at: usize, uts: &[Microthread]) -> u64 {
        if self.delayed >> at & 1 == 0 { 0 } else { uts[at].start }
    }

    #[inline]
    fn needs(&self) -> impl Iterator<Item = u64> {
        self.needs[..usize::from(self.len).min(MOST)].iter().copied()
    }
}
