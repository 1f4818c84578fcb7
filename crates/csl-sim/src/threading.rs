//! The choice between one thread and all of them, window by window, by the time that earlier windows took.
//!
//! Threads meet twice a window. Where each has a core that takes some microseconds; where other programs keep them off
//! their cores it takes milliseconds, and one thread may be faster. Results are the same either way.

/// Windows until the way that is not taken is tried again, at first; each trial that fails doubles them.
const FIRST_INTERVAL: u32 = 16;
const LAST_INTERVAL: u32 = 4096;

/// The threads that run a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Alone,
    Together,
}

/// What the ways have cost so far, and which is next.
#[derive(Debug)]
pub(crate) struct Threading {
    /// Seconds a piece of work, of each way.
    alone: Option<f64>,
    together: Option<f64>,
    /// Windows until the other way is tried.
    until_trial: u32,
    interval: u32,
}

impl Default for Threading {
    fn default() -> Threading {
        Threading { alone: None, together: None, until_trial: FIRST_INTERVAL, interval: FIRST_INTERVAL }
    }
}

impl Threading {
    /// The way of the next window.
    pub fn next(&self) -> Way {
        match (self.alone, self.together) {
            (_, None) => Way::Together,
            (None, _) => Way::Alone,
            _ if self.until_trial > 0 => self.better(),
            _ if self.better() == Way::Alone => Way::Together,
            _ => Way::Alone,
        }
    }

    fn better(&self) -> Way {
        if self.alone < self.together { Way::Alone } else { Way::Together }
    }

    /// Takes down what a window has cost, in seconds a piece of work.
    pub fn note(&mut self, way: Way, cost: f64) {
        let before = self.better();
        let (known, is_first) = match way {
            Way::Alone => (&mut self.alone, self.together.is_none()),
            Way::Together => (&mut self.together, self.alone.is_none()),
        };
        // An old cost says nothing of the machine as it is now.
        *known = Some(known.filter(|_| way == before).map_or(cost, |known| (known + cost) / 2.0));
        if is_first || way == before {
            self.until_trial = self.until_trial.saturating_sub(1);
        } else {
            let is_better = self.better() == way;
            self.interval = if is_better { FIRST_INTERVAL } else { (2 * self.interval).min(LAST_INTERVAL) };
            self.until_trial = self.interval;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST_INTERVAL, LAST_INTERVAL, Threading, Way};

    /// Runs windows whose ways have these costs; returns how many were run together.
    fn together(threading: &mut Threading, windows: u32, alone: f64, together: f64) -> u32 {
        let mut count = 0;
        for _ in 0..windows {
            let way = threading.next();
            count += u32::from(way == Way::Together);
            threading.note(way, if way == Way::Alone { alone } else { together });
        }
        count
    }

    #[test]
    fn the_faster_way_is_taken_and_the_other_tried_ever_more_rarely() {
        let mut threading = Threading::default();
        assert_eq!(threading.next(), Way::Together);
        assert!(together(&mut threading, 10_000, 1.0, 100.0) < 20);
        assert!(threading.interval == LAST_INTERVAL);
    }

    #[test]
    fn a_change_of_the_machine_is_noticed() {
        let mut threading = Threading::default();
        together(&mut threading, 100, 1.0, 100.0);
        let later = together(&mut threading, 4 * LAST_INTERVAL, 1.0, 0.5);
        assert!(later > LAST_INTERVAL, "{later}");
        assert!(together(&mut threading, 20 * FIRST_INTERVAL, 1.0, 0.5) > 15 * FIRST_INTERVAL);
    }
}
