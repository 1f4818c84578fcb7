//! The choice between one thread and all of them, period by period, by the time that earlier periods took.
//!
//! Threads meet twice a cycle. Where each has a core that takes a microsecond; where other programs keep them off
//! their cores it takes milliseconds, and one thread is many times faster. Results are the same either way.

/// Full periods until the way that is not taken is tried again, at first; each trial that fails doubles them.
const FIRST_INTERVAL: u32 = 8;
const LAST_INTERVAL: u32 = 1024;

/// The cycles of a trial of all threads: few, since it may take long.
const TRIAL: u32 = 32;

/// The threads that run a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Alone,
    Together,
}

/// What the ways have cost so far, and which is next.
#[derive(Debug)]
pub(crate) struct Threading {
    /// Seconds a cycle and piece of work, of each way.
    alone: Option<f64>,
    together: Option<f64>,
    /// Periods until the other way is tried.
    until_trial: u32,
    interval: u32,
}

impl Default for Threading {
    fn default() -> Threading {
        Threading { alone: None, together: None, until_trial: FIRST_INTERVAL, interval: FIRST_INTERVAL }
    }
}

impl Threading {
    /// The way of the next period, and how many cycles it is to have of the `period` that is usual.
    pub fn next(&self, period: u32) -> (Way, u32) {
        let trial = TRIAL.min(period);
        match (self.alone, self.together) {
            (_, None) => (Way::Together, trial),
            (None, _) => (Way::Alone, period),
            _ if self.until_trial > 0 => (self.better(), period),
            _ if self.better() == Way::Alone => (Way::Together, trial),
            _ => (Way::Alone, trial),
        }
    }

    fn better(&self) -> Way {
        if self.alone < self.together { Way::Alone } else { Way::Together }
    }

    /// Takes down what a whole period has cost, in seconds a cycle and piece of work.
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

    /// Runs periods whose ways have these costs; returns how many were run together.
    fn together(threading: &mut Threading, periods: u32, alone: f64, together: f64) -> u32 {
        let mut count = 0;
        for _ in 0..periods {
            let (way, _) = threading.next(256);
            count += u32::from(way == Way::Together);
            threading.note(way, if way == Way::Alone { alone } else { together });
        }
        count
    }

    #[test]
    fn the_faster_way_is_taken_and_the_other_tried_ever_more_rarely() {
        let mut threading = Threading::default();
        assert_eq!(threading.next(256).0, Way::Together);
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
