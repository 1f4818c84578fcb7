//! Several cycles of all rows at a time, where much is going on: each row does its cycles while its tiles are in the
//! cache, and threads meet twice a window, not twice a cycle (docs/decisions/machine.md M65).
//!
//! What a row sends in a cycle lands at its neighbours a hop later, so a row may do a cycle when its neighbours have
//! done the one before. One thread goes through the rows from north to south; at each it does the first cycle of that
//! row, the second of the one to its north, the third of the next, and so on. Between two threads' rows the cycles that
//! need both sides are left out, a row more each cycle, and done when the threads have met:
//!
//! ```text
//!              cycles ▶
//! rows 0       1 1 1 1
//!      1       1 1 1 2
//!      2       1 1 2 2       1: at once, by the thread of rows 0 to 3
//!      3       1 2 2 2       2: after the meeting
//!      4       1 2 2 2       1: at once, by the thread of rows 4 to 7
//!      5       1 1 2 2
//! ```

use std::ops::Range;
use std::sync::Arc;

use crate::element::Element;
use crate::rows::{Outcome, Rows, Slot, Strip};
use crate::world::World;

/// Cycles to run at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub first: u64,
    pub cycles: u64,
    /// The clock does not come to this cycle before the host has looked; the window ends before it.
    pub limit: u64,
}

/// The number of threads for which there are enough rows: each keeps a distance of as many rows as there are cycles on two
/// sides, the outermost on one.
pub(crate) fn most_threads(rows: u32, cycles: u64) -> usize {
    match (u64::from(rows) / (2 * cycles)) as usize {
        0 => 1,
        // Both are outermost.
        1 => 2,
        most => most,
    }
}

/// The rows at which the parts of threads begin, but the first, and the rows around them that wait for the meeting.
fn gaps(height: usize, window: Window, threads: usize) -> (Vec<usize>, Vec<Range<usize>>) {
    let borders: Vec<usize> = (1..threads).map(|i| i * height / threads).collect();
    let distance = window.cycles as usize;
    let gaps = borders.iter().map(|border| border - distance..border + distance).collect();
    (borders, gaps)
}

/// Runs a window on this many threads, at most [`most_threads`].
pub(crate) fn run<E: Element>(rows: &mut Rows<E>, window: Window, threads: usize) -> Outcome {
    let mut outcome = rows.run(|world, slots| {
        let height = slots.len();
        let (borders, gaps) = gaps(height, window, threads);
        let ends = borders.iter().copied().chain([height]);
        let strips: Vec<Range<usize>> =
            [0].into_iter().chain(borders.iter().copied()).zip(ends).map(|(a, b)| a..b).collect();
        let mut outcome = in_parallel(world, slots, &strips, window, |strip, outcome| {
            let (is_first, is_last) = (strip.first == 0, strip.first + strip.slots.len() == height);
            run_strip(strip, window, is_first, is_last, outcome);
        });
        outcome.add(in_parallel(world, slots, &gaps, window, |strip, outcome| run_gap(strip, window, outcome)));
        outcome
    });
    outcome.done.sort_by_key(|done| done.cycle());
    outcome
}

/// Runs disjoint ranges of rows, in order, each on a thread.
fn in_parallel<E: Element>(
    world: &Arc<World>,
    mut slots: &mut [Slot<E>],
    ranges: &[Range<usize>],
    window: Window,
    run: impl Fn(&mut Strip<'_, E>, &mut Outcome) + Sync,
) -> Outcome {
    let mut outcomes: Vec<Outcome> = ranges.iter().map(|_| Outcome::default()).collect();
    std::thread::scope(|scope| {
        let mut at = 0;
        let last = ranges.len().saturating_sub(1);
        for (i, (range, outcome)) in ranges.iter().zip(&mut outcomes).enumerate() {
            let (part, rest) = std::mem::take(&mut slots)[range.start - at..].split_at_mut(range.len());
            (slots, at) = (rest, range.end);
            let mut strip = Strip { world, first: range.start, slots: part, limit: window.limit };
            let run = &run;
            if i < last {
                scope.spawn(move || run(&mut strip, outcome));
            } else {
                run(&mut strip, outcome);
            }
        }
    });
    let mut all = Outcome::default();
    outcomes.into_iter().for_each(|outcome| all.add(outcome));
    all
}

/// Runs the cycles of a thread's rows that need no other thread's.
fn run_strip<E: Element>(
    strip: &mut Strip<'_, E>,
    window: Window,
    is_first: bool,
    is_last: bool,
    outcome: &mut Outcome,
) {
    let height = strip.slots.len();
    for front in 0..height + window.cycles as usize {
        for (late, now) in (0..=front).zip(window.first..window.first + window.cycles) {
            let row = front - late;
            let is_free = (is_first || row >= late) && (is_last || row + late < height);
            if row < height && is_free {
                strip.visit(row, now, outcome);
            }
        }
    }
}

/// Runs the cycles that were left out at the border in the middle of these rows.
fn run_gap<E: Element>(strip: &mut Strip<'_, E>, window: Window, outcome: &mut Outcome) {
    let border = strip.slots.len() / 2;
    strip.exchange(border - 1, window.first);
    for (late, now) in (1..border).zip(window.first + 1..window.first + window.cycles) {
        for row in border - late..border + late {
            strip.visit(row, now, outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Window, gaps, most_threads};

    /// 62 rows were once shared out to four threads, for windows of eight cycles, and two gaps met.
    #[test]
    fn the_gaps_between_threads_do_not_meet() {
        for (height, cycles) in (1..300).flat_map(|height| (1..10).map(move |cycles| (height, cycles))) {
            for threads in 1..=most_threads(height, cycles) {
                let window = Window { first: 1, cycles, limit: u64::MAX };
                let (_, gaps) = gaps(height as usize, window, threads);
                assert!(gaps.windows(2).all(|two| two[0].end <= two[1].start), "{height} {cycles} {threads}");
                assert!(gaps.last().is_none_or(|last| last.end <= height as usize), "{height} {cycles} {threads}");
            }
        }
        assert_eq!(
            [most_threads(62, 8), most_threads(16, 8), most_threads(15, 8), most_threads(994, 8)],
            [3, 2, 1, 62]
        );
    }
}
