//! Finds when PEs stop executing: the first idle cycle after an executed instruction gets a line. The guide shows such
//! lines; one for every idle cycle of every PE would be most of the log.

use std::collections::{BTreeMap, HashMap};

use csl_machine::Coord;

/// A PE, in the program's rectangle, and the cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IdlePe {
    pub cycle: u64,
    pub x: u32,
    pub y: u32,
}

/// The PEs that are about to be idle.
#[derive(Default)]
pub(super) struct Idle {
    last: HashMap<Coord, u64>,
    /// The PEs by the cycle that may turn out to be idle.
    waiting: BTreeMap<u64, Vec<Coord>>,
}

impl Idle {
    pub(crate) fn executed(&mut self, cycle: u64, x: u32, y: u32) {
        if self.last.insert(Coord { x, y }, cycle) != Some(cycle) {
            self.waiting.entry(cycle + 1).or_default().push(Coord { x, y });
        }
    }

    /// The PEs that turned idle before `cycle`, now that everything before it is known; each is given once.
    pub(crate) fn before(&mut self, cycle: u64) -> Vec<IdlePe> {
        let mut idle = Vec::new();
        while let Some(entry) = self.waiting.first_entry().filter(|entry| *entry.key() < cycle) {
            let (at, places) = entry.remove_entry();
            let rests = |place: &&Coord| self.last.get(place).is_some_and(|last| last + 1 == at);
            idle.extend(places.iter().filter(rests).map(|&Coord { x, y }| IdlePe { cycle: at, x, y }));
        }
        idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_idle_cycle_is_told() {
        let mut idle = Idle::default();
        idle.executed(5, 0, 0);
        idle.executed(5, 0, 0);
        idle.executed(6, 0, 0);
        assert_eq!(idle.before(7), []);
        assert_eq!(idle.before(9), [IdlePe { cycle: 7, x: 0, y: 0 }]);
        assert_eq!(idle.before(90), []);
    }
}
