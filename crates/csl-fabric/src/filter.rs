//! Filters decide which wavelets of a color reach the compute element, never which are forwarded
//! (docs/decisions/machine.md M37).

use csl_machine::{Filter, FilterKind, Wavelet};

/// The running state of a filter.
///
/// Counters count half wavelets, as those of WSE-3 do; a full one counts for two. [`FilterState::count_of`] and
/// [`FilterState::limit_of`] turn numbers of wavelets into them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FilterState {
    pub kind: FilterKind,
    pub count_data: bool,
    pub count_control: bool,
    /// Whether only control wavelets pass that come when the counter equals `max_counter`.
    pub filter_control: bool,
    /// The counter, which begins with its initial value.
    pub counter: u32,
    /// The value after which the counter goes back to 0.
    pub limit1: u32,
    pub limit2: Option<u32>,
    pub max_counter: u32,
    pub min_idx: u16,
    pub max_idx: u16,
    /// Whether everything passes: a sparse counter that has run out, or a filter that is switched off.
    pub disabled: bool,
    /// The wavelets that it has kept from the compute element, for reports.
    pub dropped: u64,
}

impl FilterState {
    /// The filter at the start.
    pub fn new(filter: &Filter) -> FilterState {
        FilterState {
            kind: filter.kind,
            count_data: filter.count_data,
            count_control: filter.count_control,
            filter_control: filter.filter_control,
            counter: FilterState::count_of(filter.init_counter),
            limit1: FilterState::limit_of(filter.limit1),
            limit2: filter.limit2.map(FilterState::limit_of),
            max_counter: FilterState::limit_of(filter.max_counter),
            min_idx: filter.min_idx,
            max_idx: filter.max_idx,
            disabled: false,
            dropped: 0,
        }
    }

    /// The number of half wavelets before wavelet number `wavelets`.
    pub fn count_of(wavelets: u16) -> u32 {
        2 * u32::from(wavelets)
    }

    /// The number of the last half of wavelet number `wavelets`.
    pub fn limit_of(wavelets: u16) -> u32 {
        2 * u32::from(wavelets) + 1
    }

    /// The number of the wavelet that holds a counter or limit.
    pub fn wavelets_of(halves: u32) -> u16 {
        (halves / 2) as u16
    }

    /// Whether the wavelet that arrives now may go up the ramp.
    pub fn passes(&self, wavelet: Wavelet) -> bool {
        match self.kind {
            _ if self.disabled => true,
            FilterKind::Range => wavelet.control || (self.min_idx..=self.max_idx).contains(&wavelet.index()),
            _ if self.filter_control => wavelet.control && self.counter / 2 == self.max_counter / 2,
            _ => self.counter <= self.max_counter,
        }
    }

    /// Counts the wavelet, whether it passed or not.
    pub fn count(&mut self, wavelet: Wavelet) {
        self.dropped += u64::from(!self.passes(wavelet));
        let counted = if wavelet.control { self.count_control } else { self.count_data };
        if self.kind == FilterKind::Range || !counted {
            return;
        }
        let step = if wavelet.half { 1 } else { 2 };
        if self.counter + step <= self.limit1 {
            self.counter += step;
            return;
        }
        self.counter = if self.counter < self.limit1 { self.counter + step - self.limit1 - 1 } else { 0 };
        if self.kind == FilterKind::SparseCounter {
            match self.limit2.take() {
                Some(limit) => self.limit1 = limit,
                None => self.disabled = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(limit1: u16, max_counter: u16, init_counter: u16) -> Filter {
        let kind = FilterKind::Counter;
        Filter { limit1, max_counter, init_counter, count_data: true, ..Filter::new(kind) }
    }

    fn passed(filter: &Filter, words: u32) -> Vec<u32> {
        let mut filter = FilterState::new(filter);
        let mut kept = Vec::new();
        for data in 0..words {
            let wavelet = Wavelet::word(data);
            if filter.passes(wavelet) {
                kept.push(data);
            }
            filter.count(wavelet);
        }
        kept
    }

    #[test]
    fn counter_has_a_period_of_limit_plus_one() {
        assert_eq!(passed(&counter(3, 1, 0), 9), [0, 1, 4, 5, 8]);
        assert_eq!(passed(&counter(3, 1, 2), 9), [2, 3, 6, 7]);
    }

    #[test]
    fn sparse_counter_takes_its_second_limit_once_and_then_passes_all() {
        let filter = Filter { kind: FilterKind::SparseCounter, limit2: Some(1), ..counter(3, 0, 0) };
        assert_eq!(passed(&filter, 9), [0, 4, 6, 7, 8]);
    }

    #[test]
    fn range_looks_at_the_index_half_and_lets_control_pass() {
        let filter = FilterState::new(&Filter { min_idx: 3, max_idx: 5, ..Filter::new(FilterKind::Range) });
        assert!(filter.passes(Wavelet::word(0x0003_0009)) && filter.passes(Wavelet::word(0x0005_0000)));
        assert!(!filter.passes(Wavelet::word(0x0006_0003)) && filter.passes(Wavelet::control(0x0006_0003)));
    }

    #[test]
    fn counts_what_it_drops() {
        let mut filter = FilterState::new(&counter(3, 1, 0));
        (0..9).for_each(|data| filter.count(Wavelet::word(data)));
        assert_eq!(filter.dropped, 4);
    }
}
