//! What places were foretold, and how right that was.

use std::time::Duration;

use super::{Outlook, Snapshot};
use crate::{TicketNumber, Timestamp};

/// What was foretold of some places, to be compared with what came.
#[derive(Clone, Debug, Default)]
pub struct Forecasts {
    made: Vec<Forecast>,
    last: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Forecast {
    number: TicketNumber,
    at: Timestamp,
    wait: Duration,
}

impl Forecasts {
    /// How often places are taken note of.
    const EVERY: Duration = Duration::from_secs(10);
    /// How many forecasts are remembered at most.
    const MOST: usize = 1_000;

    /// Notes what is foretold now of the places a tenth and half of the way down the line, and of the last one.
    pub fn note(&mut self, snapshot: &Snapshot, outlook: &Outlook, now: Timestamp) {
        if self.made.len() >= Self::MOST || self.last.is_some_and(|last| now.since(last) < Self::EVERY) {
            return;
        }
        let waiting = snapshot.line().waiting();
        for position in [waiting.div_ceil(10), waiting.div_ceil(2), waiting] {
            if let (Some(number), Some(wait)) = (snapshot.nth_waiting(position), outlook.wait(position, now)) {
                self.made.push(Forecast { number, at: now, wait });
                self.last = Some(now);
            }
        }
    }

    /// Forgets what was foretold under a policy that holds no more: that it comes otherwise is the operator's will.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Of the places whose turn has come by now, by how much the wait was misjudged, either way. What it tells, it forgets.
    pub fn settle(&mut self, frontier: u64, now: Timestamp) -> Vec<Duration> {
        let mut errors = Vec::new();
        self.made.retain(|forecast| {
            let come = forecast.number.get() <= frontier;
            if come {
                errors.push(now.since(forecast.at).abs_diff(forecast.wait));
            }
            !come
        });
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;
    use crate::line::Line;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn in_line(issued: u64, frontier: u64) -> Snapshot {
        Snapshot::build(Line { issued, frontier, admitted: frontier, ..Line::default() }, []).unwrap()
    }

    /// One a second: the 10th waits 10 s, the 50th 50 s, the 100th 100 s.
    fn one_a_second() -> Outlook {
        let policy = Policy { batch: 1, interval_seconds: 1, max_active: 1_000, ..Policy::default() };
        Outlook { policy, turn: Duration::from_secs(600), measured: None }
    }

    #[test]
    fn forecasts_are_compared_with_what_came() {
        let mut forecasts = Forecasts::default();
        forecasts.note(&in_line(100, 0), &one_a_second(), at(10));
        assert!(forecasts.settle(9, at(15)).is_empty());
        assert_eq!(forecasts.settle(10, at(23)), [Duration::from_secs(3)], "3 s late");
        assert_eq!(forecasts.settle(60, at(53)), [Duration::from_secs(7)], "7 s early");
        assert!(forecasts.settle(60, at(60)).is_empty(), "told once");
        assert_eq!(forecasts.settle(100, at(110)), [Duration::ZERO]);
    }

    #[test]
    fn what_was_foretold_under_another_policy_is_nobodys_fault() {
        let mut forecasts = Forecasts::default();
        forecasts.note(&in_line(100, 0), &one_a_second(), at(10));
        forecasts.forget();
        forecasts.note(&in_line(100, 0), &one_a_second(), at(11));
        assert_eq!(forecasts.settle(100, at(111)).len(), 3, "it begins anew at once");
    }

    #[test]
    fn memory_of_forecasts_is_bounded() {
        let mut forecasts = Forecasts::default();
        for second in 0..100_000 {
            forecasts.note(&in_line(100, 0), &one_a_second(), at(second));
        }
        assert!(forecasts.made.len() <= Forecasts::MOST + 2, "{}", forecasts.made.len());
    }

    #[test]
    fn nothing_is_foretold_where_nobody_knows() {
        let (mut forecasts, mut paused) = (Forecasts::default(), one_a_second());
        paused.policy.paused = true;
        forecasts.note(&in_line(100, 0), &paused, at(10));
        assert!(forecasts.made.is_empty());
    }
}
