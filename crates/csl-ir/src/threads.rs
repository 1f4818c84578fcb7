//! Work on functions and programs that does not depend on other ones, on several threads.

use std::sync::{Mutex, PoisonError};

use crate::Func;

/// Instructions for which one more thread is worth its start: that takes some 100 us, a pass or the translation of an
/// instruction 0.3 to 1 us.
const WORK_OF_A_THREAD: usize = 2_000;

impl Func {
    /// The number of instructions.
    pub fn instructions(&self) -> usize {
        self.blocks.iter().map(|block| block.insts.len()).sum()
    }
}

/// The number of threads for work on so many instructions, at most `threads`.
pub fn threads_for(instructions: usize, threads: usize) -> usize {
    threads.min(instructions / WORK_OF_A_THREAD + 1)
}

/// Does `work` on every item, on `threads` threads, this one among them. Items are taken in their order: the long ones
/// should stand first.
pub fn each<I>(items: I, threads: usize, work: impl Fn(I::Item) + Sync)
where
    I: IntoIterator<IntoIter: Send>,
{
    let items = Mutex::new(items.into_iter());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some(item) = next() {
            work(item);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(run);
        }
        run();
    });
}

/// The results of `work` on every item, in the order of the items; see [`each`].
pub fn map<T: Send, R: Send>(items: Vec<T>, threads: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    each(items.into_iter().zip(&mut results), threads, |(item, result)| *result = Some(work(item)));
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::{map, threads_for};

    #[test]
    fn results_stand_in_the_order_of_the_items_on_any_number_of_threads() {
        let items: Vec<u32> = (0..1_000).collect();
        let squares: Vec<u32> = items.iter().map(|item| item * item).collect();
        for threads in [1, 2, 5] {
            assert_eq!(map(items.clone(), threads, |item| item * item), squares);
        }
    }

    #[test]
    fn little_work_stays_on_one_thread() {
        assert_eq!((threads_for(1_999, 8), threads_for(2_000, 8), threads_for(100_000, 2)), (1, 2, 2));
    }
}
